"""Conditions: relations as 1 or 0, between indices or entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.latex import syntax as s
from derive.reading import indices, refused
from derive.sizes import ONE, SCALAR

if TYPE_CHECKING:
    from derive.reading.reader import Reader

EXTREME = ("largest", "smallest")


def conditions(reader: Reader, parts: tuple[s.Syntax, ...]) -> Node:
    """Several conditions at once: 1 where all hold."""
    values = [condition(reader, part) for part in parts if not isinstance(part, s.Words)]
    if not values:
        return b.number(1)
    dims = next((v.dims for v in values if v.dims != SCALAR), SCALAR)
    return b.hadamard(*(b.broadcast(v, dims) for v in values))


def condition(reader: Reader, part: s.Syntax) -> Node:
    """A relation as 1 or 0, entry by entry."""
    if isinstance(part, s.Group) and len(part.parts) == 1:
        return condition(reader, part.parts[0])
    if not isinstance(part, s.Relation):
        raise AnswerError("unreadable", "This is not a condition.", part.span)
    out = b.number(1)
    for sign, left, right in zip(part.signs, part.sides, part.sides[1:], strict=False):
        if sign == r"\in":
            continue
        out = b.hadamard(out, _compare(reader, sign, left, right, part.span))
    return out


def _compare(reader: Reader, sign: str, left: s.Syntax, right: s.Syntax, span: Span) -> Node:
    first, second = _as_indices(reader, left, right)
    if first is not None and second is not None:
        return _compare_indices(sign, first, second, span)
    a, c = reader.expression(left), reader.expression(right)
    a, c = reader.fit(a, c, list(zip(a.dims, c.dims, strict=True)))
    a, c = reader.spread(a, c, "compared")
    if sign in ("=", r"\neq") and (place := _extreme_place(a, c)) is not None:
        return place if sign == "=" else b.subtract(b.ones(place.dims), place)
    difference, reverse = b.subtract(a, c), b.subtract(c, a)
    one = b.ones(difference.dims)
    if sign == ">":
        return b.apply("positive", difference)
    if sign == "<":
        return b.apply("positive", reverse)
    if sign == r"\geq":
        return b.subtract(one, b.apply("positive", reverse))
    if sign == r"\leq":
        return b.subtract(one, b.apply("positive", difference))
    if sign == "=":
        return b.apply("is_zero", difference)
    if sign == r"\neq":
        return b.subtract(one, b.apply("is_zero", difference))
    refused.refuse(sign, span)
    raise AnswerError("unreadable", f"The relation {sign} is not understood.", span)


def _as_indices(reader: Reader, left: s.Syntax, right: s.Syntax) -> tuple[Node | None, Node | None]:
    """Both sides as indices, where at least one is an index and the other can be one."""
    out: list[Node | None] = []
    for side in (left, right):
        try:
            out.append(None if _is_value(reader, side) else indices.index(reader, side))
        except AnswerError:
            out.append(None)
    if not any(node is not None and _has_index(node) for node in out):
        return None, None
    if None not in out:
        for one, other in ((out[0], out[1]), (out[1], out[0])):
            assert one is not None and other is not None
            if other.op == "index":
                for over in list(reader.uses.get(str(other.data[0]), [])):
                    indices.note_use(reader, one, over)
    return out[0], out[1]


def _is_value(reader: Reader, side: s.Syntax) -> bool:
    """Whether a side of a relation is a declared quantity that is no index."""
    if isinstance(side, s.Sum):
        return any(_is_value(reader, part) for _, part in side.terms)
    if isinstance(side, s.Product):
        return any(_is_value(reader, part) for _, part in side.factors)
    if not isinstance(side, s.Name):
        return False
    if side.base in reader.bound:
        return not indices.is_position(reader.bound[side.base])
    entities = reader.scope.entities.get(side.base, [])
    return bool(entities) and all(e.kind != "index" for e in entities if e.pattern.sub is None)


def _has_index(node: Node) -> bool:
    return any(part.op in ("index", "index_family") for part in walk(node))


def _compare_indices(sign: str, first: Node, second: Node, span: Span) -> Node:
    equal = b.make("index_equal", (first, second))
    less = b.make("index_less", (first, second))
    more = b.make("index_less", (second, first))
    one = b.number(1)
    table = {
        "=": equal, r"\neq": b.subtract(one, equal), "<": less, ">": more,
        r"\leq": b.subtract(one, more), r"\geq": b.subtract(one, less),
    }  # fmt: skip
    if sign not in table:
        raise AnswerError("unreadable", f"The relation {sign} between indices is not understood.", span)
    return table[sign]


def _extreme_place(first: Node, second: Node) -> Node | None:
    """`x_j = \\max_i x_i` and `x = \\max(x)`: whether this is the place of the largest entry."""
    for one, other in ((first, second), (second, first)):
        extreme = next((part for part in (other, *other.operands) if part.op in EXTREME), other)
        if extreme.op not in EXTREME or other not in (extreme, b.product(extreme, b.ones(other.dims))):
            continue
        places = b.make(f"is_{extreme.op}", extreme.operands)
        if one == extreme.operands[0]:
            return places
        for letter in sorted(free_indices(one)):
            if _entry_at(extreme.operands[0], b.index(letter, None)) == one:
                return b.entry(places, b.index(letter, None), b.number(1))
    return None


def _entry_at(x: Node, i: Node) -> Node | None:
    """Entry i of a column; of Σ_k s_k e_k it is s_i."""
    if x.op != "sum":
        return b.entry(x, i, b.number(1)) if x.dims[1] == ONE else None
    body, name = x.operands[0], b.index(str(x.data[0]), None)
    parts = body.operands if body.op == "product" else (body,)
    rest = [part for part in parts if part.op != "onehot"]
    units = [part for part in parts if part.op == "onehot"]
    plain = len(units) == 1 and units[0].operands[0] == name and all(part.dims == SCALAR for part in rest)
    return b.substitute(b.product(*rest), {name: i}) if plain else None
