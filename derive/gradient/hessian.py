"""Hessians: the Jacobian of the gradient for a vector, the Hessian-vector product for a matrix.

The second derivative with respect to a matrix has four indices and is no matrix; its product with a
direction is one, and that is what is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.closed import derivative
from derive.problem.problem import Problem, Target
from derive.sizes import ONE

DIRECTION = "V"


@dataclass(frozen=True, slots=True)
class Hessian:
    """A Hessian (or, for a matrix, its product with the direction `direction`) in closed form."""

    target: Target
    closed: Node
    direction: Node | None


def hessian(problem: Problem, wrt: str) -> Hessian:
    """The second derivative of the loss with respect to one variable.

    Raises `AuthorError` for what is no variable and `NoRuleError` where a rule is missing.
    """
    target = problem.target(wrt)
    if target.leaf.op == "family" and target.access.op == "family":
        raise AuthorError("the Hessian is of one member of a family", "wrt")
    gradient = derivative(problem, problem.loss_symbol, target)
    if ONE in target.access.dims:
        column = gradient if gradient.dims[1] == ONE else b.transpose(gradient)
        return Hessian(target, derivative(problem, column, target), None)
    direction = direction_of(problem, target)
    return Hessian(target, derivative(problem, b.inner(direction, gradient), target), direction)


def direction_of(problem: Problem, target: Target) -> Node:
    """A matrix of the variable's shape under a name that the problem does not use."""
    name = DIRECTION
    while name in problem.scope.entities or name in problem.scope.sizes:
        name = rf"\tilde{{{name}}}"
    return b.symbol(name, target.access.dims)
