"""Read a reply of the text protocol: headings, edits in blocks and fences, questions, requests to look.

Promises: never raises, linear time; what looks like an edit but is cut or malformed is an error, never dropped.
"""

from __future__ import annotations

import re
from bisect import bisect_left

import msgspec

from agent.core.replies.blocks import BadBlock, is_head, is_tail, read_block
from agent.core.replies.edits import ModelEdit
from agent.core.replies.fences import Fence, close_of, closes, fence_open, goes_on, path_in, path_in_info
from agent.core.replies.headings import body, deleted, heading, items, look, renamed

LOOK_BACK = 4
"""Lines above a block that may name its file."""

_MARKDOWN = re.compile(r"\.(?:md|mdx|markdown|rst|txt)$", re.I)
_PATCH_INFO = re.compile(r"(?:diff|patch|udiff|unified)\b", re.I)


class AskedInText(msgspec.Struct, frozen=True):
    text: str
    why_it_matters: str = ""
    options: tuple[str, ...] = ()
    default: int = 0


class TextReply(msgspec.Struct, frozen=True):
    """What a reply says. `reads` are (tool, argument) in order; `errors` tell the model what is malformed."""

    edits: tuple[ModelEdit, ...] = ()
    why: str = ""
    title: str = ""
    assumes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    serves: str = ""
    question: AskedInText | None = None
    reads: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()
    marked: bool = False
    """True when an edit was marked as one beyond doubt (blocks, patches), not only a fence with a name."""


def parse_text(text: str, *, whole: bool = False) -> TextReply:
    """The reply as values. `whole`: it has whole files only, whatever their content looks like."""
    return _Reader([line.removesuffix("\r") for line in text.split("\n")], whole).reply()


class _Reader:
    def __init__(self, lines: list[str], whole: bool) -> None:
        self.lines = lines
        self.whole = whole
        self.at = 0
        self.edits: list[ModelEdit] = []
        self.errors: list[str] = []
        self.reads: list[tuple[str, str]] = []
        self.said: dict[str, list[str]] = {}
        self.because = ""
        self.last_path = ""
        self.marked = False
        self.inside: Fence | None = None
        self.scans = 3 * len(lines) + 2_000
        self.heads = [index for index, line in enumerate(lines) if is_head(line)]

    def reply(self) -> TextReply:
        while self.at < len(self.lines):
            self._step()
        return TextReply(
            edits=tuple(self.edits),
            why=" ".join(self.said.get("why", ())),
            title=" ".join(self.said.get("title", ())),
            assumes=items(self.said.get("assumes", ())),
            risks=items(self.said.get("risks", ())),
            quotes=items(self.said.get("quotes", ())),
            serves=" ".join(self.said.get("serves", ())),
            question=self._question(),
            reads=tuple(self.reads),
            errors=tuple(self.errors),
            marked=self.marked,
        )

    def _question(self) -> AskedInText | None:
        if not self.said.get("question"):
            return None
        default = re.search(r"\d+", " ".join(self.said.get("default", ())))
        return AskedInText(
            " ".join(self.said["question"]),
            " ".join(self.said.get("why it matters", ())),
            items(self.said.get("options", ())),
            int(default[0][:3]) - 1 if default else 0,
        )

    def _step(self) -> None:
        line = self.lines[self.at]
        if self.whole:
            self._whole(line)
        elif is_head(line):
            self._block()
        elif line.startswith(("*** Begin Patch", "*** Update File:", "*** Add File:")):
            self._begin_patch()
        elif self._at_diff():
            self._take_patch(self.at, self._diff_end())
        elif self.inside and closes(line, self.inside):
            self.inside = None
            self.at += 1
        elif fence := fence_open(line):
            self._fence(fence)
        elif found := heading(line):
            self._heading(*found)
        elif asked := look(line):
            self.reads.append(asked)
            self.at += 1
        elif is_tail(line):
            self.errors.append(
                "a `>>>>>>> REPLACE` without its block; where the text has one, use nine signs"
            )
            self.at += 1
        elif path := deleted(line):
            self._edit(ModelEdit(self.because, path, delete=True))
            self.at += 1
        elif names := renamed(line):
            self._edit(ModelEdit(self.because, names[0], rename_to=names[1]))
            self.at += 1
        else:
            self.at += 1

    def _whole(self, line: str) -> None:
        fence = fence_open(line)
        if fence:
            self._fence(fence)
        else:
            self.at += 1

    def _edit(self, edit: ModelEdit) -> None:
        self.edits.append(edit)
        self.marked = True

    def _heading(self, name: str, first: str) -> None:
        def stops(line: str) -> bool:
            known = heading(line) or fence_open(line) or is_head(line) or deleted(line) or renamed(line)
            return bool(known) or (name == "because" and path_in(line) is not None)

        listed = name in ("assumes", "risks", "quotes", "options")
        said, self.at = body(self.lines, self.at + 1, first, stops, paragraphs=listed)
        if name == "because":
            self.because = " ".join(said)
        else:
            self.said.setdefault(name, said)

    def _path_above(self, at: int) -> str | None:
        """The file that the lines above `at` name; fences in between may name it too."""
        seen = 0
        for index in range(at - 1, max(-1, at - 1 - LOOK_BACK), -1):
            line = self.lines[index]
            if not line.strip():
                continue
            fence = fence_open(line)
            if fence and fence.info:
                if path := path_in_info(fence.info):
                    return path
                continue
            if fence or closes(line, Fence("", "")):
                if seen:
                    return None
                seen += 1
                continue
            if is_head(line) or line.lstrip().startswith((">>>>>", "+++++", "=====")):
                return None
            if found := heading(line):
                return path_in(found[1]) if found[0] != "why" else None
            return path_in(line)
        return None

    def _block(self) -> None:
        path = self._path_above(self.at) or self.last_path
        block = read_block(self.lines, self.at)
        if isinstance(block, BadBlock):
            self.errors.append(f"{path or 'a block'}: {block.reason}")
        else:
            self.last_path = path
            self._edit(ModelEdit(self.because, path, old=block.old, new=block.new))
        self.at = max(block.next, self.at + 1)
        self.marked = True

    def _begin_patch(self) -> None:
        end = self.at + 1
        while end < len(self.lines) and not self.lines[end].startswith("*** End Patch"):
            end += 1
        if end == len(self.lines):
            self.errors.append("a patch has no `*** End Patch`: the reply is cut off")
        self._take_patch(self.at, end + 1)

    def _at_diff(self) -> bool:
        line, following = self.lines[self.at], self.lines[self.at + 1 : self.at + 3]
        if line.startswith("diff --git "):
            return True
        names = line.startswith("--- ") and bool(following) and following[0].startswith("+++ ")
        return names and (len(following) < 2 or following[1].startswith("@@"))

    def _diff_end(self) -> int:
        end = self.at
        while end < len(self.lines) and not self.lines[end].startswith(("```", "~~~", "</")):
            end += 1
        return end

    def _take_patch(self, start: int, end: int) -> None:
        text = "".join(f"{line}\n" for line in self.lines[start:end])
        self._edit(ModelEdit(self.because, patch=text))
        self.at = max(end, self.at + 1)

    def _has_head(self, start: int, end: int) -> bool:
        at = bisect_left(self.heads, start)
        return at < len(self.heads) and self.heads[at] < end

    def _fence(self, fence: Fence) -> None:
        """A fence is a diff, the whole content of the file named above it, or just an example."""
        if self.scans <= 0:
            self.errors.append("too many fences that are not closed")
            self.at = len(self.lines)
            return
        start = self.at + 1
        path = self._path_above(self.at) or path_in_info(fence.info)
        markdown = bool(path and _MARKDOWN.search(path)) or fence.info in ("markdown", "md")
        end = close_of(self.lines, start, fence, markdown=bool(path) and markdown)
        stop = len(self.lines) if end is None else end
        self.scans -= stop - start
        if _PATCH_INFO.match(fence.info) and fence.mark:
            at_margin = (i for i in range(start, len(self.lines)) if self.lines[i].startswith(fence.mark))
            stop = next(at_margin, len(self.lines))
        inner = self.lines[start:stop]
        if self.whole and path and end is not None:
            self._content(path, start, stop, None if markdown else fence)
        elif self._has_head(self.at, stop) or any(line.startswith("*** Begin Patch") for line in inner[:3]):
            self.inside = fence
            self.at += 1
        elif _PATCH_INFO.match(fence.info) and any(line[:1] in ("+", "-") for line in inner):
            if self.lines[stop + 1 : stop + 2] and self.lines[stop + 1][:1] in ("+", "-", " ", "@"):
                self.errors.append("a fence inside the diff; put four backticks around the diff")
            if stop == len(self.lines):
                self.errors.append("the fence around a diff is not closed: the reply is cut off")
            self._take_patch(start, stop)
            self.at = stop + 1
        elif inner and all(look(line) or not line.strip() for line in inner):
            self.reads += [asked for line in inner if (asked := look(line))]
            self.at = stop + 1
        elif path and end is None:
            self.errors.append(f"{path}: the fence around its content is not closed: the reply is cut off")
            self.at = stop
        elif path:
            self._content(path, start, stop, None if markdown else fence)
        elif end is None or any(is_tail(line) for line in inner):
            self.at += 1
        else:
            self.at = stop + 1

    def _content(self, path: str, start: int, stop: int, fence: Fence | None) -> None:
        if fence and goes_on(self.lines, stop, fence):
            self.errors.append(f"{path}: a fence inside its content; put four backticks around the content")
        content = "".join(f"{line}\n" for line in self.lines[start:stop])
        self.edits.append(ModelEdit(self.because, path, content=content))
        self.last_path = path
        self.at = stop + 1
