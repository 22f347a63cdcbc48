"""The order of a stack: what others need first, then the riskiest, otherwise as it came.

`needs` are obeyed always. Links (a name that one defines and the other uses) are, too, but in a circle: those that go in
one come one after the other, in a way that breaks few of them, and what is behind waits for no more than that. So do
the parts of one thing, behind all that any of them is better after.
Deterministic, and linear but for sorting.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence

import msgspec


class Node(msgspec.Struct):
    """What the order has to know of one chunk; others are named by their index."""

    needs: set[int]
    after: set[int]
    """Soft: better after these."""
    risk: int = 0
    folded: bool = False
    follows: int = -1
    """The one that this goes on with, which comes first also where links go in a circle; -1 for none."""


def arrange(nodes: Sequence[Node], urgency: Sequence[int]) -> list[int]:
    """Indexes of `nodes` in the order in which a person should meet them. `needs` must have no circle."""
    before = [(node.needs | node.after) - {index} for index, node in enumerate(nodes)]
    for index, node in enumerate(nodes):
        if node.follows >= 0:
            before[node.follows].add(index)  # in a circle: the parts of one thing come together
    circles = list(_circles(before))
    circle_of = {index: at for at, circle in enumerate(circles) for index in circle}
    keys = [
        (
            all(nodes[index].folded for index in circle),
            -max(urgency[index] for index in circle),
            circle[0],
        )
        for circle in circles
    ]
    waits = [
        {circle_of[other] for index in circle for other in before[index]} - {at}
        for at, circle in enumerate(circles)
    ]
    followers: list[list[int]] = [[] for _ in circles]
    for at, others in enumerate(waits):
        for other in others:
            followers[other].append(at)
    left = [len(others) for others in waits]
    ready = [(*keys[at], at) for at in range(len(circles)) if not left[at]]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        at = heapq.heappop(ready)[-1]
        order += _unwound(nodes, circles[at]) if len(circles[at]) > 1 else circles[at]
        for follower in followers[at]:
            left[follower] -= 1
            if not left[follower]:
                heapq.heappush(ready, (*keys[follower], follower))
    return order


def _circles(before: Sequence[set[int]]) -> Iterator[list[int]]:
    """The parts of all in which each can be reached from each: circles, and single ones that are in none; in order.

    R. Tarjan, "Depth-first search and linear graph algorithms", 1972, without recursion.
    """
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    kept: dict[int, None] = {}
    path: list[tuple[int, Iterator[int]]] = []

    def enter(index: int) -> None:
        number[index] = low[index] = len(number)
        kept[index] = None
        path.append((index, iter(sorted(before[index]))))

    for root in range(len(before)):
        if root not in number:
            enter(root)
        while path:
            here, others = path[-1]
            other = next(others, None)
            if other is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[here])
                if low[here] == number[here]:
                    circle = [kept.popitem()[0]]
                    while circle[-1] != here:
                        circle.append(kept.popitem()[0])
                    yield sorted(circle)
            elif other not in number:
                enter(other)
            elif other in kept:
                low[here] = min(low[here], number[other])


def _unwound(nodes: Sequence[Node], circle: Sequence[int]) -> list[int]:
    """A circle in an order that obeys `needs`, keeps the parts of one thing together if it can, and breaks few links."""
    parts: dict[int, list[int]] = {}
    first: dict[int, int] = {}
    for index in sorted(circle, key=lambda index: (nodes[index].follows >= 0, index)):
        first[index] = first.get(nodes[index].follows, index)
        parts.setdefault(first[index], []).append(index)
    return _picked(nodes, list(parts.values())) or _picked(nodes, [[index] for index in circle])


def _picked(nodes: Sequence[Node], groups: Sequence[list[int]]) -> list[int]:
    """The members of all groups, next always those of one with the fewest links to come; none if `needs` go in a circle."""
    group_of = {index: at for at, group in enumerate(groups) for index in group}

    def others(at: int, names: Iterable[int]) -> set[int]:
        return {group_of[name] for name in names if name in group_of} - {at}

    hard = [
        others(at, (need for index in group for need in nodes[index].needs))
        for at, group in enumerate(groups)
    ]
    soft = [
        others(at, (one for index in group for one in nodes[index].after)) for at, group in enumerate(groups)
    ]
    followers: list[list[int]] = [[] for _ in groups]
    for at in range(len(groups)):
        for other in sorted(hard[at] | soft[at]):
            followers[other].append(at)

    def key(at: int) -> tuple[bool, int, int, int]:
        goes_on = group_of.get(nodes[groups[at][0]].follows, at) in soft[at]
        return goes_on, len(soft[at]), groups[at][0], at

    ready = [key(at) for at in range(len(groups)) if not hard[at]]
    heapq.heapify(ready)
    done: dict[int, None] = {}
    while ready:
        entry = heapq.heappop(ready)
        at = entry[-1]
        if at in done or entry != key(at):
            continue  # it was put in again when something before it was done
        done[at] = None
        for follower in followers[at]:
            hard[follower].discard(at)
            soft[follower].discard(at)
            if not hard[follower] and follower not in done:
                heapq.heappush(ready, key(follower))
    place = {index: at for at, index in enumerate(index for at in done for index in groups[at])}
    kept = all(place.get(need, -1) <= place[index] for index in place for need in nodes[index].needs)
    return list(place) if kept and len(done) == len(groups) else []


def urgencies(nodes: Sequence[Node]) -> list[int]:
    """The risk of each, or of the riskiest that needs or uses it: that is as urgent."""
    risk = [node.risk for node in nodes]
    pending = sorted(range(len(nodes)), key=lambda index: -risk[index])
    for index in pending:
        stack = [index]
        while stack:
            here = stack.pop()
            for other in nodes[here].needs | nodes[here].after:
                if risk[other] < risk[here]:
                    risk[other] = risk[here]
                    stack.append(other)
    return risk
