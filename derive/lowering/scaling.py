"""Numbers that depend on sizes alone, such as 1 / N, taken to the factor that several products have in common.

Δᵀ X / N, Δ W / N and 1ᵀ Δ / N are (Δ / N)ᵀ X, (Δ / N) W and 1ᵀ (Δ / N), where Δ is computed and of no use otherwise:
one matrix is divided, once.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.plan import constant
from derive.sizes import SCALAR

LINEAR = ("matmul", "column_sums", "row_sums")


class Scales:
    """Rewrites the products of a program; `roots` are its expressions, `kept` what is a result or a definition."""

    def __init__(self, roots: Iterator[Node], given: frozenset[Node], kept: frozenset[Node]) -> None:
        nodes = list(k.nodes_in_order(roots))
        users: dict[Node, list[Node]] = {}
        for node in nodes:
            for operand in node.operands:
                users.setdefault(operand, []).append(node)
        self.factors: dict[Node, Node] = {}
        found: dict[Node, list[tuple[Node, Node]]] = {}
        for node in nodes:
            factor, x = _split(node)
            for core in _cores(x, given) if factor is not None else ():
                assert factor is not None
                found.setdefault(core, []).append((factor, x))
        for core, uses in found.items():
            factor, products = uses[0][0], {x for _, x in uses}
            others = set(_users(core, users)) - products
            alone = all(_split(u)[0] == factor for x in products for u in _users(x, users)) and not products & kept
            matrices = [x for x in products if k.rank(x.dims) == 2]
            if not others and alone and core not in kept and matrices and len(products) > 1:
                self.factors[core] = factor
        self.done: dict[Node, Node] = {}

    def __call__(self, node: Node) -> Node:
        return k.rewrite(node, self._moved, self.done)

    def _moved(self, node: Node) -> Node | None:
        factor, x = _split(node)
        if factor is None or x.op not in LINEAR:
            return None
        for place, side in enumerate(x.operands):
            core = side.operands[0] if side.op == "transpose" else side
            if self.factors.get(core) == factor:
                scaled = b.product(factor, core)
                sides = list(x.operands)
                sides[place] = k.kernel("turned", (scaled,), side.dims) if side.op == "transpose" else scaled
                out = k.rebuilt(x, tuple(sides))
                return b.transpose(out) if node.operands[-1].op == "transpose" else out
        return None


def _users(node: Node, users: dict[Node, list[Node]]) -> Iterator[Node]:
    """What is computed from a value or its transpose."""
    for user in users.get(node, ()):
        if user.op == "transpose":
            yield from users.get(user, ())
        else:
            yield user


def _split(node: Node) -> tuple[Node | None, Node]:
    """The factor and the rest of a matrix or vector times numbers that depend on sizes alone."""
    if node.op != "product" or node.dims == SCALAR or not all(map(constant, node.operands[:-1])):
        return None, node
    factor = b.product(*node.operands[:-1])
    x = node.operands[-1]
    return (None, node) if factor == b.number(-1) else (factor, x.operands[0] if x.op == "transpose" else x)


def _cores(x: Node, given: frozenset[Node]) -> Iterator[Node]:
    """The matrix in a product that is computed, where the other factor is given."""
    if x.op not in LINEAR:
        return
    cores = [side.operands[0] if side.op == "transpose" else side for side in x.operands]
    computed = [c for c in cores if c.operands and c not in given and k.rank(c.dims) == 2]
    if len(computed) == 1 and all(c in given for c in cores if c is not computed[0]):
        yield computed[0]
