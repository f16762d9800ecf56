"""The functions that lowered source calls, in forms that neither overflow nor lose their dtype.

Their text is copied into the source that uses them, so that the source needs nothing but NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def softmax(z: Any) -> Any:
    """Softmax along the last axis; the maximum is subtracted first."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def log_softmax(z: Any) -> Any:
    """The logarithm of the softmax along the last axis."""
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_sum_exp(z: Any) -> Any:
    """log(sum(exp(z))) along the last axis."""
    peak = z.max(axis=-1, keepdims=True)
    return peak[..., 0] + np.log(np.exp(z - peak).sum(axis=-1))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)); where exp(-x) is too large the quotient is 0, as it should be."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


def xlogy(x: Any, y: Any) -> Any:
    """X log(y), and 0 where x is 0."""
    return x * np.log(np.where(x == 0, 1, y))


def ratio(x: Any, y: Any) -> Any:
    """X / y, and 0 where x is 0; infinite where y is too small."""
    with np.errstate(divide="ignore", over="ignore"):
        return x / np.where(x == 0, 1, y)


def one_hot(i: Any, n: int, dtype: Any) -> Any:
    """Unit vectors of length n with a one at position i, counted from 1."""
    return (np.arange(1, n + 1) == np.asarray(i)[..., np.newaxis]).astype(dtype)


def erf(x: Any) -> Any:
    """The error function."""
    x = np.asarray(x)
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x)).astype(x.dtype)[()]


def normal_cdf(x: Any) -> Any:
    """The distribution function of the standard normal distribution."""
    x = np.asarray(x)
    return np.asarray(np.frompyfunc(lambda v: math.erfc(-v / math.sqrt(2)) / 2, 1, 1)(x)).astype(x.dtype)[()]
