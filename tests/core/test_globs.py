"""Many patterns at once say the same as `fnmatch` one by one."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from agent.core.globs import Globs

parts = st.text("ab.", min_size=1, max_size=3)
patterns = st.lists(st.sampled_from(["", "*"]), min_size=4, max_size=4).flatmap(
    lambda stars: st.lists(parts, min_size=3, max_size=3).map(
        lambda words: stars[0] + stars[1].join(words[:2]) + stars[2] + words[2] + stars[3]
    )
)


@given(st.lists(patterns, max_size=4), st.text("ab./", min_size=1, max_size=8))
def test_a_name_fits_when_it_or_what_follows_a_slash_fits_one(own: list[str], name: str) -> None:
    ends = [name] + [name[at + 1 :] for at, letter in enumerate(name) if letter == "/"]
    assert Globs(own).fit(name) == any(fnmatchcase(end, pattern) for end in ends for pattern in own)
