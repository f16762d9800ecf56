"""Brackets and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.errors import AnswerError
from derive.latex import syntax as s

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
