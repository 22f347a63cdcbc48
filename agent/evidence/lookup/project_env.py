"""The Python environment of a project: where its packages and its standard library lie. Found by files, nothing is run."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import msgspec

VENVS = (".venv", "venv", "env")


class Distribution(msgspec.Struct, frozen=True):
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class ProjectEnv:
    """`sites` are folders of installed packages; `is_own` is False when no environment of the project was found."""

    def __init__(self, sites: tuple[Path, ...], stdlib: Path, label: str, is_own: bool) -> None:
        self.sites, self.stdlib, self.label, self.is_own = sites, stdlib, label, is_own

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version of the interpreter, from the name of its library folder."""
        match = re.search(r"python(\d+)\.(\d+)", self.stdlib.name)
        return (int(match[1]), int(match[2])) if match else (3, 0)

    @cached_property
    def binaries(self) -> tuple[Path, ...]:
        """Where the built-in C modules are: the interpreter and its library."""
        prefix = self.stdlib.parent.parent
        name = self.stdlib.name
        libraries = sorted(self.stdlib.parent.glob(f"lib{name}*.so*")) + sorted(
            self.stdlib.parent.glob("*/lib" + name + "*.so*")
        )
        return tuple(file for file in (prefix / "bin" / name, *libraries) if file.is_file())

    def below(self, place: str) -> str:
        """`place` without the folder of packages that it lies in."""
        folders = (f"{folder}/" for folder in (*self.sites, self.stdlib))
        return next((place.removeprefix(folder) for folder in folders if place.startswith(folder)), place)

    def distribution(self, package: str) -> Distribution | None:
        """Which distribution put the import package `package` there; None when that cannot be seen."""
        info = self.info(package)
        if info is None:
            return None
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        return Distribution(name, version)

    def info(self, package: str) -> Path | None:
        """The folder that tells of the distribution of that name, or of the one that brought the import package."""
        known = self._infos.get(re.sub(r"[-_.]+", "_", package).lower())
        return known or next((info for info in self._all_infos if package in top_levels(info)), None)

    @cached_property
    def _all_infos(self) -> tuple[Path, ...]:
        return tuple(info for site in self.sites for info in site.glob("*.dist-info"))

    @cached_property
    def _infos(self) -> dict[str, Path]:
        return {re.sub(r"[-_.]+", "_", info.name.partition("-")[0]).lower(): info for info in self._all_infos}


def top_levels(info: Path) -> set[str]:
    """The import packages of one distribution, from its list of files."""
    try:
        text = (info / "top_level.txt").read_text("utf-8")
        return set(text.split())
    except OSError:
        pass
    try:
        lines = (info / "RECORD").read_text("utf-8", "replace").split("\n")
    except OSError:
        return set()
    return {
        line.partition(",")[0].partition("/")[0].partition(".")[0]
        for line in lines
        if not line.startswith("..")
    }


def find_environment(root: Path, outer: Mapping[str, str]) -> ProjectEnv:
    """The environment in the work tree, else the person's active one, else the standard library of this interpreter."""
    named = [root / name for name in VENVS]
    named += [Path(outer[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if outer.get(name)]
    for folder in named:
        sites = tuple(sorted(folder.glob("lib/python3*/site-packages"))) or tuple(
            folder.glob("Lib/site-packages")
        )
        if sites:
            label = folder.name if folder.parent == root else str(folder)
            return ProjectEnv((*sites, *_added(sites)), _stdlib(folder, sites[0]), label, True)
    return ProjectEnv((), Path(sysconfig.get_path("stdlib")), "this Python", False)


def _stdlib(folder: Path, site: Path) -> Path:
    """The standard library that a virtual environment borrows; its own in a conda environment."""
    own = site.parent
    if (own / "os.py").exists():
        return own
    try:
        settings = (folder / "pyvenv.cfg").read_text("utf-8", "replace")
    except OSError:
        settings = ""
    match = re.search(r"^home\s*=\s*(.+)$", settings, re.MULTILINE)
    if match:
        home = Path(match[1].strip())
        for found in (home.parent / "lib" / own.name, home / "Lib", Path("/usr/lib") / own.name):
            if (found / "os.py").exists():
                return found
    return Path(sysconfig.get_path("stdlib"))


def _added(sites: tuple[Path, ...]) -> tuple[Path, ...]:
    """Folders that .pth files put on the path: editable installs."""
    found = []
    for site in sites:
        for file in site.glob("*.pth"):
            try:
                lines = file.read_text("utf-8", "replace").split("\n")
            except OSError:
                continue
            found += [
                Path(line.strip()) for line in lines if line.startswith("/") and Path(line.strip()).is_dir()
            ]
    return tuple(found)
