"""Numbers for a computation graph: values forward, gradients backward, at given inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.closed import sweep_for
from derive.gradient.pullback import member_index
from derive.graph.model import Flow, Graph, with_numbers
from derive.numerics.fields import Floating
from derive.numerics.world import World
from derive.problem.problem import Problem
from derive.sizes import ONE, Size

MOST_ENTRIES = 12


def parse(text: str) -> dict[str, Any]:
    """The values in a text such as `a=3, x=[1, 2]`.  Raises `AuthorError` for what is no number or list of numbers."""
    out: dict[str, Any] = {}
    for piece in _split(text):
        name, equals, value = piece.partition("=")
        if not equals or not name.strip():
            raise AuthorError(f"{piece.strip()!r} is not NAME=VALUE", "--at")
        try:
            out[name.strip()] = json.loads(value)
        except ValueError:
            raise AuthorError(
                f"{value.strip()!r} is no number and no list of numbers", f"--at {name.strip()}"
            ) from None
    return out


def _split(text: str) -> list[str]:
    """A text at the commas outside of all brackets."""
    pieces, depth = [""], 0
    for char in text:
        depth += (char in "[{(") - (char in "]})")
        if char == "," and not depth:
            pieces.append("")
        else:
            pieces[-1] += char
    return [piece for piece in pieces if piece.strip()]


def at(problem: Problem, graph: Graph, flow: Flow, given: Mapping[str, Any]) -> Graph:
    """The graph with the numbers that follow from given ones.

    Raises `AuthorError` for a name that is none, a missing value, or one that does not have the declared shape.
    """
    inputs = {node.name: flow.leaves[node.name] for node in graph.nodes if node.given}
    _check_names(problem, given, inputs)
    sizes, arrays, indices = _fitted(problem, given, inputs)
    here = World(Floating(), sizes, arrays, indices, problem.meanings)
    with np.errstate(all="ignore"):
        values = {name: _value(here, leaf) for name, leaf in flow.leaves.items()}
        run = sweep_for(problem, problem.loss_symbol)
        slopes = {name: _gradient(here, flow.leaves[name], run.expanded(g)) for name, g in flow.gradients.items()}
        for symbol, name in flow.upstream.items():
            slope = slopes.get(str(name.data[0]))
            if slope is not None and name.op == "symbol":
                here.leaves[symbol] = slope.reshape(1, *(size.value(sizes) for size in name.dims))
        passed = {edge: _gradient(here, flow.leaves[edge[0]], part) for edge, part in flow.passed.items()}
    return with_numbers(
        graph, {k: shown(v) for k, v in values.items()}, {k: shown(v) for k, v in slopes.items()},
        {k: shown(v) for k, v in passed.items()},
    )  # fmt: skip


def _check_names(problem: Problem, given: Mapping[str, Any], inputs: Mapping[str, Node]) -> None:
    indices = {e.key for e in problem.scope.all() if e.kind == "index"}
    for name in given:
        if name not in inputs and name not in indices and name not in problem.scope.sizes:
            known = ", ".join((*inputs, *sorted(indices)))
            raise AuthorError(f"{name} is not given in this problem; given are {known}", "--at")
    missing = [name for name in (*inputs, *sorted(indices)) if name not in given]
    if missing:
        raise AuthorError(f"no value for {', '.join(missing)}", "--at")


def _fitted(
    problem: Problem, given: Mapping[str, Any], inputs: Mapping[str, Node]
) -> tuple[dict[str, int], dict[Node, Any], dict[str, Any]]:
    """The sizes that follow from the arrays, the arrays as the engine has them, the indices."""
    sizes: dict[str, int] = {name: int(given[name]) for name in problem.scope.sizes if name in given}
    arrays: dict[Node, Any] = {}
    for name, leaf in inputs.items():
        value = _array(name, given[name])
        wanted = [s for s in leaf.dims if s != ONE]
        if leaf.op == "family":
            wanted.insert(0, leaf.data[2].hi - leaf.data[2].lo + 1)
        if value.ndim != len(wanted):
            raise AuthorError(f"this has {value.ndim} axes, but {len(wanted)} are declared", f"--at {name}")
        for size, length in zip(wanted, value.shape, strict=True):
            _learn(name, size, length, sizes)
        dims = tuple(size.value(sizes) for size in leaf.dims)
        arrays[leaf] = value.reshape((1, -1, *dims) if leaf.op == "family" else (1, *dims))
    indices = {e.key: np.array([int(given[e.key])]) for e in problem.scope.all() if e.kind == "index"}
    return sizes, arrays, indices


def _array(name: str, value: Any) -> Any:
    try:
        out = np.asarray(value, dtype=float)
    except (ValueError, TypeError):
        raise AuthorError("this is no array of numbers", f"--at {name}") from None
    return out


def _learn(name: str, size: Size, length: int, sizes: dict[str, int]) -> None:
    if len(size.names) == 1 and size == Size.of(next(iter(size.names))):
        known = sizes.setdefault(str(size), length)
    else:
        known = size.value(sizes)
    if known != length:
        raise AuthorError(f"an axis of length {length} where {size} = {known}", f"--at {name}")


def _value(here: World, leaf: Node) -> Any:
    return np.asarray(here.leaf(leaf))[0]


def _gradient(here: World, leaf: Node, part: Node) -> Any:
    """The value of a gradient; for a family, of all members."""
    if leaf.op != "family":
        return _filled(here, leaf, part)
    mine = member_index(leaf)
    members = leaf.data[2].values(here.sizes)
    return np.stack([_filled(here, leaf, b.substitute(part, {mine: b.number(k)})) for k in members])


def _filled(here: World, leaf: Node, part: Node) -> Any:
    value = np.asarray(here.value(part))
    return np.broadcast_to(value, (1, *(size.value(here.sizes) for size in leaf.dims)))[0]


def shown(value: Any) -> str:
    """A number or array as text, short enough for an edge."""
    array = np.squeeze(np.asarray(value, dtype=float))
    if array.size > MOST_ENTRIES:
        return " × ".join(map(str, array.shape))
    return _nested(array)


def _nested(array: Any) -> str:
    if array.ndim == 0:
        return f"{float(array):.4g}".replace("-0", "0") if float(array) == 0 else f"{float(array):.4g}"
    return "[" + ", ".join(_nested(part) for part in array) + "]"
