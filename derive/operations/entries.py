"""The product and the largest of all entries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

from derive.errors import EvaluationError, ShapeError
from derive.expressions import build as b
from derive.operations.registry import define
from derive.sizes import ONE, SCALAR, Dims, Size, describe


def _to_number(data: Any, *dims: Dims) -> Dims:
    return SCALAR


def _counted(data: Any, x: Dims, counted: Dims) -> Dims:
    if x != counted:
        raise ShapeError(f"what counts among {describe(x)} cannot be told by {describe(counted)}")
    return x


def _number_of_counted(data: Any, x: Dims, counted: Dims) -> Dims:
    _counted(data, x, counted)
    return SCALAR


_COLUMN: Dims = (Size.of("n"), ONE)


def _entries(f: Any, x: Any) -> Iterator[Any]:
    """All entries, row by row."""
    rows, columns = f.dims(x)
    for i in range(rows):
        for j in range(columns):
            yield f.block(f.block(x, 0, i, i + 1), 1, j, j + 1)


define(
    "entries_product",
    "the product of all entries",
    dims=_to_number,
    evaluate=lambda f, data, x: reduce(f.mul, (f.const(1), *_entries(f, x))),
    vjp=lambda g, out, x: (b.product(g, out, b.power(x, -1)),),
    entry=lambda w, n, i, j: n,
    latex=lambda p, n: p.over_entries(r"\prod", n.operands[0]),
    numpy=lambda p, n: f"{p(n.operands[0], 100)}.prod()",
    level=25,
    words="the derivative of a product with respect to a factor is the product divided by it",
    example=lambda: b.make("entries_product", (b.symbol("x", _COLUMN, ("positive",)),)),
)


def _weights(f: Any, x: Any, counted: Any) -> list[Any]:
    """For each entry whether it is the largest of those that count, found by going through them in order.

    Sums of entries with these weights are differentiated over any field, which a comparison of values is not.
    """
    one = f.const(1)
    weights: list[Any] = []
    largest = any_yet = None
    for entry, counts in zip(_entries(f, x), _entries(f, counted), strict=True):
        if largest is None:
            largest, any_yet, weights = entry, counts, [counts]
            continue
        larger = f.positive(f.add(entry, f.neg(largest)))
        take = f.mul(counts, f.add(f.add(one, f.neg(any_yet)), f.mul(any_yet, larger)))
        left = f.add(one, f.neg(take))
        weights = [*(f.mul(w, left) for w in weights), take]
        largest = f.add(f.mul(take, entry), f.mul(left, largest))
        any_yet = f.add(any_yet, f.mul(f.add(one, f.neg(any_yet)), counts))
    return [f.otherwise_undefined(any_yet, w) for w in weights]


def _places(f: Any, x: Any, counted: Any) -> Any:
    rows, columns = f.dims(x)
    if not rows * columns:
        raise EvaluationError("the largest or smallest of no entries at all")
    weights = _weights(f, x, counted)
    return f.concat([f.concat(weights[i * columns : (i + 1) * columns], 1) for i in range(rows)], 0)


def _extremum(name: str, sign: int, tex: str) -> None:
    """The largest or smallest entry, and 1 at its place with 0 elsewhere."""

    def places(f: Any, x: Any, counted: Any) -> Any:
        return _places(f, x if sign > 0 else f.neg(x), counted)

    define(
        name,
        f"the {name} of the entries that a second operand of 0 and 1 counts",
        dims=_number_of_counted,
        evaluate=lambda f, data, x, counted: f.total(f.mul(places(f, x, counted), x)),
        vjp=lambda g, out, x, counted: (b.product(g, b.make(f"is_{name}", (x, counted))), None),
        entry=lambda w, n, i, j: n,
        latex=lambda p, n: p.over_entries(tex, *n.operands),
        numpy=lambda p, n: p.extremum(n, sign),
        level=25,
        role=f"{name} routes",
        words=f"the {name} entry receives the gradient",
        kink=f"the {name} entry has no derivative where several are {name}",
        example=lambda: b.make(name, (b.symbol("x", _COLUMN), b.ones(_COLUMN))),
    )
    define(
        f"is_{name}",
        f"1 at the {name} of the entries that count, 0 elsewhere",
        dims=_counted,
        evaluate=lambda f, data, x, counted: places(f, x, counted),
        vjp=lambda g, out, x, counted: (None, None),
        entry=lambda w, n, i, j: b.entry(n, i, j),
        latex=lambda p, n: p.is_extreme(tex, *n.operands),
        numpy=lambda p, n: p.is_extreme(n, sign),
        kink="an indicator jumps",
        example=lambda: b.make(f"is_{name}", (b.symbol("x", _COLUMN), b.ones(_COLUMN))),
    )


_extremum("largest", 1, r"\max")
_extremum("smallest", -1, r"\min")
