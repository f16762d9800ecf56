"""Functions of several arguments, and those that take entries or an index: max, min, clip, Concat, E."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.reading import lists
from derive.sizes import SCALAR

if TYPE_CHECKING:
    from derive.reading.reader import Reader

EXTREMA = {"max": "maximum", "min": "minimum"}
OF_ENTRIES = {"maximum": "largest", "minimum": "smallest"}
JOINED = ("concat", "Concat", "cat", "CONCAT")
CLIPPED = ("clip", "clamp", "Clip", "clamp")
AVERAGED = ("E",)


def takes(name: str) -> bool:
    """Whether a name is a function of this file."""
    return name.lstrip("\\") in SEVERAL or name in AVERAGED


def value(reader: Reader, node: s.Syntax, name: str, following: s.Syntax | None, k: int) -> tuple[int, Node]:
    """The value of a function at the bracket that follows it, and the number of the next factor."""
    from derive.reading.functions import call_of, scripted_value

    call, tail = call_of(following)
    if name in AVERAGED:
        out = _expectation(reader, node, call)
        return k + 2, scripted_value(reader, out, tail) if tail is not None else out
    plain = name.lstrip("\\")
    if call is None or isinstance(node, s.Scripted):
        raise AnswerError("unreadable", f"{name} is understood as {USED_AS.get(plain, f'{name}(a, b)')}.", node.span)
    if call.error is not None:
        raise call.error
    values = [reader.expression(part) for part in call.parts]
    out = SEVERAL[plain](reader, plain, values, call.span)
    return k + 2, scripted_value(reader, out, tail) if tail is not None else out


def _extremum(reader: Reader, name: str, values: list[Node], span: Span) -> Node:
    op = EXTREMA[name]
    if len(values) == 1 and values[0].dims != SCALAR:
        return b.make(OF_ENTRIES[op], (values[0], b.ones(values[0].dims)))
    if len(values) < 2:
        raise AnswerError("unreadable", f"{name} needs two arguments.", span)
    return reduce(lambda x, y: pair(reader, op, x, y), values)


def pair(reader: Reader, op: str, x: Node, y: Node) -> Node:
    """The larger or smaller of two, entry by entry."""
    left, right = reader.fit(x, y, list(zip(x.dims, y.dims, strict=True)))
    left, right = reader.spread(left, right, "compared")
    dims = right.dims if left.dims == SCALAR else left.dims
    return b.make(op, (b.broadcast(left, dims), b.broadcast(right, dims)))


def _clip(reader: Reader, name: str, values: list[Node], span: Span) -> Node:
    if len(values) != 3:
        raise AnswerError("unreadable", f"{name} is understood as {name}(x, a, b).", span)
    x, low, high = values
    return pair(reader, "maximum", pair(reader, "minimum", x, high), low)


def _joined(reader: Reader, name: str, values: list[Node], span: Span) -> Node:
    return lists.joined(values, span)


def positive_part(x: Node) -> Node:
    """[x]_+."""
    return b.make("maximum", (b.zeros(x.dims), x))


def _expectation(reader: Reader, node: s.Syntax, call: s.Group | None) -> Node:
    """E_i[…], the mean over an index, or E[x], the mean of a vector's entries."""
    if call is None or call.error is not None or len(call.parts) != 1:
        raise AnswerError("unknown-symbol", "E is not declared.", node.span)
    if isinstance(node, s.Scripted):
        if len(node.subs) == 1 and len(node.subs[0].tokens) == 1 and not node.sups and not node.primes:
            letter = s.Name(node.subs[0].span, node.subs[0].tokens[0].text)
            return reader.expression(s.BigOperator(node.span, "mean", (letter,), None, call.parts[0]))
        raise AnswerError("unreadable", RANDOM, node.span)
    body = reader.expression(call.parts[0])
    if body.dims == SCALAR:
        raise AnswerError("unreadable", RANDOM, node.span)
    return b.divide(b.total(body), b.total(b.ones(body.dims)))


RANDOM = (
    "An expectation is not derived: it depends on a distribution that is not given. Write a mean over examples, "
    r"\frac{1}{N} \sum_{i=1}^{N} or \mathbb{E}_i[…]."
)
Several = Callable[["Reader", str, list[Node], Span], Node]
SEVERAL: dict[str, Several] = {
    **dict.fromkeys(EXTREMA, _extremum),
    **dict.fromkeys(CLIPPED, _clip),
    **dict.fromkeys(JOINED, _joined),
}
USED_AS = dict.fromkeys(CLIPPED, r"clip(x, a, b)")
