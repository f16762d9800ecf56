"""Expressions: trees whose heads are the operations of this project.

Every value is a matrix; a number is 1 × 1 and a vector a column.  A node holds its operands (nodes),
its data (names, numbers, ranges) and its dimensions.  Nodes are interned: equal trees are the same
object, so that a shared part of a formula stays shared and comparing is cheap.  Build nodes with the
functions of `derive.expressions.build`, which check shapes.  `sympy_view` shows a node as a SymPy expression;
SymPy is imported only then, because importing it takes longer than grading an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from itertools import count
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from derive.sizes import Dims

Data = tuple[Any, ...]
MARKS, STOREY = 2039, 24


class Node:
    """One operation applied to operands; see `derive.operations` for what there is.

    `height` is the number of operations on the longest way down, `count` the number of nodes of the tree.
    `marks` is a signature of the symbols and families below: a part of a node has no mark that the node has not.
    `turned` is its transpose once that has been asked for.

    `to_latex` is set by `derive.printing`, which knows how operations are printed.
    """

    __slots__ = ("__weakref__", "_free", "count", "data", "dims", "height", "marks", "op", "operands", "turned")

    op: str
    operands: tuple[Node, ...]
    data: Data
    dims: Dims
    height: int
    count: int
    marks: int
    turned: Node | None
    _free: frozenset[str]
    to_latex: ClassVar[Callable[[Node], str]] = str
    _interned: ClassVar[WeakValueDictionary[Any, Node]] = WeakValueDictionary()

    def _repr_latex_(self) -> str:
        return f"${Node.to_latex(self)}$"

    def __repr__(self) -> str:
        inside = ", ".join([repr(o) for o in self.operands] + [str(d) for d in self.data])
        return f"{self.op}({inside})"

    def _sympy_(self) -> Any:
        """The same as a SymPy expression; `sympy.sympify` asks for it."""
        from derive.expressions.sympy_view import view

        return view(self)

    def __reduce__(self) -> Any:
        return intern_node, (self.op, self.operands, self.data, self.dims)


_LEAVES = count()


def intern_node(op: str, operands: tuple[Node, ...], data: Data, dims: Dims) -> Node:
    """The one node with this operation, these operands and this data."""
    key = (op, operands, data, dims)
    found = Node._interned.get(key)
    if found is not None:
        return found
    node = Node.__new__(Node)
    node.op, node.operands, node.data, node.dims, node.turned = op, operands, data, dims, None
    _measure(node)
    Node._interned[key] = node
    return node


def _measure(node: Node) -> None:
    """What is known of an expression from what is known of its parts."""
    node.height, node.count, node.marks, node._free = 0, 1, 0, frozenset()
    for operand in node.operands:
        node.height = max(node.height, operand.height + 1)
        node.count += operand.count
        node.marks |= operand.marks
        node._free = node._free | operand._free if node._free else operand._free
    if node.op in ("symbol", "family"):
        node.marks = 1 << next(_LEAVES) % MARKS
    elif node.op == "index":
        node._free = frozenset((str(node.data[0]),))
    elif node.op == "sum":
        node._free = node._free - {str(node.data[0])}


def walk(root: Node, known: Container[Node] = ()) -> Iterator[Node]:
    """Every distinct node below `root`, operands before the nodes that use them; nothing below `known` ones."""
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            yield node
        elif id(node) not in seen and node not in known:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.operands))


def landings(root: Node, known: Container[Node] = ()) -> Iterator[Node]:
    """The parts of a tall expression that a recursion which remembers is to visit first, so as never to go deep."""
    if root.height < STOREY:
        return
    for node in walk(root, known):
        for operand in node.operands:
            if operand.height // STOREY < node.height // STOREY and operand not in known:
                yield operand


def free_indices(node: Node) -> frozenset[str]:
    """The names of the indices that an expression depends on and does not bind itself."""
    return node._free


def count_nodes(root: Node) -> int:
    """The number of nodes of the tree, shared parts counted each time they occur."""
    return root.count
