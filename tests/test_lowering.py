"""Lowered functions against the numerics of the engine, over the whole catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.grading.compare import Asked
from derive.grading.grade import ask
from derive.lowering.lower import Lowered, lower
from derive.numerics.fields import Floating
from derive.numerics.forward import jacobian_values
from derive.numerics.sampling import Sample, sample, world
from derive.problem.load import by_identifier, catalogue
from derive.problem.problem import Problem, Question

PROBLEMS = sorted(catalogue())
QUESTIONS = [(name, k) for name in PROBLEMS for k in range(len(by_identifier(name).questions))]
POINTS, SEED = 4, 11


# ------------------------------------------------------------------------------------------------- helpers


def asked_of(problem: Problem, question: Question) -> Asked:
    return ask(problem, question.wrt, question.of, question.layout)


def answer_of(problem: Problem, question: Question) -> Node:
    """The textbook answer as an expression, the free indices of the variable bound."""
    asked = asked_of(problem, question)
    reader = problem.reader()
    for name, over in asked.target.free:
        reader.bound[name] = b.index(name, None)
        reader.uses[name] = [over]
    node = reader.expression(reader.parse(question.answer))
    return reader.settle(reader.fit(node, b.zeros(asked.dims), list(zip(node.dims, asked.dims, strict=True)))[0])


def key_of(question: Question) -> str:
    return f"{question.of} by {question.wrt}" if question.of else question.wrt


def all_answers(problem: Problem) -> dict[str, Node]:
    return {key_of(q): answer_of(problem, q) for q in problem.questions}


def unpacked(leaf: Node, value: Any) -> Any:
    """The value of a leaf at one point as the function takes it: columns as 1-D, numbers as scalars."""
    if leaf.dims == b.SCALAR:
        return value[..., 0, 0]
    return value[..., 0] if leaf.dims[1] == b.ONE else value


def call_arguments(lowered: Lowered, drawn: Sample, point: int, dtype: Any = np.float64) -> list[Any]:
    """The arguments of a lowered function at one sample point."""
    given: dict[str, Any] = {}
    for leaf, values in drawn.values.items():
        given[str(leaf.data[0])] = np.asarray(unpacked(leaf, values[point])).astype(dtype)[()]
    for name, values in drawn.indices.items():
        given[name] = values[point]
    by_identifier_ = {identifier: latex for latex, identifier in lowered.names.items()}
    return [given_or_function(given, drawn, by_identifier_.get(a, a)) for a in lowered.arguments]


def given_or_function(given: Mapping[str, Any], drawn: Sample, name: str) -> Any:
    if name in given:
        return given[name]
    if name in drawn.sizes:
        return drawn.sizes[name]
    base = name.rstrip("'")
    order = len(name) - len(base)
    return lambda x: np.asarray(Floating().unspecified(base, order, x)).astype(np.asarray(x).dtype)[()]


def executed(source: str) -> Callable[..., Any]:
    """The function that the printed source defines."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "lowered", "exec"), namespace)
    return namespace["loss_and_gradients"]  # type: ignore[no-any-return]


def expected_shape(dims: Any, sizes: Mapping[str, int]) -> tuple[int, ...]:
    rows, columns = (size.value(sizes) for size in dims)
    if dims == b.SCALAR:
        return ()
    return (rows,) if dims[1] == b.ONE else (rows, columns)


# ------------------------------------------------------------------------------ values, over the catalogue


@pytest.mark.parametrize(("name", "number"), QUESTIONS, ids=lambda v: str(v))
def test_loss_and_gradient_agree_with_forward_mode(name: str, number: int) -> None:
    problem = by_identifier(name)
    question = problem.questions[number]
    asked = asked_of(problem, question)
    answer = answer_of(problem, question)
    lowered = lower(problem, {"it": answer})
    drawn = sample(problem, asked.target, SEED, POINTS)
    field = Floating()
    losses = np.broadcast_to(world(problem, field, drawn).value(problem.loss_symbol), (POINTS, 1, 1))
    slopes = jacobian_values(problem, field, drawn, asked.of, asked.target)
    if asked.layout == "numerator":
        slopes = np.swapaxes(slopes, -1, -2)
    for point in range(POINTS):
        loss, gradients = lowered.function(*call_arguments(lowered, drawn, point))
        np.testing.assert_allclose(loss, losses[point, 0, 0], rtol=1e-9, atol=1e-9)
        assert np.shape(gradients["it"]) == expected_shape(answer.dims, drawn.sizes)
        np.testing.assert_allclose(gradients["it"], unpacked(answer, slopes[point]), rtol=1e-9, atol=1e-9)
