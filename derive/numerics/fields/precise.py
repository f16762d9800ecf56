"""Numbers of many decimal digits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from derive.numerics.fields.base import Field, Value
from derive.numerics.randomness import smooth


class Precise(Field):
    """Numbers of many decimal digits; undefined values are NaN."""

    def __init__(self, digits: int = 60) -> None:
        self.mp = mpmath.MPContext()
        self.mp.dps = digits
        self._nan = self.mp.nan
        self._noticed = threading.local()
        self._cache: dict[str, Any] = {}

    @property
    def saturated(self) -> bool:
        """Whether a number was too large or small for the digits to tell, in this thread."""
        return getattr(self._noticed, "saturated", False)

    @saturated.setter
    def saturated(self, value: bool) -> None:
        self._noticed.saturated = value

    def const(self, value: Fraction | int) -> Value:
        fraction = Fraction(value)
        out = np.empty((1, 1), dtype=object)
        out[0, 0] = self.mp.mpf(fraction.numerator) / self.mp.mpf(fraction.denominator)
        return out

    def from_int(self, x: Any) -> Value:
        return self.map("int", lambda v: self.mp.mpf(int(v)), np.asarray(x))

    def pi(self) -> Value:
        out = np.empty((1, 1), dtype=object)
        out[0, 0] = +self.mp.pi
        return out

    def map(self, name: str, function: Callable[[Any], Any], x: Any) -> Value:
        """`function` on each entry; what it refuses or leaves the real numbers for is NaN."""
        if name not in self._cache:
            self._cache[name] = np.frompyfunc(self._guarded(function), 1, 1)
        return np.asarray(self._cache[name](x), dtype=object)

    def _guarded(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def guarded(v: Any) -> Any:
            try:
                value = function(v)
            except (ValueError, ZeroDivisionError, OverflowError):
                return self._nan
            return self._nan if isinstance(value, self.mp.mpc) else value

        return guarded

    def add(self, x: Value, y: Value) -> Value:
        return x + y

    def mul(self, x: Value, y: Value) -> Value:
        return x * y

    def neg(self, x: Value) -> Value:
        return -x

    def inv(self, x: Value) -> Value:
        return self.map("inv", lambda v: 1 / v, x)

    def matmul(self, x: Value, y: Value) -> Value:
        return (x[..., :, :, None] * y[..., None, :, :]).sum(axis=-2)

    def exp(self, x: Value) -> Value:
        """e^x; `saturated` remembers that an argument was too large for the digits to tell."""
        return self.map("exp", self._exp, x)

    def _exp(self, v: Any) -> Any:
        if abs(v) > 80:
            self.saturated = True
        return self.mp.exp(v) if v < 10**6 else self.mp.inf

    def log(self, x: Value) -> Value:
        return self.map("log", self.mp.log, x)

    def sqrt(self, x: Value) -> Value:
        return self.map("sqrt", self.mp.sqrt, x)

    def sin(self, x: Value) -> Value:
        return self.map("sin", self.mp.sin, x)

    def cos(self, x: Value) -> Value:
        return self.map("cos", self.mp.cos, x)

    def arctan(self, x: Value) -> Value:
        return self.map("atan", self.mp.atan, x)

    def arcsin(self, x: Value) -> Value:
        return self.map("asin", self.mp.asin, x)

    def erf(self, x: Value) -> Value:
        return self.map("erf", self.mp.erf, x)

    def general_pow(self, x: Value, y: Value) -> Value:
        power = np.frompyfunc(lambda a, b: self._guarded(lambda _: self.mp.power(a, b))(None), 2, 1)
        return np.asarray(power(x, y), dtype=object)

    def masked(self, x: Value, holds: Value) -> Value:
        return np.where(np.asarray(holds == 0, dtype=bool), self.mp.mpf(0), x * holds)

    def positive(self, x: Value) -> Value:
        return self.map("positive", lambda v: v if self.mp.isnan(v) else self.mp.mpf(int(v > 0)), x)

    def is_zero(self, x: Value) -> Value:
        return self.map("zero", lambda v: self.mp.mpf(int(v == 0)), x)

    def choose(self, condition: Value, then: Value, otherwise: Value, opposite: Value) -> Value:
        return np.where(np.asarray(condition > 0, dtype=bool), then, otherwise)

    def otherwise_undefined(self, condition: Value, branch: Value) -> Value:
        return np.where(np.asarray(condition > 0, dtype=bool), branch, self._nan)

    def unspecified(self, name: str, order: int, x: Value) -> Value:
        a, w, p, s, q = (self.mp.mpf(v) for v in smooth(name))
        turn = p + order * self.mp.pi / 2
        wave = self.map(f"{name}{order}", lambda v: a * w**order * self.mp.sin(w * v + turn), x)
        tail = [s * x + q * x * x, s + 2 * q * x, 2 * q + 0 * x]
        return wave + tail[order] if order < 3 else wave
