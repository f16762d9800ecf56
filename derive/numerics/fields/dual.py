"""Forward-mode differentiation over any field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from derive.numerics.fields.base import Field, Value


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

    def trimmed(self, x: Value, axes: int) -> Value:
        return self._both(self.base.trimmed, x, axes)

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

    def masked(self, x: Value, holds: Value) -> Value:
        return self._product(self.base.masked, x, holds)

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
        return Pair(value, f.choose(condition.value, sides[0], sides[1], opposite.value))


class Pair:
    """A value with its tangents (None where it is constant)."""

    __slots__ = ("tangent", "value")

    def __init__(self, value: Any, tangent: Any) -> None:
        self.value, self.tangent = value, tangent

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def size(self) -> int:
        """The number of entries of the value."""
        return int(self.value.size)
