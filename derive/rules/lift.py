"""From entries to vectors: the vector whose k-th entry is a given expression.

`\\sum_k y_k \\log p_k` becomes `y^\\top \\log p` before it is differentiated, so that gradients come out in
matrix form.  What cannot be lifted stays a sum over its index, which is differentiated as it is.
"""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.operations.registry import record
from derive.rules.parts import chain_of, scalars_of
from derive.sizes import ONE, SCALAR, Range, Size


def lift(node: Node, name: str, over: Range) -> Node | None:
    """The column whose entry number `name` is a scalar expression; None where there is no such column.

    The range must be the whole of a dimension: 1..n without exclusions.
    """
    if over.lo != ONE or over.excluded or node.dims != SCALAR:
        return None
    return _lift(node, name, over.hi)


def _depends(node: Node, name: str) -> bool:
    from derive.rules.parts import mentions

    return mentions(node, name)


def _is_index(node: Node, name: str) -> bool:
    return node.op == "index" and node.data[0] == name


def _lift(node: Node, name: str, size: Size) -> Node | None:
    if not _depends(node, name):
        return b.product(node, b.ones((size, ONE)))
    if node.op == "entry":
        return _entry(node, name, size)
    if node.op == "product":
        return _product(node, name, size)
    if record(node.op).elementwise:
        parts = [_lift(o, name, size) for o in node.operands]
        if any(p is None for p in parts):
            return None
        return b.rebuild(node, tuple(p for p in parts if p is not None))
    return None


def _entry(node: Node, name: str, size: Size) -> Node | None:
    x, i, j = node.operands
    if _depends(x, name):
        return None
    if _is_index(i, name) and x.dims[0] == size and not _depends(j, name):
        return x if x.dims[1] == ONE else b.column(x, j)
    if _is_index(j, name) and x.dims[1] == size and not _depends(i, name):
        return b.transpose(x) if x.dims[0] == ONE else b.transpose(b.row(x, i))
    return None


def _product(node: Node, name: str, size: Size) -> Node | None:
    scalars, chain = scalars_of(node), chain_of(node)
    fixed = [s for s in scalars if not _depends(s, name)]
    parts = [_lift(s, name, size) for s in scalars if _depends(s, name)]
    if chain and any(_depends(c, name) for c in chain):
        parts.append(_inner(chain, name, size))
    elif chain:
        fixed.append(b.product(*chain))
    if any(p is None for p in parts):
        return None
    return b.product(*fixed, b.hadamard(*(p for p in parts if p is not None)))


def _inner(chain: list[Node], name: str, size: Size) -> Node | None:
    """w^\\top x_k for the rows (columns) x_k of a matrix: the column X w."""
    whole = [_stacked(c, name, size) for c in chain]
    moving = [k for k, c in enumerate(chain) if _depends(c, name)]
    if len(moving) != 1 or whole[moving[0]] is None:
        return None
    rows = whole[moving[0]]
    assert rows is not None
    at = moving[0]
    if at == 0:
        return b.product(rows, *chain[1:])
    if at == len(chain) - 1:
        return b.product(rows, *(b.transpose(c) for c in reversed(chain[:-1])))
    return None


def _stacked(node: Node, name: str, size: Size) -> Node | None:
    """The matrix whose rows are a row or column that depends on the index."""
    if node.op == "transpose":
        return _stacked(node.operands[0], name, size)
    if node.op == "row" and _is_index(node.operands[1], name) and not _depends(node.operands[0], name):
        return node.operands[0] if node.operands[0].dims[0] == size else None
    if node.op == "column" and _is_index(node.operands[1], name) and not _depends(node.operands[0], name):
        return b.transpose(node.operands[0]) if node.operands[0].dims[1] == size else None
    return None


def vectorise(root: Node) -> Node:
    """An expression with every sum over the entries of vectors written as a product of vectors."""
    done: dict[Node, Node] = {}

    def visit(node: Node) -> Node:
        if node not in done:
            twice = _whole_sum(node) if node.op == "sum" and node.operands[0].op == "sum" else None
            parts = tuple(visit(o) for o in node.operands)
            out = node if parts == node.operands else b.rebuild(node, parts)
            done[node] = twice or _whole_sum(out) or out
        return done[node]

    return visit(root)


def _whole_sum(node: Node) -> Node | None:
    if node.op != "sum" or node.operands[1].op != "number" or node.dims != SCALAR:
        return None
    body = node.operands[0]
    if body.op == "sum" and body.operands[1].op == "number":
        return _double_sum(node, body)
    whole = lift(body, str(node.data[0]), node.data[1])
    return None if whole is None else b.total(whole)


def _double_sum(outer: Node, inner: Node) -> Node | None:
    """Sums over the rows and columns of matrices."""
    i, j = (b.index(str(n.data[0]), None) for n in (outer, inner))
    ranges = [outer.data[1], inner.data[1]]
    if any(r.lo != ONE or r.excluded for r in ranges):
        return None
    dims = (ranges[0].hi, ranges[1].hi)
    whole = _lift_matrix(inner.operands[0], i, j, dims)
    return None if whole is None else b.total(whole)


def _lift_matrix(node: Node, i: Node, j: Node, dims: tuple[Size, Size]) -> Node | None:
    first, second = str(i.data[0]), str(j.data[0])
    if not _depends(node, first) and not _depends(node, second):
        return b.product(node, b.ones(dims))
    if node.op == "entry" and not any(_depends(node.operands[0], n) for n in (first, second)):
        return _matrix_entry(node, i, j, dims)
    if record(node.op).elementwise or (node.op == "product" and not chain_of(node)):
        parts = [_lift_matrix(o, i, j, dims) for o in node.operands]
        if any(p is None for p in parts):
            return None
        known = tuple(p for p in parts if p is not None)
        return b.hadamard(*known) if node.op == "product" else b.rebuild(node, known)
    return None


def _matrix_entry(node: Node, i: Node, j: Node, dims: tuple[Size, Size]) -> Node | None:
    x, row, column = node.operands
    if (row, column) == (i, j) and x.dims == dims:
        return x
    if (row, column) == (j, i) and x.dims == dims[::-1]:
        return b.transpose(x)
    if row == i and x.dims == (dims[0], ONE):
        return b.broadcast(x, dims)
    if row == j and x.dims == (dims[1], ONE):
        return b.broadcast(b.transpose(x), dims)
    return None
