"""From arguments to an exit code: what is a command, what is a sentence, and the one handler of errors."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from agent.core.errors import CopairError, Exit, UsageError

if TYPE_CHECKING:
    from agent.ui.early import Early

COMMANDS = frozenset(
    (
        *("chat", "tour", "resume", "log", "show", "undo", "review", "commit", "checks"),
        *("connect", "doctor", "check-model", "export"),
    )
)
MOST_WORDS = 2
"""Of more words a sentence is made."""
OWN_OPTIONS = frozenset(("--help", "-h", "--version", "-V", "--install-completion", "--show-completion"))


def enter(arguments: list[str], early: Early | None = None) -> int:
    """Run what the arguments say. A first word that is no command begins a sentence to the model."""
    try:
        _check_folder()
        if not arguments:
            from agent.cli.session import run_session
            from agent.cli.wanted import Wanted

            return run_session(Wanted(), early)
        if arguments[0] not in COMMANDS and arguments[0] not in OWN_OPTIONS:
            _check_spelling(arguments)
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
    except Exception as error:  # noqa: BLE001 - the one at the top: a fault of ours is told in a line, with the details in a file
        return tell_fault(error)
    finally:
        if early is not None:
            early.restore()


def _check_spelling(arguments: list[str]) -> None:
    """Raises UsageError for what is nearly a command, and no sentence: it would go to the model."""
    word = arguments[0]
    if len(arguments) > MOST_WORDS or not word.isascii() or not word.isalpha():
        return
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, n=1, cutoff=0.8)
    if near:
        hint = f"`copair {near[0]}`? To say it to the model: `copair chat {word}`"
        raise UsageError(f"there is no command {word}", hint=hint)


def _check_folder() -> None:
    """Raises UsageError when the folder that we are in was removed."""
    try:
        os.getcwd()  # noqa: PTH109 - pathlib is not loaded yet, and may not be needed
    except FileNotFoundError as error:
        raise UsageError(
            "the folder that you are in is not there any more", hint="cd to another one"
        ) from error


def tell_fault(error: Exception) -> int:
    """A fault of copair itself: one line for the person, the traceback in the state folder."""
    from agent.cli.faults import keep_fault

    report = keep_fault(error)
    where = f"the details are in {report}; please report it" if report else "the details could not be written"
    words = f"a fault of copair itself: {type(error).__name__}: {error}"
    tell_error(CopairError(words, hint=where, untouched="nothing but what you approved was written"))
    return int(Exit.FAILED)


def tell_error(error: CopairError) -> None:
    """What happened, what was left untouched, what to do next; clean text, on stderr."""
    from agent.core.clean import clean  # here, so that `--help` need not import what data is made of

    lines = [f"copair: {error.message}"]
    if error.untouched:
        lines.append(f"        ({error.untouched})")
    if error.hint:
        lines.append(f"hint:   {error.hint}")
    sys.stderr.write("".join(f"{clean(line)}\n" for line in lines))
