"""Which names some lines define, bring in and use."""

from __future__ import annotations

import pytest

from agent.core.cutting.usage import MAX_LINE, names_in


def lines_of(text: str) -> list[bytes]:
    return [f"{line}\n".encode() for line in text.split("\n")[:-1]]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def parse(text):\n", {b"parse"}),
        ("    async def parse(text):\n", {b"parse"}),
        ("pub fn parse(text: &str) {\n", {b"parse"}),
        ("func (l *Lexer) Next() Token {\n", {b"Next"}),
        ("export const limit = 3;\n", {b"limit"}),
        ("LIMIT: int = 3\n", {b"LIMIT"}),
        ("        self.limit = 3\n", set()),
        ("    function that reads\n    type the person has\n", set()),
        ("class Parser(Base):\nclass Lexer {\nclass Token extends Text {\n", {b"Parser", b"Lexer", b"Token"}),
        ("type Size int64\ntype Shape interface {\n", {b"Size", b"Shape"}),
        ("static char next(void)\n", set()),
        ("var failed error\nvar tries int = 3\n", {b"failed", b"tries"}),
        ("        total = self.limit\n", set()),
        ("    if limit == 3:\n", set()),
        ("#define LIMIT 3\n", {b"LIMIT"}),
        ("pub(crate) const LIMIT: u8 = 3;\n", {b"LIMIT"}),
        ("    let total = 3;\n", set()),
        ("    for (const item of items) {\n", set()),
        ("If you own the struct your code defines,\nthen a function invoked by it runs\n", set()),
        ("x" * MAX_LINE + " = 1; def parse(): ...\n", set()),
    ],
)
def test_what_lines_define(text: str, names: set[bytes]) -> None:
    assert names_in(lines_of(text)).defined == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from lex import token, limit\n", {b"token", b"limit"}),
        ("import json\n", {b"json"}),
        ("use std::fmt;\n", {b"std", b"fmt"}),
        ("important = 3\n", set()),
        ("        self.limit = 3\n", {b"limit"}),
        ("    import name that the person gave\n    use the next one\n", set()),
    ],
)
def test_what_lines_bring_in_for_their_own_file(text: str, names: set[bytes]) -> None:
    assert names_in(lines_of(text)).imported == names


def test_what_lines_use_is_every_word_that_is_no_keyword() -> None:
    assert names_in(lines_of("    return parse(text, 12) if limit else None\n")).used == {
        b"parse",
        b"text",
        b"limit",
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from .config import load\n", {b"config", b"load"}),
        ("import {load} from './config'\n", {b"config", b"load"}),
        ("const all = require('./config');\n", {b"config"}),
        ("export * from './config';\n", {b"config"}),
        ("require_relative 'shop/config'\n", {b"shop", b"config"}),
        ('#include "config.h"\n', {b"config"}),
        ("config = load(config)\n", set()),
    ],
)
def test_files_are_named_in_imports_only(text: str, names: set[bytes]) -> None:
    assert names_in(lines_of(text)).modules == names
