"""All benchmarks by one command: `python -m tests.benchmarks [NAME…]`. Ends with 1 when a limit is passed.

A module here takes part when it has `run`, which gives rows of a name, what was measured, and the most that it may be.
Modules without it want arguments of their own, and are named.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main(wanted: list[str]) -> int:
    """Run the wanted modules (all when none is named) and print a line for each row."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    missed = 0
    for name in wanted or names:
        module = import_module(f"tests.benchmarks.{name}")
        if not hasattr(module, "run"):
            print(f"   --                      {name}: run it by itself, see its head")
            continue
        for row, value, limit in module.run():
            missed += value > limit
            word = "ok  " if value <= limit else "MISS"
            print(f"{word} {value:10.3f}  limit {limit:<8g}  {name}: {row}", flush=True)
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
