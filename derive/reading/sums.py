"""Sums over an index, and conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.latex import syntax as s
from derive.reading import indices
from derive.sizes import ONE, SCALAR, Range, Size

if TYPE_CHECKING:
    from derive.reading.reader import Reader

FLIPPED = {"<": ">", ">": "<", r"\leq": r"\geq", r"\geq": r"\leq"}


@dataclass(slots=True)
class Limits:
    """What stands under and over a sum sign: bound letters with their limits, and conditions."""

    lows: dict[str, Size | None] = field(default_factory=dict)
    highs: dict[str, Size | None] = field(default_factory=dict)
    excluded: dict[str, list[Size]] = field(default_factory=dict)
    conditions: list[s.Syntax] = field(default_factory=list)


def big_operator(reader: Reader, node: s.BigOperator) -> Node:
    """A sum with its limits; without a range of its own the index runs where it is used."""
    if node.sign != "sum":
        raise AnswerError("unreadable", "Products over an index are not understood.", node.span)
    limits = _limits(reader, node)
    inner, letters = _bind_all(reader, limits)
    before = set(inner.opened)
    inner.open_letters = reader.open_letters or not limits.lows
    body = inner.expression(node.body)
    holds = [condition(inner, c) for c in limits.conditions]
    if not limits.lows:
        fresh = [letter for letter in inner.opened if letter not in before]
        if not fresh:
            raise AnswerError("unreadable", "This sum has no index.", node.span)
        for letter in fresh:
            limits.lows[letter] = None
            letters[letter] = letter
            del inner.opened[letter]
    out = body
    for letter in reversed(list(limits.lows)):
        over = _range(inner, limits, letter, letters[letter], node.span)
        mine = [h for h in holds if _mentions(h, letters[letter])]
        holds = [h for h in holds if h not in mine]
        out = b.sum_over(out, letters[letter], over, b.product(*mine) if mine else None)
    return b.product(*holds, out) if holds else out


def _bind_all(reader: Reader, limits: Limits) -> tuple[Reader, dict[str, str]]:
    inner, letters = reader.bind("", b.number(0)), dict[str, str]()
    for letter in limits.lows:
        letters[letter] = inner.unused_letter(letter)
        low, high = limits.lows[letter], limits.highs.get(letter)
        inner.uses[letters[letter]] = [Range(low or ONE, high)] if high is not None else []
        inner = inner.bind(letter, b.index(letters[letter], None))
    return inner, letters


def _mentions(node: Node, name: str) -> bool:
    return any(part.op == "index" and part.data[0] == name for part in walk(node))


def _range(reader: Reader, limits: Limits, letter: str, name: str, span: Span) -> Range:
    """The range of a bound index: its own limits, or that of the places where it is used."""
    low, high = limits.lows[letter], limits.highs.get(letter)
    used = list(dict.fromkeys(reader.uses.get(name, [])))
    excluded = tuple(limits.excluded.get(letter, ()))
    if high is not None:
        return _checked(Range(low or ONE, high, excluded), used, letter, span)
    ranges = {(u.lo, u.hi) for u in used}
    if len(ranges) > 1:
        choices = " or ".join(f"{lo}..{hi}" for lo, hi in sorted(ranges, key=str))
        raise AnswerError("shape", f"The index {letter} runs over {choices}: these are different sizes.", span)
    if not used:
        raise AnswerError("unreadable", f"The range of the sum over {letter} is not given.", span)
    over = next((u for u in used if u.excluded), used[0])
    return Range(low or over.lo, over.hi, (*over.excluded, *excluded))


def _checked(over: Range, used: list[Range], letter: str, span: Span) -> Range:
    """An index must not leave the places where it is used, as far as sizes by name tell."""
    for use in used:
        both_named = use.hi.number is None and over.hi.number is None
        if both_named and use.hi != over.hi and use.hi.names.isdisjoint(over.hi.names):
            raise AnswerError("shape", f"The sum over {letter} runs to {over.hi}, but {letter} counts {use}.", span)
    left_out = tuple(e for use in used for e in use.excluded if e not in over.excluded)
    return Range(over.lo, over.hi, (*over.excluded, *left_out))


def _limits(reader: Reader, node: s.BigOperator) -> Limits:
    limits = Limits()
    for part in node.lower:
        _limit(reader, limits, part, node.upper)
    if node.upper is not None and len(limits.lows) == 1:
        letter = next(iter(limits.lows))
        limits.highs[letter] = None if _is_size_of_a_set(reader, node.upper) else size_of(reader, node.upper)
    return limits


def _is_size_of_a_set(reader: Reader, node: s.Syntax) -> bool:
    """|V| for a set V that nothing declares: the index runs over its whole range."""
    if not isinstance(node, s.Bars) or not isinstance(node.body, (s.Name, s.Words)):
        return False
    return isinstance(node.body, s.Words) or node.body.base not in reader.scope.sizes


def _limit(reader: Reader, limits: Limits, part: s.Syntax, upper: s.Syntax | None) -> None:
    if isinstance(part, s.Name):
        limits.lows.setdefault(part.base, None)
        return
    if isinstance(part, s.Product) and all(isinstance(f, s.Name) and not sign for sign, f in part.factors):
        for _, factor in part.factors:
            assert isinstance(factor, s.Name)
            limits.lows.setdefault(factor.base, None)
        return
    if not isinstance(part, s.Relation):
        raise AnswerError("unreadable", "What stands under this sum is not understood.", part.span)
    if len(part.sides) == 3 and isinstance(part.sides[1], s.Name):
        letter = part.sides[1].base
        low, high = size_of(reader, part.sides[0]), size_of(reader, part.sides[2])
        limits.lows[letter] = low if part.signs[0] == r"\leq" else low + 1
        limits.highs[letter] = high if part.signs[1] == r"\leq" else high - 1
        return
    _two_sided(reader, limits, part, upper)


def _two_sided(reader: Reader, limits: Limits, part: s.Relation, upper: s.Syntax | None) -> None:
    left = part.sides[0]
    names = _letters(left)
    sign = part.signs[0]
    if names and len(part.sides) == 2:
        if sign == r"\in":
            for name in names:
                limits.lows.setdefault(name, None)
            return
        name = names[0]
        if name not in limits.lows:
            if sign == "=":
                limits.lows[name] = size_of(reader, part.sides[1])
                return
            limits.lows[name] = None
        if sign == r"\neq" and name in limits.lows and _is_number(part.sides[1]):
            limits.excluded.setdefault(name, []).append(size_of(reader, part.sides[1]))
            return
    limits.conditions.append(part)


def _letters(node: s.Syntax) -> list[str]:
    if isinstance(node, s.Name):
        return [node.base]
    return []


def _is_number(node: s.Syntax) -> bool:
    return isinstance(node, s.Num) or (
        isinstance(node, s.Sum) and len(node.terms) == 1 and isinstance(node.terms[0][1], s.Num)
    )


def size_of(reader: Reader, node: s.Syntax) -> Size:
    """A limit or size: numbers and size names, added and multiplied."""
    if isinstance(node, s.Num) and node.value.denominator == 1:
        return Size.of(int(node.value))
    if isinstance(node, s.Name) and node.base in reader.scope.sizes:
        return Size.of(node.base)
    if isinstance(node, s.Scripted) and isinstance(node.body, s.Name):
        return _scripted_size(reader, node)
    if isinstance(node, s.Sum):
        total = Size.of(0)
        for sign, part in node.terms:
            total = total + size_of(reader, part) * sign
        return total
    if isinstance(node, s.Product):
        out = ONE
        for _, part in node.factors:
            out = out * size_of(reader, part)
        return out
    if isinstance(node, s.Bars):
        return size_of(reader, node.body)
    if isinstance(node, s.Group) and len(node.parts) == 1:
        return size_of(reader, node.parts[0])
    raise AnswerError("unknown-symbol", "This limit is not a declared size.", node.span)


def _scripted_size(reader: Reader, node: s.Scripted) -> Size:
    from derive.reading.match import scripts_of

    assert isinstance(node.body, s.Name)
    subs, sups = scripts_of(node)
    name = node.body.base + (f"_{{{''.join(subs)}}}" if subs else "")
    if not sups and name in reader.scope.sizes:
        return Size.of(name)
    if isinstance(node.body, s.Name) and not subs and len(sups) == 1 and sups[0][0].isdigit():
        return _power(size_of(reader, node.body), int(sups[0][0]), node.span)
    raise AnswerError("unknown-symbol", f"{name} is not a declared size.", node.span)


def _power(base: Size, exponent: int, span: Span) -> Size:
    if exponent > 12:
        raise AnswerError("too-long", "This limit is too large.", span)
    out = ONE
    for _ in range(exponent):
        out = out * base
    return out


# --------------------------------------------------------------------------------------------- conditions


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
