"""The order of a stack: needs always, links as long as they do not go in a circle, parts together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.core.chunk import Budget
from agent.core.cutting.cut import cut, finish
from agent.core.cutting.drafts import Draft
from agent.core.cutting.links import link
from agent.core.cutting.order import Node, arrange, urgencies
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Mode
from agent.core.outcome import States


def order(*nodes: Node) -> list[int]:
    return arrange(nodes, urgencies(nodes))


def test_links_are_followed_and_risk_comes_next() -> None:
    assert order(Node(set(), {1}), Node(set(), set()), Node(set(), set(), risk=2)) == [2, 1, 0]


def test_in_a_circle_a_part_does_not_come_before_the_one_that_it_goes_on_with() -> None:
    second = Node(set(), {1, 2}, follows=1)
    first = Node(set(), {2})
    assert order(second, first, Node(set(), {0})) == [1, 0, 2]


def test_what_may_use_a_new_parameter_comes_behind_the_header_that_has_it() -> None:
    def draft(line: int, old: bytes, new: bytes, *symbols: str, path: str = "a.py") -> Draft:
        return Draft([FileChange(path, ChangeKind.MODIFY, (Hunk(line, (old,), (new,)),))], symbols)

    body = draft(9, b"    return one\n", b"    return two\n", "A.held")
    header = draft(3, b"    def held(one):\n", b"    def held(one, two):\n", "A.held")
    header.defines = frozenset([b"held"])
    others = draft(1, b"x = 1\n", b"x = 2\n", "A"), draft(9, b"y = 1\n", b"y = 2\n", "A.held", path="b.py")
    drafts = [body, header, *others]
    link(drafts, {})
    assert [draft.after for draft in drafts] == [{1: ""}, {}, {}, {}]


def test_what_is_in_a_circle_or_behind_one_does_not_wait_for_what_is_folded() -> None:
    circle = Node(set(), {1}, risk=1), Node(set(), {0}, risk=1)
    assert order(*circle, Node(set(), {0}, risk=1), Node(set(), set(), folded=True)) == [0, 1, 2, 3]


def test_parts_in_a_circle_come_together_and_few_links_are_broken() -> None:
    """The second part uses what uses the first one."""
    first, user, second = Node(set(), set()), Node(set(), {0}), Node(set(), {0, 1}, follows=0)
    assert order(first, user, second, Node(set(), {1})) == [0, 2, 1, 3]
    many = Node(set(), {1, 2, 3}), Node(set(), {0}), Node(set(), {1}), Node(set(), {2})
    assert order(*many) == [1, 2, 3, 0]


def test_what_nothing_waits_for_any_more_comes_last_in_a_circle() -> None:
    """Of seven links two are broken; three, if what is taken counts as waiting for others still."""
    nodes = Node(set(), {1, 3}), Node(set(), {0}), Node(set(), {0, 3}), Node(set(), {1, 2})
    assert order(*nodes) == [1, 3, 0, 2]


@given(st.data())
def test_every_order_is_whole_and_obeys_needs(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    names = st.sets(st.integers(0, count - 1), max_size=3)
    nodes = []
    for index in range(count):
        needs = {need for need in data.draw(names) if need < index}
        follows = data.draw(st.sampled_from([-1, -1, *range(index)]))
        nodes.append(Node(needs, data.draw(names) - {index}, data.draw(st.integers(0, 3)), follows=follows))
    turned = data.draw(st.permutations(range(count)))
    place = {old: new for new, old in enumerate(turned)}
    shuffled = [
        Node(
            {place[need] for need in nodes[old].needs},
            {place[other] for other in nodes[old].after},
            nodes[old].risk,
            follows=place.get(nodes[old].follows, -1),
        )
        for old in turned
    ]
    found = order(*shuffled)
    assert sorted(found) == list(range(count))
    assert all(found.index(need) < at for at, index in enumerate(found) for need in shuffled[index].needs)


def test_needs_are_obeyed_where_a_part_needs_the_next_one() -> None:
    assert order(Node({1}, set()), Node(set(), {0}, follows=0)) == [1, 0]


def _file(*functions: str) -> FileState:
    return FileState(Mode.FILE, "\n\n".join(functions).encode())


def _function(name: str, calls: str = "x") -> str:
    lines = "".join(f"    {name}_{at} = {calls}\n" for at in range(6))
    return f"def {name}():\n{lines}    return {name}_1\n"


def test_who_reads_stays_in_a_file_as_long_as_nothing_else_must_come_first() -> None:
    before: States = {"a.py": _file(_function("one"), _function("two")), "b.py": _file(_function("three"))}
    after: States = {
        "a.py": _file(_function("one"), _function("late", "soon()"), _function("two"), _function("last")),
        "b.py": _file(_function("three"), _function("soon"), _function("four")),
    }
    titles = [chunk.title.partition(":")[0] for chunk in cut(before, after, budget=Budget(lines=12))]
    assert titles == ["last", "soon", "four", "late"]


def test_the_parts_of_a_thing_stay_together() -> None:
    """Its second part uses what another file brings in; that comes before all of it, or its parts are apart."""
    long = "def long():\n" + "".join(f"    print({at})\n" for at in range(8)) + "    helper()\n    helper()\n"
    before: States = {"a.py": _file(_function("one")), "b.py": _file(_function("two"))}
    after: States = {
        "a.py": _file(_function("one"), long),
        "b.py": _file(_function("two"), _function("helper", "long()")),
    }
    titles = [chunk.title for chunk in cut(before, after, budget=Budget(lines=6))]
    parts = [at for at, title in enumerate(titles) if title.startswith("long")]
    assert len(parts) > 1
    assert parts == list(range(parts[0], parts[0] + len(parts)))


def test_parts_are_numbered_as_they_come() -> None:
    """What is in a frame goes before it, though it stands below."""

    def part(number: int, needs: set[int]) -> Draft:
        hunk = Hunk(number, (b"gone\n",), ())
        change = FileChange("a.py", ChangeKind.MODIFY, (hunk,))
        return Draft([change], symbols=("Gone",), part=(number, 2), needs=needs)

    found = finish([part(1, {1}), part(2, set())], {"a.py": _file("gone\n" * 9)}, Budget())
    assert [(chunk.title, chunk.changes[0].hunks[0].start) for _, chunk in found] == [
        ("Gone (1 of 2): 1 line", 2),
        ("Gone (2 of 2): 1 line", 1),
    ]


@given(st.data())
def test_going_on_with_a_file_obeys_needs(data: st.DataObject) -> None:
    """Each of these drafts takes a line of one of two files out; what is urgent and what links is drawn, too."""
    count = data.draw(st.integers(2, 9))
    drafts = []
    for index in range(count):
        change = FileChange(
            data.draw(st.sampled_from("ab")), ChangeKind.MODIFY, (Hunk(index, (b"gone\n",), ()),)
        )
        needs = {need for need in data.draw(st.sets(st.integers(0, count - 1), max_size=2)) if need > index}
        after = {
            other: "" for other in data.draw(st.sets(st.integers(0, count - 1), max_size=2)) if other != index
        }
        drafts.append(Draft([change], needs=needs, after=after))
    before: States = {name: _file("gone\n" * count) for name in "ab"}
    seen: set[str] = set()
    for _, chunk in finish(drafts, before, Budget()):
        assert seen.issuperset(chunk.needs)
        seen.add(chunk.id)
