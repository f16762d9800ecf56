"""The derivative along one direction, by forward mode: what one entry of a gradient is, without all the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.expressions.node import Node
from derive.numerics.check import scatter
from derive.numerics.fields import Dual, Field, Floating, Pair
from derive.numerics.sampling import Sample, world
from derive.numerics.world import World
from derive.problem.problem import Problem, Target


def along(problem: Problem, field: Field, drawn: Sample, of: Node, target: Target, direction: Any) -> Any:
    """∂of along a direction of the target, which is whole numbers of shape (points, rows, columns).

    Returns an array of shape (points, rows of `of`, columns of `of`).
    One tangent is carried, where `forward.jacobian_values` carries one for each entry.
    """
    moved = scatter(world(problem, Floating(), drawn), target.access, target.leaf, direction)
    plain = world(problem, field, drawn)
    value = plain.leaf(target.leaf)
    tail = value.shape[-3:] if target.leaf.op == "family" else value.shape[-2:]
    leaves: dict[Node, Any] = {node: Pair(x[None], None) for node, x in plain.leaves.items() if node in drawn.values}
    tangent = field.from_int(np.asarray(moved).astype(np.int64)).reshape(1, drawn.points, *tail)
    leaves[target.leaf] = Pair(np.broadcast_to(value, (drawn.points, *tail))[None], tangent)
    varied = World(Dual(field), drawn.sizes, leaves, drawn.indices, problem.meanings)
    out = varied.value(of)
    found = field.mul(field.const(0), out.value) if out.tangent is None else out.tangent
    return np.broadcast_to(found, (1, drawn.points, *out.shape[-2:]))[0]
