"""The order of a stack: what others need first, then the riskiest, otherwise as it came.

`needs` are obeyed always; links (a name that one defines and the other uses) as long as they do not go in a
circle; in one, the parts of a thing keep their order. Deterministic, and linear but for sorting.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

MAX_LOOK = 100
"""So many are looked at for one that a circle of links can begin with."""


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
    keys = [(node.folded, -urgency[index], index) for index, node in enumerate(nodes)]
    hard = [len(node.needs) for node in nodes]
    soft = [len(node.after - node.needs - {index}) for index, node in enumerate(nodes)]
    followers = _followers(nodes)
    ready = [keys[index] for index in range(len(nodes)) if not hard[index] and not soft[index]]
    heapq.heapify(ready)
    waiting = sorted(keys)
    done = [False] * len(nodes)
    order: list[int] = []
    at = 0
    while len(order) < len(nodes):
        if ready:
            index = heapq.heappop(ready)[2]
        else:
            while done[waiting[at][2]]:
                at += 1
            free = (waiting[i][2] for i in range(at, len(waiting)))
            index = _out_of_circle(nodes, (one for one in free if not done[one] and not hard[one]), done)
        if done[index]:
            continue
        done[index] = True
        order.append(index)
        for other, is_hard in followers[index]:
            if is_hard:
                hard[other] -= 1
            else:
                soft[other] -= 1
            if not hard[other] and not soft[other] and not done[other]:
                heapq.heappush(ready, keys[other])
    return order


def _out_of_circle(nodes: Sequence[Node], free: Iterator[int], done: Sequence[bool]) -> int:
    """The first of `free`, better one that goes on with nothing that is still to come."""
    some = list(islice(free, MAX_LOOK))
    return next((one for one in some if nodes[one].follows < 0 or done[nodes[one].follows]), some[0])


def _followers(nodes: Sequence[Node]) -> list[list[tuple[int, bool]]]:
    found: list[list[tuple[int, bool]]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        for need in sorted(node.needs):
            found[need].append((index, True))
        for other in sorted(node.after - node.needs - {index}):
            found[other].append((index, False))
    return found


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
