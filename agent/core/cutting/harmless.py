"""Changes of lines that a file parses with as it does without them, told by the signs of the lines alone.

No proof, but as good as one, and a hundred times quicker than to parse. Only for differences with so many hunks that
not every file of them can be parsed.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.hunk import Hunk

_NO_SIGNS = bytes(code for code in range(256) if code not in b"()[]{}<>\"'`\\/*#:;,")
_NO_PAIRS = bytes(code for code in range(256) if code not in b"()[]{}\"'`")
_PAIRED = (
    b"",
    b"()",
    b"[]",
    b"{}",
    b'""',
    b"''",
    b"()()",
    b"([])",
    b"(())",
    b"()[]",
    b"[]()",
    b'("")',
    b"('')",
)
_BOUND = (
    b"@",
    b"#",
    b"el",
    b"except",
    b"finally",
    b"catch",
    b"case",
    b"default",
    b".",
    b"?",
    b"|",
    b"&",
    b"+",
    b"-",
)
"""With these begins what belongs to the line above or below, or is for a preprocessor."""


def is_harmless(hunk: Hunk) -> bool:
    """True when each line stays a line of its kind, or whole statements of one line come or go."""
    if len(hunk.old) == len(hunk.new):
        return all(map(_alike, hunk.old, hunk.new))
    return _are_statements(hunk.old or hunk.new) if not (hunk.old and hunk.new) else False


def _alike(one: bytes, other: bytes) -> bool:
    """The same indentation and the same signs; or both are whole in themselves and end in the same way."""
    margin = len(one) - len(one.lstrip())
    if one[:margin] != other[:margin] or other[margin : margin + 1].isspace():
        return False
    if one.translate(None, _NO_SIGNS) == other.translate(None, _NO_SIGNS):
        return True
    return _is_whole(one) and _is_whole(other) and _end(one) == _end(other)


def _are_statements(lines: Sequence[bytes]) -> bool:
    margin = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    return all(_is_statement(line, margin) for line in lines)


def _is_statement(line: bytes, margin: bytes) -> bool:
    """True when it has this indentation, and neither belongs to another line nor goes on."""
    body = line.lstrip()
    end = body.rstrip()[-1:]
    return (
        line == margin + body
        and not body.startswith(_BOUND)
        and (end.isalnum() or end in (b")", b";", b"]"))
        and _is_whole(line)
    )


def _is_whole(line: bytes) -> bool:
    """True when no bracket and no string goes on beyond this line, as far as a glance tells."""
    return line.translate(None, _NO_PAIRS) in _PAIRED and b"/*" not in line and b"*/" not in line


def _end(line: bytes) -> bytes:
    """What tells whether the next line belongs to it: nothing behind a name, a number or a closing bracket."""
    last = line.rstrip()[-1:]
    return b"" if last.isalnum() or last in b")]}\"'" else last
