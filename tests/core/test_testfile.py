"""Which names are those of tests."""

from __future__ import annotations

import pytest

from agent.core.testfile import is_test_path


@pytest.mark.parametrize(
    ("path", "is_test"),
    [("tests/helpers.py", True), ("pkg/test_a.py", True), ("a_test.go", True), ("src/latest.py", False),
     ("contest/a.py", False),
     ("a_tests.rs", True), ("src/ParserTest.java", True), ("Latest.java", False), ("Spec/a.rb", True)],
)  # fmt: skip
def test_test_files_are_known_by_name_and_folder(path: str, is_test: bool) -> None:
    assert is_test_path(path) is is_test
