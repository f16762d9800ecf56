"""Evaluating expressions in a world: sizes, indices and sample points.

Bound indices become leading axes of the arrays, so a sum is one array operation and nested sums are
evaluated at once.  What would need too much memory is refused before it is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.expressions.node import STOREY, Node, free_indices, landings, walk
from derive.numerics.fields import Dual, Field, Precise, Value
from derive.operations.registry import record
from derive.sizes import Dims, Range, Size

LARGEST, MOST_INSIDE = 3_000_000, 50_000


class World:
    """One assignment of sizes, indices and values, over one field.

    `leaves` maps symbols and families to arrays; `definitions` maps names to their expressions, which are
    evaluated when first used; `indices` maps index names to arrays of 1-based positions (one a sample
    point).  For an indexed definition, `definitions` holds (index name, range, expression).  `shifts` are added
    to the values of symbols and names, and so to all that is computed from them.  `entries` is the number of entries
    of all that has been evaluated.

    Values are only ever added, so that threads may share a world.
    """

    def __init__(
        self,
        field: Field,
        sizes: Mapping[str, int],
        leaves: Mapping[Node, Value],
        indices: Mapping[str, Any],
        definitions: Mapping[Node, Any],
        shifts: Mapping[Node, Value] | None = None,
    ) -> None:
        self.f, self.sizes = field, sizes
        self.definitions, self.shifts = definitions, shifts or {}
        self.leaves = {leaf: self._shifted(leaf, value) for leaf, value in leaves.items()}
        self.indices = dict(indices)
        self.base = 3 + isinstance(field, Dual)
        self._unsure: set[Node] | None = set() if isinstance(field, Precise) else None
        self._outermost: World | None = None
        self._bound: tuple[str, ...] = ()
        self._memo: tuple[dict[Node, Value], ...] = ({},)
        self._fitting: set[Dims] = set()
        self._inside: dict[tuple[str, Range], World] = {}
        self.entries = 0

    def within(self, name: str, over: Range) -> World:
        """The same world inside a sum: an index has all its values along a new leading axis."""
        found = self._inside.get((name, over))
        if found is not None:
            return found
        values = np.asarray(over.values(self.sizes))
        out = World.__new__(World)
        out.f, out.sizes, out.definitions, out.shifts = self.f, self.sizes, self.definitions, self.shifts
        out.leaves, out.base, out._unsure = self.leaves, self.base, self._unsure
        out.indices = {**self.indices, name: values.reshape(-1, *[1] * (self.base - 2 + len(self._bound)))}
        out._outermost, out._bound = self._outermost or self, (*self._bound, name)
        out._memo, out._fitting, out._inside = (*self._memo, {}), set(), {}
        out.entries = 0
        return out

    def _keep(self, name: str, over: Range, inside: World) -> None:
        """Keep a world inside a sum for the next sum over the same, unless it has become large."""
        if inside.entries <= MOST_INSIDE:
            self._inside[name, over] = inside
        else:
            self._inside.pop((name, over), None)

    def value(self, node: Node) -> Value:
        """The value of an expression; shared parts are computed once."""
        if node.height >= STOREY:
            for part in landings(node, _Settled(self)):
                self._value(part)
        return self._value(node)

    def _value(self, node: Node) -> Value:
        memo = self._memo[self._level(node) if self._bound else 0]
        found = memo.get(node)
        if found is not None:
            if self._unsure and node in self._unsure:
                self.f.saturated = True
            return found
        out = self._computed(node) if self._unsure is None else self._watched(node, self._computed, self._unsure)
        memo[node] = out
        self.entries += out.size
        return out

    def _computed(self, node: Node) -> Value:
        if node.turned is not None and node.turned.height and self.known(node.turned):
            return self.f.transpose(self._value(node.turned))
        entry = record(node.op)
        if entry.within is not None:
            return entry.within(self, node)
        assert entry.evaluate is not None
        if node.dims not in self._fitting:
            self._check_size(node)
        return entry.evaluate(self.f, node.data, *[self._value(o) for o in node.operands])

    def _watched(self, node: Node, compute: Callable[[Node], Value], unsure: set[Node]) -> Value:
        """A value with many digits; that they were too few for it is remembered, and told whenever it is used."""
        field, before = self.f, self.f.saturated
        field.saturated = False
        out = compute(node)
        if field.saturated:
            unsure.add(node)
        field.saturated = field.saturated or before
        return out

    def known(self, node: Node) -> bool:
        """Whether an expression has a value already."""
        return node in self._memo[self._level(node)]

    def _level(self, node: Node) -> int:
        """The innermost bound index that the node depends on: what a value may be remembered for."""
        free = free_indices(node)
        level = len(self._bound) if free else 0
        while level and self._bound[level - 1] not in free:
            level -= 1
        return level

    def _check_size(self, node: Node) -> None:
        entries = self.size(node.dims[0]) * self.size(node.dims[1])
        for name in self._bound:
            entries *= max(1, len(self.indices[name]))
        if entries > LARGEST:
            raise EvaluationError(f"{entries} values at once are too many")
        self._fitting.add(node.dims)

    # ---------------------------------------------------------------------------------------- leaves

    def size(self, size: Size) -> int:
        return size.value(self.sizes)

    def dims(self, dims: Dims) -> tuple[int, int]:
        return max(self.size(dims[0]), 0), max(self.size(dims[1]), 0)

    def constant(self, name: Any) -> Value:
        return self.f.pi() if name == "pi" else self.f.exp(self.f.const(1))

    def leaf(self, node: Node) -> Value:
        """The value of a symbol, a family or a defined name."""
        if node not in self.leaves:
            outside = self._outermost or self
            for name in self._unsettled(node):
                outside._settle(name)
        if self._unsure and node in self._unsure:
            self.f.saturated = True
        return self.leaves[node]

    def _unsettled(self, root: Node) -> list[Node]:
        """The names without a value that a name needs, each after those that it is defined by, itself last."""
        order: dict[Node, None] = {}
        stack, opened = [root], set[Node]()
        while stack:
            name = stack[-1]
            if name in opened:
                stack.pop()
                order.setdefault(name)
                continue
            opened.add(name)
            definition = self.definitions.get(name)
            if definition is None:
                raise EvaluationError(f"{name.data[0]} has no value")
            body = definition[2] if isinstance(definition, tuple) else definition
            stack.extend(n for n in _names_in(body) if n not in self.leaves and n not in opened)
        return list(order)

    def _settle(self, node: Node) -> None:
        """Evaluate a defined name, outside of all sums."""
        compute = self._defined
        value = compute(node) if self._unsure is None else self._watched(node, compute, self._unsure)
        self.leaves[node] = self._shifted(node, value)

    def _defined(self, node: Node) -> Value:
        definition = self.definitions[node]
        return self._indexed(*definition) if isinstance(definition, tuple) else self.value(definition)

    def _shifted(self, node: Node, value: Value) -> Value:
        return self.f.add(value, self.shifts[node]) if node in self.shifts else value

    def _indexed(self, name: str, over: Range, body: Node) -> Value:
        """All members of an indexed definition, along the axis before rows and columns."""
        inside = self.within(name, over)
        return self._along_members(inside.value(body), len(inside.indices[name]))

    def _along_members(self, value: Value, count: int) -> Value:
        if isinstance(self.f, Dual):
            inner = self._members_of(value.value, count)
            tangent = None if value.tangent is None else self._members_of(value.tangent, count)
            return type(value)(inner, tangent)
        return self._members_of(value, count)

    def _members_of(self, x: Any, count: int) -> Any:
        whole = np.broadcast_to(x, (count, *x.shape)) if x.ndim < self.base + 1 else x
        return np.moveaxis(whole, 0, -3)

    # --------------------------------------------------------------------------------------- indices

    def index_value(self, node: Node) -> Any:
        """The value of an index expression: integers that broadcast over the leading axes."""
        if node.op == "number":
            if node.data[0].denominator != 1:
                raise EvaluationError("a position that is not a whole number")
            return np.asarray(int(node.data[0]))
        if node.op == "index":
            if node.data[0] not in self.indices:
                raise EvaluationError(f"the index {node.data[0]} has no value")
            return self.indices[str(node.data[0])]
        if node.op == "size":
            return np.asarray(self.size(node.data[0]))
        if node.op == "member":
            return self._family_index(node)
        if node.op in ("add", "product"):
            parts = [self.index_value(o) for o in node.operands]
            out = parts[0]
            for part in parts[1:]:
                out = out + part if node.op == "add" else out * part
            return out
        raise EvaluationError("something that is not an index stands as a position")

    def _family_index(self, node: Node) -> Any:
        """A fixed index of a family of indices: integers of shape (points, members)."""
        whole = self.indices[str(node.operands[0].data[0])]
        positions = self._positions(node.operands[0].data[2], node.operands[1])
        lead = np.broadcast_shapes(whole.shape[:-1], positions.shape)
        wide = np.broadcast_to(whole, (*lead, whole.shape[-1]))
        return np.take_along_axis(wide, np.broadcast_to(positions, lead)[..., None], axis=-1)[..., 0]

    def _positions(self, over: Range, node: Node) -> Any:
        values = np.asarray(over.values(self.sizes))
        wanted = self.index_value(node)
        found = np.searchsorted(values, wanted)
        inside = np.minimum(found, len(values) - 1)
        if not len(values) or np.any(values[inside] != wanted):
            raise EvaluationError(f"an index outside {over}")
        return inside

    def index_as_number(self, node: Node) -> Value:
        return self.f.from_int(self.index_value(node)[..., None, None])

    def compare(self, node: Node, relation: str) -> Value:
        left, right = (self.index_value(o) for o in node.operands)
        holds = left == right if relation == "equal" else left < right
        return self.f.from_int(np.asarray(holds)[..., None, None])

    def onehot(self, position: Node, length: int) -> Value:
        where = self.index_value(position)
        hit = np.arange(1, length + 1) == np.asarray(where)[..., None]
        return self.f.from_int(hit[..., None])

    def part(self, x: Node, i: Node | None, j: Node | None) -> Value:
        """A row, column or entry."""
        value = self.value(x)
        for axis, position in ((-2, i), (-1, j)):
            if position is not None:
                fixed = position.op == "number" and position.data[0].denominator == 1
                where = (int(position.data[0]) if fixed else self.index_value(position)) - 1
                length = self.f.dims(value)[axis]
                outside: Any = (where < 0) | (where >= length)
                if outside if fixed else outside.any():
                    raise EvaluationError("an index outside its range")
                value = self.f.take(value, where, axis)
        return value

    def member(self, node: Node) -> Value:
        """A member of a family."""
        family = node.operands[0]
        if family.op == "index_family":
            return self.index_as_number(node)
        return self.f.member(self.leaf(family), self._positions(family.data[2], node.operands[1]))

    def block(self, node: Node) -> Value:
        axis, start, end = node.data
        whole, first, last = self.value(node.operands[0]), self.size(start), self.size(end)
        if not 0 <= first <= last <= self.f.dims(whole)[axis]:
            raise EvaluationError("a slice outside of what it is taken from")
        return self.f.block(whole, axis, first, last)

    def sum(self, node: Node) -> Value:
        """The sum over a bound index, as one operation along its axis."""
        name, over = node.data
        inside = self.within(str(name), over)
        count = len(inside.indices[name])
        if not count:
            return self.f.full(self.dims(node.dims), 0)
        inside._check_size(node)
        before = inside.entries
        body = inside.value(node.operands[0])
        if node.operands[1].op != "number":
            body = self.f.masked(body, inside.value(node.operands[1]))
        self.entries += inside.entries - before
        self._keep(name, over, inside)
        found = self.f.sum_bound(body, -(self.base + 1 + len(self._bound)), count)
        # What depends on no index that is bound outside is remembered for all of them, and must not keep their axes.
        return self.f.trimmed(found, self.base + self._level(node))


@lru_cache(maxsize=4096)
def _names_in(body: Node) -> tuple[Node, ...]:
    return tuple(n for n in walk(body) if n.op in ("symbol", "family"))


class _Settled:
    """What a world need not go into: what has a value, and what evaluates its parts itself."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __contains__(self, node: Any) -> bool:
        return record(node.op).within is not None or self.world.known(node)
