"""Sums, products and transposes of matrices."""

from __future__ import annotations

from functools import reduce
from typing import Any

from derive.errors import ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.operations.registry import define, same_dims
from derive.sizes import ONE, SCALAR, Dims, Size

LEVEL_ADD, LEVEL_PRODUCT, LEVEL_HADAMARD, LEVEL_TRANSPOSE = 10, 30, 20, 80


def _names(*shapes: tuple[str, str | int, str | int]) -> list[Node]:
    return [b.symbol(name, (Size.of(r), Size.of(c))) for name, r, c in shapes]


def _add_vjp(g: Node, out: Node, *terms: Node) -> tuple[Node | None, ...]:
    return tuple(g if t.dims == g.dims else b.total(g) for t in terms)


define(
    "add",
    "A + B",
    dims=same_dims,
    evaluate=lambda f, data, *values: reduce(f.add, values),
    vjp=_add_vjp,
    latex=lambda p, n: p.sum_of_terms(n),
    numpy=lambda p, n: p.sum_of_terms(n),
    level=LEVEL_ADD,
    role="+ distributes",
    words="a sum copies the gradient to each term",
    elementwise=True,
    example=lambda: b.add(*_names(("A", "n", "m"), ("B", "n", "m"))),
)


def _product_dims(data: Any, *dims: Dims) -> Dims:
    chain = [d for d in dims if d != SCALAR]
    return (chain[0][0], chain[-1][1]) if chain else SCALAR


def _product_vjp(g: Node, out: Node, *factors: Node) -> tuple[Node | None, ...]:
    cotangents: list[Node | None] = []
    quotient = out.op in ("symbol", "member") and any(f.op == "exp" for f in factors) and out.dims == SCALAR
    for k, factor in enumerate(factors):
        if quotient and factor.dims == SCALAR:
            cotangents.append(b.product(g, out, b.power(factor, -1)))
            continue
        others = factors[:k] + factors[k + 1 :]
        if factor.dims == SCALAR:
            cotangents.append(_scalar_cotangent(g, others))
            continue
        scalars = [o for o in others if o.dims == SCALAR]
        before = [b.transpose(o) for o in reversed(factors[:k]) if o.dims != SCALAR]
        after = [b.transpose(o) for o in reversed(factors[k + 1 :]) if o.dims != SCALAR]
        cotangents.append(b.product(*scalars, *before, g, *after))
    return tuple(cotangents)


def _product_entry(w: Any, node: Node, i: Node, j: Node) -> Node:
    chain = tuple(f for f in node.operands if f.dims != SCALAR)
    scalars = [w.number(f) for f in node.operands if f.dims == SCALAR]
    return b.product(*scalars, w.chain(chain, i, j)) if chain else b.product(*scalars)


def _scalar_cotangent(g: Node, others: tuple[Node, ...]) -> Node:
    rest = b.product(*others)
    return b.product(g, rest) if g.dims == SCALAR else b.inner(rest, g)


define(
    "product",
    "the matrix product A B; numbers scale",
    dims=_product_dims,
    evaluate=lambda f, data, *values: reduce(f.times, values),
    vjp=_product_vjp,
    entry=_product_entry,
    latex=lambda p, n: p.product(n),
    numpy=lambda p, n: p.product(n),
    level=LEVEL_PRODUCT,
    role="× switches",
    words="a product passes the gradient on times the other factors, transposed",
    example=lambda: b.product(*_names(("s", 1, 1), ("A", "n", "m"), ("B", "m", "k"))),
)


def _hadamard_vjp(g: Node, out: Node, *factors: Node) -> tuple[Node | None, ...]:
    return tuple(b.hadamard(g, *factors[:k], *factors[k + 1 :]) for k in range(len(factors)))


define(
    "hadamard",
    "A ∘ B, entry by entry",
    dims=same_dims,
    evaluate=lambda f, data, *values: reduce(f.mul, values),
    vjp=_hadamard_vjp,
    entry=lambda w, n, i, j: b.product(*(w(o, i, j) for o in n.operands)),
    latex=lambda p, n: p.hadamard(n),
    numpy=lambda p, n: p.hadamard(n),
    level=LEVEL_HADAMARD,
    role="∘ switches",
    words="∘ switches: each factor receives the gradient times the other one",
    elementwise=True,
    example=lambda: b.hadamard(*_names(("A", "n", "m"), ("B", "n", "m"))),
)

define(
    "transpose",
    "Aᵀ",
    dims=lambda data, x: (x[1], x[0]),
    evaluate=lambda f, data, x: f.transpose(x),
    vjp=lambda g, out, x: (b.transpose(g),),
    entry=lambda w, n, i, j: w(n.operands[0], j, i),
    latex=lambda p, n: p.transpose(n),
    numpy=lambda p, n: p.transpose(n),
    level=LEVEL_TRANSPOSE,
    words="the gradient of a transpose is transposed",
    example=lambda: b.transpose(_names(("A", "n", "m"))[0]),
)


def _square(data: Any, x: Dims) -> Dims:
    if x[0] != x[1]:
        raise ShapeError(f"this needs a square matrix, not {x[0]} × {x[1]}")
    return x


def _number_of_square(data: Any, x: Dims) -> Dims:
    _square(data, x)
    return SCALAR


def _square_example() -> Node:
    return _names(("A", "n", "n"))[0]


define(
    "trace",
    "the sum of the diagonal",
    dims=_number_of_square,
    evaluate=lambda f, data, x: f.total(f.diagonal(x)),
    vjp=lambda g, out, x: (b.product(g, b.eye(x.dims[0])),),
    entry=lambda w, n, i, j: w.sum(n.operands[0].dims[0], lambda v, k: v(n.operands[0], k, k)),
    latex=lambda p, n: p.application(r"\operatorname{tr}", n.operands[0]),
    numpy=lambda p, n: f"np.trace({p(n.operands[0])})",
    level=60,
    words="the gradient of the trace is the identity",
    example=lambda: b.make("trace", (_square_example(),)),
)


def _inverse_vjp(g: Node, out: Node, x: Node) -> tuple[Node | None, ...]:
    turned = b.transpose(out)
    return (b.negate(b.product(turned, g, turned)),)


define(
    "inverse",
    "the inverse matrix",
    dims=_square,
    evaluate=lambda f, data, x: f.inverse(x),
    vjp=_inverse_vjp,
    entry=lambda w, n, i, j: b.entry(n, i, j),
    latex=lambda p, n: rf"{p(n.operands[0], 90)}^{{-1}}",
    numpy=lambda p, n: f"np.linalg.inv({p(n.operands[0])})",
    level=50,
    words="d(A⁻¹) = −A⁻¹ dA A⁻¹",
    example=lambda: b.make("inverse", (_square_example(),)),
)
define(
    "det",
    "the determinant",
    dims=_number_of_square,
    evaluate=lambda f, data, x: f.det(x),
    vjp=lambda g, out, x: (b.product(g, out, b.transpose(b.make("inverse", (x,)))),),
    entry=lambda w, n, i, j: n,
    latex=lambda p, n: p.application(r"\det", n.operands[0]),
    numpy=lambda p, n: f"np.linalg.det({p(n.operands[0])})",
    level=60,
    words="Jacobi's formula",
    example=lambda: b.make("det", (_square_example(),)),
)


def matrix_power(x: Node, k: int) -> Node:
    """X multiplied by itself, or the inverse so."""
    if k < 0:
        return matrix_power(b.make("inverse", (x,)), -k)
    return b.product(*[x] * k) if k else b.eye(x.dims[0])


def diag_dims(data: Any, x: Dims) -> Dims:
    """A column becomes a square matrix."""
    return (x[0], x[0])


define(
    "diag",
    "the diagonal matrix of a column",
    dims=diag_dims,
    evaluate=lambda f, data, x: f.diag(x),
    vjp=lambda g, out, x: (b.diag(g),),
    entry=lambda w, n, i, j: b.product(w.delta(i, j), w(n.operands[0], i, b.number(1))),
    latex=lambda p, n: p.application(r"\operatorname{diag}", n.operands[0]),
    numpy=lambda p, n: f"np.diag({p(n.operands[0])})",
    level=60,
    words="diag passes the diagonal of the gradient on",
    example=lambda: b.diag(_names(("x", "n", 1))[0]),
)
define(
    "diagonal",
    "the column of the diagonal of a matrix",
    dims=lambda data, x: (_square(data, x)[0], ONE),
    evaluate=lambda f, data, x: f.diagonal(x),
    vjp=lambda g, out, x: (b.diag(g),),
    entry=lambda w, n, i, j: w(n.operands[0], i, i),
    latex=lambda p, n: p.application(r"\operatorname{diag}", n.operands[0]),
    numpy=lambda p, n: f"np.diag({p(n.operands[0])})",
    level=60,
    words="the diagonal receives the gradient",
    example=lambda: b.diag(_square_example()),
)
