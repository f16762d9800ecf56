"""Both checks for many gradients of one number at once, so that a long program is checked in one pass.

Every variable is moved along a random direction at the same time, defined names by what is added to their value:
the loss then changes by the sum of all gradients times their directions.  Modulo a prime a wrong gradient goes
unseen with a chance of one in four billion a point; in floating point, what is far smaller than the rest is not
seen, which is why few gradients are checked one by one (`derive.numerics.check`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.expressions.node import Node
from derive.numerics.check import POINTS, SEEDS, STEP
from derive.numerics.fields import PRIME, Dual, Field, Floating, Modular, Pair
from derive.numerics.forward import shifted_world
from derive.numerics.sampling import Sample, sample, world
from derive.problem.problem import Problem, Target
from derive.sizes import SCALAR

DIRECTIONS = 2
Forms = Sequence[tuple[Target, Node]]


def together(problem: Problem, of: Node, forms: Forms) -> tuple[str, float] | None:
    """How closed forms (in the shape of their variables) were confirmed, with the relative error of central
    differences; None where this does not tell, so that each is to be checked by itself."""
    if of.dims != SCALAR or not all(t.access is t.leaf and t.leaf.op == "symbol" for t, _ in forms):
        return None
    gradients = {target.leaf: closed for target, closed in forms}
    if any(closed.dims != leaf.dims for leaf, closed in gradients.items()):
        return None
    try:
        with np.errstate(all="ignore"):
            if not all(_sum_agrees(problem, of, gradients, seed) for seed in SEEDS):
                return None
            error = max(_difference(problem, of, gradients, seed) for seed in SEEDS)
    except EvaluationError:
        return None
    return ("modulo a prime", error) if np.isfinite(error) else None


def _values(problem: Problem, field: Field, drawn: Sample, gradients: Mapping[Node, Node]) -> dict[Node, Any]:
    plain = world(problem, field, drawn)
    found = {leaf: plain.value(closed) for leaf, closed in gradients.items()}
    return {leaf: np.broadcast_to(v, (drawn.points, *plain.dims(leaf.dims))) for leaf, v in found.items()}


def _sum_agrees(problem: Problem, of: Node, gradients: Mapping[Node, Node], seed: int) -> bool:
    field, drawn = Modular(5 + seed), sample(problem, None, seed, POINTS)
    rng = np.random.default_rng([seed, 78])
    values = _values(problem, field, drawn, gradients)
    moves, given = dict[Node, Any](), field.const(0)
    for leaf, value in values.items():
        moves[leaf] = rng.integers(0, PRIME, (DIRECTIONS, *value.shape), dtype=np.uint64)
        given = field.add(given, field.total(field.mul(value, moves[leaf])))
    zero = field.const(0)[None]
    out = shifted_world(problem, Dual(field), drawn, {leaf: Pair(zero, v) for leaf, v in moves.items()}).value(of)
    return bool(np.all(given == (zero if out.tangent is None else out.tangent)))


def _difference(problem: Problem, of: Node, gradients: Mapping[Node, Node], seed: int) -> float:
    """The largest relative error of a central difference, at points away from kinks."""
    field, drawn = Floating(), sample(problem, None, seed + 20, POINTS).scaled(0.5)
    rng = np.random.default_rng([seed, 77])
    moves, given, step = dict[Node, Any](), np.zeros((drawn.points, 1, 1)), STEP / np.sqrt(len(gradients))
    for leaf, value in _values(problem, field, drawn, gradients).items():
        move = rng.normal(size=value.shape)
        along = field.total(value * move)
        weight = 1 / np.maximum(1, np.abs(along))
        moves[leaf], given = step * weight * move, given + weight * along

    def at(sign: int) -> Any:
        shifts = {leaf: sign * move for leaf, move in moves.items()}
        return np.broadcast_to(shifted_world(problem, field, drawn, shifts).value(of), given.shape)

    here, up, down = at(0), at(1), at(-1)
    seen = (up - down) / (2 * step)
    smooth = np.abs((up - here) - (here - down)) <= 1e-3 * np.abs(up - down) + 1e-9
    scale = np.maximum(1e-3, np.maximum(np.abs(given), np.abs(seen)))
    return float(np.max((np.abs(given - seen) / scale)[smooth], initial=0.0 if smooth.any() else np.inf))
