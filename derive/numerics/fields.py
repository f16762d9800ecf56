"""The fields over which expressions are evaluated.

A value is an array of shape (…, rows, columns); the leading axes hold sample points and bound indices and
broadcast.  Every field has the same few primitives, so an operation's meaning is written once:

- `Floating`: float64, or float32;
- `Modular`: integers modulo the prime 2³² − 5, where exp, log and the like take random values: an identity
  that holds there holds exactly, up to a chance of about 2⁻³² a point;
- `Precise`: 50 decimal digits and more, by mpmath;
- `Dual`: forward-mode differentiation over any of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np

from derive.errors import EvaluationError

Value = Any
PRIME = 4294967291


class Field:
    """Primitives that move entries about; they are the same over every field."""

    dtype: Any = object

    def const(self, value: Fraction | int) -> Value:
        """A 1 × 1 value."""
        raise NotImplementedError

    def full(self, dims: tuple[int, int], value: int) -> Value:
        """A matrix with equal entries."""
        return np.broadcast_to(self.const(value), dims)

    def dims(self, x: Value) -> tuple[int, int]:
        """Rows and columns."""
        return x.shape[-2], x.shape[-1]

    def transpose(self, x: Value) -> Value:
        return np.swapaxes(x, -1, -2)

    def diag(self, x: Value) -> Value:
        n = x.shape[-2]
        return self.mul(np.broadcast_to(x, (*x.shape[:-1], n)), self.eye(n))

    def diagonal(self, x: Value) -> Value:
        return np.diagonal(x, axis1=-2, axis2=-1)[..., None]

    def eye(self, n: int) -> Value:
        return self.from_int(np.eye(n, dtype=np.int64))

    def from_int(self, x: Any) -> Value:
        """Exact integers, such as the entries of one-hot vectors."""
        return np.asarray(x).astype(self.dtype)

    def sum_rows(self, x: Value) -> Value:
        return self.reduce(x, -1)

    def total(self, x: Value) -> Value:
        """The sum of all entries, as 1 × 1."""
        return self.reduce(self.reduce(x, -1), -2)

    def reduce(self, x: Value, axis: int) -> Value:
        """The sum along an axis, which stays with length 1."""
        return x.sum(axis=axis, keepdims=True)

    def sum_bound(self, x: Value, axis: int, count: int) -> Value:
        """The sum over the `count` values of a bound index, whose axis is the first if it is there."""
        if -axis > x.ndim:
            return self.mul(self.const(count), x)
        out = self.reduce(x, axis)[0]
        return self.mul(self.const(count), out) if x.shape[axis] == 1 < count else out

    def concat(self, values: Sequence[Value], axis: int) -> Value:
        lead = np.broadcast_shapes(*(v.shape[:-2] for v in values))
        full = [np.broadcast_to(v, (*lead, *v.shape[-2:])) for v in values]
        return np.concatenate(full, axis=axis - 2)

    def block(self, x: Value, axis: int, start: int, end: int) -> Value:
        return x[..., start:end, :] if axis == 0 else x[..., start:end]

    def take(self, x: Value, position: Any, axis: int) -> Value:
        """Entries at 0-based positions along one of the last axes; the positions broadcast."""
        tail = x.shape[-3:] if axis == -3 else x.shape[-2:]
        k = len(tail)
        lead = np.broadcast_shapes(x.shape[: x.ndim - k], position.shape)
        wide = np.broadcast_to(x, (*lead, *tail))
        where = np.broadcast_to(position, lead)[(..., *[None] * k)]
        return np.take_along_axis(wide, where, axis=axis)

    def member(self, x: Value, position: Any) -> Value:
        """A member of a family, whose members lie along the axis before rows and columns."""
        return self.take(x, position, -3)[..., 0, :, :]

    def sub(self, x: Value, y: Value) -> Value:
        return self.add(x, self.neg(y))

    def times(self, x: Value, y: Value) -> Value:
        """The matrix product, or scaling where one of both is 1 × 1."""
        if x.shape[-2:] == (1, 1) or y.shape[-2:] == (1, 1):
            return self.mul(x, y)
        return self.matmul(x, y)

    def div(self, x: Value, y: Value) -> Value:
        return self.mul(x, self.inv(y))

    def pow(self, x: Value, exponent: Fraction) -> Value:
        if exponent.denominator == 1:
            n = int(exponent)
            return self.pow_int(x, n) if n >= 0 else self.inv(self.pow_int(x, -n))
        if exponent.denominator == 2:
            return self.pow(self.sqrt(x), Fraction(exponent.numerator))
        return self.general_pow(x, self.const(exponent))

    def pow_int(self, x: Value, n: int) -> Value:
        if n > 100_000:
            raise EvaluationError(f"the exponent {n} is too large")
        out, base = self.const(1), x
        while n:
            out = self.mul(out, base) if n & 1 else out
            base, n = (self.mul(base, base), n >> 1) if n > 1 else (base, 0)
        return self.add(out, self.mul(self.const(0), x)) if out.shape != x.shape else out

    def general_pow(self, x: Value, y: Value) -> Value:
        return self.exp(self.mul(y, self.log(x)))

    def shifted(self, x: Value) -> Value:
        """x for a softmax; a field where exponentials overflow subtracts the largest entry."""
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


def smooth(name: str) -> list[float]:
    """The parameters of the smooth function that stands in for an unspecified one."""
    seed = np.random.default_rng([*name.encode()])
    return [float(v) for v in seed.uniform([0.6, 0.7, -1.0, 0.2, 0.15], [1.4, 1.3, 1.0, 0.9, 0.45])]


class Floating(Field):
    """float64 (or float32); undefined values are NaN, and no warning is given."""

    def __init__(self, dtype: Any = np.float64) -> None:
        self.dtype = dtype

    def const(self, value: Fraction | int) -> Value:
        try:
            return np.full((1, 1), float(value), dtype=self.dtype)
        except OverflowError:
            return np.full((1, 1), np.inf, dtype=self.dtype)

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
        size = np.where(mirrored, self.neg(x), x)
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


class Precise(Field):
    """Numbers of many decimal digits; undefined values are NaN."""

    def __init__(self, digits: int = 60) -> None:
        self.mp = mpmath.MPContext()
        self.mp.dps = digits
        self._nan = self.mp.nan
        self.saturated = False
        self._cache: dict[str, Any] = {}

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


class Dual(Field):
    """Forward-mode differentiation: pairs of a value and its tangents, which lie along a leading axis.

    The primitives' derivatives stand here and nowhere else; the rules of the reverse sweep are not used.
    """

    def __init__(self, base: Field) -> None:
        self.base = base

    def lift(self, x: Value) -> Pair:
        """A constant."""
        return Pair(x, None)

    def const(self, value: Fraction | int) -> Value:
        return self.lift(self.base.const(value))

    def full(self, dims: tuple[int, int], value: int) -> Value:
        return self.lift(self.base.full(dims, value))

    def pi(self) -> Value:
        return self.lift(self.base.pi())

    def eye(self, n: int) -> Value:
        return self.lift(self.base.eye(n))

    def from_int(self, x: Any) -> Value:
        return self.lift(self.base.from_int(x))

    def dims(self, x: Value) -> tuple[int, int]:
        return self.base.dims(x.value)

    def _both(self, function: Callable[..., Any], x: Pair, *rest: Any) -> Pair:
        return Pair(function(x.value, *rest), None if x.tangent is None else function(x.tangent, *rest))

    def transpose(self, x: Value) -> Value:
        return self._both(self.base.transpose, x)

    def diagonal(self, x: Value) -> Value:
        return self._both(self.base.diagonal, x)

    def diag(self, x: Value) -> Value:
        return self._both(self.base.diag, x)

    def reduce(self, x: Value, axis: int) -> Value:
        return self._both(self.base.reduce, x, axis)

    def sum_bound(self, x: Value, axis: int, count: int) -> Value:
        return self._both(self.base.sum_bound, x, axis, count)

    def block(self, x: Value, axis: int, start: int, end: int) -> Value:
        return self._both(self.base.block, x, axis, start, end)

    def take(self, x: Value, position: Any, axis: int) -> Value:
        return self._both(self.base.take, x, position, axis)

    def member(self, x: Value, position: Any) -> Value:
        return self._both(self.base.member, x, position)

    def concat(self, values: Sequence[Value], axis: int) -> Value:
        value = self.base.concat([v.value for v in values], axis)
        if all(v.tangent is None for v in values):
            return Pair(value, None)
        zero = self.base.const(0)
        tangents = [self.base.mul(zero, v.value) if v.tangent is None else v.tangent for v in values]
        return Pair(value, self.base.concat(tangents, axis))

    def times(self, x: Value, y: Value) -> Value:
        if (1, 1) in (x.value.shape[-2:], y.value.shape[-2:]):
            return self.mul(x, y)
        return self.matmul(x, y)

    def _sum(self, a: Any, b: Any) -> Any:
        if a is None or b is None:
            return a if b is None else b
        return self.base.add(a, b)

    def add(self, x: Value, y: Value) -> Value:
        return Pair(self.base.add(x.value, y.value), self._sum(x.tangent, y.tangent))

    def neg(self, x: Value) -> Value:
        return self._both(self.base.neg, x)

    def _product(self, operation: Callable[[Any, Any], Any], x: Pair, y: Pair) -> Pair:
        left = None if x.tangent is None else operation(x.tangent, y.value)
        right = None if y.tangent is None else operation(x.value, y.tangent)
        return Pair(operation(x.value, y.value), self._sum(left, right))

    def mul(self, x: Value, y: Value) -> Value:
        return self._product(self.base.mul, x, y)

    def matmul(self, x: Value, y: Value) -> Value:
        return self._product(self.base.matmul, x, y)

    def _chain(self, x: Pair, value: Any, slope: Callable[[], Any]) -> Pair:
        return Pair(value, None if x.tangent is None else self.base.mul(slope(), x.tangent))

    def inv(self, x: Value) -> Value:
        f, y = self.base, self.base.inv(x.value)
        return self._chain(x, y, lambda: f.neg(f.mul(y, y)))

    def exp(self, x: Value) -> Value:
        y = self.base.exp(x.value)
        return self._chain(x, y, lambda: y)

    def log(self, x: Value) -> Value:
        return self._chain(x, self.base.log(x.value), lambda: self.base.inv(x.value))

    def sqrt(self, x: Value) -> Value:
        f, y = self.base, self.base.sqrt(x.value)
        return self._chain(x, y, lambda: f.inv(f.mul(f.const(2), y)))

    def sin(self, x: Value) -> Value:
        return self._chain(x, self.base.sin(x.value), lambda: self.base.cos(x.value))

    def cos(self, x: Value) -> Value:
        return self._chain(x, self.base.cos(x.value), lambda: self.base.neg(self.base.sin(x.value)))

    def arctan(self, x: Value) -> Value:
        f = self.base
        slope = lambda: f.inv(f.add(f.const(1), f.mul(x.value, x.value)))  # noqa: E731
        return self._chain(x, f.arctan(x.value), slope)

    def arcsin(self, x: Value) -> Value:
        f = self.base
        slope = lambda: f.inv(f.sqrt(f.sub(f.const(1), f.mul(x.value, x.value))))  # noqa: E731
        return self._chain(x, f.arcsin(x.value), slope)

    def erf(self, x: Value) -> Value:
        f = self.base
        slope = lambda: f.mul(  # noqa: E731
            f.mul(f.const(2), f.inv(f.sqrt(f.pi()))), f.exp(f.neg(f.mul(x.value, x.value)))
        )
        return self._chain(x, f.erf(x.value), slope)

    def pow_int(self, x: Value, n: int) -> Value:
        f, y = self.base, self.base.pow_int(x.value, n)
        slope = lambda: f.mul(f.const(n), f.pow_int(x.value, n - 1)) if n else f.const(0)  # noqa: E731
        return self._chain(x, y, slope)

    def general_pow(self, x: Value, y: Value) -> Value:
        f, out = self.base, self.base.general_pow(x.value, y.value)
        left = None if x.tangent is None else f.mul(f.mul(f.mul(y.value, out), f.inv(x.value)), x.tangent)
        right = None if y.tangent is None else f.mul(f.mul(out, f.log(x.value)), y.tangent)
        return Pair(out, self._sum(left, right))

    def positive(self, x: Value) -> Value:
        return self.lift(self.base.positive(x.value))

    def is_zero(self, x: Value) -> Value:
        return self.lift(self.base.is_zero(x.value))

    def unspecified(self, name: str, order: int, x: Value) -> Value:
        y = self.base.unspecified(name, order, x.value)
        return self._chain(x, y, lambda: self.base.unspecified(name, order + 1, x.value))

    def otherwise_undefined(self, condition: Value, branch: Value) -> Value:
        value = self.base.otherwise_undefined(condition.value, branch.value)
        return Pair(value, branch.tangent)

    def choose(self, condition: Value, then: Value, otherwise: Value, opposite: Value) -> Value:
        f, zero = self.base, self.base.const(0)
        sides = [v.tangent if v.tangent is not None else f.mul(zero, v.value) for v in (then, otherwise)]
        value = f.choose(condition.value, then.value, otherwise.value, opposite.value)
        return Pair(value, f.choose(condition.value, *sides, opposite.value))


class Pair:
    """A value with its tangents (None where it is constant)."""

    __slots__ = ("tangent", "value")

    def __init__(self, value: Any, tangent: Any) -> None:
        self.value, self.tangent = value, tangent

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)
