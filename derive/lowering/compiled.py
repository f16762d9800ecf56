"""Lowered functions compiled by numba, an optional extra: `pip install derive[numba]`.

The passes are those of NumPy functions.  What is computed entry by entry becomes loops, and what a function calls
stands in `numba_arrays`, as loops that numba compiles.  Inside, all is float64.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.lowering.arguments import Argument


def numba() -> Any:
    """The module, or an `EvaluationError` that names the extra."""
    try:
        import numba
    except ImportError:
        raise EvaluationError("numba is not installed: pip install 'derive[numba]'") from None
    return numba


def namespace() -> dict[str, Any]:
    """What a compiled function may call."""
    numba()
    from derive.lowering.numba_arrays import FUNCTIONS

    return {"np": np, "math": math, **FUNCTIONS}


def compiled(function: Callable[..., Any]) -> Any:
    """A function that compiled functions may call."""
    return numba().njit(function, error_model="numpy")


def wrapped(
    function: Callable[..., Any], arguments: Sequence[Argument], keys: Sequence[str]
) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """The compiled function, called like the NumPy one and with results of the dtype of its arguments."""
    for argument in arguments:
        if argument.node is None and not argument.real and argument.words != "a size":
            raise EvaluationError(f"{argument.latex} is a function, which numba cannot take: lower without a compiler")
    core, names = compiled(function), tuple(keys)
    readers = [_reader(a) for a in arguments]
    real = [n for n, a in enumerate(arguments) if a.real]
    number = np.float64

    def converted(given: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        dtype = np.result_type(*[given[n] for n in real]) if real else np.dtype(float)
        values = [read(value) for read, value in zip(readers, given, strict=True)]
        results = core(*values) if core.signatures else _first(core, values)
        if dtype != np.float64 and dtype.kind == "f":
            results = [np.asarray(v, dtype)[()] for v in results]
        loss, *gradients = results
        return number(loss) if type(loss) is float else loss, dict(zip(names, gradients, strict=True))

    fast: Callable[..., Any] = _nothing_yet

    def call(*given: Any) -> tuple[Any, dict[str, Any]]:
        nonlocal fast
        try:
            results = fast(*given)
        except TypeError:  # other types than those that it is compiled for
            out = converted(given)
            fast = core
            return out
        return number(results[0]), dict(zip(names, results[1:]))  # noqa: B905 - strict costs as much as a call

    return call


def _nothing_yet(*given: Any) -> Any:
    """What stands for a function that is not compiled: it takes no types as they are."""
    raise TypeError


def _first(core: Any, values: Sequence[Any]) -> Any:
    """The first call, which compiles."""
    from numba.core.errors import NumbaError, NumbaPerformanceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaPerformanceWarning)
        try:
            results = core(*values)
            core.disable_compile()
            return results
        except NumbaError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            what = next((line for line in lines if "rror" not in line and "Failed" not in line), "")
            raise EvaluationError(f"numba cannot compile this: lower without a compiler ({what})") from error


def _reader(argument: Argument) -> Callable[[Any], Any]:
    """How an argument is given to a compiled function: numbers as such, arrays with consecutive rows, writeable."""
    if not argument.axes:
        return float if argument.real else int
    dtype = np.dtype(float if argument.real else np.int64)

    def read(value: Any) -> Any:
        if type(value) is np.ndarray and value.dtype is dtype and value.flags.carray:
            return value
        return np.require(value, dtype, ("C", "A", "W"))

    return read
