"""Sums of entries, norms, softmax and what belongs to it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.operations.registry import define, same_dims
from derive.sizes import ONE, SCALAR, Dims, Size


def _column(name: str = "x") -> Node:
    return b.symbol(name, (Size.of("n"), ONE))


def _to_number(data: Any, x: Dims) -> Dims:
    return SCALAR


def _sum_of(w: Any, x: Node) -> Node:
    """Σ over all entries."""
    found: Node = w.sum(x.dims[0], lambda v, k: v.sum(x.dims[1], lambda u, m: u(x, k, m)))
    return found


define(
    "total",
    "the sum of all entries",
    dims=_to_number,
    evaluate=lambda f, data, x: f.total(x),
    vjp=lambda g, out, x: (b.product(g, b.ones(x.dims)),),
    entry=lambda w, n, i, j: _sum_of(w, n.operands[0]),
    latex=lambda p, n: p.total(n),
    numpy=lambda p, n: f"{p(n.operands[0], 100)}.sum()",
    level=30,
    role="Σ copies",
    words="a sum of entries copies the gradient to each entry",
    example=lambda: b.total(_column()),
)
define(
    "norm",
    "the Euclidean norm of a vector, the Frobenius norm of a matrix",
    dims=_to_number,
    evaluate=lambda f, data, x: f.sqrt(f.total(f.mul(x, x))),
    vjp=lambda g, out, x: (b.product(g, b.power(out, -1), x),),
    entry=lambda w, n, i, j: b.power(_sum_of(w, b.power(n.operands[0], 2)), Fraction(1, 2)),
    latex=lambda p, n: rf"\lVert {p(n.operands[0])} \rVert",
    numpy=lambda p, n: f"np.linalg.norm({p(n.operands[0])})",
    words="the gradient of the norm is the unit vector",
    kink="the norm has no derivative at 0",
    example=lambda: b.make("norm", (_column(),)),
)


def sum_along(x: Node) -> Node:
    """The sums that softmax normalises by: of the whole vector, or of each row of a matrix."""
    if ONE in x.dims:
        return b.product(b.total(x), b.ones(x.dims))
    columns = x.dims[1]
    return b.product(x, b.ones((columns, ONE)), b.ones((ONE, columns)))


def _normaliser(f: Any, x: Any, dims: tuple[int, int]) -> Any:
    if 1 in dims:
        return f.total(x)
    return f.sum_rows(x)


def _softmax_value(f: Any, data: Any, x: Any) -> Any:
    top = f.exp(f.shifted(x))
    return f.mul(top, f.inv(_normaliser(f, top, f.dims(x))))


def _normaliser_entry(w: Any, x: Node, i: Node) -> Node:
    """Σ of the exponentials that entry (i, j) of a softmax is divided by."""
    top = b.apply("exp", x)
    if ONE in x.dims:
        return _sum_of(w, top)
    found: Node = w.sum(x.dims[1], lambda v, k: v(top, i, k))
    return found


def _softmax_entry(w: Any, node: Node, i: Node, j: Node) -> Node:
    x = node.operands[0]
    return b.product(w(b.apply("exp", x), i, j), b.power(_normaliser_entry(w, x, i), -1))


def _log_softmax_entry(w: Any, node: Node, i: Node, j: Node) -> Node:
    x = node.operands[0]
    return b.subtract(w(x, i, j), b.apply("log", _normaliser_entry(w, x, i)))


def _softmax_vjp(g: Node, out: Node, x: Node) -> tuple[Node | None, ...]:
    g = _without_constants(g)
    inside = b.inner(out, g) if ONE in x.dims else sum_along(b.hadamard(out, g))
    return (b.subtract(b.hadamard(out, g), b.hadamard(out, inside)),)


def _without_constants(g: Node) -> Node:
    """A cotangent without its constant terms: (diag(p) − p pᵀ) 1 = 0, softmax does not change under a shift."""
    varying = [t for t in (g.operands if g.op == "add" else ()) if b.split_number(t)[1].op != "ones"]
    return b.add(*varying) if varying else g


define(
    "softmax",
    "softmax of a vector; of each row of a matrix",
    dims=same_dims,
    evaluate=_softmax_value,
    vjp=_softmax_vjp,
    entry=_softmax_entry,
    latex=lambda p, n: p.application(r"\operatorname{softmax}", n.operands[0]),
    numpy=lambda p, n: p.softmax(n),
    level=60,
    words="the Jacobian of the softmax is diag(p) − p pᵀ",
    example=lambda: b.apply("softmax", _column()),
)


def _log_softmax_value(f: Any, data: Any, x: Any) -> Any:
    moved = f.shifted(x)
    return f.add(moved, f.neg(f.log(_normaliser(f, f.exp(moved), f.dims(x)))))


def _log_softmax_vjp(g: Node, out: Node, x: Node) -> tuple[Node | None, ...]:
    return (b.subtract(g, b.hadamard(b.apply("softmax", x), sum_along(g))),)


define(
    "log_softmax",
    "the logarithm of the softmax",
    dims=same_dims,
    evaluate=_log_softmax_value,
    vjp=_log_softmax_vjp,
    entry=_log_softmax_entry,
    latex=lambda p, n: p.application(r"\log \operatorname{softmax}", n.operands[0]),
    numpy=lambda p, n: p.log_softmax(n),
    level=60,
    words="the Jacobian of the log-softmax is I − 1 pᵀ",
    example=lambda: b.apply("log_softmax", _column()),
)


def _log_sum_exp_value(f: Any, data: Any, x: Any) -> Any:
    return f.log(f.total(f.exp(x)))


define(
    "log_sum_exp",
    "log of the sum of the exponentials of all entries",
    dims=_to_number,
    evaluate=_log_sum_exp_value,
    vjp=lambda g, out, x: (b.product(g, b.apply("softmax", x)),),
    entry=lambda w, n, i, j: b.apply("log", _sum_of(w, b.apply("exp", n.operands[0]))),
    latex=lambda p, n: rf"\log \mathbf{{1}}^\top \exp({p(n.operands[0])})",
    numpy=lambda p, n: p.log_sum_exp(n),
    level=60,
    words="the gradient of log-sum-exp is the softmax",
    example=lambda: b.make("log_sum_exp", (_column(),)),
)
