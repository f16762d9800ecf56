"""Differences of functions that saturate, in forms that do not cancel.

Where σ(x) or tanh(x) is close to 1, or one entry of a softmax takes all, 1 − σ(x), σ(x) − y, 1 − tanh² x and
p − y are differences of nearly equal numbers; written by their exponentials they keep all their digits.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.logarithms import Seen, is_one, minus
from derive.sizes import SCALAR

TARGETS = ("one-hot", "binary", "unit interval", "distribution")


def sigmoid_complement(s: Seen, e: Node) -> Node | None:
    """1 − σ(x) = σ(−x), also where σ(x) has a name"""
    for value, sigma, seen in _terms(s, e, "sigmoid"):
        for unit in e.operands:
            other, one = b.split_number(unit)
            if other == -value and is_one(one):
                small = b.scale(-value, b.apply("sigmoid", minus(seen.operands[0])))
                return _with_rest(e, (sigma, unit), small)
    return None


def sigmoid_slope(s: Seen, e: Node) -> Node | None:
    """σ(x) − σ(x)² = σ(x) σ(−x)"""
    for value, sigma, seen in _terms(s, e, "sigmoid"):
        square = b.scale(-value, b.power(_bare(sigma), 2))
        if square in e.operands:
            both = k.kernel("pair", (_bare(sigma), b.apply("sigmoid", minus(seen.operands[0]))), e.dims)
            return _with_rest(e, (sigma, square), b.scale(value, both))
    return None


def sigmoid_pair(s: Seen, e: Node) -> Node | None:
    """σ(x) σ(−x) as one value, which others may share"""
    seen = [(o, s.view(o)) for o in e.operands if o.dims == e.dims]
    rising = [(o, v.operands[0]) for o, v in seen if v.op == "sigmoid"]
    for first, x in rising:
        for second, other in rising:
            if other == minus(x):
                rest = [o for o in e.operands if o is not first and o is not second]
                pair = k.kernel("pair", (first, second), e.dims)
                return b.hadamard(*rest, pair) if e.op == "hadamard" else b.product(*rest, pair)
    return None


def tanh_slope(s: Seen, e: Node) -> Node | None:
    """1 − tanh² x = 1 / cosh² x"""
    for term in e.operands:
        value, square = b.split_number(term)
        base, exponent = b.base_and_exponent(square)
        inside = s.view(base)
        if exponent != 2 or inside.op != "tanh":
            continue
        for unit in e.operands:
            other, one = b.split_number(unit)
            if other == -value and is_one(one):
                x = inside.operands[0]
                return _with_rest(e, (term, unit), b.scale(-value, _tanh_slope(x, base)))
    return None


def _tanh_slope(x: Node, h: Node) -> Node:
    if k.rank(x.dims) == 2:
        return k.kernel("tanh_slopes", (x, h), x.dims)
    if x.dims == SCALAR:
        return k.kernel("tanh_slope", (x,), SCALAR)
    return b.power(k.kernel("cosh_squared", (x,), x.dims), -1)


def sigmoid_error(s: Seen, e: Node) -> Node | None:
    """σ(x) − y = (1 − y) σ(x) − y σ(−x), for a y that may be 0 or 1"""
    for value, sigma, seen in _terms(s, e, "sigmoid"):
        for term in e.operands:
            other, y = b.split_number(term)
            if other == -value and _is_target(s, y) and y.dims == e.dims:
                join = b.product if e.dims == SCALAR else b.hadamard
                x = seen.operands[0]
                stays = join(b.subtract(b.ones(y.dims), y), _bare(sigma))
                falls = join(y, b.apply("sigmoid", minus(x)))
                return _with_rest(e, (sigma, term), b.scale(value, b.subtract(stays, falls)))
    return None


def softmax_error(s: Seen, e: Node) -> Node | None:
    """softmax(x) − y with the entry of the largest x as a sum over the others"""
    for value, p, seen in _terms(s, e, "softmax"):
        for term in e.operands:
            other, y = b.split_number(term)
            if other == -value and _is_target(s, y) and y.dims == e.dims != SCALAR:
                error = k.kernel("softmax_error", (seen.operands[0], y), e.dims)
                return _with_rest(e, (p, term), b.scale(value, error))
    return None


def _terms(s: Seen, e: Node, op: str) -> Iterator[tuple[b.Number, Node, Node]]:
    """The terms c f(x) of a sum: c, the term, and f(x) where the term is a name for it."""
    for term in e.operands:
        value, rest = b.split_number(term)
        seen = s.view(rest)
        if seen.op == op:
            yield value, term, seen


def _bare(term: Node) -> Node:
    return b.split_number(term)[1]


def _with_rest(e: Node, taken: tuple[Node, Node], new: Node) -> Node:
    return b.add(new, *(t for t in e.operands if t is not taken[0] and t is not taken[1]))


def _is_target(s: Seen, y: Node) -> bool:
    """Whether the entries of a value are declared to be 0 and 1, or to lie between them."""
    if y.op in ("onehot", "onehots"):
        return True
    while y.op in ("entry", "row", "column", "transpose", "member"):
        y = y.operands[0]
    properties: tuple[str, ...] = y.data[2] if y.op == "symbol" else y.data[3] if y.op == "family" else ()
    return y not in s.bodies and any(p.startswith(TARGETS) for p in properties)
