r"""Sums over entries as products of matrices: \sum_i \sum_j x_i A_{ij} x_j is x^\top A x.

SymPy writes `(x.T * A * x)[0, 0]` out into such sums as soon as it is built.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices
from derive.rules.lift import lift
from derive.sizes import ONE, SCALAR, Range

Bound = list[tuple[str, Range]]


def summed(body: Node, bound: Bound) -> Node:
    """The sum of a number over indices: a product of matrices where it is one, else a sum over the index."""
    if body.op == "add":
        return b.add(*(summed(term, bound) for term in body.operands))
    factors = list(_factors(body))
    names = {name for name, _ in bound}
    fixed = [f for f in factors if not names & free_indices(f)]
    moving = [f for f in factors if names & free_indices(f)]
    whole = _contracted(moving, bound)
    if whole is None and len(bound) == 1:
        whole = _inner(moving, *bound[0])
    if whole is not None:
        return b.product(*fixed, whole)
    for name, over in bound:
        body = b.sum_over(body, name, over)
    return body


def _factors(node: Node) -> Iterable[Node]:
    """The factors of a number, a whole positive power as often as it says."""
    if node.op == "product" and all(o.dims == SCALAR for o in node.operands):
        for part in node.operands:
            yield from _factors(part)
    elif node.op == "power" and node.data[0].denominator == 1 and 0 < node.data[0] <= 4:
        yield from [node.operands[0]] * int(node.data[0])
    else:
        yield node


def _inner(moving: list[Node], name: str, over: Range) -> Node | None:
    """The inner product of two columns whose entries are multiplied."""
    columns = [lift(f, name, over) for f in moving]
    first, *rest = columns or [None]
    if len(rest) != 1 or first is None or rest[0] is None:
        return None
    return b.inner(first, rest[0])


@dataclass(frozen=True)
class _Link:
    """An entry of a matrix as a link between its two positions; `at` are bound names, or None where fixed."""

    matrix: Node
    ends: tuple[Node, Node]
    at: tuple[str | None, str | None]

    def turned(self) -> _Link:
        return _Link(b.transpose(self.matrix), self.ends[::-1], self.at[::-1])


def _contracted(moving: list[Node], bound: Bound) -> Node | None:
    """The product of matrices whose inner positions are the bound indices, each of which joins two entries."""
    links = [_link(f, dict(bound)) for f in moving]
    known = [link for link in links if link is not None]
    ends = [name for link in known for name in link.at if name is not None]
    if len(known) < len(links) or any(ends.count(name) != 2 for name, _ in bound):
        return None
    parts = list[Node]()
    while known:
        start = next((k for k in known if None in k.at), known[0])
        known.remove(start)
        start = start if start.at[0] is None or None not in start.at else start.turned()
        parts.append(_chain(start, known))
    return b.product(*parts)


def _chain(link: _Link, others: list[_Link]) -> Node:
    """Follow the bound indices from one entry to the last; links that are used leave `others`."""
    matrix, first, last, at = link.matrix, link, link.ends[1], link.at[1]
    while at is not None:
        following = next((o for o in others if at in o.at), None)
        if following is None:
            return b.make("trace", (matrix,)) if matrix.dims != SCALAR else matrix
        others.remove(following)
        following = following if following.at[0] == at else following.turned()
        matrix, last, at = b.product(matrix, following.matrix), following.ends[1], following.at[1]
    return b.entry(matrix, first.ends[0], last)


def _link(node: Node, bound: dict[str, Range]) -> _Link | None:
    if node.op != "entry" or bound.keys() & free_indices(node.operands[0]):
        return None
    matrix, *ends = node.operands
    at = list[str | None]()
    for end, size in zip(ends, matrix.dims, strict=True):
        name = str(end.data[0]) if end.op == "index" and end.data[0] in bound else None
        if name is None and bound.keys() & free_indices(end):
            return None
        if name is not None and (bound[name].lo != ONE or bound[name].hi != size or bound[name].excluded):
            return None
        at.append(name)
    return _Link(matrix, (ends[0], ends[1]), (at[0], at[1]))
