"""What laws ask of expressions: their factors, and whether entries sum to 1."""

from __future__ import annotations

from derive.expressions.node import Node, free_indices
from derive.sizes import SCALAR, Range, Size


def chain_of(node: Node) -> list[Node]:
    """The matrix factors of a product."""
    return [f for f in (node.operands if node.op == "product" else (node,)) if f.dims != SCALAR]


def scalars_of(node: Node) -> list[Node]:
    """The scalar factors of a product."""
    return [f for f in (node.operands if node.op == "product" else (node,)) if f.dims == SCALAR]


def sums_to_one(node: Node) -> bool:
    """Whether the entries of a vector sum to 1 by what is declared of it."""
    if node.op in ("softmax", "onehot"):
        return True
    if node.op == "column":
        return bool({"one-hot columns", "distribution columns"} & set(properties(node.operands[0])))
    if node.op == "transpose":
        inner = node.operands[0]
        rows = {"one-hot rows", "distribution rows"}
        return (inner.op == "row" and bool(rows & set(properties(inner.operands[0])))) or sums_to_one(inner)
    return any(p in ("distribution", "one-hot") or p.startswith("one-hot at") for p in properties(node))


def properties(node: Node) -> tuple[str, ...]:
    """What is declared of a symbol or a member of a family."""
    if node.op == "member":
        return node.operands[0].data[3] if node.operands[0].op == "family" else ()
    return node.data[2] if node.op == "symbol" else ()


def mentions(node: Node, name: str) -> bool:
    """Whether an expression depends on an index (one that it binds itself does not count)."""
    return name in free_indices(node)


def range_of(node: Node) -> Range | None:
    """The range of an index, where it is known."""
    over: Range | None = None
    if node.op == "index":
        over = node.data[1]
    elif node.op == "member" and node.operands[0].op == "index_family":
        over = node.operands[0].data[1]
    elif node.op == "number":
        over = Range(Size.of(int(node.data[0])), Size.of(int(node.data[0])))
    return over


def negative(node: Node) -> bool:
    """Whether an argument is written with a minus in front."""
    from derive.expressions.build import split_number

    if node.op == "add":
        return all(split_number(t)[0] < 0 for t in node.operands)
    return split_number(node)[0] < 0
