"""Shapes noted beside a formula: `\\delta_{C \\times 1}`, `W^\\top \\delta \\; (d \\times 1)`.

A note is left out where it says the dimensions that the formula has anyway, and is an error where it does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from derive.errors import AnswerError, ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.latex.parser import Parser
from derive.reading import sums
from derive.sizes import Dims, describe

if TYPE_CHECKING:
    from derive.reading.reader import Reader

TIMES = frozenset((r"\times", "x", "*"))


def without_note(node: s.Syntax) -> tuple[s.Syntax, s.Script | None]:
    """A name without the subscript that notes its shape, and that subscript."""
    if isinstance(node, s.Scripted) and node.subs:
        for script in node.subs:
            if r"\times" in [t.text for t in script.tokens]:
                subs = tuple(other for other in node.subs if other is not script)
                bare = subs or node.sups or node.primes
                return (replace(node, subs=subs) if bare else node.body), script
    return node, None


def checked(reader: Reader, value: Node, script: s.Script) -> Node:
    """The value, if it has the shape that is noted in its subscript."""
    noted = _noted(reader, Parser("", list(script.tokens), reader.scope.words, reader.scope.letters).whole())
    if noted is None:
        raise AnswerError("unreadable", "This subscript is not understood.", script.span)
    value = reader.fit(value, b.zeros(noted), list(zip(value.dims, noted, strict=True)))[0]
    if value.dims != noted:
        raise ShapeError(f"{reader.show(value)} is noted as {describe(noted)}")
    return value


def in_bracket(reader: Reader, node: s.Syntax) -> Dims | None:
    """The dimensions that a bracket says; None if it says something else."""
    if not isinstance(node, s.Group) or len(node.parts) != 1 or node.error is not None:
        return None
    return _noted(reader, node.parts[0])


def _noted(reader: Reader, node: s.Syntax) -> Dims | None:
    """The dimensions that `C \\times d` says; None for anything else."""
    if not isinstance(node, s.Product) or len(node.factors) != 2 or node.factors[1][0] not in TIMES:
        return None
    try:
        rows, columns = (sums.size_of(reader, part) for _, part in node.factors)
    except AnswerError:
        return None
    return rows, columns
