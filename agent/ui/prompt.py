"""The prompt: where the person says what they want. History, completion, multi-line paste, vi or emacs keys.

The list of files is asked for when the first `@` is typed, in a thread, and not before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application.current import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, ThreadedCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.styles import Style

from agent.core.clean import clean
from agent.core.frontend import PromptOffer
from agent.ui.early import PROMPT
from agent.ui.processors import VisibleInput
from agent.ui.screen import Screen

MAX_COMPLETIONS = 40
STYLE = Style.from_dict(
    {
        "completion-menu": "bg:#303446 #c6d0f5",
        "completion-menu.completion.current": "bg:#51576d #ffffff",
        "completion-menu.meta": "bg:#292c3c #a5adce",
        "completion-menu.meta.completion.current": "bg:#414559 #c6d0f5",
    }
)


class Replaced(Exception):
    """Something else is to be shown; what was typed so far."""

    def __init__(self, typed: str) -> None:
        super().__init__()
        self.typed = typed


class SafeHistory(FileHistory):
    """Sentences across sessions, readable by the person alone; a full disk costs only the history."""

    def load_history_strings(self) -> Iterable[str]:
        try:
            return list(super().load_history_strings())
        except (OSError, UnicodeDecodeError):
            return []

    def store_string(self, string: str) -> None:
        try:
            Path(os.fsdecode(self.filename)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.filename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            super().store_string(string)
        except (OSError, UnicodeEncodeError):
            return


class Words(Completer):
    """`/commands` at the start, `@files` anywhere."""

    def __init__(self, commands: Mapping[str, str], files: Callable[[], Sequence[str]]) -> None:
        self._commands = commands
        self._files = files
        self._known: Sequence[str] | None = None

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        if before.startswith("/") and " " not in before:
            for name, about in self._commands.items():
                if name.startswith(before[1:]):
                    yield Completion(f"/{name}", -len(before), display_meta=about)
            return
        word = document.get_word_before_cursor(WORD=True)
        if word.startswith("@"):
            yield from self._paths(word[1:])

    def _paths(self, part: str) -> Iterable[Completion]:
        if self._known is None:
            self._known = self._files()
        wanted = part.casefold()
        found = [
            path for path in self._known if wanted in path.casefold() and clean(path, spaces=True) == path
        ]
        found.sort(
            key=lambda path: (
                not path.casefold().startswith(wanted),
                wanted not in path.rpartition("/")[2],
                path,
            )
        )
        for path in found[:MAX_COMPLETIONS]:
            yield Completion(f"@{path}", -len(part) - 1)


class Prompt:
    """One line editor for the whole session."""

    def __init__(
        self,
        screen: Screen,
        *,
        commands: Mapping[str, str],
        files: Callable[[], Sequence[str]],
        history: Path | None = None,
        vi: bool = False,
    ) -> None:
        self._screen = screen
        self._offer = PromptOffer()
        past: History = SafeHistory(str(history)) if history else InMemoryHistory()
        options = screen.app_options()
        self._session: PromptSession[str] = PromptSession(
            message=[(screen.colours["bold"], PROMPT)],
            input=options["input"],
            output=options["output"],
            color_depth=options["color_depth"],
            style=STYLE,
            history=past,
            completer=ThreadedCompleter(Words(commands, files)),
            complete_while_typing=True,
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            enable_suspend=True,
            enable_open_in_editor=False,
            key_bindings=self._bindings(),
            input_processors=[VisibleInput()],
            placeholder=self._placeholder,
            rprompt=self._place,
            prompt_continuation=lambda width, line, wrapped: " " * width,
            reserve_space_for_menu=6,
            interrupt_exception=KeyboardInterrupt,
        )

    async def ask(self, offer: PromptOffer, typed: str) -> str:
        """What the person says. Raises EOFError at Ctrl-D, Replaced when something else is to be shown."""
        self._offer = offer
        self._session.app.erase_when_done = False
        return await self._session.prompt_async(
            default=typed, handle_sigint=False, set_exception_handler=False
        )

    def update(self, offer: PromptOffer) -> None:
        self._offer = offer
        self._session.app.invalidate()

    def close(self) -> None:
        """Give the place to something else; the text is kept."""
        app = self._session.app
        if app.is_running and not app.is_done:
            text = self._session.default_buffer.text
            self._session.default_buffer.reset()
            app.erase_when_done = True
            app.exit(exception=Replaced(text))

    def _placeholder(self) -> StyleAndTextTuples:
        words = self._offer.placeholder or "say what you want · /help · @file"
        return [(self._screen.colours["dim"], clean(words))]

    def _place(self) -> StyleAndTextTuples:
        if get_app().current_buffer.text or not self._offer.place:
            return []
        later = f" · {self._offer.deferred} put off, /later" if self._offer.deferred else ""
        return [(self._screen.colours["dim"], clean(f"{self._offer.place}{later}"))]

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("escape", "enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if event.current_buffer.text:
                event.current_buffer.reset()
            else:
                self._screen.print([[(self._screen.colours["dim"], "  Ctrl-D or /quit ends the session")]])

        return keys
