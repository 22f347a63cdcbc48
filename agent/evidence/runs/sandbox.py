"""The sandbox of a check: what it may see and reach. Builds argument vectors; `run.py` runs them.

Linux: bubblewrap, by the recipe of the threat model: nothing outside the scratch tree can be written, homes, /run and
/tmp are hidden, there is no network, git's folder is read-only, and the scratch tree stands at the path of the real
one. Which state a system allows is found by trying, once: FULL, FILES_ONLY (the network could not be cut off), NONE.
macOS has `sandbox-exec` (written from its manual, untested), Windows nothing. The state is always named, never
silently less.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from agent.evidence.runs.run import Ending, Launch, Limits, supervise
from agent.evidence.runs.toolchain import Toolchain
from agent.io.process import ProgramMissing

EXCHANGE = Path("/tmp/copair-exchange")
OURS = Path("/tmp/copair-ours")
TMPFS_BYTES = 2 << 30
MAX_SOCKETS = 64
PROBE_SECONDS = 10.0
_SECRETS = ("/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-", "/etc/krb5.keytab")
_BASE = (
    "--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL", "--die-with-parent", "--new-session",
    "--clearenv",
)  # fmt: skip


class Isolation(StrEnum):
    """What holds a check; these words are on the card."""

    FULL = "full"
    FILES_ONLY = "files only"
    NONE = "none"


class Rooms(msgspec.Struct, frozen=True):
    """Where things are outside. `exchange` is writable by a check, `ours` is not."""

    root: Path
    """Top of the real work tree."""
    tree: Path
    """The scratch tree."""
    exchange: Path
    ours: Path
    git_folders: tuple[Path, ...] = ()
    environments: tuple[Path, ...] = ()
    """Folders in the real tree that are ignored but needed: `.venv`, `node_modules`."""
    cache: Path | None = None


class Sandbox:
    """One way to run, found by `probe`. Knows where things are inside."""

    def __init__(self, isolation: Isolation, program: str | None) -> None:
        self.isolation = isolation
        self._program = program
        self.is_bwrap = program is not None and Path(program).name == "bwrap"

    def inside(self, rooms: Rooms, path: Path) -> Path:
        """Where a check sees `path`, which lies in one of the rooms."""
        places = [(rooms.exchange, EXCHANGE), (rooms.ours, OURS), (rooms.tree, rooms.root)]
        for outside, place in places if self.is_bwrap else ():
            if path == outside or outside in path.parents:
                return place / path.relative_to(outside)
        return path

    def launch(self, argv: Sequence[str], env: Mapping[str, str], rooms: Rooms, chain: Toolchain) -> Launch:
        """How `argv` is started with the scratch tree as its folder."""
        command = (self._argv0(chain, rooms), *argv[1:])
        if self._program is None:
            return Launch(command, rooms.tree, dict(env))
        if not self.is_bwrap:
            return Launch((self._program, "-p", profile(rooms, chain), *command), rooms.tree, dict(env))
        options = (*_BASE, *(("--share-net",) if self.isolation is Isolation.FILES_ONLY else ()))
        variables = [word for name, value in sorted(env.items()) for word in ("--setenv", name, value)]
        mounts = [word for mount in _mounts(rooms, chain) for word in mount]
        argv_all = (self._program, *options, *variables, *mounts, "--chdir", str(rooms.root), "--", *command)
        return Launch(argv_all, rooms.tree.parent, {"PATH": os.defpath}, is_bwrap=True)

    def _argv0(self, chain: Toolchain, rooms: Rooms) -> str:
        if chain.is_ours and not self.is_bwrap:
            return str(rooms.tree / Path(chain.argv0).relative_to(rooms.root))
        return chain.argv0

    def differing(self, rooms: Rooms, chain: Toolchain) -> str:
        """The first file of the tool chain that is not the same one inside; empty when all are."""
        if not self.is_bwrap or not chain.watched:
            return ""
        names = [str(path) for path in chain.watched if os.access(path, os.F_OK)]
        stat = Toolchain(shutil.which("stat") or "/usr/bin/stat", (), ())
        launch = self.launch(
            [stat.argv0, "-L", "-c", "%d:%i:%s", "--", *names],
            {},
            rooms,
            msgspec.structs.replace(stat, roots=chain.roots),
        )
        seen = supervise(launch, Limits(seconds=PROBE_SECONDS)).output.split(b"\n")
        for name, line in zip(names, seen, strict=False):
            status = Path(name).stat()
            if line != b"%d:%d:%d" % (status.st_dev, status.st_ino, status.st_size):
                return name
        return "" if len(seen) > len(names) else names[-1]


def probe(rooms: Rooms, *, path: str | None = None) -> Sandbox:
    """The strongest way that works here, found by running it."""
    if sys.platform == "darwin":
        program = shutil.which("sandbox-exec", path=path)
        return Sandbox(Isolation.FULL, program) if program else Sandbox(Isolation.NONE, None)
    program = shutil.which("bwrap", path=path) if sys.platform.startswith("linux") else None
    if program is not None:
        for isolation in (Isolation.FULL, Isolation.FILES_ONLY):
            sandbox = Sandbox(isolation, program)
            if _works(sandbox, rooms):
                return sandbox
    return Sandbox(Isolation.NONE, None)


def _works(sandbox: Sandbox, rooms: Rooms) -> bool:
    """One run that must see the scratch tree at the real path."""
    program = Toolchain(shutil.which("stat") or "/usr/bin/stat", (), ())
    launch = sandbox.launch([program.argv0, "-c", "%i", str(rooms.root)], {}, rooms, program)
    try:
        ran = supervise(launch, Limits(seconds=PROBE_SECONDS))
    except ProgramMissing:
        return False
    return (
        ran.ending is Ending.EXITED
        and ran.status == 0
        and ran.output.strip() == b"%d" % rooms.tree.stat().st_ino
    )


def hidden_folders() -> tuple[Path, ...]:
    """Folders that a check must not see: every home, /run, /tmp, /var/tmp. A home that holds the system is not one."""
    homes = [Path("/home"), Path("/root"), Path.home(), Path(os.path.realpath(Path.home()))]
    with contextlib.suppress(ImportError, KeyError):
        import pwd

        homes.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    system = [
        Path(name)
        for name in ("/", "/usr", "/bin", "/lib", "/lib64", "/etc", "/opt", "/nix", "/var", "/dev", "/proc")
    ]
    wanted = [Path("/tmp"), Path("/run"), Path("/var/tmp"), *(home for home in homes if home not in system)]
    return tuple(sorted({folder for folder in wanted if _is_folder(folder)}))


def _is_folder(path: Path) -> bool:
    """Also for a place that may not be looked at, which then need not be hidden."""
    try:
        return path.is_dir() and not path.is_symlink()
    except PermissionError:
        return False


def _mounts(rooms: Rooms, chain: Toolchain) -> Iterator[tuple[str, ...]]:
    """The mounts in their order: everything read-only, then what is hidden, then what is let in again."""
    hidden = hidden_folders()
    yield ("--ro-bind", "/", "/")
    yield ("--dev", "/dev")
    yield ("--proc", "/proc")
    outer = [folder for folder in hidden if not any(other in folder.parents for other in hidden)]
    for folder in outer:
        yield ("--size", str(TMPFS_BYTES), "--tmpfs", str(folder))
    if any(folder in Path.home().parents for folder in outer):
        yield ("--dir", str(Path.home()))
    for name in _covered(outer):
        yield ("--ro-bind", os.devnull, name)
    for path in _let_in(rooms, chain, hidden):
        yield ("--ro-bind", str(path), str(path))
    yield ("--bind", str(rooms.tree), str(rooms.root))
    for folder in rooms.git_folders:
        yield ("--ro-bind", str(folder), str(folder))
    for folder in rooms.environments:
        yield ("--ro-bind", str(folder), str(folder))
    yield ("--bind", str(rooms.exchange), str(EXCHANGE))
    yield ("--ro-bind", str(rooms.ours), str(OURS))
    if rooms.cache is not None and any(folder in (Path.home(), *Path.home().parents) for folder in hidden):
        yield ("--bind", str(rooms.cache), str(Path.home() / ".cache"))


def _let_in(rooms: Rooms, chain: Toolchain, hidden: Sequence[Path]) -> list[Path]:
    """The roots of the tool chain that lie in a hidden folder, outermost first; never a whole home."""
    wanted = {
        path for path in chain.roots if path.exists() and any(folder in path.parents for folder in hidden)
    }
    homes = {*hidden, Path.home()}
    inside_tree = {
        path
        for path in wanted
        if path == rooms.root or rooms.root in path.parents or path in rooms.root.parents
    }
    return sorted(wanted - homes - inside_tree, key=lambda path: len(path.parts))


def _covered(hidden: Sequence[Path]) -> Iterator[str]:
    """Password files, and Unix sockets that are not hidden anyway: read-only mounts do not stop a connect."""
    yield from (name for name in _SECRETS if os.access(name, os.R_OK))
    try:
        lines = Path("/proc/net/unix").read_text("utf-8", "replace").split("\n")
    except OSError:
        return
    sockets = {
        fields[7] for line in lines if len(fields := line.split(None, 7)) == 8 and fields[7].startswith("/")
    }
    shown = [name for name in sorted(sockets) if not any(folder in Path(name).parents for folder in hidden)]
    for name in shown[:MAX_SOCKETS]:
        with contextlib.suppress(OSError):
            if (
                Path(name).is_socket()
                and Path("/dev") not in Path(name).parents
                and os.path.realpath(name) == name
            ):
                yield name


def profile(rooms: Rooms, chain: Toolchain) -> str:
    """The rules for macOS `sandbox-exec` (untested): no network, writing in the scratch tree only, no home."""

    def folders(paths: Sequence[Path]) -> str:
        return " ".join(f'(subpath "{str(path).translate({34: None, 92: None})}")' for path in paths)

    readable = (*chain.roots, rooms.tree, rooms.exchange, rooms.ours, *rooms.environments, *rooms.git_folders)
    return "\n".join(
        (
            "(version 1)",
            "(allow default)",
            "(deny network*)",
            '(deny file-write* (subpath "/"))',
            f'(allow file-write* {folders((rooms.tree, rooms.exchange))} (literal "/dev/null"))',
            f"(deny file-read* {folders((Path.home(),))})",
            f"(allow file-read* {folders(readable)})",
        )
    )
