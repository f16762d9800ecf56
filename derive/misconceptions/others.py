"""Right forms of other questions: derivatives by other variables, a mean for a sum."""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import DeriveError
from derive.expressions import build as b
from derive.expressions.leaves import properties_of
from derive.expressions.node import Node
from derive.gradient.closed import at_target, closed_form, sweep_for
from derive.gradient.sweep import Sweep
from derive.grading.asked import Asked
from derive.misconceptions.broken import Form
from derive.misconceptions.names import label_pairs
from derive.numerics.sampling import constrained
from derive.problem.problem import Target, leaf_of
from derive.sizes import ONE, SCALAR, Size

MOST_OTHERS, MOST_JACOBIANS = 40, 6


def other_sizes(asked: Asked, closed: Node) -> Iterator[Form]:
    """The derivative times or divided by a size (a mean for a sum, a sum for a mean) or a given number."""
    sizes = [b.size_number(Size.of(name)) for name in sorted(asked.problem.scope.sizes)[:6]]
    numbers = [node for node in _given(asked) if node.dims == SCALAR and not constrained(node)]
    numbers += [node for node in _given(asked) if node.dims == SCALAR and "positive" in properties_of(node)]
    for number in (*sizes, *[node for node in numbers if node is not asked.target.leaf][:6]):
        for exponent in (1, -1, 2, -2):
            yield Form("factor", b.product(b.power(number, exponent), closed))


def other_labels(asked: Asked, closed: Node) -> Iterator[Form]:
    """The derivative with 1 for the label, and with the label and its prediction exchanged."""
    for label, prediction in label_pairs(asked.problem):
        if label is asked.target.leaf:
            continue
        for change in ({label: b.ones(label.dims)}, {label: prediction, prediction: label}):
            try:
                yield Form("label-swap", b.substitute(closed, change))
            except DeriveError:
                continue


def other_derivatives(asked: Asked) -> Iterator[Form]:
    """The derivatives by all other symbols and names, also by their members and parts of the same kind."""
    try:
        if asked.of.dims == SCALAR:
            yield from _gradients(asked, sweep_for(asked.problem, asked.of))
        else:
            yield from _jacobians(asked)
    except (DeriveError, RecursionError):
        return


def _gradients(asked: Asked, run: Sweep) -> Iterator[Form]:
    target = asked.target
    for leaf, whole in list(run.cotangents.items())[:MOST_OTHERS]:
        code = _code(asked, leaf)
        for other in _accesses(target, leaf):
            try:
                found = at_target(run.expanded(whole), other)
            except DeriveError:
                continue
            if other.access != target.access:
                yield Form(code, b.transpose(found) if asked.layout == "numerator" else found)


def _jacobians(asked: Asked) -> Iterator[Form]:
    leaves = [leaf for leaf in (*asked.problem.definitions, *_given(asked)) if ONE in leaf.dims and leaf.op == "symbol"]
    for leaf in [x for x in leaves if x is not asked.target.leaf and x is not asked.of][:MOST_JACOBIANS]:
        found = closed_form(asked.problem, asked.of, Target(str(leaf.data[0]), leaf, leaf, ()), asked.layout)
        if found is not None:
            yield Form("wrong-variable", found)


def _given(asked: Asked) -> list[Node]:
    found = [e.node for e in asked.problem.scope.all() if e.kind == "value" and e.node is not None]
    return [node for node in found if node not in asked.problem.meanings]


def _accesses(target: Target, leaf: Node) -> Iterator[Target]:
    """Another leaf as a whole, or the part of it that the variable is of its own leaf."""
    if leaf.op == "symbol":
        yield Target("", leaf, leaf, target.free)
    elif target.free:
        yield from (Target("", leaf, b.member(leaf, b.index(name, None)), target.free) for name, _ in target.free)
    if target.access is not target.leaf and leaf.op == target.leaf.op and leaf is not target.leaf:
        yield Target("", leaf, b.substitute(target.access, {target.leaf: leaf}), target.free)
    if target.access.op == "entry" and leaf.op == "symbol" and ONE in leaf.dims and leaf.dims != SCALAR:
        for position in target.access.operands[1:]:
            place = (position, b.number(1)) if leaf.dims[1] == ONE else (b.number(1), position)
            yield Target("", leaf, b.entry(leaf, *place), target.free)


def _code(asked: Asked, leaf: Node) -> str:
    """Vectors that go by the same letter are the observed one and the others."""
    mine, other = (str(x.data[0]).split("_")[0] for x in (asked.target.leaf, leaf))
    alike = mine == other and leaf is not asked.target.leaf and leaf_of(leaf) is not None
    return "positive-formula" if alike and "family" in (leaf.op, asked.target.leaf.op) else "wrong-variable"
