"""Leaves of expressions, and the one way to make a node that checks shapes and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from derive.expressions.node import Node, intern_node
from derive.operations.registry import record
from derive.sizes import ONE, SCALAR, Dims, Range, Size

Number = int | Fraction
MOST_FRACTIONS = 1_000
_FRACTIONS: dict[tuple[int, int], Node] = {}


def make(op: str, operands: tuple[Node, ...], data: tuple[Any, ...] = ()) -> Node:
    """A node as it stands; the operation's shape rule checks the operands."""
    dims = record(op).dims(data, *(o.dims for o in operands))
    return intern_node(op, operands, data, dims)


def exact(value: Number) -> Number:
    """A number as it is kept: an int where it is whole, which counts faster than a fraction."""
    if value.__class__ is int:
        return value
    return int(value.numerator) if value.denominator == 1 else value


def magnitude(value: Number) -> Number:
    """|c|."""
    return -value if value < 0 else value


def number(value: Number) -> Node:
    """An exact number."""
    value = exact(value)
    if value.__class__ is int:
        return intern_node("number", (), (value,), SCALAR)
    key = (value.numerator, value.denominator)  # a fraction is slow to hash
    found = _FRACTIONS.get(key)
    if found is None:
        if len(_FRACTIONS) > MOST_FRACTIONS:
            _FRACTIONS.clear()
        found = _FRACTIONS[key] = intern_node("number", (), (value,), SCALAR)
    return found


def constant(name: str) -> Node:
    """A constant of mathematics: `pi` or `e`."""
    return intern_node("constant", (), (name,), SCALAR)


def size_number(size: Size) -> Node:
    """A size used as a number."""
    return number(size.number) if size.number is not None else intern_node("size", (), (size,), SCALAR)


def symbol(name: str, dims: Dims, properties: Iterable[str] = ()) -> Node:
    """A given quantity, or a name that the problem defines."""
    return intern_node("symbol", (), (name, dims, tuple(sorted(properties))), dims)


def family(name: str, dims: Dims, over: Range, properties: Iterable[str] = (), letter: str = "") -> Node:
    """A family u_1 … u_K of vectors, matrices or numbers; `letter` is what varies in its name."""
    return intern_node("family", (), (name, dims, over, tuple(sorted(properties)), letter), dims)


def index(name: str, over: Range | None) -> Node:
    """A free or bound index."""
    return intern_node("index", (), (name, over), SCALAR)


def index_family(name: str, over: Range, members: Range, letter: str = "") -> Node:
    """A family of fixed indices, such as the positions w_1 … w_K of sampled words."""
    return intern_node("index_family", (), (name, over, members, letter), SCALAR)


def ones(dims: Dims) -> Node:
    """A matrix of ones; the number 1 if it is 1 × 1."""
    return number(1) if dims == SCALAR else intern_node("ones", (), (dims,), dims)


def zeros(dims: Dims) -> Node:
    """A matrix of zeros; the number 0 if it is 1 × 1."""
    return number(0) if dims == SCALAR else intern_node("zeros", (), (dims,), dims)


def eye(size: Size) -> Node:
    """The identity matrix."""
    return number(1) if size == ONE else intern_node("eye", (), (size,), (size, size))


def onehot(position: Node, length: Size) -> Node:
    """The unit column with a one at `position`."""
    return intern_node("onehot", (position,), (length,), (length, ONE))


def properties_of(leaf: Node) -> set[str]:
    """The declared properties of a leaf."""
    return set(leaf.data[3] if leaf.op == "family" else leaf.data[2])
