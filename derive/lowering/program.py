"""What is to be computed: the definitions that are needed, in order, the loss and the gradients.

Bound indices get names of their own, so that an index means the same everywhere; families of numbers and
vectors become vectors and matrices whose rows are the members; sums over an index become products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.lowering import kernels as k
from derive.lowering.lift import Lifter, vectorise
from derive.problem.problem import Definition, Problem
from derive.sizes import ONE, SCALAR, Range


@dataclass(frozen=True, slots=True)
class Program:
    """Definitions in order, the loss and the gradients by variable.

    `stacks` maps each family of numbers or vectors to the symbol that holds all its members.
    """

    bodies: dict[Node, Node]
    loss: Node
    gradients: dict[str, Node]
    stacks: dict[Node, Node]

    def mapped(self, change: Callable[[Node], Node]) -> Program:
        """The program with every expression changed, definitions first."""
        bodies = {name: change(body) for name, body in self.bodies.items()}
        gradients = {wrt: change(g) for wrt, g in self.gradients.items()}
        return Program(bodies, change(self.loss), gradients, self.stacks)


def program_of(problem: Problem, gradients: Mapping[str, Node]) -> Program:
    """The program of a problem and its gradients, without sums over an index where that is possible."""
    meanings = problem.meanings
    free = {name for g in gradients.values() for name in free_indices(g)}
    free |= {str(e.node.data[0]) for e in problem.scope.all() if e.kind == "index" and e.node is not None}
    stacks = {n: _stack(n) for n in _families(problem, gradients) if _stackable(n)}
    plain = _Plain(free, stacks)
    bodies = {stacks.get(name, name): plain.definition(name, body) for name, body in meanings.items()}
    return Program(bodies, problem.loss_symbol, {wrt: plain(g) for wrt, g in gradients.items()}, stacks)


def _families(problem: Problem, gradients: Mapping[str, Node]) -> list[Node]:
    bodies = [d[2] if isinstance(d, tuple) else d for d in problem.meanings.values()]
    used = [n for n in k.nodes_in_order(iter((*bodies, *gradients.values()))) if n.op == "family"]
    declared = [e.node for e in problem.scope.all() if e.kind == "family" and e.node is not None]
    return list(dict.fromkeys((*declared, *used)))


def _stackable(family: Node) -> bool:
    return k.rank(family.dims) < 2 and k.count_of(family.data[2]) != ONE


def _stack(family: Node) -> Node:
    """The symbol whose rows are the members of a family of vectors; a column for a family of numbers."""
    name, dims, over, properties, *_ = family.data
    length = dims[0] * dims[1]
    rows = {"one-hot": "one-hot rows", "distribution": "distribution rows"}
    kept = [rows.get(p, p) if dims != SCALAR else p for p in properties]
    return b.symbol(str(name), (k.count_of(over), length), kept)


class _Plain:
    """Rewrites expressions: bound indices renamed, members of families as rows, sums as products."""

    def __init__(self, free: set[str], stacks: dict[Node, Node]) -> None:
        self.free, self.stacks = free, stacks
        self.members, self.own, self.sums = dict[Node, Node](), dict[Node, Node](), dict[Node, Node]()

    def __call__(self, node: Node) -> Node:
        return vectorise(k.rewrite(self.renamed(node), self._member, self.members), self.sums)

    def definition(self, name: Node, definition: Definition) -> Node:
        """The body of a definition; that of a family holds all members."""
        if not isinstance(definition, tuple):
            return self(definition)
        letter, over, body = definition
        inner = self._unused(letter, body)
        body = self(_with_index(body, letter, inner) if inner != letter else body)
        stack = self.stacks.get(name)
        whole = Lifter(inner, over).lift(body) if stack is not None else None
        return whole or k.stacked(body, inner, over, stack.dims if stack else name.dims)

    def _member(self, node: Node) -> Node | None:
        if node.op != "member" or node.operands[0] not in self.stacks:
            return None
        family, i = node.operands
        stack, where = self.stacks[family], k.position(i, family.data[2])
        if family.dims == SCALAR:
            return b.entry(stack, where, b.number(1))
        row = b.row(stack, where)
        return row if family.dims[0] == ONE else b.transpose(row)

    def renamed(self, node: Node) -> Node:
        """The expression with no bound index called like a free one."""
        return k.rewrite(node, self._own_index, self.own)

    def _own_index(self, node: Node) -> Node | None:
        if node.op != "sum" or node.data[0] not in self.free:
            return None
        name = str(node.data[0])
        other = self._unused(name, node)
        body, condition = (_with_index(o, name, other) for o in node.operands)
        return b.make("sum", (body, condition), (other, node.data[1]))

    def _unused(self, name: str, node: Node) -> str:
        inside = {str(part.data[0]) for part in walk(node) if part.op in ("index", "sum")}
        other = name
        while other in self.free or (other != name and other in inside):
            other += "'"
        return other


def _with_index(node: Node, name: str, other: str) -> Node:
    """The expression with one free index called otherwise."""
    if name not in free_indices(node):
        return node
    if node.op == "index":
        range_: Range | None = node.data[1]
        return b.index(other, range_)
    return k.rebuilt(node, tuple(_with_index(o, name, other) for o in node.operands))
