"""Where chunks meet files: bases and pre-images are stored, cards are made, approved sets are written, undone.

The desk holds no state of the session; it is given one and returns events. What it writes goes through the
`Target`, which compares and swaps; what it reads for a card is what the approval will bind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from agent.core import events as ev
from agent.core.cards.view import unknown_names
from agent.core.chunk import Budget, Chunk
from agent.core.cutting.cut import TooBig, fit, title_of
from agent.core.cutting.split import numbered_as, split
from agent.core.errors import CopairError, PathRefused, StateError
from agent.core.frontend import Card
from agent.core.hunk import FileState, Write, writes_digest
from agent.core.lines.merge import merge_states
from agent.core.lines.place import changes_between
from agent.core.lines.stack import AlreadyPresent, Step, place_step, reach, renames, reviewed, step
from agent.core.outcome import Applied, Clash, Drifted, Refused, States
from agent.core.patches.patch_print import print_writes
from agent.core.replies.reply import EditProblem, ModelEdit, Resolved, resolve
from agent.core.review import shown_evidence
from agent.core.secrets import is_secret_path, redact
from agent.core.sessions.named import titled
from agent.core.sessions.session import Item, State, Status
from agent.core.sessions.state import BACK, waiting_for
from agent.core.sessions.steps import Approval, is_review
from agent.core.testfile import is_test_path
from agent.core.text import digest as text_digest
from agent.ports import BlobStore, Clock, Target

NOTHING_LEFT = "nothing to take back: the files are as before it already"

MAX_TESTS = 100
"""So many test chunks of a stack count as *before* of another chunk."""


class Desk:
    def __init__(
        self, *, target: Target, blobs: BlobStore, clock: Clock, known_paths: Callable[[], Sequence[str]],
        budget: Budget, checks: tuple[str, ...] = (), knows: Callable[[str], bool] | None = None,
        mark: Callable[[], str] = str,
    ) -> None:  # fmt: skip
        """`mark` gives another word once the files around the chunks, or the checks, have changed."""
        self._mark = mark
        self._target = target
        self._blobs = blobs
        self._clock = clock
        self._known_paths = known_paths
        self.budget = budget
        self._checks = checks
        self._knows = knows
        self._tests: dict[str, bool] = {}
        self.remarks: dict[str, str] = {}
        """What else a card says of a chunk, by its id: from an earlier session."""
        self._judged: dict[tuple[str, str], tuple[str, ...]] = {}

    def store(self, states: States) -> ev.StoredStates:
        """Put contents into the blob store before an event names them. Raises StateError."""
        try:
            digests = self._blobs.put_all([state.data for state in states.values() if state is not None])
        except OSError as error:
            raise StateError(
                f"cannot save what is needed to take changes back: {error.strerror}",
                hint="make room in the state folder",
                untouched="no file of yours was changed",
            ) from error
        names = iter(digests)
        return {
            path: ev.StoredState(state.mode, next(names)) if state is not None else None
            for path, state in states.items()
        }

    def load(self, stored: ev.StoredStates) -> States:
        return {path: self._load_one(state) for path, state in stored.items()}

    def _load_one(self, stored: ev.StoredState | None) -> FileState | None:
        return FileState(stored.mode, self._blobs.get(stored.blob)) if stored else None

    def read(self, paths: Iterable[str]) -> States:
        """The files as they are now. Raises PathRefused."""
        return {path: self._target.read(path) for path in paths}

    def _step(self, state: State, item: Item) -> Step:
        source = state.source_of(item)
        applied = [
            other.chunk
            for other in state.items
            if other.proposal == item.proposal and other.status in (Status.APPLIED, Status.PRESENT)
        ]
        names, _ = reach(item.chunk, applied)
        bases = {path: stored for path, stored in source.bases.items() if path in names}
        return step(item.chunk, self.load(bases), applied)

    def writes(self, state: State, item: Item) -> tuple[Write, ...] | AlreadyPresent | Clash:
        """What a yes to this item would write now, byte for byte."""
        try:
            work = self._step(state, item) if item.edited is None else self._own(item, item.edited)
            placed = place_step(work, self.read(work.paths))
        except PathRefused as error:
            return Clash(item.chunk.paths[0], error.message)
        return reviewed(placed) if isinstance(placed, Clash) and is_review(state) else placed

    def _own(self, item: Item, edited: ev.StoredStates) -> Step:
        """What the person's version does to the files that it was made of."""
        target = self.load(edited)
        return Step(self.read(target) | self.load(item.edited_over), target, renames(item.chunk))

    def shown(self, state: State, item: Item) -> tuple[Write, ...]:
        """What the chunk is, for a card of what is in the tree already; a yes to it writes nothing."""
        work = self._step(state, item)
        return tuple(Write(path, work.expected[path], target) for path, target in work.target.items())

    def conflict(self, state: State, item: Item) -> tuple[Write, ...]:
        """What does not fit as changes that a person can look at: both texts between marks; none of files without lines."""
        work = self._step(state, item) if item.edited is None else self._own(item, item.edited)
        now = self.read(work.paths)
        found: list[Write] = []
        for path, target in work.target.items():
            merged = None if work.moved else merge_states(work.expected[path], target, now[path])
            if merged is None:
                return ()
            if merged != now[path]:
                found.append(Write(path, now[path], merged))
        return tuple(found)

    def taken_out(self, state: State, item: Item) -> tuple[Write, ...]:
        """What would take a chunk that is in the files already out of them; empty when that cannot be told."""
        work = self._step(state, item)
        try:
            back = place_step(Step(work.target, work.expected, work.moved), self.read(work.paths))
        except PathRefused:
            return ()
        return back if isinstance(back, tuple) else ()

    def way_back(self, state: State, item: Item) -> ev.Event:
        """The opposite of a chunk that is in the tree, as a chunk of its own that waits for a decision."""
        work = self._step(state, item)
        changes = changes_between(work.target, work.expected)
        back = Chunk(
            id=f"{item.chunk.id}{BACK}",
            title=f"Take back: {item.chunk.title}",
            why="You do not want what is in the tree already; this brings back what was before.",
            changes=changes,
        )
        return ev.Proposed(f"{item.proposal}-{item.chunk.id}{BACK}", "", (back,), self.store(work.target))

    def as_diff(self, card: Card) -> str:
        """A card's writes as a diff, for a model that is asked about them; secrets are withheld."""
        open_ones = [write for write in card.writes if not is_secret_path(write.path)]
        text, _ = redact(print_writes(open_ones).decode("utf-8", "replace"))
        names = [write.path for write in card.writes if is_secret_path(write.path)]
        return text + "".join(f"[withheld: {name}, a path where secrets lie]\n" for name in names)

    def card(
        self,
        state: State,
        item: Item,
        writes: tuple[Write, ...],
        notes: tuple[str, ...] = (),
        *,
        checking: bool = False,
        out: tuple[Write, ...] | None = None,
        conflict: bool = False,
    ) -> Card:
        """The card of `item`, from exactly `writes`. `checking`: more evidence comes. `conflict`: they have marks.

        `out` is not None: it is there already, yes keeps it, and its evidence is of taking it out and in again.
        """
        base = self.evidence_key(state, item, out)
        siblings = [other for other in state.items if other.proposal == item.proposal]
        digest = writes_digest(writes)
        return Card(
            chunk=item.chunk,
            writes=writes,
            evidence=shown_evidence(item.evidence, digest, base, checking=checking),
            position=siblings.index(item) + 1,
            total=0 if state.growing else len(siblings),
            unknown_names=self._unknown(item.chunk, writes, digest),
            notes=(
                *notes,
                *_without(state, item),
                *filter(None, (self.remarks.get(item.chunk.id),)),
                *_needed(state, item),
            ),
            deferred=item.status is Status.DEFERRED,
            edited=item.edited is not None,
            onto=state.onto,
            present=out is not None,
            conflict=conflict,
            checks=self._checks,
            checking=checking,
            base=base,
        )

    def _unknown(self, chunk: Chunk, writes: tuple[Write, ...], digest: str) -> tuple[str, ...]:
        """Judged once for each version of a chunk: a card is drawn anew for every piece of evidence."""
        key = (chunk.id, digest)
        if key not in self._judged:
            self._judged[key] = unknown_names(chunk, writes, self._known_paths, self._knows)
        return self._judged[key]

    def digest(self, path: str) -> str | None:
        """`FileState.digest` of the file now; None when it is absent or may not be read."""
        try:
            now = self._target.read(path)
        except PathRefused:
            return None
        return now.digest if now else None

    def resolve(self, edits: Sequence[ModelEdit]) -> Resolved | tuple[EditProblem, ...]:
        """Match the edits of a proposal against the files as they are. Raises PathRefused."""
        return resolve(edits, self._target.read, self._known_paths)

    def fit(self, resolved: Resolved) -> tuple[Chunk, ...] | TooBig:
        """The chunks of a proposal, under the budget; or why it must come smaller."""
        return fit(resolved.before, resolved.after, renames=resolved.renames, budget=self.budget)

    def split(self, state: State, item: Item) -> tuple[Chunk, ...]:
        """`item` in smaller pieces over the same base; one piece when it cannot be split."""
        return split(item.chunk, self.load(state.source_of(item).bases), self.budget)

    def tests_before(self, state: State, item: Item) -> tuple[Write, ...]:
        """What counts as *before* of the evidence: open chunks of the same proposal that only change tests."""
        mine = set(item.chunk.paths)
        found: dict[str, Write] = {}
        for other in self._tests_beside(state, item)[:MAX_TESTS]:
            placed = () if mine & set(other.chunk.paths) else self.writes(state, other)
            for write in placed if isinstance(placed, tuple) else ():
                found.setdefault(write.path, write)
        return tuple(found.values())

    def evidence_key(self, state: State, item: Item, out: tuple[Write, ...] | None = None) -> str:
        """What evidence rests on besides the chunk: the writes so far, and the tests that count as *before*.

        For what is there already also the files that it is taken out of.
        """
        tests = [(other.chunk.id, other.edited) for other in self._tests_beside(state, item)]
        files = "" if out is None else writes_digest(out)
        words = msgspec.json.encode((len(state.written), tests, self._mark(), files))
        return text_digest(words)

    def _tests_beside(self, state: State, item: Item) -> list[Item]:
        if self._is_tests(item.chunk):
            return []
        return [
            other
            for other in state.items
            if other.proposal == item.proposal
            and other.status is Status.PENDING
            and self._is_tests(other.chunk)
        ]

    def _is_tests(self, chunk: Chunk) -> bool:
        if chunk.id not in self._tests:
            self._tests[chunk.id] = all(is_test_path(path) for path in chunk.paths)
        return self._tests[chunk.id]

    def written_before(self, approval: Approval) -> ev.Wrote | None:
        """What a session that ended before it could say so has written of this yes; None when nothing. Raises StateError."""
        writes = self._target.done(approval.set_id)
        if writes is None:
            return None
        return ev.Wrote(approval.chunk, approval.set_id, approval.digest, writes, self._clock.now())

    def write(self, state: State, approval: Approval) -> ev.Event:
        """Do exactly what was approved, or nothing."""
        try:
            return self._write(state, approval)
        except CopairError as error:
            # The yes must not outlive this: else a later session would write what this one said it did not.
            return ev.WriteRefused(approval.chunk, _words(error))

    def _write(self, state: State, approval: Approval) -> ev.Event:
        item = state.item(approval.chunk)
        assert item is not None
        placed = self.writes(state, item)
        match placed:
            case Clash(path=path, reason=reason):
                return ev.WriteRefused(approval.chunk, reason, (path,), drifted=True)
            case AlreadyPresent():
                return ev.Present(approval.chunk)
            case _ if writes_digest(placed) != approval.digest:
                paths = tuple(write.path for write in placed)
                return ev.WriteRefused(
                    approval.chunk, "changed since the card was shown", paths, drifted=True
                )
        stored = self._store_writes(placed)
        match self._target.write(approval.set_id, placed):
            case Applied(left=left):
                return ev.Wrote(
                    approval.chunk,
                    approval.set_id,
                    approval.digest,
                    stored,
                    self._clock.now(),
                    _digests(placed),
                    left,
                )
            case Drifted(paths=paths):
                return ev.WriteRefused(
                    approval.chunk, "changed since the card was shown", paths, drifted=True
                )
            case Refused(path=path, reason=reason, hint=hint):
                words = f"{reason}; {hint}" if hint else reason
                return ev.WriteRefused(approval.chunk, words, (path,))

    def _store_writes(self, writes: Sequence[Write]) -> tuple[ev.StoredWrite, ...]:
        old = self.store({write.path: write.old for write in writes})
        new = self.store({write.path: write.new for write in writes})
        return tuple(ev.StoredWrite(path, old[path], new[path]) for path in old)

    def undo(self, state: State, item: Item) -> ev.Event:
        """Take back what was written last for `item`: an applied set, or (redo) an undone one."""
        try:
            return self._undo(state, item)
        except CopairError as error:
            return ev.UndoRefused(item.chunk.id, _words(error))

    def back(self, item: Item) -> tuple[Write, ...] | AlreadyPresent | Clash:
        """What would take back what was written last for `item`. Raises PathRefused."""
        post = {done.path: self._load_one(done.new) for done in item.writes}
        pre = {done.path: self._load_one(done.old) for done in item.writes}
        return place_step(Step(post, pre, renames(item.chunk)), self.read(pre))

    def _undo(self, state: State, item: Item) -> ev.Event:
        redo = item.counts_as(Status.UNDONE)
        writes = self.back(item)
        if isinstance(writes, Clash):
            return ev.UndoRefused(item.chunk.id, f"{writes.path}: {writes.reason}")
        # Named by what it takes back: it is found where a kill came before it was written down.
        set_id = f"{state.session}.{item.chunk.id}.undo-{text_digest(item.set_id.encode())[:12]}"
        done = self._target.done(set_id)
        if isinstance(writes, AlreadyPresent) and done is not None:
            after = self.load({write.path: write.new for write in done})
            read = {path: now.digest for path, now in after.items() if now is not None}
            return ev.Undone(item.chunk.id, set_id, done, redo, self._clock.now(), read)
        if isinstance(writes, AlreadyPresent):
            return ev.UndoRefused(item.chunk.id, NOTHING_LEFT)
        if done is not None:  # and the person has brought back since what it took out
            set_id += f"-{self._clock.now():.6f}"
        stored = self._store_writes(writes)
        match self._target.write(set_id, writes):
            case Applied(left=left):
                return ev.Undone(
                    item.chunk.id, set_id, stored, redo, self._clock.now(), _digests(writes), left
                )
            case Drifted(paths=paths):
                return ev.UndoRefused(item.chunk.id, f"{', '.join(paths)} changed meanwhile; try again")
            case Refused(path=path, reason=reason):
                return ev.UndoRefused(item.chunk.id, f"{path}: {reason}")

    def edited(self, card: Card, states: States) -> ev.Event:
        """The person's version of what a card shows, with the difference to it as a diff for the model.

        Files of the card that are not in `states` are left as they are.
        """
        shown = {write.path: write for write in card.writes}
        over = {path: write.old for path, write in shown.items() if path in states}
        mine = {path: write.old for path, write in shown.items()} | states
        proposed = {path: shown[path].new if path in shown else None for path in mine}
        difference = print_writes([Write(path, proposed[path], new) for path, new in mine.items()])
        words = difference.decode("utf-8", "replace")
        title = "" if card.chunk.why else numbered_as(title_of(over, states), card.chunk.title)
        return ev.ChunkEdited(card.chunk.id, self.store(states), words, self.store(over), title)


def _words(error: CopairError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _needed(state: State, item: Item) -> tuple[str, ...]:
    """What waits when the person says no. In a conversation the place of the chunk says it."""
    count = len(waiting_for(state, item)) if is_review(state) else 0
    words = "1 later chunk needs" if count == 1 else f"{count} later chunks need"
    return (f"{words} this",) if count else ()


def _without(state: State, item: Item) -> tuple[str, ...]:
    """What this chunk uses and is not in the files: it can be applied all the same."""
    words = {
        Status.REJECTED: "you refused",
        Status.UNDONE: "you took back",
        Status.DEFERRED: "you put off",
        Status.BLOCKED: "is blocked",
        Status.PENDING: "is not staged yet" if state.onto == "index" else "is not applied yet",
    }
    uses = [(use, state.item(use.chunk)) for use in item.chunk.uses]
    return tuple(
        f"uses `{use.name}` of chunk {titled(state, other)}, which {words[other.status]}"
        for use, other in uses
        if other is not None and other.status in words
    )


def _digests(writes: Iterable[Write]) -> dict[str, str]:
    return {write.path: write.new.digest for write in writes if write.new}
