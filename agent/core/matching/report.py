"""Tell a model why its text did not match, so that its next try fits: numbers, and the file's own characters."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.matching.document import Document
from agent.core.matching.match import MAX_CANDIDATES, Ambiguous, Found, Located, Missing, Unfit
from agent.core.matching.nearest import Near

MAX_PLACES = 3


def explain(found: Found, document: Document, old: Sequence[str]) -> str:
    """One short message; quotes lines of the file verbatim, each behind `|`."""
    match found:
        case Located():
            return "it fits"
        case Unfit(reason):
            return reason
        case Ambiguous(candidates, length):
            return _ambiguous(document, candidates, length)
        case Missing(near, applied):
            if not any(line.strip() for line in old):
                return (
                    "the old text is empty; quote the lines that are to change, or whole lines next to them"
                )
            if applied:
                return (
                    f"the old text is not in the file, but the new text is there already, at line {applied}; "
                    "nothing to do unless you meant another place"
                )
            return _missing(document, near, old)


def briefly(found: Found) -> str:
    """The same for a person, in half a line."""
    match found:
        case Ambiguous(candidates, _):
            many = "many" if len(candidates) >= MAX_CANDIDATES else str(len(candidates))
            return f"these lines are in the file {many} times"
        case Missing(near, applied):
            if applied:
                return f"it is in the file already, at line {applied}"
            return "these lines are not in the file" + (
                f"; the most similar ones begin at line {near.start + 1}" if near is not None else ""
            )
        case Unfit(reason):
            return reason
        case Located():
            return "it fits"


def _ambiguous(document: Document, candidates: Sequence[int], length: int) -> str:
    numbers = ", ".join(str(at + 1) for at in candidates)
    count = f"{len(candidates)} times" if len(candidates) < MAX_CANDIDATES else "many times"
    out = [f"the old text occurs {count}, at lines {numbers}; add lines around it:"]
    for at in candidates[:MAX_PLACES]:
        before = document.texts[max(0, at - 2) : at]
        after = document.texts[at + length : at + length + 1]
        out.append(f"before line {at + 1}:")
        out += [f"|{line}" for line in before] or ["(start of the file)"]
        out += [f"behind line {at + length}:"] + ([f"|{line}" for line in after] or ["(end of the file)"])
    return "\n".join(out)


def _missing(document: Document, near: Near | None, old: Sequence[str]) -> str:
    if near is None:
        return "the old text is not in the file, nor anything like it; read the file again"
    out = [f"the old text is not in the file; most similar, from line {near.start + 1}:"]
    out += [f"|{line}" for line in near.lines]
    if near.said is not None:
        out += ["first difference: you wrote", f"|{near.said}", "the file has"]
        out.append(f"|{near.real}" if near.real is not None else "(the end)")
    return "\n".join(out)
