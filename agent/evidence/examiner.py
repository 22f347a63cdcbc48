"""Makes all evidence for one chunk, the cheap kinds first: names, weakened tests, the API check, then the checks.

Implements `ports.Checks`. Every piece is bound to the digest of the writes that it was made for. Nothing here is
asked of the person, and nothing raises into the caller: what could not be done is a piece that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol as Interface

from agent.core.chunk import Chunk, Quote
from agent.core.errors import CopairError
from agent.core.hunk import FileState, Write, writes_digest
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.core.scrutiny.run_claims import unbacked
from agent.core.scrutiny.weakened import OUTRIGHT, Weakened, weakened
from agent.evidence.proof.checks import Change, CheckRunner
from agent.evidence.proof.discover import Check
from agent.evidence.proof.store import CheckStore
from agent.evidence.runs.bench import Bench
from agent.evidence.runs.run import Limits
from agent.ports import Cancel

SHOWN = 3


class ApiCheck(Interface):
    """Looks up what a change uses of other packages."""

    def examine(self, writes: Sequence[Write]) -> Iterable[Evidence]: ...

    def quotations(self, quotes: Sequence[Quote], digest: str, cancel: Cancel) -> Iterable[Evidence]: ...


class Examiner:
    """`names` says which names in backticks exist nowhere; it may be left out, as may the API check."""

    def __init__(
        self,
        bench: Bench,
        store: CheckStore,
        api: ApiCheck | None = None,
        names: Callable[[Chunk, Sequence[Write]], Sequence[str]] | None = None,
        limits: Limits = Limits(),  # noqa: B008  a frozen value
    ) -> None:
        self._bench, self._store, self._api, self._names = bench, store, api, names
        self._runner = CheckRunner(bench, limits)

    def warm(self) -> None:
        """Make the scratch tree ahead of the first chunk, in a thread of the caller's."""
        try:
            if self._store.load():
                self._bench.warm()
        except CopairError:
            return  # said with the first chunk, where the person can see what it means

    def close(self) -> None:
        self._bench.close()

    def examine(
        self,
        chunk: Chunk,
        writes: Sequence[Write],
        before: Sequence[Write],
        cancel: Cancel,
        ground: Mapping[str, FileState | None] = {},
    ) -> Iterator[Evidence]:
        """Pieces as they are found. `before` is what of the stack counts as *before*, `ground` as in `Change`."""
        digest = writes_digest(writes)
        found = weakened(writes)
        yield from _weakened_pieces(found, digest)
        yield from self._name_pieces(chunk, writes, digest)
        yield from _claim_pieces(chunk, digest)
        if self._api is not None and not cancel.cancelled:
            yield from self._api.examine(writes)
            yield from self._api.quotations(chunk.quotes, digest, cancel)
        if not cancel.cancelled:
            yield from self._check_pieces(Change(tuple(writes), tuple(before), found, ground), cancel)

    def _name_pieces(self, chunk: Chunk, writes: Sequence[Write], digest: str) -> Iterator[Evidence]:
        missing = self._names(chunk, writes) if self._names else ()
        if missing:
            names = ", ".join(f"`{name}`" for name in missing[:SHOWN])
            yield Evidence(
                kind=EvidenceKind.NAMES,
                verdict=Verdict.CONTRADICTED,
                summary=f"{names} is neither in the diff nor in the repository",
                digest=digest,
            )

    def _check_pieces(self, change: Change, cancel: Cancel) -> Iterator[Evidence]:
        """The accepted checks, one after another; the tree is given up between them."""
        try:
            checks = self._store.load()
            if not checks:
                return  # the session says so once: it is nothing that was found about a chunk
            if change.is_document:
                yield unmade(change.writes, "no check reaches it")
            else:
                for check in checks:
                    yield from self._one(check, change, cancel)
        except CopairError as error:
            yield unmade(change.writes, error.message)

    def _one(self, check: Check, change: Change, cancel: Cancel) -> Iterator[Evidence]:
        with self._bench.lock:
            if cancel.cancelled:
                return
            self._bench.warm()
            piece = self._runner.examine(check, change, cancel)
        if not cancel.cancelled:
            yield piece


def unmade(writes: Sequence[Write], why: str) -> Evidence:
    """That nothing was run, and why."""
    digest = writes_digest(writes)
    return Evidence(kind=EvidenceKind.CHECK, verdict=Verdict.UNVERIFIED, summary=why, digest=digest)


def _weakened_pieces(found: Sequence[Weakened], digest: str) -> Iterator[Evidence]:
    """One piece for what is outright weakened, one for what may be right but proves nothing."""
    groups = (
        (Verdict.CONTRADICTED, [finding for finding in found if finding.kind in OUTRIGHT]),
        (Verdict.UNVERIFIED, [finding for finding in found if finding.kind not in OUTRIGHT]),
    )
    for verdict, findings in groups:
        if findings:
            rest = f" and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
            yield Evidence(
                kind=EvidenceKind.WEAKENED,
                verdict=verdict,
                summary="; ".join(finding.text for finding in findings[:SHOWN]) + rest,
                digest=digest,
                where=f"{findings[0].path}:{findings[0].line}" if findings[0].line else findings[0].path,
                details="\n".join(f"{finding.path}:{finding.line}: {finding.text}" for finding in findings),
            )


def _claim_pieces(chunk: Chunk, digest: str) -> Iterator[Evidence]:
    """Runs that the chunk's own words claim, when there was none as they were written."""
    said = [chunk.title, chunk.why, *(because.text for because in chunk.because)]
    claimed = [claim.text for text in said for claim in unbacked(text, chunk.ran)]
    if claimed:
        yield Evidence(
            kind=EvidenceKind.CLAIM,
            verdict=Verdict.CONTRADICTED,
            summary=f"claims a run that nobody made: “{claimed[0]}”",
            digest=digest,
            quote="; ".join(claimed),
        )
