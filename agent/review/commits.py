"""A commit or a range of commits as a source: two trees compared by git, contents as they are stored."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

import msgspec

from agent.core.errors import GitFailed, PathRefused
from agent.core.hunk import FileState, Mode
from agent.core.outcome import States
from agent.git.conversion import Conversion
from agent.git.objects import Stored
from agent.git.paths import lexical
from agent.git.repo import Repo
from agent.review.forms import Forms, forms_of, is_rule
from agent.review.only import ALL, Only
from agent.review.opening import First, Sides, begin, filled
from agent.review.pairs import Pair, raw_pairs
from agent.review.source import LeftOut, Progress, Source

RENAME_LIMIT = 2000
"""So many new files are compared with so many deleted ones, to find renames."""

CODECS = re.compile(
    rb"(?i)utf-?8|latin-?1|iso-?8859-?\d{1,2}|(?:windows-|cp)?125\d|koi8-[ru]|euc-?(?:jp|kr)|s(?:hift_)?jis|gb(?:k|2312|18030)|big5"
)
"""Encodings of commit messages that are obeyed: Python has others that are none of text."""

AT_ONCE = 240
"""So many files are read before progress is told."""


def read_commits(
    repo: Repo,
    spec: str,
    onto: str,
    progress: Progress | None = None,
    first: First | None = None,
    only: Only = ALL,
) -> Source | None:
    """The source that `REV`, `A..B` or `A...B` names; None when it names no commits."""
    found = _trees(repo, spec)
    if found is None:
        return None
    old, new, label, name = found
    pairs = raw_pairs(
        repo.git.run("diff-tree", "-r", "-z", "--raw", "--no-commit-id", "-M", f"-l{RENAME_LIMIT}",
                     "--no-ext-diff", "--no-textconv", "--full-index", "--end-of-options", old, new, "--")
    )  # fmt: skip
    taken = [pair for pair in pairs if only.takes(pair.old_path, pair.new_path)]
    ends = _ends(spec)
    between = f"nothing changes between {' and '.join(end or 'HEAD' for end in ends)}" if ends else ""
    source = Source(
        only.told(label), only.told(name), {}, {}, onto=onto, nothing=only.told(between) if between else ""
    )
    conversion = Conversion(repo, {path for pair in taken for path in (pair.old_path, pair.new_path)})
    # What is taken without its `.gitattributes` stands by those of the work tree.
    rules = [pair for pair in pairs if is_rule(pair)] if onto == "worktree" else []
    with contextlib.ExitStack() as stack:
        forms = None
        if rules and all(rule in taken for rule in rules):
            forms = stack.enter_context(forms_of(repo, old, new, taken, conversion))
        return _States(repo, onto, progress, conversion, forms).read(taken, source, first)


def _trees(repo: Repo, spec: str) -> tuple[str, str, str, str] | None:
    """Old and new tree, the label and the exact name; a range starts where both sides parted."""
    ends = _ends(spec)
    if ends:
        first, last = (_commit(repo, end or "HEAD") for end in ends)
        if first is None or last is None:
            return None
        bases = repo.git.run("merge-base", first, last, ok=(0, 1)).split()
        start = bases[0].decode() if bases else first
        since = "" if start == first else f", since they parted at {start[:7]}"
        return start, last, f"{spec}{since}", f"{start}..{last}"
    found = _found(repo, spec)
    if found is None:
        return None
    commit = found.oid
    parent = _commit(repo, f"{commit}^1") or _empty_tree(repo)
    return parent, commit, f"commit {commit[:7]}: {subject(found.data)}", f"{parent}..{commit}"


def _ends(spec: str) -> tuple[str, str] | None:
    """Both ends of a range as they are written, "" for HEAD; None when `spec` is none."""
    left, dots, right = spec.partition("...") if "..." in spec else spec.partition("..")
    return (left, right) if dots else None


def unknown_end(repo: Repo, spec: str) -> str:
    """The one end of a range between two names that is no commit, while the other is; empty for all else."""
    ends = _ends(spec) or ()
    unknown = [end for end in ends if _commit(repo, end) is None]
    return unknown[0] if len(unknown) == 1 and all(ends) else ""


def _found(repo: Repo, rev: str) -> Stored | None:
    """The commit that a revision names. At some that mean nothing (`@{u}`) git ends, and is started again."""
    try:
        # Behind `:/` everything is a text to search for.
        return repo.objects.find(rev if rev.startswith(":/") else f"{rev}^{{commit}}")
    except GitFailed:
        return None


def _commit(repo: Repo, rev: str) -> str | None:
    found = _found(repo, rev)
    return found.oid if found is not None else None


def subject(commit: bytes) -> str:
    """The first paragraph of a commit's message as one line, as `%s` of `git log` gives it."""
    head, _, message = commit.partition(b"\n\n")
    named = next((line[9:] for line in head.split(b"\n") if line.startswith(b"encoding ")), b"")
    codec = named.decode("ascii", "replace") if CODECS.fullmatch(named) else "utf-8"
    try:
        text = message.decode(codec, "replace")
    except LookupError:
        text = message.decode("utf-8", "replace")
    lines = takewhile(str.strip, text.lstrip().split("\n"))
    return " ".join(line.strip() for line in lines)


def _empty_tree(repo: Repo) -> str:
    return repo.git.run("hash-object", "-t", "tree", "--stdin").strip().decode()


class _States:
    """Reads both sides of each pair."""

    def __init__(
        self, repo: Repo, onto: str, progress: Progress | None, conversion: Conversion, forms: Forms | None
    ) -> None:
        self.repo = repo
        self.onto = onto
        self.progress = progress
        self.conversion = conversion
        self.forms = forms
        self.before: States = {}
        self.after: States = {}
        self.renames: dict[str, str] = {}
        self.left_out: list[LeftOut] = []

    def read(self, pairs: list[Pair], source: Source, first: First | None) -> Source:
        """`source` with the files of `pairs`."""
        modified = {
            pair.old_path: pair
            for pair in pairs
            if pair.status == "M" and not (self.forms and self.forms.change(pair.old_path))
        }

        def sides(path: str) -> Sides | str:
            pair = modified[path]
            return self._reason(pair) or self._sides([pair])[0]

        opening = begin(modified, len(pairs), sides, source, first)
        for start in range(0, len(pairs), AT_ONCE):
            self._read([pair for pair in pairs[start : start + AT_ONCE] if not self._left_out(pair)])
            if self.progress is not None:
                self.progress("reading", min(start + AT_ONCE, len(pairs)), len(pairs))
        needed = self.forms.needed if self.forms else {}
        source = msgspec.structs.replace(source, needed=needed)
        return filled(source, opening, self.before, self.after, self.renames, self.left_out)

    def _left_out(self, pair: Pair) -> bool:
        reason = self._reason(pair)
        if reason:
            self.left_out.append(LeftOut(pair.new_path, reason))
        return bool(reason)

    def _reason(self, pair: Pair) -> str:
        reasons = (self._why_not(path, pair) for path in (pair.old_path, pair.new_path))
        return next((why for why in reasons if why), "")

    def _why_not(self, path: str, pair: Pair) -> str:
        if Mode.SUBMODULE in (pair.old_mode, pair.new_mode):
            return "a submodule: copair does not change which commit it is at"
        if self.onto == "worktree" and (why := self.conversion.why_no_link(pair.old_mode, pair.new_mode)):
            return why
        if name := self.conversion.filter_of(path) or (self.forms and self.forms.filter_of(path)):
            return f"goes through the filter {name}, which copair does not run"
        return refused_name(path)

    def _read(self, pairs: list[Pair]) -> None:
        for pair, sides in zip(pairs, self._sides(pairs), strict=True):
            if self.forms and (reason := self.forms.why_unseen(pair, sides)):
                self.left_out.append(LeftOut(pair.new_path, reason))
            else:
                self._take(pair, *sides)

    def _sides(self, pairs: list[Pair]) -> list[Sides]:
        """Both sides of each pair."""
        modes = [mode for pair in pairs for mode in (pair.old_mode, pair.new_mode)]
        oids = [oid for pair in pairs for oid in (pair.old_oid, pair.new_oid)]
        there = [(mode, oid) for mode, oid in zip(modes, oids, strict=True) if mode]
        found = iter(self.repo.stored_all(there))
        states = [next(found) if mode else None for mode in modes]
        stored = list(zip(states[::2], states[1::2], strict=True))
        if self.onto != "worktree":
            return stored
        if self.forms is None:
            return self._converted(pairs, stored)
        by_forms = [self.forms.concern(pair) for pair in pairs]
        sides = list(stored)
        for convert, wanted in ((self.forms.sides, True), (self._converted, False)):
            own = [at for at, found in enumerate(by_forms) if found is wanted]
            converted = convert([pairs[at] for at in own], [stored[at] for at in own])
            for at, side in zip(own, converted, strict=True):
                sides[at] = side
        return sides

    def _converted(self, pairs: Sequence[Pair], stored: Sequence[Sides]) -> list[Sides]:
        """Both sides by the attributes as they are now."""
        files = []
        names = []
        for pair, (old, new) in zip(pairs, stored, strict=True):
            for path, state, oid in ((pair.old_path, old, pair.old_oid), (pair.new_path, new, pair.new_oid)):
                if state is not None:
                    files.append((path, state, oid))
                    names.append(tuple(dict.fromkeys((pair.old_path, pair.new_path))))
        found = iter(self.conversion.to_work_trees(files, names))
        return [
            (next(found) if old is not None else None, next(found) if new is not None else None)
            for old, new in stored
        ]

    def _take(self, pair: Pair, old: FileState | None, new: FileState | None) -> None:
        if pair.status == "C":
            self.before[pair.new_path], self.after[pair.new_path] = None, new
            return
        self.before[pair.old_path] = old
        if pair.old_path != pair.new_path:
            self.before.setdefault(pair.new_path, None)
            self.after[pair.old_path] = None
            if not (self.forms and self.forms.have_parted(pair, (old, new))):
                self.renames[pair.old_path] = pair.new_path
        self.after[pair.new_path] = new


def refused_name(path: str) -> str:
    """Why a path may never be written; empty when it may."""
    try:
        lexical(path)
    except PathRefused as error:
        return error.message
    return ""


def all_paths(states: Iterable[States]) -> list[str]:
    """Every path of some states, each once."""
    return list(dict.fromkeys(path for own in states for path in own))
