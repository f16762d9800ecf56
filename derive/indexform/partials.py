"""Partial derivatives of numbers written with explicit sums: ∂x_a/∂x_i is the Kronecker delta.

Only the rules of scalar calculus are used here: the sum, product and chain rule.  Nothing is taken from the
vector-Jacobian products of matrix operations, so that what follows is a derivation of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derive.errors import NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.expressions.order import renamed
from derive.indexform.entries import Writer, delta
from derive.indexform.letters import fresh
from derive.operations.registry import record


def _jacobi(det: Node, k: Node, m: Node) -> Node:
    """Jacobi's formula by entries: ∂ det A / ∂A_kl = det A (A⁻¹)_lk."""
    return b.product(det, b.entry(b.make("inverse", det.operands), m, k))


def _factor_left_out(whole: Node, k: Node, m: Node) -> Node:
    """∂ ∏ x / ∂x_kl = ∏ x / x_kl."""
    return b.product(whole, b.power(b.entry(whole.operands[0], k, m), -1))


def _indicator(name: str) -> Slope:
    """The largest (smallest) entry changes with the entry that it is."""
    return lambda node, k, m: b.entry(b.make(name, node.operands), k, m)


# How a number that is not written with sums changes with each entry of its matrix.
SLOPES: dict[str, Slope] = {
    "det": _jacobi, "entries_product": _factor_left_out,
    "largest": _indicator("is_largest"), "smallest": _indicator("is_smallest"),
}  # fmt: skip
ZERO, UNIT = b.number(0), b.number(1)


Slope = Callable[[Node, Node, Node], Node]


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of a variable: `member` is the index of a family's member, None for a symbol."""

    leaf: Node
    member: Node | None
    i: Node
    j: Node

    @property
    def node(self) -> Node:
        """The entry as an expression."""
        holder = self.leaf if self.member is None else b.member(self.leaf, self.member)
        return b.entry(holder, self.i, self.j)

    @property
    def letters(self) -> frozenset[str]:
        """The letters of its indices."""
        indices = (self.member, self.i, self.j)
        return frozenset(str(p.data[0]) for n in indices if n is not None for p in walk(n) if p.op == "index")


def partial(node: Node, wrt: Place, taken: frozenset[str]) -> Node:
    """∂node/∂wrt of a number that `Writer` wrote.  Raises `NoRuleError` for what is no scalar calculus."""
    return _Partial(wrt, taken | wrt.letters)(node)


class _Partial:
    def __init__(self, wrt: Place, taken: frozenset[str]) -> None:
        self.wrt, self.taken = wrt, taken
        self.done: dict[Node, Node] = {}

    def __call__(self, node: Node) -> Node:
        if node not in self.done:
            self.done[node] = self._of(node)
        return self.done[node]

    def _of(self, node: Node) -> Node:
        if node.op in ("symbol", "member", "entry"):
            return self._of_place(node)
        if not any(part is self.wrt.leaf for part in walk(node)):
            return ZERO
        if node.op == "sum":
            return self._of_sum(node)
        if node.op == "add":
            return b.add(*(self(o) for o in node.operands))
        if node.op == "product":
            whole = node.operands
            return b.add(*(b.product(*whole[:k], self(f), *whole[k + 1 :]) for k, f in enumerate(whole)))
        if node.op in SLOPES:
            return self._through(node.operands[0], lambda k, m: SLOPES[node.op](node, k, m))
        rule = record(node.op).vjp
        if not record(node.op).elementwise or rule is None:
            raise NoRuleError(node.op, "it is no function of a number")
        slopes = rule(UNIT, node, *node.operands)
        return b.add(*(b.product(s, self(o)) for s, o in zip(slopes, node.operands, strict=True) if s is not None))

    def _of_place(self, node: Node) -> Node:
        """∂x_ab/∂x_ij = δ_ai δ_bj, for a member of a family times the delta of the members."""
        holder, i, j = node.operands if node.op == "entry" else (node, UNIT, UNIT)
        if holder.op == "inverse":
            return self._of_inverse(holder, i, j)
        here = b.product(delta(i, self.wrt.i), delta(j, self.wrt.j))
        if holder is self.wrt.leaf:
            return here
        if holder.op == "member" and holder.operands[0] is self.wrt.leaf:
            assert self.wrt.member is not None
            return b.product(delta(holder.operands[1], self.wrt.member), here)
        if all(part is not self.wrt.leaf for part in walk(holder)):
            return ZERO
        raise NoRuleError(holder.op, "an entry of it cannot be written with explicit sums")

    def _of_sum(self, node: Node) -> Node:
        if str(node.data[0]) in self.wrt.letters:
            node = renamed(node, fresh(self.taken | {str(p.data[0]) for p in walk(node) if p.op in ("index", "sum")}))
        body, condition = node.operands
        found = self(body)
        return found if found == ZERO else b.make("sum", (found, condition), node.data)

    def _of_inverse(self, node: Node, i: Node, j: Node) -> Node:
        """∂(A⁻¹)_ij = −Σ_kl (A⁻¹)_ik ∂A_kl (A⁻¹)_lj."""
        used = free_indices(i) | free_indices(j)
        found = self._through(node.operands[0], lambda k, m: b.product(b.entry(node, i, k), b.entry(node, m, j)), used)
        return b.negate(found)

    def _through(self, matrix: Node, weight: Callable[[Node, Node], Node], used: frozenset[str] = frozenset()) -> Node:
        """Σ_kl weight(k, l) ∂A_kl, under letters that are not among those `used` by the weight."""
        rows, columns = matrix.dims
        w = Writer(self.taken | used | free_indices(matrix))

        def inner(v: Writer, k: Node) -> Node:
            def entry(u: Writer, m: Node) -> Node:
                changed: Node = _Partial(self.wrt, u.taken)(u(matrix, k, m))
                return b.product(weight(k, m), changed)

            return v.sum(columns, entry)

        return w.sum(rows, inner)
