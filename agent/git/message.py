"""Puts the trailer that names the helper at the end of a commit message. The words are made in `core/message.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.core.errors import GitFailed
from agent.git.command import as_variables, execute, failed


def add_trailer(message: str, trailer: str, *, folder: Path, env: Mapping[str, str]) -> bytes:
    """`message` with `trailer` at its end, as git does it. Raises GitFailed.

    Run outside every repository and without configuration: `trailer.NAME.command` there would be run.
    """
    alone = {name: value for name, value in env.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
    alone |= {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        # No line is a comment: the trailer goes behind all of them.
        **as_variables([("core.commentChar", "\x01")]),
    }
    argv = ["interpret-trailers", "--no-divider", "--trailer", trailer]
    ran = execute(argv, cwd=folder, env=alone, stdin=message.encode("utf-8", "replace"))
    if ran.status:
        raise GitFailed(failed("interpret-trailers", ran).message, stderr=ran.stderr, status=ran.status)
    return ran.stdout
