"""Sums over an index, and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.latex import syntax as s
from derive.reading import binders, indices, reach
from derive.reading.conditions import condition
from derive.sizes import ONE, SCALAR, Range, Size

if TYPE_CHECKING:
    from derive.reading.reader import Reader

FLIPPED = {"<": ">", ">": "<", r"\leq": r"\geq", r"\geq": r"\leq"}
LINEAR = ("sum", "mean")
RUNNING = frozenset("ijklmnpqrstuv")  # of i \neq j both run; of j \neq y only j does, since y is a label


class Limits:
    """What stands under and over a sum sign: bound letters with their limits, and conditions.

    `joined` are letters that only a condition names, as j in `\\sum_{i < j}`.
    """

    __slots__ = ("conditions", "excluded", "highs", "joined", "lows")

    def __init__(self) -> None:
        self.lows: dict[str, Size | None] = {}
        self.highs: dict[str, Size | None] = {}
        self.excluded: dict[str, list[Size]] = {}
        self.conditions: list[s.Syntax] = []
        self.joined: list[str] = []


class Bound(NamedTuple):
    """One bound index of a sum: its name, its range, and the conditions on it as 1 or 0."""

    name: str
    over: Range
    holds: Node | None


def big_operator(reader: Reader, node: s.BigOperator) -> Node:
    """A sum, product, extremum or mean with its limits; without a range an index runs where it is used."""
    limits = _limits(reader, node)
    if (
        node.sign not in LINEAR
        and (parts := reach.ends_before(node, limits.lows.keys(), lambda letter: indices.is_known(reader, letter)))
        is not None
    ):
        return reader.expression(s.Product(node.span, parts))
    inner, letters = _bind_all(reader, limits)
    before = set(inner.opened)
    inner.open_letters = reader.open_letters or not limits.lows
    body = inner.expression(node.body)
    if unused := _left_out(inner, limits, letters, node.span):
        if not reader.open_letters:
            message = f"The index {unused[0]} is neither declared nor bound by a sum."
            raise AnswerError("unknown-symbol", message, node.span)
        reader.opened.update({letter: b.index(letter, None) for letter in unused})
        return big_operator(reader, node)
    holds = [_of_numbers(condition(inner, c), c) for c in limits.conditions]
    if not limits.lows:
        fresh = [letter for letter in inner.opened if letter not in before]
        if not fresh:
            return _of_entries(reader, node, body)
        for letter in fresh:
            limits.lows[letter] = None
            letters[letter] = letter
            del inner.opened[letter]
    out = body
    for letter in reversed(list(limits.lows)):
        over = _range(inner, limits, letter, letters[letter], node.span)
        mine = [h for h in holds if _mentions(h, letters[letter])]
        holds = [h for h in holds if h not in mine]
        bound = Bound(letters[letter], over, b.product(*mine) if mine else None)
        out = binders.COMBINED[node.sign](out, bound, node.span)
    if holds and node.sign != "sum":
        raise AnswerError("unreadable", "The condition under this sign says nothing of its index.", node.span)
    return b.product(*holds, out) if holds else out


def _of_numbers(holds: Node, part: s.Syntax) -> Node:
    if holds.dims != SCALAR:
        raise AnswerError("shape", "A condition under a sum compares numbers, not vectors.", part.span)
    return holds


def _of_entries(reader: Reader, node: s.BigOperator, body: Node) -> Node:
    """A sum without any index is that of the entries: `\\sum (y - \\hat{y})^2`."""
    if node.sign != "sum" or node.lower or node.upper is not None or body.dims == SCALAR or ONE not in body.dims:
        raise AnswerError("unreadable", "This sum has no index.", node.span)
    reader.lenient("a sum without an index is read as the sum of all entries")
    return b.total(body)


def _bind_all(reader: Reader, limits: Limits) -> tuple[Reader, dict[str, str]]:
    inner, letters = reader.bind("", b.number(0)), dict[str, str]()
    for letter in limits.lows:
        letters[letter] = inner.unused_letter(letter)
        low, high = limits.lows[letter], limits.highs.get(letter)
        inner.uses[letters[letter]] = [Range(low or ONE, high)] if high is not None else []
        inner = inner.bind(letter, b.index(letters[letter], None))
    return inner, letters


def _left_out(reader: Reader, limits: Limits, letters: dict[str, str], span: Span) -> list[str]:
    r"""In `\sum_{i \neq j}` a letter that nothing declares is summed over too, if what is summed uses it."""
    unused = [letter for letter in limits.joined if not reader.uses.get(letters[letter])]
    reader.joined.update({letter: span for letter in limits.joined if letter not in unused})
    return unused


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
    for k, part in enumerate(node.lower):
        if _is_dots(part) and len(limits.lows) == 1 and k == len(node.lower) - 2:
            limits.highs[next(iter(limits.lows))] = size_of(reader, node.lower[-1])  # k = 1, …, K
            break
        _limit(reader, limits, part)
    if node.upper is not None and len(limits.lows) == 1:
        letter = next(iter(limits.lows))
        if _is_size_of_a_set(reader, node.upper):
            limits.highs[letter] = None
        else:
            limits.highs[letter] = _edge(reader, limits, letter, r"\leq", node.upper)
    return limits


def _edge(reader: Reader, limits: Limits, letter: str, sign: str, edge: s.Syntax) -> Size | None:
    """A limit that is a size; one that another index gives, as i + 1 or t, becomes a condition."""
    try:
        return size_of(reader, edge)
    except AnswerError:
        if not indices.names_an_index(reader, edge):
            raise
    limits.conditions.append(s.Relation(edge.span, (sign,), (s.Name(edge.span, letter), edge)))
    return None


def _is_size_of_a_set(reader: Reader, node: s.Syntax) -> bool:
    """|V| for a set V that nothing declares: the index runs over its whole range."""
    if not isinstance(node, s.Bars) or not isinstance(node.body, (s.Name, s.Words)):
        return False
    return isinstance(node.body, s.Words) or node.body.base not in reader.scope.sizes


def _is_dots(part: s.Syntax) -> bool:
    return isinstance(part, s.Name) and part.base == r"\ldots"


def _limit(reader: Reader, limits: Limits, part: s.Syntax) -> None:
    if letters := reach.letters_of(part):
        for letter in letters:
            limits.lows.setdefault(letter, None)
        return
    if isinstance(part, s.Product) and all(isinstance(f, s.Name) and not sign for sign, f in part.factors):
        for _, factor in part.factors:
            assert isinstance(factor, s.Name)
            limits.lows.setdefault(factor.base, None)
        return
    if not isinstance(part, s.Relation):
        raise AnswerError("unreadable", "What stands under this sum is not understood.", part.span)
    if len(part.sides) == 3 and isinstance(part.sides[1], s.Name):
        _between(reader, limits, part)
        return
    if len(part.sides) > 3 and all(isinstance(side, s.Name) for side in part.sides[1:-1]):
        _chain(reader, limits, part)
        return
    _two_sided(reader, limits, part)


def _between(reader: Reader, limits: Limits, part: s.Relation) -> None:
    """`1 \\leq i < n`: both limits of one index."""
    middle = part.sides[1]
    assert isinstance(middle, s.Name)
    letter = middle.base
    limits.lows[letter] = limits.highs[letter] = None
    low = _edge(reader, limits, letter, _turned(part.signs[0]), part.sides[0])
    high = _edge(reader, limits, letter, part.signs[1], part.sides[2])
    limits.lows[letter] = low if low is None or part.signs[0] == r"\leq" else low + 1
    limits.highs[letter] = high if high is None or part.signs[1] == r"\leq" else high - 1


def _chain(reader: Reader, limits: Limits, part: s.Relation) -> None:
    """`1 \\leq i < j \\leq n`: two letters with the same limits and a condition between them."""
    low, high = size_of(reader, part.sides[0]), size_of(reader, part.sides[-1])
    for letter in (name.base for name in part.sides[1:-1] if isinstance(name, s.Name)):
        limits.lows[letter] = low if part.signs[0] == r"\leq" else low + 1
        limits.highs[letter] = high if part.signs[-1] == r"\leq" else high - 1
    limits.conditions.append(s.Relation(part.span, part.signs[1:-1], part.sides[1:-1]))


def _turned(sign: str) -> str:
    return FLIPPED.get(sign, sign)


def _two_sided(reader: Reader, limits: Limits, part: s.Relation) -> None:
    if not set(reach.letters_of(part.sides[0])) & limits.lows.keys():
        part = reach.turned_round(part, lambda letter: letter not in limits.lows and indices.is_known(reader, letter))
    names = reach.letters_of(part.sides[0])
    sign = part.signs[0]
    if names and len(part.sides) == 2:
        if sign == r"\in":
            for name in names:
                limits.lows.setdefault(name, None)
                _from_set(reader, limits, name, part.sides[1])
            return
        name = names[0]
        if name not in limits.lows and sign == "=":
            limits.lows[name] = None
            limits.lows[name] = _edge(reader, limits, name, r"\geq", part.sides[1])
            return
        limits.lows.setdefault(name, None)
        if sign == r"\neq" and _is_number(part.sides[1]):
            limits.excluded.setdefault(name, []).append(size_of(reader, part.sides[1]))
            return
        _join(reader, limits, sign, part.sides[1])
    limits.conditions.append(part)


def _from_set(reader: Reader, limits: Limits, name: str, side: s.Syntax) -> None:
    """The limits that `k \\in \\{1, \\ldots, K\\}` gives."""
    if isinstance(side, s.Group) and len(side.parts) >= 3 and _is_dots(side.parts[-2]):
        limits.lows[name], limits.highs[name] = (size_of(reader, side.parts[at]) for at in (0, -1))


def _join(reader: Reader, limits: Limits, sign: str, side: s.Syntax) -> None:
    """The other letter of `i < j` or `i \\neq j`, where nothing gives it a meaning."""
    for other in reach.letters_of(side):
        usual = sign in FLIPPED or other in RUNNING
        if usual and other not in limits.lows and not indices.is_known(reader, other):
            limits.lows[other] = None
            limits.joined.append(other)


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
