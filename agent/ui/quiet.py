"""A quiet line of the story, drawn for a width."""

from __future__ import annotations

from agent.ui.paint import Line, Theme, wrap
from agent.ui.story import Saying


def saying_lines(saying: Saying, colours: Theme, columns: int) -> list[Line]:
    """Its sign and word in front, the text beside them, the hint behind it or below."""
    head: Line = [
        ("", "  "),
        (colours[saying.style], f"{saying.sign} {saying.word}".rstrip()),
        ("", "  "),
    ]
    if not saying.word:
        head[-1] = ("", " ")
    style = colours[saying.style] if saying.style in ("dim", "bad") else ""
    width = sum(len(text) for _, text in head)
    lines: list[Line] = []
    for n, piece in enumerate(wrap([(style, saying.text)], max(20, columns - width))):
        lines.append([*(head if not n else [("", " " * width)]), *piece])
    if saying.hint and sum(len(text) for _, text in lines[-1]) + len(saying.hint) + 3 <= columns:
        lines[-1].append((colours["dim"], f" · {saying.hint}"))
    elif saying.hint:
        lines += [[("", "    "), *piece] for piece in wrap([(colours["dim"], saying.hint)], columns - 4)]
    return lines
