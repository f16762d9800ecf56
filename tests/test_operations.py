"""Every operation, from its record: shape, meaning over all fields, vector-Jacobian product, printing.

The mutation test breaks each vector-Jacobian product in turn: both checks must notice every time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support import problem_of, target_of, value_of

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.pullback import pullback
from derive.numerics import check
from derive.numerics.fields import Floating, Precise
from derive.operations import registry
from derive.operations.registry import Operation, record, records
from derive.printing.latex import latex
from derive.problem.problem import Problem

EXAMPLES = sorted(name for name, entry in records().items() if entry.example is not None)
RULES = [name for name in EXAMPLES if record(name).vjp is not None]


def example(name: str) -> Node:
    """The example of an operation's record."""
    make = record(name).example
    assert make is not None
    return make()


def probed(name: str) -> tuple[Problem, Node]:
    """A loss that uses the example with a random weight for each of its entries."""
    out = example(name)
    loss = b.inner(b.symbol("G", out.dims), out)
    problem = problem_of(loss)
    return problem, loss


def leaves(node: Node) -> list[Node]:
    """The symbols of an expression."""
    return [part for part in walk(node) if part.op == "symbol"]


@pytest.mark.parametrize("name", sorted(records()))
def test_record_is_complete(name: str) -> None:
    entry = record(name)
    assert entry.meaning
    assert entry.latex is not None
    assert entry.numpy is not None
    assert (entry.evaluate is None) != (entry.within is None), "a meaning over fields, or one in a world"


@pytest.mark.parametrize("name", EXAMPLES)
def test_value_has_the_shape_of_the_rule(name: str) -> None:
    node = example(name)
    sizes = {"n": 3, "m": 4, "k": 5}
    problem = problem_of(node)
    value = value_of(node, Floating(), problem=problem)
    from derive.numerics.sampling import sample

    sizes = sample(problem, None, 1, 4).sizes
    assert value.shape[-2:] == tuple(size.value(sizes) for size in node.dims)


@pytest.mark.parametrize("name", EXAMPLES)
def test_fields_agree(name: str) -> None:
    node = example(name)
    problem = problem_of(node)
    rough = value_of(node, Floating(), problem=problem)
    fine = value_of(node, Precise(40), problem=problem).astype(float)
    np.testing.assert_allclose(rough, fine, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_vjp_against_both_checks(name: str) -> None:
    problem, loss = probed(name)
    cotangents = pullback(loss, b.number(1))
    for leaf in leaves(loss):
        closed = cotangents.get(leaf, b.zeros(leaf.dims))
        assert check.exact(problem, loss, target_of(leaf), closed), f"exact check of {leaf.data[0]}"
        assert check.central(problem, loss, target_of(leaf), closed) < 1e-6


def mutants(entry: Operation) -> Iterator[tuple[str, Operation]]:
    """The record with one cotangent wrong: doubled, or with ones added."""
    rule = entry.vjp
    assert rule is not None
    assert entry.example is not None
    count = len(entry.example().operands)
    for at in range(count):

        def doubled(g: Node, out: Node, *operands: Node, at: int = at) -> tuple[Node | None, ...]:
            parts = list(rule(g, out, *operands))
            k = at % len(parts)
            part = parts[k]
            parts[k] = None if part is None else b.scale(2, part)
            return tuple(parts)

        def shifted(g: Node, out: Node, *operands: Node, at: int = at) -> tuple[Node | None, ...]:
            parts = list(rule(g, out, *operands))
            k = at % len(parts)
            part = parts[k]
            parts[k] = None if part is None else b.add(part, b.ones(part.dims))
            return tuple(parts)

        yield f"{entry.name}[{at}] doubled", entry._replace(vjp=doubled)
        yield f"{entry.name}[{at}] shifted", entry._replace(vjp=shifted)


def caught(problem: Problem, loss: Node) -> list[bool]:
    """For each wrong cotangent: whether the exact check and the central differences both refuse it."""
    out = []
    broken = pullback(loss, b.number(1))
    for leaf in leaves(loss):
        closed = broken.get(leaf, b.zeros(leaf.dims))
        exact = bool(check.exact(problem, loss, target_of(leaf), closed))
        near = check.central(problem, loss, target_of(leaf), closed) < 1e-6
        assert exact == near, f"the checks disagree about {latex(closed)}"
        out.append(not exact)
    return out


@pytest.mark.parametrize("name", RULES)
def test_every_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, loss = probed(name)
    right = pullback(loss, b.number(1))
    tried = 0
    for label, mutant in mutants(record(name)):
        monkeypatch.setitem(registry._RECORDS, name, mutant)
        if pullback(loss, b.number(1)) != right:
            assert any(caught(problem, loss)), label
            tried += 1
        monkeypatch.undo()
    differentiable = any(
        part is not None
        for part in record(name).vjp(b.symbol("g", example(name).dims), example(name), *example(name).operands)
    )  # type: ignore[misc]
    assert tried or not differentiable, "no mutant changed anything"


@pytest.mark.parametrize("name", EXAMPLES)
def test_prints(name: str) -> None:
    text = latex(example(name))
    assert text
    assert text.count("{") == text.count("}")


def test_no_rule_is_an_error_that_names_the_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    from derive.errors import NoRuleError

    monkeypatch.setitem(registry._RECORDS, "tanh", record("tanh")._replace(vjp=None))
    with pytest.raises(NoRuleError, match="tanh cannot be differentiated"):
        pullback(example("tanh"), b.symbol("g", example("tanh").dims))
