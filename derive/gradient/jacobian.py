"""Jacobians from vector-Jacobian products: a linear expression's matrix."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.rules.parts import chain_of, scalars_of
from derive.sizes import ONE, SCALAR, Dims, Size


def coefficient_of(expression: Node, probe: Node, dims: Dims) -> Node | None:
    """The matrix A with expression = A g for the column (or row) g = `probe`; None if it is not found."""
    return _of_column(expression, probe, dims[0] * dims[1])


def _uses(node: Node, probe: Node) -> bool:
    return any(part is probe for part in walk(node))


def _of_column(x: Node, g: Node, size: Size) -> Node | None:
    """A with x = A g, for a column x (a number counts as one)."""
    if x is g or (x.op == "transpose" and x.operands[0] is g):
        return b.eye(size)
    if not _uses(x, g):
        return b.zeros((x.dims[0], size)) if x.op == "zeros" else None
    if x.op == "add":
        parts = [_of_column(t, g, size) for t in x.operands]
        return None if any(p is None for p in parts) else b.add(*(p for p in parts if p is not None))
    if x.op == "hadamard":
        return _of_hadamard(x, g, size)
    if x.op == "product":
        return _of_product(x, g, size)
    if x.op == "total":
        return _of_total(x, g, size)
    if x.op in ("block", "concat"):
        parts = [_of_column(o, g, size) for o in x.operands]
        return None if any(p is None for p in parts) else b.make(x.op, tuple(p for p in parts if p is not None), x.data)
    if x.op == "entry":
        inner = _of_column(x.operands[0] if x.operands[0].dims[1] == ONE else b.transpose(x.operands[0]), g, size)
        position = x.operands[1] if x.operands[0].dims[1] == ONE else x.operands[2]
        return None if inner is None else b.row(inner, position)
    if x.op == "sum":
        inner = _of_column(x.operands[0], g, size)
        return None if inner is None else b.make("sum", (inner, x.operands[1]), x.data)
    return None


def _of_hadamard(x: Node, g: Node, size: Size) -> Node | None:
    moving = [f for f in x.operands if _uses(f, g)]
    if len(moving) != 1:
        return None
    inner = _of_column(moving[0], g, size)
    fixed = b.hadamard(*(f for f in x.operands if f is not moving[0]))
    return None if inner is None else b.product(b.diag(fixed), inner)


def _of_total(x: Node, g: Node, size: Size) -> Node | None:
    body = x.operands[0]
    inner = _of_column(body if body.dims[1] == ONE else b.transpose(body), g, size)
    return None if inner is None else b.product(b.ones((ONE, inner.dims[0])), inner)


def _of_product(x: Node, g: Node, size: Size) -> Node | None:
    scalars, chain = scalars_of(x), chain_of(x)
    moving = [f for f in (*scalars, *chain) if _uses(f, g)]
    if len(moving) != 1:
        return None
    factor = moving[0]
    others = [s for s in scalars if s is not factor]
    if factor.dims == SCALAR:
        inner = _of_column(factor, g, size)
        return None if inner is None else b.product(*others, *chain, inner)
    at = chain.index(factor)
    if at == len(chain) - 1:
        inner = _of_column(factor, g, size) if factor.dims[1] == ONE else None
        return None if inner is None else b.product(*others, *chain[:at], inner)
    if at == 0 and factor.dims[0] == ONE and x.dims == SCALAR:
        inner = _of_column(b.transpose(factor), g, size)
        rest = b.product(*chain[1:])
        return None if inner is None else b.product(*others, b.transpose(rest), inner)
    return None
