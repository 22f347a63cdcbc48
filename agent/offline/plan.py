"""From findings to fixes worth proposing: grouped, ordered, each checked by ruff itself before it is offered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode
from agent.offline import wording
from agent.offline.fixes import Replacement, fixed, replacements, silenced
from agent.offline.ruff import Finding, FixEdit, Report, Ruff
from agent.ports import Cancel

Key = tuple[tuple[str, str, str], ...]
MISTAKES = frozenset(("F", "B", "PLE", "ASYNC", "S", "BLE", "DTZ", "T10", "LOG", "PGH"))
TASTE = frozenset(("I", "UP", "Q", "COM", "D", "ANN", "W", "E", "FA", "TC", "EM", "ISC", "CPY", "ERA", "T20"))
TOGETHER = 6
"""Neighbouring fixes that one proposal may hold."""
Read = Callable[[str], FileState | None]


class Candidate(msgspec.Struct, frozen=True):
    """Findings that one fix of ruff settles together."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        return self.findings[0]

    @property
    def edits(self) -> tuple[FixEdit, ...]:
        return self.first.fix.edits if self.first.fix else ()

    @property
    def safe(self) -> bool:
        return self.first.fix is not None and self.first.fix.safe


class Offer(msgspec.Struct, frozen=True):
    """A fix that was tried on the file's bytes: `before` and `after` count the rule's findings in this file."""

    candidate: Candidate
    changes: tuple[Replacement, ...]
    before: int
    after: int
    silences: bool = False
    brings: tuple[Finding, ...] = ()
    """Findings of other rules that are there only afterwards: an import that is not needed any more."""

    @property
    def key(self) -> Key:
        path = self.candidate.first.path
        return tuple((path, change.old, change.new) for change in self.changes)


class RuleCount(msgspec.Struct, frozen=True):
    """A rule among the findings: how many, how many fixes there are, how many of them safe."""

    code: str
    name: str
    findings: int
    fixes: int
    safe: int


def candidates(findings: Sequence[Finding]) -> list[Candidate]:
    """One for each fix: findings that share a fix (two names of one import) are one change."""
    groups: dict[tuple[str, str, tuple[FixEdit, ...]], list[Finding]] = {}
    for finding in findings:
        if finding.fixable and finding.fix is not None:
            groups.setdefault((finding.path, finding.rule, finding.fix.edits), []).append(finding)
    return [Candidate(tuple(group)) for group in groups.values()]


def ordered(found: Sequence[Candidate], codes: Sequence[str]) -> list[Candidate]:
    """In the order of `codes`; within a rule the safe ones first, then by place."""
    rank = {code: place for place, code in enumerate(codes)}
    return sorted(
        (candidate for candidate in found if candidate.first.rule in rank),
        key=lambda c: (
            rank[c.first.rule],
            not c.safe,
            c.first.path,
            c.first.location.row,
            c.first.location.column,
        ),
    )


def rules(report: Report) -> list[RuleCount]:
    """Rules with a fix: likely mistakes first, then by how many safe fixes there are."""
    total = Counter(finding.rule for finding in report.findings)
    fixes: Counter[str] = Counter()
    safe: Counter[str] = Counter()
    names: dict[str, str] = {}
    for candidate in candidates(report.findings):
        code = candidate.first.rule
        fixes[code] += 1
        safe[code] += candidate.safe
        names[code] = candidate.first.name or ""
    found = [RuleCount(code, names[code], total[code], fixes[code], safe[code]) for code in fixes]
    return sorted(found, key=lambda rule: (_weight(rule.code), not rule.safe, -rule.fixes, rule.code))


def _weight(code: str) -> int:
    """0 for rules about likely mistakes, 1 for rules about clarity, 2 for taste."""
    letters = code.rstrip("0123456789")
    if letters in MISTAKES or code.startswith(("E7", "E9")):
        return 0
    return 2 if letters in TASTE else 1


def neighbours(found: Sequence[Candidate]) -> list[tuple[Candidate, ...]]:
    """Fixes of one rule on the same or adjoining rows, together: they are one thing to look at."""
    groups: list[list[Candidate]] = []
    for candidate in found:
        last = groups[-1][-1] if groups else None
        if last is not None and len(groups[-1]) < TOGETHER and _adjoin(last, candidate):
            groups[-1].append(candidate)
        else:
            groups.append([candidate])
    return [tuple(group) for group in groups]


def _adjoin(before: Candidate, after: Candidate) -> bool:
    same = (before.first.path, before.first.rule, before.safe) == (
        after.first.path,
        after.first.rule,
        after.safe,
    )
    last = max(edit.end_location.row for edit in before.edits)
    first = min(edit.location.row for edit in after.edits)
    return same and min(edit.location.row for edit in before.edits) <= first <= last + 1


class Tester:
    """Turns candidates into offers: reads the file, makes the edits, and asks ruff whether the finding is gone."""

    def __init__(self, ruff: Ruff, read: Read) -> None:
        self._ruff = ruff
        self._read = read

    def offers(
        self, found: Sequence[Candidate], tried: frozenset[Key], select: Sequence[str], cancel: Cancel
    ) -> Iterator[Offer]:
        """Fixes that hold, without those in `tried`, one at a time: each costs a run of ruff."""
        for group in neighbours(found):
            if cancel.cancelled:
                return
            whole = self.fix(group, select, cancel)
            if whole is not None and whole.key in tried:
                continue
            singles = (self.fix((candidate,), select, cancel) for candidate in group)
            for offer in [whole] if whole is not None else singles:
                if offer is not None and offer.key not in tried:
                    yield offer

    def fix(self, group: Sequence[Candidate], select: Sequence[str], cancel: Cancel) -> Offer | None:
        """The fixes of `group` as one offer; None when they do not hold."""
        candidate = Candidate(tuple(finding for member in group for finding in member.findings))
        edits = tuple(dict.fromkeys(edit for member in group for edit in member.edits))
        text = self._text(candidate.first.path)
        changes = replacements(text, edits) if text else None
        after = fixed(text, edits) if text else None
        if not text or not changes or after is None:
            return None
        return self._tested(Offer(candidate, changes, 0, 0), text, after, select, cancel)

    def silence(self, candidate: Candidate, select: Sequence[str], cancel: Cancel) -> Offer | None:
        """The other way to settle a finding: a `# noqa` for this rule on its line."""
        text = self._text(candidate.first.path)
        change = silenced(text, candidate.first) if text else None
        if not text or change is None:
            return None
        after = text.replace(change.old, change.new, 1)
        return self._tested(Offer(candidate, (change,), 0, 0, silences=True), text, after, select, cancel)

    def _tested(
        self, offer: Offer, text: str, after: str, select: Sequence[str], cancel: Cancel
    ) -> Offer | None:
        """The offer with its counts; None when a finding would stay or the file would no longer parse."""
        path, code = offer.candidate.first.path, offer.candidate.first.rule
        old = self._ruff.look_at_bytes(path, text.encode(), select, cancel)
        new = self._ruff.look_at_bytes(path, after.encode(), select, cancel)
        before_count = sum(finding.rule == code for finding in old)
        after_count = sum(finding.rule == code for finding in new)
        expected = 1 if offer.silences else len(offer.candidate.findings)
        broken = sum(f.broken for f in new) > sum(f.broken for f in old)
        if broken or before_count - after_count < expected:
            return None
        brings = Counter((f.rule, f.message) for f in new) - Counter((f.rule, f.message) for f in old)
        other = tuple(f for f in new if f.rule != code and (f.rule, f.message) in brings)
        return msgspec.structs.replace(offer, before=before_count, after=after_count, brings=other)

    def _text(self, path: str) -> str:
        """The file as text, "" when it is not plain UTF-8: ruff reads nothing else."""
        try:
            state = self._read(path)
        except PathRefused:
            return ""
        if state is None or state.mode not in (Mode.FILE, Mode.EXECUTABLE):
            return ""
        try:
            return state.data.decode("utf-8")
        except UnicodeDecodeError:
            return ""


def proposal(offer: Offer, ruff: Ruff) -> dict[str, Any]:
    """The arguments of `propose` for an offer."""
    first = offer.candidate.first
    rule = ruff.rule(first.rule)
    known = "".join(change.old + change.new for change in offer.changes)
    said = "; ".join(dict.fromkeys(wording.ticks(f.message, known) for f in offer.candidate.findings))
    risks = [wording.risk(rule, first)]
    if offer.silences:
        risks = ["The finding stays in the code; it is only no longer reported on this line."]
    if offer.brings:
        brought = wording.listed(dict.fromkeys(f"{f.rule} {f.message}" for f in offer.brings), 2)
        risks.append(f"Afterwards ruff finds something new: {wording.condensed(brought, 160)}")
    title = wording.title(offer.candidate.findings)
    if offer.silences:
        title = f"Silence {first.rule} on line {first.location.row}"
    return {
        "why": wording.why(rule, first),
        "title": title,
        "assumes": [],
        "risks": [risk for risk in risks if risk],
        "serves": f"ruff {first.rule}",
        "edits": [
            {"because": f"{first.where} {first.rule}: {said}", "path": first.path, "old": c.old, "new": c.new}
            for c in offer.changes
        ],
    }


def key_of(arguments: dict[str, Any]) -> Key:
    """The key of a proposal that was made before; the inverse of `proposal` as far as it goes."""
    edits = arguments.get("edits")
    rows = edits if isinstance(edits, list) else []
    return tuple(
        (str(e.get("path")), str(e.get("old")), str(e.get("new"))) for e in rows if isinstance(e, dict)
    )
