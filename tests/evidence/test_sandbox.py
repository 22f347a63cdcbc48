"""Hostile checks, as root and as an ordinary user: nothing outside is written, reached, read or left running."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from agent.evidence.runs.run import Ending, Finished, Limits, supervise
from agent.evidence.runs.sandbox import Isolation, Rooms, Sandbox, probe, profile
from agent.evidence.runs.toolchain import Toolchain, environment, resolve
from agent.ports import Cancel

PYTHON = "/usr/bin/python3"
NOBODY = 65534
needs_bwrap = pytest.mark.usefixtures("bwrap")


@pytest.fixture
def bwrap() -> None:
    """The suite's machine must have bubblewrap: without it these promises are not shown."""
    assert shutil.which("bwrap"), "install bubblewrap to run the sandbox tests"


@pytest.fixture
def rooms() -> Iterator[Rooms]:
    """Rooms that an ordinary user can reach and own."""
    base = Path(tempfile.mkdtemp(dir="/tmp"))
    for name in ("real/.git", "tree", "exchange", "ours", "home"):
        (base / name).mkdir(parents=True)
    (base / "real" / ".git" / "config").write_text("[core]\n")
    (base / "real" / "a.py").write_text("real\n")
    (base / "tree" / "a.py").write_text("copy\n")
    (base / "home" / "secret").write_text("secret\n")
    for path in [base, *base.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    yield Rooms(
        base / "real", base / "tree", base / "exchange", base / "ours", git_folders=(base / "real" / ".git",)
    )
    shutil.rmtree(base)


def as_nobody(work: Callable[[], Finished], home: str) -> Finished:
    """Do `work` in a child process that is an ordinary user."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.environ["HOME"] = home
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(write, msgspec.json.encode(work()))
            status = 0
        finally:
            sys.stderr.write(traceback.format_exc())
            os._exit(status)
    os.close(write)
    with open(read, "rb") as file:
        data = file.read()
    assert os.waitpid(pid, 0)[1] == 0
    return msgspec.json.decode(data, type=Finished)


def run(rooms: Rooms, code: str, seconds: float = 10, **limits: int) -> Finished:
    sandbox = probe(rooms)
    assert sandbox.isolation is Isolation.FULL
    chain = resolve(PYTHON, rooms.root, "/usr/bin:/bin")
    assert chain is not None
    env = environment(rooms.root, {"PATH": "/usr/bin:/bin"}, chain)
    return supervise(
        sandbox.launch([PYTHON, "-c", code], env, rooms, chain), Limits(seconds=seconds, **limits)
    )


@pytest.fixture(params=["as whoever runs the suite", "as an ordinary user"])
def check(request: pytest.FixtureRequest, rooms: Rooms, bwrap: None) -> Callable[..., Finished]:
    def hostile(code: str, **limits: int) -> Finished:
        if "ordinary" in request.param and os.getuid() == 0:
            return as_nobody(lambda: run(rooms, code, **limits), str(rooms.root.parent / "home"))
        return run(rooms, code, **limits)

    return hostile


def test_it_sees_the_copy_at_the_real_path_and_may_write_there(
    check: Callable[..., Finished], rooms: Rooms
) -> None:
    ran = check("import os; print(os.getcwd(), open('a.py').read()); open('new', 'w').write('x')")
    assert ran.output.decode() == f"{rooms.root} copy\n\n"
    assert (rooms.tree / "new").exists()
    assert (rooms.root / "a.py").read_text() == "real\n"
    assert not (rooms.root / "new").exists()


def test_it_cannot_write_anywhere_else(check: Callable[..., Finished], rooms: Rooms) -> None:
    places = [
        f"{rooms.root}/.git/config",
        "/etc/passwd",
        "/usr/bin/x",
        "/var/x",
        "/opt/x",
        f"{rooms.root.parent}/x",
        "/x",
    ]
    code = (
        "import os\n"
        f"for place in {places!r}:\n"
        "    try:\n        open(place, 'a').write('x'); print('wrote', place)\n"
        "    except OSError: pass\n"
        f"try: os.rename('{rooms.root}/.git', '{rooms.root}/.was')\n"
        "except OSError: print('kept')\n"
    )
    before = Path("/etc/passwd").read_bytes()
    ran = check(code)
    assert [
        line for line in ran.output.decode().split("\n") if line.startswith("wrote /") and "/tmp/" not in line
    ] == []
    assert "kept" in ran.output.decode()
    assert (rooms.root / ".git" / "config").read_text() == "[core]\n"
    assert Path("/etc/passwd").read_bytes() == before
    assert not (rooms.root.parent / "x").exists()


def test_it_reads_no_home_and_no_password_file(check: Callable[..., Finished], rooms: Rooms) -> None:
    Path.home().joinpath("secret").write_text("from the home")
    places = [
        str(Path.home() / "secret"),
        str(rooms.root.parent / "home" / "secret"),
        "/etc/shadow",
        "/root/.bashrc",
    ]
    ran = check(
        f"for place in {places!r}:\n    try: print('read', open(place).read())\n    except OSError: pass"
    )
    assert ran.output.decode().replace("read \n", "") == ""


def test_it_reaches_no_network_and_no_socket(check: Callable[..., Finished], rooms: Rooms) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as unix:
        unix.bind("\0copair-test-abstract")
        unix.listen()
        code = (
            "import socket\n"
            f"inet = (socket.AF_INET, ('127.0.0.1', {server.getsockname()[1]}))\n"
            "unix = (socket.AF_UNIX, '\\0copair-test-abstract')\n"
            "for family, place in (inet, unix):\n"
            "    try: socket.socket(family).connect(place); print('connected')\n"
            "    except OSError: print('no')\n"
            "print(len(open('/proc/net/dev').readlines()) - 2)"
        )
        assert check(code).output.decode().split() == ["no", "no", "1"]


def test_it_does_not_outlive_its_end(check: Callable[..., Finished], rooms: Rooms) -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.setsid()\n    os.closerange(0, 3)\n    if os.fork() == 0:\n        time.sleep(0.5)\n"
        "        open('late', 'w')\n    os._exit(0)\n"
    )
    assert check(code).ending is Ending.EXITED
    time.sleep(0.8)
    assert not (rooms.tree / "late").exists()


def test_it_does_not_outlive_its_time(check: Callable[..., Finished]) -> None:
    began = time.monotonic()
    ran = check(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", seconds=1
    )
    assert ran.ending is Ending.TIMED_OUT
    assert time.monotonic() - began < 5


def test_a_fork_bomb_is_bounded(check: Callable[..., Finished]) -> None:
    # Bounded by itself too, so that a broken sandbox fails this test and not the machine.
    code = (
        "import os, time\nfor _ in range(10):\n    try: os.fork()\n    except OSError: pass\ntime.sleep(20)"
    )
    assert check(code, processes=50, seconds=2).ending in (Ending.TOO_MANY, Ending.TIMED_OUT)


def test_without_a_sandbox_too_many_processes_are_seen_and_ended(rooms: Rooms) -> None:
    code = "import os, time\nfor _ in range(6): os.fork()\ntime.sleep(20)"
    chain = resolve(PYTHON, rooms.root, "/usr/bin:/bin")
    assert chain is not None
    launch = Sandbox(Isolation.NONE, None).launch([PYTHON, "-c", code], {}, rooms, chain)
    assert supervise(launch, Limits(seconds=10, processes=10)).ending is Ending.TOO_MANY


def test_without_a_sandbox_the_kernel_holds_them_too(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.evidence.runs.head.SPARE", -100)
    code = "import os, time\nfor _ in range(8):\n    try: os.fork()\n    except OSError: pass\ntime.sleep(1)"
    chain = resolve(PYTHON, rooms.root, "/usr/bin:/bin")
    assert chain is not None
    launch = Sandbox(Isolation.NONE, None).launch([PYTHON, "-c", code], {}, rooms, chain)
    assert supervise(launch, Limits(seconds=10, processes=200)).ending is Ending.EXITED


def test_the_kernel_itself_holds_the_number_of_processes(
    check: Callable[..., Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control group (root) or a resource limit (others) holds even if nobody looks."""
    monkeypatch.setattr("agent.evidence.runs.head.SPARE", -100)
    code = (
        "import os, time\nmade = 0\n"
        "for _ in range(200):\n"
        "    try:\n        pid = os.fork()\n    except OSError:\n        break\n"
        "    if pid == 0:\n        time.sleep(2)\n        os._exit(0)\n    made += 1\n"
        "print(made)"
    )
    ran = check(code, processes=200)
    assert ran.ending is Ending.EXITED
    assert 50 < int(ran.output) <= 101


def test_a_flood_of_output_costs_no_memory(check: Callable[..., Finished]) -> None:
    ran = check(
        "import os\nfor _ in range(200): os.write(1, b'x' * 65536)\nprint('end')", output_bytes=10_000
    )
    assert len(ran.output) < 11_000
    assert ran.output.endswith(b"end\n")


def test_a_file_has_a_limit(check: Callable[..., Finished], rooms: Rooms) -> None:
    check("f = open('big', 'wb')\nfor _ in range(100): f.write(b'x' * 1000_000)", file_bytes=5_000_000)
    assert (rooms.tree / "big").stat().st_size <= 5_000_000


def test_it_has_no_privileges_and_cannot_make_a_namespace(check: Callable[..., Finished]) -> None:
    code = (
        "import ctypes, os\n"
        "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('CapEff')][0])\n"
        "print(ctypes.CDLL(None).unshare(0x10000000))\n"
        "print(sorted(n for n in os.environ if n not in ('PATH', 'HOME', 'PWD', 'TERM')))"
    )
    caps, unshared, names = check(code).output.decode().strip().split("\n")
    assert int(caps, 16) == 0
    assert unshared == "-1"
    assert "KEY" not in names


def test_keys_of_the_person_are_not_passed_on(rooms: Rooms) -> None:
    chain = resolve(PYTHON, rooms.root, "/usr/bin")
    assert chain is not None
    env = environment(rooms.root, {"OPENAI_API_KEY": "sk-1", "SSH_AUTH_SOCK": "/x", "LANG": "C"}, chain)
    assert env["LANG"] == "C"
    assert not {"OPENAI_API_KEY", "SSH_AUTH_SOCK"} & set(env)


def test_a_cancelled_check_is_ended(rooms: Rooms, bwrap: None) -> None:
    cancel = Cancel()
    cancel.cancel()
    chain = resolve(PYTHON, rooms.root, "/usr/bin:/bin")
    assert chain is not None
    launch = probe(rooms).launch([PYTHON, "-c", "import time; time.sleep(60)"], {}, rooms, chain)
    assert supervise(launch, Limits(), cancel).ending is Ending.CANCELLED


def test_without_bubblewrap_it_says_none(rooms: Rooms, tmp_path: Path) -> None:
    assert probe(rooms, path=str(tmp_path)).isolation is Isolation.NONE


def test_a_bubblewrap_that_does_not_work_is_not_believed(rooms: Rooms, tmp_path: Path) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "bwrap").chmod(0o755)
    assert probe(rooms, path=str(tmp_path)).isolation is Isolation.NONE


def test_where_the_network_cannot_be_cut_off_it_says_files_only(
    rooms: Rooms, tmp_path: Path, bwrap: None
) -> None:
    (tmp_path / "bwrap").write_text(
        f'#!/bin/sh\ncase "$*" in *--share-net*) exec {shutil.which("bwrap")} "$@";; esac\nexit 1\n'
    )
    (tmp_path / "bwrap").chmod(0o755)
    assert probe(rooms, path=str(tmp_path)).isolation is Isolation.FILES_ONLY


def test_what_leaves_its_group_is_ended_also_without_a_sandbox(rooms: Rooms) -> None:
    code = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(0.7)\n    open('late', 'w')"
    chain = resolve(PYTHON, rooms.root, "/usr/bin:/bin")
    assert chain is not None
    supervise(Sandbox(Isolation.NONE, None).launch([PYTHON, "-c", code], {}, rooms, chain), Limits(seconds=5))
    time.sleep(1)
    assert not (rooms.tree / "late").exists()


def test_a_program_that_is_another_one_inside_is_named(rooms: Rooms, bwrap: None) -> None:
    tool = rooms.root.parent / "home" / "tool"
    shutil.copy("/usr/bin/env", tool)
    chain = Toolchain(str(tool), (), (tool,))
    assert probe(rooms).differing(rooms, chain) == str(tool)
    assert probe(rooms).differing(rooms, Toolchain(str(tool), (tool,), (tool,))) == ""


def test_the_interpreter_of_an_environment_in_a_hidden_home_is_the_same_inside(
    rooms: Rooms, bwrap: None
) -> None:
    chain = resolve(sys.executable, rooms.root, "/usr/bin:/bin")
    assert chain is not None
    sandbox = probe(rooms)
    assert sandbox.differing(rooms, chain) == ""
    launch = sandbox.launch(
        [sys.executable, "-c", "import sys, msgspec; print(sys.prefix)"], {}, rooms, chain
    )
    assert supervise(launch, Limits(seconds=10)).output.decode().strip() == sys.prefix


def test_the_profile_for_macos_denies_the_network_and_names_the_tree(rooms: Rooms) -> None:
    text = profile(rooms, Toolchain("/usr/bin/true", (), ()))
    assert "(deny network*)" in text
    assert f'(subpath "{rooms.tree}")' in text
