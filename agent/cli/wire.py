"""Wires the parts of a session together: model, tools, desk, journal, examiner, commands. The only place."""

from __future__ import annotations

import functools
import json
import os
import queue
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.cli.checks import ChunkChecks, checks_command, make_api
from agent.cli.commit import commit_command, commit_each, tell_what_hinders
from agent.cli.frontends import list_commands
from agent.cli.workbench import Workbench, recovered_words
from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.dialog import Protocol, Tool, Usage
from agent.core.errors import CopairError, StateError
from agent.core.hunk import Write
from agent.core.price import cost_dollars
from agent.core.review import Evidence
from agent.core.sessions import steps
from agent.core.sessions.session import State, fold
from agent.evidence.lookup.api import ApiChecker
from agent.evidence.proof.store import CheckStore
from agent.git.writer import Recovered
from agent.io import journal
from agent.io.journal import SessionInfo
from agent.loop.commands import STANDARD
from agent.loop.desk import Desk
from agent.loop.driver import MAX_OUTPUT_TOKENS, Driver, Session
from agent.loop.examiner import Examiner
from agent.loop.gone import gone
from agent.loop.summary import CUT_SHORT
from agent.offline.finding import FindingChecks
from agent.offline.pair import OfflinePair
from agent.offline.ruff import Ruff
from agent.ports import Cancel, Checks, Frontend, Journal, Model, ToolOutput
from agent.tools.specs import all_tools, system_prompt
from agent.tools.toolbox import Tools
from agent.tools.worktree import WorkTree as Files

if TYPE_CHECKING:
    from agent.cli.wanted import Wanted


REVIEW = "review "
"""How the source of a session begins that walks through a diff."""

NO_CHECKS = "No check is set up, so none is run for a chunk: copair checks shows what may be."

PriceOf = Callable[[Usage], float | None]


def model_driver(
    bench: Workbench, frontend: Frontend, inbox: queue.SimpleQueue[Any], wanted: Wanted
) -> Driver:
    """A session with the chosen model, or with the offline pair when none is set up; a review needs neither."""
    if _resumes_review(bench, wanted):
        model = pick_real_model(bench, wanted)
        driver = make_driver(bench, frontend, inbox, model, source=REVIEW, resume=wanted.resume)
        items = driver.state.items
        driver.tell(f"going on with a review: {len(driver.state.open_items)} of {len(items)} chunks are open")
        if driver.state.cut_short:
            driver.tell(CUT_SHORT, "warning")
        return driver
    found, why, price = pick_model(bench, wanted)
    limits = _limits(bench, wanted)
    lost = None if wanted.resume else _cut_off(bench)
    driver = make_driver(
        bench, frontend, inbox, found, source="model", resume=wanted.resume, limits=limits, price=price
    )
    driver.tell(why)
    if lost is not None:
        first = f" ({lost.first[:60]})" if lost.first else ""
        driver.tell(
            f"The last session{first} was cut off.", "warning", f"copair resume {lost.id} goes on with it"
        )
    return driver


def _resumes_review(bench: Workbench, wanted: Wanted) -> bool:
    known = bench.sessions() if wanted.resume else ()
    return any(info.id == wanted.resume and info.source.startswith(REVIEW) for info in known)


def _cut_off(bench: Workbench) -> SessionInfo | None:
    """The latest session of this repository, when it ended without saying so."""
    latest = next(iter(bench.sessions()), None)
    return latest if latest is not None and latest.crashed else None


def pick_model(bench: Workbench, wanted: Wanted) -> tuple[Model, str, PriceOf]:
    """The model, why it is this one, and what its requests cost. Raises ModelError, UsageError."""
    from agent.llm.choosing.choose import choose

    choice = choose(bench.settings, os.environ, wanted.flags)
    if choice is not None:
        price = choice.price
        return choice.model, choice.why, lambda usage: cost_dollars(usage, price) if price else None
    pair = OfflinePair(bench.place.root, bench.repo.list_files, bench.tree.read)
    why = (
        "No model is set up: this is the built-in offline pair (ruff findings). copair connect finds a model."
    )
    return pair, why, lambda usage: 0.0


def pick_real_model(bench: Workbench, wanted: Wanted) -> Model | None:
    """The model for a review, where it only explains; None when none is set up."""
    from agent.llm.choosing.choose import choose

    choice = choose(bench.settings, os.environ, wanted.flags)
    return choice.model if choice else None


def tour_driver(bench: Workbench, frontend: Frontend, inbox: queue.SimpleQueue[Any]) -> Driver:
    """The scripted tour in its throw-away repository."""
    from agent.offline.tour import tour_model

    return make_driver(bench, frontend, inbox, tour_model(bench.place.root), source="tour")


def make_driver(
    bench: Workbench,
    frontend: Frontend,
    inbox: queue.SimpleQueue[Any],
    model: Model | None,
    *,
    source: str,
    onto: str = "worktree",
    resume: str = "",
    limits: steps.Limits | None = None,
    price: PriceOf = lambda usage: None,
    first: Sequence[ev.Event] = (),
    kept: bool = True,
    label: str = "",
) -> Driver:
    """Recover, open or resume the journal, and put the parts together. `first` are events of a new session.

    A session that is resumed keeps where it came from and where it goes to, whatever `source` and `onto` say. One
    that is not `kept` is written down nowhere: there is nothing to go on with.
    """
    bench.recover()
    session = resume or new_session_id(bench.clock.now())
    book = journal.Journal(bench.place.state, session) if kept else journal.Unkept()
    state = fold(journal.read(book.path)) if resume and book.path else State()
    if resume:
        source, onto = state.source, state.onto
    parts = _parts(bench, frontend, book, model, source, onto)
    parts.limits, parts.price = limits or _limits(bench), price
    if not resume and source != "tour":
        parts.first_note = _without_checks(bench)
    driver = Driver(parts, inbox, state)
    if resume:
        _go_on(driver, bench, model)
    else:
        _begin(driver, bench, model, source=source, onto=onto, session=session, label=label)
    if state.items:
        # Told, not journaled: what becomes of a chunk now is said by its title.
        frontend.emit(ev.Proposed(state.items[0].proposal, "", tuple(item.chunk for item in state.items), {}))
    for event in first if not resume else ():
        driver.record(event)
    for one in bench.recovered:
        driver.record(_recovered(one))
    if resume and source.startswith(REVIEW):
        for item in gone(driver.parts.desk, driver.state):
            driver.record(ev.Reopened(item.chunk.id))
    if parts.after_write is not None:
        tell_what_hinders(bench, driver)
    return driver


def _parts(
    bench: Workbench, frontend: Frontend, book: Journal, model: Model | None, source: str, onto: str
) -> Session:
    """What a session is made of."""
    tools = Tools(Files(bench.repo.git, bench.repo.read), bench.place.prefix)
    own = ChunkChecks(bench, onto)
    checks = _check_names(bench)
    return Session(
        model=model,
        system=system_prompt(model.protocol if model else Protocol.TOOLS, bench.settings.budget, checks),
        tools=SessionTools(
            tools, functools.cache(lambda: make_api(bench)), own, all_tools(bench.settings.budget, checks)
        ),
        journal=book,
        frontend=frontend,
        desk=make_desk(bench, onto, twins=source.startswith(REVIEW), mark=own.mark),
        clock=bench.clock,
        examiner=Examiner(_checks(own, bench, model, source), own.mark),
        warm=None if source == "tour" else own.warm,
        mention=_mention(tools),
        switch_model=_switch(bench, checks),
        max_output_tokens=bench.settings.max_output_tokens or MAX_OUTPUT_TOKENS,
        place=bench.where(),
        commands={
            **STANDARD,
            "commit": commit_command(bench),
            "checks": checks_command(bench),
            "help": list_commands,
        },
        after_write=commit_each(bench) if bench.settings.commit == "each" else None,
    )


def make_desk(bench: Workbench, onto: str, *, twins: bool = False, mark: Callable[[], str] = str) -> Desk:
    return Desk(
        target=bench.target(onto, twins=twins),
        blobs=bench.blobs,
        clock=bench.clock,
        known_paths=lambda: bench.known_paths,
        budget=bench.settings.budget,
        checks=_check_names(bench),
        knows=bench.knows,
        mark=mark,
    )


def _check_names(bench: Workbench) -> tuple[str, ...]:
    try:
        return tuple(check.name for check in CheckStore(bench.place.state).load())
    except StateError:
        return ()  # a damaged list is said with the first card, by the examiner


def _without_checks(bench: Workbench) -> str:
    """What is said once where nothing is run for a chunk; empty where a check is set up, or its list is damaged."""
    try:
        return "" if CheckStore(bench.place.state).load() else NO_CHECKS
    except StateError:
        return ""


def _checks(own: ChunkChecks, bench: Workbench, model: Model | None, source: str) -> Checks:
    """What looks at each chunk. Findings of ruff count where ruff made the proposal."""
    findings = FindingChecks(Ruff(bench.place.root))
    if source == "tour":
        return findings
    return InTurn(findings, own) if isinstance(model, OfflinePair) else own


class InTurn:
    """`ports.Checks` of several makers, one after another."""

    def __init__(self, *makers: Checks) -> None:
        self._makers = makers

    def examine(
        self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
    ) -> Iterable[Evidence]:
        for maker in self._makers:
            yield from maker.examine(chunk, writes, before, cancel)


def _begin(
    driver: Driver,
    bench: Workbench,
    model: Model | None,
    *,
    source: str,
    onto: str,
    session: str,
    label: str,
) -> None:
    name, protocol = _named(model)
    now = bench.clock.now()
    head = bench.repo.head()
    root, work_tree = str(bench.place.root), bench.place.work_tree
    at = head.branch or head.commit or ""
    driver.record(
        ev.Started(ev.VERSION, session, now, root, at, name, protocol, source, onto, label, work_tree),
        sync=True,
    )


def _go_on(driver: Driver, bench: Workbench, model: Model | None) -> None:
    driver.record(ev.Resumed(bench.clock.now(), *_named(model)), sync=True)


def _named(model: Model | None) -> tuple[str, Protocol]:
    return (model.name, model.protocol) if model else ("", Protocol.TOOLS)


def new_session_id(now: float) -> str:
    """Sorts by time, and two sessions of one second differ."""
    return f"{datetime.fromtimestamp(now):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _limits(bench: Workbench, wanted: Wanted | None = None) -> steps.Limits:
    settings = bench.settings
    tokens, dollars = (wanted.max_tokens, wanted.max_cost) if wanted else (None, None)
    return steps.Limits(
        settings.questions_before_first_chunk,
        settings.questions_per_task,
        max_tokens=settings.max_tokens if tokens is None else tokens,
        max_dollars=settings.max_cost if dollars is None else dollars,
    )


def _recovered(one: Recovered) -> ev.Event:
    return ev.Noted("warning", *recovered_words(one))


def _mention(tools: Tools) -> Callable[[str], tuple[str, dict[str, str], tuple[str, ...]]]:
    def expand(text: str) -> tuple[str, dict[str, str], tuple[str, ...]]:
        found = tools.mention(text)
        return found.sent, found.read, found.notices

    return expand


def _switch(bench: Workbench, checks: Sequence[str]) -> Callable[[str], tuple[Model, str]]:
    def switch(name: str) -> tuple[Model, str]:
        from agent.llm.choosing.choose import Flags, choose

        choice = choose(bench.settings, os.environ, Flags(model=name))
        if choice is None:
            raise CopairError(f"{name} names no model")
        return choice.model, system_prompt(choice.model.protocol, bench.settings.budget, checks)

    return switch


class SessionTools:
    """The ToolBox of a session: `docs` is answered by `api`, `check` by `checks`, all else that is read by `inner`.

    `tools` is the whole list as the model sees it, also what the session itself answers.
    """

    def __init__(
        self, inner: Tools, api: Callable[[], ApiChecker], checks: ChunkChecks, tools: Sequence[Tool]
    ) -> None:
        self._inner = inner
        self._api = api
        self._checks = checks
        self._all = tools

    def tools(self) -> Sequence[Tool]:
        return self._all

    def run(self, name: str, args_json: str, cancel: Cancel) -> ToolOutput:
        if name not in ("docs", "check") or all(tool.name != name for tool in self._all):
            return self._inner.run(name, args_json, cancel)
        try:
            wanted = str(json.loads(args_json or "{}").get("name", ""))
        except (ValueError, AttributeError) as error:
            why = f"The arguments of {name} cannot be read: {error}"
            return ToolOutput(why, f"{name}: bad arguments", True)
        if name == "check":
            return self._checks.run(wanted, cancel)
        return ToolOutput(self._api().docs(wanted), f"docs of {wanted}")
