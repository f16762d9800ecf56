"""Expressions: trees whose heads are the operations of this project.

Every value is a matrix; a number is 1 × 1 and a vector a column.  A node holds its operands (nodes),
its data (names, numbers, ranges) and its dimensions.  Nodes are interned: equal trees are the same
object, so that a shared part of a formula stays shared and comparing is cheap.  Build nodes with the
functions of `derive.expressions.build`, which check shapes.  `sympy_view` shows a node as a SymPy expression;
SymPy is imported only then, because importing it takes longer than grading an answer.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Container, Iterator
from itertools import count
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from derive.sizes import Dims

Data = tuple[Any, ...]
Content = tuple[str, tuple["Node", ...], Data, Dims]
MARKS, STOREY, YOUNG = 2039, 24, 16_384


class Node:
    """One operation applied to operands; see `derive.operations` for what there is.

    `height` is the number of operations on the longest way down, `count` the number of nodes of the tree.
    `marks` is a signature of the symbols and families below: a part of a node has no mark that the node has not.
    `heads` are the operations that occur, as `heads_of` gives them; `is_open` says that a size below is not chosen yet.
    `turned` is its transpose and `text` its LaTeX, once they have been asked for.

    `to_latex` is set by `derive.printing`, which knows how operations are printed.
    """

    __slots__ = (
        "__weakref__", "_free", "count", "data", "dims", "heads", "height", "is_open", "marks", "op", "operands",
        "text", "turned",
    )  # fmt: skip

    op: str
    operands: tuple[Node, ...]
    data: Data
    dims: Dims
    height: int
    count: int
    marks: int
    heads: int
    is_open: bool
    turned: Node | None
    text: str | None
    _free: frozenset[str]
    to_latex: ClassVar[Callable[[Node], str]] = str

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


class _Interned:
    """All nodes by content: the last few thousand made are kept, older ones while something else holds them."""

    def __init__(self) -> None:
        self.young: dict[Content, Node] = {}
        self.old: WeakValueDictionary[Content, Node] = WeakValueDictionary()
        self.lock = allocate_lock()

    def make(self, content: Content) -> Node:
        """The node of a content that is not among the young ones."""
        with self.lock:
            found = self.young.get(content) or self.old.get(content)
            if found is None:
                found = self.young[content] = _made(*content)
                if len(self.young) > YOUNG:
                    self.old.update(self.young)
                    self.young = {}
            return found


_INTERNED = _Interned()
_LEAVES, _BITS = count(), count()
_HEADS: dict[str, int] = {}
_NONE_FREE: frozenset[str] = frozenset()


def intern_node(op: str, operands: tuple[Node, ...], data: Data, dims: Dims) -> Node:
    """The one node with this operation, these operands and this data."""
    content = (op, operands, data, dims)
    return _INTERNED.young.get(content) or _INTERNED.make(content)


def _made(op: str, operands: tuple[Node, ...], data: Data, dims: Dims) -> Node:
    """A new node, with what is known of it from what is known of its parts."""
    node = Node.__new__(Node)
    node.op, node.operands, node.data, node.dims = op, operands, data, dims
    node.turned = node.text = None
    height, size, marks, heads, free = -1, 1, 0, _HEADS.get(op) or heads_of(op), _NONE_FREE
    is_open = dims[0].is_open or dims[1].is_open or (op == "size" and data[0].is_open)
    for operand in operands:
        if operand.height > height:
            height = operand.height
        size += operand.count
        marks |= operand.marks
        heads |= operand.heads
        is_open = is_open or operand.is_open
        if operand._free:
            free = free | operand._free
    if op in ("symbol", "family"):
        marks = 1 << next(_LEAVES) % MARKS
    elif op == "index":
        free = frozenset((str(data[0]),))
    elif op == "sum":
        free = free - {str(data[0])}
    node.height, node.count, node.marks, node.heads = height + 1, size, marks, heads
    node.is_open, node._free = is_open, free
    return node


def heads_of(*ops: str) -> int:
    """Operations as a set of bits: `node.heads & heads_of("sum")` says whether a sum occurs in an expression."""
    out = 0
    for op in ops:
        out |= _HEADS.get(op) or _HEADS.setdefault(op, 1 << next(_BITS))
    return out


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
