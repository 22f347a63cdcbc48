"""The `/commands` that a person types at the prompt: each is a function of the driver and its argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from agent.core import events as ev
from agent.core.frontend import Quit, StackRow, StackTick
from agent.core.sessions.named import chunk_name, named_item
from agent.core.sessions.session import Item, State, Status
from agent.core.text import whole_number
from agent.loop import inputs, taking_back
from agent.loop.summary import status_word

if TYPE_CHECKING:
    from agent.loop.driver import Driver

Run = Callable[["Driver", str], None]

SIGNS = {
    Status.PENDING: "·",
    Status.APPROVED: "·",
    Status.APPLIED: "✓",
    Status.PRESENT: "=",
    Status.REJECTED: "✗",
    Status.DEFERRED: "…",
    Status.BLOCKED: "!",
    Status.DROPPED: "-",
    Status.UNDONE: "↶",
}


def undo(driver: Driver, argument: str) -> None:
    taking_back.undo(driver, _id(driver, argument.strip()))


def redo(driver: Driver, argument: str) -> None:
    taking_back.undo(driver, _id(driver, argument.strip()), Status.UNDONE)


def _id(driver: Driver, name: str) -> str:
    """The id of the chunk that is called so; `name` itself when there is none, or more than one."""
    item = named_item(driver.state, name)
    return item.chunk.id if isinstance(item, Item) else name


def show_stack(driver: Driver, argument: str) -> None:
    if not driver.state.items:
        driver.tell("No chunk was proposed yet.")
    else:
        driver.parts.frontend.tick(StackTick(tuple(stack_rows(driver.state))))
    if driver.state.growing:
        driver.tell("The rest of the diff is still being cut.")


def stack_rows(state: State) -> Iterator[StackRow]:
    for at, item in enumerate(state.items):
        yield stack_row(state, item, at)


def stack_row(state: State, item: Item, at: int | None = None) -> StackRow:
    """One chunk of the stack, at the index `at`, and what became of it."""
    hunks = [hunk for change in item.chunk.changes for hunk in change.hunks]
    return StackRow(
        item.chunk.id,
        item.chunk.title,
        tuple(item.chunk.paths),
        added=sum(len(hunk.new) for hunk in hunks),
        removed=sum(len(hunk.old) for hunk in hunks),
        sign=SIGNS[item.status],
        word=status_word(state, item.status)
        + (", committed" if item.status is Status.APPLIED and item.chunk.id in state.committed else "")
        + (f": {item.reason}" if item.reason else ""),
        is_open=item.status in inputs.SHOWN,
        reopens=taking_back.can_reopen(state, item),
        name=chunk_name(state, item, at),
    )


def later(driver: Driver, argument: str) -> None:
    """Open the deferred chunks again, or the one that is named; that may be a rejected one, or one that did not fit."""
    wanted = _id(driver, argument.strip())
    named = driver.state.item(wanted)
    if named is not None and named.status is Status.REJECTED and taking_back.reopen(driver, named):
        return
    if named is not None and named.status is Status.BLOCKED and taking_back.can_reopen(driver.state, named):
        taking_back.open_again(driver, wanted, "you went back to it")
        return
    deferred = [i for i in driver.state.items if i.status is Status.DEFERRED]
    chosen = [item.chunk.id for item in deferred if wanted in ("", item.chunk.id)]
    if not chosen:
        names = ", ".join(chunk_name(driver.state, item) for item in deferred)
        driver.tell(f"Deferred: {names}." if deferred else "Nothing is deferred.", "warning")
    for chunk in reversed(chosen):
        driver.record(ev.Focused(chunk))


def go(driver: Driver, argument: str) -> None:
    """Show the card of a chunk."""
    inputs.move(driver, to=_id(driver, argument.strip()))


def retry(driver: Driver, argument: str) -> None:
    """Send the last request again after it failed."""
    if driver.state.failure is None:
        driver.tell("The last request did not fail.", "warning")
        return
    driver.call_model(driver.state.may_propose)


def cost(driver: Driver, argument: str) -> None:
    state, usage = driver.state, driver.state.usage
    price = f", ${state.dollars:.4f}" if state.dollars else ""
    unknown = f" ({state.unpriced} of unknown price)" if state.dollars and state.unpriced else ""
    driver.tell(
        f"{state.requests} requests{price}{unknown}: {usage.input_total} tokens in ({usage.cached_read} cached, "
        f"{usage.cache_write} written to the cache), {usage.output} out ({usage.reasoning} reasoning)"
    )


def model(driver: Driver, argument: str) -> None:
    """Switch the model: the words stay, what only the old one could read is left out."""
    if not argument.strip():
        driver.tell(f"The model is {driver.state.model or 'none'}. /model NAME switches.")
        return
    chosen, system = driver.parts.switch_model(argument.strip())
    driver.parts.model, driver.parts.system = chosen, system
    driver.record(ev.ModelChanged(chosen.name, chosen.protocol))
    driver.tell(f"Now with {chosen.name}.")


def max_tokens(driver: Driver, argument: str) -> None:
    number = whole_number(argument)
    if not number:
        driver.tell("/max-tokens NUMBER", "warning")
        return
    driver.parts.limits = msgspec.structs.replace(driver.parts.limits, max_tokens=number)


def quit_session(driver: Driver, argument: str) -> None:
    driver.inbox.put(Quit())


STANDARD: dict[str, Run] = {
    "undo": undo,
    "redo": redo,
    "list": show_stack,
    "later": later,
    "go": go,
    "retry": retry,
    "cost": cost,
    "model": model,
    "max-tokens": max_tokens,
    "quit": quit_session,
}
