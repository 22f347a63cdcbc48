"""What an open card shows at one moment: which lines stay, which scroll, and where one is in them.

Pure but for the size that it is given: no keys, no terminal. `card.py` drives it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from agent.core.cards.view import CardView
from agent.core.clean import Clean, clean, lines_of
from agent.ui.keys import footer, help_lines
from agent.ui.overview import Overview
from agent.ui.paint import Line, Theme, cut_line, wrap
from agent.ui.render import SIDE_BY_SIDE_COLUMNS, Drawn, draw

MIN_BODY_ROWS = 8
"""Rows of the diff that are always left; what else would stay then scrolls with it."""
FAR = 1 << 30


class Page(StrEnum):
    DIFF = "diff"
    DETAILS = "details"
    HELP = "help"
    STACK = "stack"


class Sheet:
    """One card at one size. Positions are rows of the scrolling part."""

    def __init__(self, view: CardView, colours: Theme, rows: int, columns: int) -> None:
        self._colours = colours
        self._size = (rows, columns)
        self._side_by_side = False
        self._at = 0
        self._read = 0
        """So many rows from the top were on the screen."""
        self.seen = False
        """Every row of the card was on the screen, but for what stays as it was behind the last change."""
        self.page = Page.DIFF
        self.message: Clean = clean("")
        self.busy: Clean = clean("")
        """What goes on meanwhile; it stands in the rule above the keys."""
        self._found = ""
        self.overview: Overview | None = None
        """The stack, once it was asked for."""
        self.view = view
        self._drawn = self._draw(view)

    @property
    def wide(self) -> bool:
        return self._size[1] >= SIDE_BY_SIDE_COLUMNS

    def show(self, view: CardView) -> None:
        """Draw `view`, staying where one is. What was read of a diff that is laid out anew is not known any more."""
        drawn = self._draw(view)
        old, new = ((len(d.body), len(d.head) + len(d.more)) for d in (self._drawn, drawn))
        self._read = max(0, self._read + min(0, new[1] - old[1])) if old[0] == new[0] else 0
        self.view, self._drawn = view, drawn

    def _draw(self, view: CardView) -> Drawn:
        return draw(view, self._size[1], self._colours, side_by_side=self._side_by_side)

    def resize(self, rows: int, columns: int) -> None:
        if (rows, columns) != self._size:
            self._size = (rows, columns)
            self.show(self.view)
            self._read = 0

    def turn(self, page: Page) -> None:
        """Open a page, or go back to the diff when it is open."""
        self.page = Page.DIFF if page is self.page else page
        self._at = 0

    def turn_to_stack(self, overview: Overview) -> None:
        self.overview, self.page = overview, Page.STACK

    @property
    def _listed(self) -> Overview | None:
        """The stack, if it is what the page shows."""
        return self.overview if self.page is Page.STACK else None

    def toggle_side_by_side(self) -> bool:
        """False when the terminal is too narrow."""
        if not self.wide:
            return False
        self._side_by_side = not self._side_by_side
        self.show(self.view)
        return True

    def scroll(self, rows: int) -> None:
        if self._listed:
            self._listed.move(rows)
        else:
            self._at = max(0, self._at + rows)

    def scroll_page(self, pages: int) -> None:
        self.scroll(pages * max(1, self._room() - 2))

    def scroll_to_unseen(self) -> int:
        """Go on where the rows begin that were not on the screen yet; how many these are."""
        self._at = max(0, self._read - 1)
        return max(0, self._wanted(self._scrolling()) - self._read)

    def _wanted(self, rows: list[Line]) -> int:
        """So many of the rows reach to the last change."""
        return len(rows) - max(0, len(self._drawn.body) - 1 - self._drawn.changed)

    def scroll_to(self, end: bool) -> None:
        self.scroll(FAR if end else -FAR)

    def moves(self) -> dict[tuple[str, ...], Callable[[], None]]:
        """What scrolls, by the names of its keys."""
        return {
            ("down", "c-n"): lambda: self.scroll(1),
            ("up", "c-p"): lambda: self.scroll(-1),
            ("pagedown", "c-f", " "): lambda: self.scroll_page(1),
            ("pageup", "c-b"): lambda: self.scroll_page(-1),
            ("home", "g"): lambda: self.scroll_to(end=False),
            ("end", "G"): lambda: self.scroll_to(end=True),
        }

    def search(self, text: str) -> bool:
        """Go to the next row with `text` (empty: what was searched before); False when there is none."""
        self._found = text.casefold() or self._found
        if self._listed:
            return self._listed.search(self._found)
        rows = self._scrolling()
        order = [*range(self._at + 1, len(rows)), *range(self._at + 1)]
        for at in order if self._found else ():
            if self._found in "".join(piece for _, piece in rows[at]).casefold():
                self._at = at
                return True
        return False

    def lines(self, keep: int = 0) -> list[Line]:
        """What the screen shows, leaving `keep` rows for an input line."""
        fixed, room = self._staying(keep), self._room(keep)
        if self._listed:
            first, window = self._listed.window(room, self._size[1])
            return [
                *fixed,
                *self._marked(window),
                self._rule(len(self._listed), room, first),
                self._last_line(),
            ]
        rows = self._scrolling(keep)
        self._at = min(self._at, max(0, len(rows) - room))
        window = rows[self._at : self._at + room]
        if self.page is Page.DIFF and self._at <= self._read:
            self._read = max(self._read, self._at + len(window))
            self.seen = self.seen or self._read >= self._wanted(rows)
        return [*fixed, *self._marked(window), self._rule(len(rows), room, self._at), self._last_line()]

    def _marked(self, lines: list[Line]) -> list[Line]:
        """`lines` with what was searched for marked."""
        if not self._found:
            return lines
        return [_highlight(line, self._found, self._colours["mark"]) for line in lines]

    def _staying(self, keep: int = 0) -> list[Line]:
        head, more = self._drawn.head, self._drawn.more
        blank: list[Line] = [[]]
        limit = self._size[0] - keep - 2 - MIN_BODY_ROWS
        if self.page is not Page.DIFF or len(head) + len(more) + 2 > limit:
            return head if len(head) <= limit else head[:1]
        return [*head, *blank, *more, *(blank if more else [])]

    def _scrolling(self, keep: int = 0) -> list[Line]:
        match self.page:
            case Page.HELP:
                return [[], *help_lines(self.view, self._colours, self._size[1])]
            case Page.DETAILS:
                return [[], *self._details()]
            case Page.DIFF | Page.STACK:
                staying = self._staying(keep)
                head, more = self._drawn.head, self._drawn.more
                blank: list[Line] = [[]]
                rest = [] if len(staying) > len(head) else [*blank, *more, *(blank if more else [])]
                return [*(head[1:] if len(staying) < len(head) else []), *rest, *self._drawn.body[:-1]]

    def _room(self, keep: int = 0) -> int:
        return max(3, self._size[0] - keep - 2 - len(self._staying(keep)))

    def _details(self) -> list[Line]:
        lines: list[Line] = []
        for evidence in self.view.evidence:
            lines.append([(self._colours["file"], f"   {evidence.verdict}"), ("", "  "), ("", evidence.text)])
            for text in lines_of(evidence.details):
                lines += [[("", "     "), *piece] for piece in wrap([("", text)], self._size[1] - 6)]
            lines.append([])
        return [piece for line in lines for piece in wrap(line, self._size[1])]

    def _rule(self, total: int, room: int, first: int) -> Line:
        busy = f"── {self.busy} " if self.busy else ""
        columns = self._size[1] - len(busy)
        start: Line = [(self._colours["dim"], busy)] if busy else []
        if total <= room:
            return [*start, (self._colours["rule"], "─" * columns)]
        last = min(total, first + room)
        arrows = ("▲" if first else " ") + ("▼" if last < total else " ")
        place = f" {first + 1}–{last} of {total} {arrows} "
        return [
            *start,
            (self._colours["rule"], "─" * max(0, columns - len(place) - 2)),
            (self._colours["dim"], place),
            (self._colours["rule"], "──"),
        ]

    def _last_line(self) -> Line:
        columns = self._size[1]
        if self.message:
            return cut_line([(self._colours["warn"], f" {self.message}")], columns)
        if self.page is not Page.DIFF:
            key = self._colours["key"]
            go: Line = (
                [(key, " Enter"), ("", " goes to it "), (key, " /"), ("", " searches ")]
                if self._listed
                else []
            )
            return cut_line([*go, (key, " q"), ("", " back to the card")], columns)
        return cut_line(footer(self.view, columns, self._colours), columns)


def _highlight(line: Line, text: str, style: str) -> Line:
    """Mark where `text` stands in `line`."""
    whole = "".join(piece for _, piece in line)
    at = whole.casefold().find(text)
    if at < 0 or len(whole.casefold()) != len(whole):
        return line
    found: Line = []
    place = 0
    for look, piece in line:
        start, end = max(0, at - place), max(0, min(len(piece), at + len(text) - place))
        if start < end:
            found += [(look, piece[:start]), (style, piece[start:end]), (look, piece[end:])]
        else:
            found.append((look, piece))
        place += len(piece)
    return found
