"""What a sign with a bound index does: sums, means, products, the largest and the smallest of many."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.sizes import ONE, SCALAR, Range, Size

if TYPE_CHECKING:
    from derive.reading.sums import Bound


def _sum(body: Node, bound: Bound, span: Span) -> Node:
    return b.sum_over(body, bound.name, bound.over, bound.holds)


def _mean(body: Node, bound: Bound, span: Span) -> Node:
    count = b.sum_over(b.number(1), bound.name, bound.over, bound.holds)
    if bound.holds is None:
        count = b.size_number(length(bound.over) - len(bound.over.excluded))
    return b.divide(_sum(body, bound, span), count)


def length(over: Range) -> Size:
    """The number of values from the first to the last, excluded ones counted."""
    return over.hi - over.lo + 1


def stacked(body: Node, name: str, over: Range, holds: Node | None = None, axis: int = 0) -> Node:
    """The column (axis 0) or row of the values that a body takes; 0 where the index is excluded."""
    position = b.add(b.index(name, None), b.size_number(ONE - over.lo)) if over.lo != ONE else b.index(name, None)
    unit = b.onehot(position, length(over))
    term = b.product(unit, body) if axis == 0 else b.product(body, b.transpose(unit))
    return b.sum_over(term, name, over, holds)


def _values(body: Node, bound: Bound, span: Span) -> Node:
    if body.dims != SCALAR:
        raise AnswerError("shape", "Products and extrema over an index are understood of numbers.", span)
    return stacked(body, bound.name, bound.over, bound.holds)


def _product(body: Node, bound: Bound, span: Span) -> Node:
    if bound.holds is None and not bound.over.excluded:
        return b.make("entries_product", (_values(body, bound, span),))
    rest = _values(b.subtract(body, b.number(1)), bound, span)
    return b.make("entries_product", (b.add(b.ones(rest.dims), rest),))


def _largest(body: Node, bound: Bound, span: Span) -> Node:
    return b.make("largest", _counted(body, bound, span))


def _smallest(body: Node, bound: Bound, span: Span) -> Node:
    return b.make("smallest", _counted(body, bound, span))


def _counted(body: Node, bound: Bound, span: Span) -> tuple[Node, Node]:
    values = _values(body, bound, span)
    if bound.holds is None and not bound.over.excluded:
        return values, b.ones(values.dims)
    return values, _values(b.number(1), bound, span)


COMBINED: dict[str, Callable[[Node, Bound, Span], Node]] = {
    "sum": _sum, "mean": _mean, "prod": _product, "max": _largest, "min": _smallest,
}  # fmt: skip
