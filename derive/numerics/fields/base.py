"""What every field has: the primitives that move entries about, and those that each field gives itself."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.numerics.arithmetic import LARGEST_EXPONENT, Arithmetic

Value = Any


class Field(Arithmetic):
    """Primitives that move entries of arrays about; they are the same over every field."""

    dtype: Any = object
    saturated: bool = False  # whether numbers were too large or small to tell; only fields of many digits notice

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
        return x.swapaxes(-1, -2)

    def diag(self, x: Value) -> Value:
        return self.mul(x, self.eye(x.shape[-2]))

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
        first = values[0].shape[:-2]
        if any(v.shape[:-2] != first for v in values):
            lead = np.broadcast_shapes(*(v.shape[:-2] for v in values))
            values = [np.broadcast_to(v, (*lead, *v.shape[-2:])) for v in values]
        return np.concatenate(values, axis=axis - 2)

    def block(self, x: Value, axis: int, start: int, end: int) -> Value:
        return x[..., start:end, :] if axis == 0 else x[..., start:end]

    def take(self, x: Value, position: Any, axis: int) -> Value:
        """Entries at 0-based positions (or one position) along one of the last axes; the positions broadcast."""
        if isinstance(position, int) or position.ndim == 0:
            chosen: list[Any] = [slice(None)] * x.ndim
            chosen[axis] = slice(int(position), int(position) + 1)
            return x[tuple(chosen)]
        lead = x.shape[: x.ndim - (3 if axis == -3 else 2)]
        places = [np.arange(n).reshape(-1, *[1] * (len(lead) - 1 - k)) for k, n in enumerate(lead)]
        if axis == -1:
            return x.swapaxes(-1, -2)[(*places, position)][..., None]
        return x[(*places, position)][(..., None, *[slice(None)] * (-1 - axis))]

    def member(self, x: Value, position: Any) -> Value:
        """A member of a family, whose members lie along the axis before rows and columns."""
        return self.take(x, position, -3)[..., 0, :, :]

    def times(self, x: Value, y: Value) -> Value:
        """The matrix product, or scaling where one of both is 1 × 1."""
        if 1 == x.shape[-1] == x.shape[-2] or 1 == y.shape[-1] == y.shape[-2]:
            return self.mul(x, y)
        return self.matmul(x, y)

    def pow_int(self, x: Value, n: int) -> Value:
        if n > LARGEST_EXPONENT:
            raise EvaluationError(f"the exponent {n} is too large")
        out, base = self.const(1), x
        while n:
            out = self.mul(out, base) if n & 1 else out
            base, n = (self.mul(base, base), n >> 1) if n > 1 else (base, 0)
        return self.add(out, self.mul(self.const(0), x)) if out.shape != x.shape else out
