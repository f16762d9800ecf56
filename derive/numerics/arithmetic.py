"""What can be computed over any field from a few primitives, however its values are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from derive.errors import EvaluationError

Value = Any
LARGEST_EXPONENT = 100_000
MOST_ROWS = 6


class Arithmetic:
    """Derived operations; a field gives itself the primitives that are declared at the end."""

    def sub(self, x: Value, y: Value) -> Value:
        return self.add(x, self.neg(y))

    def div(self, x: Value, y: Value) -> Value:
        return self.mul(x, self.inv(y))

    def pow(self, x: Value, exponent: Fraction) -> Value:
        if exponent.denominator == 1:
            n = int(exponent)
            return self.pow_int(x, n) if n >= 0 else self.inv(self.pow_int(x, -n))
        if exponent.denominator == 2:
            return self.pow(self.sqrt(x), Fraction(exponent.numerator))
        return self.general_pow(x, self.const(exponent))

    def general_pow(self, x: Value, y: Value) -> Value:
        return self.exp(self.mul(y, self.log(x)))

    def shifted(self, x: Value) -> Value:
        """X for a softmax; a field where exponentials overflow subtracts the largest entry."""
        return x

    def det(self, x: Value) -> Value:
        """The determinant, expanded along the first row."""
        if self.dims(x)[1] > MOST_ROWS:
            raise EvaluationError(f"determinants of more than {MOST_ROWS} rows are not evaluated")
        return self._expanded(self._cells(x))

    def _cells(self, x: Value) -> list[list[Value]]:
        rows, columns = self.dims(x)
        lines = [self.block(x, 0, i, i + 1) for i in range(rows)]
        return [[self.block(line, 1, j, j + 1) for j in range(columns)] for line in lines]

    def _expanded(self, cells: list[list[Value]]) -> Value:
        """The determinant of a matrix given by its entries; a minor that is needed again is kept."""
        known: dict[tuple[int, ...], Value] = {}

        def below(columns: tuple[int, ...]) -> Value:
            """The minor of these columns and as many of the last rows."""
            row = cells[len(cells) - len(columns)]
            if len(columns) == 1:
                return row[columns[0]]
            if columns not in known:
                out = None
                for k, j in enumerate(columns):
                    part = self.mul(row[j], below(columns[:k] + columns[k + 1 :]))
                    out = part if out is None else (self.add(out, part) if k % 2 == 0 else self.sub(out, part))
                known[columns] = out
            return known[columns]

        return below(tuple(range(len(cells))))

    def inverse(self, x: Value) -> Value:
        """The inverse by cofactors."""
        n = self.dims(x)[0]
        if n == 1:
            return self.inv(x)
        divisor, cells = self.inv(self.det(x)), self._cells(x)
        rows = []
        for i in range(n):
            parts = [[line[:i] + line[i + 1 :] for k, line in enumerate(cells) if k != j] for j in range(n)]
            minors = [self._expanded(part) for part in parts]
            rows.append(self.concat([c if (i + j) % 2 == 0 else self.neg(c) for j, c in enumerate(minors)], 1))
        return self.mul(self.concat(rows, 0), divisor)

    def choose(self, condition: Value, then: Value, otherwise: Value, opposite: Value) -> Value:
        return self.add(self.mul(condition, then), self.mul(opposite, otherwise))

    # ------------------------------------------------------------- arithmetic, by the fields themselves

    add: Callable[[Value, Value], Value]
    mul: Callable[[Value, Value], Value]
    neg: Callable[[Value], Value]
    inv: Callable[[Value], Value]
    matmul: Callable[[Value, Value], Value]
    exp: Callable[[Value], Value]
    log: Callable[[Value], Value]
    sqrt: Callable[[Value], Value]
    sin: Callable[[Value], Value]
    cos: Callable[[Value], Value]
    arctan: Callable[[Value], Value]
    arcsin: Callable[[Value], Value]
    erf: Callable[[Value], Value]
    positive: Callable[[Value], Value]
    is_zero: Callable[[Value], Value]
    pi: Callable[[], Value]
    unspecified: Callable[[str, int, Value], Value]
    otherwise_undefined: Callable[[Value, Value], Value]
    const: Callable[[Any], Value]
    dims: Callable[[Value], tuple[int, int]]
    block: Callable[[Value, int, int, int], Value]
    concat: Callable[[Sequence[Value], int], Value]
    pow_int: Callable[[Value, int], Value]
