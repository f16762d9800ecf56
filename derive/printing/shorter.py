"""What is written in another way than it is kept: the order of numbers, squared norms, shadowed indices."""

from __future__ import annotations

import re

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, heads_of, walk
from derive.expressions.order import renamed
from derive.operations.registry import record
from derive.sizes import SCALAR

FUNCTION = 60
LETTERS = ("i", "j", "k", "l", "p", "q", "r", "s", "t")
SUM = heads_of("sum")


def squared(node: Node) -> Node | None:
    """The sum x where a node is x^T x, which is written as a squared norm."""
    if node.op != "product" or node.dims != SCALAR or len(node.operands) != 2:
        return None
    left, right = node.operands
    if right.dims == SCALAR or left != b.transpose(right):
        return None
    return right if right.op == "add" else left if left.op == "add" else None


def unshadowed(node: Node, taken: frozenset[str] = frozenset()) -> Node:
    """An expression in which no sum binds an index that stands free elsewhere, is bound around it, or is `taken`."""
    if not node.heads & SUM:
        return node
    for _ in range(8):
        free = free_indices(node) | taken
        sums = [part for part in walk(node) if part.op == "sum"]
        nesting = [s for s in sums if s.operands[0].heads & SUM]
        inside = [i for s in nesting for i in walk(s.operands[0]) if i.op == "sum" and i.data[0] == s.data[0]]
        shadows = dict.fromkeys([*inside, *(s for s in sums if s.data[0] in free)])
        if not shadows:
            break
        part = next(iter(shadows))
        used = taken.union(*(_names(inner) for inner in walk(node)))
        fresh = next((letter for letter in LETTERS if letter not in used), None)
        if fresh is None:
            break
        node = b.substitute(node, {part: renamed(part, fresh)})
    return node


def _names(node: Node) -> frozenset[str]:
    """What a new letter must not be called: the indices, symbols and sizes of an expression."""
    own = frozenset((str(node.data[0]),)) if node.op in ("symbol", "family", "sum", "index_family") else frozenset()
    return free_indices(node) | own | node.dims[0].names | node.dims[1].names


def in_order(scalars: list[Node]) -> list[Node]:
    """Scalar factors as they are written: sizes and Greek coefficients first, names before functions."""
    if len(scalars) < 2:
        return scalars
    out = complements_last(sorted(scalars, key=_place))
    for k in range(len(out) - 1):
        if record(out[k].op).level == FUNCTION and out[k + 1].op == "symbol":
            out[k], out[k + 1] = out[k + 1], out[k]
    return out


def _place(scalar: Node) -> int:
    """Where a scalar factor stands among others."""
    base = b.base_and_exponent(scalar)[0]
    greek = base.op == "symbol" and re.fullmatch(r"\\[a-z]+", str(base.data[0])) is not None
    return 0 if base.op == "size" else 1 if greek and base is scalar else 2


def complements_last(factors: list[Node]) -> list[Node]:
    """Factors with σ before 1 - σ."""
    out = list(factors)
    if len(out) < 2:
        return out
    for factor in factors:
        parts = [b.split_number(t) for t in factor.operands] if factor.op == "add" else []
        negative = [rest for value, rest in parts if value == -1]
        whole = [rest for value, rest in parts if value == 1 and rest.op in ("ones", "number")]
        if len(parts) == 2 and whole and negative and negative[0] in out[(place := out.index(factor)) :]:
            out.remove(negative[0])
            out.insert(place, negative[0])
    return out
