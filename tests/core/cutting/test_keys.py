"""Chunks of files of nested keys are called by the keys that they stand below."""

from __future__ import annotations

import pytest

from agent.core.cutting.cut import cut
from agent.core.cutting.keys import around
from agent.core.hunk import FileState, Mode

WORKFLOW = """\
on:
  push:
    branches: [main]
jobs:
  lint:
    steps:
      - uses: checkout@v3
      - name: Lint
        run: |
          ruff check .
  # the tests
  test:
    env: {A: 1}
    steps:
    - uses: checkout@v3
    - with:
        "python-version": 3.9
"""
PACKAGE = '{\n  "name": "x",\n  "scripts": {\n    "build": "tsc",\n    "test": "jest"\n  },\n  "@a/b": [\n    "c"\n  ]\n}\n'


def lines(text: str) -> tuple[bytes, ...]:
    return tuple(text.encode().splitlines(keepends=True))


@pytest.mark.parametrize(
    ("text", "line", "keys"),
    [
        (WORKFLOW, "    branches", "on push branches"),
        (WORKFLOW, "      - name: Lint", "jobs lint steps name"),
        (WORKFLOW, "          ruff", "jobs lint steps run"),
        (WORKFLOW, "    - with", "jobs test steps with"),
        (WORKFLOW, '        "python', "jobs test steps with python-version"),
        (PACKAGE, '    "test"', "scripts test"),
        (PACKAGE, '    "c"', "@a/b"),
        (PACKAGE, "  },", "scripts"),
        (PACKAGE, "{", ""),
        ("  deep: 1\n", "  deep", "deep"),
        ("no keys: here, only: words\n\ttab: x\n", "no", ""),
    ],
)
def test_the_keys_around_a_line(text: str, line: str, keys: str) -> None:
    found = lines(text)
    at = next(at for at, own in enumerate(found) if own.startswith(line.encode()))
    assert around(found, at) == tuple(keys.split())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_chunk_is_called_by_the_keys_that_all_of_it_stands_below(end: str) -> None:
    def titles(path: str, old: str, new: str) -> list[str]:
        before, after = (FileState(Mode.FILE, text.replace("\n", end).encode()) for text in (old, new))
        return [chunk.title for chunk in cut({path: before}, {path: after})]

    assert titles("ci.yml", WORKFLOW, WORKFLOW.replace("3.9", "3.12")) == ["jobs.test.steps: 2 lines"]
    assert titles("ci.yml", WORKFLOW, WORKFLOW.replace("{A: 1}", "{A: 2}").replace("3.9", "3.12")) == [
        "jobs.test: 4 lines"
    ]
    assert titles("ci.yaml", WORKFLOW, WORKFLOW.replace("[main]", "[a]").replace("@v3", "@v4")) == [
        "on.push.branches: 2 lines",
        "jobs: 4 lines",
    ]
    without = WORKFLOW[: WORKFLOW.index("  # the")]
    assert titles("ci.yml", WORKFLOW, without) == ["jobs: 7 lines"]
    assert titles("package.json", PACKAGE, PACKAGE.replace("tsc", "swc")) == ["scripts.build: 2 lines"]
    assert titles("package.json", PACKAGE, PACKAGE.replace('"x"', '"y"').replace("tsc", "swc")) == [
        "package.json: 4 lines"
    ]
