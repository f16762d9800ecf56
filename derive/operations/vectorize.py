"""The columns of a matrix under each other, and back."""

from __future__ import annotations

from typing import Any

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.operations.registry import define
from derive.sizes import ONE, SCALAR, Dims, Size


def vec(x: Node) -> Node:
    """The columns of a matrix under each other."""
    if x.dims[1] == ONE:
        return x
    return b.transpose(x) if x.dims[0] == ONE else b.make("vec", (x,))


def unvec(x: Node, dims: Dims) -> Node:
    """The matrix of given dimensions whose columns stand under each other in x."""
    if ONE in dims:
        return x if dims[1] == ONE else b.transpose(x)
    if x.op == "vec":
        return x.operands[0]
    if x.op == "add":
        return b.add(*(unvec(term, dims) for term in x.operands))
    scalars = [part for part in x.operands if part.dims == SCALAR] if x.op == "product" else []
    if scalars:
        return b.product(*scalars, unvec(b.product(*(part for part in x.operands if part.dims != SCALAR)), dims))
    return b.make("unvec", (x,), dims)


def _columns(f: Any, x: Any) -> Any:
    return f.concat([f.block(x, 1, j, j + 1) for j in range(f.dims(x)[1])], 0)


def _folded(w: Any, node: Node) -> Any:
    rows, columns = w.dims(node.dims)
    value = w.value(node.operands[0])
    return w.f.concat([w.f.block(value, 0, j * rows, (j + 1) * rows) for j in range(columns)], 1)


def _dims(data: Any, x: Dims) -> Dims:
    return x[0] * x[1], ONE


def _example() -> Node:
    return b.symbol("A", (Size.of("n"), Size.of("m")))


define(
    "vec",
    "the columns of a matrix under each other",
    dims=_dims,
    evaluate=lambda f, data, x: _columns(f, x),
    vjp=lambda g, out, x: (unvec(g, x.dims),),
    latex=lambda p, n: p.application(r"\operatorname{vec}", n.operands[0]),
    numpy=lambda p, n: f"{p(n.operands[0], 100)}.T.ravel()",
    level=60,
    words="vec passes each entry of the gradient on to its own place",
    example=lambda: vec(_example()),
)
define(
    "unvec",
    "the matrix whose columns stand under each other",
    dims=lambda data, x: (data[0], data[1]),
    within=_folded,
    vjp=lambda g, out, x: (vec(g),),
    latex=lambda p, n: p.application(r"\operatorname{vec}^{-1}", n.operands[0]),
    numpy=lambda p, n: f"{p(n.operands[0], 100)}.reshape({p.shape((n.dims[1], n.dims[0]))}).T",
    level=60,
    needs_data=True,
    words="the way back from vec passes each entry on to its own place",
    example=lambda: unvec(b.symbol("x", _dims(None, _example().dims)), _example().dims),
)
