"""float64 and float32."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from derive.numerics.fields.base import Field, Value
from derive.numerics.randomness import smooth


class Floating(Field):
    """float64 (or float32); undefined values are NaN, and no warning is given."""

    def __init__(self, dtype: Any = np.float64) -> None:
        self.dtype = dtype

    def const(self, value: Fraction | int) -> Value:
        try:
            return np.full((1, 1), float(value), dtype=self.dtype)
        except OverflowError:
            return np.full((1, 1), np.inf, dtype=self.dtype)

    def times(self, x: Value, y: Value) -> Value:
        return x * y if 1 == x.shape[-1] == x.shape[-2] or 1 == y.shape[-1] == y.shape[-2] else x @ y

    def pi(self) -> Value:
        return np.full((1, 1), np.pi, dtype=self.dtype)

    def add(self, x: Value, y: Value) -> Value:
        return x + y

    def mul(self, x: Value, y: Value) -> Value:
        return x * y

    def neg(self, x: Value) -> Value:
        return -x

    def inv(self, x: Value) -> Value:
        return 1.0 / x

    def matmul(self, x: Value, y: Value) -> Value:
        return x @ y

    exp = staticmethod(np.exp)
    log = staticmethod(np.log)
    sqrt = staticmethod(np.sqrt)
    sin = staticmethod(np.sin)
    cos = staticmethod(np.cos)
    arctan = staticmethod(np.arctan)
    arcsin = staticmethod(np.arcsin)

    def erf(self, x: Value) -> Value:
        return np.asarray(np.vectorize(lambda v: float(mpmath.erf(v)), otypes=[float])(x))

    def shifted(self, x: Value) -> Value:
        axes = (-2, -1) if 1 in x.shape[-2:] else (-1,)
        return x - x.max(axis=axes, keepdims=True)

    def general_pow(self, x: Value, y: Value) -> Value:
        return np.power(x, y)

    def masked(self, x: Value, holds: Value) -> Value:
        return np.where(holds == 0, self.dtype(0), x * holds)

    def positive(self, x: Value) -> Value:
        return np.where(np.isnan(x), np.nan, x > 0)

    def is_zero(self, x: Value) -> Value:
        return (x == 0).astype(self.dtype)

    def otherwise_undefined(self, condition: Value, branch: Value) -> Value:
        return np.where(condition > 0, branch, np.nan)

    def choose(self, condition: Value, then: Value, otherwise: Value, opposite: Value) -> Value:
        return np.where(condition > 0, then, otherwise)

    def unspecified(self, name: str, order: int, x: Value) -> Value:
        a, w, p, s, q = smooth(name)
        wave = a * w**order * np.sin(w * x + p + order * np.pi / 2)
        tail = [s * x + q * x * x, s + 2 * q * x, 2 * q + 0 * x]
        return wave + tail[order] if order < 3 else wave
