"""Where the entries of a variable stand: which entry of which symbol, at which index, in which order."""

from __future__ import annotations

from derive.errors import NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.indexform.partials import Place
from derive.operations.indexing import block
from derive.sizes import Range, Size


def rows_first(node: Node, place: Place) -> Node:
    """A product of numbers with what has the row's index before what has the column's: δ_i x_j."""
    if node.op == "add":
        return b.add(*(rows_first(term, place) for term in node.operands))
    if node.op != "product" or place.i.op != "index" or place.j.op != "index":
        return node
    row, column = (str(p.data[0]) for p in (place.i, place.j))
    late = [f for f in node.operands if column in free_indices(f) and row not in free_indices(f)]
    return b.product(*(f for f in node.operands if f not in late), *late)


def reached(node: Node, leaf: Node, i: Node, j: Node) -> Place:
    """The entry of a symbol or family that entry (i, j) of a part of it is."""
    member: Node | None = None
    while node is not leaf:
        if node.op == "transpose":
            i, j = j, i
        elif node.op == "entry":
            i, j = node.operands[1:]
        elif node.op == "row":
            i = node.operands[1]
        elif node.op == "column":
            j = node.operands[1]
        elif node.op == "member":
            member = node.operands[1]
        node = node.operands[0]
    return Place(leaf, member, i, j)


def shifted(node: Node, old: Node, part: tuple[int, Size, Size], new: Node) -> Node:
    """An expression in the index `old` at the place number `new` of the part start+1 … end of its range.

    x_{start+k} is written as entry k of a block of x.  Raises `NoRuleError` where the index does not pick an entry.
    """
    mapping: dict[Node, Node] = {}
    for entry in walk(node):
        if entry.op == "entry" and old in entry.operands[1:]:
            x, i, j = entry.operands
            x = block(x, 0, *part[1:]) if i == old else x
            x = block(x, 1, *part[1:]) if j == old else x
            mapping[entry] = b.entry(x, new if i == old else i, new if j == old else j)
    out = b.substitute(node, mapping) if mapping else node
    if any(p == old for p in walk(out)):
        raise NoRuleError("concat", "an index of a block stands where no entry is picked")
    return out


def summed(node: Node, letter: str, over: Range) -> Node:
    """Σ over an index, term by term so that each Kronecker delta can pick."""
    terms = node.operands if node.op == "add" else (node,)
    return b.add(*(b.sum_over(term, letter, over) for term in terms))
