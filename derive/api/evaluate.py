"""Formulas evaluated with NumPy, by the lowered function, after the shapes have been checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from derive.errors import AuthorError, EvaluationError, ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.lowering.arguments import Argument
from derive.lowering.lower import lower
from derive.numerics.sampling import definitions_used
from derive.problem.problem import Problem
from derive.sizes import Range, Size

VALUE, SIZE = "value", "a size"


class Evaluator:
    """A formula as a function of what it depends on; `names` are what its arguments may be called."""

    def __init__(self, problem: Problem, formula: Node, spelt: Mapping[str, str]) -> None:
        self.lowered = lower(_only_what_is_used(problem, formula), {VALUE: formula})
        self.declared = {e.key for e in problem.scope.all()} | set(problem.scope.sizes)
        self.spelt = spelt

    def __call__(self, values: Iterable[tuple[Any, Any]]) -> Any:
        """The value.  Raises `ShapeError` and `AuthorError` that name the symbol at fault."""
        given = self._by_argument(values)
        sizes: dict[str, int] = {}
        for argument in self.lowered.described:
            if argument.name in given and argument.axes:
                given[argument.name] = _array(argument, given[argument.name])
                _learn(argument, given[argument.name].shape, sizes)
            elif argument.name in given and argument.words == SIZE:
                sizes[argument.latex] = given[argument.name] = _number(argument, given[argument.name])
        for argument in self.lowered.described:
            if argument.name in given:
                given[argument.name] = _checked(argument, given[argument.name], sizes)
        missing = [a for a in self.lowered.described if a.name not in given]
        if missing:
            whole = ", ".join(_called(a) for a in self.lowered.described)
            raise AuthorError(f"this formula takes {whole}", f"no value for {_called(missing[0])}")
        return self.lowered.function(*(given[name] for name in self.lowered.arguments))[1][VALUE]

    def _by_argument(self, values: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
        """The values by the identifiers of the arguments; those of symbols that the formula does not use are left."""
        known = {name: a.name for a in self.lowered.described for name in (a.latex, a.name)}
        known |= {name: known[key] for name, key in self.spelt.items() if key in known}
        out: dict[str, Any] = {}
        for name, value in values:
            key = str(name)
            if key in known:
                if known[key] in out:
                    raise AuthorError("two values are given", key)
                out[known[key]] = value
            elif key not in self.declared and self.spelt.get(key) not in self.declared:
                whole = ", ".join(_called(a) for a in self.lowered.described)
                raise AuthorError(f"there is no such symbol; this formula takes {whole}", key)
        return out


def _only_what_is_used(problem: Problem, formula: Node) -> Problem:
    """The problem without the symbols, and without the loss, where the formula does not use them."""
    used = definitions_used(problem, formula)
    bodies = [d[2] if isinstance(d, tuple) else d for d in used.values()]
    nodes = {part for root in (formula, *bodies) for part in walk(root)}
    indices = {str(part.data[0]) for part in nodes if part.op == "index"}
    functions = {str(part.data[0]) for part in nodes if part.op == "unspecified"}
    scope = problem.scope.child()
    for base, entities in scope.entities.items():
        scope.entities[base] = [
            e for e in entities
            if e.node in nodes or e.node in used or (e.kind == "index" and e.key in indices) or e.key in functions
        ]  # fmt: skip
    loss = problem.loss if problem.loss_symbol in used else b.number(0)
    definitions = {name: d for name, d in problem.definitions.items() if name in used}
    shorthands = {name: d for name, d in problem.shorthands.items() if name in used}
    return replace(problem, scope=scope, loss=loss, definitions=definitions, shorthands=shorthands)


def _called(argument: Argument) -> str:
    return argument.latex if argument.latex == argument.name else f"{argument.latex} ({argument.name})"


def _shape(argument: Argument) -> str:
    axes = argument.axes
    return f"({', '.join(map(str, axes))}{',' if len(axes) == 1 else ''})"


def _array(argument: Argument, value: Any) -> Any:
    try:
        out = np.asarray(value)
    except ValueError as problem:
        raise ShapeError(f"{_called(argument)} is no array of numbers: {problem}") from None
    if out.dtype.kind not in "fiub":
        raise ShapeError(f"{_called(argument)} is no array of real numbers but one of {out.dtype}")
    if out.ndim != len(argument.axes):
        message = f"{_called(argument)} has the shape {_shape(argument)}; an array of shape {out.shape} was given"
        raise ShapeError(message)
    return out.astype(float) if argument.real and out.dtype.kind != "f" else out


def _learn(argument: Argument, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    """The sizes that an array tells, where an axis is one size name; those known already must agree."""
    for size, length in zip(argument.axes, shape, strict=True):
        name = str(size)
        if size == Size.of(name) and sizes.setdefault(name, length) != length:
            message = f"{_called(argument)} has the shape {_shape(argument)}; an array of shape {shape} was given, but "
            raise ShapeError(f"{message}{name} = {sizes[name]} by the arrays before it")


def _checked(argument: Argument, value: Any, sizes: Mapping[str, int]) -> Any:
    """A value that fits: the axes of composed sizes, numbers, indices in their range."""
    if argument.axes:
        for size, length in zip(argument.axes, value.shape, strict=True):
            if size.names <= sizes.keys() and size.value(sizes) != length:
                message = f"{_called(argument)} has the shape {_shape(argument)}; an array of shape {value.shape} was"
                raise ShapeError(f"{message} given, but {size} = {size.value(sizes)} by the other arrays")
        return value
    if argument.node is not None and argument.node.op == "index":
        return _index(argument, value, sizes)
    if argument.real or argument.words == SIZE:
        return _number(argument, value)
    return value


def _number(argument: Argument, value: Any) -> Any:
    out = np.asarray(value)
    if out.ndim or out.dtype.kind not in "fiub":
        raise ShapeError(f"{_called(argument)} is a number; an array of shape {out.shape} and {out.dtype} was given")
    if not argument.real:
        return int(out)
    return out.astype(float)[()] if out.dtype.kind != "f" else out[()]


def _index(argument: Argument, value: Any, sizes: Mapping[str, int]) -> int:
    assert argument.node is not None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ShapeError(f"{_called(argument)} is an index, a whole number counted from 1")
    over: Range | None = argument.node.data[1]
    try:
        inside = over is None or int(value) in over.values(sizes)
    except EvaluationError:
        inside = True
    if not inside or int(value) < 0:
        raise ShapeError(f"{_called(argument)} = {value} is not in its range {over}")
    return int(value)
