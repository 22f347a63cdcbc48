"""Patches are put onto files by their lines and numbers, in linear time however large the file and the patch are."""

from __future__ import annotations

import time

import pytest

from agent.core.hunk import FileState, Mode
from agent.core.patches.patch import Patch
from agent.core.patches.patch_apply import Changed, apply_to
from agent.core.patches.unified import parse

BLOCK = (b"  {\n", b"    a: 1,\n", b"    b: 2,\n", b"  },\n")
STEP = 40


@pytest.mark.parametrize("alike", [False, True], ids=["no two lines are alike", "blocks of lines repeat"])
def test_many_hunks_are_applied_in_linear_time(alike: bool) -> None:
    lines = [BLOCK[at % len(BLOCK)] if alike else b"line %d\n" % at for at in range(160_000)]
    wanted = list(lines)
    hunks = []
    for at in range(0, len(lines), STEP):
        head = b"@@ -%d,3 +%d,3 @@\n" % (at + 1, at + 1)
        hunks.append(head + b" " + lines[at] + b"-" + lines[at + 1] + b"+changed\n " + lines[at + 2])
        wanted[at + 1] = b"changed\n"
    patch = parse(b"diff --git a/f b/f\n--- a/f\n+++ b/f\n" + b"".join(hunks))
    assert isinstance(patch, Patch)
    start = time.process_time()
    changed = apply_to(patch.files[0], FileState(Mode.FILE, b"".join(lines)), lenient=False)
    assert time.process_time() - start < 2
    assert changed == Changed(FileState(Mode.FILE, b"".join(wanted)))
