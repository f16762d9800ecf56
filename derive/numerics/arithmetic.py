"""What can be computed over any field from a few primitives, however its values are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from derive.errors import EvaluationError

Value = Any


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
        n = self.dims(x)[1]
        if n > 6:
            raise EvaluationError("determinants of more than 6 rows are not evaluated")
        if n == 1:
            return x
        out = None
        for j in range(n):
            part = self.mul(self.block(self.block(x, 0, 0, 1), 1, j, j + 1), self._minor(x, 0, j))
            out = part if out is None else (self.add(out, part) if j % 2 == 0 else self.sub(out, part))
        return out

    def _minor(self, x: Value, i: int, j: int) -> Value:
        n = self.dims(x)[0]
        rows = self.concat([self.block(x, 0, 0, i), self.block(x, 0, i + 1, n)], 0)
        return self.det(self.concat([self.block(rows, 1, 0, j), self.block(rows, 1, j + 1, n)], 1))

    def inverse(self, x: Value) -> Value:
        """The inverse by cofactors."""
        n = self.dims(x)[0]
        if n == 1:
            return self.inv(x)
        rows = []
        for i in range(n):
            cofactors = [self._minor(x, j, i) for j in range(n)]
            rows.append(self.concat([c if (i + j) % 2 == 0 else self.neg(c) for j, c in enumerate(cofactors)], 1))
        return self.mul(self.concat(rows, 0), self.inv(self.det(x)))

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
