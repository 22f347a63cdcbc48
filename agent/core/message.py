"""The message of a commit from the chunks that are in it: what was decided, in the words it was decided by.

A model's words are text: they are clean, no comment of git, and none of them can become a `Signed-off-by`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from agent.core.chunk import Chunk
from agent.core.clean import clean

SUBJECT_CHARS = 72
SIZE = re.compile(r": \d+ lines?$")
"""What a title that no model made says of the size; `git log --stat` says it too."""

SIGN_OFF = re.compile(r"signed-off-by\s*:[^\n]*", re.IGNORECASE)


def commit_message(chunks: Sequence[Chunk]) -> str:
    """One chunk: its title and why. Several: what they serve, or their number, and a paragraph each."""
    if len(chunks) == 1:
        return _whole(_subject(chunks[0]), [_line(chunks[0].why)])
    serves = {_line(chunk.serves) for chunk in chunks}
    purpose = serves.pop() if len(serves) == 1 else ""
    paragraphs = [
        f"- {_line(chunk.title)}" + (f": {_line(chunk.why)}" if chunk.why else "") for chunk in chunks
    ]
    return _whole(purpose or f"{_subject(chunks[0])}, and {len(chunks) - 1} more", paragraphs)


def _subject(chunk: Chunk) -> str:
    return SIZE.sub("", _line(chunk.title))


def _line(text: str) -> str:
    """Clean text in one line; what begins with `#` is no comment for git, and nobody signs off in it."""
    return re.sub(r"\s+", " ", clean(SIGN_OFF.sub("", text))).strip().lstrip("#").strip()


def _whole(subject: str, paragraphs: Sequence[str]) -> str:
    head = textwrap.shorten(subject, SUBJECT_CHARS, placeholder=" …") or "Apply approved changes"
    body = [
        textwrap.fill(text, SUBJECT_CHARS, subsequent_indent="  " if text.startswith("- ") else "")
        for text in paragraphs
        if text
    ]
    if head != subject and subject:
        body = [textwrap.fill(subject, SUBJECT_CHARS), "", *body]
    return "\n".join([head, "", *body]).rstrip() + "\n"
