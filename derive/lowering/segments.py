"""Matrix products cut into their parts: numbers, a column times a row, or one chain."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.sizes import ONE, SCALAR


def segments(chain: list[Node]) -> list[list[Node]]:
    """A matrix product cut where the inner size is 1: numbers, or a column times a row."""
    out: list[list[Node]] = []
    for factor in chain:
        if out and factor.dims[0] != ONE:
            out[-1].append(factor)
        else:
            out.append([factor])
    return out


def split(node: Node) -> tuple[list[Node], list[list[Node]]]:
    """The scalar factors of a product, inner products taken apart, and its segments that are no numbers."""
    operands = node.operands if node.op == "product" else (node,)
    scalars = [o for o in operands if o.dims == SCALAR]
    parts = segments([o for o in operands if o.dims != SCALAR])
    if node.dims == SCALAR and len(parts) == 1 and len(parts[0]) == len(operands):
        return scalars, parts
    numbers = [p for p in parts if (p[0].dims[0], p[-1].dims[1]) == SCALAR]
    scalars += [b.product(*p) for p in numbers]
    return scalars, [p for p in parts if p not in numbers]
