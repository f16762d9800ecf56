"""The functions that lowered source calls, in forms that neither overflow nor lose their dtype.

Their text is copied into the source that uses them, so that the source needs nothing but NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def of_one_dtype(*arrays: Any) -> Any:
    """The arrays with the floating dtype that all of them have or fit in; those that have it are not copied."""
    dtype = np.result_type(*arrays)
    if dtype.kind in "biu":
        dtype = np.dtype(float)
    return [np.asarray(a, dtype) for a in arrays]


def rows_at_once(count: int, width: int, fixed: int) -> int:
    """How many rows of some numbers stay in the cache, and outweigh what is read anew for each block of them."""
    step = max(400_000, 3 * fixed) // max(width, 1)
    return step if 1 < 2 * step <= count else max(count, 1)


def at(z: Any, top: Any) -> Any:
    """The entry of each row at its position."""
    return z[np.arange(len(z)), top]


def row_sums(x: Any) -> Any:
    """The sums of the rows of a matrix; as a product, which is quicker where rows are short."""
    return x.dot(np.ones(x.shape[1], x.dtype)) if x.dtype.kind == "f" else x.sum(axis=1)


def column_sums(x: Any) -> Any:
    """The sums of the columns of a matrix; as a product where rows are short, since there that is quicker."""
    return np.ones(len(x), x.dtype).dot(x) if x.shape[1] < 64 and x.dtype.kind == "f" else x.sum(axis=0)


def product_into(a: Any, c: Any, out: Any) -> Any:
    """A C, written to an array of its shape."""
    if a.dtype == c.dtype == out.dtype and out.flags.c_contiguous:
        return np.dot(a, c, out=out)
    out[...] = a.dot(c)
    return out


def sum_of_others(e: Any, top: Any) -> Any:
    """The sum, along the last axis, of all entries but the one at `top`, which is 1."""
    where = top if e.ndim == 1 else (np.arange(len(e)), top)
    e[where] = 0
    others = e.sum() if e.ndim == 1 else row_sums(e)
    e[where] = 1
    return others


def softmax_error(e: Any, others: Any, top: Any, y: Any, out: Any = None) -> Any:
    """Softmax minus y; at the largest entry 1 - p is what all others add up to, which may be tiny."""
    total = 1 + others
    if e.ndim == 1:
        where, error = top, e / total
    else:
        where, error = (np.arange(len(e)), top), np.divide(e, total[:, np.newaxis], out=out)
    error -= y
    error[where] = ((1 - y[where]) - y[where] * others) / total
    return error


def softmax(z: Any) -> Any:
    """Softmax along the last axis; the maximum is subtracted first."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def log_softmax(z: Any) -> Any:
    """The logarithm of the softmax along the last axis."""
    top = z.argmax(axis=-1)
    peak = z[top] if z.ndim == 1 else at(z, top)[:, np.newaxis]
    shifted = z - peak
    return shifted - np.log1p(sum_of_others(np.exp(shifted), top))[..., np.newaxis]


def log_sum_exp(z: Any) -> Any:
    """log(sum(exp(z))) along the last axis."""
    top = z.argmax(axis=-1)
    peak = z[top] if z.ndim == 1 else at(z, top)
    return peak + np.log1p(sum_of_others(np.exp(z - peak[..., np.newaxis]), top))


def falling(x: Any) -> Any:
    """exp(-x), for any x below some 700 (87 in single precision) as for that number: it does not overflow."""
    e = np.maximum(x, -700 if x.itemsize > 4 else -87)
    return np.exp(np.negative(e, out=e))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    e = falling(x)
    e += 1
    return np.reciprocal(e, out=e)


def tail(x: Any) -> Any:
    """log(1 + exp(-|x|))."""
    e = np.exp(-np.abs(x))
    return np.log1p(e, out=e)


def softplus(x: Any) -> Any:
    """log(1 + exp(x)); for few numbers in one call, which for many costs more than its parts."""
    if x.size < 50:
        return np.logaddexp(0, x)
    out = tail(x)
    out += np.maximum(x, 0)
    return out


def cosh_squared(x: Any) -> Any:
    """cosh(x)^2, or 1 / (1 - tanh(x)^2); where that is above 1e300 (1e37 in single precision), any such number."""
    e = np.cosh(np.minimum(np.abs(x), 346 if x.itemsize > 4 else 43))
    e *= e
    return e


def tanh_slopes(x: Any, h: Any) -> Any:
    """1 - h^2 of h = tanh(x), and 1 / cosh(x)^2 where that cancels."""
    slopes = h * h
    slopes = np.subtract(1, slopes, out=slopes)
    far = slopes < 1 / 64
    if far.any():
        with np.errstate(over="ignore"):
            slopes[far] = np.cosh(x[far]) ** -2.0
    return slopes


def number_sigmoid(x: Any) -> float:
    """1 / (1 + exp(-x)) of a number."""
    e = math.exp(-abs(x))
    return (1 if x >= 0 else e) / (1 + e)


def number_softplus(x: Any) -> float:
    """log(1 + exp(x)) of a number."""
    return max(float(x), 0.0) + math.log1p(math.exp(-abs(x)))


def number_tanh_slope(x: Any) -> float:
    """1 - tanh(x)^2 of a number."""
    e = math.exp(-2 * abs(x))
    return 4 * e / ((1 + e) * (1 + e))


def xlogy(x: Any, y: Any) -> Any:
    """X log(y), and 0 where x is 0."""
    return x * np.log(np.where(x == 0, 1, y))


def ratio(x: Any, y: Any) -> Any:
    """X / y, and 0 where x is 0; infinite where y is too small."""
    with np.errstate(divide="ignore", over="ignore"):
        return x / np.where(x == 0, 1, y)


def number_xlogy(x: Any, y: Any) -> Any:
    """X log(y) of numbers, and 0 where x is 0."""
    return x if x == 0 else x * (math.log(y) if y > 0 else -math.inf if y == 0 else math.nan)


def number_ratio(x: Any, y: Any) -> Any:
    """X / y of numbers, and 0 where x is 0; infinite where y is 0."""
    return x if x == 0 else x / y if y != 0 else x * math.inf


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
