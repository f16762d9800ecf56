"""Where the two sides of a maximum cannot be equal but at single points: there 1 - 1{x > y} is 1{y > x}."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.rules.driver import simplify

DISCRETE = frozenset(("binary", "sign", "integer", "one-hot"))


def strict_sides(program: Iterable[Node], names: Container[Node]) -> dict[Node, Node]:
    """For each extremum of two given quantities in a program, the second indicator as a strict one.

    Only for plain, continuous ones: named expressions may be equal everywhere, and integers on the way.
    """
    out: dict[Node, Node] = {}
    for meaning in program:
        for part in walk(meaning):
            if part.op in ("maximum", "minimum") and all(_moves_freely(o, names) for o in part.operands):
                x, y = part.operands if part.op == "maximum" else part.operands[::-1]
                first = b.apply("positive", b.subtract(x, y))
                out[simplify(b.subtract(b.ones(x.dims), first))] = simplify(b.apply("positive", b.subtract(y, x)))
    return out


def _moves_freely(node: Node, names: Container[Node]) -> bool:
    if node.op != "symbol" or node in names:
        return False
    return not any(str(declared).split(" at ")[0] in DISCRETE for declared in node.data[2])


def opened(node: Node, strict: Mapping[Node, Node]) -> Node:
    """An expression with strict indicators for factors that are 1 - 1{x > y}; conditions of cases stay."""
    if node in strict:
        return strict[node]
    found = dict(_factors(node, strict)) if strict else {}
    return b.substitute(node, found) if found else node


def _factors(node: Node, strict: Mapping[Node, Node]) -> Iterator[tuple[Node, Node]]:
    for part in walk(node):
        if part.op in ("product", "hadamard") and any(o in strict for o in part.operands):
            yield part, b.rebuild(part, tuple(strict.get(o, o) for o in part.operands))
