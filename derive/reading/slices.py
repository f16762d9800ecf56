"""Slices: `z_{d+1:2d}` is rows d + 1 to 2 d, counted from 1, both ends included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions.node import Node
from derive.operations.indexing import block
from derive.sizes import ONE, Size

if TYPE_CHECKING:
    from derive.reading.reader import Reader

Item = tuple[str, ...]


def is_slice(item: Item) -> bool:
    """Whether an index is a range with both ends written."""
    return item.count(":") == 1 and item[0] != ":" != item[-1]


def cut(reader: Reader, x: Node, items: tuple[Item, ...], span: Span) -> Node:
    """The block of a vector or matrix that slices name; a `\\cdot` or `:` takes the whole axis."""
    axes = (0,) if len(items) == 1 and x.dims[1] == ONE else (1,) if len(items) == 1 else (0, 1)
    if len(items) > 2 or (len(items) == 1 and ONE not in x.dims):
        raise AnswerError("unreadable", "A slice needs an index for each axis.", span)
    for axis, item in zip(axes, items, strict=True):
        if is_slice(item):
            x = _one_axis(reader, x, axis, item, span)
        elif len(item) != 1 or item[0] not in (":", r"\cdot"):
            raise AnswerError("unreadable", "A slice beside a single index is not understood.", span)
    return x


def _one_axis(reader: Reader, x: Node, axis: int, item: Item, span: Span) -> Node:
    at = item.index(":")
    low, high = (_size(reader, part, span) for part in (item[:at], item[at + 1 :]))
    length = x.dims[axis]
    if any(_may_be_negative(edge) for edge in (low - 1, length - high, high - low + 1)):
        raise AnswerError("index", f"The slice {''.join(item)} does not lie in 1..{length}.", span)
    return block(x, axis, low - 1, high)


def _may_be_negative(edge: Size) -> bool:
    """Whether a size is negative for some names that are at least 2, as the slices of a long vector need them."""
    named = [c for monomial, c in edge.terms if monomial]
    return any(c < 0 for c in named) or edge.value(dict.fromkeys(edge.names, 2)) < 0


def _size(reader: Reader, texts: Item, span: Span) -> Size:
    from derive.reading.indices import read_texts
    from derive.reading.sums import size_of

    return size_of(reader, read_texts(reader, texts, span))
