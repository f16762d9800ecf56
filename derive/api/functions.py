"""What `from derive import …` gives beside `Problem`: one function for each thing that is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, overload

from derive.api.formula import Formula
from derive.api.problem import Problem, Variable
from derive.grading import grade as grading
from derive.grading.verdict import Verdict

Source: TypeAlias = Problem | Variable


def gradient(source: Source, wrt: Variable, *, layout: str | None = None, **declared: Any) -> Formula:
    r"""The gradient of a loss: of a `Problem`, of LaTeX with its declarations, or of a SymPy expression.

    It has the shape of its variable, or is transposed with `layout="numerator"`.  Raises `AuthorError` for what
    cannot be read, `NoRuleError` for what cannot be differentiated.

    >>> print(gradient(r"a^\top X b", "X", symbols={"a": "n", "X": "n x m", "b": "m"}))
    a b^\top
    """
    return _problem(source, declared).gradient(wrt, layout)


def jacobian(source: Source, of: str, wrt: Variable, *, layout: str | None = None, **declared: Any) -> Formula:
    r"""The Jacobian of a vector of a problem: rows follow `of`, columns `wrt`.

    >>> declared = {"symbols": {"u": "n", "z": "n"}, "define": {"p": r"\operatorname{softmax}(z)"}}
    >>> print(jacobian(r"u^\top p", "p", "z", **declared))
    \operatorname{diag}(p) - p p^\top
    """
    return _problem(source, declared).jacobian(of, wrt, layout)


def hessian(
    source: Source, wrt: Variable, then: Variable | None = None, *, layout: str | None = None, **declared: Any
) -> Formula:
    r"""The Hessian of a loss, or its mixed second derivative with respect to `wrt` and `then`.

    Where a matrix is among the variables it is the product H[V] with a direction V of the shape of `wrt`.

    >>> print(hessian(r"x^\top A x", "x", symbols={"x": "n", "A": "n x n, symmetric"}))
    2 A
    """
    return _problem(source, declared).hessian(wrt, then, layout)


@overload
def grade(questions: Mapping[str, Any]) -> Verdict: ...
@overload
def grade(questions: Iterable[Mapping[str, Any]]) -> list[Verdict]: ...
def grade(questions: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Verdict | list[Verdict]:
    r"""The verdict on a question with an answer, or those on several, in their order.

    A question has the keys of a line of `derive grade`: problem (an id, a table or a `Problem`), wrt, answer, and
    where wanted id, of, layout, policy.

    >>> grade({"problem": "softmax-regression", "wrt": "W", "answer": r"(\hat{y} - y) x^T"}).verdict
    'correct'
    """
    if isinstance(questions, Mapping):
        return grading.grade(_with_engine(questions))
    return [grading.grade(_with_engine(one)) for one in questions]


def _with_engine(question: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(question, Mapping):
        raise TypeError(f"a question is a dictionary, not {type(question).__name__}")
    problem = question.get("problem")
    return {**question, "problem": problem._engine} if isinstance(problem, Problem) else question


def _problem(source: Source, declared: Mapping[str, Any]) -> Problem:
    if not isinstance(source, Problem):
        return Problem(source, **declared)
    if declared:
        raise TypeError(f"a Problem declares everything itself; {', '.join(declared)} cannot be added to it")
    return source
