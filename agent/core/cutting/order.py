"""The order of a stack: what others need first, then the riskiest, otherwise as it came.

`needs` are obeyed always; links (a name that one defines and the other uses) as long as they do not go in a
circle. Deterministic, and linear but for sorting.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import msgspec


class Node(msgspec.Struct):
    """What the order has to know of one chunk; others are named by their index."""

    needs: set[int]
    after: set[int]
    """Soft: better after these."""
    risk: int = 0
    folded: bool = False


def arrange(nodes: Sequence[Node]) -> list[int]:
    """Indexes of `nodes` in the order in which a person should meet them. `needs` must have no circle."""
    risk = _inherited(nodes)
    keys = [(node.folded, -risk[index], index) for index, node in enumerate(nodes)]
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
            index = next(key[2] for key in waiting[at:] if not done[key[2]] and not hard[key[2]])
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


def _followers(nodes: Sequence[Node]) -> list[list[tuple[int, bool]]]:
    found: list[list[tuple[int, bool]]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        for need in sorted(node.needs):
            found[need].append((index, True))
        for other in sorted(node.after - node.needs - {index}):
            found[other].append((index, False))
    return found


def _inherited(nodes: Sequence[Node]) -> list[int]:
    """A chunk that a risky one needs or uses is as urgent as that one."""
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
