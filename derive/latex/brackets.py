"""Brackets, bars, and marks in front of and behind a factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.errors import AnswerError
from derive.latex import syntax as s
from derive.latex.grammar import EVALUATED

if TYPE_CHECKING:
    from derive.latex.parser import Parser


def bracket(p: Parser) -> s.Syntax:
    """A round or square bracket: its parts, or the error that kept it from being read."""
    opening, start = p.peek(), p.at
    close = p.closing()
    inside = tuple(p.tokens[start + 1 : close])
    p.deeper()
    inner = p.within(start + 1, close)
    inner.depth = p.depth
    parts: tuple[s.Syntax, ...] = ()
    error: AnswerError | None = None
    try:
        parts = inner.listing()
    except AnswerError as problem:
        error = problem
        if problem.code == "too-long":
            raise
    p.depth -= 1
    p.at = close + 1
    return s.Group(p.span_from(start), opening, inside, parts, error)


def bars(p: Parser) -> s.Syntax:
    """|x| or ‖x‖."""
    sign, start = p.peek(), p.at
    close = p.matching.get(start)
    if close is None or close <= start or close >= p.end:
        raise p.fail(f"The bar {sign} is never closed.")
    inner = p.within(start + 1, close)
    p.deeper()
    inner.depth = p.depth
    body = inner.whole()
    p.depth -= 1
    p.at = close + 1
    return s.Bars(p.span_from(start), sign, body)


def transposed_in_front(p: Parser) -> s.Syntax:
    """`{}^t A`, the transpose as it is written in French."""
    start = p.at
    p.at += 1
    script = p.script()
    return s.merge_scripts(p.factor(), (), (script,), 0, p.span_from(start))


def evaluated(p: Parser, body: s.Syntax, start: int) -> s.Syntax:
    """A factor, evaluated where the `|_{x = a}` behind it says."""
    if p.peek() not in (EVALUATED, "|") or p.peek(1) != "_" or p.at in p.matching:
        return body
    p.at += 2
    condition = p.part(p.script().tokens).whole()
    return s.At(p.span_from(start), body, condition)
