"""Functions of numbers for compiled functions; importing this needs numba.

The exponential and what follows from it are polynomials after a reduction of the argument, without branches, so
that several numbers are computed at once: to a few units in the last place, and 0 for what is subnormal.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc, import-not-found, import-untyped"

from __future__ import annotations

import math

import numpy as np
from numba import njit

small = njit(inline="always", error_model="numpy")


@small
def _parts(x):
    """(2^k, q) with e^x = 2^k (1 + q) and |q| < 0.42, for |x| < 708."""
    k = math.floor(x * 1.4426950408889634 + 0.5)
    r = x - k * 6.93145751953125e-1
    r = r - k * 1.42860682030941723212e-6
    p = 1.0 / 6227020800
    p = p * r + 1.0 / 479001600
    p = p * r + 1.0 / 39916800
    p = p * r + 1.0 / 3628800
    p = p * r + 1.0 / 362880
    p = p * r + 1.0 / 40320
    p = p * r + 1.0 / 5040
    p = p * r + 1.0 / 720
    p = p * r + 1.0 / 120
    p = p * r + 1.0 / 24
    p = p * r + 1.0 / 6
    p = p * r + 0.5
    scale = np.int64((np.int64(k) + 1023) << 52).view(np.float64)
    return scale, p * r * r + r


@small
def _exp(x):
    scale, q = _parts(min(max(x, -708.0), 708.0))
    e = scale + scale * q
    e = 0.0 if x < -708.0 else e
    e = math.inf if x > 709.0 else e
    return e if x == x else x


@small
def _log1p(e):
    """log(1 + e) for 0 <= e <= 1, by the series of 2 artanh(e / (2 + e))."""
    s = e / (2.0 + e)
    t = s * s
    p = 1.0 / 33
    p = p * t + 1.0 / 31
    p = p * t + 1.0 / 29
    p = p * t + 1.0 / 27
    p = p * t + 1.0 / 25
    p = p * t + 1.0 / 23
    p = p * t + 1.0 / 21
    p = p * t + 1.0 / 19
    p = p * t + 1.0 / 17
    p = p * t + 1.0 / 15
    p = p * t + 1.0 / 13
    p = p * t + 1.0 / 11
    p = p * t + 1.0 / 9
    p = p * t + 1.0 / 7
    p = p * t + 1.0 / 5
    p = p * t + 1.0 / 3
    return 2.0 * s + 2.0 * s * t * p


@small
def _tanh(x):
    """-expm1(-2 |x|) / (2 + expm1(-2 |x|)), with the sign of x."""
    scale, q = _parts(max(-2.0 * abs(x), -80.0))
    m = scale * q + (scale - 1.0)
    y = -m / (2.0 + m)
    y = -y if x < 0 else y
    return y if x == x else x


@small
def _tail(x):
    scale, q = _parts(-min(abs(x), 708.0))
    t = _log1p(scale + scale * q)
    return t if x == x else x


@small
def _softplus(x):
    return max(x, 0.0) + _tail(x)


@small
def _sigmoid(x):
    e = _exp(-abs(x))
    return (1.0 if x >= 0 else e) / (1.0 + e)


@small
def _falling(x):
    return _exp(-max(x, -700.0))


@small
def _tanh_slope(x):
    e = _exp(-2.0 * abs(x))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


@small
def _cosh_squared(x):
    e = _exp(-2.0 * abs(x))
    return (1.0 + e) * (1.0 + e) / (4.0 * e)


ENTRYWISE = {
    "exp": _exp, "tanh": _tanh, "tail": _tail, "softplus": _softplus, "sigmoid": _sigmoid, "falling": _falling,
    "tanh_slope": _tanh_slope, "cosh_squared": _cosh_squared,
}  # fmt: skip
