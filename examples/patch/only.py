"""Approves the chunks of a `copair review --json` document that touch nothing but the files named as arguments."""

import json
import sys

for chunk in json.load(sys.stdin)["chunks"]:
    if set(chunk["paths"]) <= set(sys.argv[1:]):
        print(json.dumps({"chunk": chunk["id"], "verdict": "approve"}))
