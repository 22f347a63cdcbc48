"""What a definition in a syntax tree is called: as a person of its language would say it.

Functions that are assigned, tests that are named by a sentence, methods with their receiver. Knows no lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tree_sitter import Node

_FUNCTIONS = ("arrow_function", "function_expression", "class")
_VALUES = (*_FUNCTIONS, "object")
_TEST = re.compile(r"(?:\w+\.)?(?:describe|context|suite|it|test|specify)\b")
_IMPL = re.compile(r"^impl (?:.* for )?|<.*>$", re.DOTALL)
MAX_TEST_NAME = 200
"""Characters; longer names of tests are cut off."""


def name_of(node: Node) -> str:
    """The name that a definition gives, as the language writes it; empty when it is none after all."""
    match node.type:
        case "impl_item":
            kind, trait = node.child_by_field_name("type"), node.child_by_field_name("trait")
            return f"impl {_text(trait)} for {_text(kind)}" if trait is not None else f"impl {_text(kind)}"
        case "call_expression":
            return _test_name(node)
        case "assignment_expression" | "pair":
            return _assigned(node)
        case "variable_declarator" if not _is_named_by(node.child_by_field_name("value"), _VALUES):
            return ""
        case "struct_specifier" | "enum_specifier" | "union_specifier" if not node.child_by_field_name(
            "body"
        ):
            return ""
    found = node.child_by_field_name("name") or node.child_by_field_name("property")
    if node.type == "method_declaration" and (receiver := node.child_by_field_name("receiver")) is not None:
        owner = re.search(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\s*\)\s*$", _text(receiver))
        return f"{owner[1]}.{_text(found)}" if owner else _text(found)
    if found is None:
        declarator = node.child_by_field_name("declarator")
        while declarator is not None:
            found = declarator
            declarator = declarator.child_by_field_name("declarator")
    return _text(found)


def _is_named_by(value: Node | None, kinds: Sequence[str]) -> bool:
    return value is not None and value.type in kinds


def _assigned(node: Node) -> str:
    """What a function or class is assigned to; a class by its own name, if it has one."""
    value = node.child_by_field_name("right") or node.child_by_field_name("value")
    if value is None or value.type not in _FUNCTIONS:
        return ""
    own = value.child_by_field_name("name") if value.type == "class" else None
    named = own or node.child_by_field_name("left") or node.child_by_field_name("key")
    return _text(named).strip("'\"")


def _test_name(node: Node) -> str:
    """The sentence that names a test, in quotation marks; empty for any other call."""
    arguments = node.child_by_field_name("arguments")
    if arguments is None or not _TEST.match(_text(node.child_by_field_name("function"))[:MAX_TEST_NAME]):
        return ""
    given = arguments.named_children
    if len(given) < 2 or given[0].type not in ("string", "template_string"):
        return ""
    if not any(value.type in _FUNCTIONS for value in given[1:]):
        return ""
    return f'"{" ".join(_text(given[0])[1:-1].split())[:MAX_TEST_NAME]}"'


def qualified(owner: Sequence[str]) -> str:
    """Names from the outermost in; an `impl` stands for its type, a test is told from what it is in."""
    named = [_IMPL.sub("", name) for name in owner[:-1]] + list(owner[-1:])
    return ".".join(named).replace('"."', '" > "')


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""
