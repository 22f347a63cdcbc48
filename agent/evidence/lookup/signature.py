"""Parameters as they are written in a signature, from griffe's objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

_STARS = {"variadic positional": "*", "variadic keyword": "**"}


def written(parameters: Iterable[Any], *, annotated: bool = True) -> str:
    """`a, /, b: int = 1, *, c='x', **rest`."""
    return ", ".join(_parts(list(parameters), annotated))


def _parts(parameters: list[Any], annotated: bool) -> Iterator[str]:
    kinds = [getattr(parameter.kind, "value", "") for parameter in parameters]
    starred = False
    for number, (parameter, kind) in enumerate(zip(parameters, kinds, strict=True)):
        if kind == "keyword-only" and not starred:
            starred = True
            yield "*"
        starred |= kind == "variadic positional"
        yield _one(parameter, _STARS.get(kind, ""), annotated)
        if kind == "positional-only" and kind not in kinds[number + 1 :]:
            yield "/"


def _one(parameter: Any, stars: str, annotated: bool) -> str:
    text = f"{stars}{parameter.name}"
    shown = annotated and parameter.annotation is not None
    if shown:
        text += f": {parameter.annotation}"
    if parameter.default is None or stars:
        return text
    return f"{text} = {parameter.default}" if shown else f"{text}={parameter.default}"
