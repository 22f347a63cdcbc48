"""Which program a check really is, and what else it needs to be readable where the home is hidden.

Follows what the name resolves to: PATH, symbolic links, the `#!` line, `pyvenv.cfg`. It runs nothing. `watched` are
the files whose identity must be the same inside a sandbox as outside, else the check is another program there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

MAX_HOPS = 12
VENV = "pyvenv.cfg"
_PASSED = (
    "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "LD_LIBRARY_PATH", "JAVA_HOME", "GOROOT", "GOPATH",
    "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "PYENV_ROOT", "PYENV_VERSION", "NVM_DIR", "RBENV_ROOT", "SYSTEMROOT",
    "CONDA_PREFIX", "ASDF_DATA_DIR", "SDKROOT", "DEVELOPER_DIR", "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
)  # fmt: skip
_QUIET = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONNOUSERSITE": "1",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PIP_NO_INDEX": "1",
    "UV_OFFLINE": "1",
    "UV_NO_SYNC": "1",
    "CARGO_NET_OFFLINE": "true",
    "GOFLAGS": "-mod=readonly",
    "GOPROXY": "off",
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


class Toolchain(msgspec.Struct, frozen=True):
    """`argv0` is absolute; `roots` are files and folders that it needs; `watched` must be the same inside."""

    argv0: str
    roots: tuple[Path, ...]
    watched: tuple[Path, ...]
    is_ours: bool = False
    """The program is a file of the repository itself: its bytes in the scratch tree are what counts."""

    def with_roots(self, more: Iterable[Path]) -> Toolchain:
        return msgspec.structs.replace(self, roots=tuple(dict.fromkeys((*self.roots, *more))))


def resolve(argv0: str, root: Path, path: str) -> Toolchain | None:
    """The program that `argv0` names for somebody who stands in `root`; None when there is none."""
    where = ":".join(part for part in path.split(os.pathsep) if Path(part).is_absolute())
    found = str(root / argv0) if "/" in argv0 else shutil.which(argv0, path=where.replace(":", os.pathsep))
    if found is None or not os.access(found, os.X_OK):
        return None
    program = Path(os.path.normpath(found))
    hops = tuple(dict.fromkeys(_hops(program, where, MAX_HOPS)))
    roots = dict.fromkeys(folder for hop in hops for folder in _roots(hop))
    is_ours = (
        root in program.parents and environment_of(program) is None and "node_modules" not in program.parts
    )
    return Toolchain(str(program), tuple(roots), () if is_ours else hops, is_ours)


def environment_of(program: Path) -> Path | None:
    """The virtual environment that a program lies in: the folder with a `pyvenv.cfg`."""
    for folder in list(program.parents)[:3]:
        if (folder / VENV).is_file():
            return folder
    return None


def environment(root: Path, outer: Mapping[str, str], chain: Toolchain) -> dict[str, str]:
    """The variables of a check: a chosen few of the person's, no key of theirs, nothing that asks or phones."""
    venv = environment_of(Path(chain.argv0))
    parts = [part for part in outer.get("PATH", os.defpath).split(os.pathsep) if Path(part).is_absolute()]
    if venv is not None:
        parts.insert(0, str(Path(chain.argv0).parent))
    kept = {name: outer[name] for name in _PASSED if name in outer}
    extra = {"VIRTUAL_ENV": str(venv)} if venv is not None else {}
    return {
        **kept,
        **_QUIET,
        **extra,
        "PATH": os.pathsep.join(dict.fromkeys(parts)),
        "HOME": str(Path.home()),
    }


def _hops(program: Path, path: str, left: int) -> Iterator[Path]:
    """The program, every link on its way, what interprets it, and the interpreter of its environment."""
    current = program
    while left > 0:
        yield current
        left -= 1
        if not current.is_symlink():
            break
        current = Path(os.path.normpath(current.parent / current.readlink()))
    real = Path(os.path.realpath(program))
    yield real
    interpreter = _interpreter(real, path)
    if interpreter is not None and left > 0:
        yield from _hops(interpreter, path, left - 1)


def _interpreter(program: Path, path: str) -> Path | None:
    """What the `#!` line names; `env NAME` is looked up."""
    try:
        with program.open("rb") as file:
            line = file.read(512).split(b"\n", 1)[0]
    except OSError:
        return None
    words = os.fsdecode(line[2:]).split() if line.startswith(b"#!") else []
    if words and Path(words[0]).name == "env":
        names = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        found = shutil.which(names[0], path=path) if names else None
        return Path(found) if found else None
    return Path(words[0]) if words and Path(words[0]).is_absolute() else None


def _roots(program: Path) -> Iterator[Path]:
    """What belongs to one program: its prefix, or only its folder where the prefix is somebody's home."""
    venv = environment_of(program)
    if venv is not None:
        yield venv
        yield from _linked_from(venv)
        return
    if program.parent.name == "shims":
        yield program.parent.parent
        return
    home, prefix = Path.home(), program.parent.parent
    if program.parent.name not in ("bin", "sbin", "libexec"):
        yield program
    elif prefix.name == ".cargo":
        yield from _cargo(prefix)
    elif (
        prefix in (home, home / ".local", Path("/"), Path("/usr"), Path("/usr/local"))
        or prefix in home.parents
    ):
        yield program
    else:
        yield prefix


def _cargo(prefix: Path) -> Iterator[Path]:
    """Toolchains and sources, but not the credentials that lie beside them."""
    yield from (prefix / name for name in ("bin", "registry", "git", "config.toml", "env"))
    yield Path(os.environ.get("RUSTUP_HOME", prefix.parent / ".rustup"))


def _linked_from(venv: Path) -> Iterator[Path]:
    """The base installation of a virtual environment, and folders that its .pth files add (editable installs)."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in (venv / VENV).read_text("utf-8").split("\n"):
            name, _, value = line.partition("=")
            if name.strip() == "home":
                base = Path(value.strip())
                yield base.parent if base.name in ("bin", "Scripts") else base
    for site in venv.glob("lib/python*/site-packages"):
        for file in site.glob("*.pth"):
            yield from _added(file)


def _added(file: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in file.read_text("utf-8").split("\n"):
            folder = Path(line.strip())
            if folder.is_absolute() and folder.is_dir() and folder not in (Path.home(), *Path.home().parents):
                yield folder
