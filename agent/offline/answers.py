"""What the offline pair says: what there is, which rules to take, what became of a card, how else to go on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent.offline import wording
from agent.offline.memory import HOW_ELSE, LEAVE, RULES_FIRST, SILENCE, SKIP, Memory
from agent.offline.plan import RuleCount
from agent.offline.replies import Call
from agent.offline.ruff import Report
from agent.offline.talk import Answered, Outcome, Revised
from agent.offline.wish import Wish

OPTIONS = 3
"""Rules that the question names; the last option takes all of them."""
LISTED = 6


class Job(msgspec.Struct, frozen=True):
    """What one instruction asks for, over the findings as they are now."""

    memory: Memory
    wish: Wish
    report: Report
    files: int

    @property
    def unfixed(self) -> list[str]:
        """Where there is no automatic fix, for the rules in question."""
        mine = [f for f in self.report.findings if not f.fixable and f.rule in (self.wish.codes or (f.rule,))]
        return [f"{finding.where} {finding.rule}" for finding in mine]


def overview(job: Job, found: Sequence[RuleCount]) -> str:
    """What there is, of the rules that were named or of all."""
    asked = job.wish.codes
    mine = [finding for finding in job.report.findings if finding.rule in (asked or (finding.rule,))]
    what = f" of {wording.listed(asked, LISTED)}" if asked else ""
    if not mine:
        return f"ruff finds nothing{what} in {wording.count(job.files, 'Python file')}."
    files = len({finding.path for finding in mine})
    fixes = sum(rule.fixes for rule in found if rule.code in (asked or (rule.code,)))
    return (
        f"ruff has {wording.count(len(mine), 'finding')}{what} in {files} of "
        f"{wording.count(job.files, 'Python file')}, and {f'{fixes:,} fixes' if fixes != 1 else '1 fix'} for them."
    )


def which_rules(job: Job, found: Sequence[RuleCount]) -> Call:
    named = [option(rule) for rule in found[:OPTIONS]]
    total = sum(rule.fixes for rule in found)
    every = f"All {total:,} fixes, rule by rule" if len(found) > 1 else "None: leave it as it is"
    others = wording.listed([option(rule) for rule in found[OPTIONS:]], LISTED)
    also = f" Behind these come {others}; name a rule to begin with it." if others else ""
    looked = f"ruff, its settings from this repository: {wording.count(job.files, 'Python file')}"
    return Call(
        call_id(job.memory),
        "ask",
        {
            "text": RULES_FIRST,
            "why_it_matters": f"I propose one fix at a time, in this order; you decide on each.{also}",
            "options": [*named, every],
            "default": 0,
            "looked_at": [looked],
        },
    )


def how_else(memory: Memory, revised: Revised) -> Call:
    code = memory.last[1]
    return Call(
        call_id(memory),
        "ask",
        {
            "text": HOW_ELSE,
            "why_it_matters": f'You asked for a change to "{revised.title}". I am no language model: I know '
            "ruff's own fix and how to silence the finding.",
            "options": [SKIP, f"{SILENCE}: {code}", f"{LEAVE}: {code}"],
            "default": 0,
            "looked_at": [],
        },
    )


def chosen(wish: Wish, answer: Wish, choice: Answered) -> Wish:
    """The instruction, narrowed by the answer to the question for rules."""
    if choice.text.endswith("rule by rule"):
        return msgspec.structs.replace(wish, all=True, codes=())
    return msgspec.structs.replace(
        wish,
        codes=answer.codes or wish.codes,
        all=answer.all,
        stop=answer.stop or choice.text.endswith("as it is"),
    )


def option(rule: RuleCount) -> str:
    fixes = "1 fix" if rule.fixes == 1 else f"{rule.fixes:,} fixes"
    unsafe = rule.fixes - rule.safe
    note = ", none safe" if unsafe == rule.fixes else (f", {unsafe} not safe" if unsafe else "")
    return f"{rule.code} {rule.name}: {fixes}{note}"


def heard(outcome: Outcome, path: str, code: str, report: Report) -> str:
    """What became of the last chunk, and what ruff says of its file now."""
    left = sum(finding.path == path and finding.rule == code for finding in report.findings)
    now = f"ruff now finds {left or 'no'} {code} in {path}."
    match outcome.status:
        case "applied" | "present":
            return f"Applied. {now}"
        case "rejected":
            return "Left as it is." + (
                " I cannot weigh reasons, but I will not offer it again." if outcome.reason else ""
            )
        case "deferred":
            return "Put off."
        case "undone":
            return f"Taken back. {now}"
        case status:
            return f"It was {status}{f': {outcome.reason}' if outcome.reason else ''}."


def times(number: int) -> str:
    return {0: "no more", 1: "once", 2: "twice"}.get(number, f"{number} times")


def call_id(memory: Memory) -> str:
    """Ids of calls never repeat within a session."""
    return f"offline-{memory.calls + 1}"
