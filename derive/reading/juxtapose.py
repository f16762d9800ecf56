"""What factors side by side mean, decided by their shapes.

Within a product the matrix product binds tighter than ∘; `a \\cdot b` of two columns is their inner product;
two columns side by side are an error.  Where the usual grouping does not fit and exactly one other does,
that one is read, with a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.errors import ShapeError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.sizes import ONE, SCALAR

if TYPE_CHECKING:
    from derive.reading.reader import Reader

Item = tuple[str, Node, Span]
ELEMENTWISE = frozenset((r"\odot", r"\circ", r"\oslash"))
MAX_GROUPINGS = 7


def product(reader: Reader, items: list[Item]) -> Node:
    """The product of factors, each with the sign before it."""
    if len(items) == 1:
        return items[0][1]
    try:
        return _usual(reader, items)
    except ShapeError:
        others = _other_groupings(reader, items)
        if len(others) != 1:
            raise
        reader.lenient("the product is read in the only grouping in which its shapes fit")
        return others[0]


def _usual(reader: Reader, items: list[Item]) -> Node:
    if ELEMENTWISE.isdisjoint([sign for sign, _, _ in items]):
        return _chain(reader, items)
    groups: list[tuple[str, list[Item]]] = []
    for sign, node, span in items:
        if sign in ELEMENTWISE or not groups:
            groups.append((sign, [("", node, span)]))
        else:
            groups[-1][1].append((sign, node, span))
    out = _chain(reader, groups[0][1])
    for sign, group in groups[1:]:
        out = pair(reader, sign, out, _chain(reader, group))
    return out


def _chain(reader: Reader, items: list[Item]) -> Node:
    """A chain of matrix products: from the left, or with the dots as the weaker sign."""
    try:
        return _fold(reader, items)
    except ShapeError:
        parts: list[list[Item]] = [[]]
        for sign, node, span in items:
            if sign in (r"\cdot", "*", r"\times") and parts[-1]:
                parts.append([])
            parts[-1].append((sign, node, span))
        if len(parts) in (1, len(items)):
            return _split_at_rows(reader, items)
        folded = [(part[0][0], _fold(reader, part), part[0][2]) for part in parts]
        return _fold(reader, folded)


def _fold(reader: Reader, items: list[Item]) -> Node:
    out = items[0][1]
    for sign, node, _ in items[1:]:
        out = pair(reader, sign, out, node)
    return out


def _split_at_rows(reader: Reader, items: list[Item]) -> Node:
    """Factors of which some, taken together, are numbers: `u^\\top v\\, w^\\top x`."""
    for start in range(1, len(items)):
        for end in range(len(items), start + 1, -1):
            try:
                inside = _fold(reader, items[start:end])
            except ShapeError:
                continue
            if inside.dims == SCALAR:
                rest = [*items[:start], (items[start][0], inside, items[start][2]), *items[end:]]
                return _fold(reader, rest)
    return _fold(reader, items)


def pair(reader: Reader, sign: str, left: Node, right: Node) -> Node:
    """Two factors with a sign between them."""
    if sign in ELEMENTWISE:
        return _elementwise(reader, sign, left, right)
    if sign in ("/", r"\div"):
        return reader.quotient(left, right, (0, 0))
    if SCALAR in (left.dims, right.dims):
        return b.product(left, right)
    if sign == r"\otimes":
        return _outer(reader, left, right)
    if sign == r"\cdot" and left.dims == right.dims and left.dims[1] == ONE:
        return b.inner(left, right)
    fitted = (left, right)
    if left.is_open or right.is_open:
        fitted = reader.fit(left, right, [(left.dims[1], right.dims[0])])
    if fitted[0].dims[1] == fitted[1].dims[0]:
        return b.product(*fitted)
    if left.dims == right.dims and (sign in (r"\cdot", "*") or (sign == r"\times" and ONE not in left.dims)):
        reader.lenient("a product of equal shapes with a dot is read entry by entry")
        return b.hadamard(left, right)
    if reader.policy == "lenient" and left.dims == right.dims and sign in ("", r"\times"):
        reader.lenient("two factors of equal shape side by side are read as an elementwise product")
        return b.hadamard(left, right)
    raise ShapeError(_does_not_fit(reader, left, right))


def _does_not_fit(reader: Reader, left: Node, right: Node) -> str:
    hint = ""
    if left.dims == right.dims and left.dims[1] == ONE:
        hint = "; an inner product is written with a transpose, an elementwise one with \\odot"
    elif left.dims[1] == right.dims[1]:
        hint = "; is the second one to be transposed?"
    elif left.dims[0] == right.dims[0]:
        hint = "; is the first one to be transposed?"
    return (
        f"{reader.show(left)} times {reader.show(right)}: the inner sizes {left.dims[1]} and "
        f"{right.dims[0]} differ{hint}"
    )


def _elementwise(reader: Reader, sign: str, left: Node, right: Node) -> Node:
    left, right = reader.fit(left, right, list(zip(left.dims, right.dims, strict=True)))
    turned = (right.dims[1], right.dims[0])
    if left.dims != right.dims and left.dims == turned and ONE in left.dims:
        reader.lenient("∘ of a row and a column is read in the orientation of the first")
        right = b.transpose(right)
    left, right = reader.spread(left, right, "multiplied entry by entry")
    return b.divide(left, right) if sign == r"\oslash" else b.hadamard(left, right)


def _outer(reader: Reader, left: Node, right: Node) -> Node:
    if left.dims[1] == ONE and right.dims[1] == ONE:
        return b.product(left, b.transpose(right))
    if left.dims[0] == ONE and right.dims[0] == ONE:
        return b.product(b.transpose(left), right)
    if left.dims[1] == ONE and right.dims[0] == ONE:
        return b.product(left, right)
    raise ShapeError(f"⊗ is understood between vectors, not {reader.show(left)} and {reader.show(right)}")


def _other_groupings(reader: Reader, items: list[Item]) -> list[Node]:
    """Every value that some grouping of the factors has, if there are few factors."""
    notes = list(reader.notes)
    if len(items) > MAX_GROUPINGS or not any(sign in ELEMENTWISE for sign, _, _ in items[1:]):
        return []
    found: dict[tuple[int, int], list[Node]] = {(k, k): [item[1]] for k, item in enumerate(items)}
    for width in range(1, len(items)):
        for start in range(len(items) - width):
            end = start + width
            values: list[Node] = []
            for cut in range(start, end):
                for left in found[start, cut]:
                    for right in found[cut + 1, end]:
                        value = _try(reader, items[cut + 1][0], left, right)
                        if value is not None and value not in values:
                            values.append(value)
            found[start, end] = values
    reader.notes[:] = notes
    return found[0, len(items) - 1]


def _try(reader: Reader, sign: str, left: Node, right: Node) -> Node | None:
    turned = left.dims != right.dims and sign in ELEMENTWISE and SCALAR not in (left.dims, right.dims)
    if turned and left.dims == (right.dims[1], right.dims[0]):
        return None
    try:
        return pair(reader, sign, left, right)
    except ShapeError:
        return None
