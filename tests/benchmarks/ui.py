"""How fast the terminal draws: `run` gives (name, value, limit) for each promise of docs about the screen."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.core.cards.view import card_view
from agent.core.chunk import Chunk
from agent.core.frontend import Card
from agent.core.hunk import FileState, Mode, Write
from agent.ui.paint import DARK
from agent.ui.render import draw
from agent.ui.stream import Prose

TOKENS_A_SECOND = 2000


def run() -> list[tuple[str, float, float]]:
    """Each measure with its limit, in the unit of its name."""
    return [
        ("card of 100 lines, view and drawing, warm, milliseconds", _card_milliseconds(), 50.0),
        ("stream of 2,000 tokens a second, share of one CPU", _stream_share(), 0.25),
        ("stream four times as long, times as much CPU", _stream_growth(), 5.5),
        ("10,000 characters without a line end, times as much CPU for 40,000", _line_growth(), 6.0),
    ]


def _best(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of CPU of the fastest of some runs."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return max(min(found), 1e-6)


def hundred_lines() -> Card:
    """Fifty lines of a Python file replaced by fifty that differ in a word."""
    old = "".join(f"    value_{n} = compute({n}, other='text {n}')  # why {n}\n" for n in range(50))
    new = old.replace("compute(", "calculate(")
    around = "def work():\n" + "".join(f"    step_{n}()\n" for n in range(400))
    states = [FileState(Mode.FILE, (around + body + around).encode()) for body in (old, new)]
    return Card(Chunk("1", "A title", "why `calculate` is better", ()), (Write("src/work.py", *states),))


def _card_milliseconds() -> float:
    card = hundred_lines()
    return 1000 * _best(lambda: draw(card_view(card), 100, DARK))


def _text(tokens: int) -> list[str]:
    """A reply of so many tokens, in pieces as they come: prose with code, lists and long lines."""
    words = (
        "The parser reads `self.tokens` before it **knows** that there is one, \n"
        "- so it fails\n```python\nx = 1\n```\n\n"
    )
    pieces = [words[at : at + 4] for at in range(0, len(words), 4)]
    return [pieces[n % len(pieces)] for n in range(tokens)]


def _stream(pieces: list[str]) -> int:
    """Feed a stream frame by frame (80 tokens each, as at 2,000 a second) and draw each tail."""
    prose = Prose(DARK, 80)
    lines = 0
    for at in range(0, len(pieces), 80):
        lines += len(prose.feed("".join(pieces[at : at + 80])))
        prose.tail()
    return lines + len(prose.finish())


def _stream_share() -> float:
    pieces = _text(2 * TOKENS_A_SECOND)
    return _best(lambda: _stream(pieces), 3) / 2


def _stream_growth() -> float:
    short, long = _text(10_000), _text(40_000)
    return _best(lambda: _stream(long), 3) / _best(lambda: _stream(short), 3)


def _line_growth() -> float:
    short, long = ["abcd"] * 2500, ["abcd"] * 10_000
    return _best(lambda: _stream(long), 3) / _best(lambda: _stream(short), 3)


if __name__ == "__main__":
    for name, value, limit in run():
        print(f"{value:10.3f}  (limit {limit})  {name}")
