"""Commit messages from what the chunks say, with the trailer that names the helper. The person is the author.

A model's words are text: control characters go, and no line of them can become a `Signed-off-by`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.core.errors import GitFailed
from agent.git.command import execute, failed

SUBJECT_CHARS = 72
WIDTH = 72
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SIGN_OFF = re.compile(r"(?im)^\s*signed-off-by\s*:.*$")


def compose(parts: Sequence[tuple[str, str]]) -> str:
    """A message from (title, why) of each chunk: one chunk's own, or a list under the first title."""
    parts = [(_plain(title) or "Change", _plain(why)) for title, why in parts]
    subject = _subject(parts[0][0] if parts else "Change")
    if len(parts) <= 1:
        whole = "" if not parts or subject == parts[0][0] else parts[0][0]
        paragraphs = [whole, parts[0][1] if parts else ""]
        body = "\n\n".join(textwrap.fill(paragraph, WIDTH) for paragraph in paragraphs if paragraph)
    else:
        items = [f"{title}: {why}" if why else title for title, why in parts]
        body = "\n".join(
            textwrap.fill(item, WIDTH, initial_indent="- ", subsequent_indent="  ") for item in items
        )
    return f"{subject}\n\n{body}\n" if body else f"{subject}\n"


def _plain(text: str) -> str:
    return " ".join(CONTROL.sub("", SIGN_OFF.sub("", text)).split())


def _subject(title: str) -> str:
    return textwrap.shorten(title, SUBJECT_CHARS, placeholder="…")


def add_trailer(message: str, trailer: str, *, folder: Path, env: Mapping[str, str]) -> bytes:
    """`message` with `trailer` at its end, as git does it. Raises GitFailed.

    Run outside every repository and without configuration: `trailer.NAME.command` there would be run.
    """
    alone = {name: value for name, value in env.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
    alone |= {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }
    argv = ["interpret-trailers", "--trailer", trailer]
    ran = execute(argv, cwd=folder, env=alone, stdin=message.encode("utf-8", "replace"))
    if ran.status:
        raise GitFailed(failed("interpret-trailers", ran).message, stderr=ran.stderr, status=ran.status)
    return ran.stdout
