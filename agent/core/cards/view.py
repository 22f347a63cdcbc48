"""A card as data: clean text only, in rows that any frontend can draw. Built from the exact bytes of a yes.

Promise: `card_view` is pure, and what it shows of the files comes from the writes alone, never from the model's
words. It knows no colours, keys or widths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from agent.core.cards.rows import Row, RowKind, Side, file_rows
from agent.core.cards.special import Level, Special, renames, specials
from agent.core.chunk import IN_ORDER, Chunk, Grade
from agent.core.clean import Clean, Segment, clean, concat, segments
from agent.core.cutting.risk import assess
from agent.core.frontend import Card
from agent.core.hunk import Mode, Write, writes_digest
from agent.core.lines.splice import diff
from agent.core.review import ALL_TESTS, Evidence, EvidenceKind, Verdict, is_stale
from agent.core.scrutiny.claims import SPAN, names_in, unknown_names

__all__ = ["CardView", "EvidenceLine", "FileView", "Level", "Special", "card_view", "unknown_names"]

UNFOLDED_ROWS = 20_000


class EvidenceLine(msgspec.Struct, frozen=True):
    """One piece of evidence. A stale one was made for other bytes than the card's."""

    verdict: Verdict
    text: Clean
    stale: bool
    details: Clean
    said: bool = False
    """A special line says it already."""


class FileView(msgspec.Struct, frozen=True):
    """One file of the card. `language` is the clean file name that a lexer is chosen by."""

    path: Clean
    language: Clean
    added: int
    removed: int
    hunks: int
    because: tuple[tuple[Segment, ...], ...]
    rows: tuple[Row, ...]


class CardView(msgspec.Struct, frozen=True):
    """`place` is "2 of 5"; `place_reason` says why it comes there. `risks` of the model are `model_risks`.

    `checking`: more evidence may come. `risky`: a yes needs the word `apply`. `can_split`: there is more than
    one hunk, file or line.
    """

    chunk: Clean
    digest: str
    title: Clean
    place: Clean
    place_reason: Clean
    why: tuple[Segment, ...]
    serves: Clean
    assumes: tuple[Clean, ...]
    model_risks: tuple[Clean, ...]
    unknown: tuple[Clean, ...]
    notes: tuple[Clean, ...]
    evidence: tuple[EvidenceLine, ...]
    checking: bool
    specials: tuple[Special, ...]
    files: tuple[FileView, ...]
    risky: bool
    can_split: bool
    checks: tuple[Clean, ...]
    yes: str
    """What a yes does: `apply`, `stage`, `keep` or `leave`."""
    no: str
    """What a no does: `reject` or `leave`."""
    context: int
    unanswered: bool

    @property
    def added(self) -> int:
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        return sum(file.removed for file in self.files)

    @property
    def size(self) -> Clean:
        """`src/parse.py +2 −1`, or the number of files."""
        where = self.files[0].path if len(self.files) == 1 else clean(f"{len(self.files)} files")
        return concat(where, clean(f" +{self.added} −{self.removed}"))


def card_view(card: Card, *, context: int = 3, unfold: bool = False) -> CardView:
    """What is to be shown of `card`, with `context` lines around each hunk; `unfold` shows what is long."""
    chunk = card.chunk
    found = (*_weakened(card.evidence), *specials(card.writes))
    unknown = frozenset(card.unknown_names)
    files = tuple(_files(card, context, unfold, unknown))
    return CardView(
        chunk=clean(chunk.id),
        digest=card.digest,
        title=clean(chunk.title),
        place=clean(f"{card.position} of {card.total or '…'}"),
        place_reason=clean(_place_reason(chunk.place_reason)),
        why=prose(chunk.why, unknown),
        serves=clean(chunk.serves),
        assumes=tuple(clean(text) for text in chunk.assumes),
        model_risks=tuple(clean(text) for text in chunk.risks if not _is_said(text, chunk, found)),
        unknown=tuple(clean(name) for name in card.unknown_names),
        notes=_notes(card, found),
        evidence=tuple(
            _evidence(evidence, writes_digest(card.writes), card.base) for evidence in card.evidence
        ),
        checking=card.checking,
        specials=found,
        files=files,
        risky=card.writes_on_yes and any(special.level is Level.RISK for special in found),
        can_split=_can_split(card, files),
        checks=tuple(clean(name) for name in card.checks),
        yes=card.yes,
        no=card.no,
        context=context,
        unanswered=card.unanswered,
    )


def _can_split(card: Card, files: Sequence[FileView]) -> bool:
    """Also one hunk of several lines is split; a file goes away, and a person's own version comes, as a whole."""
    if card.edited:
        return False
    if len(files) > 1 or sum(file.hunks for file in files) > 1:
        return True
    stays = all(write.new is not None for write in card.writes)
    return stays and any(max(file.added, file.removed) > 1 for file in files)


def prose(text: str, unknown: Iterable[str] = ()) -> tuple[Segment, ...]:
    """The model's words: `strong` what stands in backticks (which go), marks what does not show or exist."""
    names = frozenset(unknown)
    parts: list[Segment] = []
    at = 0
    for match in SPAN.finditer(text):
        parts += segments(text[at : match.start()])
        missing = any(name in names for name in names_in(match[0]))
        parts += [Segment(part.text, part.mark or missing, True) for part in segments(match[1])]
        at = match.end()
    return (*parts, *segments(text[at:]))


def _weakened(evidence: Sequence[Evidence]) -> Iterable[Special]:
    for piece in evidence:
        if _is_weakened(piece):
            yield Special(clean(f"weakened tests: {piece.summary}"), Level.RISK)


def _is_said(text: str, chunk: Chunk, found: Sequence[Special]) -> bool:
    """Whether special lines say a risk of each file that has it: the risk itself names none."""
    risky = {change.path for change in chunk.changes if text in assess((change,)).reasons}
    return bool(risky) and risky <= {special.path for special in found if text in special.says}


def _is_weakened(piece: Evidence) -> bool:
    return piece.kind is EvidenceKind.WEAKENED and piece.verdict in (Verdict.CONTRADICTED, Verdict.PARTLY)


def _place_reason(text: str) -> str:
    """That there is no reason is none."""
    return text.removeprefix(IN_ORDER).removeprefix("; ")


def _notes(card: Card, found: Sequence[Special]) -> tuple[Clean, ...]:
    notes = list(card.notes)
    if card.edited:
        notes.append("this is your own version")
    if card.deferred:
        notes.append("you put this one off before")
    if card.chunk.folded and not any(card.chunk.folded in special.says for special in found):
        notes.append(card.chunk.folded)
    return tuple(clean(note) for note in notes)


def _evidence(piece: Evidence, digest: str, base: str) -> EvidenceLine:
    parts = [piece.summary or piece.command]
    parts.append(_where(piece))
    if not piece.tests.startswith(ALL_TESTS):
        parts.append(piece.tests)
    if piece.sandbox and piece.sandbox != "full":
        parts.append(f"sandbox: {piece.sandbox}")
    ran = piece.tests and f"{piece.tests} ran"
    shown = [piece.command and f"$ {piece.command}", ran, piece.quote, piece.details]
    return EvidenceLine(
        piece.verdict,
        clean(" · ".join(part for part in parts if part)),
        is_stale(piece, digest, base),
        clean("\n".join(part for part in shown if part), multiline=True),
        _is_weakened(piece) and not is_stale(piece, digest, base),
    )


def _where(piece: Evidence) -> str:
    """The place of a piece, but for what its summary names already."""
    path, _, line = piece.where.rpartition(":")
    if path and line.isdigit() and path in piece.summary:
        return f"line {line}"
    return "" if piece.where in piece.summary else piece.where


def _files(card: Card, context: int, unfold: bool, unknown: frozenset[str]) -> Iterable[FileView]:
    moved = renames(card.writes)
    by_path = {write.path: write for write in card.writes}
    origin = {new: old for old, new in moved.items()}
    for write in card.writes:
        if write.path in moved:
            continue
        old_path = origin.get(write.path, write.path)
        before = Write(write.path, by_path[old_path].old, write.new)
        body = _body(before, context, unfold, bool(card.chunk.folded))
        shown = clean(write.path, spaces=True)
        if old_path != write.path:
            shown = concat(clean(old_path, spaces=True), clean(" → "), shown)
        yield FileView(
            path=shown,
            language=clean(write.path.rpartition("/")[2]),
            added=body.added,
            removed=body.removed,
            hunks=body.hunks,
            because=tuple(dict.fromkeys(_because(card, (old_path, write.path), unknown))),
            rows=body.rows,
        )


def _because(card: Card, paths: tuple[str, str], unknown: frozenset[str]) -> Iterable[tuple[Segment, ...]]:
    for because in card.chunk.because:
        if because.path not in paths:
            continue
        line = prose(because.text, unknown)
        if because.grade is not Grade.EXACT:
            line = (*line, Segment(clean(f"  (matched apart from: {because.grade})"), mark=True))
        if line:
            yield line


class _Body(msgspec.Struct, frozen=True):
    rows: tuple[Row, ...]
    added: int
    removed: int
    hunks: int = 1


@lru_cache(maxsize=8)
def _body(write: Write, context: int, unfold: bool, folded: bool) -> _Body:
    """Rows of one file. Links are shown as their target. Remembered: each piece of evidence makes a new card."""
    special = {Mode.SYMLINK, Mode.SUBMODULE}
    if any(state is not None and state.mode in special for state in (write.old, write.new)):
        return _Body(tuple(_link_rows(write)), int(write.new is not None), int(write.old is not None))
    old, new = Side.of(write.old), Side.of(write.new)
    if old is None or new is None:
        return _Body((Row(RowKind.NOTE, (Segment(clean("binary: not shown")),)),), 0, 0)
    hunks = diff(old.lines, new.lines)
    added, removed = sum(len(hunk.new) for hunk in hunks), sum(len(hunk.old) for hunk in hunks)
    if folded and not unfold:
        text = clean(f"{added + removed:,} changed lines folded · v shows them")
        return _Body((Row(RowKind.FOLD, (Segment(text),)),), added, removed, len(hunks))
    rows = file_rows(old, new, hunks, context=context, unfold=unfold, path=write.path)
    if len(rows) > UNFOLDED_ROWS:
        text = clean(f"{len(rows) - UNFOLDED_ROWS:,} more lines: too many to show here")
        rows = (*rows[:UNFOLDED_ROWS], Row(RowKind.FOLD, (Segment(text),)))
    return _Body(rows, added, removed, len(hunks))


def _link_rows(write: Write) -> Iterable[Row]:
    if write.old is not None:
        yield Row(RowKind.REMOVE, segments(write.old.data, spaces=True), old_no=1)
    if write.new is not None:
        yield Row(RowKind.ADD, segments(write.new.data, spaces=True), new_no=1)
