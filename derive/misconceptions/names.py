"""What the names of a problem are to one another: labels and predictions, values before and after an activation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.errors import DeriveError
from derive.expressions.leaves import properties_of
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.memory import Memory
from derive.latex import syntax as s
from derive.misconceptions.repairs import Around, Named, Read
from derive.operations.registry import record
from derive.problem.problem import Problem
from derive.sizes import SCALAR

LABELS = frozenset(("one-hot", "distribution", "binary"))
PREDICTIONS = frozenset(("softmax", "sigmoid", "log_softmax"))
MOST_NAMES = 24
_KNOWN: Memory[tuple[Problem, tuple[Named, ...]]] = Memory(256)


def around(asked: Asked, root: s.Syntax, read: Read, loose: bool = False) -> Around:
    """What repairs of a formula may use."""
    names = _names(asked.problem)
    own = tuple(name for name, _ in asked.target.free)
    declared = [str(e.key) for e in asked.problem.scope.all() if e.kind == "index" and e.key.isalpha()]
    letters = tuple(dict.fromkeys((*own, *declared, *_bound_letters(root))))[:6]
    pairs = tuple(_labels(asked.problem, names)), tuple(_activated(asked.problem, names))
    return Around(root, read, names, letters, *pairs, _functions(asked.problem), loose)


def _functions(problem: Problem) -> frozenset[str]:
    """The letters that are functions."""
    own = {e.pattern.base for e in problem.scope.all() if e.kind == "function"}
    return frozenset(own | {base for base in (r"\sigma", "f", "g") if base not in problem.scope.entities})


def _names(problem: Problem) -> tuple[Named, ...]:
    known = _KNOWN.get(id(problem))
    if known is None or known[0] is not problem:
        known = _KNOWN[id(problem)] = (problem, tuple(_read_names(problem))[:MOST_NAMES])
    return known[1]


def _read_names(problem: Problem) -> Iterator[Named]:
    reader = problem.reader()
    for entity in problem.scope.all():
        if entity.kind == "value" and entity.node is not None and not entity.slots:
            try:
                yield Named(reader.parse(entity.key), entity.node)
            except DeriveError:
                continue


def _bound_letters(root: s.Syntax) -> Iterable[str]:
    """The letters that the sums of a formula bind."""
    for part in s.walk(root):
        if isinstance(part, s.BigOperator):
            for lower in part.lower:
                side = lower.sides[0] if isinstance(lower, s.Relation) else lower
                if isinstance(side, s.Name):
                    yield side.base


def label_pairs(problem: Problem) -> Iterator[tuple[Node, Node]]:
    """Pairs of a label and its prediction."""
    yield from ((one.node, two.node) for one, two in _labels(problem, _names(problem)))


def _labels(problem: Problem, names: tuple[Named, ...]) -> Iterator[tuple[Named, Named]]:
    """Pairs of a label and its prediction: y and \\hat{y}, or given labels and a softmax or sigmoid of their shape."""
    meanings = problem.meanings
    for one in names:
        for two in names:
            if one.node.dims != two.node.dims or one is two:
                continue
            hatted = two.node.data[0] == rf"\hat{{{one.node.data[0]}}}"
            given = one.node not in meanings and _has(one.node, LABELS)
            if hatted or (given and (_is_prediction(meanings.get(two.node)) or _has(two.node, LABELS))):
                yield one, two


def _has(node: Node, properties: frozenset[str]) -> bool:
    return any(p.split(" at ")[0] in properties for p in properties_of(node))


def _is_prediction(body: object) -> bool:
    return isinstance(body, Node) and body.op in PREDICTIONS


def _activated(problem: Problem, names: tuple[Named, ...]) -> Iterator[tuple[Named, Named]]:
    """Pairs of a name and an elementwise function of it that has a name too."""
    for one in names:
        for two in names:
            body = problem.meanings.get(two.node)
            if isinstance(body, Node) and one is not two and one.node.dims == two.node.dims != SCALAR:
                named = record(body.op).by_name or body.op == "unspecified"
                if named and body.operands and body.operands[0] is one.node:
                    yield one, two
