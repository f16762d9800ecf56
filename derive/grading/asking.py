"""From the texts of a question to what is asked."""

from __future__ import annotations

import marshal
from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.memory import Memory
from derive.printing.latex import latex
from derive.problem.builder import problem_from
from derive.problem.load import by_identifier
from derive.problem.problem import Problem, Target

_INLINE: Memory[Problem] = Memory(512)
_ASKED: Memory[tuple[Problem, Asked]] = Memory(2048)


def content_of(given: Any) -> Hashable:
    """What a problem that is written out says, as one key: the quickest of the ways to bytes that tell all apart."""
    try:
        return marshal.dumps(given, 0)
    except ValueError:
        return repr(given)


def problem_of(given: Any) -> Problem:
    """The problem of a question: by its id, or written out (read once)."""
    if isinstance(given, str):
        return by_identifier(given)
    if isinstance(given, Problem):
        return given
    if not isinstance(given, Mapping):
        raise AuthorError("the problem is an id or a table", "problem")
    key = content_of(given)
    problem = _INLINE.get(key)
    if problem is None:
        problem = _INLINE[key] = problem_from(given)
    return problem


def ask(problem: Problem, wrt: str, of: str = "", layout: str | None = None) -> Asked:
    """What is asked, with its variable and what is differentiated resolved."""
    key = (id(problem), wrt, of, layout)
    known = _ASKED.get(key)
    if known is None or known[0] is not problem:
        known = _ASKED[key] = (problem, _ask(problem, wrt, of, layout))
    return known[1]


def _ask(problem: Problem, wrt: str, of: str, layout: str | None) -> Asked:
    target = problem.target(wrt)
    node = problem.target(of).access if of else problem.loss_symbol
    if of:
        target = _with_free(target, problem.target(of))
    if node.dims != b.SCALAR:
        for name, part in (("of", node), ("wrt", target.access)):
            if b.ONE not in part.dims:
                raise AuthorError(f"in a Jacobian {latex(part)} is to be a vector, not a matrix", name)
    layout = layout or problem.layout
    closed = partial(_closed_form, problem, node, target, layout)
    return Asked(problem, node, target, layout, closed, problem.policy, problem.preamble)


def _closed_form(problem: Problem, of: Node, target: Target, layout: str) -> Node | None:
    """The closed form; what derives it is imported when it is needed, which many an answer does not."""
    from derive.gradient.closed import closed_form

    return closed_form(problem, of, target, layout)


def _with_free(target: Target, of: Target) -> Target:
    """The variable's free indices together with those of what is differentiated."""
    free = dict(target.free) | dict(of.free)
    return Target(target.text, target.leaf, target.access, tuple(free.items()))
