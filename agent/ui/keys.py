"""The keys of a card: one table, from which the line below the card, `?` and the documentation are made.

There is no key for "all the rest", and no decision but one needs Enter: a risky yes, which is the word `apply`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from agent.core.cards.view import CardView
from agent.ui.paint import Line, Theme, line_width, wrap

APPLY_WORD = "apply"


class Act(StrEnum):
    """What a key on a card means; the value is the key."""

    APPLY = "y"
    REJECT = "n"
    REVISE = "r"
    EDIT = "e"
    SPLIT = "s"
    ASK = "a"
    CHECKS = "t"
    DETAILS = "d"
    LATER = "l"
    NEXT = "j"
    BACK = "k"
    STACK = "o"
    UNDO = "u"
    CONTEXT = "v"
    WIDE = "w"
    PAGER = "p"
    SEARCH = "/"
    INSTRUCT = ":"
    QUIT = "q"
    HELP = "?"


class Key(msgspec.Struct, frozen=True):
    """`label` stands below the card, `help` in the list of all keys."""

    act: Act
    label: str
    help: str


KEYS: tuple[Key, ...] = (
    Key(Act.APPLY, "apply", "apply exactly what is shown (stage it, keep it, where the card says so)"),
    Key(Act.REJECT, "reject", "reject; one line of reason if you like"),
    Key(Act.REVISE, "revise", "say what to change; a new proposal follows"),
    Key(Act.EDIT, "edit", "change it in your editor; your version comes as a card"),
    Key(Act.SPLIT, "split", "split it into two halves; u joins them again"),
    Key(Act.ASK, "ask", "ask about it; nothing is decided"),
    Key(Act.CHECKS, "checks", "run the checks for it"),
    Key(Act.LATER, "later", "put it off; /later brings it back"),
    Key(Act.DETAILS, "details", "the evidence in full"),
    Key(Act.NEXT, "next", "show the next chunk of the stack"),
    Key(Act.BACK, "back", "show the one before"),
    Key(Act.STACK, "overview", "the whole stack; / searches in it, Enter goes to the chosen chunk"),
    Key(Act.UNDO, "undo", "take back what was applied last, the no just said, or your edit of this card"),
    Key(Act.CONTEXT, "context", "more lines around; unfold what is folded"),
    Key(Act.WIDE, "side by side", "old and new side by side (120 columns or more)"),
    Key(Act.PAGER, "pager", "the diff in your pager (delta, if git uses it)"),
    Key(Act.SEARCH, "search", "search in the diff; an empty search goes on to the next place"),
    Key(
        Act.INSTRUCT,
        "instruct",
        "a command (/commit, /later 2…), a number to go to, or a new instruction; this card waits",
    ),
    Key(Act.QUIT, "quit", "stop here, with a summary; nothing undecided is applied"),
    Key(Act.HELP, "help", "all keys"),
)
MOVES = "↑ ↓ PgUp PgDn Space Home End scroll · Ctrl-C stops a run · Ctrl-Z suspends · Esc leaves an input line or a page"
_SHORT = (
    Act.APPLY, Act.REJECT, Act.REVISE, Act.EDIT, Act.ASK, Act.LATER, Act.CHECKS, Act.CONTEXT, Act.SPLIT, Act.QUIT,
    Act.HELP,
)  # fmt: skip
_YES = {
    "apply": "apply exactly what is shown",
    "stage": "stage exactly what is shown; your files stay as they are",
    "keep": "keep it as it is; nothing is written",
    "leave": "leave it as it is for now; nothing is written",
}
"""Help for `y`, by what a yes does."""
LEAVE = Key(
    Act.REJECT, "leave", "leave it as it is in your files, and stage nothing; one line of reason if you like"
)
"""`n` where the change is the person's own: nothing is thrown away."""
DECISIONS = frozenset((Act.APPLY, Act.REJECT, Act.REVISE, Act.EDIT, Act.SPLIT, Act.ASK, Act.LATER))

LOOKS = frozenset((Act.NEXT, Act.BACK, Act.STACK, Act.CONTEXT, Act.WIDE, Act.SEARCH, Act.DETAILS, Act.HELP))
"""Keys that only look: they decide nothing, and need no grace."""


def offered(view: CardView) -> tuple[Key, ...]:
    """The keys that mean something on this card."""
    missing = set()
    if not view.can_split:
        missing.add(Act.SPLIT)
    if not view.checks:
        missing.add(Act.CHECKS)
    if not view.evidence:
        missing.add(Act.DETAILS)
    own = {Act.APPLY: Key(Act.APPLY, view.yes, _YES[view.yes])}
    if view.no == "leave":
        own[Act.REJECT] = LEAVE
    if view.unanswered:
        own[Act.INSTRUCT] = Key(
            Act.INSTRUCT, "command", "a command (/commit, /later 2…), or a number to go to"
        )
    return tuple(own.get(key.act, key) for key in KEYS if key.act not in missing)


def footer(view: CardView, width: int, colours: Theme) -> Line:
    """The keys in one line, as many as fit; `?` always does."""
    by_act = {key.act: key for key in offered(view)}
    chosen = [by_act[act] for act in _SHORT if act in by_act]
    while True:
        line: Line = [("", " ")]
        for key in chosen:
            more = "…" if key.act is Act.APPLY and view.risky else ""
            line += [(colours["key"], key.act.value), ("", f" {key.label}{more}  ")]
        line[-1] = ("", line[-1][1].rstrip())
        if line_width(line) <= width or len(chosen) <= 3:
            return line
        del chosen[-3 if len(chosen) > 4 else -2]


def help_lines(view: CardView, colours: Theme, width: int) -> list[Line]:
    """All keys, one a line."""
    moves = wrap([(colours["dim"], MOVES)], width - 4)
    return [
        *(line for key in offered(view) for line in _explained(key, colours, width)),
        [],
        *([("", "   "), *line] for line in moves),
    ]


def _explained(key: Key, colours: Theme, width: int) -> list[Line]:
    """A key and what it does; what does not fit into one row goes on below the words."""
    head: Line = [("", "   "), (colours["key"], key.act.value), ("", "  ")]
    return _hanging(head, key.help, width)


def _hanging(head: Line, text: str, width: int) -> list[Line]:
    indent = line_width(head)
    first, *rest = wrap([("", text)], width - indent)
    return [[*head, *first], *([("", " " * indent), *line] for line in rest)]


def help_text(commands: Mapping[str, str], colours: Theme, width: int) -> list[Line]:
    """`/help`: what can be typed at the prompt, and the keys of a card."""
    lines: list[Line] = [
        [],
        [
            ("", "  Say what you want, in your own words. "),
            (colours["code"], "@path"),
            ("", " sends a file along."),
        ],
        [
            (
                "",
                "  Alt-Enter makes a new line; Ctrl-C stops the model; Ctrl-D ends the session, resume goes on.",
            )
        ],
        [],
    ]
    for name, about in sorted(commands.items()):
        head: Line = [("", "  "), (colours["key"], f"/{name}"), ("", " " * max(1, 14 - len(name)))]
        lines += _hanging(head, about, width)
    lines += [[], [("", "  On a card, one key decides:")]]
    for key in KEYS:
        lines += _explained(key, colours, width)
    moves = wrap([(colours["dim"], MOVES)], width - 4)
    lines += [[("", "  "), *line] for line in moves]
    return [piece for line in [*lines, []] for piece in wrap(line, width)]
