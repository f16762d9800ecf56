"""A problem as Python users have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import sympy as sp

from derive.api.formula import Formula, first_derivative, second_derivative
from derive.api.from_sympy import LOSS, problem_from_sympy
from derive.api.sympy_nodes import key_of
from derive.errors import AuthorError
from derive.gradient.derivation import Derivation, asked, closed_forms, derivation, forward
from derive.grading.asking import ask
from derive.grading.grade import judge
from derive.grading.verdict import Verdict
from derive.lowering.lower import lower
from derive.problem.builder import problem_from
from derive.problem.load import load
from derive.problem.problem import Problem as Engine

Variable: TypeAlias = str | Any
"""A name in LaTeX, or a SymPy symbol."""


class Problem:
    r"""A loss with everything that is declared for it: what a problem file holds, as an object.

    `loss` is LaTeX, with `symbols`, `define` and `names` as in a problem file, or a number built in SymPy; then the
    shapes come from its symbols, and `symbols` may add properties, as in {"y": "C, one-hot"}.  Raises `AuthorError`
    with the key and the place of what is wrong.

    >>> problem = Problem(r"J = \frac{1}{2} \|W x - y\|^2", symbols={"W": "C x d", "x": "d", "y": "C"})
    >>> print(problem.gradient("W"))
    \left(W x - y\right) x^\top
    """

    __slots__ = ("_engine", "_spelt")

    def __init__(
        self,
        loss: Variable,
        symbols: Mapping[str, str] | None = None,
        define: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self._spelt: dict[str, str] = {}
        if isinstance(loss, str):
            given = {"symbols": symbols, "define": define, "names": names}
            table = {"loss": loss, **{key: dict(value) for key, value in given.items() if value}, **more}
            self._engine = problem_from(table)
        elif isinstance(loss, sp.Basic):
            if define or names or more.keys() - {"title", "source", "name"}:
                raise AuthorError("a loss built in SymPy takes symbols, name, title and source, nothing else")
            self._engine, self._spelt = problem_from_sympy(loss, symbols=symbols, **{"name": LOSS, **more})
        else:
            raise AuthorError(f"a loss is LaTeX or a SymPy expression, not {type(loss).__name__}", "loss")

    @classmethod
    def load(cls, name: str | Path) -> Problem:
        """The problem with this id in the catalogue, or in this TOML or JSON file."""
        return cls._of(load(str(name)))

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Problem:
        """The problem with the keys of a problem file."""
        return cls._of(problem_from(table))

    @classmethod
    def _of(cls, engine: Engine) -> Problem:
        self = cls.__new__(cls)
        self._engine, self._spelt = engine, {}
        return self

    @property
    def title(self) -> str:
        """The title, if it has one."""
        return self._engine.title

    @property
    def source(self) -> str:
        """Where it comes from."""
        return self._engine.source

    @property
    def loss(self) -> str:
        """The loss in LaTeX."""
        return self._engine.loss_text

    # --------------------------------------------------------------------------------------------- deriving

    def gradient(self, wrt: Variable, layout: str | None = None) -> Formula:
        """The gradient of the loss with respect to a symbol, a defined name, an entry or a member of a family."""
        return first_derivative(self._engine, self._spelt, self._variable(wrt), layout=_layout(layout))

    def jacobian(self, of: str, wrt: Variable, layout: str | None = None) -> Formula:
        """The Jacobian of a vector: rows follow `of`, columns `wrt`; transposed in numerator layout."""
        return first_derivative(self._engine, self._spelt, self._variable(wrt), of, _layout(layout))

    def hessian(self, wrt: Variable, then: Variable | None = None, layout: str | None = None) -> Formula:
        """The Hessian of the loss, or its mixed second derivative; with a matrix, the product with a direction V."""
        second = "" if then is None else self._variable(then)
        return second_derivative(self._engine, self._spelt, self._variable(wrt), second, _layout(layout))

    def gradients(self, layout: str | None = None) -> dict[str, Formula]:
        """The gradients that the problem's questions ask for, or with respect to all that it names."""
        wanted = [q.wrt for q in asked(self._engine) if not q.of]
        return {wrt: self.gradient(wrt, layout) for wrt in wanted}

    def derivation(self, wrt: Iterable[str] = (), of: str | None = None, layout: str | None = None) -> Derivation:
        """All that `derive show` prints, as values."""
        return derivation(self._engine, [self._variable(one) for one in wrt], of, _layout(layout))

    def numpy_source(self) -> str:
        """The source of a NumPy function that computes the loss and the gradients."""
        return lower(self._engine, closed_forms(self._engine)).source

    # ---------------------------------------------------------------------------------------------- grading

    def check(
        self, wrt: Variable, answer: str, of: str = "", layout: str | None = None, policy: str | None = None
    ) -> Verdict:
        """The verdict on an answer in LaTeX."""
        question = ask(self._engine, self._variable(wrt), of, _layout(layout))
        return judge(None, question._replace(policy=policy or question.policy), answer)

    # ---------------------------------------------------------------------------------------------- showing

    def _variable(self, wrt: Variable) -> str:
        if isinstance(wrt, str):
            return self._spelt.get(wrt, wrt)
        if isinstance(wrt, (sp.Symbol, sp.MatrixSymbol)):
            if self._spelt and wrt.name not in self._spelt:
                raise AuthorError(f"the loss does not depend on {wrt.name}", "wrt")
            return key_of(wrt.name)
        kind = type(wrt).__name__
        raise AuthorError(f"a variable is a Symbol, a MatrixSymbol or a name in LaTeX, not {kind} ({wrt})", "wrt")

    def __repr__(self) -> str:
        return f"<Problem {self.title or self._engine.identifier or self.loss}>"

    def _repr_latex_(self) -> str:
        lines = r" \\ ".join(f"{line.name} &= {line.definition}" for line in forward(self._engine))
        return rf"$\displaystyle \begin{{aligned}} {lines} \end{{aligned}}$"


def _layout(layout: str | None) -> str | None:
    if layout not in (None, "shape", "numerator"):
        raise AuthorError(f"the layout is shape or numerator, not {layout}", "layout")
    return layout
