"""Evidence from ruff: what it finds in the files before and after a change, both run by us on these very bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from agent.core.chunk import Chunk
from agent.core.hunk import FileState, Mode, Write, writes_digest
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.offline import wording
from agent.offline.ruff import PYTHON, Finding, Ruff, RuffFailed
from agent.ports import Cancel

COMMAND = "ruff check --stdin-filename FILE -"
SHOWN = 3
CANNOT_RUN = frozenset(("F821", "F822", "F823"))
"""Undefined names, beside what cannot be parsed."""


class FindingChecks:
    """`ports.Checks` that knows findings. `selected` adds rules that the repository's settings leave out."""

    def __init__(self, ruff: Ruff, selected: Sequence[str] = ()) -> None:
        self._ruff = ruff
        self._selected = tuple(selected)

    def examine(
        self, chunk: Chunk, writes: Sequence[Write], base: Sequence[Write], cancel: Cancel
    ) -> Iterator[Evidence]:
        """At most one piece: findings that went or came. Nothing when ruff says the same before and after."""
        try:
            evidence = finding_evidence(self._ruff, writes, cancel, self._selected)
        except RuffFailed:
            return  # a card without this line is as true as one with "ruff failed"; the pair itself says it
        if evidence is not None:
            yield evidence


def finding_evidence(
    ruff: Ruff, writes: Sequence[Write], cancel: Cancel, selected: Sequence[str] = ()
) -> Evidence | None:
    """Findings in the old bytes against findings in the new bytes, of the Python files of one chunk.

    *verified*: something went and nothing came. *partly verified*: something else came. *contradicted*: what came
    cannot run. *unverified*: only less serious ones came. None when nothing differs.
    """
    gone: list[Finding] = []
    come: list[Finding] = []
    for write in writes:
        if not write.path.endswith(PYTHON) or cancel.cancelled:
            continue
        old = _findings(ruff, write.path, write.old, selected, cancel)
        new = _findings(ruff, write.path, write.new, selected, cancel)
        gone += _only(old, new)
        come += _only(new, old) if write.old is not None else []
    if not (gone or come) or cancel.cancelled:
        return None
    return Evidence(
        kind=EvidenceKind.FINDING,
        verdict=_verdict(gone, come),
        summary=_summary(gone, come),
        digest=writes_digest(writes),
        command=COMMAND,
        before="\n".join(_row(finding) for finding in gone) or "none of these",
        after="\n".join(_row(finding) for finding in come) or "none",
        where=(gone or come)[0].where,
    )


def _verdict(gone: Sequence[Finding], come: Sequence[Finding]) -> Verdict:
    if any(finding.broken or finding.rule in CANNOT_RUN for finding in come):
        return Verdict.CONTRADICTED
    if gone:
        return Verdict.PARTLY if come else Verdict.VERIFIED
    return Verdict.UNVERIFIED


def _summary(gone: Sequence[Finding], come: Sequence[Finding]) -> str:
    parts = [f"{rule}: {wording.count(number, 'finding')} → none" for rule, number in _counts(gone)]
    parts += [f"new {rule}: {number}" for rule, number in _counts(come)]
    return "ruff " + wording.listed(parts, SHOWN)


def _counts(findings: Sequence[Finding]) -> list[tuple[str, int]]:
    return list(Counter(finding.rule for finding in findings).items())


def _row(finding: Finding) -> str:
    return f"{finding.where} {finding.rule} {finding.message}"


def _only(left: Sequence[Finding], right: Sequence[Finding]) -> list[Finding]:
    """Findings of `left` that `right` has not, wherever their lines have moved to."""
    surplus = Counter(_same(finding) for finding in right)
    kept = []
    for finding in left:
        if surplus[_same(finding)]:
            surplus[_same(finding)] -= 1
        else:
            kept.append(finding)
    return kept


def _same(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.message


def _findings(
    ruff: Ruff, path: str, state: FileState | None, selected: Sequence[str], cancel: Cancel
) -> tuple[Finding, ...]:
    if state is None or state.mode not in (Mode.FILE, Mode.EXECUTABLE):
        return ()
    return ruff.look_at_bytes(path, state.data, selected, cancel)
