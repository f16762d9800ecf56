"""One way of writing for sums that differ only in the order of their terms."""

from __future__ import annotations

from derive.expressions.build import substitute
from derive.expressions.node import Node, walk
from derive.expressions.order import Key, order_free


def aligned(root: Node) -> Node:
    """The expression with each of its sums written as where it occurs first: 1 + x and x + 1 are then one node."""
    for _ in range(4):
        first: dict[Key, Node] = {}
        other: dict[Node, Node] = {}
        for part in walk(root):
            if part.op == "add" and first.setdefault(key := order_free(part), part) is not part:
                other[part] = first[key]
        if not other:
            break
        root = substitute(root, other)
    return root
