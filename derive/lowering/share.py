"""Exponentials that several functions of one argument have in common.

softmax(z), log softmax(z) and log Σ e^z need max z, e^{z − max z} and its sum; σ(x), log σ(x) and
log(1 − σ(x)) need e^{−|x|}.  Where a program uses two of them, they are written with what they share.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.sizes import ONE, SCALAR

SOFTMAX = frozenset(("softmax", "log_softmax", "log_sum_exp", "log_sum_exp_rows"))
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


class Shared:
    """Writes the functions of `roots` with the exponentials that they share."""

    def __init__(self, roots: Iterator[Node]) -> None:
        found: dict[Node, set[tuple[str, int]]] = {}
        for node in k.nodes_in_order(roots):
            sign, x = _argument(node)
            if sign:
                found.setdefault(x, set()).add((node.op, sign))
        self.shared = {x for x, uses in found.items() if len(uses) > 1}
        self.done: dict[Node, Node] = {}

    def __call__(self, node: Node) -> Node:
        return k.rewrite(node, self._expanded, self.done)

    def _expanded(self, node: Node) -> Node | None:
        if node.op == "entry" and node.operands[0].op in ("add", "shifted"):
            return _entry(*node.operands)
        sign, x = _argument(node)
        if not sign or x not in self.shared:
            return None
        return _softmax_family(node.op, x) if node.op in SOFTMAX else _logistic_family(node, x, sign)


def _argument(node: Node) -> tuple[int, Node]:
    """The argument that a function may share, and its sign; the node itself where there is none."""
    if node.op in SOFTMAX and (node.op != "log_sum_exp" or ONE in node.operands[0].dims):
        return 1, node.operands[0]
    if node.op in LOGISTIC and node.dims != SCALAR:
        x = node.operands[0]
        value, _ = b.split_number(x)
        return (-1, b.scale(-1, x)) if value < 0 else (1, x)
    return 0, node


def _spread(x: Node, z: Node) -> Node:
    """A number, or one number a row, for every entry of z."""
    return b.product(x, b.ones(z.dims)) if x.dims == SCALAR else b.product(x, b.ones((ONE, z.dims[1])))


def _softmax_family(op: str, z: Node) -> Node:
    """softmax z = e / Σ e and log softmax z = s − log Σ e, where s = z − max z and e = e^s."""
    vector = ONE in z.dims
    peak = k.kernel("peak", (z,), SCALAR if vector else (z.dims[0], ONE))
    shifted = k.kernel("shifted", (z, peak if vector else k.columns(peak, z.dims[1])), z.dims)
    e = b.apply("exp", shifted)
    sums = b.total(e) if vector else k.row_sums(e)
    if op == "softmax":
        return b.divide(e, _spread(sums, z)) if not vector else b.product(b.power(sums, -1), e)
    if op == "log_softmax":
        return b.subtract(shifted, _spread(b.apply("log", sums), z))
    return b.add(peak, b.apply("log", sums))


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


def _logistic_family(node: Node, x: Node, sign: int) -> Node:
    """With e = e^{−|x|}: log(1 + e^x) = max(x, 0) + log(1 + e) and σ(x) = 1 / (1 + e) or e / (1 + e)."""
    e = b.apply("exp", b.negate(b.apply("abs", x)))
    if node.op == "softplus":
        return b.add(b.apply("relu", node.operands[0]), k.kernel("log1p", (e,), x.dims))
    return k.kernel("switch", (x, e), x.dims, (sign > 0,))
