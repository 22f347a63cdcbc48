"""Red, then green: runs a check on *before* and on *after* and says what that proves.

*Before* is the person's tree with the stack's tests of the same purpose and the chunk's own tests; *after* adds the
chunk. Whatever turned or broke is run again, several times, before it is believed. With weakened tests the old tests
are run on the new code instead. Verdicts come from `verdict.py` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from agent.core.hunk import FileState, Mode, Write, writes_digest
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.core.scrutiny.meddling import meddling, same_code
from agent.core.scrutiny.weakness import OUTRIGHT, Weakened, Weakness
from agent.core.testfile import is_test_path
from agent.evidence.proof.choice import Choice, Chooser
from agent.evidence.proof.discover import Check, pytest_at
from agent.evidence.proof.results import Outcome, TestRun, read_record
from agent.evidence.proof.select import is_pytest_file
from agent.evidence.proof.store import withheld
from agent.evidence.proof.verdict import Case, Comparison, Judgement, compare, judge
from agent.evidence.runs.bench import Bench, Ran
from agent.evidence.runs.run import Ending, Limits
from agent.evidence.runs.toolchain import Toolchain
from agent.io.process import ProgramMissing
from agent.ports import Cancel

States = dict[str, FileState | None]

REPEATS = 5
MAX_REPEATED = 50
FINDING_STATUS = {"ruff": (1,), "mypy": (1,), "pyright": (1,), "tsc": (1, 2)}
"""Exit statuses that mean findings, of tools that say so; any other failure may be a crash."""
_DOCUMENTS = (".md", ".rst", ".txt", ".adoc", "LICENSE", "CHANGELOG", "AUTHORS", "CODEOWNERS", ".gitignore")
_WITH_VALUE = (
    "-c",
    "-o",
    "-k",
    "-m",
    "-p",
    "-n",
    "-W",
    "-r",
    "--rootdir",
    "--ignore",
    "--deselect",
    "--confcutdir",
    "--junitxml",
)


class Change(msgspec.Struct, frozen=True):
    """What is examined: the chunk over the present tree, and what of its stack counts as *before*.

    `ground` are files that the chunk starts from where they are not those of the tree: what is staged.
    """

    writes: tuple[Write, ...]
    base: tuple[Write, ...]
    weakened: tuple[Weakened, ...] = ()
    ground: Mapping[str, FileState | None] = {}

    @property
    def digest(self) -> str:
        return writes_digest(self.writes)

    @property
    def own_tests(self) -> tuple[Write, ...]:
        return tuple(write for write in self.writes if is_test_path(write.path))

    @property
    def product(self) -> tuple[Write, ...]:
        return tuple(write for write in self.writes if not is_test_path(write.path))

    @property
    def is_weakened(self) -> bool:
        runs_tests = (*OUTRIGHT, Weakness.CONFIGURED)
        return any(found.kind in runs_tests and not found.path.startswith(".") for found in self.weakened)

    @property
    def meddles(self) -> tuple[str, ...]:
        return tuple(mark for write in self.writes for mark in meddling(write))

    @property
    def does_nothing(self) -> bool:
        return bool(self.product) and all(map(same_code, self.product))

    @property
    def is_document(self) -> bool:
        return all(write.path.endswith(_DOCUMENTS) for write in self.writes)

    def before(self) -> States:
        """The states that the chunk meets."""
        states = {**self.ground} | {write.path: write.new for write in self.base}
        if self.product and not self.is_weakened:
            states |= {write.path: write.new for write in self.own_tests}
        return states

    def after(self) -> States:
        writes = self.product if self.is_weakened else self.writes
        return self.before() | {write.path: write.new for write in writes}


class CheckRunner:
    """Runs checks on a bench. Keeps for each what its runs told about which tests reach what."""

    def __init__(self, bench: Bench, limits: Limits) -> None:
        self._bench = bench
        self._limits = limits
        self._choosers: dict[str, Chooser] = {}
        self._red: set[str] = set()

    def examine(self, check: Check, change: Change, cancel: Cancel) -> Evidence:
        """The evidence of one check. The bench is warm and its lock is held."""
        if change.is_weakened and not change.product:
            return self._say(
                check, change, Judgement(Verdict.UNVERIFIED, f"{check.name}: weakened tests prove nothing")
            )
        chain = self._bench.chain(check.argv[0])
        if isinstance(chain, str):
            return self._say(check, change, Judgement(Verdict.UNVERIFIED, chain))
        self._bench.show(change.ground)
        found = {write.path: write for write in (*change.writes, *change.base)}
        own = [found[write.path] for write in change.writes]
        if any(not _is_as_shown(write, self._bench.scratch.read(write.path)) for write in own):
            words = "not run: your files differ from those that this card starts from"
            return self._say(check, change, Judgement(Verdict.UNVERIFIED, words))
        try:
            for states in (change.before(), change.after()):
                self._bench.show(states)
                reason = withheld(check, self._bench.scratch.read)
                if reason:
                    return self._say(check, change, Judgement(Verdict.UNVERIFIED, reason))
            work = _Work(self._bench, chain, check, change, cancel, self._limits)
            return self._tests(work) if check.is_pytest else self._status(work)
        except ProgramMissing as error:
            return self._say(check, change, Judgement(Verdict.UNVERIFIED, error.message))

    def _tests(self, work: _Work) -> Evidence:
        """By the outcome of each test. What the first run tells may make the second one shorter."""
        chooser, change = self._chooser(work.check), work.change
        target = work.case(()).target
        self._bench.show(change.before())
        choice = chooser.choose(change.writes, change.base, target)
        before = work.tests(change.before(), choice, chooser)
        again = chooser.choose(change.writes, change.base, target)
        if again != choice:
            before = work.tests(change.before(), again, chooser) if work.timed_out else again.part(before)
        after = work.tests(change.after(), again, chooser, adds=True)
        found = compare(before, after)
        unsure = work.unsure(found) if found.doubtful else ()
        related = chooser.related(write.path for write in change.product)
        case = msgspec.structs.replace(work.case(related), red=frozenset(self._red))
        judged = work.guarded(judge(found, before, after, case, unsure), before, after)
        runs = (*before.tests.items(), *after.tests.items())
        self._red.update(name for name, outcome in runs if outcome is Outcome.FAILED)
        work.chosen = again.words(after)
        return self._say(work.check, change, judged, work, before.line, after.line)

    def _chooser(self, check: Check) -> Chooser:
        if check.name not in self._choosers:
            self._choosers[check.name] = Chooser(self._bench.scratch, self._limits.seconds)
        return self._choosers[check.name]

    def _status(self, work: _Work) -> Evidence:
        """By the exit status alone: there is no telling an assertion from a crash, but for tools that say so."""
        before, after = work.status(work.change.before()), work.status(work.change.after())
        judged = _by_status(work, before, after)
        if (before.finished.status == 0) != (
            after.finished.status == 0
        ) and judged.verdict is not Verdict.UNVERIFIED:
            again = work.status(work.change.before()), work.status(work.change.after())
            if [ran.finished.status for ran in again] != [before.finished.status, after.finished.status]:
                judged = Judgement(Verdict.UNVERIFIED, f"{work.check.name} is flaky: not the same each time")
        lines = [_status_line(ran) for ran in (before, after)]
        return self._say(work.check, work.change, work.guarded(judged), work, *lines)

    def _say(
        self,
        check: Check,
        change: Change,
        judged: Judgement,
        work: _Work | None = None,
        before: str = "",
        after: str = "",
    ) -> Evidence:
        return Evidence(
            kind=EvidenceKind.CHECK,
            verdict=judged.verdict,
            summary=judged.summary,
            digest=change.digest,
            command=" ".join(check.argv),
            before=before,
            after=after,
            details="\n".join(work.notes) if work else "",
            sandbox=str(self._bench.isolation) if work else "",
            tests=work.chosen if work else "",
        )


class _Work:
    """One check over one change, with what its runs said."""

    def __init__(
        self, bench: Bench, chain: Toolchain, check: Check, change: Change, cancel: Cancel, limits: Limits
    ) -> None:
        self._bench, self._chain, self.check, self.change = bench, chain, check, change
        self._cancel, self._limits = cancel, limits
        self._seconds = 0.0
        self.timed_out = False
        self._edited: set[str] = set()
        self._outside: set[str] = set()
        self.chosen = ""
        self.notes: list[str] = []
        if bench.scratch.left_out:
            self.notes.append("left out of the copy: " + ", ".join(bench.scratch.left_out[:10]))

    def case(self, related: Sequence[str]) -> Case:
        change = self.change
        own = frozenset(write.path for write in change.own_tests if is_pytest_file(write.path))
        target = own | {write.path for write in change.base if is_pytest_file(write.path)}
        expects = any(found.kind is Weakness.CHANGED for found in change.weakened)
        return Case(
            weakened=change.is_weakened,
            changed_expectations=expects,
            own=own if not change.is_weakened else frozenset(),
            target=frozenset(target),
            related=frozenset(related),
            product=tuple(write.path for write in change.product if write.path.endswith(".py") and write.new),
            has_product=bool(change.product),
        )

    def tests(
        self,
        states: Mapping[str, FileState | None],
        choice: Choice,
        chooser: Chooser | None = None,
        *,
        adds: bool = False,
        repeat: int = 1,
        seconds: float | None = None,
    ) -> TestRun:
        """Run pytest over `states`; what it says of each test. `chooser` is told what the tests reached."""
        self._bench.show(states)
        argv = self._pytest(choice.files)
        extra = {"PYTHONHASHSEED": str(repeat), "COPAIR_REPEAT": str(repeat)}
        if chooser is not None:
            extra["COPAIR_REACH"] = chooser.follows
        extra["COPAIR_WATCHED"] = msgspec.json.encode([write.path for write in self.change.product]).decode()
        limits = self._limits if seconds is None else msgspec.structs.replace(self._limits, seconds=seconds)
        ran = self._ran(argv, limits, extra, states, leave=choice.leave)
        run = read_record(ran.record, timed_out=ran.finished.ending is not Ending.EXITED)
        self._seconds = max(self._seconds, ran.finished.seconds)
        self.timed_out = ran.finished.ending is Ending.TIMED_OUT
        self._outside.update(run.outside)
        if chooser is not None:
            chooser.note(choice, ran.record, ran.finished.seconds, timed_out=self.timed_out, adds=adds)
        return run

    def status(self, states: Mapping[str, FileState | None]) -> Ran:
        self._bench.show(states)
        return self._ran(self.check.argv, self._limits, {"PYTHONHASHSEED": "0"}, states, keeps_cache=True)

    def unsure(self, found: Comparison) -> tuple[str, ...]:
        """Those of the doubtful tests that do not do the same again, several times, before and after."""
        names = dict.fromkeys(name.partition("[")[0] for name in found.doubtful)
        times = REPEATS if self._seconds < 3 else 2 if self._seconds < 15 else 1
        wanted = Choice(tuple(names)[:MAX_REPEATED])
        seconds = min(self._limits.seconds, max(10.0, self._seconds * times * 2))
        before = self.tests(self.change.before(), wanted, repeat=times + 1, seconds=seconds)
        after = self.tests(self.change.after(), wanted, repeat=times + 1, seconds=seconds)
        again = compare(before, after)
        sure = {
            *(name for name in found.turned if name in again.turned),
            *(n for n in found.broken if n in again.broken),
        }
        return tuple(name for name in found.doubtful if name not in sure)

    def guarded(
        self, judged: Judgement, before: TestRun | None = None, after: TestRun | None = None
    ) -> Judgement:
        """What makes any result worthless, whatever the tests said."""
        written = {write.path for write in self.change.writes}
        touched = sorted(
            path
            for path in self._edited
            if path in written or (path.endswith(".py") and not is_test_path(path))
        )
        if self._edited:
            self.notes.append("the check changed files in its copy: " + ", ".join(sorted(self._edited)[:10]))
        if self._cancel.cancelled:
            return Judgement(Verdict.UNVERIFIED, "cancelled")
        if self._bench.scratch.moved:
            return Judgement(Verdict.UNVERIFIED, "your files changed while it ran")
        if self._outside:
            return Judgement(Verdict.UNVERIFIED, "the tests import the real tree, not the copy")
        if touched:
            return Judgement(Verdict.UNVERIFIED, f"the tests change the code under test: {touched[0]}")
        if before is not None and judged.verdict is Verdict.VERIFIED and self.change.does_nothing:
            return Judgement(Verdict.UNVERIFIED, f"{judged.summary}, but no code changed")
        if before is not None and judged.verdict is Verdict.VERIFIED and self.change.meddles:
            words = f"{judged.summary}, but it reaches into the process that tests it"
            return Judgement(Verdict.PARTLY, f"{words}: {self.change.meddles[0]}")
        if self.change.is_weakened and judged.verdict is Verdict.CONTRADICTED:
            return Judgement(Verdict.CONTRADICTED, f"{judged.summary} as it was")
        return judged

    def _ran(
        self,
        argv: Sequence[str],
        limits: Limits,
        extra: Mapping[str, str],
        states: Mapping[str, FileState | None],
        *,
        leave: frozenset[str] = frozenset(),
        keeps_cache: bool = False,
    ) -> Ran:
        ran = self._bench.run(
            self._chain, argv, limits, self._cancel, extra, leave=leave, keeps_cache=keeps_cache
        )
        self._edited.update(ran.edited)
        when = "before the change" if states == self.change.before() else "with the change"
        how = f"{ran.finished.ending}, status {ran.finished.status}, {ran.finished.seconds:.1f} s"
        head = f"{when}:\n$ {' '.join(argv)}\n{how}"
        self.notes.append(f"{head}\n{ran.finished.output.decode('utf-8', 'replace')}")
        return ran

    def _pytest(self, selection: Sequence[str]) -> tuple[str, ...]:
        """The accepted command with our plugin and the chosen tests in place of its own paths."""
        argv = self.check.argv
        at = pytest_at(argv)
        if at is None:
            raise AssertionError("not a pytest command")
        options, paths = _split(argv[at + 1 :], self._bench.scratch.read)
        present = [
            name for name in selection if self._bench.scratch.read(name.partition("::")[0]) is not None
        ]
        inside = [name for name in present if not paths or any(_is_in(name, path) for path in paths)]
        ours = (
            "-p",
            "copair_report",
            "-p",
            "no:randomly",
            "--color=no",
            "--maxfail=0",
            "--continue-on-collection-errors",
        )
        return (*argv[: at + 1], *options, *ours, *(inside or paths))


def _is_as_shown(write: Write, data: bytes | None) -> bool:
    """Whether the tree holds what the chunk is a change of. What is left out of the tree cannot be compared."""
    return data is None or write.old is None or write.old.mode == Mode.SYMLINK or data == write.old.data


def _split(words: Sequence[str], read: object) -> tuple[list[str], list[str]]:
    """Options and paths of a pytest command line."""
    options: list[str] = []
    paths: list[str] = []
    for number, word in enumerate(words):
        is_value = number > 0 and words[number - 1] in _WITH_VALUE
        (options if is_value or word.startswith("-") else paths).append(word)
    return options, paths


def _is_in(name: str, path: str) -> bool:
    path = path.partition("::")[0].rstrip("/").removeprefix("./")
    return path in ("", ".") or name.partition("::")[0] == path or name.startswith(path + "/")


def _by_status(work: _Work, before: Ran, after: Ran) -> Judgement:
    name = work.check.name
    for ran in (after, before):
        if ran.finished.ending is not Ending.EXITED:
            return Judgement(Verdict.UNVERIFIED, f"{name}: {ran.finished.ending}")
    old, new = before.finished.status, after.finished.status
    if work.change.is_weakened and new == 0:
        return Judgement(Verdict.UNVERIFIED, f"{name} passes, but tests are weakened")
    if old == 0:
        return (
            Judgement(Verdict.PARTLY, f"{name} passed before and after")
            if new == 0
            else Judgement(Verdict.CONTRADICTED, f"breaks {name}")
        )
    if new != 0:
        return Judgement(Verdict.UNVERIFIED, f"{name} fails before and after")
    if old in FINDING_STATUS.get(name, ()):
        return Judgement(Verdict.VERIFIED, f"{name} failed → passed")
    return Judgement(Verdict.PARTLY, f"{name} failed → passed, by its exit status alone")


def _status_line(ran: Ran) -> str:
    if ran.finished.ending is not Ending.EXITED:
        return str(ran.finished.ending)
    return "passed" if ran.finished.status == 0 else f"failed ({ran.finished.status})"
