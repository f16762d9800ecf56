"""Leaves, indices, families, sums over an index, blocks: what needs to know where it stands."""

from __future__ import annotations

from typing import Any

from derive.errors import ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.operations.registry import define
from derive.sizes import ONE, SCALAR, Dims, Range, Size, describe


def _given(data: Any, *dims: Dims) -> Dims:
    return data[0]  # type: ignore[no-any-return]


def _second(data: Any, *dims: Dims) -> Dims:
    return data[1]  # type: ignore[no-any-return]


def _scalar(data: Any, *dims: Dims) -> Dims:
    return SCALAR


define("number", "an exact number", dims=_scalar, within=lambda w, n: w.f.const(n.data[0]),
       entry=lambda w, n, i, j: n,
       latex=lambda p, n: p.number(n.data[0]), numpy=lambda p, n: p.number(n.data[0]))  # fmt: skip
define("constant", "π or e", dims=_scalar, within=lambda w, n: w.constant(n.data[0]),
       entry=lambda w, n, i, j: n,
       latex=lambda p, n: {"pi": r"\pi", "e": "e"}[n.data[0]],
       numpy=lambda p, n: {"pi": "np.pi", "e": "np.e"}[n.data[0]])  # fmt: skip
define("size", "a size used as a number", dims=_scalar, within=lambda w, n: w.f.const(w.size(n.data[0])),
       entry=lambda w, n, i, j: n,
       latex=lambda p, n: str(n.data[0]), numpy=lambda p, n: p.size(n.data[0]))  # fmt: skip
define("symbol", "a named quantity", dims=_second, within=lambda w, n: w.leaf(n),
       entry=lambda w, n, i, j: b.entry(n, i, j),
       latex=lambda p, n: p.name(n.data[0]), numpy=lambda p, n: p.leaf(n))  # fmt: skip
define("family", "a family of quantities", dims=_second, within=lambda w, n: w.leaf(n),
       latex=lambda p, n: p.name(n.data[0]), numpy=lambda p, n: p.leaf(n))  # fmt: skip
define("index", "an index", dims=_scalar, within=lambda w, n: w.index_as_number(n),
       entry=lambda w, n, i, j: n,
       latex=lambda p, n: p.name(n.data[0]), numpy=lambda p, n: p.index(n))  # fmt: skip
define("index_family", "a family of fixed indices", dims=_scalar, within=lambda w, n: w.index_as_number(n),
       latex=lambda p, n: p.name(n.data[0]), numpy=lambda p, n: p.leaf(n))  # fmt: skip
define("ones", "a matrix of ones", dims=_given, within=lambda w, n: w.f.full(w.dims(n.dims), 1),
       entry=lambda w, n, i, j: b.number(1),
       latex=lambda p, n: p.ones(n), numpy=lambda p, n: p.full(n, "np.ones"))  # fmt: skip
define("zeros", "a matrix of zeros", dims=_given, within=lambda w, n: w.f.full(w.dims(n.dims), 0),
       entry=lambda w, n, i, j: b.number(0),
       latex=lambda p, n: "0", numpy=lambda p, n: p.full(n, "np.zeros"))  # fmt: skip
define("eye", "the identity matrix", dims=lambda data: (data[0], data[0]),
       within=lambda w, n: w.f.eye(w.size(n.data[0])),
       entry=lambda w, n, i, j: w.delta(i, j),
       latex=lambda p, n: "I", numpy=lambda p, n: f"np.eye({p.size(n.data[0])}, dtype={p.dtype})")  # fmt: skip
define("onehot", "a unit column", dims=lambda data, i: (data[0], ONE),
       within=lambda w, n: w.onehot(n.operands[0], w.size(n.data[0])),
       entry=lambda w, n, i, j: w.delta(i, n.operands[0]),
       latex=lambda p, n: rf"\mathbf{{e}}_{{{p(n.operands[0])}}}", numpy=lambda p, n: p.onehot(n),
       vjp=lambda g, out, i: (None,))  # fmt: skip
define("index_equal", "1 where two indices are equal", dims=_scalar, within=lambda w, n: w.compare(n, "equal"),
       entry=lambda w, n, i, j: n,
       latex=lambda p, n: p.indicator(n), numpy=lambda p, n: p.compare(n, "=="),
       vjp=lambda g, out, i, j: (None, None))  # fmt: skip
define("index_less", "1 where an index is smaller", dims=_scalar, within=lambda w, n: w.compare(n, "less"),
       entry=lambda w, n, i, j: n,
       latex=lambda p, n: p.indicator(n), numpy=lambda p, n: p.compare(n, "<"),
       vjp=lambda g, out, i, j: (None, None))  # fmt: skip


# ------------------------------------------------------------------------------------- parts of a matrix


def _matrix() -> Node:
    return b.symbol("A", (Size.of("n"), Size.of("m")))


def _i() -> Node:
    return b.index("i", Range(ONE, Size.of("n")))


def _j() -> Node:
    return b.index("j", Range(ONE, Size.of("m")))


def unit(position: Node, length: Size) -> Node:
    """The unit column; nothing to choose where the length is 1."""
    return b.number(1) if length == ONE else b.onehot(position, length)


def _entry_vjp(g: Node, out: Node, x: Node, i: Node, j: Node) -> tuple[Node | None, ...]:
    rows, columns = x.dims
    return b.product(g, unit(i, rows), b.transpose(unit(j, columns))), None, None


define(
    "entry",
    "an entry of a matrix",
    dims=lambda data, *dims: SCALAR,
    within=lambda w, n: w.part(n.operands[0], n.operands[1], n.operands[2]),
    vjp=_entry_vjp,
    entry=lambda w, n, i, j: w(*n.operands),
    latex=lambda p, n: p.entry(n),
    numpy=lambda p, n: p.entry(n),
    level=90,
    words="an entry passes the gradient on to its own place",
    example=lambda: b.entry(_matrix(), _i(), _j()),
)
define(
    "row",
    "a row of a matrix",
    dims=lambda data, x, i: (ONE, x[1]),
    within=lambda w, n: w.part(n.operands[0], n.operands[1], None),
    vjp=lambda g, out, x, i: (b.product(unit(i, x.dims[0]), g), None),
    entry=lambda w, n, i, j: w(n.operands[0], n.operands[1], j),
    latex=lambda p, n: p.line(n),
    numpy=lambda p, n: p.line(n),
    level=90,
    words="a row passes the gradient on to its own place",
    example=lambda: b.row(_matrix(), _i()),
)
define(
    "column",
    "a column of a matrix",
    dims=lambda data, x, j: (x[0], ONE),
    within=lambda w, n: w.part(n.operands[0], None, n.operands[1]),
    vjp=lambda g, out, x, j: (b.product(g, b.transpose(unit(j, x.dims[1]))), None),
    entry=lambda w, n, i, j: w(n.operands[0], i, n.operands[1]),
    latex=lambda p, n: p.line(n),
    numpy=lambda p, n: p.line(n),
    level=90,
    words="a column passes the gradient on to its own place",
    example=lambda: b.column(_matrix(), _j()),
)
define(
    "member",
    "a member of a family",
    dims=lambda data, family, i: family,
    within=lambda w, n: w.member(n),
    entry=lambda w, n, i, j: b.entry(n, i, j),
    latex=lambda p, n: p.member(n),
    numpy=lambda p, n: p.member(n),
    level=100,
    words="a member of a family",
)


def _sum_vjp(g: Node, out: Node, body: Node, condition: Node) -> tuple[Node | None, ...]:
    return b.product(g, condition) if condition != b.number(1) else g, None


define(
    "sum",
    "the sum over an index",
    dims=lambda data, body, condition: body,
    within=lambda w, n: w.sum(n),
    vjp=_sum_vjp,
    entry=lambda w, n, i, j: w.bound(n, i, j),
    latex=lambda p, n: p.big_sum(n),
    numpy=lambda p, n: p.big_sum(n),
    level=25,
    role="Σ copies",
    words="a sum passes the gradient on to each of its terms",
    example=lambda: b.sum_over(
        b.apply("exp", b.entry(_matrix(), b.index("i", None), b.number(1))),
        "i",
        Range(ONE, Size.of("n")),
    ),
)


# ------------------------------------------------------------------------------------------------- blocks


def _concat_dims(data: Any, *dims: Dims) -> Dims:
    axis = data[0]
    across = {d[1 - axis] for d in dims}
    if len(across) > 1:
        raise ShapeError(f"blocks that do not line up: {', '.join(describe(d) for d in dims)}")
    whole = dims[0][axis]
    for d in dims[1:]:
        whole = whole + d[axis]
    return (whole, dims[0][1]) if axis == 0 else (dims[0][0], whole)


def _concat_vjp(g: Node, out: Node, *parts: Node) -> tuple[Node | None, ...]:
    axis, start = int(out.data[0]), Size.of(0)
    cotangents: list[Node | None] = []
    for part in parts:
        end = start + part.dims[axis]
        cotangents.append(block(g, axis, start, end))
        start = end
    return tuple(cotangents)


def block(x: Node, axis: int, start: Size, end: Size) -> Node:
    """Rows (axis 0) or columns (axis 1) start+1 … end of a matrix."""
    if start == Size.of(0) and end == x.dims[axis]:
        return x
    if x.op in ("ones", "zeros"):
        dims = (end - start, x.dims[1]) if axis == 0 else (x.dims[0], end - start)
        return b.ones(dims) if x.op == "ones" else b.zeros(dims)
    return b.make("block", (x,), (axis, start, end))


define(
    "concat",
    "blocks under each other (axis 0) or beside each other (axis 1)",
    dims=_concat_dims,
    within=lambda w, n: w.f.concat([w.value(o) for o in n.operands], n.data[0]),
    vjp=_concat_vjp,
    latex=lambda p, n: p.concat(n),
    numpy=lambda p, n: p.concat(n),
    words="each block receives its own part of the gradient",
    needs_data=True,
    example=lambda: b.make("concat", (b.symbol("x", (Size.of("n"), ONE)), b.symbol("y", (Size.of("m"), ONE))), (0,)),
)


def _block_dims(data: Any, x: Dims) -> Dims:
    axis, start, end = data
    return (end - start, x[1]) if axis == 0 else (x[0], end - start)


def _block_vjp(g: Node, out: Node, x: Node) -> tuple[Node | None, ...]:
    axis, start, end = out.data
    parts = list[Node]()
    for low, high in ((Size.of(0), start), (None, None), (end, x.dims[axis])):
        if low is None:
            parts.append(g)
        elif low != high:
            dims = (high - low, x.dims[1]) if axis == 0 else (x.dims[0], high - low)  # type: ignore[operator]
            parts.append(b.zeros(dims))
    return (b.make("concat", tuple(parts), (axis,)) if len(parts) > 1 else g,)


define(
    "block",
    "rows or columns start+1 … end of a matrix",
    dims=_block_dims,
    within=lambda w, n: w.block(n),
    entry=lambda w, n, i, j: b.entry(n, i, j),
    vjp=_block_vjp,
    latex=lambda p, n: p.block(n),
    numpy=lambda p, n: p.block(n),
    level=90,
    words="a block passes the gradient on to its own place",
    needs_data=True,
    example=lambda: block(
        b.symbol("x", (Size.of("n") + Size.of("m"), ONE)), 0, Size.of("n"), Size.of("n") + Size.of("m")
    ),
)
