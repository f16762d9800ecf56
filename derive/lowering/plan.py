"""The common-subexpression pass that `lambdify` is given: which values get a name, and in what order.

Every definition is assigned once, before its first use; so is every other value that is used twice, what a
loop over an index would compute again and again, and parts of an expression that is nested very deep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from sympy import Symbol

from derive.expressions import build as b
from derive.expressions.node import STOREY, Node, free_indices, intern_node, landings
from derive.lowering import kernels as k
from derive.sizes import ONE, SCALAR

Replacements = list[tuple[Symbol, Node]]
# How many operands of an operation are values; those that follow are positions.
VALUES = {
    "entry": 1, "row": 1, "column": 1, "pick": 1, "take": 1, "member": 1, "onehot": 0, "onehots": 0,
    "index_equal": 0, "index_less": 0, "compared": 0,
}  # fmt: skip
CHEAP = frozenset(
    ("transpose", "fill", "rows", "columns", "ones", "zeros", "eye", "compared", "index_equal", "index_less")
)
HINTS = {
    "exp": "e", "falling": "e", "top": "top", "others": "others", "peak": "peak", "shifted": "shifted",
    "total": "total", "row_sums": "total",
}  # fmt: skip
BINDING = ("sum", "stacked")


class Plan:
    """Plans a result: `bodies` are the definitions; `name(symbol, value, hint)` gives and remembers an identifier."""

    def __init__(self, bodies: dict[Node, Node], name: Callable[[Node, Node, str], str]) -> None:
        self.bodies, self.name = bodies, name
        self.called: dict[Node, Node] = {}
        for symbol, body in bodies.items():
            if not cheap(body):
                self.called.setdefault(body, symbol)
        self.uses: Counter[Node] = Counter()
        self.bound: frozenset[str] = frozenset()
        self.replacements: Replacements = []
        self.assigned: list[Node] = []
        self.done: dict[Node, Node] = {}
        self.first: tuple[Node, ...] = ()
        self.ahead = 0

    def __call__(self, result: Node, first: Sequence[Node] = ()) -> tuple[Replacements, Node]:
        """The assignments in order and the result in terms of them; what `first` needs is assigned before the rest.

        Afterwards `first` holds these values in terms of names, and `ahead` how many assignments they need.
        """
        whole = k.kernel("parts", (*first, *result.operands), SCALAR) if first else result
        self._call_turned(k.nodes_in_order(iter((whole, *self.bodies.values()))))
        order = self._counted(whole)
        self.bound = frozenset(str(n.data[0]) for n in order if n.op in BINDING)
        self.first = tuple(map(self._named, first))
        self.ahead = len(self.replacements)
        for name in self.bodies:
            if self.uses[name]:
                self._named(name)
        reached = set(order)
        for part in landings(result):
            if part in reached or cheap(part):
                self._named(part)
        return self.replacements, self._operands_named(result)

    def _call_turned(self, nodes: Iterator[Node]) -> None:
        """vᵀ A is (Aᵀ v)ᵀ where Aᵀ v is computed too: as arrays both are the same."""
        products = [n for n in nodes if n.op == "matmul" and k.rank(n.dims) == 1]
        known = set(products)
        for node in products:
            if node.dims[0] == ONE:
                left, right = node.operands
                column = k.matmul(b.transpose(right), b.transpose(left))
                if column in known and node not in self.called:
                    self.called[node] = b.transpose(self.called.get(column, column))

    # ----------------------------------------------------------------------------------------- counting

    def _next(self, node: Node) -> Iterator[Node]:
        """What a node is computed from, with definitions in place of what they define."""
        inside = (self.bodies[node],) if node in self.bodies else node.operands[: VALUES.get(node.op)]
        for operand in inside:
            name = self.called.get(operand)
            if name is not None and name is not node:
                yield name
            elif operand.operands and cheap(operand):
                yield from self._next(operand)
            else:
                yield operand

    def _counted(self, result: Node) -> list[Node]:
        order, todo = [result], [result]
        seen = {result}
        while todo:
            node = todo.pop()
            for operand in self._next(node):
                invariant = node.op in BINDING and node.data[0] not in free_indices(operand)
                self.uses[operand] += 2 if invariant else 1
                if node.op in BINDING:
                    self._count_invariants(operand, str(node.data[0]))
                if operand not in seen:
                    seen.add(operand)
                    order.append(operand)
                    todo.append(operand)
        return order

    def _count_invariants(self, body: Node, name: str) -> None:
        """What a loop's body computes without its index is worth a name."""
        for node in k.nodes_in_order(iter((body,))):
            if name in free_indices(node):
                self.uses.update(o for o in self._next(node) if name not in free_indices(o))

    # ----------------------------------------------------------------------------------------- assigning

    def _named(self, node: Node) -> Node:
        """The node with its parts named, and itself too where that is worth it."""
        node = self.called.get(node, node)
        if node not in self.done:
            if node in self.bodies:
                body = self.bodies[node]
                first = self.called.get(body, node)
                value = self._operands_named(body) if first is node else self._named(first)
                self._assign(node, value, "")
                self.done[node] = node
            else:
                self.done[node] = self._shared(node, self._operands_named(node))
        return self.done[node]

    def _operands_named(self, node: Node) -> Node:
        if node in self.bodies:
            return self._named(node)
        count = VALUES.get(node.op, len(node.operands))
        parts = tuple(self._named(o) for o in node.operands[:count]) + node.operands[count:]
        if parts == node.operands:
            return node
        out = intern_node(node.op, parts, node.data, node.dims)
        out._free = free_indices(node)
        return out

    def _shared(self, node: Node, value: Node) -> Node:
        if (self.uses[node] < 2 and value.height < STOREY) or cheap(node) or free_indices(node) & self.bound:
            return value
        temporary = b.symbol(f"#{len(self.replacements)}", node.dims)
        self._assign(temporary, value, HINTS.get(node.op, ""))
        return temporary

    def _assign(self, target: Node, value: Node, hint: str) -> None:
        self.replacements.append((Symbol(self.name(target, value, hint)), value))
        self.assigned.append(target)


def cheap(node: Node) -> bool:
    """Whether a value is not worth a name of its own."""
    if not node.operands or node.op in CHEAP or constant(node):
        return True
    if node.op == "product" and len(node.operands) == 2:
        return node.operands[0] == b.number(-1)
    return node.op in ("entry", "row", "column", "block", "member") and cheap(node.operands[0])


def constant(node: Node) -> bool:
    """Whether a number depends on sizes alone."""
    return node.dims == SCALAR and not node.marks
