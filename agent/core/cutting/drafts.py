"""Chunks in the making: the changes of each file, grouped, with what each group must come after.

Renames, modes, links, binaries and deletions are drafts of their own; files that nobody reads are one folded
draft each. Drafts are named by their index until they become chunks.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping, Sequence, Set

import msgspec

from agent.core.chunk import Budget
from agent.core.code.definitions import Margin
from agent.core.code.sheet import Sheet
from agent.core.cutting.alignment import by_definitions
from agent.core.cutting.grouping import group_hunks
from agent.core.cutting.groups import Group, last_names
from agent.core.cutting.harmless import is_harmless
from agent.core.cutting.keys import named
from agent.core.cutting.passage import merged
from agent.core.cutting.risk import folded_reason, is_document
from agent.core.cutting.soundness import Allowance, Checker
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk
from agent.core.lines.place import file_lines
from agent.core.outcome import States
from agent.core.text import folders

WIDE = (BOM_UTF16_LE, BOM_UTF16_BE)
"""The byte order marks without which a text is not read as UTF-16."""

RECODED = "in another encoding"
"""Why a text is one folded chunk."""

CROWDED = 100
"""With more hunks than this, small ones that are neighbours go together, up to half the budget, of very many all of it."""

MANY = 2_500
"""With more hunks than this, files are not parsed that cannot but parse: time must stay that of reading the difference."""


class Draft(msgspec.Struct):
    """A chunk without id. `needs` and `after` name other drafts by index."""

    changes: list[FileChange]
    symbols: tuple[str, ...] = ()
    needs: set[int] = msgspec.field(default_factory=set)
    after: dict[int, str] = msgspec.field(default_factory=dict)
    """Better after these: index to the name that links them, "" when it is only the order of a text."""
    users: list[tuple[str, list[int]]] = msgspec.field(default_factory=list)
    """Names that this one defines, and the drafts that use them."""
    defines: frozenset[bytes] = frozenset()
    gone: frozenset[bytes] = frozenset()
    """Names of definitions that begin in the lines that go, where there was time to read the file."""
    stem: bytes = b""
    """The name of a new file, by which others can import it."""
    part: tuple[int, int] = (1, 1)
    follows: int = -1
    """The part of the same thing before this one, if any: they stay together."""
    folded: str = ""

    @property
    def changed(self) -> int:
        return sum([hunk.changed for change in self.changes for hunk in change.hunks])


class Drafts:
    """Makes drafts of all changes of one difference."""

    def __init__(
        self,
        before: States,
        after: States,
        renames: Mapping[str, str],
        budget: Budget,
        progress: Callable[[int, int], None] | None,
        *,
        crowded: bool = False,
    ) -> None:
        self.before, self.after, self.renames = before, after, renames
        self.budget = budget
        self.progress = progress
        self.drafts: list[Draft] = []
        self.checkers: dict[str, Checker] = {}
        self.allowance = Allowance(0)
        self.crowded, self.many = crowded, False
        self.room = 0
        """So many changed lines small neighbours may have together."""

    def of(self, changes: Sequence[FileChange], needed: Mapping[str, Set[str]] = {}) -> list[Draft]:
        """Drafts in the order of `changes`, which are those between `before` and `after`.

        `needed` are files with those whose changes they need.
        """
        hunks = sum(len(change.hunks) for change in changes)
        self.many = hunks > MANY
        if self.crowded or hunks > CROWDED:
            self.room = self.budget.lines if self.many else self.budget.lines // 2
        self.allowance = Allowance.for_texts(self._size(changes))
        for done, change in enumerate(changes):
            self._add(change)
            if self.progress is not None:
                self.progress(done + 1, len(changes))
        self._folders()
        if needed:
            self._need(needed)
        self._renames_last()
        return self.drafts

    def _size(self, changes: Sequence[FileChange]) -> int:
        """Bytes of both sides of the files that change."""
        sides = [self.before.get(change.path) for change in changes]
        sides += [self.after.get(self.renames.get(change.path, change.path)) for change in changes]
        return sum(len(state.data) for state in sides if state is not None)

    def _need(self, needed: Mapping[str, Set[str]]) -> None:
        """All drafts of a file need those of the files that it needs, unless that would be a circle."""
        of_path: dict[str, list[int]] = {}
        for index, draft in enumerate(self.drafts):
            of_path.setdefault(draft.changes[0].path, []).append(index)
        for index, draft in enumerate(self.drafts):
            for path in sorted(needed.get(draft.changes[0].path, ())):
                draft.needs |= {other for other in of_path.get(path, ()) if not self._rests_on(other, index)}

    def _rests_on(self, index: int, other: int) -> bool:
        """True when `index` is `other`, or needs it, or something that does."""
        seen: set[int] = set()
        waiting = [index]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting += self.drafts[here].needs
        return other in seen

    def _renames_last(self) -> None:
        """Other changes of a file are told by its old name, so they come while it still has that name."""
        of_path: dict[str, list[int]] = {}
        for index, draft in enumerate(self.drafts):
            of_path.setdefault(draft.changes[0].path, []).append(index)
        for index, draft in enumerate(self.drafts):
            if draft.changes[0].kind is ChangeKind.RENAME:
                others = (other for other in of_path[draft.changes[0].path] if other != index)
                draft.after |= {other: "" for other in others if other not in draft.after}

    def _add(self, change: FileChange) -> None:
        path = change.path
        old = self.before.get(path)
        new = self.after.get(self.renames.get(path, path))
        folded = folded_reason(path, old, new) or (RECODED if is_recoded(old, new) else "")
        by_lines = change.kind in (ChangeKind.MODIFY, ChangeKind.CREATE) and bool(change.hunks)
        if by_lines and not folded:
            self._text(change, self.renames.get(path, path))
        elif change.kind in (ChangeKind.RENAME, ChangeKind.MODE):
            self.drafts.append(Draft([change]))
        else:
            self.drafts.append(Draft([change], folded=folded))

    def _text(self, change: FileChange, new_path: str) -> None:
        base, goal = self.before.get(change.path), self.after.get(new_path)
        plain = self.many and all(map(is_harmless, change.hunks))
        checked = self.allowance.left > 0 and not plain
        deep = checked or any(hunk.changed > self.budget.lines for hunk in change.hunks)
        old, new = _sheet(change.path, base, deep=deep), _sheet(new_path, goal, deep=deep)
        # One file is allowed no more than it would be alone: beyond that searching longer finds nothing.
        own = self.allowance.part(Allowance.for_texts(self._size([change]))) if checked else Allowance(0)
        checker = Checker(old, new, own)
        aligned = by_definitions(change.hunks, old, new, self.budget) if checker.usable else change.hunks
        groups = group_hunks(aligned, old, new, self.budget, checker, room=self.room)
        checker.rest()
        self.allowance.take(own)
        checker.allowance = self.allowance
        # Where there is no time left to look, the order of the file is the best guess.
        if len(groups) > 1 and (checker.usable or (checker.spent and not plain)):
            self.checkers[change.path] = checker
        first = len(self.drafts)
        numbers = _parts(groups)
        parts: dict[str, int] = {}
        for index, group in enumerate(groups):
            needs = {first + need for need in group.needs}
            if change.kind is ChangeKind.CREATE and index:
                needs.add(first)
            own_change = msgspec.structs.replace(change, hunks=group.hunks)
            draft = Draft(
                [own_change], symbols=group.symbols, needs=needs, part=numbers[index], defines=group.defines
            )
            if deep:
                begun = (name for hunk in group.hunks if hunk.old for name in old.begun(hunk.start, hunk.end))
                draft.gone = last_names(begun) - group.defines
            if change.kind is ChangeKind.CREATE and not index:
                stem = new_path.rpartition("/")[2].partition(".")[0]
                if len(stem) > 2 and not is_document(new_path):
                    draft.stem = stem.encode("utf-8", "surrogateescape")
            if numbers[index][0] > 1:
                draft.follows = parts[group.symbols[0]]
                draft.after[draft.follows] = ""
                before = self.drafts[draft.follows].changes[0].hunks
                if not new.is_code and not is_document(new_path) and _is_one_insertion(before, group.hunks):
                    draft.needs.add(draft.follows)
            elif index and group.is_piece and not (group.defines or new.is_code):
                draft.after[first + index - 1] = ""
            parts[group.symbols[0]] = first + index
            self.drafts.append(draft)
        for index, name in ({} if self.many else named(new_path, groups, old.lines, new.lines)).items():
            self.drafts[first + index].symbols = (name,)
        if base is not None and goal is not None and not (base.data and goal.data):
            self._keep_mark(range(first, len(self.drafts)))

    def _keep_mark(self, own: Sequence[int]) -> None:
        """A file that was empty, or becomes it, has the mark of UTF-16 as long as it has anything."""
        for index in own:
            hunks = [hunk for change in self.drafts[index].changes for hunk in change.hunks]
            others = set(own) - {index}
            if any(hunk.new and hunk.new[0].startswith(WIDE) for hunk in hunks):
                for other in others:
                    self.drafts[other].needs.add(index)
            if any(hunk.old and hunk.old[0].startswith(WIDE) for hunk in hunks):
                self.drafts[index].needs |= others

    def _folders(self) -> None:
        """A file that takes the place of a folder needs the folder's files gone, and the other way round."""
        gone: dict[str, int] = {}
        come: list[tuple[str, int]] = []
        for index, draft in enumerate(self.drafts):
            for change in draft.changes:
                if change.kind is ChangeKind.RENAME and change.new_path is not None:
                    gone[change.path] = index
                    come.append((change.new_path, index))
                elif self.before.get(change.path) is None:
                    come.append((change.path, index))
                elif self.after.get(change.path, self.before[change.path]) is None:
                    gone.setdefault(change.path, index)
        above: dict[str, set[int]] = {}
        for path, index in gone.items():
            for folder in folders(path):
                above.setdefault(folder, set()).add(index)
        for path, index in come:
            needs = set(above.get(path, ()))
            needs |= {gone[folder] for folder in folders(path) if folder in gone}
            self.drafts[index].needs |= needs - {index}


def _is_one_insertion(one: Sequence[Hunk], two: Sequence[Hunk]) -> bool:
    """True for lines that come in one place: without the first of them the others are of what stands above."""
    return one[-1].start == two[0].start and not any(hunk.old for hunk in (*one, *two))


def is_recoded(old: FileState | None, new: FileState | None) -> bool:
    """True when a text comes to have units of another form: half of it would be no text at all."""
    if old is None or new is None or not (old.data and new.data):
        return False
    marks = [state.data[:2] if state.data.startswith(WIDE) else b"" for state in (old, new)]
    return marks[0] != marks[1]


def _sheet(path: str, state: FileState | None, *, deep: bool) -> Sheet:
    """Not `deep`: only the names of what begins at the margin are wanted, because there is so much to read."""
    if state is None:
        return Sheet(path, ())
    return Sheet(path, lambda: file_lines(state), margin=None if deep else Margin(path, state.data))


def join(drafts: Sequence[Draft], first: int, other: int) -> None:
    """Make draft `first` do what `other` does too; whatever named `other` names `first` afterwards."""
    one, two = drafts[first], drafts[other]
    hunks = merged([hunk for draft in (one, two) for change in draft.changes for hunk in change.hunks])
    one.changes = [msgspec.structs.replace(one.changes[0], hunks=hunks)]
    one.symbols = tuple(dict.fromkeys(one.symbols + two.symbols))
    one.needs |= two.needs
    one.after = {**two.after, **one.after}
    one.users += two.users
    one.defines |= two.defines
    one.gone |= two.gone
    one.part = (1, 1)
    one.follows = -1
    for draft in drafts:
        if draft.follows == other:
            draft.follows = first if draft is not one else -1
        if other in draft.needs:
            draft.needs = {first if need == other else need for need in draft.needs}
        if other in draft.after:
            draft.after = {first if name == other else name: word for name, word in draft.after.items()}
        if any(other in users for _, users in draft.users):
            draft.users = [
                (word, [first if user == other else user for user in users]) for word, users in draft.users
            ]
    one.users = [(word, [user for user in users if user != first]) for word, users in one.users]
    one.needs -= {first, other}
    one.after.pop(first, None)


def without(drafts: Sequence[Draft], gone: Set[int]) -> list[Draft]:
    """The drafts but those that were joined to others, which nothing names any more."""
    kept = [index for index in range(len(drafts)) if index not in gone]
    number = {index: at for at, index in enumerate(kept)}
    for index in kept:
        draft = drafts[index]
        draft.needs = {number[need] for need in draft.needs}
        draft.after = {number[other]: word for other, word in draft.after.items()}
        draft.users = [(word, [number[user] for user in users]) for word, users in draft.users]
        draft.follows = number.get(draft.follows, -1)
    return [drafts[index] for index in kept]


def _parts(groups: Sequence[Group]) -> list[tuple[int, int]]:
    """For each group its number among the pieces of the same symbol, and how many these are."""
    totals: dict[str, int] = {}
    for group in groups:
        if group.is_piece and group.symbols[0]:
            totals[group.symbols[0]] = totals.get(group.symbols[0], 0) + 1
    seen: dict[str, int] = {}
    found = []
    for group in groups:
        name = group.symbols[0]
        if group.is_piece and totals.get(name, 0) > 1:
            seen[name] = seen.get(name, 0) + 1
            found.append((seen[name], totals[name]))
        else:
            found.append((1, 1))
    return found
