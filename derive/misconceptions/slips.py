"""Slips of the pen: what a closed form becomes when one of its parts is written wrong."""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import DeriveError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.grading.asked import Asked
from derive.misconceptions.broken import Form
from derive.misconceptions.registry import records

MOST_SLIPS, LONGEST_FORM, DEEPEST = 220, 160, 14


def slips_in(asked: Asked, closed: Node) -> Iterator[Form]:
    """The closed form, and the one with the names for answers written out, each with one slip."""
    written_out = _without_shorthands(asked, closed)
    count = 0
    for form in dict.fromkeys((closed, written_out)):
        if form.count > LONGEST_FORM:
            continue
        for code, node in (*_within(form, 0), *_everywhere(form)):
            if count >= MOST_SLIPS:
                return
            count += 1
            yield Form(code, node)


def _within(node: Node, depth: int) -> Iterator[tuple[str, Node]]:
    """Every expression with one part changed, with the code of the change."""
    for one in records():
        yield from ((one.code, changed) for changed in _fitting(one.slips, node))
    if depth >= DEEPEST:
        return
    for k, operand in enumerate(node.operands):
        if node.op == "cases" and k % 2 == 0:
            continue  # a condition
        for code, changed in _within(operand, depth + 1):
            try:
                yield code, b.rebuild(node, (*node.operands[:k], changed, *node.operands[k + 1 :]))
            except DeriveError:
                continue


def _everywhere(form: Node) -> Iterator[tuple[str, Node]]:
    """A part that occurs several times, with the same slip each time."""
    for part in walk(form):
        if part.operands and sum(o is part for p in walk(form) for o in p.operands) > 1:
            for one in records():
                for changed in _fitting(one.slips, part):
                    try:
                        yield one.code, b.substitute(form, {part: changed})
                    except DeriveError:
                        continue


def _fitting(slips: object, node: Node) -> Iterator[Node]:
    try:
        yield from slips(node)  # type: ignore[operator]
    except DeriveError:
        return


def _without_shorthands(asked: Asked, node: Node) -> Node:
    for name, meaning in reversed(list(asked.problem.shorthands.items())):
        if not isinstance(meaning, tuple):
            node = b.substitute(node, {name: meaning})
    return node
