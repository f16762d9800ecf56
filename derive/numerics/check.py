"""Two independent checks of a closed form; neither uses a rule of the reverse sweep.

1. Exact: forward-mode differentiation at small unequal sizes, modulo a prime, on all branches at once.
   Where an identity of transcendental functions is needed that the prime field does not know, with many
   digits instead.
2. Central differences along random directions, in floating point, away from kinks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import numpy as np

from derive.errors import EvaluationError
from derive.expressions.node import Node
from derive.numerics import forward
from derive.numerics.fields import Field, Floating, Modular, Precise
from derive.numerics.sampling import Sample, sample, world
from derive.numerics.world import World
from derive.problem.problem import Problem, Target
from derive.sizes import SCALAR

SEEDS, TRIED = (3, 4), range(3, 9)
POINTS = 6
STEP = 1e-5
DIGITS = 40
Result = TypeVar("Result")


def exact(problem: Problem, of: Node, target: Target, closed: Node, layout: str = "shape") -> str:
    """How the closed form was confirmed: "modulo a prime", "with many digits", or "" if it was not."""
    fields: dict[str, Callable[[int], Field]] = {
        "modulo a prime": lambda seed: Modular(5 + seed),
        "with many digits": lambda seed: Precise(DIGITS + 20),
    }
    for name, field in fields.items():
        agree = partial(_agrees, problem, of, target, closed, layout, field)
        if (found := _first(agree)) and all(found):
            return name
    return ""


def _first(value: Callable[[int], Result]) -> list[Result]:
    """The values at the first two seeds that have one: at some sizes a matrix is singular, or an index outside."""
    out: list[Result] = []
    for seed in TRIED:
        with suppress(EvaluationError):
            out.append(value(seed))
        if len(out) == 2:
            return out
    return []


def _agrees(
    problem: Problem, of: Node, target: Target, closed: Node, layout: str, make: Callable[[int], Field], seed: int
) -> bool:
    field = make(seed)
    drawn = sample(problem, target, seed, POINTS)
    with np.errstate(all="ignore"):
        true = forward.jacobian_values(problem, field, drawn, of, target)
        given = world(problem, field, drawn).value(closed)
    true = np.swapaxes(true, -1, -2) if layout == "numerator" else true
    given = np.broadcast_to(given, true.shape) if given.shape[-2:] == true.shape[-2:] else None
    if given is None:
        return False
    if isinstance(field, Modular):
        return bool(np.all(true == given))
    assert isinstance(field, Precise)
    close = field.mp.mpf(10) ** -DIGITS
    return all(abs(a - c) <= close * (1 + abs(a)) for a, c in zip(true.ravel(), given.ravel(), strict=True))


def central(problem: Problem, of: Node, target: Target, closed: Node, layout: str = "shape") -> float:
    """The largest relative error of the closed form against central differences, over random directions.

    Infinite where a value is undefined, or where no point lay away from the kinks.
    """

    def at(seed: int) -> list[float]:
        drawn = sample(problem, target, seed + 20, POINTS).scaled(0.5)
        return [_error(*pair) for pair in _differences(problem, of, target, closed, layout, drawn, seed)]

    return max((error for errors in _first(at) for error in errors), default=np.inf)


def _error(given: Any, seen: Any) -> float:
    scale = max(1e-3, float(np.max(np.abs(given))), float(np.max(np.abs(seen))))
    error = float(np.max(np.abs(given - seen))) / scale
    return error if np.isfinite(error) else np.inf


def _differences(
    problem: Problem, of: Node, target: Target, closed: Node, layout: str, drawn: Sample, seed: int
) -> Iterator[tuple[Any, Any]]:
    """Pairs of a directional derivative by the closed form and by a central difference, one a point."""
    field, rng = Floating(), np.random.default_rng([seed, 77])
    plain = world(problem, field, drawn)
    with np.errstate(all="ignore"):
        gradient = np.broadcast_to(v := plain.value(closed), (drawn.points, *v.shape[-2:]))
        leaf = plain.leaf(target.leaf)
        part = plain.value(target.access)
        direction = rng.normal(size=(drawn.points, *part.shape[-2:]))
        moved = scatter(plain, target.access, target.leaf, direction)
        here, up, down = (value_at(problem, field, drawn, of, target.leaf, leaf + s * STEP * moved) for s in (0, 1, -1))
        seen = (up - down) / (2 * STEP)
        kinked = ~(np.abs((up - here) - (here - down)) <= 1e-3 * np.abs(up - down) + 1e-9)
    gradient = np.swapaxes(gradient, -1, -2) if layout == "numerator" else gradient
    for k in range(drawn.points):
        if np.any(kinked[k]):
            continue
        if of.dims == SCALAR:
            yield np.sum(gradient[k] * direction[k]), seen[k].sum()
        else:
            yield gradient[k] @ direction[k].reshape(-1), seen[k].reshape(-1)


def value_at(problem: Problem, field: Field, drawn: Sample, of: Node, leaf: Node, value: Any) -> Any:
    """The value of an expression where a leaf has another value: (points, rows, columns)."""
    out = world(problem, field, drawn, {leaf: value}).value(of)
    return np.broadcast_to(out, (drawn.points, *out.shape[-2:]))


def scatter(plain: World, access: Node, leaf: Node, direction: Any) -> Any:
    """A direction of the variable as a direction of the leaf that it is a part of."""
    if access is leaf:
        return direction
    if access.op == "transpose":
        return scatter(plain, access.operands[0], leaf, np.swapaxes(direction, -1, -2))
    points = np.arange(direction.shape[0])
    if access.op == "member":
        whole = np.zeros((len(points), *plain.leaf(leaf).shape[-3:]))
        members = plain._positions(leaf.data[2], access.operands[1])
        whole[points, np.broadcast_to(members, points.shape)] = direction
        return whole
    inner = access.operands[0]
    whole = np.zeros((len(points), *(size.value(plain.sizes) for size in inner.dims)))
    places = [np.broadcast_to(plain.index_value(i) - 1, points.shape) for i in access.operands[1:]]
    if access.op == "entry":
        whole[points, places[0], places[1]] = direction[:, 0, 0]
    elif access.op == "row":
        whole[points, places[0]] = direction[:, 0]
    else:
        whole[points, :, places[0]] = direction[:, :, 0]
    return scatter(plain, inner, leaf, whole)
