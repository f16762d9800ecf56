"""Every vector-Jacobian product, broken in each way that applies: the independent checks must refuse what comes out.

Made from the registry: a new operation is covered by its example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support import problem_of, target_of

from derive.errors import ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.pullback import pullback
from derive.numerics import check
from derive.operations import registry
from derive.operations.registry import VectorJacobianProduct, record, records
from derive.printing.latex import latex
from derive.problem.problem import Problem

Parts = list[Node | None]
Break = Callable[[Parts, int], Parts]


def at_one(change: Callable[[Node], Node | None]) -> Break:
    """A change of the cotangent of one operand."""

    def broken(parts: Parts, k: int) -> Parts:
        part = parts[k := k % len(parts)]  # a loss may use an operation on fewer operands than its example
        return parts if part is None else [*parts[:k], change(part), *parts[k + 1 :]]

    return broken


def swapped(parts: Parts, k: int) -> Parts:
    """The cotangent of one operand given to the next, where it has its shape."""
    other = (k + 1) % len(parts)
    one, two = parts[k := k % len(parts)], parts[other]
    if one is None or two is None or one.dims != two.dims:
        return parts
    changed = list(parts)
    changed[k], changed[other] = two, one
    return changed


def transposed(part: Node) -> Node:
    return b.transpose(part) if part.dims[0] == part.dims[1] else part


BREAKS: dict[str, Break] = {
    "negated": at_one(b.negate),
    "doubled": at_one(lambda part: b.scale(2, part)),
    "shifted": at_one(lambda part: b.add(part, b.ones(part.dims))),
    "forgotten": at_one(lambda part: None),
    "transposed": at_one(transposed),
    "swapped": swapped,
}


def differentiable(name: str) -> list[int]:
    """The operands of an operation's example that receive a cotangent other than 0."""
    entry = record(name)
    if entry.vjp is None or entry.example is None:
        return []
    out = entry.example()
    parts = entry.vjp(b.symbol("g", out.dims), out, *out.operands)
    return [k for k, part in enumerate(parts) if part is not None and part.op != "zeros" and part != b.number(0)]


# Nothing can be broken in these: indices, and what is constant wherever it has a derivative.
CONSTANT = {
    "index_equal", "index_less", "is_largest", "is_smallest", "is_zero", "onehot", "positive", "sign",
}  # fmt: skip
BREAKABLE = [(name, k, how) for name in sorted(records()) for k in differentiable(name) for how in BREAKS]


def probed(name: str) -> tuple[Problem, Node]:
    """A loss that uses the example with a random weight for each of its entries."""
    make = record(name).example
    assert make is not None
    loss = b.inner(b.symbol("G", make().dims), make())
    return problem_of(loss), loss


def gradients(loss: Node) -> Iterator[tuple[Node, Node]]:
    """Each symbol with what the sweep gives for it."""
    found = pullback(loss, b.number(1))
    for leaf in walk(loss):
        if leaf.op == "symbol":
            yield leaf, found.get(leaf, b.zeros(leaf.dims))


def broken(rule: VectorJacobianProduct, k: int, how: str) -> VectorJacobianProduct:
    """A rule of which operand k receives the wrong cotangent."""
    return lambda g, out, *operands: tuple(BREAKS[how](list(rule(g, out, *operands)), k))


def test_every_operation_is_here() -> None:
    with_rules = {name for name, entry in records().items() if entry.vjp is not None}
    assert {name for name, _, _ in BREAKABLE} == with_rules - CONSTANT


@pytest.mark.parametrize(("name", "k", "how"), BREAKABLE)
def test_a_broken_rule_is_refused(name: str, k: int, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, loss = probed(name)
    right = dict(gradients(loss))
    rule = record(name).vjp
    assert rule is not None
    with monkeypatch.context() as patched:
        patched.setitem(registry._RECORDS, name, record(name)._replace(vjp=broken(rule, k, how)))
        try:
            wrong = dict(gradients(loss))
        except (ShapeError, AssertionError):
            return  # refused even before it is checked
    for leaf, given in wrong.items():
        if given == right[leaf]:
            continue
        exact = check.exact(problem, loss, target_of(leaf), given)
        assert not exact, f"the exact check accepts {latex(given)} for {latex(right[leaf])}"
        assert not check.central(problem, loss, target_of(leaf), given) < 1e-6, "the central differences accept it"
        return
    assert how in ("transposed", "swapped"), "this changed nothing"
