"""Sizes that a vector of ones or an identity leaves open until its neighbours fix them."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.sizes import ONE, Dims, Size


def is_open(size: Size) -> bool:
    """Whether a size is still to be chosen."""
    return size.is_open


def choose(first: Size, second: Size) -> tuple[str, Size] | None:
    """The open one of two sizes and what it has to be, if one of them is open."""
    if first.is_open:
        return next(iter(first.names)), second
    return (next(iter(second.names)), first) if second.is_open else None


def put(size: Size, name: str, value: Size) -> Size:
    """A size, or the value chosen for it."""
    return value if size.is_open and name in size.names else size


def put_size(node: Node, name: str, value: Size) -> Node:
    """An expression with an open size chosen; the same where a unit column would become a number."""
    if not node.is_open:
        return node

    def fixed(dims: Dims) -> Dims:
        return put(dims[0], name, value), put(dims[1], name, value)

    mapping: dict[Node, Node] = {}
    if value == ONE and any(leaf.op == "onehot" and leaf.dims != fixed(leaf.dims) for leaf in walk(node)):
        return node
    for leaf in walk(node):
        if leaf.op in ("ones", "zeros") and leaf.dims != fixed(leaf.dims):
            mapping[leaf] = b.ones(fixed(leaf.dims)) if leaf.op == "ones" else b.zeros(fixed(leaf.dims))
        elif leaf.op == "eye" and leaf.dims != fixed(leaf.dims):
            mapping[leaf] = b.eye(fixed(leaf.dims)[0])
        elif leaf.op == "onehot" and leaf.dims != fixed(leaf.dims):
            mapping[leaf] = b.onehot(leaf.operands[0], fixed(leaf.dims)[0])
        elif leaf.op == "size" and leaf.data[0].is_open:
            mapping[leaf] = b.size_number(put(leaf.data[0], name, value))
    return b.substitute(node, mapping) if mapping else node
