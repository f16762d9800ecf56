"""Evaluating an expression at one point, over lists: sizes, positions and values are plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from derive.errors import EvaluationError
from derive.expressions.node import Node
from derive.numerics.plain.rows import Plain, Rows
from derive.operations.registry import record
from derive.sizes import Dims, Range, Size

MOST_TERMS = 400


class PlainWorld:
    """One point: sizes, indices, and the values of names, over one field.

    `names` gives the value of a symbol, a family (then a list of values, in the order of its range) or a defined name;
    `indices` the 1-based position of an index.
    """

    def __init__(
        self, field: Plain, sizes: Mapping[str, int], indices: Mapping[str, Any], names: Callable[[Node], Any]
    ) -> None:
        self.f, self.sizes, self.names = field, sizes, names
        self.indices = dict(indices)
        self._memo: dict[Node, Rows] = {}
        self._terms = 0

    def value(self, node: Node) -> Rows:
        """The value of an expression; an `EvaluationError` where lists are not the means for it."""
        found = self._memo.get(node)
        if found is None:
            found = self._memo[node] = self._worked_out(node)
        return found

    def _worked_out(self, node: Node) -> Rows:
        entry = record(node.op)
        if entry.within is not None:
            return cast("Rows", entry.within(self, node))
        assert entry.evaluate is not None
        return cast("Rows", entry.evaluate(self.f, node.data, *map(self.value, node.operands)))

    def size(self, size: Size) -> int:
        return size.value(self.sizes)

    def dims(self, dims: Dims) -> tuple[int, int]:
        return self.size(dims[0]), self.size(dims[1])

    def constant(self, name: Any) -> Rows:
        found: Rows = self.f.pi() if name == "pi" else self.f.exp(self.f.const(1))
        return found

    def leaf(self, node: Node) -> Any:
        return self.names(node)

    # --------------------------------------------------------------------------------------- indices

    def index_value(self, node: Node) -> int:
        """The value of an index expression."""
        if node.op == "number" and node.data[0].denominator == 1:
            return int(node.data[0])
        if node.op == "index" and node.data[0] in self.indices:
            return int(self.indices[str(node.data[0])])
        if node.op == "size":
            return self.size(node.data[0])
        if node.op == "member":
            family = node.operands[0]
            return int(self.indices[str(family.data[0])][self._place(family.data[2], node.operands[1])])
        if node.op == "add":
            return sum(self.index_value(o) for o in node.operands)
        if node.op == "product":
            out = 1
            for operand in node.operands:
                out *= self.index_value(operand)
            return out
        raise EvaluationError("something that has no value stands as a position")

    def _place(self, over: Range, node: Node) -> int:
        values, wanted = list(over.values(self.sizes)), self.index_value(node)
        if wanted not in values:
            raise EvaluationError(f"an index outside {over}")
        return values.index(wanted)

    def index_as_number(self, node: Node) -> Rows:
        return self.f.const(self.index_value(node))

    def compare(self, node: Node, relation: str) -> Rows:
        left, right = (self.index_value(o) for o in node.operands)
        return self.f.const(int(left == right if relation == "equal" else left < right))

    def onehot(self, position: Node, length: int) -> Rows:
        where = self.index_value(position)
        return [row for k in range(1, length + 1) for row in self.f.const(int(k == where))]

    def part(self, x: Node, i: Node | None, j: Node | None) -> Rows:
        """A row, column or entry."""
        value = self.value(x)
        for axis, position in ((0, i), (1, j)):
            if position is not None:
                where = self.index_value(position) - 1
                if not 0 <= where < self.f.dims(value)[axis]:
                    raise EvaluationError("an index outside its range")
                value = self.f.block(value, axis, where, where + 1)
        return value

    def member(self, node: Node) -> Rows:
        """A member of a family."""
        family = node.operands[0]
        if family.op == "index_family":
            return self.index_as_number(node)
        found: Rows = self.leaf(family)[self._place(family.data[2], node.operands[1])]
        return found

    def block(self, node: Node) -> Rows:
        axis, start, end = node.data
        whole, first, last = self.value(node.operands[0]), self.size(start), self.size(end)
        if not 0 <= first < last <= self.f.dims(whole)[axis]:
            raise EvaluationError("a slice outside of what it is taken from")
        return self.f.block(whole, axis, first, last)

    def sum(self, node: Node) -> Rows:
        """The sum over a bound index, term by term."""
        name, over = str(node.data[0]), node.data[1]
        out, before, memo = self.f.full(self.dims(node.dims), 0), self.indices.get(name), self._memo
        for k in over.values(self.sizes):
            self._terms += 1
            if self._terms > MOST_TERMS:
                raise EvaluationError("a sum of too many terms")
            self.indices[name], self._memo = k, {}
            body = self.value(node.operands[0])
            if node.operands[1].op != "number":
                body = self.f.masked(body, self.value(node.operands[1]))
            out = self.f.add(out, body)
        self._memo = memo
        if before is None:
            self.indices.pop(name, None)
        else:
            self.indices[name] = before
        return out
