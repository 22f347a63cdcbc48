"""The first prompt: there at once, and every byte typed meanwhile reaches the line editor."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
import time

import pytest

from agent.ui.early import Early, shown


def read_until(fd: int, wanted: bytes) -> bytes:
    seen = b""
    end = time.monotonic() + 10
    while wanted not in seen and time.monotonic() < end:
        seen += os.read(fd, 4096)
    return seen


def test_it_shows_and_keeps_what_is_typed_and_gives_the_terminal_back() -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    early = Early(slave, slave)
    assert "› ".encode() in read_until(master, b"\x1b[K")
    os.write(master, "fix thé tests\r\x1b[A\x03".encode())
    read_until(master, "thé tests".encode())
    time.sleep(0.05)
    assert not termios.tcgetattr(slave)[3] & termios.ECHO
    assert early.take() == "fix thé tests\r\x1b[A\x03".encode()
    assert termios.tcgetattr(slave) == before
    early.restore()
    assert early.take() == "fix thé tests\r\x1b[A\x03".encode()
    os.close(master)
    os.close(slave)


def test_a_line_is_told_above_what_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    master, slave = os.openpty()
    early = Early(slave, slave)
    os.write(master, b"fix")
    read_until(master, b"fix")
    early.tell("a line")
    assert capsys.readouterr().err == "a line\n"
    seen = read_until(master, b"fix")
    assert seen.index(b"\r\x1b[J") < seen.index("› ".encode()) < seen.index(b"fix")
    early.restore()
    os.close(master)
    os.close(slave)


def test_an_error_instead_of_a_prompt_leaves_a_clean_line() -> None:
    master, slave = os.openpty()
    early = Early(slave, slave)
    read_until(master, b"\x1b[K")
    early.restore()
    assert os.read(master, 100).endswith(b"\r\x1b[J")
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (b"hello", "hello"),
        (b"helo\x7fo", "helo"),
        (b"one\rtwo", "one"),
        (b"a\x1b[A", "a"),
        ("größe 日本".encode(), "größe 日本"),
        (b"half " + "é".encode()[:1], "half "),
        ("\u202eevil".encode(), ""),
        (b"x" * 200, "x" * 77),
    ],
)
def test_only_printing_text_is_shown_early(typed: bytes, text: str) -> None:
    assert shown(typed, 80) == text


def test_it_needs_the_standard_library_only() -> None:
    code = (
        "import sys; before = set(sys.modules); import agent.ui.early; new = set(sys.modules) - before;"
        "print(sorted(n for n in new if n.split('.')[0] not in {*sys.stdlib_module_names, 'agent'}),"
        " len(new) < 25)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[] True\n"


UP_TO_THE_PROMPT = """
import os
import sys

before = set(sys.modules)

class StopAtTheRest:
    def find_spec(self, name, path=None, target=None):
        if name == "agent.cli.entry":
            sys.stderr.write(" ".join({module.split(".")[0] for module in set(sys.modules) - before}))
            sys.stderr.flush()
            os._exit(7)  # at once: an interpreter that ends beside the thread of the early keys may crash

sys.argv = ["copair"]
sys.meta_path.insert(0, StopAtTheRest())
from agent.__main__ import main
main()
"""
HEAVY = {
    "asyncio",
    "subprocess",
    "email",
    "http",
    "inspect",
    "dataclasses",
    "json",
    "typing",
    "re",
    "pathlib",
}


def test_nothing_heavy_is_imported_before_the_prompt_is_drawn() -> None:
    master, slave = os.openpty()
    ran = subprocess.run(
        [sys.executable, "-c", UP_TO_THE_PROMPT],
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
        timeout=30,
    )
    assert ran.returncode == 7, ran.stderr
    assert "› ".encode() in read_until(master, "› ".encode())
    os.close(slave)
    os.close(master)
    loaded = set(ran.stderr.decode().split())
    assert loaded - set(sys.stdlib_module_names) == {"agent"}
    assert loaded & HEAVY == set()
