"""How the error of central differences depends on the step: too long it bends, too short digits are lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derive.expressions.node import Node
from derive.numerics.check import scatter, value_at
from derive.numerics.fields import Floating
from derive.numerics.sampling import sample, world
from derive.problem.problem import Problem, Target

SEED, POINTS, DIRECTION = 3, 6, 77
EXPONENTS = tuple(range(1, 12))
SMOOTH = 1e-3


@dataclass(frozen=True, slots=True)
class Measured:
    """A directional derivative by central difference at one step, and its relative error against the closed form."""

    step: float
    difference: float
    error: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The directional derivative by the closed form, and what central differences give at several steps."""

    analytic: float
    measured: tuple[Measured, ...]


def error_curve(problem: Problem, target: Target, closed: Node) -> Curve | None:
    """Central differences of the loss against a closed form, at one point along one direction, for steps 10⁻¹ … 10⁻¹¹.

    None where no sampled point lies away from the kinks.
    """
    drawn = sample(problem, target, SEED, POINTS).scaled(0.5)
    field, rng = Floating(), np.random.default_rng(DIRECTION)
    loss = problem.loss_symbol
    with np.errstate(all="ignore"):
        plain = world(problem, field, drawn)
        gradient = np.broadcast_to(v := plain.value(closed), (drawn.points, *v.shape[-2:]))
        direction = rng.normal(size=gradient.shape)
        moved = scatter(plain, target.access, target.leaf, direction)
        leaf = plain.leaf(target.leaf)
        analytic = (gradient * direction).sum(axis=(-2, -1))
        seen = []
        for exponent in EXPONENTS:
            h = 10.0**-exponent
            up, down = (value_at(problem, field, drawn, loss, target.leaf, leaf + s * h * moved) for s in (1, -1))
            seen.append(((up - down) / (2 * h)).sum(axis=(-2, -1)))
    errors = np.abs(np.array(seen) - analytic) / np.maximum(np.abs(analytic), 1e-300)
    for k in range(drawn.points):
        if np.isfinite(errors[:, k]).all() and abs(analytic[k]) > SMOOTH and errors[4, k] < SMOOTH:
            rows = zip(EXPONENTS, seen, errors, strict=True)
            return Curve(float(analytic[k]), tuple(Measured(10.0**-e, float(s[k]), float(r[k])) for e, s, r in rows))
    return None
