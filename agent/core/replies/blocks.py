"""Search/replace blocks in all the spellings that models use.

`<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE` with five to nine signs, also `ORIGINAL`/`UPDATED`, and the
`------- SEARCH`, `+++++++ REPLACE` of others. A block without its end is an error of that block.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_HEAD = re.compile(r" {0,3}(?:(<{5,9})|(-{5,9}))\s*(SEARCH|ORIGINAL|HEAD|OLD|FIND|BEFORE)?\b(.*)$")
_MIDDLE = re.compile(r" {0,3}(={5,9})\s*$")
_TAIL = re.compile(r" {0,3}(?:>{5,9}|\+{5,9})\s*(REPLACE|UPDATED|UPDATE|NEW|AFTER)?\b.*$")
_TAIL_BARE = re.compile(r" {0,3}>{5,9}\s*$")


class Block(msgspec.Struct, frozen=True):
    """Old and new text, each line ended by a newline; `next` is the index of the line behind the block."""

    old: str
    new: str
    next: int


class BadBlock(msgspec.Struct, frozen=True):
    """A block that cannot be read, why, and where to go on."""

    reason: str
    next: int


def is_head(line: str) -> bool:
    """True for the line that opens a block."""
    match = _HEAD.match(line)
    if match is None:
        return False
    if match[2]:
        return match[3] is not None
    return match[3] is not None or not match[4].strip()


def is_tail(line: str) -> bool:
    match = _TAIL.match(line)
    return (match is not None and match[1] is not None) or _TAIL_BARE.match(line) is not None


def read_block(lines: Sequence[str], at: int) -> Block | BadBlock:
    """The block whose opening line is `lines[at]`. Behind eight or more signs, shorter markers are content."""
    least = 8 if _signs(lines[at]) >= 8 else 5
    start = at + 1
    middles: list[int] = []
    for index in range(start, len(lines)):
        line = lines[index]
        if _signs(line) < least:
            continue
        if _MIDDLE.match(line):
            middles.append(index)
        elif is_head(line):
            return BadBlock("a block has no `>>>>>>> REPLACE` before the next one starts", index)
        elif middles and is_tail(line):
            return _split(lines, start, middles, index)
    return BadBlock("the last block has no `>>>>>>> REPLACE`: the reply is cut off", len(lines))


def _signs(line: str) -> int:
    """How many equal signs the line starts with."""
    text = line.lstrip()
    return len(text) - len(text.lstrip(text[:1])) if text else 0


def _split(lines: Sequence[str], start: int, middles: list[int], end: int) -> Block | BadBlock:
    following = end + 1
    if len(middles) > 1:
        middles = [index for index in middles if _signs(lines[index]) == _signs(lines[start - 1])]
    if len(middles) > 1:
        middles = [index for index in middles if not _underlines(lines, index)]
    if len(middles) == 2 and not any(line.strip() for line in lines[middles[1] + 1 : end]):
        # Some models write the divider once more before the end of the block.
        end, middles = middles[1], middles[:1]
    if len(middles) != 1:
        return BadBlock(
            "a block has several `=======` lines; where the text itself has one, write all three markers with "
            "nine signs",
            following,
        )
    old, new = lines[start : middles[0]], lines[middles[0] + 1 : end]
    return Block(_joined(old), _joined(new), following)


def _underlines(lines: Sequence[str], at: int) -> bool:
    """True when the line of `=` is as long as a title above it would need."""
    return 0 < len(lines[at - 1].strip()) <= len(lines[at].strip())


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
