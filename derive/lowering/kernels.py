"""Operations that only lowered programs have: products of two, broadcasts, fused functions, array indexing.

A kernel has its meaning in NumPy alone; it is made by the passes of this folder, after which an expression
is not evaluated in any other way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, intern_node, landings, walk
from derive.operations.registry import record
from derive.sizes import ONE, SCALAR, Dims, Range, Size

BROADCAST_OR_FLAGS = frozenset(("fill", "rows", "columns", "positive", "is_zero"))


@dataclass(frozen=True, slots=True)
class Kernel:
    """The NumPy form of a lowered operation; `elementwise` ones broadcast their operands."""

    numpy: Callable[[Any, Node], str]
    elementwise: bool = False


def rank(dims: Dims) -> int:
    """The number of axes of the array that holds a value: rows and columns are both 1-D."""
    return sum(size != ONE for size in dims)


def kernel(op: str, operands: tuple[Node, ...], dims: Dims, data: tuple[Hashable, ...] = ()) -> Node:
    """A node of a lowered operation; its dimensions are the last of its data."""
    return intern_node(op, operands, (*data, dims), dims)


def rebuilt(node: Node, operands: tuple[Node, ...]) -> Node:
    """The same operation on other operands, simplified as the constructors do."""
    if operands == node.operands:
        return node
    if node.op in KERNELS:
        if node.op == "stacked":
            return stacked(operands[0], str(node.data[0]), node.data[1], node.dims)
        return intern_node(node.op, operands, node.data, node.dims)
    return b.rebuild(node, operands)


def elementwise(node: Node) -> bool:
    """Whether an operation acts entry by entry, so that its operands may broadcast."""
    if node.op in KERNELS:
        return KERNELS[node.op].elementwise
    return node.op == "product" or record(node.op).elementwise


def rewrite(root: Node, rule: Callable[[Node], Node | None], done: dict[Node, Node]) -> Node:
    """`root` with a rule applied bottom-up wherever it fires, until it fires nowhere; `done` is its memory."""
    for part in landings(root, done):
        _rewrite(part, rule, done)
    return _rewrite(root, rule, done)


def _rewrite(root: Node, rule: Callable[[Node], Node | None], done: dict[Node, Node]) -> Node:
    if root in done:
        return done[root]
    parts = tuple(_rewrite(o, rule, done) for o in root.operands)
    out = rebuilt(root, parts)
    changed = out if out.operands != parts or out.op != root.op else rule(out)
    if changed is not None and changed is not root:
        out = rewrite(changed, rule, done)
    done[root] = done[out] = out
    return out


# ---------------------------------------------------------------------------------------- products and sums


def matmul(a: Node, c: Node) -> Node:
    """A B for two factors; the inner product of a row and a column."""
    return kernel("matmul", (a, c), (a.dims[0], c.dims[1]))


def outer(a: Node, c: Node) -> Node:
    """a bᵀ, for a column and a row."""
    return kernel("outer", (a, c), (a.dims[0], c.dims[1]))


def lines(rows: list[Node]) -> Node:
    """The matrix with some rows."""
    return kernel("lines", tuple(rows), (Size.of(len(rows)), rows[0].dims[1]))


def sides(node: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]] | None:
    """The columns a, c, … and rows b, d, … of a product that is a bᵀ + c dᵀ + …"""
    left, right = node.operands
    if left.op != "transpose" or left.operands[0].op != "lines" or right.op != "lines":
        return None
    return left.operands[0].operands, right.operands


def vdot(a: Node, c: Node) -> Node:
    """The sum of all entries of A ∘ B."""
    return kernel("vdot", (a, c), SCALAR)


def row_sums(x: Node) -> Node:
    """A 1: the sums of the rows, as a column."""
    return kernel("row_sums", (x,), (x.dims[0], ONE))


def dots_rows(node: Node) -> bool:
    """Whether a value is (A ∘ B) 1, the inner products of the rows of two matrices."""
    if node.op != "row_sums" or node.operands[0].op != "hadamard":
        return False
    both = node.operands[0].operands
    return len(both) == 2 and all(rank(o.dims) == 2 and o.op not in BROADCAST_OR_FLAGS for o in both)


def column_sums(x: Node) -> Node:
    """1ᵀ A: the sums of the columns, as a row."""
    return kernel("column_sums", (x,), (ONE, x.dims[1]))


# ---------------------------------------------------------------------------------------------- broadcasts


def fill(x: Node, dims: Dims) -> Node:
    """A matrix or vector whose entries are all the number x."""
    return kernel("fill", (x,), dims)


def rows(x: Node, count: Size) -> Node:
    """The matrix whose rows are all x."""
    return kernel("rows", (x,), (count, x.dims[1]))


def columns(x: Node, count: Size) -> Node:
    """The matrix whose columns are all x."""
    return kernel("columns", (x,), (x.dims[0], count))


# ----------------------------------------------------------------------------------------------- indexing


def counts(count: Size) -> Node:
    """The indices 1..n, as an array of integers."""
    return kernel("counts", (), (count, ONE), (count,))


def pick(x: Node, i: Node, j: Node, dims: Dims) -> Node:
    """The entries of x at arrays of indices."""
    return kernel("pick", (x, i, j), dims)


def take(x: Node, i: Node, dims: Dims) -> Node:
    """The rows of x at an array of indices."""
    return kernel("take", (x, i), dims)


def compared(op: str, i: Node, j: Node, dims: Dims) -> Node:
    """1 where indices are equal (op index_equal) or increase (op index_less), for arrays of indices."""
    return kernel("compared", (i, j), dims, (op,))


def numbers(over: Range, count: Size) -> Node:
    """The values of an index as numbers."""
    return kernel("numbers", (), (count, ONE), (over,))


def stacked(body: Node, name: str, over: Range, dims: Dims) -> Node:
    """The members of a definition, one for each value of its index, along a new first axis."""
    node = kernel("stacked", (body,), dims, (name, over))
    node._free = free_indices(body) - {name}
    return node


def count_of(over: Range) -> Size:
    """The number of values in a range, whose exclusions lie within it."""
    return over.hi - over.lo + 1 - len(over.excluded)


def position(i: Node, over: Range) -> Node:
    """The place, counted from 1, of the value i in a range."""
    skipped = (b.make("index_less", (b.size_number(e), i)) for e in over.excluded)
    return b.add(i, b.size_number(Size.of(1) - over.lo), *(b.negate(s) for s in skipped))


# ------------------------------------------------------------------------------------------------ printing


def _call(name: str) -> Callable[[Any, Node], str]:
    return lambda p, n: f"{name}({', '.join(p(o) for o in n.operands)})"


def _out(p: Any, n: Node) -> str:
    return f", out={p(n.operands[0])}" if n.data[0] else ""


def _result(p: Any, n: Node) -> str:
    values = [p.returned(o) for o in n.operands]
    lines = [f"{p.text(str(key))}: {value}," for key, value in zip(n.data[:-1], values[1:], strict=True)]
    inside = "".join(f"\n        {line}" for line in lines)
    if p.compiled:
        return f"{', '.join(values)},"
    return f"{values[0]}, {{{inside}\n    }}" if lines else f"{values[0]}, {{}}"


KERNELS: dict[str, Kernel] = {
    "matmul": Kernel(lambda p, n: p.matmul(n)),
    "outer": Kernel(lambda p, n: p.outer(n)),
    "lines": Kernel(lambda p, n: f"np.array([{', '.join(p(o) for o in n.operands)}])"),
    "vdot": Kernel(_call("np.vdot")),
    "row_sums": Kernel(lambda p, n: p.row_sums(n)),
    "column_sums": Kernel(lambda p, n: p.column_sums(n)),
    "fill": Kernel(lambda p, n: p.broadcast(n)),
    "rows": Kernel(lambda p, n: p.broadcast(n)),
    "columns": Kernel(lambda p, n: p.broadcast(n)),
    "counts": Kernel(lambda p, n: f"np.arange(1, {p.size(n.data[0] + 1)})"),
    "pick": Kernel(lambda p, n: p.entry(n)),
    "take": Kernel(lambda p, n: f"{p(n.operands[0], 100)}[{p.position(n.operands[1])}]"),
    "compared": Kernel(lambda p, n: p.compared(n)),
    "onehots": Kernel(lambda p, n: p.onehot(n)),
    "numbers": Kernel(lambda p, n: p.numbers(n)),
    "stacked": Kernel(lambda p, n: p.stacked(n)),
    "top": Kernel(lambda p, n: f"{p(n.operands[0], 100)}.argmax({'axis=1' if n.dims != SCALAR else ''})"),
    "peak": Kernel(lambda p, n: p.peak(n)),
    "others": Kernel(_call("sum_of_others")),
    "error": Kernel(lambda p, n: f"softmax_error({', '.join(p(o) for o in n.operands)}{_out(p, n)})"),
    "into": Kernel(lambda p, n: p.into(n), elementwise=True),
    "product_into": Kernel(lambda p, n: f"product_into({', '.join(map(p, n.operands))}, {n.data[0]})"),
    "onto": Kernel(lambda p, n: f"np.{n.data[0]}({', '.join(map(p, n.operands))}, out={n.data[1]})", elementwise=True),
    "falling": Kernel(_call("falling")),
    "tail": Kernel(_call("tail")),
    "tanh_slope": Kernel(_call("tanh_slope")),
    "tanh_slopes": Kernel(_call("tanh_slopes")),
    "cosh_squared": Kernel(_call("cosh_squared")),
    "turned": Kernel(lambda p, n: f"{p(n.operands[0], 100)}.T"),
    "pair": Kernel(lambda p, n: p.pair(n), elementwise=True),
    "scaled": Kernel(lambda p, n: p.product(n), elementwise=True),
    "shifted": Kernel(lambda p, n: p.shifted(n), elementwise=True),
    "log1p": Kernel(_call("np.log1p"), elementwise=True),
    "xlogy": Kernel(_call("xlogy"), elementwise=True),
    "ratio": Kernel(_call("ratio"), elementwise=True),
    "log_sum_exp_rows": Kernel(_call("log_sum_exp")),
    "measured": Kernel(lambda p, n: p.measured(n)),
    "common_dtype": Kernel(lambda p, n: p.common_dtype(n)),
    "one_dtype": Kernel(lambda p, n: f"of_one_dtype({', '.join(map(str, n.data[:-1]))})"),
    "text": Kernel(lambda p, n: str(n.data[0])),
    "parts": Kernel(lambda p, n: ", ".join(map(p, n.operands)) + "," * (len(n.operands) == 1)),
    "result": Kernel(_result),
}


def nodes_in_order(roots: Iterator[Node]) -> Iterator[Node]:
    """Every distinct node below some roots, operands first."""
    seen = set[Node]()
    for root in roots:
        for node in walk(root, seen):
            seen.add(node)
            yield node
