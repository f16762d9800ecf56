"""The eleven functions as somebody who knows NumPy well writes them by hand.

Stable (the maximum is subtracted, exp and log1p where a logarithm of 1 + exp is asked for, which is several times
faster than `np.logaddexp`), shared work done once, in place where an array is large and no longer needed; no tricks
that depend on the sizes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
Result = tuple[Any, dict[str, Any]]


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), which is right even where exp(-x) overflows."""
    return 1 / (1 + np.exp(-x))


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softmax_one(W: Array, x: Array, b: Array, y: Array) -> Result:  # noqa: N803
    """Softmax regression with cross-entropy, one example."""
    z = W @ x + b
    z -= np.max(z)
    e = np.exp(z)
    total = np.sum(e)
    loss = np.log(total) * np.sum(y) - y @ z
    delta = e / total - y
    return loss, {"W": np.outer(delta, x), "b": delta, "x": W.T @ delta}


def softmax_batch(X: Array, W: Array, b: Array, Y: Array) -> Result:  # noqa: N803
    """Softmax regression on a batch, examples as rows."""
    n = len(X)
    z = X @ W
    z += b
    z -= np.max(z, axis=1, keepdims=True)
    loss = -np.sum(Y * z)
    np.exp(z, out=z)
    total = np.sum(z, axis=1, keepdims=True)
    loss = (loss + np.sum(np.log(total))) / n
    z /= total
    z -= Y
    z /= n
    return loss, {"W": X.T @ z, "b": np.sum(z, axis=0)}


def logistic(X: Array, w: Array, b: Array, y: Array) -> Result:  # noqa: N803
    """Logistic regression on a design matrix."""
    n = len(X)
    z = X @ w + b
    loss = np.mean(softplus(z) - y * z)
    delta = sigmoid(z)
    delta -= y
    delta /= n
    return loss, {"w": X.T @ delta, "b": np.sum(delta)}


def negative_sampling(v: Array, o: Array, u: Array) -> Result:
    """Skip-gram with negative sampling, one pair."""
    s, t = o @ v, u @ v
    loss = softplus(-s) + np.sum(softplus(t))
    p, q = sigmoid(s) - 1, sigmoid(t)
    return loss, {"v_c": p * o + u.T @ q, "u_o": p * v, "u_k": np.outer(q, v)}


def negative_sampling_batch(V: Array, O: Array, U: Array) -> Result:  # noqa: N803, E741
    """Skip-gram with negative sampling, pairs as rows, the negative words in common."""
    n = len(V)
    s, t = np.sum(V * O, axis=1), V @ U.T
    loss = (np.sum(softplus(-s)) + np.sum(softplus(t))) / n
    p, q = sigmoid(s), sigmoid(t)
    p -= 1
    p /= n
    q /= n
    p = p[:, np.newaxis]
    return loss, {"V": p * O + q @ U, "O": p * V, "U": q.T @ V}


def max_margin(U: Array, W: Array, b: Array, x: Array, c: Array) -> Result:  # noqa: N803
    """Max-margin loss of a true and a corrupt window, sigmoid hidden layer."""
    h, k = sigmoid(W @ x + b), sigmoid(W @ c + b)
    loss = np.maximum(0, 1 - U @ h + U @ k)
    on = float(loss > 0)
    dh, dk = -on * U * h * (1 - h), on * U * k * (1 - k)
    gradients = {"U": on * (k - h), "W": np.outer(dh, x) + np.outer(dk, c), "b": dh + dk}
    return loss, gradients | {"x": W.T @ dh, "x_c": W.T @ dk}


def max_margin_batch(U: Array, W: Array, b: Array, X: Array, C: Array) -> Result:  # noqa: N803
    """Max-margin loss, windows as rows."""
    n = len(X)
    h, k = sigmoid(X @ W.T + b), sigmoid(C @ W.T + b)
    margin = np.maximum(0, 1 - h @ U + k @ U)
    on = (margin > 0) / n
    gradient = on @ k - on @ h
    h *= 1 - h
    h *= U
    h *= -on[:, np.newaxis]
    k *= 1 - k
    k *= U
    k *= on[:, np.newaxis]
    weights = h.T @ X
    weights += k.T @ C
    return np.mean(margin), {"U": gradient, "W": weights, "b": np.sum(h, axis=0) + np.sum(k, axis=0)}


def embeddings(E: Array, W: Array, b: Array, y: Array) -> Result:  # noqa: N803
    """Word vectors averaged, tanh, squared error; one text."""
    n = len(E)
    mean = np.mean(E, axis=0)
    h = np.tanh(W @ mean + b)
    error = h - y
    delta = error * (1 - h**2)
    rows = np.empty_like(E)
    rows[:] = W.T @ delta / n
    return 0.5 * np.sum(error**2), {"W": np.outer(delta, mean), "b": delta, "e_t": rows}


def embeddings_batch(M: Array, W: Array, b: Array, Y: Array) -> Result:  # noqa: N803
    """Averaged word vectors as rows, tanh, squared error; a batch."""
    n = len(M)
    h = M @ W.T
    h += b
    np.tanh(h, out=h)
    error = h - Y
    loss = 0.5 * np.sum(error**2) / n
    h *= h
    np.subtract(1, h, out=h)
    h *= error
    h /= n
    return loss, {"W": h.T @ M, "b": np.sum(h, axis=0), "M": h @ W}


def relu_network(X: Array, W: Array, b: Array, U: Array, c: Array, Y: Array) -> Result:  # noqa: N803
    """Two layers with ReLU and softmax, a batch."""
    n = len(X)
    z = X @ W
    z += b
    h = np.maximum(z, 0)
    s = h @ U
    s += c
    s -= np.max(s, axis=1, keepdims=True)
    loss = -np.sum(Y * s)
    np.exp(s, out=s)
    total = np.sum(s, axis=1, keepdims=True)
    loss = (loss + np.sum(np.log(total))) / n
    s /= total
    s -= Y
    s /= n
    d = s @ U.T
    d *= z > 0
    return loss, {"W": X.T @ d, "b": np.sum(d, axis=0), "U": h.T @ s, "c": np.sum(s, axis=0)}
