"""A session as a document to show to others: Markdown, or one HTML page that needs nothing else. Redacted.

Made from the journal's events and the stored contents; every card stands where it was decided. Secrets by pattern
are replaced, contents of secret paths are left out, and both are counted. Knows no files and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from agent.core import events as ev
from agent.core.cards.view import CardView, card_view
from agent.core.chunk import Chunk
from agent.core.clean import Clean, clean
from agent.core.errors import StateError
from agent.core.frontend import Card
from agent.core.hunk import FileState, Write
from agent.core.lines.place import outcome
from agent.core.review import Approve, Evidence
from agent.core.secrets import is_secret_path, redact
from agent.ui.story import Saying, Story

Load = Callable[[str], bytes]
"""Stored bytes by their digest; raises StateError when they are gone."""


class Words(msgspec.Struct, frozen=True):
    """Something that was said. `who`: `person`, `model`, `question`."""

    who: str
    text: Clean


class Shown(msgspec.Struct, frozen=True):
    """A card as it was decided."""

    view: CardView


Entry = Words | Shown | Saying


class Document(msgspec.Struct, frozen=True):
    title: Clean
    model: Clean
    entries: tuple[Entry, ...]
    withheld: int


class _Writer:
    """Goes through the events and gathers entries."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._story = Story()
        self._chunks: dict[str, Chunk] = {}
        self._bases: dict[str, ev.StoredStates] = {}
        self._evidence: dict[str, list[Evidence]] = {}
        self._shown: set[str] = set()
        self.withheld = 0
        self.model = ""
        self.first = ""

    def entries(self, event: ev.Event) -> Iterable[Entry]:
        match event:
            case ev.Started(model=model):
                self.model = model
            case ev.Said(text=text):
                self.first = self.first or text
                yield Words("person", self._prose(text))
            case ev.Replied(text=text) if text.strip():
                yield Words("model", self._prose(text))
            case ev.Asked(question=question):
                options = [f"{n}. {option}" for n, option in enumerate(question.options, 1)]
                yield Words(
                    "question", self._prose("\n".join([question.text, question.why_it_matters, *options]))
                )
            case ev.Proposed(chunks=chunks, bases=bases):
                self._learn(chunks, bases)
            case ev.ChunkSplit(chunk=chunk, parts=parts):
                self._learn(parts, self._bases.get(chunk, {}))
            case ev.Examined(chunk=chunk, evidence=evidence):
                self._evidence.setdefault(chunk, []).append(evidence)
            case ev.Decided(chunk=chunk, decision=decision) if not isinstance(decision, Approve):
                yield from self._card(chunk, self._proposed(chunk))
            case ev.Wrote(chunk=chunk, writes=writes):
                self._shown.discard(chunk)
                yield from self._card(
                    chunk, [Write(w.path, self._state(w.old), self._state(w.new)) for w in writes]
                )
            case _:
                pass  # what remains of the others is their quiet line
        for saying in self._story.tell(event):
            yield Saying(
                saying.sign, saying.word, self._prose(saying.text), saying.style, self._prose(saying.hint)
            )

    def _learn(self, chunks: Iterable[Chunk], bases: ev.StoredStates) -> None:
        for chunk in chunks:
            self._chunks[chunk.id] = chunk
            self._bases[chunk.id] = bases

    def _prose(self, text: str) -> Clean:
        found, count = redact(text)
        self.withheld += count
        return clean(found, multiline=True)

    def _state(self, stored: ev.StoredState | None) -> FileState | None:
        """A stored file with its secrets replaced, line for line."""
        if stored is None:
            return None
        try:
            data = self._load(stored.blob)
        except StateError:
            return FileState(stored.mode, b"(its content is not stored any more)\n")
        return self._redacted(FileState(stored.mode, data))

    def _proposed(self, name: str) -> list[Write]:
        """What a chunk that was not applied would have changed, over the base of its proposal."""
        chunk = self._chunks.get(name)
        if chunk is None:
            return []
        stored = {path: state for path, state in self._bases[name].items() if path in chunk.paths}
        try:
            base = {p: FileState(s.mode, self._load(s.blob)) if s else None for p, s in stored.items()}
            after = outcome(base, chunk.changes)
        except (StateError, ValueError):
            return []
        return [
            Write(p, self._redacted(base.get(p)), self._redacted(new))
            for p, new in after.items()
            if base.get(p) != new
        ]

    def _redacted(self, state: FileState | None) -> FileState | None:
        if state is None:
            return None
        found, count = redact(state.data.decode("utf-8", "surrogateescape"))
        self.withheld += count
        return FileState(state.mode, found.encode("utf-8", "surrogateescape")) if count else state

    def _card(self, name: str, writes: Sequence[Write]) -> Iterable[Entry]:
        chunk = self._chunks.get(name)
        if chunk is None or name in self._shown:
            return
        self._shown.add(name)
        secret = [write.path for write in writes if is_secret_path(write.path)]
        self.withheld += len(secret)
        notes = tuple(f"the content of {path} is withheld" for path in secret)
        open_writes = tuple(write for write in writes if write.path not in secret)
        texts = {
            field: self._prose(getattr(chunk, field)) for field in ("title", "why", "serves", "place_reason")
        }
        told = msgspec.structs.replace(
            chunk,
            **texts,
            assumes=tuple(self._prose(text) for text in chunk.assumes),
            risks=tuple(self._prose(text) for text in chunk.risks),
            because=tuple(msgspec.structs.replace(one, text=self._prose(one.text)) for one in chunk.because),
        )
        evidence = tuple(self._told(piece) for piece in self._evidence.get(name, []))
        card = Card(told, open_writes, evidence, notes=notes)
        digest = card.digest
        # The digests were made for the bytes as they were; here the question of staleness is over.
        card = msgspec.structs.replace(
            card, evidence=tuple(msgspec.structs.replace(piece, digest=digest, base="") for piece in evidence)
        )
        view = card_view(card)
        self._story.learn(name, view)
        yield Shown(view)

    def _told(self, piece: Evidence) -> Evidence:
        fields = ("summary", "command", "before", "after", "quote", "where", "details")
        return msgspec.structs.replace(piece, **{name: self._prose(getattr(piece, name)) for name in fields})


def document(events: Iterable[ev.Event], load: Load) -> Document:
    """The whole session, redacted."""
    writer = _Writer(load)
    entries = [entry for event in events for entry in writer.entries(event)]
    title = clean(redact(writer.first)[0]) or clean("a session")
    return Document(title, clean(writer.model), tuple(entries), writer.withheld)
