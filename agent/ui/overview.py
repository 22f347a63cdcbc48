"""The whole stack on an open card: a list in which one goes from chunk to chunk. Pure, as the sheet that shows it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.clean import clean
from agent.core.frontend import StackRow
from agent.ui.paint import Line, Theme, cut_line


class Overview:
    """The rows of the stack, and the chosen one; the chunk of the open card at first."""

    def __init__(self, rows: Sequence[StackRow], here: str, colours: Theme) -> None:
        self._rows = rows
        self._colours = colours
        self._here = next((at for at, row in enumerate(rows) if row.chunk == here), 0)
        self._at = self._here
        self._top: int | None = None

    @property
    def chosen(self) -> StackRow:
        return self._rows[self._at]

    def __len__(self) -> int:
        return len(self._rows)

    def move(self, by: int) -> None:
        self._at = max(0, min(len(self._rows) - 1, self._at + by))

    def search(self, text: str) -> bool:
        """Choose the next row with `text`, whatever its case; False when there is none."""
        order = [*range(self._at + 1, len(self._rows)), *range(self._at + 1)]
        for at in order if text else ():
            if text in " ".join((self._rows[at].title, *self._rows[at].paths)).casefold():
                self._at = at
                return True
        return False

    def window(self, room: int, columns: int) -> tuple[int, list[Line]]:
        """The number of the first of `room` rows, and these rows; the chosen one is among them."""
        top = self._at - room // 2 if self._top is None else self._top
        top = max(self._at - room + 1, min(top, self._at))
        self._top = top = max(0, min(top, len(self._rows) - room))
        return top, [self._line(at, columns) for at in range(top, min(len(self._rows), top + room))]

    def _line(self, at: int, columns: int) -> Line:
        row, colours = self._rows[at], self._colours
        number = f"{at + 1:>{len(str(len(self._rows)))}}"
        name = colours["title"] if at == self._here else colours["bold"] if at == self._at else ""
        line: Line = [
            (colours["key"], " ▸ " if at == self._at else "   "),
            (colours["dim"], f"{number} "),
            (colours["good"] if row.sign in "✓=" else colours["warn"], f"{row.sign} "),
            (name if row.is_open or at == self._at else colours["dim"], clean(row.title)),
            (colours["dim"], clean(f"  {', '.join(row.paths)}  +{row.added} −{row.removed}")),
        ]
        word = [] if row.is_open and row.sign == "·" else [(colours["dim"], clean(f"  {row.word}"))]
        return cut_line([*line, *word], columns)
