"""Products for compiled functions, as loops; importing this needs numba.

They look at the sizes first: a loop would read past the end of what is too short.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
# ruff: noqa: D103

from __future__ import annotations

import numpy as np
from numba import njit
from numba.extending import overload

loop = njit(error_model="numpy")
sums = njit(error_model="numpy", fastmath={"reassoc", "contract"})
NARROW = 16


@loop
def same(n, m):
    """Loops do not look at sizes themselves: a wrong one must not be read."""
    if n != m:
        raise ValueError("the shapes of the arguments do not fit together")


@sums
def _inner(a, c):
    total = 0.0
    for n in range(a.size):
        total += a[n] * c[n]
    return total


@sums
def _times_rows(x, c):
    """X C for few columns of C: X is read once, two rows and four columns at a time."""
    (n, d), m = x.shape, c.shape[1]
    turned, out = np.ascontiguousarray(c.T), np.empty((n, m))
    even, whole = n - n % 2, m - m % 4
    for i in range(0, even, 2):
        for j in range(0, whole, 4):
            p = q = r = s = 0.0
            t = u = v = w = 0.0
            for k in range(d):
                first, second = x[i, k], x[i + 1, k]
                p += first * turned[j, k]
                q += first * turned[j + 1, k]
                r += first * turned[j + 2, k]
                s += first * turned[j + 3, k]
                t += second * turned[j, k]
                u += second * turned[j + 1, k]
                v += second * turned[j + 2, k]
                w += second * turned[j + 3, k]
            out[i, j], out[i, j + 1], out[i, j + 2], out[i, j + 3] = p, q, r, s
            out[i + 1, j], out[i + 1, j + 1], out[i + 1, j + 2], out[i + 1, j + 3] = t, u, v, w
        for j in range(whole, m):
            p = q = 0.0
            for k in range(d):
                p += x[i, k] * turned[j, k]
                q += x[i + 1, k] * turned[j, k]
            out[i, j], out[i + 1, j] = p, q
    for i in range(even, n):
        for j in range(m):
            out[i, j] = _inner(x[i], turned[j])
    return out


@sums
def _turned_times(x, c):
    """(Xᵀ C)ᵀ for few columns of C: X is read once, four rows at a time."""
    (n, d), m = x.shape, c.shape[1]
    out = np.zeros((m, d))
    whole = n - n % 4
    for i in range(0, whole, 4):
        for j in range(m):
            p, q, r, s = c[i, j], c[i + 1, j], c[i + 2, j], c[i + 3, j]
            for k in range(d):
                out[j, k] += p * x[i, k] + q * x[i + 1, k] + r * x[i + 2, k] + s * x[i + 3, k]
    for i in range(whole, n):
        for j in range(m):
            p = c[i, j]
            for k in range(d):
                out[j, k] += p * x[i, k]
    return out


@sums
def row_dots(x, y):
    """The inner products of the rows of two matrices."""
    n, d = x.shape
    same(n, y.shape[0])
    same(d, y.shape[1])
    out = np.empty(n)
    for i in range(n):
        total = 0.0
        for k in range(d):
            total += x[i, k] * y[i, k]
        out[i] = total
    return out


@loop
def _times_few(a, c):
    """A C for few columns of C."""
    if a.flags.c_contiguous:
        return _times_rows(np.ascontiguousarray(a), c)
    return np.ascontiguousarray(_turned_times(np.ascontiguousarray(a.T), c).T)


@loop
def dot_matrices(a, c):
    """A C; the library is slow where one of both is narrow."""
    same(a.shape[1], c.shape[0])
    if c.shape[1] <= NARROW and a.shape[0] > NARROW:
        return _times_few(a, c)
    if a.shape[0] <= NARROW and c.shape[1] > NARROW:
        return np.ascontiguousarray(_times_few(c.T, a.T).T)
    return np.ascontiguousarray(np.dot(a, c))


@sums
def _times_vector(a, x):
    """A x by four rows at once; for one vector that is as quick as the library, without the cost of calling it."""
    n, d = a.shape
    out = np.empty(n)
    whole = n - n % 4
    for i in range(0, whole, 4):
        p = q = r = s = 0.0
        for j in range(d):
            p += a[i, j] * x[j]
            q += a[i + 1, j] * x[j]
            r += a[i + 2, j] * x[j]
            s += a[i + 3, j] * x[j]
        out[i], out[i + 1], out[i + 2], out[i + 3] = p, q, r, s
    for i in range(whole, n):
        out[i] = _inner(a[i], x)
    return out


@sums
def _turned_times_vector(a, x):
    """Aᵀ x by four rows of A at once."""
    n, d = a.shape
    out = np.zeros(d)
    whole = n - n % 4
    for i in range(0, whole, 4):
        p, q, r, s = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(d):
            out[j] += p * a[i, j] + q * a[i + 1, j] + r * a[i + 2, j] + s * a[i + 3, j]
    for i in range(whole, n):
        for j in range(d):
            out[j] += x[i] * a[i, j]
    return out


@loop
def matrix_vector(a, x):
    same(a.shape[1], x.size)
    if a.flags.f_contiguous and not a.flags.c_contiguous:
        return _turned_times_vector(a.T, x)
    return _times_vector(np.ascontiguousarray(a), x)


def dot(a, c):
    raise NotImplementedError("compiled functions alone call it")


@overload(dot, inline="never")
def _dot(a, c):
    if a.ndim == 2:
        return lambda a, c: matrix_vector(a, c)
    if c.ndim == 2:
        return lambda a, c: matrix_vector(c.T, a)

    def inner(a, c):
        same(a.size, c.size)
        return _inner(a, c)

    return inner


@loop
def outer(a, c):
    out = np.empty((a.size, c.size))
    for i in range(a.size):
        for j in range(c.size):
            out[i, j] = a[i] * c[j]
    return out


@loop
def outers(lefts, rights):
    """a bᵀ + c dᵀ + …, row by row."""
    n, m = lefts[0].size, rights[0].size
    for k in range(1, len(lefts)):
        same(n, lefts[k].size)
        same(m, rights[k].size)
    out = np.empty((n, m))
    for i in range(n):
        factor, row = lefts[0][i], rights[0]
        for j in range(m):
            out[i, j] = factor * row[j]
        for k in range(1, len(lefts)):
            factor, row = lefts[k][i], rights[k]
            for j in range(m):
                out[i, j] += factor * row[j]
    return out


@sums
def vdot(a, c):
    n, m = a.shape
    same(n, c.shape[0])
    same(m, c.shape[1])
    out = 0.0
    for i in range(n):
        for j in range(m):
            out += a[i, j] * c[i, j]
    return out
