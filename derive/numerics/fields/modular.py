"""Integers modulo a prime, where transcendental functions are random functions that keep simple laws."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.numerics.fields.base import Field, Value

PRIME = 4294967291


def _mix(x: Any, salt: int) -> Any:
    """A pseudo-random function of 64-bit integers (the finaliser of splitmix64)."""
    z = x + np.uint64((salt * 0x9E3779B97F4A7C15) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@lru_cache(maxsize=256)
def _salt(name: str) -> int:
    value = 1469598103934665603
    for byte in name.encode():
        value = (value ^ byte) * 1099511628211 % 2**64
    return value


class Modular(Field):
    """Integers modulo `PRIME`; transcendental functions are random functions that keep simple laws.

    The laws kept: exp(−x) exp(x) = 1, log(1/x) = −log x, sin and arctan odd, cos even, √x √x = x where the
    root exists.  `positive` is a random bit with positive(x) + positive(−x) = 1 for x ≠ 0, and the true
    sign for integers of at most 1000 in size: so an identity that holds is shown on all branches at once.
    """

    dtype = np.uint64

    def __init__(self, salt: int = 1) -> None:
        self.salt = salt

    def const(self, value: Fraction | int) -> Value:
        fraction = Fraction(value)
        low = fraction.denominator % PRIME
        if not low:
            raise EvaluationError("a denominator that vanishes modulo the prime")
        return np.full((1, 1), fraction.numerator * pow(low, -1, PRIME) % PRIME, dtype=np.uint64)

    def from_int(self, x: Any) -> Value:
        return np.mod(np.asarray(x, dtype=np.int64), PRIME).astype(np.uint64)

    def pi(self) -> Value:
        return np.full((1, 1), self._atom("pi", np.uint64(3)), dtype=np.uint64)

    def add(self, x: Value, y: Value) -> Value:
        return (x + y) % PRIME

    def mul(self, x: Value, y: Value) -> Value:
        return x * y % PRIME

    def neg(self, x: Value) -> Value:
        return (PRIME - x) % PRIME

    def inv(self, x: Value) -> Value:
        if not np.all(x):
            raise EvaluationError("a division by zero")
        return self._inverse(x)

    def _inverse(self, x: Value) -> Value:
        return self._pow(x, PRIME - 2)

    def _pow(self, x: Value, n: int) -> Value:
        out, base = np.ones_like(x), x
        while n:
            if n & 1:
                out = out * base % PRIME
            base, n = base * base % PRIME, n >> 1
        return out

    def pow_int(self, x: Value, n: int) -> Value:
        return self._pow(x, n)

    def matmul(self, x: Value, y: Value) -> Value:
        return (x[..., :, :, None] * y[..., None, :, :] % PRIME).sum(axis=-2) % PRIME

    def reduce(self, x: Value, axis: int) -> Value:
        return x.sum(axis=axis, keepdims=True) % PRIME

    def _atom(self, name: str, x: Any) -> Any:
        with np.errstate(over="ignore"):
            value = _mix(x, _salt(name) ^ self.salt) % np.uint64(PRIME - 1)
        return value + np.uint64(1)

    def exp(self, x: Value) -> Value:
        mirrored = x > PRIME // 2
        value = self._atom("exp", np.where(mirrored, self.neg(x), x))
        value = np.where(x == 0, np.uint64(1), value)
        return np.where(mirrored, self._inverse(value), value)

    def log(self, x: Value) -> Value:
        other = self._inverse(x)
        smaller = np.minimum(x, other)
        value = np.where(x == 1, np.uint64(0), self._atom("log", smaller))
        return np.where(x == smaller, value, self.neg(value))

    def sqrt(self, x: Value) -> Value:
        root = self._pow(x, (PRIME + 1) // 4)
        return np.where(root * root % PRIME == x, root, self._atom("sqrt", x))

    def _odd(self, name: str, x: Value) -> Value:
        mirrored = x > PRIME // 2
        value = np.where(x == 0, np.uint64(0), self._atom(name, np.where(mirrored, self.neg(x), x)))
        return np.where(mirrored, self.neg(value), value)

    def sin(self, x: Value) -> Value:
        return self._odd("sin", x)

    def cos(self, x: Value) -> Value:
        return np.where(x == 0, np.uint64(1), self._atom("cos", np.minimum(x, self.neg(x))))

    def arctan(self, x: Value) -> Value:
        return self._odd("arctan", x)

    def arcsin(self, x: Value) -> Value:
        return self._odd("arcsin", x)

    def erf(self, x: Value) -> Value:
        return self._odd("erf", x)

    def general_pow(self, x: Value, y: Value) -> Value:
        with np.errstate(over="ignore"):
            return self._atom("pow", x * np.uint64(0x9E3779B97F4A7C15) ^ _mix(y, 7))

    def positive(self, x: Value) -> Value:
        mirrored = x > PRIME // 2
        size: Any = np.where(mirrored, self.neg(x), x)
        coin = self._atom("sign", size) & np.uint64(1)
        plus = np.where(size <= 1000, np.uint64(1), coin)
        return np.where(x == 0, np.uint64(0), np.where(mirrored, np.uint64(1) - plus, plus))

    def is_zero(self, x: Value) -> Value:
        return (x == 0).astype(np.uint64)

    def unspecified(self, name: str, order: int, x: Value) -> Value:
        return self._atom(f"{name}{order}", x)

    def otherwise_undefined(self, condition: Value, branch: Value) -> Value:
        unknown = self._atom("undefined", branch)
        return np.where(condition == 1, branch, unknown)
