"""Programs are run without a shell, are killed with all their children, and cannot flood us."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.io.process import ProgramMissing, Pump, run
from agent.ports import Cancel

ENV = {"PATH": os.environ["PATH"]}


def python(code: str, *more: str) -> list[str]:
    return [sys.executable, "-c", code, *more]


def test_input_output_and_status_come_back_as_bytes(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1]); sys.stderr.write('e'); sys.exit(3)"
    ran = run(python(code), cwd=tmp_path, env=ENV, stdin=b"\xff\x00a")
    assert (ran.status, ran.stdout, ran.stderr) == (3, b"a\x00\xff", b"e")


def test_nothing_is_interpreted_by_a_shell(tmp_path: Path) -> None:
    ran = run(python("import sys; print(sys.argv[1])", "$(touch x); *"), cwd=tmp_path, env=ENV)
    assert ran.stdout.strip() == b"$(touch x); *"
    assert not (tmp_path / "x").exists()


def test_only_the_given_environment_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    ran = run(python("import os; print('OPENAI_API_KEY' in os.environ)"), cwd=tmp_path, env=ENV)
    assert ran.stdout.strip() == b"False"


def test_output_beyond_the_cap_is_counted_and_dropped(tmp_path: Path) -> None:
    ran = run(python("print('x' * 100_000, end='')"), cwd=tmp_path, env=ENV, cap_bytes=10)
    assert (ran.stdout, ran.cut) == (b"x" * 10, 99_990)


def test_large_input_and_output_do_not_block_each_other(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    code = "import sys; d=sys.stdin.buffer.read(); sys.stdout.buffer.write(d); sys.stderr.buffer.write(d)"
    ran = run(python(code), cwd=tmp_path, env=ENV, stdin=data)
    assert ran.stdout == ran.stderr == data


def test_a_program_that_does_not_read_its_input_is_no_error(tmp_path: Path) -> None:
    assert run(python("pass"), cwd=tmp_path, env=ENV, stdin=b"x" * 1_000_000).status == 0


GRANDCHILD = (
    "import os, sys, time\n"
    "if os.fork() == 0:\n"
    "    time.sleep(1.2); open('late', 'w').close(); os._exit(0)\n"
    "time.sleep(30)"
)


def test_a_timeout_kills_the_children_too(tmp_path: Path) -> None:
    ran = run(python(GRANDCHILD), cwd=tmp_path, env=ENV, timeout_seconds=0.4)
    assert ran.timed_out
    assert ran.seconds < 5
    time.sleep(1.2)
    assert not (tmp_path / "late").exists()


def test_cancel_from_another_thread_ends_it_at_once(tmp_path: Path) -> None:
    cancel = Cancel()
    threading.Timer(0.3, cancel.cancel).start()
    ran = run(python("import time; time.sleep(30)"), cwd=tmp_path, env=ENV, cancel=cancel)
    assert ran.cancelled
    assert ran.seconds < 5


def test_a_missing_program_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissing) as caught:
        run(["no-such-program-here"], cwd=tmp_path, env=ENV)
    assert "installed" in caught.value.hint


def test_a_missing_folder_is_said_and_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissing, match="there is no such folder") as caught:
        run([sys.executable, "--version"], cwd=tmp_path / "gone", env=ENV)
    assert "installed" not in caught.value.hint


def test_output_that_something_else_still_holds_is_not_waited_for(tmp_path: Path) -> None:
    code = "import os, time\nos.write(1, b'one')\nif os.fork() == 0: os.setsid(); time.sleep(2)"
    ran = run(python(code), cwd=tmp_path, env=ENV)
    assert (ran.status, ran.stdout, ran.partial) == (0, b"one", False)
    assert ran.seconds < 1.8


def test_what_a_program_left_behind_is_not_heard_to_its_end(tmp_path: Path) -> None:
    code = "import os\nos.write(1, b'one')\nif os.fork() == 0:\n os.setsid()\n while True: os.write(1, b'x' * 65536)"
    ran = run(python(code), cwd=tmp_path, env=ENV, cap_bytes=3)
    assert ran.stdout == b"one"
    assert ran.seconds < 5


class Late(Pump):
    """Has no turn for a while, as when another thread holds the interpreter."""

    def run(self) -> None:
        time.sleep(1.2)
        super().run()


def test_output_that_came_is_read_to_its_end_however_late() -> None:
    read, write = os.pipe()
    os.write(write, b"x" * 60_000)
    os.close(write)
    pump = Late(os.fdopen(read, "rb", buffering=0), 1 << 20)
    assert pump.bytes() == b"x" * 60_000
    assert not pump.partial
