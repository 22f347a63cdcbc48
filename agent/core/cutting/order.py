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
    circles = list(components(before))
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


def components(before: Sequence[set[int]]) -> Iterator[list[int]]:
    """Strongly connected components: circles, and single ones that are in none; in order.

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
    """The members of all groups, so that few links are broken; none if `needs` of groups go in a circle.

    Next is one that waits for nothing; else, of those that something still waits for, the one with the most that does
    beyond what it waits for itself. P. Eades, X. Lin, W. Smyth, "A fast and effective heuristic for the feedback arc set
    problem", 1993.
    """
    circle = _Circle(nodes, groups)
    ready = [circle.key(at) for at in range(len(groups)) if not circle.hard[at]]
    heapq.heapify(ready)
    while ready:
        entry = heapq.heappop(ready)
        at = entry[-1]
        if at in circle.done or entry != circle.key(at) or (circle.soft[at] and not circle.waiting[at]):
            continue  # it is put in again when something before it is done
        for other in circle.take(at):
            if not circle.hard[other] and other not in circle.done:
                heapq.heappush(ready, circle.key(other))
    place = {index: at for at, index in enumerate(index for at in circle.done for index in groups[at])}
    kept = all(place.get(need, -1) <= place[index] for index in place for need in nodes[index].needs)
    return list(place) if kept and len(circle.done) == len(groups) else []


class _Circle:
    """What each group of a circle still waits for (`hard`, `soft`), and how many still wait for it (`waiting`)."""

    def __init__(self, nodes: Sequence[Node], groups: Sequence[list[int]]) -> None:
        self._group_of = {index: at for at, group in enumerate(groups) for index in group}
        self._nodes, self._groups = nodes, groups
        names = range(len(groups))
        self.hard = [
            self._others(at, (need for index in groups[at] for need in nodes[index].needs)) for at in names
        ]
        self.soft = [
            self._others(at, (one for index in groups[at] for one in nodes[index].after)) for at in names
        ]
        self._followers: list[list[int]] = [[] for _ in groups]
        for at in names:
            for other in sorted(self.hard[at] | self.soft[at]):
                self._followers[other].append(at)
        self.waiting = [len(own) for own in self._followers]
        self.done: dict[int, None] = {}
        self._last: set[int] = set()
        """Those that nothing waits for any more: they can come behind all that they wait for."""
        for at in names:
            self._put_last(at)

    def _others(self, at: int, names: Iterable[int]) -> set[int]:
        return {self._group_of[name] for name in names if name in self._group_of} - {at}

    def key(self, at: int) -> tuple[bool, bool, int, int, int]:
        first = self._groups[at][0]
        soft = self.soft[at]
        goes_on = self._group_of.get(self._nodes[first].follows, at) in soft
        return goes_on, bool(soft), len(soft) - self.waiting[at] if soft else 0, first, at

    def take(self, at: int) -> set[int]:
        """This one is next; those whose keys are others now."""
        self.done[at] = None
        changed = self._put_last(at)
        for follower in self._followers[at]:
            self.hard[follower].discard(at)
            self.soft[follower].discard(at)
            changed.add(follower)
        return changed

    def _put_last(self, at: int) -> set[int]:
        """Let nothing count as waited for by this one if it is done, or nothing waits for it."""
        changed: set[int] = set()
        pending = [at]
        while pending:
            here = pending.pop()
            if here not in self._last and (here in self.done or not self.waiting[here]):
                self._last.add(here)
                for other in self.hard[here] | self.soft[here]:
                    self.waiting[other] -= 1
                    changed.add(other)
                    pending.append(other)
        return changed


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
