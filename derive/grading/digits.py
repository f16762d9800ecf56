"""Many digits that notice when they are too few.

In a sum of 1 and 10⁻⁴⁰ the small term is lost to any comparison of 40 digits, whatever it is multiplied with
later.  `Careful` marks itself as `saturated` when a term, though not zero, is too small to count beside
another; what cancels to rounding noise becomes an exact zero, so that noise is not taken for a small term.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import numpy as np

from derive.expressions.node import Node, walk
from derive.numerics.fields import Precise

WORKING = 75
LOST, NOISE = 10.0**30, 55
LOST_BITS, NOISE_BITS = 99, 182  # one less than these numbers have
TALL = 10**15


class Careful(Precise):
    """`Precise` with every sum watched."""

    def __init__(self) -> None:
        super().__init__(WORKING)
        self._least = self.mp.mpf(10) ** -NOISE
        self._sum = np.frompyfunc(self._plus, 2, 1)

    def _plus(self, x: Any, y: Any) -> Any:
        total = x + y
        (_, digits, place, bits), (_, others, other_place, other_bits) = x._mpf_, y._mpf_
        if digits and others:  # numbers that are not 0: their sizes in bits tell, unless they are close to a bound
            large, small = place + bits, other_place + other_bits
            if large < small:
                large, small = small, large
            _, left, place, bits = total._mpf_
            if large - small < LOST_BITS and (not left or large - place - bits < NOISE_BITS):
                return total
        return self._checked(x, y, total)

    def _checked(self, x: Any, y: Any, total: Any) -> Any:
        if not x or not y:
            return total
        small, large = sorted((abs(x), abs(y)))
        if large > LOST * small:
            self.saturated = True
        return self.mp.mpf(0) if abs(total) < self._least * large else total

    def add(self, x: Any, y: Any) -> Any:
        return np.asarray(self._sum(x, y), dtype=object)

    def reduce(self, x: Any, axis: int) -> Any:
        if not x.shape[axis]:
            return super().reduce(x, axis)
        rest = (slice(None),) * (-1 - axis)
        parts = (x[(..., slice(k, k + 1), *rest)] for k in range(x.shape[axis]))
        return functools.reduce(self.add, parts)

    def matmul(self, x: Any, y: Any) -> Any:
        return np.squeeze(self.reduce(x[..., :, :, None] * y[..., None, :, :], -2), -2)

    def _exp(self, v: Any) -> Any:
        self._near_one(v)
        return super()._exp(v)

    def cos(self, x: Any) -> Any:
        self.map("near one", self._near_one, x)
        return super().cos(x)

    def general_pow(self, x: Any, y: Any) -> Any:
        self.map("near one", self._near_one, y)
        return super().general_pow(x, y)

    def arctan(self, x: Any) -> Any:
        return super().arctan(self.map("far out", lambda v: self._far_out(v, 1e15), x))

    def erf(self, x: Any) -> Any:
        return super().erf(self.map("tail", lambda v: self._far_out(v, 8), x))

    def defined(self, x: Any) -> Any:
        """Where there is a value."""
        return np.asarray([bool(self.mp.isfinite(v)) for v in x.ravel()], dtype=bool).reshape(x.shape)

    def _near_one(self, v: Any) -> Any:
        """A function that is 1 at 0 loses a tiny argument."""
        if v and abs(v) * LOST < 1:
            self.saturated = True
        return v

    def _far_out(self, v: Any, limit: float) -> Any:
        if abs(v) > limit:
            self.saturated = True
        return v


def has_tall_numbers(answer: Node) -> bool:
    """Whether a number of the answer is so large, small or long that digits could miss what it does."""
    return any(_is_tall(datum) for node in walk(answer) for datum in node.data)


def _is_tall(datum: object) -> bool:
    return isinstance(datum, (int, Fraction)) and max(abs(datum.numerator), datum.denominator) > TALL
