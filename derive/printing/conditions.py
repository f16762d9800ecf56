"""Conditions, as indicators and cases have them."""

from __future__ import annotations

from collections.abc import Callable

from derive.expressions import build as b
from derive.expressions.node import Node, heads_of

Write = Callable[[Node, int], str]
OPPOSITE = {">": r"\leq", "<": r"\geq", "=": r"\neq"}
INDICATORS = ("positive", "is_zero", "index_equal", "index_less")
WEAKEST, SIDE = 0, 20
STEPS = heads_of(*INDICATORS[:3])
PLAIN = ("symbol", "entry", "member")


def relation(node: Node, write: Write) -> str:
    """The relation of an indicator, or of 1 minus one: `x > 0`, `x \\leq y`."""
    inside = complemented(node)
    left, sign, right = _sides(inside or node, write)
    return f"{left} {OPPOSITE[sign] if inside is not None else sign} {right}"


def complemented(node: Node) -> Node | None:
    """The indicator c where a node is 1 - c, c not a Kronecker delta."""
    if node.op != "add" or len(node.operands) != 2 or not node.heads & STEPS:
        return None
    split = [b.split_number(t) for t in node.operands]
    ones = [v for v, r in split if _constant(r)]
    steps = [r for v, r in split if v == -1 and r.op in INDICATORS[:3]]
    return steps[0] if ones == [1] and len(steps) == 1 else None


def _constant(node: Node) -> bool:
    return node.op in ("number", "ones")


def _sides(node: Node, write: Write) -> tuple[str, str, str]:
    if node.op in ("index_equal", "index_less"):
        return write(node.operands[0], WEAKEST), "=" if node.op == "index_equal" else "<", write(node.operands[1], 0)
    sign = "=" if node.op == "is_zero" else ">"
    body = node.operands[0]
    value, rest = b.split_number(body)
    if value < 0 and body.op != "number":
        return write(b.scale(-value, rest), WEAKEST), "=" if sign == "=" else "<", "0"
    if body.op == "add" and len(body.operands) == 2:
        (high, left), (low, right) = sorted(map(b.split_number, body.operands), key=lambda pair: -pair[0])
        if high == 1 and low == -1 and not _constant(left) and not _constant(right):
            return write(left, SIDE), sign, write(right, SIDE)
        if high == 1 and low == -1 and _constant(left) and right.op in PLAIN:
            return write(right, SIDE), "<" if sign == ">" else sign, write(b.number(high), WEAKEST)
        if high > 0 < low and _constant(left) != _constant(right):
            bound = high if _constant(left) else low
            rest = right if _constant(left) else left
            value = low if _constant(left) else high
            if value == 1 and rest.op in PLAIN:
                return write(rest, SIDE), sign, write(b.number(-bound), WEAKEST)
        if high > 0 > low and _constant(right):
            return write(b.scale(high, left), SIDE), sign, write(b.number(-low), WEAKEST)
    return write(body, WEAKEST), sign, "0"
