"""The small known tasks of `copair check-model`: what is asked, with which files, and how an answer is judged.

Pure: an answer is judged by what its edits make of the files, never by its words.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from agent.core.dialog import ToolCall
from agent.core.hunk import FileState, Mode
from agent.core.replies.arguments import parse_ask, parse_propose
from agent.core.replies.edits import FormatError, Resolved
from agent.core.replies.resolve import resolve

Judge = Callable[["Answer", dict[str, str]], str]
"""What is wrong with an answer, given the files; empty when it is right."""

LOOKS = frozenset({"read", "search", "outline", "history"})


class Answer(msgspec.Struct, frozen=True):
    """What a model said in the end: its words, and its calls, native ones or read out of the text protocol."""

    text: str
    calls: tuple[ToolCall, ...]
    looked: tuple[ToolCall, ...] = ()
    """Calls before, that were answered."""

    def call(self, name: str) -> ToolCall | None:
        return next((call for call in self.calls if call.name == name), None)


class Task(msgspec.Struct, frozen=True):
    """One task. `shown`: the files stand in the question, as if they had been read."""

    name: str
    says: str
    files: dict[str, str]
    judge: Judge
    shown: bool = True
    edits: bool = False
    """It measures whether edits can be made at all."""

    def question(self) -> str:
        if not self.shown:
            return self.says
        parts = [f"{path}:\n```\n{content}```" for path, content in self.files.items()]
        return "\n\n".join([self.says, *parts])


def after_edits(answer: Answer, files: dict[str, str]) -> dict[str, str] | str:
    """The files as the proposal would leave them; a sentence when there is no usable proposal."""
    call = answer.call("propose")
    if call is None:
        return "asked instead of proposing" if answer.call("ask") else "proposed nothing"
    arguments = parse_propose(call.args_json)
    if isinstance(arguments, FormatError):
        return arguments.message

    def read(path: str) -> FileState | None:
        return FileState(Mode.FILE, files[path].encode()) if path in files else None

    resolved = resolve(arguments.edits, read, lambda: list(files))
    if not isinstance(resolved, Resolved):
        return resolved[0].message
    left = dict(files)
    for path, state in resolved.after.items():
        left.pop(path, None)
        if state is not None:
            left[path] = state.data.decode("utf-8", "replace")
    return left


def wants(check: Callable[[dict[str, str]], bool], otherwise: str) -> Judge:
    """Right when the files after the edits satisfy `check`."""

    def judge(answer: Answer, files: dict[str, str]) -> str:
        left = after_edits(answer, files)
        if isinstance(left, str):
            return left
        return "" if check(left) else otherwise

    return judge


def _asked(answer: Answer, files: dict[str, str]) -> str:
    call = answer.call("ask")
    if call is None:
        return "proposed without asking" if answer.call("propose") else "did not ask"
    question = parse_ask(call.args_json)
    return question.message if isinstance(question, FormatError) else ""


def _looked(answer: Answer, files: dict[str, str]) -> str:
    return "" if answer.looked or any(call.name in LOOKS for call in answer.calls) else "did not look first"


def _talked(answer: Answer, files: dict[str, str]) -> str:
    if answer.call("propose") or answer.call("ask"):
        return "proposed or asked where a plain answer was wanted"
    said = answer.text + "".join(call.args_json for call in answer.calls if call.name == "finish")
    return "" if said.strip() else "said nothing"


STACK = '''class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def top(self):
        """The item that was pushed last."""
        return self.items[0]
'''
REPORT = '''def report(orders):
    """Lines of the report, one per order; each has a date, a customer and a total."""
    return [f"{order.date} {order.customer} {order.total}" for order in orders]
'''

TASKS = (
    Task(
        "edit a file",
        "top() returns the wrong item. Fix it.",
        {"stack.py": STACK},
        wants(
            lambda left: "self.items[-1]" in left["stack.py"] and "self.items[0]" not in left["stack.py"],
            "the edit does not fix it",
        ),
        edits=True,
    ),
    Task(
        "insert lines",
        "Add a method `size(self)` to Stack that returns the number of items.",
        {"stack.py": STACK},
        wants(lambda left: "def size(self)" in left["stack.py"] and "def top" in left["stack.py"], "no method"),
        edits=True,
    ),
    Task(
        "create a file",
        "Create the file VERSION with the one line 1.0.0",
        {"stack.py": STACK},
        wants(lambda left: left.get("VERSION", "").strip() == "1.0.0", "the file is not as asked"),
        edits=True,
    ),
    Task("look before changing", "top() in stack.py returns the wrong item. Fix it.", {"stack.py": STACK}, _looked, False),
    Task("ask when it is unclear", "Sort the report.", {"report.py": REPORT}, _asked),
    Task(
        "do not ask when it is clear",
        "Sort the lines of the report by date, oldest first.",
        {"report.py": REPORT},
        wants(lambda left: "sort" in left["report.py"], "the edit does not sort"),
        edits=True,
    ),
    Task("answer a question", "What does push() do? Just tell me.", {"stack.py": STACK}, _talked),
)  # fmt: skip
