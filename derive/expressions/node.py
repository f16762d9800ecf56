"""Expressions: SymPy trees whose heads are the operations of this project.

Every value is a matrix; a number is 1 × 1 and a vector a column.  A node holds its operands (nodes),
its data (names, numbers, ranges) and its dimensions.  Nodes are interned: equal trees are the same
object, so that a shared part of a formula stays shared and comparing is cheap.  Build nodes with the
functions of `derive.expressions.build`, which check shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from sympy import Atom, Basic, Integer, Symbol
from sympy.matrices.expressions.matexpr import MatrixExpr

from derive.sizes import Dims, Size

Data = tuple[Any, ...]


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

    `to_latex` is set by `derive.printing`, which knows how operations are printed.
    """

    op: ClassVar[str] = ""
    operands: tuple[Node, ...]
    data: Data
    dims: Dims
    _free: frozenset[str]
    to_latex: ClassVar[Callable[[Node], str]] = str
    _interned: ClassVar[WeakValueDictionary[Any, Node]] = WeakValueDictionary()

    def __new__(cls, *args: Basic) -> Node:
        from derive.expressions.build import make

        data = next((a.value for a in args if isinstance(a, Datum)), ())
        return make(cls.op, tuple(a for a in args if isinstance(a, Node)), data)

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


def intern_node(op: str, operands: tuple[Node, ...], data: Data, dims: Dims) -> Node:
    """The one node with this operation, these operands and this data."""
    key = (op, operands, data, dims)
    found = Node._interned.get(key)
    if found is not None:
        return found
    args: tuple[Basic, ...] = (*operands, Datum((*data,))) if data else operands
    node: Node = Basic.__new__(head(op), *args)
    node.operands, node.data, node.dims = operands, data, dims
    Node._interned[key] = node
    return node


def walk(root: Node) -> Iterator[Node]:
    """Every distinct node below `root`, operands before the nodes that use them."""
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            yield node
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.operands))


def free_indices(node: Node) -> frozenset[str]:
    """The names of the indices that an expression depends on and does not bind itself."""
    known: frozenset[str] | None = getattr(node, "_free", None)
    if known is None:
        known = frozenset().union(*(free_indices(o) for o in node.operands))
        if node.op == "index":
            known = frozenset((str(node.data[0]),))
        elif node.op == "sum":
            known = known - {str(node.data[0])}
        node._free = known
    return known


def count_nodes(root: Node) -> int:
    """The number of nodes of the tree, shared parts counted each time they occur."""
    sizes: dict[int, int] = {}
    for node in walk(root):
        sizes[id(node)] = 1 + sum(sizes[id(o)] for o in node.operands)
    return sizes[id(root)]
