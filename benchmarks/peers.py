"""The engines that are compared: each turns a loss into its gradient, ready to be evaluated at NumPy arrays."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp

from benchmarks.losses import SIZES, Loss
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.expressions.order import same
from derive.gradient.closed import derivative
from derive.gradient.sweep import prepared
from derive.lowering.lower import lower
from derive.printing.latex import latex
from derive.problem.builder import problem_from
from derive.problem.problem import Problem
from derive.reading.reader import Reader

Values = Mapping[str, Any]


class NotExpressedError(Exception):
    """An engine has no word for a loss."""


@dataclass(frozen=True, slots=True)
class Found:
    """A gradient: its values at given arrays, and whether it stands as a textbook has it."""

    at: Callable[[Values], Any]
    as_in_textbook: Callable[[], bool]


def shape_of(loss: Loss, name: str) -> tuple[int, ...]:
    """The shape of the array of a symbol."""
    return tuple(SIZES[size] for size in loss.shapes[name].split())


# ------------------------------------------------------------------------------------------------ this project


def derive(loss: Loss) -> Found:
    """The reverse sweep and the closed form."""
    problem = problem_from(loss.data)
    closed = derivative(problem, problem.loss_symbol, problem.target(loss.wrt))

    def at(values: Values) -> Any:
        lowered = lower(problem, {loss.wrt: closed})
        by_identifier = {lowered.names[name]: value for name, value in values.items() if name in lowered.names}
        arguments = [by_identifier.get(name, SIZES.get(name)) for name in lowered.arguments]
        return lowered.function(*arguments)[1][loss.wrt]

    return Found(at, lambda: latex(closed, problem.scope) == loss.textbook)


# ----------------------------------------------------------------------------------------------- SymPy, matrices


class _MatrixSymbols(dict[str, Any]):
    def size(self, name: str) -> int:
        return SIZES[name]


def sympy_matrices(loss: Loss) -> Found:
    """`.diff` of a matrix expression."""
    if loss.matrix is None:
        raise NotExpressedError
    symbols = _MatrixSymbols()
    for name in loss.shapes:
        rows, columns = (*shape_of(loss, name), 1, 1)[:2]
        symbols[name] = sp.MatrixSymbol(name, rows, columns) if loss.shapes[name] else sp.Symbol(name)
    gradient = loss.matrix(symbols).diff(symbols[loss.wrt])

    def at(values: Values) -> Any:
        known = {symbols[n]: sp.ImmutableMatrix(v) if loss.shapes[n] else v for n, v in values.items()}
        whole = sp.sympify(gradient).subs(known).doit()
        explicit = whole.as_explicit() if hasattr(whole, "as_explicit") else whole
        entries = explicit.evalf().tolist() if hasattr(explicit, "tolist") else float(explicit)
        numbers = np.asarray(entries, float)
        return numbers.reshape(shape_of(loss, loss.wrt)) if numbers.ndim else numbers

    return Found(at, lambda: _reads_as_textbook(loss, sp.latex(gradient)))


def _reads_as_textbook(loss: Loss, text: str) -> bool:
    """Whether a formula is the textbook's up to the order of terms, names written out."""
    problem = problem_from(loss.data)
    return same(_plain(problem, text), _plain(problem, loss.textbook))


def _plain(problem: Problem, text: str) -> Node:
    reader: Reader = problem.reader()
    node = reader.settle(reader.expression(reader.parse(text)))
    for name, meaning in reversed([*problem.definitions.items(), *problem.shorthands.items()]):
        if not isinstance(meaning, tuple):
            node = b.substitute(node, {name: meaning})
    return prepared(node)


# ------------------------------------------------------------------------------------------------ SymPy, scalars


def _over_entries(function: Callable[..., Any]) -> Callable[..., Any]:
    entrywise: Callable[..., Any] = np.frompyfunc(function, 1, 1)
    return entrywise


SYMBOLIC = SimpleNamespace(
    exp=_over_entries(sp.exp), log=_over_entries(sp.log), tanh=_over_entries(sp.tanh), maximum=sp.Max,
    sigmoid=_over_entries(lambda x: 1 / (1 + sp.exp(-x))),
)  # fmt: skip
NUMERIC = SimpleNamespace(
    exp=np.exp, log=np.log, tanh=np.tanh, maximum=np.maximum, sigmoid=lambda x: 1 / (1 + np.exp(-x))
)


def sympy_scalars(loss: Loss) -> Found:
    """`sympy.diff` of the loss written out in entries, at small fixed sizes."""
    arrays = {name: _entries(name, shape_of(loss, name)) for name in loss.shapes}
    whole = loss.loss(arrays, SYMBOLIC)
    gradient = np.vectorize(lambda entry: sp.diff(whole, entry), otypes=[object])(arrays[loss.wrt])

    def at(values: Values) -> Any:
        known = {s: v for n, x in arrays.items() for s, v in zip(np.ravel(x), np.ravel(values[n]), strict=True)}
        return np.vectorize(lambda e: float(e.subs(known)), otypes=[float])(gradient)

    return Found(at, lambda: False)


def _entries(name: str, shape: tuple[int, ...]) -> Any:
    out = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        out[place] = sp.Symbol("_".join([name, *map(str, place)]), real=True)
    return out if shape else out[()]


# ---------------------------------------------------------------------------------------------------- tensorgrad


def tensorgrad(loss: Loss) -> Found:
    """Derivative and full simplification in tensorgrad, which prints tensors without names for parts."""
    if loss.tensor is None:
        raise NotExpressedError
    import torch
    from tensorgrad import Derivative, Variable, functions
    from tensorgrad.extras.evaluate import evaluate

    sizes = {name: sp.Symbol(name) for name in SIZES}
    tensors = {name: _variable(Variable, name, shape.split(), sizes) for name, shape in loss.shapes.items()}
    variable = tensors[loss.wrt]
    edges = {edge: f"{edge}_of_gradient" for edge in variable.edges}
    gradient = Derivative(loss.tensor(tensors, functions), variable, edges).full_simplify()

    def at(values: Values) -> Any:
        known = {
            tensor: torch.tensor(np.asarray(values[name], np.float32)).rename(*tensor.edges)
            for name, tensor in tensors.items()
        }
        dims = {sizes[name]: number for name, number in SIZES.items()}
        out = evaluate(gradient, known, dims)
        return out.align_to(*edges.values()).rename(None).numpy() if edges else out.numpy()

    return Found(at, lambda: False)


def _variable(make: Any, name: str, shape: list[str], sizes: Mapping[str, Any]) -> Any:
    edges: dict[str, Any] = {}
    for size in shape:
        edges[size if size not in edges else f"{size}_"] = sizes[size]
    return make(name, **edges)


ENGINES: dict[str, Callable[[Loss], Found]] = {
    "derive": derive, "SymPy, matrices": sympy_matrices, "SymPy, scalars": sympy_scalars, "tensorgrad": tensorgrad,
}  # fmt: skip


def installed(engine: str) -> bool:
    """Whether what an engine needs can be imported."""
    needs = ("tensorgrad", "torch") if engine == "tensorgrad" else ()
    return all(importlib.util.find_spec(name) is not None for name in needs)
