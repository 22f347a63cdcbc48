"""Programming languages: which one a file is in, its parser, and whether a text parses.

Parsers are tree-sitter wheels, imported when a file of their language is first met. Python is judged by its own
compiler, which is stricter. Knows nothing of symbols or chunks (see `symbols`).
"""

from __future__ import annotations

import ast
import importlib
import re
import warnings
from collections.abc import Mapping
from functools import cache, lru_cache
from symtable import symtable

import msgspec
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

MAX_BYTES = 2_000_000
"""Larger files are treated as plain text: nobody reads them as code, and parsing must stay cheap."""


class Grammar(msgspec.Struct, frozen=True):
    """What copair must know of a language to cut it: node types of its tree-sitter grammar."""

    name: str
    module: str
    function: str = "language"
    definitions: frozenset[str] = frozenset()
    wrappers: frozenset[str] = frozenset()
    """Nodes around a definition that belong to it: decorators, `export`."""
    containers: frozenset[str] = frozenset()
    """Nodes between whose children a text can be cut."""
    loose: frozenset[str] = frozenset()
    """Containers without brackets of their own, of which at least one child must stay."""
    leading: frozenset[str] = frozenset()
    """Nodes that belong to what follows them: comments, attributes."""
    texts: frozenset[str] = frozenset()
    """Long strings and comments, between whose inner lines a text can be cut."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


PYTHON = Grammar(
    "python",
    "tree_sitter_python",
    definitions=_set("class_definition function_definition"),
    wrappers=_set("decorated_definition"),
    containers=_set("module block list dictionary set tuple argument_list parameters import_from_statement"),
    loose=_set("block list dictionary set tuple argument_list parameters import_from_statement"),
    leading=_set("comment"),
    texts=_set("string"),
)
_SCRIPT = Grammar(
    "javascript",
    "tree_sitter_javascript",
    definitions=_set(
        "function_declaration generator_function_declaration class_declaration abstract_class_declaration"
        " method_definition interface_declaration type_alias_declaration enum_declaration internal_module"
        " variable_declarator field_definition public_field_definition assignment_expression pair"
        " function_signature call_expression"
    ),
    wrappers=_set(
        "export_statement lexical_declaration variable_declaration ambient_declaration expression_statement"
    ),
    containers=_set(
        "program statement_block class_body object array switch_body interface_body object_type enum_body"
        " jsx_element named_imports export_clause"
    ),
    leading=_set("comment decorator"),
    texts=_set("comment template_string"),
)
_C = Grammar(
    "c",
    "tree_sitter_c",
    definitions=_set(
        "function_definition struct_specifier enum_specifier union_specifier type_definition"
        " preproc_def preproc_function_def"
    ),
    containers=_set(
        "translation_unit compound_statement field_declaration_list enumerator_list initializer_list"
        " preproc_if preproc_ifdef declaration_list"
    ),
    leading=_set("comment"),
    texts=_set("comment"),
)
GRAMMARS = {
    "python": PYTHON,
    "javascript": _SCRIPT,
    "typescript": msgspec.structs.replace(
        _SCRIPT, name="typescript", module="tree_sitter_typescript", function="language_typescript"
    ),
    "tsx": msgspec.structs.replace(
        _SCRIPT, name="tsx", module="tree_sitter_typescript", function="language_tsx"
    ),
    "go": Grammar(
        "go",
        "tree_sitter_go",
        definitions=_set("function_declaration method_declaration type_spec type_alias"),
        wrappers=_set("type_declaration"),
        containers=_set(
            "source_file block statement_list import_spec_list literal_value field_declaration_list"
            " interface_type const_declaration var_spec_list var_declaration"
            " expression_switch_statement type_switch_statement select_statement"
        ),
        leading=_set("comment"),
        texts=_set("comment raw_string_literal"),
    ),
    "rust": Grammar(
        "rust",
        "tree_sitter_rust",
        definitions=_set(
            "function_item struct_item enum_item trait_item impl_item mod_item macro_definition const_item"
            " static_item type_item union_item function_signature_item"
        ),
        containers=_set(
            "source_file block declaration_list field_declaration_list enum_variant_list match_block use_list"
            " array_expression field_initializer_list"
        ),
        leading=_set("line_comment block_comment attribute_item inner_attribute_item"),
        texts=_set("block_comment string_literal raw_string_literal"),
    ),
    "c": _C,
    "cpp": msgspec.structs.replace(
        _C,
        name="cpp",
        module="tree_sitter_cpp",
        definitions=_C.definitions | _set("class_specifier alias_declaration concept_definition"),
        wrappers=_set("template_declaration"),
        texts=_set("comment raw_string_literal"),
    ),
    "java": Grammar(
        "java",
        "tree_sitter_java",
        definitions=_set(
            "class_declaration interface_declaration enum_declaration record_declaration method_declaration"
            " constructor_declaration annotation_type_declaration"
        ),
        containers=_set(
            "program class_body interface_body enum_body enum_body_declarations block constructor_body"
            " array_initializer switch_block annotation_type_body"
        ),
        leading=_set("line_comment block_comment"),
        texts=_set("block_comment"),
    ),
}
MANY_COMMENTS = 500
"""So many lines of comments, one after the other, are not all read as such in Python: that takes quadratic time."""

KEPT_COMMENTS = 50
"""At least so many of them are."""

_COMMENTS = re.compile(rb"^(?:[ \t]*(?:\#[^\n]*)?\n){%d,}" % MANY_COMMENTS, re.MULTILINE)
_NOT_BLANK = re.compile(rb"[^\r]")
_SUFFIXES = {
    "py": "python", "pyi": "python", "pyw": "python",
    "js": "javascript", "mjs": "javascript", "cjs": "javascript", "jsx": "javascript",
    "ts": "typescript", "mts": "typescript", "cts": "typescript", "tsx": "tsx",
    "go": "go", "rs": "rust", "c": "c", "h": "c", "java": "java",
    "cc": "cpp", "cpp": "cpp", "cxx": "cpp", "c++": "cpp",
    "hh": "cpp", "hpp": "cpp", "hxx": "cpp", "h++": "cpp", "ipp": "cpp",
}  # fmt: skip
_ONLY_CPP = re.compile(
    rb"^[ \t]*(?:class[ \t]+\w|namespace\b|template[ \t]*<|using[ \t]+\w|(?:public|private|protected)[ \t]*:)|\bstd::",
    re.MULTILINE,
)
"""What no header of C has."""


def grammar_of(path: str, data: bytes = b"") -> Grammar | None:
    """The language of a file by its name, for a script without suffix by its first line; None if unknown."""
    if len(data) > MAX_BYTES or b"\0" in data[:8000]:
        return None
    name = path.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    if dot and stem:
        found = _SUFFIXES.get(suffix.lower())
        if suffix == "h" and _ONLY_CPP.search(data):
            found = "cpp"
        return GRAMMARS[found] if found else None
    first = data[:100].partition(b"\n")[0]
    if first.startswith(b"#!"):
        if b"python" in first:
            return PYTHON
        if b"node" in first:
            return GRAMMARS["javascript"]
    return None


@cache
def _language(module: str, function: str) -> Language:
    return Language(getattr(importlib.import_module(module), function)())


@cache
def _parser(module: str, function: str) -> Parser:
    return Parser(_language(module, function))


@lru_cache(maxsize=2)
def tree(grammar: Grammar, data: bytes) -> Tree:
    """The syntax tree. Never fails: what cannot be read becomes error nodes.

    Kept for a while: outline and brackets of a text are read one after the other.
    """
    if grammar.name == "python" and data.count(b"#") >= MANY_COMMENTS:
        data = _COMMENTS.sub(_thinned, data)
    return _parser(grammar.module, grammar.function).parse(data)


def _thinned(run: re.Match[bytes]) -> bytes:
    """Lines of comments with most of them blank, every byte where it was.

    The grammar of Python looks at all comments that follow, behind each of them, for the next indentation.
    """
    lines = run[0].split(b"\n")
    step = len(lines) // KEPT_COMMENTS
    return b"\n".join(
        [line if at % step == 0 else _NOT_BLANK.sub(b" ", line) for at, line in enumerate(lines)]
    )


def reread(grammar: Grammar, data: bytes, edited: Tree) -> Tree:
    """The syntax tree, by that of another text which was told where it was edited."""
    return _parser(grammar.module, grammar.function).parse(data, edited)


def root(grammar: Grammar, data: bytes) -> Node:
    """The root of the syntax tree."""
    return tree(grammar, data).root_node


@cache
def _brackets(grammar: Grammar, signs: tuple[str, ...]) -> Query:
    language = _language(grammar.module, grammar.function)
    known = [f'"{sign}"' for sign in signs if language.id_for_node_kind(sign, False) is not None]
    texts = " ".join(f"({kind}) @text" for kind in sorted(grammar.texts))
    return Query(language, f"[{' '.join(known)}] @sign {texts}")


def tokens(grammar: Grammar, data: bytes, pairs: Mapping[str, str]) -> list[tuple[str, Node]]:
    """All brackets of a text that are in `pairs` on either side, and its long strings and comments, by kind."""
    query = _brackets(grammar, tuple(dict.fromkeys([*pairs, *pairs.values()])))
    found = QueryCursor(query).captures(root(grammar, data))
    return [(node.type, node) for nodes in found.values() for node in nodes]


def parses(grammar: Grammar, data: bytes) -> bool:
    """True when `data` is a complete, valid text of this language."""
    if grammar.name == "python":
        return _compiles(data)
    return not root(grammar, data).has_error


@lru_cache(maxsize=512)
def _compiles(data: bytes) -> bool:
    """The symbol table is made in less than two thirds of the time of an `ast`, but a part may lack the function
    around its `nonlocal`: what it refuses is judged by the grammar alone.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            symtable(data, "<chunk>", "exec")  # type: ignore[arg-type]  # bytes too, with their coding line
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return _is_python(data)
    return True


def _is_python(data: bytes) -> bool:
    try:
        compile(data, "<chunk>", "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True
