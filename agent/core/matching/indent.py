"""How a model's indentation stands to the file's: shifted by a constant, or tabs against spaces.

`learn` finds the one rule that explains every matched line, or none; the new lines follow the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

Reindent = Callable[[str, int], str | None]
"""A new line of the model, by its index, with the file's indentation; None when the rule cannot say."""

INNER = "    "
"""What a tab inside a line is compared as."""

WIDTHS = (4, 2, 8, 3)


def lead(line: str) -> str:
    """The blanks and tabs at the start of a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def inner_tabs(pairs: Iterable[tuple[str, str]]) -> bool:
    """True when the model wrote tabs inside lines for four blanks of the file."""
    return any(
        said.strip() != real.strip() and said.strip().replace("\t", INNER) == real.strip()
        for said, real in pairs
    )


def learn(pairs: Sequence[tuple[str, str]], new: Iterable[str]) -> Reindent | None:
    """The rule behind matched lines (model's, file's); `new` are the lines that it will be used on."""
    told = [(said, real) for said, real in pairs if said.strip()]
    leads = {(lead(said), lead(real)) for said, real in told}
    if len({said for said, _ in leads}) < len(leads):
        return _first_lost(told)
    if all(said == real for said, real in leads):
        return lambda line, _: line
    new = list(new)
    if len(told) == 1 and (lost := _only_line_lost(told[0], new)):
        return lost
    return _by_width(leads) or _shift(leads, new) or _first_lost(told)


def _shift(leads: set[tuple[str, str]], new: Iterable[str]) -> Reindent | None:
    said, real = max(leads)
    if real.endswith(said) and (more := real[: len(real) - len(said)]):
        if not all(r == more + s for s, r in leads):
            return None
        width = _unit(new) if set(more) == {"\t"} and not any("\t" in s for s, _ in leads) else 0
        return lambda line, _: more + (_tabbed(line, width) if width else line)
    if said.endswith(real) and (less := said[: len(said) - len(real)]):
        if not all(s == less + r for s, r in leads):
            return None
        return lambda line, _: line.removeprefix(less) if line.startswith(less) else None
    return None


def _unit(new: Iterable[str]) -> int:
    widths = [len(lead(line)) for line in new if line.startswith(" ")]
    return min(widths) if widths and min(widths) in WIDTHS else 0


def _tabbed(line: str, width: int) -> str:
    own = lead(line)
    columns = len(own.expandtabs(width))
    return "\t" * (columns // width) + " " * (columns % width) + line[len(own) :]


def _by_width(leads: set[tuple[str, str]]) -> Reindent | None:
    """Tabs on one side and spaces on the other, of one width, perhaps shifted as a whole."""
    tabs_said = any("\t" in said for said, _ in leads)
    tabs_real = any("\t" in real for _, real in leads)
    if tabs_said == tabs_real:
        return None
    found: list[tuple[int, int]] = []
    for width in WIDTHS:
        shifts = {len(r.expandtabs(width)) - len(s.expandtabs(width)) for s, r in leads}
        if len(shifts) == 1:
            found.append((width, shifts.pop()))
    plain = [rule for rule in found if rule[1] == 0]
    if len(plain or found) != 1:
        return None
    width, shift = (plain or found)[0]
    return lambda line, _: _rewidth(line, width, shift, tabs_real)


def _rewidth(line: str, width: int, shift: int, tabs: bool) -> str | None:
    own = lead(line)
    columns = len(own.expandtabs(width)) + shift
    if columns < 0:
        return None
    indent = "\t" * (columns // width) + " " * (columns % width) if tabs else " " * columns
    return indent + line[len(own) :]


def _only_line_lost(pair: tuple[str, str], new: Sequence[str]) -> Reindent | None:
    """One line was quoted without its indentation, but the new lines below it have theirs."""
    indent, below = lead(pair[1]), [line for line in new[1:] if line.strip()]
    if lead(pair[0]) or not below or not all(line.startswith(indent) for line in below):
        return None
    return lambda line, index: indent + line if index == 0 and not lead(line) else line


def _first_lost(told: Sequence[tuple[str, str]]) -> Reindent | None:
    """Only the first line lost its indentation, as when a quotation was cut out of the middle of a line."""
    if len(told) < 2:
        return None
    (said, real), rest = told[0], told[1:]
    if lead(said) or not lead(real) or any(lead(s) != lead(r) for s, r in rest):
        return None
    indent = lead(real)
    return lambda line, index: indent + line if index == 0 and not lead(line) else line


def restyled(said: Sequence[str], new: Sequence[str], texts: Sequence[str]) -> list[str] | None:
    """`new` with the file's kind of indentation, when the quotation showed none and the new lines have the other.

    Only for a file that is indented by one kind throughout; None when there is nothing to do.
    """
    if any(lead(line) for line in said):
        return None
    own = {lead(line)[:1] for line in new if line.strip()} - {""}
    real = {lead(line)[:1] for line in texts if line.strip()} - {""}
    if len(own) != 1 or len(real) != 1 or own == real:
        return None
    if real == {"\t"}:
        width = _unit(new)
        return [_tabbed(line, width) for line in new] if width else None
    steps = {len(lead(line)) for line in texts if line.strip()} - {0}
    return [lead(line).replace("\t", " " * min(steps)) + line.lstrip(" \t") for line in new]
