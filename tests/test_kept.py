"""Answers told without arrays: the second evaluator against the first, and what is kept against the ladder."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from support import problem_of

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.asking import ask
from derive.grading.compare import compare
from derive.grading.grade import grade
from derive.grading.keeping import keep
from derive.grading.kept import Kept
from derive.grading.random_branches import Multilinear
from derive.numerics.fields import Field, Floating
from derive.numerics.plain.reals import Reals
from derive.numerics.plain.residues import Residues
from derive.numerics.plain.rows import Plain
from derive.numerics.plain.world import PlainWorld
from derive.numerics.sampling import Sample, sample, world
from derive.operations.registry import record, records
from derive.problem.builder import problem_from
from derive.problem.load import catalogue, load

EXAMPLES = sorted(name for name, entry in records().items() if entry.example is not None)
FIELDS: dict[str, tuple[Field, Plain]] = {
    "reals": (Floating(), Reals()),
    "modulo a prime": (Multilinear(7), Residues(7)),
}


def example(name: str) -> Node:
    make = record(name).example
    assert make is not None
    return make()


def plain_values(node: Node, f: Field, plain: Plain, drawn: Sample) -> list[Any]:
    """The value of an expression over lists at each point, with leaves as they are drawn for arrays."""
    leaves = world(problem_of(node), f, drawn).leaves

    def at(point: int) -> Any:
        indices = {name: value[point].tolist() for name, value in drawn.indices.items()}
        return PlainWorld(plain, drawn.sizes, indices, lambda leaf: leaves[leaf][point].tolist()).value(node)

    return [at(point) for point in range(drawn.points)]


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_lists_and_arrays_agree(name: str, kind: str) -> None:
    (f, plain), node = FIELDS[kind], example(name)
    drawn = sample(problem_of(node), None, 3, 5)
    with np.errstate(all="ignore"):
        by_arrays = world(problem_of(node), f, drawn).value(node)
    by_arrays = np.broadcast_to(by_arrays, (drawn.points, *by_arrays.shape[-2:]))
    by_lists = np.asarray(plain_values(node, f, plain, drawn))
    assert by_lists.shape == by_arrays.shape
    if kind == "reals":
        np.testing.assert_allclose(by_lists, by_arrays, rtol=1e-12)
    else:
        assert (by_lists == by_arrays).all()


@pytest.mark.parametrize("x", [-1.0, 0.0, 1e308, -1e308, float("nan"), float("inf")])
@pytest.mark.parametrize("function", ["exp", "log", "sqrt", "inv", "arcsin", "neg", "positive", "sin"])
def test_what_has_no_value_has_none_over_lists(function: str, x: float) -> None:
    with np.errstate(all="ignore"):
        expected = getattr(Floating(), function)(np.asarray([[x]]))
    found = getattr(Reals(), function)([[x]]) if function != "sin" or np.isfinite(x) else [[float("nan")]]
    np.testing.assert_allclose(np.asarray(found, dtype=float), expected, rtol=1e-12)


# --------------------------------------------------------------------------------------- against the ladder

QUESTIONS = [(name, k) for name in sorted(catalogue()) for k, _ in enumerate(load(name).questions)]
FEWEST_TOLD = 0.9


def asked_in(name: str, k: int) -> Asked:
    question = load(name).questions[k]
    return ask(load(name), question.wrt, question.of, question.layout)


def through_json(asked: Asked) -> Kept | None:
    """What is kept of a question, as another process reads it."""
    found = keep(asked)
    return Kept(json.loads(json.dumps(found))) if found else None


def wrong_forms(closed: Node) -> list[Node]:
    """Expressions that differ from a derivative, mostly by little."""
    one = b.ones(closed.dims)
    return [
        b.negate(closed),
        b.scale(2, closed),
        b.add(closed, one),
        b.add(closed, b.hadamard(closed, closed)),
    ]


def test_the_catalogue_is_told_without_arrays() -> None:
    """Right answers are called right by what is kept, as by the ladder; wrong ones are left to the ladder."""
    told, missed = 0, []
    for name, k in QUESTIONS[::5]:
        asked = asked_in(name, k)
        closed, kept = asked.closed(), through_json(asked)
        assert closed is not None
        found = kept.outcome(asked, closed) if kept is not None else None
        if found is None:
            missed.append(f"{name} {k}")
            continue
        told += 1
        assert (found.relation, found.method) == ("equal", "canonical form")
        assert kept is not None
        for wrong in wrong_forms(closed):
            if kept.outcome(asked, wrong) is not None:
                assert compare(asked, wrong).relation == "equal", f"{name} {k}: {wrong}"
    assert told >= FEWEST_TOLD * (told + len(missed)), missed


def test_what_was_not_kept_is_left_to_the_ladder() -> None:
    """A name without a value at the points, or an empty one, is no error of an answer that uses it."""
    asked = asked_in("softmax-regression", 0)
    closed, found = asked.closed(), keep(asked)
    assert closed is not None
    assert Kept(found).outcome(asked, closed) is not None
    for part in found["samples"]:
        part["values"] = {}
    assert Kept(found).outcome(asked, closed) is None


def test_what_cannot_be_evaluated_is_not_kept_and_not_guessed() -> None:
    """Where values are out of reach, that the transpose is right does not tell that the answer is not."""
    problem = {"loss": r"J = \log \det A", "symbols": {"A": "9 x 9, positive definite"}}
    assert keep(ask(problem_from(problem), "A")) == {}
    for answer in (r"A^{-\top}", "2 A^{-1}"):
        assert grade({"problem": problem, "wrt": "A", "answer": answer}).verdict == "undecided"
