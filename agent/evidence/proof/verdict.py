"""What two runs prove: the one place that says a verdict about tests. Pure.

`verified` needs all of it: a test that failed by assertion before and passes after, the same again when repeated,
nothing that passed before and does not pass after, no test weakened, both runs complete. What is doubtful is less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from agent.core.review import Verdict
from agent.evidence.proof.results import Outcome, TestRun

BAD = (Outcome.FAILED, Outcome.ERROR, Outcome.HUNG)
SHOWN = 2


class Comparison(msgspec.Struct, frozen=True):
    """Tests by what became of them between *before* and *after*."""

    turned: tuple[str, ...] = ()
    """Failed by assertion, pass now."""
    mended: tuple[str, ...] = ()
    """Broke in another way before, or could not be collected; pass now."""
    broken: tuple[str, ...] = ()
    """Passed before, do not now."""
    still: tuple[str, ...] = ()
    """Fail by assertion in both."""
    gone: tuple[str, ...] = ()
    """Ran or were skipped before, are no longer there, skipped now, or break in another way."""
    kept: tuple[str, ...] = ()
    """Pass in both."""
    fresh: tuple[str, ...] = ()
    """Pass now, were not there before."""
    mixed: tuple[str, ...] = ()

    @property
    def doubtful(self) -> tuple[str, ...]:
        """What is run again before it is believed."""
        return (*self.turned, *self.broken)


class Case(msgspec.Struct, frozen=True):
    """What else counts. `own` are test files that the chunk itself writes, `product` whether it writes other code."""

    weakened: bool = False
    changed_expectations: bool = False
    own: frozenset[str] = frozenset()
    target: frozenset[str] = frozenset()
    """Test files that belong to the same purpose: the chunk's own, and those of its stack."""
    related: frozenset[str] = frozenset()
    """Test files that import or name what the chunk changes, and `target`. Failures elsewhere are not its matter."""
    product: tuple[str, ...] = ()
    """Python files of the chunk that are no tests: somebody must import them."""
    has_product: bool = True
    red: frozenset[str] = frozenset()
    """Tests that failed in this session already, in whatever state."""


class Judgement(msgspec.Struct, frozen=True):
    verdict: Verdict
    summary: str


def compare(before: TestRun, after: TestRun) -> Comparison:
    """Sort the tests of both runs. A file that can no longer be collected takes its tests along."""
    groups: dict[str, list[str]] = {name: [] for name in Comparison.__struct_fields__}
    for name in sorted({*before.tests, *after.tests}):
        group = _group(
            before.tests.get(name), after.tests.get(name), _file(name) in after.broken, name, before
        )
        if group:
            groups[group].append(name)
    return Comparison(**{name: tuple(found) for name, found in groups.items()})


def _group(old: Outcome | None, new: Outcome | None, uncollected: bool, name: str, before: TestRun) -> str:
    if Outcome.MIXED in (old, new):
        return "mixed"
    match old, new:
        case Outcome.PASSED, Outcome.PASSED:
            return "kept"
        case Outcome.FAILED, Outcome.PASSED:
            return "turned"
        case (Outcome.ERROR | Outcome.HUNG, Outcome.PASSED):
            return "mended"
        case None, Outcome.PASSED:
            return "mended" if _file(name) in before.broken else "fresh"
        case Outcome.PASSED, (Outcome.FAILED | Outcome.ERROR | Outcome.HUNG):
            return "broken"
        case Outcome.PASSED, None if uncollected:
            return "broken"
        case ((Outcome.FAILED | None), Outcome.FAILED):
            return "still"
        case ((Outcome.PASSED | Outcome.FAILED), (None | Outcome.SKIPPED | Outcome.ERROR | Outcome.HUNG)):
            return "gone"
        case Outcome.SKIPPED, (Outcome.FAILED | Outcome.ERROR | Outcome.HUNG):
            return "gone"
        case _:
            return ""


def judge(
    found: Comparison, before: TestRun, after: TestRun, case: Case, unsure: Sequence[str] = ()
) -> Judgement:
    """The verdict. `unsure` are doubtful tests whose outcome did not hold when they were repeated."""
    flaky = [*found.mixed, *unsure]
    broken = [name for name in found.broken if name not in unsure]
    turned = [name for name in found.turned if name not in unsure]
    own_fail = [
        name for name in after.tests if _file(name) in case.own and after.tests[name] is Outcome.FAILED
    ]
    unverified = Verdict.UNVERIFIED
    if broken:
        return Judgement(Verdict.CONTRADICTED, f"breaks {named(broken)}")
    if own_fail and case.has_product and not flaky:
        return Judgement(Verdict.CONTRADICTED, f"{named(own_fail)} fails")
    if flaky:
        return Judgement(
            unverified,
            f"{named(flaky)} {'is' if len(set(flaky)) == 1 else 'are'} flaky: not the same each time",
        )
    if not after.tests:
        return Judgement(unverified, _nothing(after))
    if case.weakened:
        return Judgement(unverified, "its tests were weakened: they do not count")
    if turned:
        return _green(turned, found, before, after, case)
    still = [name for name in found.still if _file(name) in case.related | case.target]
    if still:
        return Judgement(
            unverified, f"{named(still)} still fails" if case.has_product else f"{named(still)} fails: red"
        )
    return _unchanged(found, before, after, case)


def _green(
    turned: Sequence[str], found: Comparison, before: TestRun, after: TestRun, case: Case
) -> Judgement:
    """At least one test went from red to green; whether that proves the chunk."""
    line = f"{label(turned)} {len(turned)} failed → passed"
    still = _bad(after, case)
    if case.changed_expectations:
        return Judgement(Verdict.UNVERIFIED, f"{line}, but what it expects was changed here")
    if not case.has_product:
        return Judgement(Verdict.UNVERIFIED, f"{line}, but only tests are changed here")
    if still:
        return Judgement(Verdict.PARTLY, f"{line}, {named(still)} still fails")
    if found.gone:
        return Judgement(Verdict.PARTLY, f"{line}, but {named(found.gone)} no longer passes or runs")
    if not _is_whole(before, after, case):
        return Judgement(Verdict.PARTLY, f"{line}, but not all tests ran")
    return Judgement(Verdict.VERIFIED, line)


def _bad(after: TestRun, case: Case) -> list[str]:
    """Tests of the same purpose that do not pass, for whatever reason."""
    return [name for name in after.tests if _file(name) in case.target and after.tests[name] in BAD]


def _is_whole(before: TestRun, after: TestRun, case: Case) -> bool:
    """Both ran to the end, and nothing of importance could not be collected."""
    important = case.related | case.target
    lost = [name for name in after.broken if name not in before.broken or name in important]
    return before.complete and after.complete and not lost


def _unchanged(found: Comparison, before: TestRun, after: TestRun, case: Case) -> Judgement:
    """Nothing was red by assertion."""
    if found.gone:
        return Judgement(Verdict.UNVERIFIED, f"{named(found.gone)} no longer passes or runs")
    if case.changed_expectations:
        return Judgement(Verdict.UNVERIFIED, "changes what tests expect")
    if found.mended:
        why = "could not run" if any(_file(name) in before.broken for name in found.mended) else "crashed"
        return Judgement(
            Verdict.PARTLY, f"{label(found.mended)} {len(found.mended)} {why} before, passed after"
        )
    if found.still and not (found.kept or found.fresh):
        return Judgement(Verdict.UNVERIFIED, f"{named(found.still)} still fails")
    if not _is_whole(before, after, case) or not (found.kept or found.fresh) or _bad(after, case):
        return Judgement(Verdict.UNVERIFIED, _nothing(after))
    if case.has_product and case.product and not after.loaded & set(case.product):
        return Judgement(Verdict.UNVERIFIED, "no test reaches it")
    if found.fresh and not case.has_product:
        seen = "seen red before" if case.red.issuperset(found.fresh) else "never seen red"
        return Judgement(Verdict.UNVERIFIED, f"{label(found.fresh)} {len(found.fresh)} passed, {seen}")
    return Judgement(Verdict.PARTLY, "passed before and after")


def _nothing(run: TestRun) -> str:
    """Why a run says nothing."""
    hung = [name for name, outcome in run.tests.items() if outcome is Outcome.HUNG]
    if hung:
        return f"{named(hung)} did not end in time"
    if run.broken:
        name, text = next(iter(run.broken.items()))
        return (
            f"{_short(name)} cannot be collected: {text}" if text else f"{_short(name)} cannot be collected"
        )
    errors = [name for name, outcome in run.tests.items() if outcome is Outcome.ERROR]
    if errors:
        words = "breaks before it can tell" if len(errors) == 1 else "break before they can tell"
        return f"{named(errors)} {words}: {run.texts.get(errors[0], '')}".rstrip(": ")
    if run.count(Outcome.SKIPPED):
        return "all tests are skipped"
    return "no test ran" if run.complete else "the test run ended early"


def _file(name: str) -> str:
    return name.partition("::")[0]


def _short(name: str) -> str:
    """`tests/test_a.py::TestB::test_c[x]` as `test_c`; a file by its stem."""
    _, colons, rest = name.partition("::")
    return (
        rest.partition("[")[0].rpartition("::")[2] if colons else name.rpartition("/")[2].removesuffix(".py")
    )


def label(names: Iterable[str]) -> str:
    """What many tests have in common: the function, the file, or how many files."""
    tests = list(names)
    functions = {_short(name) for name in tests}
    files = {_file(name) for name in tests}
    if len(functions) == 1:
        return functions.pop()
    return _short(files.pop()) if len(files) == 1 else f"{len(files)} test files"


def named(names: Iterable[str]) -> str:
    """`test_a, test_b and 3 more`."""
    tests = list(dict.fromkeys(map(_short, names)))
    rest = len(tests) - SHOWN
    return ", ".join(tests[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
