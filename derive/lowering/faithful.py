"""The form of a batch that has no loops has the same values as the one that was derived: evaluated, not trusted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.numerics.fields import Field, Modular, Precise
from derive.numerics.sampling import sample, world
from derive.problem.problem import Problem, Target

SEEDS, POINTS, DIGITS = (5, 6), 3, 40


def refuse_changes(problem: Problem, turned: Problem, gradients: Mapping[str, Node], forms: Mapping[str, Node]) -> None:
    """Raise `EvaluationError` where the loss or a gradient of `turned` differs from that of `problem`.

    They are compared modulo a prime, or with many digits where that has no value.
    """
    families = {str(node.data[0]): node for node in turned.shorthands if node.op == "family"}
    pairs: dict[str, tuple[Node, Node, Target | None]] = {"the loss": (problem.loss, turned.loss, None)}
    for wrt, gradient in gradients.items():
        target, form = problem.target(wrt), forms[wrt]
        if target.free:
            form = b.member(families[str(form.data[0])], b.index(target.free[0][0], None))
        pairs[f"the gradient with respect to {wrt}"] = gradient, form, target
    for name, (before, after, about) in pairs.items():
        if not same(problem, turned, before, after, about):
            raise EvaluationError(f"{name} could not be confirmed in a form for a batch without a loop")


def same(problem: Problem, turned: Problem, before: Node, after: Node, target: Target | None) -> bool:
    """Whether two expressions, each in the names of its problem, have the same values."""
    try:
        return all(_agree(problem, turned, before, after, target, Modular(9 + seed), seed) for seed in SEEDS)
    except EvaluationError:
        return all(_agree(problem, turned, before, after, target, Precise(DIGITS + 20), seed) for seed in SEEDS)


def _agree(
    problem: Problem, turned: Problem, before: Node, after: Node, target: Target | None, field: Field, seed: int
) -> bool:
    drawn = sample(problem, target, seed, POINTS)
    with np.errstate(all="ignore"):
        first, second = world(problem, field, drawn).value(before), world(turned, field, drawn).value(after)
    if first.shape[-2:] != second.shape[-2:]:
        return False
    first, second = np.broadcast_arrays(first, second)
    if isinstance(field, Modular):
        return bool(np.all(first == second))
    assert isinstance(field, Precise)
    close = field.mp.mpf(10) ** -DIGITS
    return all(abs(x - y) <= close * (1 + abs(x)) for x, y in zip(first.ravel(), second.ravel(), strict=True))
