"""From entries back to matrices: Σ_k A_ik x_k is entry i of A x, u_i v_j entry (i, j) of u vᵀ."""

from __future__ import annotations

from dataclasses import dataclass

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices
from derive.operations.registry import record
from derive.sizes import ONE, SCALAR, Dims, Range, Size


class CannotAssembleError(Exception):
    """No matrix has these entries, as far as this is known here."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The letters of the rows and columns, None where there is only one, and their numbers."""

    row: str | None
    column: str | None
    dims: Dims

    def of(self, node: Node) -> tuple[bool, bool]:
        """Whether an expression depends on the row and on the column."""
        free = free_indices(node)
        return self.row in free, self.column in free

    def only(self, row: bool, column: bool) -> Axes:
        """The axes without one of them."""
        dims = (self.dims[0] if row else ONE, self.dims[1] if column else ONE)
        return Axes(self.row if row else None, self.column if column else None, dims)


def assemble(entry: Node, row: Node, column: Node, dims: Dims) -> Node | None:
    """The matrix whose entry (row, column) is a given number; None if it is not found."""
    axes = Axes(_letter(row), _letter(column), dims)
    try:
        return _matrix(entry, axes)
    except CannotAssembleError:
        return None


def _letter(node: Node) -> str | None:
    return str(node.data[0]) if node.op == "index" else None


def _matrix(e: Node, axes: Axes) -> Node:
    rows, columns = axes.of(e)
    if (rows, columns) != (axes.row is not None, axes.column is not None):
        return b.broadcast(_matrix(e, axes.only(rows, columns)), axes.dims)
    if e.op == "add":
        return b.add(*(_matrix(t, axes) for t in e.operands))
    if e.op == "product":
        return _product(e.operands, axes)
    if e.op == "sum":
        return _sum(e, axes)
    if not rows and not columns and "sum" not in {o.op for o in e.operands}:
        return e
    if e.op == "entry":
        return _entry(e, axes)
    if e.op == "index_equal":
        return _delta(e, axes)
    if record(e.op).elementwise:
        return b.rebuild(e, tuple(_matrix(o, axes) for o in e.operands))
    raise CannotAssembleError(e.op)


def _entry(e: Node, axes: Axes) -> Node:
    x, i, j = e.operands
    where = (_letter(i), _letter(j))
    if {axes.row, axes.column} & free_indices(x):
        raise CannotAssembleError("a member of a family that varies")
    if where[0] is not None and where[0] == where[1]:
        return b.diag(x) if axes.column is None else b.transpose(b.diag(x))
    if (where[0] is not None and where[0] == axes.column) or (where[1] is not None and where[1] == axes.row):
        x, i, j = b.transpose(x), j, i
        where = where[::-1]
    for letter, mine in zip(where, (axes.row, axes.column), strict=True):
        if mine is not None and mine != letter:
            raise CannotAssembleError("an index inside another")
    if axes.row is not None and axes.column is not None:
        return _fits(x, axes)
    return _fits(b.column(x, j) if axes.row is not None else b.row(x, i), axes)


def _fits(x: Node, axes: Axes) -> Node:
    if x.dims != axes.dims:
        raise CannotAssembleError("the sizes differ")
    return x


def _delta(e: Node, axes: Axes) -> Node:
    letters = {_letter(o) for o in e.operands}
    if axes.row is not None and axes.column is not None:
        if letters != {axes.row, axes.column} or axes.dims[0] != axes.dims[1]:
            raise CannotAssembleError("an index inside another")
        return b.eye(axes.dims[0])
    mine = axes.row or axes.column
    other = next((o for o in e.operands if mine not in free_indices(o)), None)
    if other is None or mine not in letters:
        raise CannotAssembleError("an index inside another")
    size = axes.dims[0] if axes.row is not None else axes.dims[1]
    unit = b.onehot(other, size)
    return unit if axes.row is not None else b.transpose(unit)


def _product(factors: tuple[Node, ...], axes: Axes) -> Node:
    """u_i v_j M_ij is entry (i, j) of diag(u) M diag(v), or of u vᵀ where there is no M."""
    plain, left, right, both = _sorted(factors, axes)
    front = b.product(*(_matrix(f, axes.only(False, False)) for f in plain))
    u = b.hadamard(*(_matrix(f, axes.only(True, False)) for f in left)) if left else None
    v = b.hadamard(*(_matrix(f, axes.only(False, True)) for f in right)) if right else None
    if not both:
        return b.product(front, *(part for part in (u, v) if part is not None))
    middle = b.hadamard(*(_matrix(f, axes) for f in both))
    parts = [b.diag(u)] if u is not None else []
    return b.product(front, *parts, middle, *([b.diag(v)] if v is not None else []))


def _sorted(factors: tuple[Node, ...], axes: Axes) -> tuple[list[Node], list[Node], list[Node], list[Node]]:
    """The factors that depend on neither letter, on the row, on the column, on both."""
    out: dict[tuple[bool, bool], list[Node]] = {(p, q): [] for p in (False, True) for q in (False, True)}
    for factor in factors:
        out[axes.of(factor)].append(factor)
    if axes.row is None or axes.column is None:
        whole = (axes.row is not None, axes.column is not None)
        empty: list[Node] = []
        varying = out[whole]
        return out[False, False], varying if axes.row else empty, varying if axes.column else empty, empty
    return out[False, False], out[True, False], out[False, True], out[True, True]


def _sum(e: Node, axes: Axes) -> Node:
    """Σ_k A_ik d_k B_kj is entry (i, j) of A diag(d) B; what has no such form stays a sum of matrices."""
    letter, over = str(e.data[0]), e.data[1]
    body, condition = e.operands
    if body.op == "add":
        return b.add(*(_matrix(b.make("sum", (t, condition), e.data), axes) for t in body.operands))
    if condition.op == "number" and over.lo == ONE and not over.excluded:
        try:
            return _contracted(body, letter, over, axes)
        except CannotAssembleError:
            pass
    if letter in (axes.row, axes.column):
        raise CannotAssembleError("a letter used twice")
    if {axes.row, axes.column} & free_indices(condition):
        raise CannotAssembleError("a condition on what varies")
    return b.make("sum", (_matrix(body, axes), condition), e.data)


def _contracted(body: Node, letter: str, over: Range, axes: Axes) -> Node:
    factors = body.operands if body.op == "product" else (body,)
    outside = [f for f in factors if letter not in free_indices(f)]
    groups: dict[tuple[bool, bool], list[Node]] = {}
    for factor in factors:
        if factor not in outside:
            groups.setdefault(axes.of(factor), []).append(factor)
    if (True, True) in groups:
        raise CannotAssembleError("three indices in one factor")
    size = over.hi
    left = _side(groups.get((True, False), []), axes.row, letter, (axes.dims[0], size))
    right = _side(groups.get((False, True), []), letter, axes.column, (size, axes.dims[1]))
    weights = groups.get((False, False), [])
    middle = _side(weights, letter, None, (size, ONE))
    inner = axes.only((True, False) in groups, (False, True) in groups)
    whole = _joined(left, middle, right, size)
    if not outside:
        return b.broadcast(whole, axes.dims) if whole.dims != inner.dims else whole
    return _beside(whole, outside, inner, axes)


def _side(factors: list[Node], row: str | None, column: str | None, dims: tuple[Size, Size]) -> Node | None:
    axes = Axes(row, column, dims)
    return b.hadamard(*(_matrix(f, axes) for f in factors)) if factors else None


def _joined(left: Node | None, middle: Node | None, right: Node | None, size: Size) -> Node:
    if left is not None and right is not None:
        return b.product(left, right) if middle is None else b.product(left, b.diag(middle), right)
    ones = b.ones((size, ONE)) if middle is None else middle
    if left is not None:
        return b.product(left, ones)
    if right is not None:
        return b.product(b.transpose(ones), right)
    return b.total(ones)


def _beside(whole: Node, outside: list[Node], inner: Axes, axes: Axes) -> Node:
    """A contraction times factors that do not depend on its letter."""
    if inner.dims == SCALAR:
        return b.product(whole, _matrix(b.product(*outside), axes))
    rest = _matrix(b.product(*outside), axes)
    return b.hadamard(b.broadcast(whole, axes.dims), rest)
