"""Transposes, inner products, repetition, parts of a matrix, sums over an index; rebuilding expressions."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_

from derive.errors import ShapeError
from derive.expressions.algebra import add, hadamard, matrices, power, product, split_number
from derive.expressions.leaves import eye, index, make, number, ones, size_number, zeros
from derive.expressions.node import Node, free_indices, intern_node, landings
from derive.sizes import ONE, SCALAR, Dims, Range, describe


def transpose(node: Node) -> Node:
    """Aᵀ; transposes are moved to the leaves."""
    if node.dims == SCALAR:
        return node
    if node.turned is None:
        node.turned = _transpose(node)
    return node.turned


def _transpose(node: Node) -> Node:
    turned = (node.dims[1], node.dims[0])
    if node.op == "transpose":
        return node.operands[0]
    if node.op == "add" and {transpose(o) for o in node.operands} == set(node.operands):
        return node
    if node.op in ("add", "hadamard") and all(_turns_for_free(o) for o in node.operands):
        parts = tuple(transpose(o) for o in node.operands)
        return add(*parts) if node.op == "add" else hadamard(*parts)
    if node.op == "product":
        scalars = [o for o in node.operands if o.dims == SCALAR]
        return product(*scalars, *(transpose(o) for o in reversed(matrices(node))))
    if node.op == "power":
        return power(transpose(node.operands[0]), node.data[0])
    if node.op == "sum":
        return make("sum", (transpose(node.operands[0]), node.operands[1]), node.data)
    if node.op in ("ones", "zeros"):
        return ones(turned) if node.op == "ones" else zeros(turned)
    if node.op in ("eye", "diag"):
        return node
    if node.op == "symbol" and {"symmetric", "positive definite"} & set(node.data[2]):
        return node
    return intern_node("transpose", (node,), (), turned)


def _turns_for_free(node: Node) -> bool:
    """Whether a term is a transpose itself, so that transposing it makes it plainer."""
    last = split_number(node)[1]
    if last.op == "sum":
        return _turns_for_free(last.operands[0])
    if last.op == "product" and len(matrices(last)) > 1:
        return True
    while last.op == "product" and len(matrices(last)) == 1:
        last = matrices(last)[0]
    return last.op in ("transpose", "ones", "eye", "diag") or (
        last.op == "power" and last.operands[0].op == "transpose"
    )


def inner(a: Node, b: Node) -> Node:
    """aᵀb of two columns; the sum of all entries of A ∘ B for matrices."""
    if a.dims != b.dims:
        raise ShapeError(f"{describe(a.dims)} and {describe(b.dims)} have no inner product")
    if a.dims[1] == ONE:
        return product(transpose(a), b)
    if a.dims[0] == ONE:
        return product(a, transpose(b))
    return total(hadamard(a, b))


def total(node: Node) -> Node:
    """The sum of all entries."""
    if node.dims == SCALAR:
        return node
    if node.op == "ones":
        return product(size_number(node.dims[0]), size_number(node.dims[1]))
    if node.op == "product":
        scalars = [o for o in node.operands if o.dims == SCALAR]
        if scalars:
            rest = product(*matrices(node))
            return product(*scalars, total(rest))
    return make("total", (node,))


def broadcast(node: Node, dims: Dims) -> Node:
    """A number, column or row repeated to the dimensions `dims`."""
    if node.dims == dims:
        return node
    if node.dims == SCALAR:
        return product(node, ones(dims))
    if node.dims == (dims[0], ONE):
        return product(node, ones((ONE, dims[1])))
    if node.dims == (ONE, dims[1]):
        return product(ones((dims[0], ONE)), node)
    raise ShapeError(f"{describe(node.dims)} cannot be repeated to {describe(dims)}")


def diag(node: Node) -> Node:
    """The diagonal matrix of a column or row; the column of the diagonal of a matrix."""
    if node.dims == SCALAR:
        return node
    if node.op == "ones" and ONE in node.dims:
        return eye(node.dims[0] * node.dims[1])
    if ONE in node.dims:
        return make("diag", (node if node.dims[1] == ONE else transpose(node),))
    return make("diagonal", (node,))


def apply(name: str, node: Node) -> Node:
    """An elementwise function, by the name of its operation."""
    return make(name, (node,))


def unspecified(name: str, order: int, node: Node) -> Node:
    """The derivative of the given order of an unspecified elementwise function, at `node`."""
    return make("unspecified", (node,), (name, order))


def entry(x: Node, i: Node, j: Node) -> Node:
    """x_{ij}."""
    if x.dims == SCALAR:
        return x
    return make("entry", (x, i, j))


def column(x: Node, j: Node) -> Node:
    """Column j of a matrix, as a column."""
    return x if x.dims[1] == ONE else make("column", (x, j))


def row(x: Node, i: Node) -> Node:
    """Row i of a matrix, as a row."""
    return x if x.dims[0] == ONE else make("row", (x, i))


def member(of: Node, i: Node) -> Node:
    """Member i of a family."""
    return make("member", (of, i))


def sum_over(body: Node, name: str, over: Range, condition: Node | None = None) -> Node:
    """The sum of `body` over the values of the index `name` for which the condition holds."""
    if body.op == "zeros" or body == number(0):
        return body
    return make("sum", (body, condition or number(1)), (name, over))


def substitute(root: Node, mapping: dict[Node, Node]) -> Node:
    """`root` with nodes replaced; what contains them is rebuilt by the constructors."""
    done: dict[Node, Node] = dict(mapping)
    indices = {str(k.data[0]) for k in mapping if k.op == "index"}
    arriving = frozenset().union(*(free_indices(v) for v in mapping.values())) if indices else frozenset()
    marks = reduce(or_, (k.marks for k in mapping), 0)
    anywhere = any(not k.marks and k.op != "index" for k in mapping)

    def visit(node: Node) -> Node:
        if node in done:
            return done[node]
        if not (node.marks & marks or node._free & indices or anywhere):
            return node
        if node.op == "sum" and node.data[0] in indices:
            inner = {k: v for k, v in mapping.items() if k.data[:1] != node.data[:1] or k.op != "index"}
            done[node] = substitute(node, inner) if inner else node
            return done[node]
        if node.op == "sum" and node.data[0] in arriving:
            return visit(_renamed(node, arriving))
        parts = tuple(visit(o) for o in node.operands)
        done[node] = node if parts == node.operands else rebuild(node, parts)
        return done[node]

    for part in landings(root, done):
        visit(part)
    return visit(root)


def _renamed(node: Node, taken: frozenset[str]) -> Node:
    """A sum with another name for its index, so that nothing put into it is captured."""
    old = str(node.data[0])
    used = taken | free_indices(node.operands[0]) | free_indices(node.operands[1])
    fresh = next(n for n in ("i", "j", "k", "l", "p", "q", "r", "s", "t", f"{old}'", f"{old}''") if n not in used)
    parts = tuple(substitute(o, {index(old, None): index(fresh, None)}) for o in node.operands)
    return make("sum", parts, (fresh, *node.data[1:]))


_CONSTRUCTORS: dict[str, Callable[..., Node]] = {
    "add": add, "product": product, "hadamard": hadamard, "transpose": transpose, "total": total,
    "diag": diag, "entry": entry, "column": column, "row": row,
}  # fmt: skip


def rebuild(node: Node, operands: tuple[Node, ...]) -> Node:
    """The same operation on other operands."""
    if node.op == "power":
        return power(operands[0], node.data[0])
    constructor = _CONSTRUCTORS.get(node.op)
    return constructor(*operands) if constructor else make(node.op, operands, node.data)
