"""Signals that are passed on to a program that runs for the person."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.io.signals import forwarded, pass_on

pytestmark = pytest.mark.timeout(20)
PROGRAM = """
import os, pathlib, signal, sys, time
hits = pathlib.Path(sys.argv[1])

def hit(*_):
    with hits.open("a") as file:
        file.write("x")
    time.sleep(0.1)
    os._exit(3)

signal.signal(signal.SIGINT, hit)
hits.touch()
time.sleep(15)
"""


@pytest.mark.parametrize("by_terminal", [False, True])
def test_a_program_is_hit_once_by_us_or_by_the_terminal(tmp_path: Path, by_terminal: bool) -> None:
    """It may be putting back what it has put aside of the person's work."""
    hits = tmp_path / "hits"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(hits)]) as program:
        while not hits.exists():
            time.sleep(0.01)
        with forwarded(program):
            if by_terminal:
                program.send_signal(signal.SIGINT)
                while not hits.read_text():
                    time.sleep(0.01)
            pass_on(signal.SIGINT)
            status = program.wait()
    assert (status, hits.read_text()) == (3, "x")
