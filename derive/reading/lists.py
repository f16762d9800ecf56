"""Lists and matrices written out: blocks under or beside each other, also with dots for what is left out."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from derive.errors import AnswerError, ShapeError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.latex.tokens import Token
from derive.reading import binders, indices
from derive.sizes import ONE, SCALAR, Range, Size

if TYPE_CHECKING:
    from derive.reading.reader import Reader

DOTS = frozenset((r"\ldots", r"\vdots", r"\ddots"))
LETTERS = "ijklmnpqrstuvabcdefgh"


def is_dots(node: s.Syntax | None) -> bool:
    """Whether a cell is `\\vdots` and the like."""
    return isinstance(node, s.Name) and node.base in DOTS


def joined(values: list[Node], span: Span, axis: int | None = None) -> Node:
    """Columns under each other; rows, numbers and matrices beside each other, unless the axis is given."""
    if axis is None:
        axis = 0 if all(v.dims[1] == ONE for v in values) and any(v.dims != SCALAR for v in values) else 1
    try:
        return values[0] if len(values) == 1 else b.make("concat", tuple(values), (axis,))
    except ShapeError as problem:
        message = f"A list of several things is not a value here: {problem.message}."
        raise AnswerError("unreadable", message, span) from problem


def bracket(reader: Reader, node: s.Group, turned: bool) -> Node:
    """`[x; y]`, `[A, B]`, `(x_1, …, x_n)`: semicolons put under each other; a plain tuple of numbers is a column."""
    under = _top_level(node.tokens, ";")
    if any(is_dots(part) for part in node.parts):
        axis = 0 if under or (node.opening == "(" and not turned) else 1
        return _run(reader, node.parts, axis, node.span)
    values = [reader.expression(part) for part in node.parts]
    numbers = all(v.dims == SCALAR for v in values)
    column = under or (numbers and node.opening == "(" and not turned)
    return joined(values, node.span, 0 if column else 1 if numbers else None)


def _top_level(tokens: tuple[Token, ...], sign: str) -> bool:
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[", "{", r"\{")) - (token.text in (")", "]", "}", r"\}"))
        if token.text == sign and not depth:
            return True
    return False


def matrix(reader: Reader, node: s.MatrixLiteral) -> Node:
    """A matrix written out, row by row; with dots, what the corners say."""
    if any(is_dots(cell) for row in node.rows for cell in row):
        return _dotted(reader, node)
    rows = [[reader.expression(cell) for cell in row if cell is not None] for row in node.rows]
    wide = [r[0] if len(r) == 1 else b.make("concat", tuple(r), (1,)) for r in rows]
    return wide[0] if len(wide) == 1 else b.make("concat", tuple(wide), (0,))


def _dotted(reader: Reader, node: s.MatrixLiteral) -> Node:
    rows = node.rows
    if all(len(row) == 1 for row in rows):
        return _run(reader, tuple(row[0] for row in rows), 0, node.span)
    if len(rows) == 1:
        return _run(reader, rows[0], 1, node.span)
    if _is_diagonal(rows):
        return b.diag(_run(reader, tuple(row[k] for k, row in enumerate(rows)), 0, node.span))
    lines = [row for row in rows if not all(is_dots(cell) for cell in row)]
    if len(lines) == 2 and rows[0] is lines[0] and rows[-1] is lines[1]:
        return _table(reader, lines[0], lines[1], node.span)
    raise _unclear(node.span)


def _is_diagonal(rows: tuple[tuple[s.Syntax, ...], ...]) -> bool:
    """Whether all beside the diagonal is 0 or dots."""
    square = all(len(row) == len(rows) for row in rows)
    return square and all(
        is_dots(cell) or (isinstance(cell, s.Num) and not cell.value)
        for i, row in enumerate(rows)
        for j, cell in enumerate(row)
        if i != j
    )


def _unclear(span: Span) -> AnswerError:
    return AnswerError("unreadable", "What the dots stand for is not clear; write the general entry.", span)


def _run(reader: Reader, cells: tuple[s.Syntax, ...], axis: int, span: Span) -> Node:
    """First, perhaps some more, dots, last: the values of the entry that first and last have in common."""
    at = [k for k, cell in enumerate(cells) if is_dots(cell)]
    if at != [len(cells) - 2] or not at[0]:
        raise _unclear(span)
    general, letter, over = _between(reader, cells[0], cells[-1], span)
    inner = reader.bind(letter, b.index(letter, None))
    inner.uses[letter] = [over]
    body = inner.expression(general)
    for k, cell in enumerate(cells[1 : at[0]], 1):
        value = b.size_number(over.lo + k)
        if reader.expression(cell) != b.substitute(body, {b.index(letter, None): value}):
            raise _unclear(span)
    return binders.stacked(body, letter, over, axis=axis)


def _table(reader: Reader, first: tuple[s.Syntax, ...], last: tuple[s.Syntax, ...], span: Span) -> Node:
    """Four corners with dots between them."""
    if len(first) != len(last) or not is_dots(first[-2]) or not is_dots(last[-2]):
        raise _unclear(span)
    left, row, rows = _between(reader, first[0], last[0], span)
    right, same, _ = _between(reader, first[-1], last[-1], span)
    assert row == same
    inner = reader.bind(row, b.index(row, None))
    inner.uses[row] = [rows]
    line = _run(inner, (left, first[-2], right), 1, span)
    return binders.stacked(line, row, rows)


def _between(reader: Reader, first: s.Syntax, last: s.Syntax, span: Span) -> tuple[s.Syntax, str, Range]:
    """The entry between two, with the letter that runs and its range."""
    found: list[tuple[Token, Token]] = []
    letter = next(c for c in LETTERS if not indices.is_known(reader, c) and c not in reader.scope.entities)
    general = _merged(first, last, letter, found)
    ends = {(low.text, high.text) for low, high in found}
    if general is None or len(ends) != 1:
        raise _unclear(span)
    low, high = (_size(reader, text, span) for text in ends.pop())
    return general, letter, Range(low, high)


def _size(reader: Reader, text: str, span: Span) -> Size:
    if text.isdigit():
        return Size.of(int(text))
    if text in reader.scope.sizes:
        return Size.of(text)
    raise AnswerError("unknown-symbol", f"{text} is not a declared size.", span)


def _merged(first: Any, last: Any, letter: str, found: list[tuple[Token, Token]]) -> Any:
    """Two pieces of syntax as one, with a letter where they differ; None if they differ otherwise."""
    if isinstance(first, Token) and isinstance(last, Token):
        if first.text == last.text:
            return first
        found.append((first, last))
        return first._replace(kind="letter", text=letter)
    if isinstance(first, tuple) and isinstance(last, tuple):
        first, last = _digits(first), _digits(last)
        if len(first) != len(last):
            return None
        parts = [_merged(x, y, letter, found) for x, y in zip(first, last, strict=True)]
        return None if any(part is None for part in parts) else tuple(parts)
    if type(first) is not type(last):
        return None
    if isinstance(first, s.Group):
        return _merged_group(first, last, letter, found)
    if not isinstance(first, (s.Syntax, s.Script)):
        return first if first == last else None
    changed = {}
    for field in fields(first):
        if field.name == "span":
            continue
        old, new = getattr(first, field.name), getattr(last, field.name)
        if old is None and new is None:
            continue
        changed[field.name] = _merged(old, new, letter, found)
        if changed[field.name] is None:
            return None
    return replace(first, **changed)


def _digits(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """The indices 1 and 2 of `x_{12}` each by itself."""
    out: list[Any] = []
    for part in parts:
        several = isinstance(part, Token) and part.kind == "number" and part.text.isdigit()
        out += [part._replace(text=digit) for digit in part.text] if several else [part]
    return tuple(out)


def _merged_group(first: s.Group, last: s.Group, letter: str, found: list[tuple[Token, Token]]) -> s.Group | None:
    """Brackets: their parts and their tokens, which say the same."""
    parts = _merged(first.parts, last.parts, letter, found)
    tokens = _merged(first.tokens, last.tokens, letter, found)
    if parts is None or tokens is None or first.opening != last.opening or first.error is not None:
        return None
    return replace(first, parts=parts, tokens=tokens)
