"""From arguments to an exit code: what is a command, what is a sentence, and the one handler of errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent.core.clean import clean
from agent.core.errors import CopairError, Exit

if TYPE_CHECKING:
    from agent.ui.early import Early

COMMANDS = frozenset(
    (
        *("chat", "tour", "resume", "log", "show", "undo", "review", "commit", "checks"),
        *("connect", "doctor", "check-model", "export"),
    )
)
OWN_OPTIONS = frozenset(("--help", "-h", "--version", "-V", "--install-completion", "--show-completion"))


def enter(arguments: list[str], early: Early | None = None) -> int:
    """Run what the arguments say. A first word that is no command begins a sentence to the model."""
    try:
        if not arguments:
            from agent.cli.session import Wanted, run_session

            return run_session(Wanted(), early)
        if arguments[0] not in COMMANDS and arguments[0] not in OWN_OPTIONS:
            arguments = ["chat", *arguments]
        from agent.cli.app import main

        return main(arguments)
    except CopairError as error:
        tell_error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (`copair log | head`): nothing is left to say to it.
        sys.stderr.close()
        return int(Exit.FAILED)
    finally:
        if early is not None:
            early.restore()


def tell_error(error: CopairError) -> None:
    """What happened, what was left untouched, what to do next; clean text, on stderr."""
    lines = [f"copair: {error.message}"]
    if error.untouched:
        lines.append(f"        ({error.untouched})")
    if error.hint:
        lines.append(f"hint:   {error.hint}")
    sys.stderr.write("".join(f"{clean(line)}\n" for line in lines))
