"""Integers modulo a prime over lists."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from derive.errors import EvaluationError
from derive.numerics.plain.rows import Plain, Rows
from derive.numerics.randomness import CERTAIN, FULL, GOLDEN, PRIME, mixed, salt_of


class Residues(Plain):
    """Integers modulo a prime, with the laws of `derive.grading.random_branches.Multilinear` and its random functions,

    so that what both compute from the same numbers is the same.
    """

    zero = 0

    def __init__(self, salt: int, prime: int = PRIME) -> None:
        self.prime, self.salt = prime, salt

    def number(self, value: Any) -> int:
        fraction = Fraction(value)
        low = fraction.denominator % self.prime
        if not low:
            raise EvaluationError("a denominator that vanishes modulo the prime")
        return fraction.numerator * pow(low, -1, self.prime) % self.prime

    def plus(self, x: int, y: int) -> int:
        return (x + y) % self.prime

    def by(self, x: int, y: int) -> int:
        return x * y % self.prime

    def neg(self, x: Rows) -> Rows:
        return self.each(lambda v: -v % self.prime, x)

    def raised(self, x: int, n: int) -> int:
        return pow(x, n, self.prime)

    def inv(self, x: Rows) -> Rows:
        if any(v == 0 for row in x for v in row):
            raise EvaluationError("a division by zero")
        return self.each(lambda v: pow(v, -1, self.prime), x)

    def masked(self, x: Rows, holds: Rows) -> Rows:
        return self.mul(x, holds)

    # ------------------------------------------------------------------------------------- random functions

    def _atom(self, name: str, x: int) -> int:
        return mixed(x, salt_of(name) ^ self.salt) % (self.prime - 1) + 1

    def pi(self) -> Rows:
        return [[self._atom("pi", 3)]]

    def _mirrored(self, x: int) -> int:
        return self.prime - x if x > self.prime // 2 else x

    def exp(self, x: Rows) -> Rows:
        def one(v: int) -> int:
            size = self._mirrored(v)
            value = 1 if v == 0 else self._atom("exp", size)
            return value if size == v else pow(value, -1, self.prime)

        return self.each(one, x)

    def log(self, x: Rows) -> Rows:
        def one(v: int) -> int:
            other = pow(v, self.prime - 2, self.prime)
            value = 0 if v == 1 else self._atom("log", min(v, other))
            return value if v <= other else -value % self.prime

        return self.each(one, x)

    def sqrt(self, x: Rows) -> Rows:
        def one(v: int) -> int:
            root = pow(v, (self.prime + 1) // 4, self.prime)
            return root if root * root % self.prime == v else self._atom("sqrt", v)

        return self.each(one, x)

    def _odd(self, name: str, x: Rows) -> Rows:
        def one(v: int) -> int:
            size = self._mirrored(v)
            value = 0 if v == 0 else self._atom(name, size)
            return value if size == v else -value % self.prime

        return self.each(one, x)

    def sin(self, x: Rows) -> Rows:
        return self._odd("sin", x)

    def arctan(self, x: Rows) -> Rows:
        return self._odd("arctan", x)

    def arcsin(self, x: Rows) -> Rows:
        return self._odd("arcsin", x)

    def erf(self, x: Rows) -> Rows:
        return self._odd("erf", x)

    def cos(self, x: Rows) -> Rows:
        return self.each(lambda v: 1 if v == 0 else self._atom("cos", self._mirrored(v)), x)

    def general_pow(self, x: Rows, y: Rows) -> Rows:
        return self.both(lambda v, w: self._atom("pow", v * GOLDEN & FULL ^ mixed(w, 7)), x, y)

    def positive(self, x: Rows) -> Rows:
        """Indicators are random numbers, but true for whole numbers of at most `CERTAIN` in size."""

        def one(v: int) -> int:
            size = self._mirrored(v)
            plus = 1 if size <= CERTAIN else self._atom("sign", size)
            return 0 if v == 0 else plus if size == v else (1 - plus) % self.prime

        return self.each(one, x)

    def is_zero(self, x: Rows) -> Rows:
        return self.each(lambda v: int(v == 0), x)

    def unspecified(self, name: str, order: int, x: Rows) -> Rows:
        return self.each(lambda v: self._atom(f"{name}{order}", v), x)

    def otherwise_undefined(self, condition: Rows, branch: Rows) -> Rows:
        return self.both(lambda c, v: v if c == 1 else self._atom("undefined", v), condition, branch)
