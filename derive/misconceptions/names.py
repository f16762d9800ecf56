"""What the names of a problem are to one another: labels and predictions, values before and after an activation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from derive.errors import DeriveError
from derive.expressions.leaves import properties_of
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.memory import Memory
from derive.latex import syntax as s
from derive.misconceptions.glance import Glance
from derive.misconceptions.level import Names, NewReader
from derive.misconceptions.repairs import Around, Named, Read
from derive.misconceptions.seen import Known
from derive.numerics.world import World
from derive.operations.registry import record
from derive.problem.problem import Problem
from derive.sizes import SCALAR, Dims

LABELS = frozenset(("one-hot", "distribution", "binary"))
PREDICTIONS = frozenset(("softmax", "sigmoid", "log_softmax"))
MOST_NAMES = 24


class Facts(NamedTuple):
    """What is known of the names of a problem: pairs of labels, pairs around activations, functions, index letters."""

    problem: Problem
    names: tuple[Named, ...]
    labels: tuple[tuple[Named, Named], ...]
    activated: tuple[tuple[Named, Named], ...]
    functions: frozenset[str]
    letters: tuple[str, ...]
    by_syntax: Mapping[int, Node]


_KNOWN: Memory[Facts] = Memory(256)


def glance(asked: Asked, root: s.Syntax, reader: NewReader, world: World, worth: Memory[Known]) -> Glance:
    """What sees the values of an answer's parts; `worth` is what names in other answers were found to be worth."""
    facts = _facts(asked.problem)
    return Glance(root, reader, world, Names(facts.by_syntax, facts.functions, worth))


def around(
    asked: Asked, root: s.Syntax, read: Read, seen: Glance, dims: Dims | None = None, loose: bool = False
) -> Around:
    """What repairs of a formula may use."""
    facts = _facts(asked.problem)
    own = tuple(name for name, _ in asked.target.free)
    letters = tuple(dict.fromkeys((*own, *facts.letters, *_bound_letters(root))))[:6]
    return Around(
        root, read, dims, asked.dims, facts.names, letters, facts.labels, facts.activated, facts.functions, seen, loose
    )


def _facts(problem: Problem) -> Facts:
    known = _KNOWN.get(id(problem))
    if known is None or known.problem is not problem:
        names = tuple(_read_names(problem))[:MOST_NAMES]
        letters = tuple(str(e.key) for e in problem.scope.all() if e.kind == "index" and e.key.isalpha())
        pairs = tuple(_labels(problem, names)), tuple(_activated(problem, names))
        by_syntax = {id(name.syntax): name.node for name in names}
        known = _KNOWN[id(problem)] = Facts(problem, names, *pairs, _functions(problem), letters, by_syntax)
    return known


def _functions(problem: Problem) -> frozenset[str]:
    """The letters that are functions."""
    own = {e.pattern.base for e in problem.scope.all() if e.kind == "function"}
    return frozenset(own | {base for base in (r"\sigma", "f", "g") if base not in problem.scope.entities})


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
    yield from ((one.node, two.node) for one, two in _facts(problem).labels)


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
