"""Each engine on each loss: right or wrong by central differences, textbook form or not, and the time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks.losses import LOSSES, WARM_UP, Loss
from benchmarks.peers import ENGINES, NUMERIC, NotExpressedError, Values, installed, shape_of
from derive.errors import DeriveError

STEP, CLOSE, SINGLE = 1e-5, 1e-6, 1e-4
# What engines raise where they cannot differentiate, print or evaluate a loss.
FAILURES = (
    ArithmeticError, AssertionError, AttributeError, KeyError, IndexError, NotImplementedError, RecursionError,
    RuntimeError, TypeError, ValueError, DeriveError,
)  # fmt: skip


def values_of(loss: Loss) -> dict[str, Any]:
    """Arrays for everything given; determinants are kept positive."""
    rng = np.random.default_rng(sum(map(ord, loss.name)))
    out: dict[str, Any] = {}
    for name in loss.shapes:
        shape = shape_of(loss, name)
        value = rng.normal(size=shape) if shape else float(rng.uniform(0.2, 0.8))
        if loss.properties.get(name) == "one-hot":
            value = np.eye(shape[0])[1]
        if len(shape) == 2 and shape[0] == shape[1]:
            value = value + 3 * np.eye(shape[0])
        out[name] = value
    return out


def central_differences(loss: Loss, values: Values) -> Any:
    """The gradient by central differences of the plain NumPy loss."""
    start = np.asarray(values[loss.wrt], float)
    out = np.zeros_like(start)
    for place in np.ndindex(*start.shape):
        sides = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * STEP
            sides.append(float(loss.loss({**values, loss.wrt: moved}, NUMERIC)))
        out[place] = (sides[0] - sides[1]) / (2 * STEP)
    return out


def verdict(engine: str, loss: Loss) -> dict[str, Any]:
    """One engine on one loss: `outcome` is right, wrong or how it failed, with `textbook` and `seconds`."""
    if not installed(engine):
        return {"outcome": "not installed"}
    values = values_of(loss)
    true = central_differences(loss, values)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            started = time.perf_counter()
            found = ENGINES[engine](loss)
            seconds = time.perf_counter() - started
            given = np.asarray(found.at(values), float)
    except NotExpressedError:
        return {"outcome": "not expressed"}
    except FAILURES as problem:
        return {"outcome": f"fails ({type(problem).__name__})"}
    close = SINGLE if engine == "tensorgrad" else CLOSE  # parts of its evaluator know float32 only
    right = given.shape == true.shape and np.allclose(given, true, rtol=close, atol=close)
    return {"outcome": "right" if right else "wrong", "textbook": right and _textbook(found), "seconds": seconds}


def _textbook(found: Any) -> bool:
    try:
        return bool(found.as_in_textbook())
    except FAILURES:
        return False


def compared(losses: Iterable[Loss] = LOSSES, engines: Iterable[str] = tuple(ENGINES)) -> dict[str, dict[str, Any]]:
    """The verdicts by loss and engine, after another loss to warm up."""
    engines = list(engines)
    for engine in engines:
        verdict(engine, WARM_UP)
    return {loss.name: {engine: verdict(engine, loss) for engine in engines} for loss in losses}
