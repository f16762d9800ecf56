"""Entries of matrix expressions with every sum written out: (A x)_i is Σ_j A_ij x_j.

How an operation's entry is written stands in its record; what acts entry by entry needs no record of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from derive.errors import NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.expressions.order import renamed
from derive.indexform.letters import fresh
from derive.operations.registry import record
from derive.sizes import ONE, SCALAR, Range, Size


class Writer:
    """Writes entries; `taken` are the letters that sums may not use."""

    def __init__(self, taken: frozenset[str]) -> None:
        self.taken = taken

    def __call__(self, node: Node, i: Node, j: Node) -> Node:
        """Entry (i, j) of an expression, as a number.  Raises `NoRuleError` where it cannot be written."""
        rule = record(node.op).entry
        if rule is not None:
            found: Node = rule(self, node, i, j)
            return found
        if not record(node.op).elementwise:
            raise NoRuleError(node.op, "an entry of it cannot be written with explicit sums")
        one = b.number(1)
        parts = (self(o, i, j) if o.dims == node.dims else self(o, one, one) for o in node.operands)
        return b.rebuild(node, tuple(parts))

    def number(self, node: Node) -> Node:
        """A number with its sums written out."""
        return self(node, b.number(1), b.number(1))

    def sum(self, size: Size, body: Callable[[Writer, Node], Node]) -> Node:
        """Σ of body(k) over k = 1..size, under a letter of its own."""
        if size == ONE:
            return body(self, b.number(1))
        letter = fresh(self.taken)
        inner = Writer(self.taken | {letter})
        return b.sum_over(body(inner, b.index(letter, None)), letter, Range(ONE, size))

    def delta(self, i: Node, j: Node) -> Node:
        """The Kronecker delta of two indices."""
        return delta(i, j)

    def bound(self, node: Node, i: Node, j: Node) -> Node:
        """An entry of a sum that binds an index itself; the index gets out of the way."""
        letter = str(node.data[0])
        if letter in self.taken:
            letter = fresh(self.taken)
            node = renamed(node, letter)
        inner = Writer(self.taken | {letter})
        body, condition = node.operands
        return b.make("sum", (inner(body, i, j), condition), node.data)

    def chain(self, factors: tuple[Node, ...], i: Node, j: Node) -> Node:
        """Entry (i, j) of a matrix product: one sum for each inner dimension."""
        first, *rest = factors
        if not rest:
            return self(first, i, j)
        inner = first.dims[1]
        split = next((f for f in (rest[0], first) if f.op == "concat" and f.data[0] == (f is first)), None)
        if split is not None:
            return self._stacked(first, tuple(rest), split, i, j)
        return self.sum(inner, lambda w, k: b.product(w(first, i, k), w.chain(tuple(rest), k, j)))

    def _stacked(self, first: Node, rest: tuple[Node, ...], split: Node, i: Node, j: Node) -> Node:
        """A product with stacked blocks: the sum of the products of the blocks."""
        from derive.operations.indexing import block

        parts, start = list[Node](), Size.of(0)
        for piece in split.operands:
            end = start + piece.dims[1 if split is first else 0]
            left = piece if split is first else block(first, 1, start, end)
            right = piece if split is rest[0] else block(rest[0], 0, start, end)
            parts.append(self.chain((left, right, *rest[1:]), i, j))
            start = end
        return b.add(*parts)


def delta(i: Node, j: Node) -> Node:
    """The Kronecker delta of two indices."""
    if i == j:
        return b.number(1)
    if i.op == j.op == "number":
        return b.number(0)
    return b.make("index_equal", (i, j))


def is_number(node: Node) -> bool:
    """Whether an expression is 1 × 1."""
    return node.dims == SCALAR
