"""A card's view as lines of fragments for a width: head, more, and the diff in one column or two.

Promise: nothing of the view is cut off; long lines are wrapped with a mark in the gutter. It draws what the view
says and decides nothing. `plain.py` has the same in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import msgspec

from agent.core.cards.rows import Row, RowKind
from agent.core.cards.view import CardView, FileView, Level, prose
from agent.core.clean import Clean, Segment, clean
from agent.core.review import Verdict
from agent.ui.paint import Fragment, Line, Theme, line_width, pad, paragraph, text_width, wrap
from agent.ui.syntax import Spans, spans

PROSE_COLUMNS = 100
"""Prose is not drawn wider than this; eyes lose the line."""
MIN_TITLE_COLUMNS = 24
"""With less room than this the title has lines of its own."""
SIDE_BY_SIDE_COLUMNS = 120
"""From here on the two-column view is offered."""

_VERDICTS = {
    Verdict.VERIFIED: ("✔", "good"),
    Verdict.PARTLY: ("◐", "warn"),
    Verdict.UNVERIFIED: ("·", "dim"),
    Verdict.CONTRADICTED: ("✘", "bad"),
}
_SIGNS = {RowKind.ADD: "+", RowKind.REMOVE: "-"}


class Drawn(msgspec.Struct, frozen=True):
    """The parts of a card. `head` always stays on the screen; `more` stays when there is room."""

    head: list[Line]
    more: list[Line]
    body: list[Line]
    files: list[int]
    """Index in `body` of each file's first line."""
    changed: int
    """So many lines of the body reach to the last change; what comes behind is as it was."""


def draw(view: CardView, width: int, colours: Theme, *, side_by_side: bool = False) -> Drawn:
    """The whole card at `width` columns."""
    body: list[Line] = []
    starts = []
    changed = 0
    for file in view.files:
        starts.append(len(body))
        lines, unchanged = _file(file, width, colours, side_by_side and width >= SIDE_BY_SIDE_COLUMNS)
        body += lines
        changed = len(body) - unchanged
    return Drawn(_head(view, width, colours), _more(view, width, colours), body, starts, changed)


def title_rule(left: Line, right: Line, width: int, colours: Theme) -> Line:
    """`━━ left ━━━━━ right ━`"""
    gap = width - line_width(left) - line_width(right) - 7
    start: Line = [(colours["rule"], "━━ "), *left, (colours["rule"], " " + "━" * max(1, gap))]
    return [*start, *([("", " "), *right, (colours["rule"], " ━")] if right else [(colours["rule"], "━━━")])]


def _head(view: CardView, width: int, colours: Theme) -> list[Line]:
    size: Line = [(colours["good"], f"+{view.added}"), ("", " "), (colours["bad"], f"−{view.removed}")]
    place: Line = [(colours["dim"], f"{view.place} · ")]
    room = width - line_width(place) - line_width(size) - 9
    if room >= MIN_TITLE_COLUMNS:
        titles = wrap([(colours["title"], view.title)], room)
        lines = [title_rule([*place, *titles[0]], size, width, colours)]
        lines += [[("", " " * (3 + line_width(place))), *rest] for rest in titles[1:]]
    else:
        lines = [title_rule([(colours["dim"], view.place)], size, width, colours)]
        lines += [[("", "   "), *line] for line in wrap([(colours["title"], view.title)], width - 3)]
    narrow = min(width, PROSE_COLUMNS)
    if view.why:
        lines += paragraph(view.why, colours, narrow, indent=3)
    for special in view.specials:
        if special.level is Level.RISK:
            lines += _item("!", "bad", special.text, narrow, colours)
    for name in view.unknown:
        text = clean(f"in neither the diff nor the repository: {name}")
        lines += _item("✘", "bad", text, narrow, colours)
    return lines


def _more(view: CardView, width: int, colours: Theme) -> list[Line]:
    width = min(width, PROSE_COLUMNS)
    lines: list[Line] = []
    for special in view.specials:
        if special.level is not Level.RISK:
            style = "warn" if special.level is Level.WARN else "dim"
            lines += _item("!" if style == "warn" else "·", style, special.text, width, colours)
    for note in view.notes:
        lines += _item("·", "warn", note, width, colours)
    if view.place_reason:
        lines += _labelled("order", view.place_reason, width, colours)
    if view.serves:
        lines += _labelled("serves", view.serves, width, colours)
    for label, texts in (("assumes", view.assumes), ("risks", view.model_risks)):
        for text in texts:
            lines += _labelled(label, text, width, colours)
    shown = [evidence for evidence in view.evidence if not evidence.said]
    words = max((len(evidence.verdict) for evidence in shown), default=0)
    for evidence in shown:
        mark, style = ("○", "dim") if evidence.stale else _VERDICTS[evidence.verdict]
        word = (
            f"{evidence.verdict}, for an earlier version"
            if evidence.stale
            else f"{evidence.verdict:<{words}}"
        )
        head: Line = [("", "   "), (colours[style], f"{mark} {word}"), ("", "  ")]
        pieces = wrap([("", evidence.text)], width - line_width(head))
        lines.append([*head, *pieces[0]])
        lines += [[("", " " * line_width(head)), *piece] for piece in pieces[1:]]
    if view.checking:
        lines.append([("", "   "), (colours["dim"], "· checking…")])
    return lines


def _item(sign: str, style: str, text: Clean, width: int, colours: Theme) -> list[Line]:
    pieces = wrap([(colours[style], text)], width - 5)
    return [
        [("", "   "), (colours[style], sign if not n else " "), ("", " "), *piece]
        for n, piece in enumerate(pieces)
    ]


def _labelled(label: str, text: Clean, width: int, colours: Theme) -> list[Line]:
    pieces = paragraph(prose(text), colours, width - 12)
    return [
        [("", "   "), (colours["dim"], f"{label if not n else '':<9}"), *piece]
        for n, piece in enumerate(pieces)
    ]


def _file(file: FileView, width: int, colours: Theme, two: bool) -> tuple[list[Line], int]:
    """Its lines, and how many of them at the end show only what stays as it was."""
    counts: Line = [(colours["good"], f"+{file.added}"), ("", " "), (colours["bad"], f"−{file.removed}")]
    names = wrap([(colours["file"], file.path)], width - line_width(counts) - 4)
    lines: list[Line] = [[("", " "), *names[0], ("", "  "), *counts]]
    lines += [[("", "   "), *rest] for rest in names[1:]]
    for because in file.because:
        lines += paragraph(because, colours, min(width, PROSE_COLUMNS), indent=3, style=colours["dim"])
    digits = max(3, len(str(max((max(row.old_no, row.new_no) for row in file.rows), default=0))))
    painter = _Painter(colours, digits, width)
    reach = len(lines)
    for number, group in enumerate(_groups(file.rows)):
        kinds = _highlight(file.language, group)
        if not number and group[0].kind is RowKind.HEAD and not group[0].text:
            group, kinds = group[1:], kinds[1:]
        end = _changed(group)
        paint = painter.two_columns if two else painter.one_column
        lines += paint(group[:end], kinds[:end])
        reach = len(lines)
        lines += paint(group[end:], kinds[end:])
    return [*lines, []], len(lines) + 1 - reach


def _changed(group: Sequence[Row]) -> int:
    """So many rows reach to the last one that is no mere context."""
    return max((at for at, row in enumerate(group, 1) if row.kind is not RowKind.CONTEXT), default=0)


def _groups(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows from one hunk head to the next."""
    group: list[Row] = []
    for row in rows:
        if row.kind is RowKind.HEAD and group:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _highlight(language: str, group: Sequence[Row]) -> list[Spans]:
    """Colour spans for each row: the new side for what stays and comes, the old side for what goes."""
    lead = group[0].lead
    found: list[Spans] = [[] for _ in group]
    for kinds, wanted in (
        ((RowKind.CONTEXT, RowKind.ADD), (RowKind.CONTEXT, RowKind.ADD)),
        ((RowKind.CONTEXT, RowKind.REMOVE), (RowKind.REMOVE,)),
    ):
        places = [at for at, row in enumerate(group) if row.kind in kinds]
        if not any(group[at].kind in wanted for at in places):
            continue
        for at, line in zip(places, spans(language, lead, [group[at].text for at in places]), strict=True):
            if group[at].kind in wanted:
                found[at] = line
    return found


class _Painter:
    """Draws rows of one file at one width."""

    def __init__(self, colours: Theme, digits: int, width: int) -> None:
        self._colours = colours
        self._digits = digits
        self._width = width

    def one_column(self, group: Sequence[Row], kinds: Sequence[Spans]) -> Iterator[Line]:
        for row, line_spans in zip(group, kinds, strict=True):
            if row.kind in (RowKind.HEAD, RowKind.FOLD, RowKind.NOTE):
                yield from self._between(row)
                continue
            gutter = f"{row.old_no or '':>{self._digits}} {row.new_no or '':>{self._digits}}"
            yield from self._code(row, line_spans, gutter, self._width)

    def two_columns(self, group: Sequence[Row], kinds: Sequence[Spans]) -> Iterator[Line]:
        half = (self._width - 3) // 2
        pending: tuple[list[list[Line]], list[list[Line]]] = ([], [])
        for row, line_spans in zip(group, kinds, strict=True):
            if row.kind in (RowKind.REMOVE, RowKind.ADD):
                old = row.kind is RowKind.REMOVE
                gutter = f"{row.old_no if old else row.new_no:>{self._digits}}"
                pending[0 if old else 1].append(list(self._code(row, line_spans, gutter, half)))
                continue
            if row.kind is RowKind.NOTE:
                side = pending[1] or pending[0]
                if side:
                    side[-1] += list(self._between(row))
                    continue
            yield from self._beside(pending, half)
            pending = ([], [])
            if row.kind is RowKind.CONTEXT:
                sides = [
                    list(self._code(row, line_spans, f"{number:>{self._digits}}", half))
                    for number in (row.old_no, row.new_no)
                ]
                yield from self._beside(([sides[0]], [sides[1]]), half)
            else:
                yield from self._between(row)
        yield from self._beside(pending, half)

    def _beside(self, sides: tuple[list[list[Line]], list[list[Line]]], half: int) -> Iterator[Line]:
        bar = (self._colours["rule"], " │ ")
        nothing: list[Line] = []
        for left, right in zip_longest(*sides, fillvalue=nothing):
            for one, other in zip_longest(left, right):
                yield [*pad(one or [], half), bar, *(other or [])]

    def _between(self, row: Row) -> Iterator[Line]:
        gutter = " " * (2 * self._digits + 1)
        if row.kind is RowKind.HEAD:
            head: Line = [(self._colours["number"], f"{'···':>{2 * self._digits + 1}}"), ("", "   ")]
            pieces = wrap([(self._colours["head"], row.text)], self._width - line_width(head))
            yield from (
                [*head, *piece] if not n else [("", gutter + "   "), *piece] for n, piece in enumerate(pieces)
            )
            return
        sign = "⋯" if row.kind is RowKind.FOLD else "\\"
        style = self._colours["warn" if row.kind is RowKind.FOLD else "dim"]
        yield [("", gutter), (style, f" {sign} "), (style, row.text)]

    def _code(self, row: Row, line_spans: Spans, gutter: str, width: int) -> Iterator[Line]:
        name = {RowKind.ADD: "add", RowKind.REMOVE: "remove"}.get(row.kind, "")
        base, sign = self._colours[name], _SIGNS.get(row.kind, " ")
        room = width - text_width(gutter) - 3
        line = self._styled(row.segments, line_spans, name)
        for n, piece in enumerate(wrap(line, room, words=False)):
            number = gutter if not n else f"{'↪':>{text_width(gutter)}}"
            start: Line = [
                (self._colours["number"], number + " "),
                (self._colours[f"{name}.sign"] if name else "", sign),
            ]
            rest: Line = [(base, " "), *piece]
            yield [*start, *(pad(rest, room + 1, base) if name else rest)]

    def _styled(self, parts: Sequence[Segment], line_spans: Spans, name: str) -> Line:
        """Segments cut at the borders of syntax spans, each with its style."""
        line: Line = []
        begin = 0
        for part in parts:
            if part.mark:
                line.append((self._colours["mark"], part.text))
            elif name and part.strong:  # on the bright ground a syntax colour would not be read
                line.append((self._colours[f"{name}.strong"], part.text))
            else:
                line += self._coloured(part.text, begin, line_spans, name)
            begin += len(part.text)
        return line

    def _coloured(self, text: str, begin: int, line_spans: Spans, name: str) -> Iterator[Fragment]:
        """`text`, which stands at `begin` in its line, with the colours of the spans that reach into it."""
        ground = self._colours[name]
        at = 0
        for start, end, kind in line_spans:
            start, end = max(start - begin, at), min(end - begin, len(text))
            if start >= end:
                continue
            if start > at:
                yield ground, text[at:start]
            # Grey on a coloured ground is hard to read: there a comment is told by its slant alone.
            look = "italic" if name and kind == "comment" else self._colours[kind]
            yield f"{ground} {look}".strip(), text[start:end]
            at = end
        if at < len(text):
            yield ground, text[at:]
