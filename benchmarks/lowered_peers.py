"""The same eleven losses in torch, jax, autograd, and the lowered function compiled by numba; each is optional."""

# ruff: noqa: N803, E741 - the losses are written with the letters of their formulas

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

from derive.lowering.lower import lower

Loss = Callable[..., Any]
Function = Callable[[], tuple[Any, dict[str, Any]]]


def installed(name: str) -> bool:
    """Whether a peer can be imported."""
    return importlib.util.find_spec(name) is not None


# The losses over any module that has NumPy's names; the arguments stand in the order of the hand-written functions,
# and the gradients are asked for in the order of theirs.


def log1pexp(np: Any, x: Any) -> Any:
    """log(1 + exp(x))."""
    return np.logaddexp(np.zeros_like(x), x)


def sigmoid(np: Any, x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def cross_entropy(np: Any, z: Any, y: Any) -> Any:
    """The sum of -y log softmax(z) by rows."""
    top = np.amax(z, -1)[..., None]
    shifted = z - top
    return -(y * (shifted - np.log(np.exp(shifted).sum(-1))[..., None])).sum()


def _margin(np: Any, s: Any, t: Any) -> Any:
    margin = 1 - s + t
    return np.maximum(margin, np.zeros_like(margin))


LOSSES: dict[str, tuple[Loss, tuple[int, ...]]] = {
    "softmax_one": (lambda np, W, x, b, y: cross_entropy(np, W @ x + b, y), (0, 2, 1)),
    "softmax_batch": (lambda np, X, W, b, Y: cross_entropy(np, X @ W + b, Y) / len(X), (1, 2)),
    "logistic": (lambda np, X, w, b, y: (log1pexp(np, X @ w + b) - y * (X @ w + b)).mean(), (1, 2)),
    "negative_sampling": (lambda np, v, o, u: log1pexp(np, -(o @ v)) + log1pexp(np, u @ v).sum(), (0, 1, 2)),
    "negative_sampling_batch": (
        lambda np, V, O, U: (log1pexp(np, -(V * O).sum(1)).sum() + log1pexp(np, V @ U.T).sum()) / len(V), (0, 1, 2),
    ),
    "max_margin": (
        lambda np, U, W, b, x, c: _margin(np, U @ sigmoid(np, W @ x + b), U @ sigmoid(np, W @ c + b)),
        (0, 1, 2, 3, 4),
    ),
    "max_margin_batch": (
        lambda np, U, W, b, X, C: _margin(np, sigmoid(np, X @ W.T + b) @ U, sigmoid(np, C @ W.T + b) @ U).mean(),
        (0, 1, 2),
    ),
    "embeddings": (lambda np, E, W, b, y: 0.5 * ((np.tanh(W @ E.mean(0) + b) - y) ** 2).sum(), (1, 2, 0)),
    "embeddings_batch": (
        lambda np, M, W, b, Y: 0.5 * ((np.tanh(M @ W.T + b) - Y) ** 2).sum() / len(M), (1, 2, 0),
    ),
    "relu_network": (
        lambda np, X, W, b, U, c, Y: cross_entropy(np, np.maximum(X @ W + b, 0 * b) @ U + c, Y) / len(X), (1, 2, 3, 4),
    ),
}  # fmt: skip


def _named(place: int) -> str:
    return str(place)


def _jax(case: Any, given: Mapping[str, Any]) -> Function:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    loss, asked = LOSSES[case.by_hand.__name__]
    step = jax.jit(jax.value_and_grad(lambda *a: loss(jax.numpy, *a), argnums=asked))
    arguments = [jax.numpy.asarray(v) for v in given.values()]

    def function() -> tuple[Any, dict[str, Any]]:
        value, gradients = jax.block_until_ready(step(*arguments))
        return value, dict(zip(map(_named, asked), gradients, strict=True))

    return function


def _autograd(case: Any, given: Mapping[str, Any]) -> Function:
    autograd, numpy = importlib.import_module("autograd"), importlib.import_module("autograd.numpy")
    loss, asked = LOSSES[case.by_hand.__name__]
    step = autograd.value_and_grad(lambda chosen, rest: loss(numpy, *_put(chosen, rest, asked)))
    arguments = list(given.values())
    chosen = tuple(arguments[n] for n in asked)

    def function() -> tuple[Any, dict[str, Any]]:
        value, gradients = step(chosen, arguments)
        return value, dict(zip(map(_named, asked), gradients, strict=True))

    return function


def _put(chosen: tuple[Any, ...], rest: list[Any], asked: tuple[int, ...]) -> list[Any]:
    out = list(rest)
    for place, value in zip(asked, chosen, strict=True):
        out[place] = value
    return out


def _torch(case: Any, given: Mapping[str, Any]) -> Function:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    loss, asked = LOSSES[case.by_hand.__name__]
    arguments = [torch.as_tensor(v) for v in given.values()]
    for place in asked:
        arguments[place] = arguments[place].double().requires_grad_()

    def function() -> tuple[Any, dict[str, Any]]:
        value = loss(torch, *arguments)
        gradients = torch.autograd.grad(value, [arguments[n] for n in asked])
        return value.detach(), dict(zip(map(_named, asked), gradients, strict=True))

    return function


def _numba(case: Any, given: Mapping[str, Any]) -> Function:
    problem, gradients = case.built()
    found = lower(problem, gradients, compiler="numba")
    arguments = [given[name] for name in found.arguments]
    return lambda: found.function(*arguments)


PEERS: dict[str, Callable[[Any, Mapping[str, Any]], Function]] = {
    "numba": _numba, "torch": _torch, "jax": _jax, "autograd": _autograd,
}  # fmt: skip
