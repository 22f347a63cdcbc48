"""A journal gives back every event as it was, survives a crash in any byte, and is written by one process."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.dialog import Protocol
from agent.core.errors import StateError
from agent.core.events import (
    VERSION,
    Committed,
    Ended,
    Event,
    Noted,
    Proposed,
    Resumed,
    Said,
    Started,
    StoredState,
    UndoRefused,
    Wrote,
)
from agent.io.journal import Journal, decode, encode, read, sessions
from agent.io.locks import Locked


def started(session: str, time: float = 1.0, version: int = VERSION) -> Started:
    return Started(version, session, time, "/r", "abc", "test/model", Protocol.TOOLS)


def write(state: Path, session: str, *events: Event) -> Path:
    with Journal(state, session) as journal:
        for event in events:
            journal.append(event, sync=True)
        return journal.path


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=40))
def test_any_text_survives_also_lone_surrogates_and_line_separators(text: str) -> None:
    event = Noted("info", text)
    line = encode(event)
    assert line.count(b"\n") == 1
    assert decode(line) == event


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    events: list[Event] = [
        started("s"),
        Said("hello", "hello", {"a\udcff.py": "d"}),
        Proposed("p", "c", (), {"f": StoredState(0o100644, "b"), "g": None}),
        Ended(2.0, "quit"),
    ]
    path = write(tmp_path, "s", *events)
    assert read(path) == events
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_cut_at_any_byte_of_the_last_line_loses_only_that_line(tmp_path: Path) -> None:
    path = write(tmp_path, "s", started("s"), Noted("info", "one"), Noted("info", "two"))
    whole = path.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    for cut in range(last, len(whole)):
        path.write_bytes(whole[:cut])
        assert read(path)[1:] == [Noted("info", "one")]
        with Journal(tmp_path, "s") as journal:
            journal.append(Noted("info", "three"))
        assert read(path)[1:] == [Noted("info", "one"), Noted("info", "three")]
    assert path.with_suffix(".torn").exists()


def test_damage_in_the_middle_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, "s", started("s"), Noted("info", "one"))
    path.write_bytes(path.read_bytes().replace(b'"noted"', b'"nosed"') + encode(Noted("info", "x")))
    with pytest.raises(StateError, match="line 2"):
        read(path)


def test_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "s", started("s", version=VERSION + 1))
    before = path.read_bytes()
    with pytest.raises(StateError, match="newer copair"):
        read(path)
    assert sessions(tmp_path) == []
    assert path.read_bytes() == before


def test_two_processes_do_not_write_one_session(tmp_path: Path) -> None:
    with Journal(tmp_path, "s"), pytest.raises(Locked):
        Journal(tmp_path, "s")
    Journal(tmp_path, "s").close()


def test_sessions_are_listed_newest_first_with_their_first_sentence(tmp_path: Path) -> None:
    write(tmp_path, "a", started("a", 1.0), Said("first\nthing", "x"), Said("later", "x"), Ended(2.0, "quit"))
    write(tmp_path, "b", started("b", 3.0))
    with Journal(tmp_path, "c") as journal:
        journal.append(started("c", 2.0))
        listed = sessions(tmp_path)
    assert [(s.id, s.first, s.ended, s.open, s.crashed) for s in listed] == [
        ("b", "", False, False, True),
        ("c", "", False, True, False),
        ("a", "first\nthing", True, False, False),
    ]


def test_resuming_after_the_end_opens_the_session_again(tmp_path: Path) -> None:
    write(tmp_path, "a", started("a"), Ended(2.0, "quit"))
    write(tmp_path, "a", Resumed(3.0, "m", Protocol.TOOLS), Noted("info", "x"))
    assert sessions(tmp_path)[0].crashed


def test_an_undo_after_the_end_does_not_make_the_session_look_crashed(tmp_path: Path) -> None:
    write(tmp_path, "a", started("a"), Ended(2.0, "quit"))
    write(tmp_path, "a", UndoRefused("1", "x"))
    assert sessions(tmp_path)[0].ended


def test_an_unreadable_session_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, "a", started("a"))
    (tmp_path / "sessions" / "bad.jsonl").write_text(json.dumps({"type": "no"}) + "\n")
    assert [s.id for s in sessions(tmp_path)] == ["a"]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Noted("info", "x"), "nothing was written to the repository"),
        (Wrote("c", "s.c.1", "d", ()), "what was just done in the repository stands"),
        (Committed(("c",), "0123", "x"), "what was just done in the repository stands"),
    ],
)
def test_a_full_disk_is_said_with_what_it_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: Event, words: str
) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal(tmp_path, "s") as journal:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(StateError) as raised:
            journal.append(event)
    assert raised.value.untouched == words


def test_a_lock_of_another_user_is_no_open_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "s", started("s"))
    lock = path.with_suffix(".lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()  # cannot be opened, as root's file cannot by us
    assert [info.open for info in sessions(tmp_path)] == [False]
