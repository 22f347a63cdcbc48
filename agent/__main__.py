"""`copair`: draws the prompt at once when that is all that was asked for, and imports the rest behind it.

Nothing heavy is imported here; a test holds the list.
"""

from __future__ import annotations

import gc
import sys

GC_THRESHOLD = 100_000
"""A large diff is hundreds of thousands of small values without circles: looking for some cost a fifth of the time."""


INTERRUPTED = 130
"""As `Exit.INTERRUPTED`, which is not imported yet."""


def main() -> int:
    """The console script. Returns the exit code."""
    gc.set_threshold(GC_THRESHOLD, 50, 100)
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from agent import __version__

        sys.stdout.write(f"copair {__version__}\n")
        return 0
    if arguments in (["--help"], ["-h"]):
        from agent.cli.help import page

        sys.stdout.write(page())
        return 0
    early = None
    if not arguments and sys.stdin.isatty() and sys.stdout.isatty():
        from agent.ui.early import begin

        early = begin()
    try:
        from agent.cli.entry import enter
    except KeyboardInterrupt:
        if early is not None:
            early.restore()
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    try:
        return enter(arguments, early)
    finally:
        gc.freeze()  # what is left ends with the process: to look for circles in it takes longer than `git diff`


if __name__ == "__main__":
    sys.exit(main())
