"""Runs the real command line in a process of its own, without a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def copair(
    folder: Path, *arguments: str, stdin: str = "", seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """`copair ARGUMENTS` in `folder`; standard input is `stdin` and then its end."""
    return subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        env=None,
    )


def copair_applies(folder: Path, sentence: str) -> subprocess.CompletedProcess[str]:
    """A session on a pipe that says yes to the first card, by the digest that it names, and ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "agent", sentence],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if line.startswith("To apply type: "):
                process.stdin.write(line.removeprefix("To apply type: "))
                process.stdin.flush()
                break
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess([], process.returncode, seen + out, err)
