"""Errors carried forward: a later answer judged against the student's own earlier result.

Let an earlier question ask for ∂J/∂z and a later one for ∂J/∂W.  The derivative of J with respect to W is what goes
through z, which is linear in ∂J/∂z, and what does not:  ∂J/∂W = (vector-Jacobian product of z at ∂J/∂z) + (∂J/∂W with
z held fixed).  The student's own result g in the place of ∂J/∂z gives what should follow from it.  That this is so is
confirmed first, with the true ∂J/∂z in the place of g.

A trivialised g earns nothing: it must depend on everything that the true one depends on, and so must what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from derive.errors import AnswerError, DeriveError
from derive.expressions import build as b
from derive.expressions.leaves import properties_of
from derive.expressions.node import Node
from derive.gradient.closed import closed_form, probe, sweep_for
from derive.grading import compare, grade
from derive.grading.asked import Asked
from derive.grading.asking import ask
from derive.grading.reference import reference
from derive.numerics.fields import Floating
from derive.numerics.sampling import world
from derive.problem.problem import Problem, Target
from derive.reading.scope import Entity, Pattern
from derive.sizes import SCALAR

OPEN = "?carried"
CODES_WITHOUT_VALUE = ("shape", "undefined")


def follows(problem: Problem, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether an answer follows from the student's own earlier one, and why (not), in words.

    `earlier` and `later` are questions (`wrt`, `layout`) with the `answer` as it was read.
    """
    try:
        return _follows(problem, earlier, later)
    except DeriveError as error:
        return False, f"it could not be derived from the earlier answer: {error}"


def _follows(problem: Problem, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> tuple[bool, str]:
    first = ask(problem, earlier["wrt"], "", earlier.get("layout"))
    then = ask(problem, later["wrt"], "", later.get("layout"))
    true, given = first.closed(), _read(first, earlier["answer"])
    if true is None or given.dims != first.dims:
        return False, "the earlier answer has another shape"
    if not _depends_alike(first, true, given):
        return False, "the earlier answer is too simple: it does not depend on all that the derivative depends on"
    if carried_form(first, then) is None or (expected := _carried(first, then, given)) is None:
        return False, "what follows from the earlier answer could not be derived"
    true_later = then.closed()
    if true_later is None or not _depends_alike(then, true_later, expected):
        return False, "what follows from the earlier answer is too simple"
    verdict = grade.judge(None, _asking_for(then, expected), later["answer"])
    if verdict.verdict != "correct":
        return False, "it does not follow from the earlier answer"
    return True, "it follows from the earlier answer"


def _read(asked: Asked, text: str) -> Node:
    """An answer as an expression; it was read and printed once, so that it is one formula."""
    reader = asked.problem.reader()
    for name, over in asked.target.free:
        reader.bound[name] = b.index(name, None)
        reader.uses[name] = [over]
    node = reader.expression(reader.parse(text))
    fitted = reader.fit(node, b.zeros(asked.dims), list(zip(node.dims, asked.dims, strict=True)))[0]
    return reader.settle(fitted)


def carried_form(first: Asked, then: Asked) -> Node | None:
    """The later derivative by way of the true earlier one; None where that is not confirmed to be the derivative."""
    true = first.closed()
    found = None if true is None else _carried(first, then, true)
    return found if found is not None and compare.compare(then, found).relation == "equal" else None


def _carried(first: Asked, then: Asked, g: Node) -> Node | None:
    """What the later derivative is when ∂J/∂(the earlier variable) is `g`, given in the layout of its question."""
    g = b.transpose(g) if first.layout == "numerator" else g
    through, leaf, problem = first.target.access, then.target.leaf, first.problem
    if through.op != "symbol" or leaf.op != "symbol" or then.target.free:
        raise AnswerError("unexpanded", "only whole variables are carried forward")
    run = sweep_for(problem, through)
    passed = run.cotangents.get(leaf)
    if passed is None:
        return None
    whole = b.substitute(run.expanded(passed), {probe(through): g} if through.dims != SCALAR else {})
    if through.dims == SCALAR:
        whole = b.product(g, whole)
    held = replace(problem, definitions={k: v for k, v in problem.definitions.items() if k is not through})
    direct = sweep_for(held, problem.loss_symbol)
    rest = direct.cotangents.get(leaf)
    if rest is not None:
        whole = b.add(whole, direct.expanded(rest))
    part = b.substitute(then.target.access, {leaf: whole})
    return b.transpose(part) if then.layout == "numerator" else part


def _asking_for(then: Asked, expected: Node) -> Asked:
    """A question whose right answer is a given expression: the gradient of Σ expected ∘ G with respect to G."""
    variable = b.symbol(OPEN, expected.dims)
    loss = b.total(b.hadamard(expected, variable)) if expected.dims != SCALAR else b.product(expected, variable)
    scope = then.problem.scope.child()
    scope.add(Entity("value", OPEN, Pattern(OPEN, None, (), None), variable))
    symbol = b.symbol(f"{OPEN}loss", SCALAR)
    definitions = {**then.problem.definitions, then.problem.loss_symbol: then.problem.loss}
    problem = replace(then.problem, scope=scope, loss=loss, loss_symbol=symbol, definitions=definitions)
    target = Target(OPEN, variable, variable, ())
    return Asked(problem, symbol, target, "shape", lambda: closed_form(problem, symbol, target), then.policy)


# ------------------------------------------------------------------------------------------------ the guard


def _depends_alike(asked: Asked, true: Node, given: Node) -> bool:
    """Whether `given` depends on everything that the derivative depends on, and the derivative on anything."""
    needed = _depends_on(asked, true)
    return bool(needed) and needed <= _depends_on(asked, given)


def _depends_on(asked: Asked, node: Node) -> set[Node]:
    """The given quantities that change an expression's value: each is moved from one sample point to the next."""
    problem, field = asked.problem, Floating()
    found: set[Node] = set()
    for drawn in reference(asked).samples:
        with np.errstate(all="ignore"):
            here = world(problem, field, drawn).value(node)
            for leaf, value in drawn.values.items():
                if leaf in found or any(p.startswith("one-hot at ") for p in properties_of(leaf)):
                    continue
                moved = world(problem, field, drawn, {leaf: np.roll(value, 1, axis=0)}).value(node)
                there = np.isfinite(here) & np.isfinite(moved)
                if np.any(there & (np.abs(moved - here) > 1e-9 * (1 + np.abs(here)))):
                    found.add(leaf)
    return found
