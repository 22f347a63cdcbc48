"""The one error tree. Each error says what happened and carries a hint of what to do next.

    CopairError                 a person can meet it; has .hint and .untouched
      UsageError                exit 2: the command line or the configuration is wrong
      RepositoryError           not a repository, bare, of another owner, broken
        PathRefused             a path that may not be written (outside, .git, link, submodule, collision)
        GitFailed               a git process failed; .stderr is raw text
      StateError                our own state folder: lock held, journal unreadable, disk full
      ModelError                no model, wrong key, dead server (a running stream reports a Fault instead)

What is expected in normal work (a mismatch, drift, a refused write) is a value, not an exception.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line, documented in docs/commands.md."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


class CopairError(Exception):
    """Base of all errors that a person can meet.

    `hint` is what to do next; `untouched` says what was left as it was. Both may be empty.
    """

    exit_code: Exit = Exit.FAILED

    def __init__(self, message: str, *, hint: str = "", untouched: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.untouched = untouched


class UsageError(CopairError):
    exit_code = Exit.USAGE


class RepositoryError(CopairError):
    pass


class PathRefused(RepositoryError):
    pass


class GitFailed(RepositoryError):
    def __init__(self, message: str, *, stderr: bytes = b"", status: int = 1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.stderr = stderr
        self.status = status


class StateError(CopairError):
    pass


class ModelError(CopairError):
    pass
