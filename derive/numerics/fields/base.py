"""What every field has: the primitives that move entries about, and those that each field gives itself."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.numerics.arithmetic import Arithmetic

Value = Any


class Field(Arithmetic):
    """Primitives that move entries of arrays about; they are the same over every field."""

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

    def trimmed(self, x: Value, axes: int) -> Value:
        """A value without the leading axes of length 1 that are more than `axes`."""
        while x.ndim > axes and x.shape[0] == 1:
            x = x[0]
        return x

    def masked(self, x: Value, holds: Value) -> Value:
        """A value where a condition holds, 0 elsewhere, also where the value is undefined there."""
        return self.mul(x, holds)

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

    def times(self, x: Value, y: Value) -> Value:
        """The matrix product, or scaling where one of both is 1 × 1."""
        if x.shape[-2:] == (1, 1) or y.shape[-2:] == (1, 1):
            return self.mul(x, y)
        return self.matmul(x, y)

    def pow_int(self, x: Value, n: int) -> Value:
        if n > 100_000:
            raise EvaluationError(f"the exponent {n} is too large")
        out, base = self.const(1), x
        while n:
            out = self.mul(out, base) if n & 1 else out
            base, n = (self.mul(base, base), n >> 1) if n > 1 else (base, 0)
        return self.add(out, self.mul(self.const(0), x)) if out.shape != x.shape else out


def smooth(name: str) -> list[float]:
    """The parameters of the smooth function that stands in for an unspecified one."""
    seed = np.random.default_rng([*name.encode()])
    return [float(v) for v in seed.uniform([0.6, 0.7, -1.0, 0.2, 0.15], [1.4, 1.3, 1.0, 0.9, 0.45])]
