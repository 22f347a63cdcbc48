"""What passes between the driver and a frontend: ticks and offers out, inputs in.

A frontend formats and never decides: everything that the person does becomes one `Input` and goes to the
driver's inbox. The values know nothing of terminals, so the same ones are the lines of `--jsonl`.
"""

from __future__ import annotations

import msgspec

from agent.core.chunk import Chunk
from agent.core.hunk import Write, writes_digest
from agent.core.review import Answer, Decision, Evidence, Question
from agent.core.text import digest as text_digest

# Ticks: shown, never stored.


class TextTick(msgspec.Struct, frozen=True, tag="text"):
    """More text of the model (raw; a frontend cleans it)."""

    text: str


class ReasoningTick(msgspec.Struct, frozen=True, tag="reasoning"):
    """More of the model's thinking; a frontend may show no more than that it thinks."""

    text: str


class WhyTick(msgspec.Struct, frozen=True, tag="why"):
    """The `why` of the proposal that is being written, as far as it has come."""

    text: str


class Working(msgspec.Struct, frozen=True, tag="working"):
    """Something goes on that needs no answer. A frontend counts the time on from `seconds` by itself."""

    label: str
    seconds: float = 0.0
    tokens: int = 0


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """`done` of `total` (0: unknown) of something long: a large diff, checks."""

    label: str
    done: int
    total: int = 0


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """A line for the person that is not part of the journal (help, a list, an error). `level` as in Noted."""

    level: str
    text: str
    hint: str = ""


class StackRow(msgspec.Struct, frozen=True):
    """One chunk of the stack: what it is, and what became of it (`word`, with a `sign` for it)."""

    chunk: str
    title: str
    paths: tuple[str, ...]
    added: int
    removed: int
    sign: str
    word: str
    is_open: bool
    """It still has a card."""
    reopens: bool = False
    """It was refused or undone in a review, or did not fit: going to it opens it again."""
    name: str = ""
    """What it is called on the screen: its number in a review."""

    @property
    def words(self) -> str:
        return f"{self.sign} {self.name or self.chunk}  {self.title}  ({self.word})"


class StackTick(msgspec.Struct, frozen=True, tag="stack"):
    """All chunks so far, in their order: what `/list` gives."""

    rows: tuple[StackRow, ...]


Tick = TextTick | ReasoningTick | WhyTick | Working | Progress | Notice | StackTick


# Offers: what the person can answer to now. A new offer replaces the one before.


NO_MODEL = "No model is configured to answer; the card stays."
TO_MODEL = "copair connect finds one"
"""What to do about that."""


class Card(msgspec.Struct, frozen=True):
    """Everything that one card is made of; `view.card_view` turns it into rows.

    `writes` are the exact bytes that a yes writes. `position` counts from 1 in a stack of `total` (0: not known yet).
    `unknown_names` are names in backticks that exist neither in the diff nor in the repository
    (`view.unknown_names`). `notes` are sentences for above the diff ("src/a.py changed since: a new card").
    """

    chunk: Chunk
    writes: tuple[Write, ...]
    evidence: tuple[Evidence, ...] = ()
    position: int = 1
    total: int = 1
    unknown_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    deferred: bool = False
    edited: bool = False
    """The person's own version: what they changed is in `writes`."""
    onto: str = "worktree"
    """`index`: yes stages what is in the tree already."""
    present: bool = False
    """It is there already: yes keeps it and writes nothing."""
    conflict: bool = False
    """It does not fit: `writes` has both texts between marks, and yes leaves it blocked and writes nothing."""
    checks: tuple[str, ...] = ()
    """Names of the checks that `t` would run; empty: none are configured."""
    checking: bool = False
    """Evidence is being made and has not all come yet."""
    base: str = ""
    """What evidence rests on now beside `writes`; a piece with another one is stale."""
    unanswered: bool = False
    """There is no model: nobody answers a question or revises it."""

    @property
    def yes(self) -> str:
        """What a yes does, in a word: `apply`, `stage`, `keep` or `leave`."""
        if self.conflict:
            return "leave"
        return "keep" if self.present else "stage" if self.onto == "index" else "apply"

    @property
    def no(self) -> str:
        """What a no does, in a word: `reject`, or `leave` where the change is in the person's files and stays there."""
        return "leave" if self.yes == "stage" else "reject"

    @property
    def writes_on_yes(self) -> bool:
        """True when a yes writes what is shown."""
        return not (self.present or self.conflict)

    @property
    def digest(self) -> str:
        """What a decision on this card binds: the writes, and whether a yes writes them."""
        writes = writes_digest(self.writes)
        return writes if self.writes_on_yes else text_digest(f"{self.yes}\0{writes}".encode("ascii"))


class CardOffer(msgspec.Struct, frozen=True, tag="card"):
    """A card waits for a decision. An offer with the chunk and digest of the open one updates it in place."""

    card: Card


class QuestionOffer(msgspec.Struct, frozen=True, tag="question"):
    """The model asks. `asked` of `allowed` counts it against the budget of questions."""

    call_id: str
    question: Question
    asked: int = 1
    allowed: int = 4


class PromptOffer(msgspec.Struct, frozen=True, tag="prompt"):
    """The person may say something. `place` is shown quietly beside the prompt ("main · offline pair")."""

    place: str = ""
    placeholder: str = ""
    deferred: int = 0


class WorkOffer(msgspec.Struct, frozen=True, tag="work"):
    """Nothing can be answered now but an interrupt; typed text is kept for the prompt."""

    label: str = "thinking"


Offer = CardOffer | QuestionOffer | PromptOffer | WorkOffer


# Inputs: what the person did.


class Say(msgspec.Struct, frozen=True, tag="say"):
    """A sentence, at the prompt or as `:` on a card. `@path` mentions are still in the text."""

    text: str


class Decide(msgspec.Struct, frozen=True, tag="decide"):
    """A decision on the card with this digest; anything else than what is open now must be refused."""

    chunk: str
    digest: str
    decision: Decision


class AnswerIn(msgspec.Struct, frozen=True, tag="answer"):
    call_id: str
    answer: Answer


class Interrupt(msgspec.Struct, frozen=True, tag="interrupt"):
    """Ctrl-C: stop the model or the check; the session goes on."""


class Undo(msgspec.Struct, frozen=True, tag="undo"):
    """Take back an applied chunk; without an id the latest one."""

    chunk: str = ""


class Move(msgspec.Struct, frozen=True, tag="move"):
    """Show another card of the stack: `by` cards further (or back), or the one with the id `to`."""

    by: int = 0
    to: str = ""


class RunChecks(msgspec.Struct, frozen=True, tag="checks"):
    chunk: str


class Command(msgspec.Struct, frozen=True, tag="command"):
    """`/name argument` at the prompt."""

    name: str
    argument: str = ""


HANG_UP = "hang-up"


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """`reason`: `quit` (q, /quit), `end` (Ctrl-D, end of input), `hang-up` (the terminal went away)."""

    reason: str = "quit"


Input = Say | Decide | AnswerIn | Interrupt | Undo | Move | RunChecks | Command | Quit
