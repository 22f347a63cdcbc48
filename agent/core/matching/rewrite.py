"""What the lines of a matched block become: kept lines by index, new lines as the file would have them.

The quotation may differ from the file in blanks, indentation or signs; a line that the edit leaves as it quoted it
keeps the file's bytes, a changed one follows the difference that the quotation shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from agent.core.chunk import Grade
from agent.core.lines.splice import diff
from agent.core.matching.indent import INNER, inner_tabs, lead, learn
from agent.core.matching.typography import fold, keep_signs, learned
from agent.core.text import Lines

LOOSE_INDENT = (Grade.INDENT, Grade.UNICODE)


def rewritten(
    real: Sequence[str], said: Sequence[str], new: Sequence[str], grade: Grade
) -> list[str | int] | None:
    """The new block: texts, and indices into `real` of lines to keep. `said` quotes `real`, line by line.

    None when the file's indentation does not follow from the quotation.
    """
    look = _look(real, said, grade)
    shed = grade is not Grade.EXACT and _adds_blanks(real, said)
    shape = fold if grade is Grade.UNICODE else str
    reindent, inner = None, False
    if grade in LOOSE_INDENT:
        pairs = [(shape(one), shape(other)) for one, other in zip(said, real, strict=True)]
        inner = inner_tabs(pairs)
        reindent = learn(pairs, new)
        if reindent is None:
            return None
    items: list[str | int] = []
    at = to = 0
    for hunk in diff(_as_bytes(map(look, said)), _as_bytes(map(look, new))):
        items += range(at, hunk.start)
        to += hunk.start - at
        at = hunk.end
        lines = new[to : to + len(hunk.new)]
        if shed:
            lines = [line.rstrip() if line.strip() else line for line in lines]
        if grade is Grade.UNICODE:
            lines = _signed(lines, hunk.start, hunk.end, said, real)
        for line in lines:
            text = (
                line
                if reindent is None
                else reindent(line, to)
                if line.strip()
                else _blank(reindent(line, to), line)
            )
            if text is None:
                return None
            items.append(lead(text) + text[len(lead(text)) :].replace("\t", INNER) if inner else text)
            to += 1
    return [*items, *range(at, len(said))]


def _adds_blanks(real: Sequence[str], said: Sequence[str]) -> bool:
    """True when the model put blanks behind lines of a block that has none: its new lines have them as well."""
    return any(line != line.rstrip() for line in said) and not any(
        line != line.rstrip() for line in real if line.strip()
    )


def _blank(moved: str | None, line: str) -> str:
    """An empty line stays empty; one of blanks follows the indentation if it can."""
    return (moved or "") if line else ""


def _as_bytes(lines: Iterable[str]) -> Lines:
    return tuple(line.encode("utf-8", "surrogatepass") for line in lines)


def _look(real: Sequence[str], said: Sequence[str], grade: Grade) -> Callable[[str], str]:
    """How lines of the quotation and new lines are compared: exactly, but for lines that were misquoted.

    A new line that only looks like a misquoted one is that line, which is kept as the file has it.
    """
    signs = grade is Grade.UNICODE

    def bare(line: str) -> str:
        return fold(line).rstrip() if signs else line.rstrip()

    misquoted = {
        bare(one)
        for one, other in zip(said, real, strict=True)
        if (one.strip() != other.strip() if signs else one != other)
    }
    if grade is Grade.EXACT or not misquoted:
        return str
    return lambda line: bare(line) if bare(line) in misquoted else line


def _signed(
    lines: Sequence[str], start: int, end: int, said: Sequence[str], real: Sequence[str]
) -> list[str]:
    """New lines in the place of `said[start:end]` with the file's own signs where the model only mistook them."""
    pairs = [(one.strip(), other.strip()) for one, other in zip(said, real, strict=True)]
    table = learned(pairs)
    if len(lines) != end - start:
        return [line.translate(table) for line in lines]
    signed = []
    for index, line in enumerate(lines):
        one, other = said[start + index].strip(), real[start + index].strip()
        body = keep_signs(one, other, line.strip(), table)
        signed.append(lead(line) + body + line[len(line.rstrip()) :])
    return signed
