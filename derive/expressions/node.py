"""Expressions: SymPy trees whose heads are the operations of this project.

Every value is a matrix; a number is 1 × 1 and a vector a column.  A node holds its operands (nodes),
its data (names, numbers, ranges) and its dimensions.  Nodes are interned: equal trees are the same
object, so that a shared part of a formula stays shared and comparing is cheap.  Build nodes with the
functions of `derive.expressions.build`, which check shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from itertools import count
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from sympy import Atom, Basic, Integer, Symbol
from sympy.matrices.expressions.matexpr import MatrixExpr

from derive.sizes import Dims, Size

Data = tuple[Any, ...]
MARKS, STOREY = 2039, 24


class Datum(Atom):  # type: ignore[misc]
    """A leaf that carries names, numbers or ranges through a SymPy tree."""

    value: Data

    def __new__(cls, value: Data) -> Datum:
        self: Datum = Basic.__new__(cls)
        self.value = value
        return self

    def _hashable_content(self) -> tuple[Data]:
        return (self.value,)

    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (1, (str(self.value),)), (), Integer(1)

    def __repr__(self) -> str:
        return repr(self.value)

    __str__ = __repr__
    _sympystr = _latex = lambda self, printer: repr(self.value)


class Node(MatrixExpr):  # type: ignore[misc]
    """One operation applied to operands; see `derive.operations` for what there is.

    `height` is the number of operations on the longest way down, `count` the number of nodes of the tree.
    `marks` is a signature of the symbols and families below: a part of a node has no mark that the node has not.

    `to_latex` is set by `derive.printing`, which knows how operations are printed.
    """

    op: ClassVar[str] = ""
    operands: tuple[Node, ...]
    data: Data
    dims: Dims
    height: int
    count: int
    marks: int
    _free: frozenset[str]
    to_latex: ClassVar[Callable[[Node], str]] = str
    _interned: ClassVar[WeakValueDictionary[Any, Node]] = WeakValueDictionary()

    def __new__(cls, *args: Basic) -> Node:
        from derive.expressions.build import make

        data = next((a.value for a in args if isinstance(a, Datum)), ())
        return make(cls.op, tuple(a for a in args if isinstance(a, Node)), data)

    def __eq__(self, other: object) -> bool:
        return self is other  # nodes are interned

    __hash__ = MatrixExpr.__hash__

    @property
    def shape(self) -> tuple[Any, Any]:
        """The dimensions as SymPy expressions."""
        return _sympy_size(self.dims[0]), _sympy_size(self.dims[1])

    @property
    def is_scalar_shape(self) -> bool:
        """Whether this is 1 × 1."""
        return self.dims[0].number == 1 and self.dims[1].number == 1

    def _latex(self, printer: Any) -> str:
        return Node.to_latex(self)

    _repr_latex_ = lambda self: f"${self._latex(None)}$"  # noqa: E731

    def _sympystr(self, printer: Any) -> str:
        inner = ", ".join([str(o) for o in self.operands] + [str(d) for d in self.data])
        return f"{self.op}({inner})"

    def __reduce__(self) -> Any:
        return intern_node, (self.op, self.operands, self.data, self.dims)


def _sympy_size(size: Size) -> Any:
    total: Any = Integer(0)
    for monomial, coefficient in size.terms:
        term: Any = Integer(coefficient)
        for name in monomial:
            term = term * Symbol(name, integer=True, positive=True)
        total = total + term
    return total


_HEADS: dict[str, type[Node]] = {}


def head(op: str) -> type[Node]:
    """The SymPy class of an operation."""
    found = _HEADS.get(op)
    if found is None:
        name = "".join(part.capitalize() for part in op.split("_"))
        found = _HEADS[op] = type(name, (Node,), {"op": op, "__doc__": f"The operation {op}."})
    return found


_LEAVES = count()


def intern_node(op: str, operands: tuple[Node, ...], data: Data, dims: Dims) -> Node:
    """The one node with this operation, these operands and this data."""
    key = (op, operands, data, dims)
    found = Node._interned.get(key)
    if found is not None:
        return found
    args: tuple[Basic, ...] = (*operands, Datum((*data,))) if data else operands
    node: Node = Basic.__new__(head(op), *args)
    node.operands, node.data, node.dims = operands, data, dims
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
