"""Words of the offline pair: rules explained by their own documentation, in the space that a card has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.offline.ruff import Finding, Rule

WHY_CHARS = 240
TITLE_CHARS = 72

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'`(])")
_EXAMPLE = re.compile(r",? (?:as in|for example|e\.g\.)?:(?= |$)")
"""What is left of a sentence whose example was a block of code."""
_TICKED = re.compile(r"`([^`\n]*)`")


def why(rule: Rule | None, finding: Finding) -> str:
    """Why the rule exists: its documentation's own first sentences, at most 240 characters."""
    text = (
        section(rule, "Why is this bad?") or section(rule, "What it does") or (rule.summary if rule else "")
    )
    return condensed(text or finding.message, WHY_CHARS)


def risk(rule: Rule | None, finding: Finding) -> str:
    """What ruff itself says about a fix that it does not call safe."""
    text = section(rule, "Fix safety")
    said = condensed(text, WHY_CHARS - 40) if text else "it may change what the code does."
    return f"ruff calls this fix unsafe: {said}" if finding.fix and not finding.fix.safe else ""


def section(rule: Rule | None, heading: str) -> str:
    """The prose under a heading of the rule's documentation, without its code blocks."""
    if rule is None:
        return ""
    body = re.split(r"(?m)^## ", rule.explanation)
    text = next((part[len(heading) :] for part in body if part.startswith(heading)), "")
    prose = re.split(r"(?m)^```", text)[0]
    prose = re.sub(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])?", r"\1", prose)
    return " ".join(prose.replace("\n\n", " ").split())


def condensed(text: str, limit: int) -> str:
    """As many whole sentences as fit, else the first one cut between words. Names lose their backticks: copair
    would look for them in the change."""
    text = _EXAMPLE.sub(".", _TICKED.sub(r"\1", text))
    kept = ""
    for sentence in _SENTENCE.split(text):
        longer = f"{kept} {sentence}".strip()
        if len(longer) > limit:
            break
        kept = longer
    if kept:
        return kept.removesuffix(":") + ("" if kept[-1] in ".!?" else ".")
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def ticks(text: str, known: str) -> str:
    """Keep backticks only around what occurs in `known`: the card marks names that exist nowhere."""
    return _TICKED.sub(lambda name: name[0] if name[1] and name[1] in known else f"'{name[1]}'", text)


def title(findings: Sequence[Finding]) -> str:
    """What the fix does, with the rule: `Remove unused import: json, os (F401)`."""
    said = list(dict.fromkeys(_doing(finding) for finding in findings))
    places = len({finding.location for finding in findings})
    heads = {one.partition(": ")[0] for one in said}
    if len(said) > 1 and len(heads) == 1 and all(": " in one for one in said):
        doing, places = f"{heads.pop()}: {', '.join(one.partition(': ')[2] for one in said)}", 1
    else:
        doing = said[0]
    rule = f"({findings[0].rule}, {places} places)" if places > 1 else f"({findings[0].rule})"
    room = TITLE_CHARS - len(rule) - 1
    if len(doing) > room:
        doing = doing[: room - 1].rstrip() + "…"
    return f"{doing} {rule}"


def _doing(finding: Finding) -> str:
    text = (finding.fix.message if finding.fix else None) or finding.message
    return _TICKED.sub(r"\1", text.split("; ")[0]).rstrip(".")


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(items: Iterable[str], limit: int) -> str:
    names = list(items)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
