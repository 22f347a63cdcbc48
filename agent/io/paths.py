"""Where copair keeps its own things: the user's state, configuration and cache folders, never a repository.

Follows platformdirs (XDG on Linux). Folders are made with mode 0700 when they are first needed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

from agent.core.errors import StateError

APP = "copair"


def state_dir() -> Path:
    return Path(platformdirs.user_state_dir(APP, appauthor=False))


def config_file() -> Path:
    return Path(platformdirs.user_config_dir(APP, appauthor=False)) / "config.toml"


def cache_dir() -> Path:
    return Path(platformdirs.user_cache_dir(APP, appauthor=False))


def repository_state(common_dir: Path) -> Path:
    """The folder of one repository: found by the real path of its common git directory."""
    return state_dir() / "repositories" / state_name(os.path.realpath(os.fsencode(common_dir)))


def state_name(real: bytes) -> str:
    """How the folder of the repository with this real path is called."""
    return hashlib.sha256(real).hexdigest()[:32]


def make_private(folder: Path) -> Path:
    """Make `folder` and its missing parents, readable by the user alone. Raises StateError."""
    try:
        # `parents=True` would give the ones in between the bits of the umask.
        missing = [above for above in (folder, *folder.parents) if not above.exists()]
        for above in reversed(missing):
            above.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"cannot make {folder}: {error.strerror}",
            hint="set XDG_STATE_HOME to a folder that can be written",
            untouched="the repository was not touched",
        ) from error
    return folder
