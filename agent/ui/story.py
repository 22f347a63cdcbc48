"""Journal events as quiet lines: what remains in the scrollback of what happened. Shared by all frontends.

Remembers titles of chunks, sizes of cards and what ran, nothing else. All texts are clean.
"""

from __future__ import annotations

import msgspec

from agent.core import events as ev
from agent.core.cards.view import CardView
from agent.core.clean import EMPTY, Clean, clean, concat
from agent.core.review import TAKEN_BACK, Approve, Ask, Decision, Defer, Edit, Reject, Revise, Split
from agent.core.scrutiny.run_claims import Runs, named, unbacked


class Saying(msgspec.Struct, frozen=True):
    """One quiet line: a sign for the eye, a word that says the same, what it is about, and a hint."""

    sign: str
    word: Clean
    text: Clean
    style: str = "dim"
    hint: Clean = EMPTY


def _left(event: ev.Event) -> tuple[Saying, ...]:
    """Where the person's bytes lie that came in the very moment of a write."""
    if not isinstance(event, ev.Wrote | ev.Undone) or not event.left:
        return ()
    text = "what was saved into the old file meanwhile is in " + ", ".join(event.left)
    return (_said("!", "kept", clean(text), "warn"),)


def _said(sign: str, word: str, text: Clean, style: str = "dim", hint: Clean = EMPTY) -> Saying:
    return Saying(sign, clean(word), text, style, hint)


class Story:
    """Turns events into sayings."""

    def __init__(self) -> None:
        self._titles: dict[str, Clean] = {}
        self._sizes: dict[str, Clean] = {}
        self._runs = Runs()
        self._done = "applied"

    def learn(self, chunk: str, view: CardView) -> None:
        """Remember what a card showed, for the line that remains of it."""
        self._titles[chunk] = view.title
        self._sizes[chunk] = view.size
        self._done = "staged" if view.yes == "stage" else "applied"

    def tell(self, event: ev.Event) -> tuple[Saying, ...]:
        """The lines of one event; most have none."""
        self._runs = self._runs.after(event)
        match event:
            case ev.Proposed(chunks=chunks) | ev.ChunkSplit(parts=chunks):
                self._titles |= {chunk.id: clean(chunk.title) for chunk in chunks}
                if isinstance(event, ev.ChunkSplit):
                    return (_said("÷", "split", clean(f"into {len(chunks)} chunks")),)
                return (
                    (_said("·", "proposed", clean(f"{len(chunks)} chunks")),)
                    if len(chunks) > 1 and event.call_id
                    else ()
                )
            case ev.ChunksJoined(chunk=chunk, parts=joined):
                return (_said("+", "joined", self._title(chunk, f"{len(joined)} parts are one again")),)
            case ev.Decided(chunk=chunk, decision=decision):
                return self._decided(chunk, decision)
            case ev.Blocked(is_told=True):
                return ()
            case (
                ev.Wrote() | ev.WriteRefused() | ev.Present() | ev.Blocked() | ev.Undone() | ev.UndoRefused()
            ):
                return (self._written(event), *_left(event))
            case ev.Reopened(reason=ev.TOOK_BACK):
                return ()  # the undo before it says so
            case ev.Reopened(chunk=chunk, reason=reason):
                words = reason or "it is not in the files any more"
                return (_said("!", "open again", self._title(chunk, words), "warn"),)
            case ev.Answered(answer=answer, text=text):
                shown = answer.text or text.removeprefix("The person answers: ")
                return (_said("›", "answered", clean(shown)),)
            case ev.Committed(commit=commit, subject=subject):
                return (_said("●", "committed", clean(f"{commit[:10]} {subject}"), "good"),)
            case ev.Finished(summary=summary):
                done = (_said("■", "done", clean(summary), "bold"),) if summary else ()
                return (*done, *self._struck(summary))
            case ev.Replied(text=text):
                return self._struck(text)
            case ev.ToolAnswered() | ev.TurnFailed() | ev.ProposalRefused() | ev.EpochStarted():
                return self._heard(event)
            case ev.Noted(level=level, text=text, hint=hint):
                return (note(level, text, hint),)
            case ev.CutShort(text=text, hint=hint):
                return (note("error", f"The rest of the diff cannot be read: {text}", hint),)
            case ev.ModelChanged(model=model):
                return (_said("·", "model", clean(model)),)
            case ev.ChunkEdited(chunk=chunk):
                return (_said("✎", "edited", self._title(chunk)),)
            case ev.Started(onto=onto):
                self._done = "staged" if onto == "index" else "applied"
                return ()
            case ev.Resumed() | ev.Said() | ev.Requested() | ev.Asked():
                return ()
            case ev.Examined() | ev.Focused() | ev.Ended():
                return ()

    def _struck(self, text: str) -> tuple[Saying, ...]:
        """Claims of runs that nobody made: named once more, as what they are."""
        claims = unbacked(text, self._runs.ran)
        if not claims:
            return ()
        return (_said("✘", "struck", clean(f"{named(claims)}: copair ran nothing that says so"), "warn"),)

    def _title(self, chunk: str, more: str = "") -> Clean:
        title = self._titles.get(chunk, clean(f"chunk {chunk}"))
        return concat(title, clean(f": {more}")) if more else title

    def _decided(self, chunk: str, decision: Decision) -> tuple[Saying, ...]:
        match decision:
            case Reject(reason=reason):
                word = "left as it is" if self._done == "staged" else "rejected"
                return (_said("✗", word, self._title(chunk, reason), "warn"),)
            case Revise(note=note):
                return (_said("↻", "to be revised", self._title(chunk, note), "warn"),)
            case Defer():
                return (_said("…", "put off", self._title(chunk), "dim", clean("/later brings it back")),)
            case Ask(question=text):
                return (_said("?", "asked", clean(text), "bold"),)
            case Approve() | Edit() | Split():
                return ()

    def _written(
        self, event: ev.Wrote | ev.WriteRefused | ev.Present | ev.Blocked | ev.Undone | ev.UndoRefused
    ) -> Saying:
        title = self._title(event.chunk)
        match event:
            case ev.Wrote():
                size = self._sizes.get(event.chunk, clean(", ".join(write.path for write in event.writes)))
                return _said("✓", self._done, concat(title, clean("  "), size), "good")
            case ev.WriteRefused(reason=reason):
                return _said(
                    "!",
                    f"not {self._done}",
                    self._title(event.chunk, reason),
                    "bad",
                    clean("nothing was written"),
                )
            case ev.Present():
                return _said("=", "there already", title)
            case ev.Blocked(reason=reason):
                return _said("!", "blocked", self._title(event.chunk, reason), "warn")
            case ev.Undone(redo=redo):
                return (
                    _said("↷", f"{self._done} again", title, "good")
                    if redo
                    else _said("↶", TAKEN_BACK if self._done == "staged" else "undone", title, "warn")
                )
            case ev.UndoRefused(reason=reason):
                return _said(
                    "!", "not undone", self._title(event.chunk, reason), "bad", clean("nothing was written")
                )

    def _heard(
        self, event: ev.ToolAnswered | ev.TurnFailed | ev.ProposalRefused | ev.EpochStarted
    ) -> tuple[Saying, ...]:
        match event:
            case ev.ToolAnswered(line=line, withheld=withheld):
                hidden = f" ({withheld} withheld)" if withheld else ""
                return (_said("·", "", clean(f"{line}{hidden}")),) if line else ()
            case ev.TurnFailed(kind="cancelled", message="stopped by you"):
                return (_said("■", "stopped", clean("what was said so far is kept")),)
            case ev.TurnFailed(kind="cancelled", message=tool):
                return (_said("■", "stopped", clean(tool)),)
            case ev.TurnFailed(message=message, hint=hint):
                return (_said("✘", "failed", clean(message), "bad", clean(hint)),)
            case ev.ProposalRefused(message=message):
                return (_said("↻", "sent back", clean(message.split("\n", 1)[0]), "warn"),)
            case ev.EpochStarted(reason=reason, dropped=dropped):
                return (_said("·", "memory", clean(f"{reason}; {dropped} older results left out")),)


def note(level: str, text: str, hint: str = "") -> Saying:
    """A notice as a line."""
    sign, style = {"error": ("✘", "bad"), "warning": ("!", "warn")}.get(level, ("·", ""))
    return _said(sign, "" if level == "info" else level, clean(text), style, clean(hint))
