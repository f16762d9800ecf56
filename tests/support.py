"""What several tests need: problems made of expressions, and values of expressions."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.expressions.node import Node, walk
from derive.numerics.fields import Field
from derive.numerics.sampling import Sample, sample, world
from derive.problem.problem import Problem, Target
from derive.reading.scope import Entity, Pattern, Scope
from derive.sizes import SCALAR


def problem_of(loss: Node) -> Problem:
    """A problem whose loss is an expression; everything in it is given."""
    scope = Scope()
    for leaf in walk(loss):
        for size in leaf.dims:
            scope.add_size_names(size.names)
        if leaf.op == "sum":
            scope.add_size_names(leaf.data[1].lo.names | leaf.data[1].hi.names)  # type: ignore[union-attr]
        if leaf.op not in ("symbol", "family", "index"):
            continue
        name = str(leaf.data[0])
        kind = {"symbol": "value", "family": "family", "index": "index"}[leaf.op]
        over: Any = leaf.data[2] if leaf.op == "family" else leaf.data[1] if leaf.op == "index" else None
        slots = (str(leaf.data[-1]),) if leaf.op == "family" else ()
        if leaf.op == "index" and over is None:
            continue
        scope.add(Entity(kind, name, Pattern(name, None, (), None), leaf, slots, over))
        if over is not None:
            scope.add_size_names(over.lo.names | over.hi.names)
    from derive.expressions.build import symbol

    return Problem("", "", "", scope, loss, symbol("loss", SCALAR), {}, {}, {})


def target_of(leaf: Node) -> Target:
    """A whole symbol as the variable."""
    return Target(str(leaf.data[0]), leaf, leaf, ())


def value_of(node: Node, field: Field, seed: int = 1, points: int = 4, problem: Problem | None = None) -> Any:
    """The value of an expression at sampled points."""
    home = problem or problem_of(node)
    drawn: Sample = sample(home, None, seed, points)
    with np.errstate(all="ignore"):
        value = world(home, field, drawn).value(node)
    return np.broadcast_to(value, (points, *value.shape[-2:]))
