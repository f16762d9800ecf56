"""float64 over lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from derive.numerics.plain.rows import Plain, Rows
from derive.numerics.randomness import smooth


class Reals(Plain):
    """float64; what has no value is NaN."""

    zero = 0.0

    def number(self, value: Any) -> float:
        try:
            return float(value)
        except OverflowError:
            return math.inf

    def plus(self, x: float, y: float) -> float:
        return x + y

    def by(self, x: float, y: float) -> float:
        return x * y

    def neg(self, x: Rows) -> Rows:
        return [[-v for v in row] for row in x]

    def raised(self, x: float, n: int) -> float:
        try:
            return x**n
        except OverflowError:
            return math.inf if x > 0 or n % 2 == 0 else -math.inf

    def inv(self, x: Rows) -> Rows:
        return self.each(lambda v: 1.0 / v if v else math.copysign(math.inf, v), x)

    def pi(self) -> Rows:
        return [[math.pi]]

    def _function(self, function: Callable[..., float], *values: Rows) -> Rows:
        def one(*entries: float) -> float:
            try:
                return function(*entries)
            except OverflowError:
                return math.inf
            except ValueError:
                return math.nan

        return self.each(one, values[0]) if len(values) == 1 else self.both(one, *values)

    def exp(self, x: Rows) -> Rows:
        return self._function(math.exp, x)

    def log(self, x: Rows) -> Rows:
        return self._function(lambda v: math.log(v) if v else -math.inf, x)

    def sqrt(self, x: Rows) -> Rows:
        return self._function(math.sqrt, x)

    def sin(self, x: Rows) -> Rows:
        return self._function(math.sin, x)

    def cos(self, x: Rows) -> Rows:
        return self._function(math.cos, x)

    def arctan(self, x: Rows) -> Rows:
        return self._function(math.atan, x)

    def arcsin(self, x: Rows) -> Rows:
        return self._function(math.asin, x)

    def erf(self, x: Rows) -> Rows:
        return self._function(math.erf, x)

    def general_pow(self, x: Rows, y: Rows) -> Rows:
        return self._function(math.pow, x, y)

    def positive(self, x: Rows) -> Rows:
        return self.each(lambda v: v if math.isnan(v) else float(v > 0), x)

    def is_zero(self, x: Rows) -> Rows:
        return self.each(lambda v: float(v == 0), x)

    def masked(self, x: Rows, holds: Rows) -> Rows:
        return self.both(lambda v, kept: v * kept if kept else 0.0, x, holds)

    def choose(self, condition: Rows, then: Rows, otherwise: Rows, opposite: Rows) -> Rows:
        rest = self.both(lambda c, v: None if c > 0 else v, condition, otherwise)
        return self.both(lambda v, w: v if w is None else w, then, rest)

    def shifted(self, x: Rows) -> Rows:
        largest = [max(v for row in x for v in row)] * len(x) if 1 in self.dims(x) else [max(row) for row in x]
        return [[v - most for v in row] for row, most in zip(x, largest, strict=True)]

    def unspecified(self, name: str, order: int, x: Rows) -> Rows:
        a, w, p, s, q = smooth(name)

        def one(v: float) -> float:
            tail = (s * v + q * v * v, s + 2 * q * v, 2 * q)
            return a * w**order * math.sin(w * v + p + order * math.pi / 2) + (tail[order] if order < 3 else 0.0)

        return self._function(one, x)

    def otherwise_undefined(self, condition: Rows, branch: Rows) -> Rows:
        return self.both(lambda c, v: v if c > 0 else math.nan, condition, branch)
