"""Shows what was typed or pasted into an input line as it is: invisible characters as marks, at their width."""

from __future__ import annotations

from prompt_toolkit.formatted_text import StyleAndTextTuples, fragment_list_to_text
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput

from agent.core.clean import shown_char


class VisibleInput(Processor):
    """Replaces what would not print by its mark, and maps the cursor accordingly."""

    def __init__(self, style: str = "reverse") -> None:
        self._style = style

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        fragments = transformation_input.fragments
        text = fragment_list_to_text(fragments)
        if text.isascii() and text.isprintable():
            return Transformation(fragments)
        shown: StyleAndTextTuples = []
        starts: list[int] = []
        width = 0
        for fragment in fragments:
            for char in fragment[1]:
                mark = char if char == "\n" else shown_char(char)
                starts.append(width)
                width += len(mark)
                shown.append((fragment[0] if mark == char else self._style, mark))
        starts.append(width)

        def to_display(at: int) -> int:
            return starts[at] if at < len(starts) else width + at - len(starts) + 1

        def to_source(at: int) -> int:
            return max((n for n, start in enumerate(starts) if start <= at), default=0)

        return Transformation(shown, source_to_display=to_display, display_to_source=to_source)
