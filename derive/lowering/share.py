"""Exponentials that several functions of one argument have in common.

softmax(z), log softmax(z), log Σ e^z and softmax(z) − y need the largest entry of z, e^{z − max z} and its sum;
σ(x), log σ(x) and log(1 − σ(x)) need one exponential of x.  Where a program uses two of them, they are written
with what they share.  A sum of e^{z − max z} is 1 and the sum of all others, which is kept apart: it may be tiny.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.sizes import ONE, SCALAR

SOFTMAX = frozenset(("softmax", "log_softmax", "log_sum_exp", "log_sum_exp_rows", "softmax_error"))
LOGISTIC = frozenset(("sigmoid", "softplus"))


class Signs:
    """Writes −c − a as −(a + c), and y − x as −(x − y) where x − y occurs too, so that both are one value."""

    def __init__(self, roots: Iterator[Node]) -> None:
        self.first: dict[Node, Node] = {}
        for node in k.nodes_in_order(roots):
            plain = b.negate(node) if _all_negative(node) else node
            if plain.op == "add" and plain not in self.first:
                self.first[b.negate(plain)] = plain
        self.done: dict[Node, Node] = {}

    def __call__(self, node: Node) -> Node:
        return k.rewrite(node, self._turned, self.done)

    def _turned(self, node: Node) -> Node | None:
        if node.op != "add":
            return None
        first = self.first.get(node)
        return None if first is None else b.product(b.number(-1), first)


def _all_negative(node: Node) -> bool:
    return node.op == "add" and all(b.split_number(t)[0] < 0 for t in node.operands)


class Turned:
    """Writes A Bᵀ as (B Aᵀ)ᵀ where B Aᵀ occurs too, and functions of it as transposes of functions of B Aᵀ."""

    def __init__(self, roots: Iterator[Node]) -> None:
        self.first: dict[Node, Node] = {}
        for node in k.nodes_in_order(roots):
            if node.op == "product" and k.rank(node.dims) == 2 and node not in self.first:
                self.first.setdefault(b.transpose(node), node)
        self.done: dict[Node, Node] = {}

    def __call__(self, node: Node) -> Node:
        return k.rewrite(node, self._turned, self.done)

    def _turned(self, node: Node) -> Node | None:
        first = self.first.get(node)
        if first is not None and first is not node:
            return k.kernel("turned", (first,), node.dims)
        if len(node.operands) == 1 and node.operands[0].op == "turned" and node.op != "product" and k.elementwise(node):
            return k.kernel("turned", (b.rebuild(node, node.operands[0].operands),), node.dims)
        return None


class Shared:
    """Writes the functions of `roots` with the exponentials that they share."""

    def __init__(self, roots: Iterator[Node]) -> None:
        found: dict[Node, set[tuple[str, int]]] = {}
        for node in k.nodes_in_order(roots):
            sign, x = _argument(node)
            if sign:
                found.setdefault(x, set()).add((node.op, sign))
        self.shared = {x: uses for x, uses in found.items() if len(uses) > 1}
        self.done: dict[Node, Node] = {}

    def __call__(self, node: Node) -> Node:
        return k.rewrite(node, self._expanded, self.done)

    def _expanded(self, node: Node) -> Node | None:
        if node.op == "entry" and node.operands[0].op in ("add", "shifted"):
            return _entry(*node.operands)
        sign, x = _argument(node)
        if node.op == "softmax_error" or (sign and x in self.shared and node.op in SOFTMAX):
            return _softmax_family(node, x)
        if not sign or x not in self.shared:
            return None
        return _logistic_family(node.op, x, sign, self.shared[x])


def _argument(node: Node) -> tuple[int, Node]:
    """The argument that a function may share, and its sign; the node itself where there is none."""
    if not node.operands or node.operands[0].dims == SCALAR:
        return 0, node
    if node.op in SOFTMAX and (node.op != "log_sum_exp" or ONE in node.operands[0].dims):
        return 1, node.operands[0]
    if node.op in LOGISTIC:
        x = node.operands[0]
        value, _ = b.split_number(x)
        return (-1, b.scale(-1, x)) if value < 0 else (1, x)
    return 0, node


def _spread(x: Node, z: Node) -> Node:
    """A number, or one number a row, for every entry of z."""
    return b.product(x, b.ones(z.dims)) if x.dims == SCALAR else b.product(x, b.ones((ONE, z.dims[1])))


def _softmax_family(node: Node, z: Node) -> Node:
    """softmax z = e / (1 + r) and log softmax z = s − log(1 + r), where s = z − max z, e = e^s and 1 + r = Σ e."""
    vector = ONE in z.dims
    count = SCALAR if vector else (z.dims[0], ONE)
    top = k.kernel("top", (z,), count)
    peak = k.kernel("peak", (z, top), count)
    shifted = k.kernel("shifted", (z, peak if vector else k.columns(peak, z.dims[1])), z.dims)
    e = b.apply("exp", shifted)
    others = k.kernel("others", (e, top), count)
    total = b.add(b.ones(count), others)
    if node.op == "softmax":
        return b.divide(e, _spread(total, z)) if not vector else b.product(b.power(total, -1), e)
    if node.op == "softmax_error":
        return k.kernel("error", (e, others, top, node.operands[1]), z.dims, (False,))
    logarithm = k.kernel("log1p", (others,), count)
    if node.op == "log_softmax":
        return b.subtract(shifted, _spread(logarithm, z))
    return b.add(peak, logarithm)


def _entry(x: Node, i: Node, j: Node) -> Node:
    """(a + c)_i = a_i + c_i, so that one entry does not need them all."""
    if x.op == "ones":
        return b.number(1)
    if x.op == "add":
        return b.add(*(_entry(o, i, j) for o in x.operands))
    if x.op == "product" and all(o.dims == SCALAR for o in x.operands[:-1]):
        return b.product(*x.operands[:-1], _entry(x.operands[-1], i, j))
    if x.op == "shifted" and x.operands[1].dims == SCALAR:
        return b.subtract(b.entry(x.operands[0], i, j), x.operands[1])
    return b.entry(x, i, j)


def _logistic_family(op: str, x: Node, sign: int, uses: set[tuple[str, int]]) -> Node:
    """The functions of x and −x by log(1 + e^x), log(1 + e^−|x|) or e^−x, whichever all of them have in common."""
    logs = {s for name, s in uses if name == "softplus"}
    if not logs:
        e = k.kernel("falling", (x,), x.dims)
        rising = b.power(b.add(b.ones(x.dims), e), -1)
        return rising if sign > 0 else b.hadamard(e, rising)
    if len(logs) == 1:
        (own,) = logs
        inner = x if own > 0 else b.scale(-1, x)
        log = b.apply("softplus", inner)
        if op == "softplus":
            return log
        return b.apply("exp", b.subtract(inner, log) if sign == own else b.negate(log))
    tail = k.kernel("tail", (x,), x.dims)
    if op == "softplus":
        return b.add(b.apply("relu", b.scale(sign, x)), tail)
    return b.apply("exp", b.product(b.number(-1), b.add(b.apply("relu", b.scale(-sign, x)), tail)))
