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


class Shared:
    """Writes the functions of `roots` with the exponentials that they share."""

    def __init__(self, roots: Iterator[Node]) -> None:
        found: dict[Node, set[tuple[str, int]]] = {}
        for node in k.nodes_in_order(roots):
            sign, x = _argument(node)
            found.setdefault(x, set()).add((node.op, sign))
        self.shared = {x for x, uses in found.items() if len(uses) > 1}
        self.done: dict[Node, Node] = {}

    def __call__(self, node: Node) -> Node:
        return k.rewrite(node, self._expanded, self.done)

    def _expanded(self, node: Node) -> Node | None:
        sign, x = _argument(node)
        if x not in self.shared or node.op not in SOFTMAX | LOGISTIC:
            return None
        return _softmax_family(node.op, x) if node.op in SOFTMAX else _logistic_family(node, x, sign)


def _argument(node: Node) -> tuple[int, Node]:
    """The argument that a function may share, and its sign; the node itself where there is none."""
    if node.op in SOFTMAX and (node.op != "log_sum_exp" or ONE in node.operands[0].dims):
        return 1, node.operands[0]
    if node.op in LOGISTIC and node.dims != SCALAR:
        x = node.operands[0]
        value, rest = b.split_number(x)
        return (-1, b.scale(-1, x)) if value < 0 and rest.op != "add" else (1, x)
    return 0, node


def _spread(x: Node, z: Node) -> Node:
    """A number, or one number a row, for every entry of z."""
    return b.product(x, b.ones(z.dims)) if x.dims == SCALAR else b.product(x, b.ones((ONE, z.dims[1])))


def _softmax_family(op: str, z: Node) -> Node:
    """softmax z = e / Σ e and log softmax z = s − log Σ e, where s = z − max z and e = e^s."""
    vector = ONE in z.dims
    peak = k.kernel("peak", (z,), SCALAR if vector else (z.dims[0], ONE))
    shifted = b.subtract(z, _spread(peak, z))
    e = b.apply("exp", shifted)
    sums = b.total(e) if vector else k.row_sums(e)
    if op == "softmax":
        return b.divide(e, _spread(sums, z)) if not vector else b.product(b.power(sums, -1), e)
    if op == "log_softmax":
        return b.subtract(shifted, _spread(b.apply("log", sums), z))
    return b.add(peak, b.apply("log", sums))


def _logistic_family(node: Node, x: Node, sign: int) -> Node:
    """With e = e^{−|x|}: log(1 + e^x) = max(x, 0) + log(1 + e) and σ(x) = 1 / (1 + e) or e / (1 + e)."""
    e = b.apply("exp", b.negate(b.apply("abs", x)))
    if node.op == "softplus":
        return b.add(b.apply("relu", node.operands[0]), k.kernel("log1p", (e,), x.dims))
    return k.kernel("switch", (x, e), x.dims, (sign > 0,))


