"""The little that the offline pair understands of a person's text: rule codes, rule names, paths, and a few words.

It is no language model and does not guess: what it did not recognise, it says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

_CODE = re.compile(r"(?<![\w/.-])([A-Za-z]{1,6}[0-9]{2,4})(?![\w/-]|\.\w)")
_PATH = re.compile(r'"([^"\n]+)"|`([^`\n]+)`|([^\s"`,;!?()<>]+)')
_ABOUT_FINDINGS = re.compile(
    r"\b(lint\w*|ruff|findings?|flake8|pyflakes|style|warnings?|tidy|clean ?up|unused|imports?|autofix\w*|rules?)\b",
    re.IGNORECASE,
)
_ALL = re.compile(r"\b(all|everything|any|every|both)\b", re.IGNORECASE)
_FIX_ALL = re.compile(
    r"\s*(?:please\s+)?fix\s+(?:them\s+)?(?:all|everything)(?:\s+of\s+(?:it|them))?[\s.!]*", re.IGNORECASE
)
_STOP = re.compile(
    r"\s*(none|no|stop|nothing|quit|enough|skip|cancel|neither|leave (it|them))\b[ .!]*.{0,20}", re.IGNORECASE
)


class Wish(msgspec.Struct, frozen=True):
    """What was recognised. `codes` are in the order in which they were said; `paths` are files and folders."""

    codes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    all: bool = False
    findings: bool = False
    """The text is about linter findings at all."""
    stop: bool = False

    @property
    def understood(self) -> bool:
        return bool(self.codes or self.findings or self.stop)


def understand(text: str, names: Sequence[str], rules: Iterable[tuple[str, str]] = ()) -> Wish:
    """`names` are the files of the repository, `rules` the (code, name) pairs that may be named by name."""
    paths = tuple(dict.fromkeys(path for word in _words(text) if (path := _path(word, names)) is not None))
    codes = [code.upper() for code in _CODE.findall(text)]
    spoken = " ".join(re.sub(r"[-_]", " ", text.casefold()).split())
    codes += [code for code, name in rules if name and name.replace("-", " ") in spoken]
    return Wish(
        codes=tuple(dict.fromkeys(codes)),
        paths=paths,
        all=bool(_ALL.search(text)),
        findings=bool(_ABOUT_FINDINGS.search(text) or _FIX_ALL.fullmatch(text)),
        stop=bool(_STOP.fullmatch(text)),
    )


def inside(path: str, places: Sequence[str]) -> bool:
    """True when `path` is one of `places` or below it; no places mean everywhere."""
    return not places or any(path == place or not place or path.startswith(f"{place}/") for place in places)


def _words(text: str) -> Iterable[str]:
    for match in _PATH.finditer(text):
        yield match[1] or match[2] or match[3].strip("'").rstrip(".:")


def _path(word: str, names: Sequence[str]) -> str | None:
    """A file or folder of the repository that `word` names; a bare word must look like a path."""
    marked = word.startswith("@")
    spelled = word.removeprefix("@").removeprefix("./")
    plain = spelled.rstrip("/")
    if not plain:
        return "" if word in (".", "./") else None
    if not (marked or "/" in spelled or "." in spelled):
        return None
    known = any(name == plain or name.startswith(f"{plain}/") for name in names)
    return plain if known else None
