"""Laws of inverse matrices."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.expressions.order import same
from derive.rules.driver import rule
from derive.rules.examples import N, matrix
from derive.rules.parts import chain_of


def _square(name: str, *properties: str) -> Node:
    return b.symbol(name, (N, N), properties)


@rule("transpose", example=lambda: (
    b.transpose(b.make("inverse", (_square("S", "symmetric"),))), b.make("inverse", (_square("S", "symmetric"),))
))  # fmt: skip
def inverse_of_symmetric(e: Node) -> Node | None:
    r"""(S^{-1})^\top = S^{-1} for a symmetric S, X^\top X among them"""
    inside = e.operands[0]
    if inside.op != "inverse":
        return None
    whole = inside.operands[0]
    return inside if same(b.transpose(whole), whole) else None


def _inverted(node: Node) -> list[Node]:
    """The factors of Y where a node is the inverse of Y, or the transposed inverse of its transpose."""
    if node.op == "inverse":
        return chain_of(node.operands[0])
    inside = node.operands[0] if node.op == "transpose" else node
    return chain_of(b.transpose(inside.operands[0])) if inside.op == "inverse" else []


def _inverse(chain: list[Node], like: Node) -> Node:
    if not chain:
        return b.eye(like.dims[0])
    if like.op == "transpose":
        return b.transpose(b.make("inverse", (b.transpose(b.product(*chain)),)))
    return b.make("inverse", (b.product(*chain),))


@rule("product", example=lambda: (
    b.product(b.make("inverse", (b.product(_square("A"), _square("B")),)), _square("A"), matrix("C")),
    b.product(b.make("inverse", (_square("B"),)), matrix("C")),
))  # fmt: skip
def inverse_cancels(e: Node) -> Node | None:
    r"""(A B)^{-1} A = B^{-1}, B (A B)^{-1} = A^{-1} and A^{-1} A = I for square A and B"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        for inverse, factor, end in ((left, right, 0), (right, left, -1)):
            chain, wanted = _inverted(inverse), chain_of(factor)
            if not chain or len(wanted) != 1 or factor.dims[0] != factor.dims[1] or chain[end] != wanted[0]:
                continue
            rest = _inverse(chain[1:] if end == 0 else chain[:-1], inverse)
            return b.product(*e.operands[:k], rest, *e.operands[k + 2 :])
    return None
