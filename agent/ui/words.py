"""Cards, questions and quiet lines in plain words: for screen readers, dumb terminals, pipes and exports.

No boxes, no colours, no signs that carry meaning; every line says by itself what it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.core.cards.rows import Row, RowKind
from agent.core.cards.view import CardView, FileView, Level
from agent.core.clean import Clean, clean, plain
from agent.core.frontend import QuestionOffer
from agent.ui.story import Saying

_WORDS = {RowKind.ADD: "added", RowKind.REMOVE: "removed", RowKind.CONTEXT: "line"}


def card_words(view: CardView) -> Iterator[Clean]:
    """The whole card, line by line."""
    yield clean(f"Card {view.place}: {view.title}")
    yield clean(f"Size: {view.size}")
    if view.place_reason:
        yield clean(f"Order: {view.place_reason}")
    if view.why:
        yield clean(f"Why: {plain(view.why)}")
    for name in view.unknown:
        yield clean(f"Attention: in neither the diff nor the repository: {name}")
    for special in view.specials:
        yield clean(f"{'Note' if special.level is Level.INFO else 'Attention'}: {special.text}")
    for label, texts in (("Note", view.notes), ("Assumes", view.assumes), ("Risk", view.model_risks)):
        for text in texts:
            yield clean(f"{label}: {text}")
    if view.serves:
        yield clean(f"Serves: {view.serves}")
    for evidence in view.evidence:
        if evidence.said:
            continue
        stale = " (for an earlier version)" if evidence.stale else ""
        yield clean(f"Evidence: {evidence.verdict}{stale}: {evidence.text}")
    if view.checking and view.checks:
        yield clean("Evidence: checking; it is said when it has come")
    for file in view.files:
        yield from _file_words(file)


def _file_words(file: FileView) -> Iterator[Clean]:
    lines = "line" if file.added == 1 else "lines"
    yield clean(f"File {file.path}: {file.added} {lines} added, {file.removed} removed")
    for because in file.because:
        yield clean(f"Because: {plain(because)}")
    for row in file.rows:
        yield row_words(row)


def row_words(row: Row) -> Clean:
    """One row of the diff: `added 12: text`."""
    match row.kind:
        case RowKind.HEAD:
            where = f" in {row.text}" if row.text else ""
            return clean(f"At line {row.new_no}{where}")
        case RowKind.FOLD | RowKind.NOTE:
            return clean(f"({row.text})")
        case RowKind.ADD | RowKind.REMOVE | RowKind.CONTEXT:
            number = row.old_no if row.kind is RowKind.REMOVE else row.new_no
            return clean(f"{_WORDS[row.kind]} {number}: {row.text}")


def question_words(offer: QuestionOffer) -> Iterator[Clean]:
    """A question with its options."""
    question = offer.question
    yield clean(f"Question {offer.asked} of at most {offer.allowed}: {question.text}")
    if question.why_it_matters:
        yield clean(f"Why it matters: {question.why_it_matters}")
    if question.looked_at:
        yield clean(f"Looked at: {', '.join(question.looked_at)}")
    for number, option in enumerate(question.options, 1):
        recommended = " (recommended)" if number - 1 == question.default else ""
        yield clean(f"{number}: {option}{recommended}")


def saying_words(saying: Saying) -> Iterator[Clean]:
    """A quiet line without its sign."""
    yield clean(f"{saying.word}: {saying.text}" if saying.word else saying.text)
    if saying.hint:
        yield clean(f"hint: {saying.hint}")
