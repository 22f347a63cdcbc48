"""What a definition in a syntax tree is called: as a person of its language would say it.

Functions that are assigned, tests that are named by a sentence, methods with their receiver. Knows no lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tree_sitter import Node

_FUNCTIONS = ("arrow_function", "function_expression", "class")
_VALUES = (*_FUNCTIONS, "object")
_TEST = re.compile(
    r"(?:\w+\.)?(?:describe|context|suite|it|test|specify)"
    r"(?:\.(?:concurrent|each|fails|failing|fixme|for|if|only|parallel|runIf|sequential|serial|shuffle|skip|skipIf|todo))*"
    r"(?=$|[\s(`<])(?!\s*\.)"
)
_MACRO_TEST = re.compile(r"(?:[A-Z]+_)?TEST(?:_[A-Z]+)*")
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
        case "struct_specifier" | "enum_specifier" | "union_specifier" | "class_specifier" if (
            node.child_by_field_name("body") is None
        ):
            return ""
    found = node.child_by_field_name("name") or node.child_by_field_name("property")
    if node.type == "method_declaration" and (receiver := node.child_by_field_name("receiver")) is not None:
        owner = re.search(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\s*\)\s*$", _text(receiver))
        return f"{owner[1]}.{_text(found)}" if owner else _text(found)
    return _declared(node) if found is None else _unscoped(found)


def _declared(node: Node) -> str:
    """The name in the declarator of C and C++, however deep it lies."""
    found = None
    declarator = node.child_by_field_name("declarator")
    while declarator is not None:
        if declarator.type == "operator_cast":
            return f"operator {_text(declarator.child_by_field_name('type'))}"
        found = declarator
        declarator = declarator.child_by_field_name("declarator")
        if declarator is None and found.type in ("reference_declarator", "parenthesized_declarator"):
            declarator = found.named_children[-1] if found.named_children else None
    name = _unscoped(found)
    return _macro_test(node) if _MACRO_TEST.fullmatch(name) else name


def _unscoped(node: Node | None) -> str:
    """A name of C++ as those of other languages: `Parser.read` for `Parser<T>::read`."""
    if node is None or node.type != "qualified_identifier":
        return _text(node)
    scope, name = node.child_by_field_name("scope"), node.child_by_field_name("name")
    outer = (
        scope.child_by_field_name("name") if scope is not None and scope.type == "template_type" else scope
    )
    return f"{_text(outer)}.{_unscoped(name)}" if outer is not None else _unscoped(name)


def _macro_test(node: Node) -> str:
    """`Suite.reads` for what begins with `TEST_F(Suite, reads)`."""
    declarator = node.child_by_field_name("declarator")
    parameters = declarator.child_by_field_name("parameters") if declarator is not None else None
    given = [_text(child) for child in parameters.named_children] if parameters is not None else []
    return ".".join(given)[:MAX_TEST_NAME] or _text(declarator)


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
