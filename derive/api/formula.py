"""A derivative as a value: its LaTeX, its shape, its steps, its expression, and a function of NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from derive.api.evaluate import Evaluator
from derive.expressions.node import Node
from derive.expressions.sympy_view import view
from derive.gradient.derivation import (
    CLOSE,
    BackwardStep,
    derivation,
    resolved,
    shown_hessian,
)
from derive.gradient.hessian import hessian
from derive.printing.latex import latex
from derive.problem.problem import Problem, Question


@dataclass(frozen=True, eq=False, repr=False)
class Formula:
    r"""A gradient, Jacobian or Hessian in closed form.

    `latex` is its text and `shape` its shape in words; `expression` is the SymPy tree; `left` is what it is, such as
    \frac{\partial J}{\partial W}; `steps` are the backward steps to a gradient.  `exact` says how the exact check
    confirmed it ("" if it did not), `numeric_error` is the largest relative error against central differences;
    `confirmed` says whether both agree with it.  `direction` names the direction V where this is a Hessian-vector
    product.

    Called with arrays by name, it is evaluated: `g(W=W, x=x)`.  Names that are no identifiers stand in a dictionary,
    `g({r"\hat{y}": y})`, or are spelt as in `names`.  A column is an array of shape (n,), a row one of shape (1, n).
    """

    left: str
    latex: str
    shape: str
    node: Node
    layout: str
    exact: str
    numeric_error: float
    steps: tuple[BackwardStep, ...] = ()
    direction: str = ""
    _problem: Problem = field(kw_only=True)
    _spelt: Mapping[str, str] = field(kw_only=True, default_factory=dict)

    @property
    def confirmed(self) -> bool:
        """Whether two independent checks agree with it."""
        return bool(self.exact) and self.numeric_error < CLOSE

    @cached_property
    def expression(self) -> Any:
        """It as a SymPy matrix expression."""
        return view(self.node)

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self._problem, self.node, self._spelt)

    @property
    def names(self) -> dict[str, str]:
        """What it depends on: each name of the problem and the identifier that keywords use for it."""
        return {a.latex: a.name for a in self._evaluator.lowered.described}

    def __call__(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """The value at given arrays.

        Raises `ShapeError` where a shape does not fit and `AuthorError` for a name that is missing or unknown.
        """
        return self._evaluator([*(values or {}).items(), *named.items()])

    def __str__(self) -> str:
        return self.latex

    def __repr__(self) -> str:
        return f"<{self.left} = {self.latex}, {self.shape}{'' if self.confirmed else ', not confirmed'}>"

    def _repr_latex_(self) -> str:
        doubt = "" if self.confirmed else r"\quad\text{(not confirmed)}"
        return rf"$\displaystyle {self.left} = {self.latex}{doubt}$"


def first_derivative(
    problem: Problem, spelt: Mapping[str, str], wrt: str, of: str = "", layout: str | None = None
) -> Formula:
    """The gradient of the loss, or the Jacobian of `of`, with respect to a variable."""
    found = derivation(problem, [wrt], of, layout)
    (one,) = found.gradients
    closed = resolved(problem, Question(wrt, of, found.layout))[-1]
    return Formula(
        rf"\frac{{\partial {one.of or _loss(problem)}}}{{\partial {wrt}}}", one.latex, one.shape, closed, found.layout,
        one.exact, one.numeric_error, found.steps, _problem=problem, _spelt=spelt,
    )  # fmt: skip


def second_derivative(
    problem: Problem, spelt: Mapping[str, str], wrt: str, then: str = "", layout: str | None = None
) -> Formula:
    """The Hessian of the loss, or a mixed second derivative; with a matrix, the product with a direction."""
    found = hessian(problem, wrt, then, layout or problem.layout)
    one = shown_hessian(found)
    below = rf"\partial {wrt}^2" if one.wrt == one.then else rf"\partial {wrt} \, \partial {then}"
    left = rf"\frac{{\partial^2 {_loss(problem)}}}{{{below}}}" + (f"[{one.direction}]" if one.direction else "")
    return Formula(
        left, one.latex, one.shape, found.closed, found.layout, one.exact, one.numeric_error,
        direction=one.direction, _problem=found.problem, _spelt=spelt,
    )  # fmt: skip


def _loss(problem: Problem) -> str:
    return latex(problem.loss_symbol) if problem.scope.loss_name else r"\mathrm{loss}"
