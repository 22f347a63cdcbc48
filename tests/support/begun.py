"""Sessions that were begun and ended at once, and which of them a work tree has."""

from __future__ import annotations

from pathlib import Path

from agent.core.dialog import Protocol
from agent.core.events import VERSION, Started
from agent.git.discover import discover
from agent.git.origin import note_origin
from agent.git.repo import Repo
from agent.git.worktrees import owns
from agent.io import journal
from agent.ports import Place


def begin(root: Path, session: str, *, is_old: bool = False, time: float = 0.0) -> None:
    """A session; as copair wrote it before work trees had names, when it `is_old`."""
    place = discover(root)
    with Repo(place) as repo:
        note_origin(repo)
    work_tree = "" if is_old else place.work_tree
    started = Started(VERSION, session, time, str(place.root), "", "", Protocol.TOOLS, work_tree=work_tree)
    with journal.Journal(place.state, session) as book:
        book.append(started)


def sessions_of(place: Place) -> list[str]:
    """As a command finds them."""
    found = journal.sessions(place.state)
    return sorted(info.id for info in found if owns(place, info.work_tree, info.root))
