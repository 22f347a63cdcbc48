"""A file on which the search has spent all that it may is cut down its length."""

from __future__ import annotations

from agent.core.chunk import Budget
from agent.core.code.grammar import GRAMMARS, parses
from agent.core.code.sheet import Sheet
from agent.core.cutting.grouping import group_hunks
from agent.core.cutting.soundness import Allowance, Checker
from agent.core.hunk import Hunk
from agent.core.lines.splice import diff, position, splice
from agent.core.text import Lines, split_lines

BODY = "".join(f"  b({at});\n" for at in range(12))
OLD = "".join(f"if (a{at}) {{ {{\n{BODY}}}\n}}\n\n" for at in range(20))
NEW = "".join(f"if (a{at}) {{\n{BODY}}}\nelse {{ c({at}); }}\n\n" for at in range(20))


def test_without_time_to_search_changes_go_together_down_the_file_until_it_parses() -> None:
    before, after = split_lines(OLD.encode()), split_lines(NEW.encode())
    old, new = Sheet("a.js", before), Sheet("a.js", after)
    enough_to_begin = len(OLD) + len(NEW)
    checker = Checker(old, new, Allowance(enough_to_begin, Allowance(1_000_000)))
    groups = group_hunks(diff(before, after), old, new, Budget(), checker)
    assert checker.in_order
    assert len(groups) >= 4
    assert all(group.changed <= 25 for group in groups)
    states = [
        applied(before, [hunk for group in groups[: count + 1] for hunk in group.hunks])
        for count in range(len(groups))
    ]
    assert states[-1] == after
    assert all(parses(GRAMMARS["javascript"], b"".join(state)) for state in states)


def test_what_finds_no_way_within_the_reserve_is_still_the_whole_difference() -> None:
    before, after = split_lines(OLD.encode()), split_lines(NEW.encode())
    old, new = Sheet("a.js", before), Sheet("a.js", after)
    checker = Checker(old, new, Allowance(len(OLD) + len(NEW), Allowance(1)))
    groups = group_hunks(diff(before, after), old, new, Budget(), checker)
    assert applied(before, [hunk for group in groups for hunk in group.hunks]) == after


def applied(lines: Lines, hunks: list[Hunk]) -> Lines:
    return splice(lines, sorted(hunks, key=position))
