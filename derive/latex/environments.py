"""Environments: cases, matrices, aligned lines."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from derive.latex import syntax as s
from derive.latex.grammar import ENVIRONMENTS, OPENERS, TRANSPARENT
from derive.latex.tokens import Token

if TYPE_CHECKING:
    from derive.latex.parser import Parser

Cell = tuple[int, int]


def environment(p: Parser) -> s.Syntax:
    """What stands in an environment: cases, a matrix, or lines that are only laid out."""
    start = p.at
    name, inside = _environment_name(p, p.at)
    end = _environment_end(p, inside, name)
    close = end + len(_name_tokens(p, end))
    kind = ENVIRONMENTS.get(name)
    if kind is None and name not in TRANSPARENT:
        raise p.fail(f"The environment {name} is not understood.")
    for opening in ("[", "{") if name == "array" else ("[",):
        if inside < end and p.tokens[inside].text == opening:
            inside = p.matching.get(inside, inside) + 1
    rows = _rows(p, inside, end)
    p.at = close
    span = p.span_from(start)
    if kind is not None and not any(first < last for row in rows for first, last in row):
        raise p.fail(f"The environment {name} is empty.")
    if kind == "cases" or (kind == "matrix" and _looks_like_cases(p, start, rows)):
        filled = [[cell for cell in row if cell[0] < cell[1]] for row in rows]
        return s.Cases(span, tuple(_branch(p, row) for row in filled if row))
    if kind == "matrix":
        dotted = any(token.text == r"\ddots" for token in p.tokens[inside:end])
        if any(first == last for row in rows for first, last in row) and not dotted:
            raise p.fail(f"A cell of this {name} is empty; write the 0 that stands there.")
        literal = s.MatrixLiteral(span, tuple(tuple(_cell(p, *cell) for cell in row) for row in rows if row))
        return s.Bars(span, "|", literal) if name == "vmatrix" else literal
    return p.inside(inside, end)


def _cell(p: Parser, start: int, end: int) -> s.Syntax:
    """What stands in a cell; beside a diagonal with dots an empty one is a 0."""
    return p.inside(start, end) if start < end else s.Num((p.tokens[start].start, p.tokens[start].start), Fraction(0))


def _looks_like_cases(p: Parser, start: int, rows: list[list[Cell]]) -> bool:
    before = p.tokens[start - 1].text if start else ""
    return before in OPENERS and start - 1 not in p.matching and all(2 <= len(r) <= 3 for r in rows if r)


def _name_tokens(p: Parser, at: int) -> list[Token]:
    close = p.matching.get(at + 1, at + 1)
    return p.tokens[at : close + 1]


def _environment_name(p: Parser, at: int) -> tuple[str, int]:
    close = p.matching.get(at + 1)
    if close is None:
        raise p.fail(r"\begin needs the name of an environment.")
    return "".join(t.text for t in p.tokens[at + 2 : close]), close + 1


def _environment_end(p: Parser, at: int, name: str) -> int:
    depth = 1
    while at < p.end:
        text = p.tokens[at].text
        depth += (text == r"\begin") - (text == r"\end")
        if not depth:
            return _same_name(p, at, name)
        at += 1
    raise p.fail(f"The environment {name} is never closed.")


def _same_name(p: Parser, at: int, name: str) -> int:
    last, _ = _environment_name(p, at)
    if last != name:
        raise p.fail(rf"\begin{{{name}}} is closed by \end{{{last}}}.")
    return at


def _rows(p: Parser, start: int, end: int) -> list[list[Cell]]:
    """The cells of each row, as ranges of tokens."""
    rows: list[list[Cell]] = [[]]
    at = cell = start
    while at <= end:
        text = p.tokens[at].text if at < end else r"\\"
        if text not in ("&", r"\\"):
            at = _behind(p, at, end)
            continue
        if at > cell or text == "&" or rows[-1]:
            rows[-1].append((cell, at))
        at += 1
        if text == r"\\":
            rows.append([])
            spaced = at < end and p.tokens[at].text == "[" and at in p.matching
            at = p.matching[at] + 1 if spaced else at
        cell = at
    return rows


def _behind(p: Parser, at: int, end: int) -> int:
    """The place behind a token, or behind the bracket or environment that it opens."""
    text = p.tokens[at].text
    if text in ("{", "(", "[", r"\{") and p.matching.get(at, end) < end:
        return p.matching[at] + 1
    depth = 0
    for k in range(at, end):
        depth += (p.tokens[k].text == r"\begin") - (p.tokens[k].text == r"\end")
        if not depth:
            return k + 1
    return end


def _branch(p: Parser, row: list[Cell]) -> tuple[s.Syntax, tuple[s.Syntax, ...]]:
    """One line of cases: the formula and its conditions."""
    first = p.within(*row[0])
    body = first.expression()
    conditions = first.listing() if first.at < first.end else ()
    for start, end in row[1:]:
        while end > start and p.tokens[end - 1].text in (".", ",", ";"):
            end -= 1
        if any(token.kind != "text" for token in p.tokens[start:end]):
            conditions = (*conditions, *p.within(start, end).listing())
    return body, tuple(c for c in conditions if not isinstance(c, s.Words))
