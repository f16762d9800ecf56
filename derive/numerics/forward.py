"""The derivative by forward mode: what a gradient is, independent of the reverse sweep.

The expression is evaluated at small sizes with one tangent for each entry of the variable.  Nothing of the
rules for cotangents is used, so this is both the check of the engine and the value that answers are compared
with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.expressions.node import Node
from derive.numerics.fields import Dual, Field, Pair
from derive.numerics.sampling import Sample, convert, world
from derive.numerics.world import World
from derive.problem.problem import Problem, Target

MAX_ENTRIES = 2000


def seeds(field: Field, value: Any, members: bool) -> Any:
    """Tangents for every entry: shape (entries, 1, [members,] rows, columns)."""
    tail = value.shape[1:]
    count = int(np.prod(tail))
    return field.from_int(np.eye(count, dtype=np.int64).reshape(count, 1, *tail))


def dual_world(problem: Problem, field: Field, drawn: Sample, leaf: Node) -> tuple[World, tuple[int, ...]]:
    """A world in which `leaf` varies and everything else that it does not define is held fixed."""
    plain = world(problem, field, drawn)
    plain_value = plain.leaf(leaf)
    tail = plain_value.shape[-3:] if leaf.op == "family" else plain_value.shape[-2:]
    value = np.broadcast_to(plain_value, (drawn.points, *tail))
    if np.prod(tail) > MAX_ENTRIES:
        raise EvaluationError(f"a variable of {np.prod(tail)} entries is too large")
    dual = Dual(field)
    leaves: dict[Node, Any] = {node: Pair(x[None], None) for node, x in plain.leaves.items() if node in drawn.values}
    leaves[leaf] = Pair(value[None], seeds(field, value, leaf.op == "family"))
    return World(dual, drawn.sizes, leaves, drawn.indices, problem.meanings), value.shape[1:]


def shifted_world(problem: Problem, field: Field, drawn: Sample, shifts: dict[Node, Any]) -> World:
    """A world in which something is added to the values of symbols and names."""
    base = field.base if isinstance(field, Dual) else field
    leaves: dict[Node, Any] = {leaf: convert(base, leaf, value, drawn) for leaf, value in drawn.values.items()}
    if isinstance(field, Dual):
        leaves = {leaf: Pair(value[None], None) for leaf, value in leaves.items()}
    return World(field, drawn.sizes, leaves, drawn.indices, problem.meanings, shifts)


def jacobian_values(problem: Problem, field: Field, drawn: Sample, of: Node, target: Target) -> Any:
    """∂of/∂target at each point: of a number in the shape of the target, else rows of, columns target.

    Returns an array of shape (points, rows, columns).
    """
    varied, shape = dual_world(problem, field, drawn, target.leaf)
    out = varied.value(of)
    points, entries = drawn.points, int(np.prod(shape))
    zero = field.mul(field.const(0), out.value)
    tangent = np.broadcast_to(zero, (1, points, *out.shape[-2:])) if out.tangent is None else out.tangent
    tangent = np.broadcast_to(tangent, (entries, points, *tangent.shape[-2:]))
    parts = [_at(problem, field, drawn, target, tangent[:, :, r, c], shape) for r, c in np.ndindex(*out.shape[-2:])]
    if len(parts) == 1 and out.shape[-2:] == (1, 1):
        return parts[0]
    return np.stack([p.reshape(points, -1) for p in parts], axis=1)


def _at(problem: Problem, field: Field, drawn: Sample, target: Target, tangent: Any, shape: tuple[int, ...]) -> Any:
    """The derivatives with respect to the whole leaf, reached as the target is reached."""
    gradient = np.moveaxis(tangent, 0, -1).reshape(drawn.points, *shape)
    holder = World(field, drawn.sizes, {target.leaf: gradient}, drawn.indices, {})
    return np.broadcast_to(v := holder.value(target.access), (drawn.points, *v.shape[-2:]))
