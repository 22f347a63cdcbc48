"""Cut a whole difference into chunks, link and order them. Pure, deterministic, linear in the difference.

Promises: all chunks together are the difference; each change is in exactly one chunk; `needs` have no circle;
any set of chunks that is closed under `needs` applies; ids depend on the input only.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import lru_cache

import msgspec

from agent.core.chunk import IN_ORDER, Budget, Chunk, Use
from agent.core.cutting.circles import closed
from agent.core.cutting.drafts import Draft, Drafts, join
from agent.core.cutting.halves import halves, moved
from agent.core.cutting.links import link, uses
from agent.core.cutting.moves import moves
from agent.core.cutting.order import Node, arrange, urgencies
from agent.core.cutting.reasons import Reasons
from agent.core.cutting.risk import assess, assess_all
from agent.core.cutting.settling import Settling
from agent.core.cutting.soundness import Checker
from agent.core.cutting.titles import title
from agent.core.hunk import ChangeKind, FileChange, FileState
from agent.core.lines.place import changes_between
from agent.core.outcome import States
from agent.core.text import digest, folders

Progress = Callable[[int, int], None]
"""Called with the number of files that are cut, and of all."""

OPENS = "opens a large diff"

Finished = tuple[Draft, Chunk]
"""A chunk, and the draft that it was made of."""


def cut(
    before: States,
    after: States,
    *,
    renames: Mapping[str, str] | None = None,
    needed: Mapping[str, Set[str]] = {},
    known: Mapping[str, Sequence[FileChange]] = {},
    budget: Budget | None = None,
    id_seed: str = "",
    progress: Progress | None = None,
    opening: str = "",
    opening_end: int = 0,
) -> tuple[Chunk, ...]:
    """The chunks that turn `before` into `after`, in the order of the stack.

    A path that is missing in `after` is unchanged; None is an absent file. `renames` maps old names to new ones.
    `needed` are files, none of which opens the difference, with those whose changes they need.
    `known` are changes that were found out before, as `changes_between` takes them. `opening` is a file that is merely
    modified: its chunks come first, the very ones that it is cut into alone. With `opening_end` that holds for its lines
    before this one, which no change touches.
    """
    sound = sound_renames(before, after, renames or {})
    changes = changes_between(before, after, sound, known)
    budget = budget or Budget()
    found: list[Finished] = []
    for part in _parts(changes, before, after, opening, opening_end):
        watch = progress if part.reason == IN_ORDER else None
        maker = Drafts(part.before, part.after, sound, budget, watch, crowded=part.is_upper)
        drafts = maker.of(part.changes, needed) if part.changes else ()
        cuts = finish(drafts, before, budget, id_seed, maker.checkers, found, part.reason)
        found += [_moved(one, opening, opening_end) for one in cuts] if part.is_lower else cuts
    return tuple(chunk for _, chunk in found)


class _Part(msgspec.Struct, frozen=True):
    """Changes that are cut together; `is_upper`, `is_lower`: (with) one half of the huge file that opens the difference."""

    changes: Sequence[FileChange]
    before: States
    after: States
    reason: str = IN_ORDER
    is_upper: bool = False
    is_lower: bool = False


def _parts(
    changes: Sequence[FileChange], before: States, after: States, opening: str, end: int
) -> Iterator[_Part]:
    """What opens the difference, if anything does, and all else."""
    own = [change for change in changes if change.path == opening]
    if own:
        others = [change for change in changes if change.path != opening]
        old, new = before[opening], after[opening]
        if not end or old is None or new is None:
            yield _Part(own, before, after, OPENS)
            yield _Part(others, before, after)
            return
        upper, lower = halves(own[0], old, new, end)
        yield _Part([upper.change], {opening: upper.old}, {opening: upper.new}, OPENS, is_upper=True)
        rest = [lower.change, *others] if lower.change.hunks else others
        yield _Part(rest, before | {opening: lower.old}, after | {opening: lower.new}, is_lower=True)
    else:
        yield _Part(changes, before, after)


def _moved(found: Finished, path: str, by: int) -> Finished:
    """What was cut of the lower half of a file, in lines of the whole."""
    draft, chunk = found
    draft.changes = [
        msgspec.structs.replace(change, hunks=moved(change.hunks, by)) if change.path == path else change
        for change in draft.changes
    ]
    return draft, msgspec.structs.replace(chunk, changes=tuple(draft.changes))


def sound_renames(before: States, after: States, renames: Mapping[str, str]) -> dict[str, str]:
    """Those renames whose old name goes and whose new name is free, and where no folder stands in the way."""
    sound: dict[str, str] = {}
    taken: set[str] = set()
    old_files = {path for path, state in before.items() if state is not None}
    new_files = {path for path, state in after.items() if state is not None}
    for old, new in renames.items():
        if old not in old_files or new not in new_files or new in taken:
            continue
        if after.get(old, before[old]) is not None or new in old_files:
            continue
        if _kind(before[old]) != _kind(after[new]) or _in_the_way(old, new, old_files, new_files):
            continue
        sound[old] = new
        taken.add(new)
    return sound


def _kind(state: FileState | None) -> int:
    return state.mode >> 12 if state is not None else 0


def _in_the_way(old: str, new: str, old_files: set[str], new_files: set[str]) -> bool:
    """True when a file becomes a folder, or the other way round, on the way of this rename."""
    return (
        any(folder in old_files for folder in folders(new))
        or any(folder in new_files for folder in folders(old))
        or any(path.startswith(f"{new}/") for path in old_files)
        or any(path.startswith(f"{old}/") for path in new_files)
    )


def finish(
    drafts: Sequence[Draft],
    before: States,
    budget: Budget,
    id_seed: str = "",
    checkers: Mapping[str, Checker] | None = None,
    ahead: Sequence[Finished] = (),
    reason: str = IN_ORDER,
) -> list[Finished]:
    """Drafts as chunks: linked, ordered, with ids, titles and reasons.

    `checkers` are those of files by path; `ahead` is what comes before these drafts, finished already. `reason` is
    why a chunk comes where it comes if there is no other.
    """
    link(drafts, before)
    drafts = closed(drafts, checkers or {}, budget)
    for index, move in moves(drafts)[0].items():
        drafts[index].after = dict.fromkeys(move.others, "") | drafts[index].after
    risks = assess_all([draft.changes for draft in drafts])
    nodes = [
        Node(draft.needs, set(draft.after), risk.level, bool(draft.folded), draft.follows)
        for draft, risk in zip(drafts, risks, strict=True)
    ]
    urgency = urgencies(nodes)
    order, joined, broken = _settled(arrange(nodes, urgency), drafts, checkers or {}, budget)
    order = _closed_up(order, drafts, broken, urgency)
    _count_parts(order, drafts)
    for index in joined:
        risks[index] = assess(drafts[index].changes)
    lines = _lines(drafts)
    ids = _ids(drafts, id_seed, {chunk.id for _, chunk in ahead})
    reasons = Reasons(drafts, order, lines)
    found: list[Finished] = []
    names = [*(chunk.id for _, chunk in ahead), *(ids[index] for index in order)]
    used = uses([*(draft for draft, _ in ahead), *(drafts[index] for index in order)], before)
    for at, index in enumerate(order):
        draft = drafts[index]
        chunk = Chunk(
            id=ids[index],
            title=title(draft.changes, draft.symbols, draft.part, opens=not draft.needs, line=lines[index]),
            why="",
            changes=tuple(draft.changes),
            risks=risks[index].reasons,
            needs=tuple(ids[need] for need in sorted(draft.needs)),
            uses=tuple(Use(names[other], name) for other, name in sorted(used[len(ahead) + at].items())),
            place_reason=reasons.of(at, risks[index].level.word, reason),
            folded=draft.folded,
            risk=risks[index].level.word,
        )
        found.append((draft, chunk))
    return found


def _lines(drafts: Sequence[Draft]) -> list[int]:
    """The first line of each draft that only its file names, as others of the same file are; 0 for all else."""
    nameless = [
        draft.changes[0].path if draft.changes[0].kind is ChangeKind.MODIFY and not any(draft.symbols) else ""
        for draft in drafts
    ]
    times = Counter(nameless)
    first = [next(iter(draft.changes[0].hunks), None) for draft in drafts]
    return [
        hunk.start + (0 if hunk.old else hunk.seq) + 1 if hunk is not None and path and times[path] > 1 else 0
        for hunk, path in zip(first, nameless, strict=True)
    ]


def _settled(
    order: Sequence[int], drafts: Sequence[Draft], checkers: Mapping[str, Checker], budget: Budget
) -> tuple[list[int], set[int], set[int]]:
    """`order` with the drafts of each file in such an order that the file parses after each.

    Drafts that only parse together become one, the first of them; the others are left out of the order. Also
    those that others were joined to, and those after which a file does not parse, or nobody knows.
    """
    joined: set[int] = set()
    places: dict[str, list[int]] = {}
    for at, index in enumerate(order):
        change = drafts[index].changes[0]
        if change.path in checkers and change.kind in (ChangeKind.MODIFY, ChangeKind.CREATE):
            places.setdefault(change.path, []).append(at)
    broken: set[int] = set()
    if not places:
        return list(order), joined, broken
    hunks = [tuple(hunk for change in draft.changes for hunk in change.hunks) for draft in drafts]
    needs = [draft.needs for draft in drafts]
    settled: list[int | None] = list(order)
    for path, own in places.items():
        members = [order[at] for at in own]
        checker, by_file = checkers[path], sorted(members)
        groups: list[tuple[int, ...]] = [(member,) for member in by_file]
        if checker.in_order:
            broken.update(by_file)
        if not (checker.in_order or (checker.settled and members == by_file)):
            settling = Settling(hunks, needs, checker, budget.hard_lines)
            groups = settling.order(members)
            broken.update(settling.forced, settling.unseen)
            checker.rest()
        slots = iter(own)
        for group in groups:
            settled[next(slots)] = group[0]
            for other in group[1:]:
                settled[next(slots)] = None
                joined.add(group[0])
                join(drafts, group[0], other)
    return [index for index in settled if index is not None], joined, broken


def _closed_up(
    order: Sequence[int], drafts: Sequence[Draft], broken: Set[int], urgency: Sequence[int]
) -> list[int]:
    """`order`, going on with a file as long as that is no worse: who reads stays where they are.

    All that a draft is better after is there then, and it is as urgent. The parts of one thing stay together in any
    case, and so does what goes on with a file that does not parse.
    """
    behind: dict[int, int] = {}
    latest: dict[str, int] = {}
    for index in order:
        path = drafts[index].changes[0].path
        if path in latest:
            behind[latest[path]] = index
        latest[path] = index
    found: dict[int, None] = {}
    for index in order:
        here = index
        while here not in found:
            found[here] = None
            following = behind.get(here)
            if following is None or not drafts[following].needs <= found.keys():
                break
            later = drafts[following]
            alike = urgency[following] == urgency[here] and later.folded == drafts[here].folded
            if here in broken or later.follows in found or (alike and later.after.keys() <= found.keys()):
                here = following
    return list(found)


def _count_parts(order: Sequence[int], drafts: Sequence[Draft]) -> None:
    """Number the parts of one thing as they come, and as many as they are now."""
    parts: dict[tuple[str, str], list[Draft]] = {}
    for index in order:
        if drafts[index].part[1] > 1:
            parts.setdefault((drafts[index].changes[0].path, drafts[index].symbols[0]), []).append(
                drafts[index]
            )
    for own in parts.values():
        for number, draft in enumerate(own, 1):
            draft.part = number, len(own)


def chunk_id(changes: Sequence[FileChange], id_seed: str = "") -> str:
    """The same for the same changes of the same input: 12 hex digits."""
    parts = [id_seed.encode("utf-8", "surrogateescape")]
    for change in changes:
        mode = -1 if change.mode is None else int(change.mode)
        parts.append(_told(change.path, change.kind, mode, change.new_path))
        for hunk in change.hunks:
            parts.append(b"%d %d %d %d" % (hunk.start, hunk.seq, len(hunk.old), len(hunk.new)))
            parts += hunk.old
            parts += hunk.new
    return digest(b"\0".join(parts))[:12]


@lru_cache(maxsize=256)
def _told(path: str, kind: ChangeKind, mode: int, new_path: str | None) -> bytes:
    return repr((path, kind.value, mode, new_path)).encode("ascii", "backslashreplace")


def _ids(drafts: Sequence[Draft], id_seed: str, taken: set[str]) -> list[str]:
    """An id for each draft, none of those that are `taken`."""
    ids: list[str] = []
    for draft in drafts:
        found, extra = chunk_id(draft.changes, id_seed), 0
        while found in taken:
            extra += 1
            found = chunk_id(draft.changes, f"{id_seed}\0{extra}")
        taken.add(found)
        ids.append(found)
    return ids


class TooBig(msgspec.Struct, frozen=True):
    """A proposal that no person should be asked to hold at once, with the borders at which it can be cut."""

    lines: int
    files: int
    borders: tuple[str, ...]


def fit(
    before: States,
    after: States,
    *,
    renames: Mapping[str, str] | None = None,
    budget: Budget | None = None,
    id_seed: str = "",
) -> tuple[Chunk, ...] | TooBig:
    """A proposal within the budget as one chunk's worth of changes, cut when it is over it, refused beyond the limit.

    One chunk when it fits the budget; several over the same base when it is larger; TooBig beyond the hard limit;
    none when nothing changes.
    """
    budget = budget or Budget()
    sound = sound_renames(before, after, renames or {})
    changes = changes_between(before, after, sound)
    if not changes:
        return ()
    lines = sum(hunk.changed for change in changes for hunk in change.hunks)
    files = len({change.path for change in changes})
    maker = Drafts(before, after, sound, budget, None)
    drafts = maker.of(changes)
    if lines > budget.hard_lines or files > budget.files:
        return TooBig(lines, files, tuple(chunk.title for _, chunk in finish(drafts, before, budget)))
    if lines <= budget.lines:
        whole = Draft(
            list(changes), symbols=tuple(dict.fromkeys(s for draft in drafts for s in draft.symbols))
        )
        return tuple(chunk for _, chunk in finish([whole], before, budget, id_seed))
    return tuple(chunk for _, chunk in finish(drafts, before, budget, id_seed, maker.checkers))


def title_of(before: States, after: States) -> str:
    """The title of all of a difference as one chunk; empty when there is none."""
    everything = Budget(lines=sys.maxsize, hard_lines=sys.maxsize, files=sys.maxsize)
    found = fit(before, after, budget=everything)
    return "" if isinstance(found, TooBig) or not found else found[0].title
