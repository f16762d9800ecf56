"""Laws of sums over an index beside other sums and products."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.expressions.order import renamed, same
from derive.rules.algebra import common_factor
from derive.rules.driver import rule
from derive.rules.examples import N, column, entry_of_x, index_k, matrix, vectors, weight
from derive.rules.parts import chain_of, mentions, scalars_of
from derive.sizes import ONE, SCALAR, Range, Size


@rule("product", example=lambda: (
    b.product(
        b.power(b.sum_over(entry_of_x(), "k", Range(ONE, N)), -1),
        b.sum_over(b.entry(b.symbol("x", (N, ONE)), b.index("j", None), b.number(1)), "j", Range(ONE, N)),
    ),
    b.number(1),
))  # fmt: skip
def sums_alike(e: Node) -> Node | None:
    r"""\sum_k x_k and \sum_j x_j are the same sum"""
    sums = [b.base_and_exponent(f)[0] for f in scalars_of(e)]
    sums = [f for f in sums if f.op == "sum"]
    for one in sums:
        for other in sums:
            if one is not other and same(one, other):
                parts = [
                    b.power(one, b.base_and_exponent(f)[1]) if b.base_and_exponent(f)[0] is other else f
                    for f in e.operands
                ]
                return b.product(*parts)
    return None


@rule("add", example=lambda: (
    b.subtract(
        b.sum_over(b.product(weight(), b.member(vectors(), index_k())), "k", Range(ONE, Size.of("K"))),
        b.sum_over(b.member(vectors(), b.index("j", None)), "j", Range(ONE, Size.of("K"))),
    ),
    b.sum_over(
        b.product(b.subtract(weight(), b.number(1)), b.member(vectors(), index_k())), "k", Range(ONE, Size.of("K"))
    ),
))  # fmt: skip
def sums_merged(e: Node) -> Node | None:
    r"""\sum_j p_j w_j - \sum_k y_k w_k = \sum_k (p_k - y_k) w_k"""
    split = [b.split_number(t) for t in e.operands]
    sums = [(k, v, rest) for k, (v, rest) in enumerate(split) if rest.op == "sum" and rest.operands[1].op == "number"]
    for at, (k, v, one) in enumerate(sums):
        for m, w, other in sums[at + 1 :]:
            if one.data[1] != other.data[1] or one.data[0] in free_indices(other):
                continue
            body = b.add(b.scale(v, one.operands[0]), b.scale(w, renamed(other, str(one.data[0])).operands[0]))
            joined = common_factor(body) if body.op == "add" else body
            if joined is not None:
                rest = [t for i, t in enumerate(e.operands) if i not in (k, m)]
                return b.add(b.make("sum", (joined, one.operands[1]), one.data), *rest)
    return None


@rule("sum", example=lambda: (
    b.sum_over(b.product(b.onehot(index_k(), N), b.row(matrix("A"), index_k())), "k", Range(ONE, N)),
    matrix("A"),
))  # fmt: skip
def lines_assembled(e: Node) -> Node | None:
    r"""\sum_k \mathbf{e}_k A_{k\cdot} = A, and \sum_k \mathbf{e}_k x^\top = \mathbf{1} x^\top"""
    body, condition = e.operands
    over = e.data[1]
    if condition.op != "number" or body.op != "product" or len(chain_of(body)) < 2 or scalars_of(body):
        return None
    left, right = chain_of(body)[0], b.product(*chain_of(body)[1:])
    name = str(e.data[0])
    if left.op == "onehot" and left.operands[0] == b.index(name, None) and not mentions(right, name):
        return b.product(b.ones(left.dims), right) if over == Range(ONE, left.dims[0]) else None
    for unit, line in ((left, right), (b.transpose(right), b.transpose(left))):
        if unit.op == "onehot" and line.op == "row" and unit.operands[0] == line.operands[1]:
            whole = line.operands[0]
            mine = unit.operands[0].op == "index" and unit.operands[0].data[0] == e.data[0]
            if mine and not mentions(whole, str(e.data[0])) and over == Range(ONE, whole.dims[0]):
                return whole if unit is left else b.transpose(whole)
    return None


@rule("hadamard", "product", example=lambda: (
    b.hadamard(b.symbol("x", (N, ONE)), b.sum_over(
        b.hadamard(b.member(vectors(), index_k()), b.power(column("x"), -1)), "k", Range(ONE, Size.of("K")))),
    b.sum_over(b.member(vectors(), index_k()), "k", Range(ONE, Size.of("K"))),
))  # fmt: skip
def cancel_inside_sum(e: Node) -> Node | None:
    r"""x \circ \sum_k (a_k \oslash x) = \sum_k a_k, and x^\top \sum_k (a_k \oslash x) = \sum_k \mathbf{1}^\top a_k"""
    for k, factor in enumerate(e.operands):
        if factor.op != "sum" or factor.dims == SCALAR:
            continue
        near = [f for f in (e.operands if e.op == "hadamard" else e.operands[max(k - 1, 0) : k]) if f is not factor]
        plain = {f.operands[0] if f.op == "transpose" else f for f in near if f.dims != SCALAR}
        if not plain or not (
            plain & _below(factor.operands[0]) or any(p.op == "onehot" for p in walk(factor.operands[0]))
        ):
            continue
        inner = factor if not mentions(b.add(*plain), str(factor.data[0])) else None
        if inner is None:
            continue
        moved = b.hadamard(*near, inner.operands[0]) if e.op == "hadamard" else b.product(*near, inner.operands[0])
        whole = b.make("sum", (moved, inner.operands[1]), inner.data)
        rest = [f for f in e.operands if f is not factor and f not in near]
        return whole if e.op == "hadamard" else b.product(*rest[: max(k - 1, 0)], whole, *rest[max(k - 1, 0) :])
    return None


def _below(node: Node) -> set[Node]:
    """What stands below the line in an elementwise product."""
    parts = [
        p
        for f in (node.operands if node.op == "product" else (node,))
        for p in (f.operands if f.op == "hadamard" else (f,))
    ]
    return {base for base, exponent in map(b.base_and_exponent, parts) if exponent < 0}
