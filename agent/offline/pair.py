"""The built-in offline pair: a peer without a language model and without a network.

It answers the same port as a model. It knows what ruff finds in Python files: it asks which rules to take, then
proposes one fix at a time, each tried on the file's bytes before it is offered, with the rule's own documentation
as the why. It keeps nothing that matters: a session is read back from the history of each request. It never pretends to
understand: what it cannot do, it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from agent.core.dialog import Fault, FaultKind, Protocol, Request, StreamEvent, ToolChoice
from agent.core.errors import CopairError
from agent.offline import wording
from agent.offline.answers import LISTED, Job, call_id, chosen, heard, how_else, overview, times, which_rules
from agent.offline.memory import SILENCE, Memory, remember
from agent.offline.plan import (
    Offer,
    Read,
    Tester,
    candidates,
    ordered,
    proposal,
    rules,
)
from agent.offline.replies import Call, Say, stream
from agent.offline.ruff import PYTHON, Ruff
from agent.offline.survey import Survey
from agent.offline.talk import Answered, Asked, Failed, Instruction, Outcome, Revised, turns
from agent.offline.wish import inside, understand
from agent.ports import Cancel

NAME = "offline pair"
EXPLAIN_CHARS = 400
HELP = (
    "I am the offline pair, no language model: I know what ruff finds in Python files. Name rules or places "
    "(`fix F401 in src/`), or `fix all`. For everything else connect a model: `copair connect`."
)
CANNOT = (
    "I cannot do that: I am the offline pair, no language model. I only know what ruff finds in Python files."
)


class OfflinePair:
    """`ports.Model` over the work tree at `root`; `names` lists its files, `read` is a Target's."""

    def __init__(
        self,
        root: Path,
        names: Callable[[], Sequence[str]],
        read: Read,
        *,
        environment: Mapping[str, str] | None = None,
        pace_seconds: float = 0.0,
    ) -> None:
        self._names = names
        self._ruff = Ruff(root, environment)
        self._survey = Survey(root, self._ruff)
        self._tester = Tester(self._ruff, read)
        self._pace = pace_seconds

    @property
    def name(self) -> str:
        return NAME

    @property
    def protocol(self) -> Protocol:
        return Protocol.TOOLS

    @property
    def context_tokens(self) -> int | None:
        return None

    def stream(self, request: Request, cancel: Cancel) -> Iterator[StreamEvent]:
        """One reply. What ruff or the files do wrong becomes a Fault."""
        try:
            parts = list(self._reply(request, cancel))
        except CopairError as error:
            kind = FaultKind.CANCELLED if cancel.cancelled else FaultKind.SERVER
            yield Fault(kind, error.message, error.hint)
            return
        yield from stream(parts, cancel, self._pace)

    def _reply(self, request: Request, cancel: Cancel) -> Iterator[Say | Call]:
        memory = remember(turns(request.history))
        asked = [turn for turn in memory.news if isinstance(turn, Asked)]
        if asked or request.tool_choice is ToolChoice.NONE:
            yield from self._explain(memory)
            return
        for turn in reversed(memory.news):
            match turn:
                case Instruction():
                    yield from self._begin(memory, cancel)
                    return
                case Revised():
                    yield how_else(memory, turn)
                    return
                case Answered(refused=True):
                    yield Say("I have no questions left for this task, so I go on.")
                    break
                case Answered(text=text):
                    yield from self._answered(memory, text, cancel)
                    return
                case Outcome() | Failed():
                    break
                case _:
                    pass
        yield from self._next(memory, cancel)

    # Looking

    def _job(self, memory: Memory, cancel: Cancel) -> Job:
        """Run ruff where the person wants it, and read their words again with the rules that it names."""
        names = self._names()
        first = understand(memory.instruction, names)
        known = [code for code in first.codes if self._ruff.rule(code) is not None]
        python = [name for name in names if name.endswith(PYTHON) and inside(name, first.paths)]
        fresh = any(isinstance(turn, Instruction) for turn in memory.news)
        report = self._survey.look(python, known, cancel, fresh=fresh)
        named = [(finding.rule, finding.name or "") for finding in report.findings]
        wish = understand(memory.instruction, names, dict.fromkeys(named))
        if memory.choice is not None and not memory.choice.refused:
            wish = chosen(wish, understand(memory.choice.text, names, dict.fromkeys(named)), memory.choice)
        return Job(memory, wish, report, len(python))

    # Answering

    def _begin(self, memory: Memory, cancel: Cancel) -> Iterator[Say | Call]:
        """A new instruction: say what there is, then ask for the rules, or start when they were named."""
        job = self._job(memory, cancel)
        unknown = [code for code in job.wish.codes if self._ruff.rule(code) is None]
        if not job.wish.understood:
            yield Say(CANNOT)
        elif unknown:
            yield Say(f"ruff knows no rule {wording.listed(unknown, LISTED)}.")
        if job.report.note:
            yield Say(job.report.note)
        if job.wish.stop:
            yield Say(f"Nothing was changed. {HELP}")
            return
        if not job.files:
            where = f" in {wording.listed(job.wish.paths, LISTED)}" if job.wish.paths else ""
            yield Say(f"There are no Python files{where}. {HELP}")
            return
        found = rules(job.report)
        wanted = [rule for rule in found if rule.code in job.wish.codes]
        yield Say(overview(job, found))
        if wanted or (job.wish.all and job.wish.understood and found):
            yield from self._propose(job, cancel)
        elif job.wish.codes or not found:
            yield from self._end(job, applied=0)
        elif len(found) == 1 and job.wish.understood:
            yield from self._propose(job, cancel)
        else:
            yield which_rules(job, found)

    def _answered(self, memory: Memory, text: str, cancel: Cancel) -> Iterator[Say | Call]:
        """An answer of the person, to the question for rules or for what else to do with a fix."""
        job = self._job(memory, cancel)
        if SILENCE in text:
            offer = self._silence(job, cancel)
            if offer is not None:
                yield from self._offer(job, offer)
                return
            yield Say("That line cannot be marked.")
        elif job.wish.stop:
            yield from self._end(job, self._applied(memory))
            return
        elif not (job.wish.codes or job.wish.all):
            yield Say(f"I did not understand that. {HELP}")
            return
        yield from self._propose(job, cancel)

    def _next(self, memory: Memory, cancel: Cancel) -> Iterator[Say | Call]:
        """After a decision: what ruff says now, then the next fix."""
        job = self._job(memory, cancel)
        path, code = memory.last
        for turn in memory.news:
            if isinstance(turn, Failed):
                yield Say(f"That fix could not be placed ({turn.message}); I leave it out.")
            elif isinstance(turn, Outcome):
                yield Say(heard(turn, path, code, job.report))
        yield from self._propose(job, cancel)

    def _explain(self, memory: Memory) -> Iterator[Say | Call]:
        """A question about the open card: the rule's documentation is all that there is to say."""
        path, code = memory.last
        rule = self._ruff.rule(code) if code else None
        if rule is None:
            yield Say(HELP)
            return
        yield Say(
            "I am no language model; I can only tell what ruff's documentation says of "
            f"{code} ({rule.name}). The change in `{path}` is still undecided."
        )
        for heading in ("What it does", "Why is this bad?", "Fix safety"):
            text = wording.section(rule, heading)
            if text:
                yield Say(wording.condensed(text, EXPLAIN_CHARS))

    # Proposing

    def _propose(self, job: Job, cancel: Cancel) -> Iterator[Say | Call]:
        found = rules(job.report)
        codes = [
            code for code in (job.wish.codes or [rule.code for rule in found]) if code not in job.memory.left
        ]
        waiting = ordered(candidates(job.report.findings), codes)
        select = [code for code in job.wish.codes if self._ruff.rule(code) is not None]
        offer = next(self._tester.offers(waiting, job.memory.tried, select, cancel), None)
        if offer is None:
            yield from self._end(job, self._applied(job.memory))
        else:
            yield from self._offer(job, offer)

    def _offer(self, job: Job, offer: Offer) -> Iterator[Say | Call]:
        first = offer.candidate.first
        yield Say(
            f"{first.where} {first.rule}. Tried in memory: ruff finds {first.rule} {times(offer.before)} in this file "
            f"before, {times(offer.after)} after."
        )
        yield Call(call_id(job.memory), "propose", proposal(offer, self._ruff))

    def _silence(self, job: Job, cancel: Cancel) -> Offer | None:
        """A noqa for the finding whose fix was offered last."""
        path, code = job.memory.last
        for candidate in candidates(job.report.findings):
            if (candidate.first.path, candidate.first.rule) != (path, code):
                continue
            offer = self._tester.fix((candidate,), [code], cancel)
            if offer is not None and offer.key == job.memory.last_key:
                return self._tester.silence(candidate, [code], cancel)
        return None

    def _end(self, job: Job, applied: int) -> Iterator[Say | Call]:
        """Nothing more to propose: what was done and what is left, as the person will read it."""
        done = f"{wording.count(applied, 'change')} applied. " if applied else "Nothing was changed. "
        counts = rules(job.report)
        left = [f"{rule.code} ({rule.findings})" for rule in counts]
        open_words = f"ruff still finds, with a fix: {wording.listed(left, LISTED)}. " if left else ""
        unfixed = job.unfixed
        by_hand = f"Without an automatic fix: {wording.listed(unfixed, LISTED)}." if unfixed else ""
        summary = f"{done}{open_words}{by_hand}".strip()
        if not job.report.findings:
            summary = f"{done}ruff finds nothing more here."
        yield Call(call_id(job.memory), "finish", {"summary": summary})

    @staticmethod
    def _applied(memory: Memory) -> int:
        statuses = [outcome.status for outcome in memory.outcomes]
        return max(0, statuses.count("applied") - statuses.count("undone"))
