"""A card as a picture: SVG through rich's export, for the README and the documentation."""

from __future__ import annotations

import io
import re

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from agent.core.cards.view import CardView
from agent.ui.keys import footer
from agent.ui.paint import DARK, LIGHT, Line
from agent.ui.render import draw

_FONT_FACE = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)
"""rich's template loads a font from a server; a picture of ours asks nobody for anything."""
_GROUNDS = {"dark": ((30, 30, 46), (205, 214, 244)), "light": (((255, 255, 255)), (36, 41, 47))}


def card_svg(view: CardView, *, columns: int = 84, light: bool = False, side_by_side: bool = False) -> str:
    """The whole card with its keys, as a self-contained SVG of fixed size."""
    colours = LIGHT if light else DARK
    drawn = draw(view, columns, colours, side_by_side=side_by_side)
    lines: list[Line] = [*drawn.head, [], *drawn.more, [], *drawn.body[:-1]]
    lines += [[(colours["rule"], "─" * columns)], footer(view, columns, colours)]
    return lines_svg(lines, columns=columns, light=light, title=f"copair · {view.title}")


def lines_svg(lines: list[Line], *, columns: int, light: bool = False, title: str = "copair") -> str:
    """Any lines of ours as an SVG."""
    console = Console(
        record=True,
        width=columns,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    for line in lines:
        text = Text(no_wrap=True, overflow="ignore")
        for style, piece in line:
            text.append(piece, rich_style(style))
        console.print(text)
    ground, ink = _GROUNDS["light" if light else "dark"]
    theme = TerminalTheme(ground, ink, [ground] * 8, [ink] * 8)
    picture = console.export_svg(title=title, theme=theme, unique_id="copair")
    return _FONT_FACE.sub("", picture)


def rich_style(style: str) -> Style:
    """A prompt_toolkit style string (`bold #ffffff bg:#000000`) as a rich style."""
    words = style.split()
    color = next((word for word in words if word.startswith("#")), None)
    ground = next((word.removeprefix("bg:") for word in words if word.startswith("bg:")), None)
    return Style(
        color=color,
        bgcolor=ground,
        bold="bold" in words or None,
        italic="italic" in words or None,
        underline="underline" in words or None,
        reverse="reverse" in words or None,
    )
