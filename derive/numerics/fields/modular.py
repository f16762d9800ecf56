"""Integers modulo a prime, where transcendental functions are random functions that keep simple laws."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.numerics.fields.base import Field, Value
from derive.numerics.randomness import GOLDEN, PRIME, salt_of

FEW = 64
_PRIME, _HALF = np.uint64(PRIME), np.uint64(PRIME // 2)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_NONE, _ONE = np.uint64(0), np.uint64(1)


def _mix(x: Any, salt: int) -> Any:
    """A pseudo-random function of 64-bit integers (the finaliser of splitmix64)."""
    z = x + np.uint64((salt * GOLDEN) % 2**64)
    z = (z ^ (z >> _SHIFTS[0])) * _FACTORS[0]
    z = (z ^ (z >> _SHIFTS[1])) * _FACTORS[1]
    return z ^ (z >> _SHIFTS[2])


def _of_ones(x: Any, bits: int) -> Any:
    """X to the power of 2^bits − 1, with as few products as that takes."""
    if bits == 1:
        return x
    out = half = _of_ones(x, bits // 2)
    for _ in range(bits // 2):
        out = out * out % _PRIME
    out = out * half % _PRIME
    return out * out % _PRIME * x % _PRIME if bits % 2 else out


def _few_inverses(x: Any) -> Any:
    """The inverses of a few numbers that are not zero, by one inversion (Montgomery's trick)."""
    values = x.ravel().tolist()
    upto = list(accumulate(values, lambda a, b: a * b % PRIME))
    out, rest = values[:], pow(upto[-1], -1, PRIME)
    for k in range(len(values) - 1, 0, -1):
        out[k], rest = rest * upto[k - 1] % PRIME, rest * values[k] % PRIME
    out[0] = rest
    return np.asarray(out, dtype=np.uint64).reshape(x.shape)


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
        low = value.denominator % PRIME
        if not low:
            raise EvaluationError("a denominator that vanishes modulo the prime")
        whole = value.numerator if low == 1 else value.numerator * pow(low, -1, PRIME)
        return np.asarray([[whole % PRIME]], dtype=np.uint64)

    def from_int(self, x: Any) -> Value:
        return np.mod(np.asarray(x, dtype=np.int64), PRIME).astype(np.uint64)

    def pi(self) -> Value:
        return self._atom("pi", np.full((1, 1), 3, dtype=np.uint64))

    def add(self, x: Value, y: Value) -> Value:
        return (x + y) % _PRIME

    def mul(self, x: Value, y: Value) -> Value:
        return x * y % _PRIME

    def neg(self, x: Value) -> Value:
        return (_PRIME - x) % _PRIME

    def inv(self, x: Value) -> Value:
        if not x.all():
            raise EvaluationError("a division by zero")
        return self._inverse(x)

    def _inverse(self, x: Value) -> Value:
        """1/x, and 0 for 0."""
        if 0 < x.size <= FEW and x.all():
            return _few_inverses(x)
        out = _of_ones(x, 29)
        for _ in range(3):
            out = out * out % _PRIME
        return out * x % _PRIME  # the power PRIME − 2

    def _pow(self, x: Value, n: int) -> Value:
        out, base = np.ones_like(x), x
        while n:
            if n & 1:
                out = out * base % _PRIME
            n >>= 1
            base = base * base % _PRIME if n else base
        return out

    def pow_int(self, x: Value, n: int) -> Value:
        return self._pow(x, n)

    def matmul(self, x: Value, y: Value) -> Value:
        if x.shape[-1] == 1:
            return x * y % _PRIME
        return (x[..., :, :, None] * y[..., None, :, :] % _PRIME).sum(axis=-2) % _PRIME

    def reduce(self, x: Value, axis: int) -> Value:
        return x.sum(axis=axis, keepdims=True) % _PRIME

    def _atom(self, name: str, x: Any) -> Any:
        return _mix(x, salt_of(name) ^ self.salt) % (_PRIME - _ONE) + _ONE

    def exp(self, x: Value) -> Value:
        mirrored = x > _HALF
        value = self._atom("exp", np.where(mirrored, self.neg(x), x))
        value = np.where(x == 0, _ONE, value)
        return np.where(mirrored, self._inverse(value), value)

    def log(self, x: Value) -> Value:
        other = self._inverse(x)
        smaller = np.minimum(x, other)
        value = np.where(x == 1, _NONE, self._atom("log", smaller))
        return np.where(x == smaller, value, self.neg(value))

    def sqrt(self, x: Value) -> Value:
        root = _of_ones(x, 30)  # the power (PRIME + 1) / 4
        return np.where(root * root % _PRIME == x, root, self._atom("sqrt", x))

    def _odd(self, name: str, x: Value) -> Value:
        mirrored = x > _HALF
        value = np.where(x == 0, _NONE, self._atom(name, np.where(mirrored, self.neg(x), x)))
        return np.where(mirrored, self.neg(value), value)

    def sin(self, x: Value) -> Value:
        return self._odd("sin", x)

    def cos(self, x: Value) -> Value:
        return np.where(x == 0, _ONE, self._atom("cos", np.minimum(x, self.neg(x))))

    def arctan(self, x: Value) -> Value:
        return self._odd("arctan", x)

    def arcsin(self, x: Value) -> Value:
        return self._odd("arcsin", x)

    def erf(self, x: Value) -> Value:
        return self._odd("erf", x)

    def general_pow(self, x: Value, y: Value) -> Value:
        return self._atom("pow", x * np.uint64(GOLDEN) ^ _mix(y, 7))

    def positive(self, x: Value) -> Value:
        mirrored = x > _HALF
        size: Any = np.where(mirrored, self.neg(x), x)
        coin = self._atom("sign", size) & _ONE
        plus = np.where(size <= 1000, _ONE, coin)
        return np.where(x == 0, _NONE, np.where(mirrored, _ONE - plus, plus))

    def is_zero(self, x: Value) -> Value:
        return (x == 0).astype(np.uint64)

    def unspecified(self, name: str, order: int, x: Value) -> Value:
        return self._atom(f"{name}{order}", x)

    def otherwise_undefined(self, condition: Value, branch: Value) -> Value:
        unknown = self._atom("undefined", branch)
        return np.where(condition == 1, branch, unknown)
