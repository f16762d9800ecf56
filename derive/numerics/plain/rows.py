"""Fields over lists: the value of an expression at one point is a list of rows.

For one answer at a few small points this takes less time than importing an array library.  What arrays can do and this
cannot is refused with `EvaluationError`, never worked out in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from derive.errors import EvaluationError
from derive.numerics.arithmetic import LARGEST_EXPONENT, Arithmetic

Entry = Any
Rows = list[list[Entry]]


def _refused(what: str) -> Any:
    raise EvaluationError(f"{what} is not evaluated without arrays")


class Plain(Arithmetic):
    """Primitives that move entries about; `number`, `plus` and `times_` compute with two entries."""

    zero: Entry
    number: Callable[[Any], Entry]
    plus: Callable[[Entry, Entry], Entry]
    by: Callable[[Entry, Entry], Entry]

    def each(self, operation: Callable[[Entry], Entry], x: Rows) -> Rows:
        """An operation entry by entry."""
        return [[operation(v) for v in row] for row in x]

    def both(self, operation: Callable[[Entry, Entry], Entry], x: Rows, y: Rows) -> Rows:
        """An operation on two values entry by entry; a side of length 1 is repeated."""
        rows, columns = max(len(x), len(y)), max(len(x[0]), len(y[0]))
        if (len(x), len(x[0])) != (rows, columns):
            x = self._wide(x, rows, columns)
        if (len(y), len(y[0])) != (rows, columns):
            y = self._wide(y, rows, columns)
        return [[operation(v, w) for v, w in zip(a, b, strict=True)] for a, b in zip(x, y, strict=True)]

    def _wide(self, x: Rows, rows: int, columns: int) -> Rows:
        if len(x) not in (1, rows) or len(x[0]) not in (1, columns):
            _refused("a sum of unequal shapes")
        wide = [row * columns if len(row) == 1 else row for row in x]
        return wide * rows if len(wide) == 1 else wide

    # ------------------------------------------------------------------------------------------- shapes

    def const(self, value: Any) -> Rows:
        return [[self.number(value)]]

    def from_int(self, x: Any) -> Rows:
        return self.const(x)

    def full(self, dims: tuple[int, int], value: int) -> Rows:
        if not all(dims):
            _refused("an empty matrix")
        return [[self.number(value)] * dims[1] for _ in range(dims[0])]

    def dims(self, x: Rows) -> tuple[int, int]:
        return len(x), len(x[0])

    def eye(self, n: int) -> Rows:
        return self.diag(self.full((n, 1), 1))

    def transpose(self, x: Rows) -> Rows:
        return [list(column) for column in zip(*x, strict=True)]

    def diag(self, x: Rows) -> Rows:
        return [[row[0] if i == j else self.zero for j in range(len(x))] for i, row in enumerate(x)]

    def diagonal(self, x: Rows) -> Rows:
        return [[row[i]] for i, row in enumerate(x)]

    def block(self, x: Rows, axis: int, start: int, end: int) -> Rows:
        return x[start:end] if axis == 0 else [row[start:end] for row in x]

    def concat(self, values: Sequence[Rows], axis: int) -> Rows:
        if axis == 0:
            return [row for value in values for row in value]
        return [[v for part in parts for v in part] for parts in zip(*values, strict=True)]

    # ------------------------------------------------------------------------------------------- arithmetic

    def _sum(self, entries: Iterable[Entry]) -> Entry:
        out = self.zero
        for entry in entries:
            out = self.plus(out, entry)
        return out

    def reduce(self, x: Rows, axis: int) -> Rows:
        """The sum along an axis, which stays with length 1."""
        return (
            [[self._sum(row)] for row in x] if axis == -1 else [[self._sum(column) for column in zip(*x, strict=True)]]
        )

    def sum_rows(self, x: Rows) -> Rows:
        return self.reduce(x, -1)

    def total(self, x: Rows) -> Rows:
        return [[self._sum(v for row in x for v in row)]]

    def add(self, x: Rows, y: Rows) -> Rows:
        return self.both(self.plus, x, y)

    def mul(self, x: Rows, y: Rows) -> Rows:
        return self.both(self.by, x, y)

    def matmul(self, x: Rows, y: Rows) -> Rows:
        columns = list(zip(*y, strict=True))
        return [[self._sum(map(self.by, row, column)) for column in columns] for row in x]

    def times(self, x: Rows, y: Rows) -> Rows:
        if len(x) == 1 == len(x[0]) or len(y) == 1 == len(y[0]):
            return self.mul(x, y)
        return self.matmul(x, y)

    def pow_int(self, x: Rows, n: int) -> Rows:
        if n > LARGEST_EXPONENT:
            raise EvaluationError(f"the exponent {n} is too large")
        return self.each(lambda v: self.raised(v, n), x)

    raised: Callable[[Entry, int], Entry]
    masked: Callable[[Rows, Rows], Rows]
