"""Edits as models write them, against what they should give: counts right, right but for blanks, refused, wrong.

    python -m tests.benchmarks.edits ROWS.jsonl

A row has `edit`, `format`, `path`, `before`, `expected` and `verdict` (`apply`, `apply or refuse`, `refuse`, or null
where nobody knows). Rightly refused counts as right. The rows are not part of the project.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.core.replies.reply import apply_edit


def judge(row: dict[str, Any]) -> str:
    """One word for what came of a row, and `unknown` where there is no truth."""
    got = apply_edit(row["edit"], row["format"], row["path"], row["before"])
    verdict, expected = row["verdict"], row["expected"]
    wanted = expected.encode("utf-8", "surrogatepass") if isinstance(expected, str) else expected
    refused = isinstance(got, tuple)
    if verdict is None:
        return "unknown, refused" if refused else "unknown, applied"
    if verdict == "refuse":
        return "right" if refused else "wrong"
    if refused:
        return "right" if verdict == "apply or refuse" else "refused"
    if got == wanted:
        return "right"
    blank = got is not None and wanted is not None and got.split() == wanted.split()
    return "right but for blanks" if blank else "wrong"


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def main(path_to_jsonl: str) -> Counter[str]:
    """Print the counts, and each row that is not right, and return the counts."""
    counts: Counter[str] = Counter()
    by_format: Counter[tuple[str, str]] = Counter()
    start = time.perf_counter()
    for row in rows(Path(path_to_jsonl)):
        result = judge(row)
        counts[result] += 1
        by_format[row["format"], result] += 1
        if result in ("refused", "wrong", "right but for blanks"):
            print(row["id"], row["format"], result)
    for (name, result), count in sorted(by_format.items()):
        print(f"{name:16} {result:22} {count}")
    print(f"{dict(counts)} in {time.perf_counter() - start:.1f} s")
    return counts


if __name__ == "__main__":
    main(sys.argv[1])
