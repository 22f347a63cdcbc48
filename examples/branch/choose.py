"""Reads the document of `copair review --json`, writes a line for `--decide` for each chunk that may be taken.

What a person should look at is left undecided: what copair calls risky, and tests that go away. The rest is taken,
as long as everything that it needs and uses is taken too.
"""

import json
import sys


def loses_a_test(chunk):
    return any(line.startswith("-def test_") for line in chunk["diff"].split("\n"))


def before(chunk):
    return {*chunk["needs"], *(use["chunk"] for use in chunk["uses"])}


taken = set()
for chunk in json.load(sys.stdin)["chunks"]:
    if chunk["present"]:
        taken.add(chunk["id"])
    elif before(chunk) <= taken and chunk["risk"] != "high" and not loses_a_test(chunk):
        taken.add(chunk["id"])
        print(json.dumps({"chunk": chunk["id"], "verdict": "approve"}))
    else:
        print("left to you:", chunk["title"], file=sys.stderr)
