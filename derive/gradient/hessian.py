"""Hessians: the Jacobian of the gradient for a vector, the Hessian-vector product for a matrix.

The second derivative with respect to a matrix has four indices and is no matrix; its product with a
direction is one, and that is what is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.closed import derivative
from derive.gradient.sweep import naming
from derive.numerics import check
from derive.problem.declare import pattern
from derive.problem.problem import Problem, Target
from derive.reading.scope import Entity
from derive.sizes import ONE, SCALAR

DIRECTIONS = ("V", "D", "H")


@dataclass(frozen=True, slots=True)
class Hessian:
    """A second derivative in closed form: of the gradient with respect to `first`, with respect to `second`.

    Rows follow `first`, columns `second`.  Where that would take more than two indices, since one of them is a
    matrix, `closed` is the derivative of the inner product of the gradient with `direction`, of the shape of
    `first`, and has the shape of `second`.  `of` is what was differentiated last; `problem` declares the direction
    too.  In numerator layout all is transposed.
    """

    problem: Problem
    first: Target
    second: Target
    of: Node
    closed: Node
    direction: Node | None
    layout: str = "shape"

    def checked(self) -> tuple[str, float]:
        """How it was confirmed, and the largest relative error against central differences of the gradient.

        Both the gradient and its derivative are confirmed by forward mode, which knows no rule of the sweep: the
        gradient as the derivative of the loss, this as the derivative of the gradient.
        """
        gradient = derivative(self.problem, self.problem.loss_symbol, self.first)
        before = check.exact(self.problem, self.problem.loss_symbol, self.first, gradient)
        after = check.exact(self.problem, self.of, self.second, self.closed, self.layout)
        error = check.central(self.problem, self.of, self.second, self.closed, self.layout)
        ways = sorted({before, after})
        return ("" if "" in ways else " and ".join(ways)), error


def hessian(problem: Problem, wrt: str, then: str = "", layout: str = "shape") -> Hessian:
    """The second derivative of the loss with respect to one variable, or first one and then another.

    Raises `AuthorError` for what is no variable and `NoRuleError` where a rule is missing.
    """
    first, second = (_target(problem, text) for text in (wrt, then or wrt))
    free = tuple((dict(first.free) | dict(second.free)).items())
    first, second = (Target(t.text, t.leaf, t.access, free) for t in (first, second))
    gradient = derivative(problem, problem.loss_symbol, first)
    direction, of = None, gradient
    if gradient.dims != SCALAR and not all(ONE in t.access.dims for t in (first, second)):
        problem, direction = _with_direction(problem, first)
        of = b.inner(direction, gradient)
    elif gradient.dims[1] != ONE:
        of = b.transpose(gradient)
    closed = derivative(problem, of, second)
    if layout == "numerator":
        closed = naming(problem).tidy(b.transpose(closed))
    return Hessian(problem, first, second, of, closed, direction, layout)


def hessians(problem: Problem, variables: list[str], layout: str = "shape") -> Iterator[Hessian]:
    """The Hessian with respect to each variable, and the mixed second derivatives of each two."""
    for wrt in variables:
        yield hessian(problem, wrt, layout=layout)
    for k, wrt in enumerate(variables):
        for then in variables[k + 1 :]:
            yield hessian(problem, wrt, then, layout)


def _target(problem: Problem, wrt: str) -> Target:
    target = problem.target(wrt)
    if target.access.op == "family":
        raise AuthorError(f"{wrt} is a whole family; the Hessian is of one member of it", "wrt")
    return target


def _with_direction(problem: Problem, target: Target) -> tuple[Problem, Node]:
    """The problem with a further matrix, of the variable's shape, under a name that it does not use."""
    scope = problem.scope.child()
    used = scope.entities.keys() | scope.sizes
    name = next((n for n in DIRECTIONS if n not in used), rf"\tilde{{{DIRECTIONS[0]}}}")
    while name in used:
        name = rf"\tilde{{{name}}}"
    direction = b.symbol(name, target.access.dims)
    scope.add(Entity("value", name, pattern(name), direction))
    return replace(problem, scope=scope), direction
