"""Which work tree of a repository something in its state is about, wherever that work tree stands now.

All work trees of a repository share its state. Sessions and records name theirs by its folder in the common git
directory and the time of a file there that git writes once: moving the tree changes neither, and another one that gets
the name later differs. Sessions and records of older versions name only the path at which it stood.
"""

from __future__ import annotations

import os
from pathlib import Path

from agent.git.origin_note import noted
from agent.ports import MAIN, Place


def work_tree_name(git_dir: Path, common_dir: Path) -> str:
    """`main`, or `worktrees/NAME@TIME`, in nanoseconds, for a linked one."""
    if git_dir == common_dir:
        return MAIN
    return f"{Path(os.path.relpath(git_dir, common_dir)).as_posix()}@{_made(git_dir)}"


def owns(place: Place, work_tree: str, root: str) -> bool:
    """True when what was done in `work_tree`, which stood at `root`, is of the one at `place`."""
    is_here = root == str(place.root)
    if work_tree:
        # Removed and added again, or restored without times: known by its path.
        return work_tree == place.work_tree or (is_here and not _stands(place.common_dir, work_tree))
    if place.work_tree == MAIN:
        return is_here or _was_main(place, root)
    return is_here and not _was_main(place, root)


def _was_main(place: Place, root: str) -> bool:
    note = noted(place.state)
    return note is not None and root in note.roots


def _stands(common_dir: Path, work_tree: str) -> bool:
    folder, _, made = work_tree.rpartition("@")
    return work_tree == MAIN or _made(common_dir / folder) == made != ""


def _made(git_dir: Path) -> str:
    try:
        return str((git_dir / "commondir").lstat().st_mtime_ns)
    except OSError:
        return ""
