"""What compiled functions call, as loops over arrays; importing this needs numba."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
# ruff: noqa: D103

from __future__ import annotations

import math

import numpy as np
from numba import vectorize

from derive.lowering.numba_numbers import ENTRYWISE
from derive.lowering.numba_products import dot, dot_matrices, loop, outer, outers, row_dots, same, sums, vdot


def entrywise(f):
    """The function of arrays that applies a function of numbers to each entry."""

    @loop
    def each(x):
        out = np.empty(x.shape)
        flat, values = out.ravel(), x.ravel()
        for n in range(values.size):
            flat[n] = f(values[n])
        return out

    return each


tanh_slope = entrywise(ENTRYWISE["tanh_slope"])


@loop
def filled(shape, x):
    out = np.empty(shape)
    out[:] = x
    return out


@sums
def row_sums(x):
    n, m = x.shape
    out = np.empty(n)
    for i in range(n):
        row = 0.0
        for j in range(m):
            row += x[i, j]
        out[i] = row
    return out


@loop
def column_sums(x):
    n, m = x.shape
    out = np.zeros(m)
    for i in range(n):
        for j in range(m):
            out[j] += x[i, j]
    return out


@loop
def top_of(z):
    return z.argmax()


@loop
def top_of_rows(z):
    n, m = z.shape
    out = np.empty(n, np.int64)
    for i in range(n):
        best = 0
        for j in range(1, m):
            if z[i, j] > z[i, best]:
                best = j
        out[i] = best
    return out


@loop
def at(z, top):
    out = np.empty(top.size)
    for i in range(top.size):
        out[i] = z[i, top[i]]
    return out


@loop
def sum_of_others(e, top):
    out = 0.0
    for j in range(e.size):
        out += 0.0 if j == top else e[j]
    return out


@loop
def sum_of_others_rows(e, top):
    n, m = e.shape
    out = np.empty(n)
    for i in range(n):
        row = 0.0
        for j in range(m):
            row += 0.0 if j == top[i] else e[i, j]
        out[i] = row
    return out


@loop
def softmax_error(e, others, top, y):
    total = 1.0 + others
    out = e / total - y
    out[top] = ((1.0 - y[top]) - y[top] * others) / total
    return out


@loop
def softmax_error_rows(e, others, top, y):
    n, m = e.shape
    same(n, y.shape[0])
    same(m, y.shape[1])
    out = np.empty((n, m))
    for i in range(n):
        total, t = 1.0 + others[i], top[i]
        for j in range(m):
            out[i, j] = e[i, j] / total - y[i, j]
        out[i, t] = ((1.0 - y[i, t]) - y[i, t] * others[i]) / total
    return out


@loop
def number_xlogy(x, y):
    return 0.0 if x == 0 else x * (math.log(y) if y > 0 else -math.inf if y == 0 else math.nan)


@loop
def number_ratio(x, y):
    return 0.0 if x == 0 else x / y if y != 0 else x * math.inf


@vectorize
def xlogy(x, y):
    return 0.0 if x == 0 else x * (math.log(y) if y > 0 else -math.inf if y == 0 else math.nan)


@vectorize
def ratio(x, y):
    return 0.0 if x == 0 else x / y if y != 0 else x * math.inf


@vectorize
def erf(x):
    return math.erf(x)


@vectorize
def normal_cdf(x):
    return math.erfc(-x / math.sqrt(2.0)) / 2.0


@loop
def tanh_slopes(x, h):
    """1 - h^2 of h = tanh(x); once more from x, where it cancels anywhere."""
    n, m = x.shape
    out, far = np.empty((n, m)), 0
    for i in range(n):
        for j in range(m):
            out[i, j] = 1.0 - h[i, j] * h[i, j]
    for i in range(n):
        for j in range(m):
            far += out[i, j] < 1 / 64
    return tanh_slope(x) if far else out


@loop
def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


@loop
def log_softmax(z):
    top = z.argmax()
    shifted = z - z[top]
    return shifted - math.log1p(sum_of_others(np.exp(shifted), top))


@loop
def log_sum_exp(z):
    top = z.argmax()
    return z[top] + math.log1p(sum_of_others(np.exp(z - z[top]), top))


@loop
def softmax_rows(z):
    out = np.empty(z.shape)
    for i in range(len(z)):
        out[i] = softmax(z[i])
    return out


@loop
def log_softmax_rows(z):
    out = np.empty(z.shape)
    for i in range(len(z)):
        out[i] = log_softmax(z[i])
    return out


@loop
def log_sum_exp_rows(z):
    out = np.empty(len(z))
    for i in range(len(z)):
        out[i] = log_sum_exp(z[i])
    return out


@loop
def one_hot(i, n, dtype):
    out = np.zeros(n)
    out[i - 1] = 1.0
    return out


@loop
def one_hot_rows(i, n, dtype):
    out = np.zeros((len(i), n))
    for k in range(len(i)):
        out[k, i[k] - 1] = 1.0
    return out


@loop
def rows_at_once(count, width, fixed):
    """Fewer than in NumPy, since a block costs no calls: what is made of them stays in the nearer cache."""
    step = max(64_000, 3 * fixed) // max(width, 1)
    return step if 1 < 2 * step <= count else max(count, 1)


WHOLE = (
    rows_at_once, dot, dot_matrices, outer, outers, filled, vdot, row_dots, row_sums, column_sums, top_of, top_of_rows,
    at, sum_of_others, sum_of_others_rows, softmax_error, softmax_error_rows, tanh_slopes, number_xlogy, number_ratio,
    xlogy, ratio, erf, normal_cdf, softmax, softmax_rows, log_softmax, log_softmax_rows, log_sum_exp, log_sum_exp_rows,
    one_hot, one_hot_rows,
)  # fmt: skip
FUNCTIONS = {
    **{name: entrywise(f) for name, f in ENTRYWISE.items()},
    **{f"number_{name}": loop(f.py_func) for name, f in ENTRYWISE.items()},
    **{f.__name__: f for f in WHOLE},
}
