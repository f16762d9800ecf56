"""Laws of entries, rows and columns: an index goes inside."""

from __future__ import annotations

from collections.abc import Callable

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices
from derive.expressions.order import renamed
from derive.operations.registry import record
from derive.rules.driver import rule
from derive.rules.examples import N, entry_of_x, index_k
from derive.rules.parts import chain_of, mentions, scalars_of
from derive.sizes import ONE, SCALAR, Range, Size


@rule("entry", example=lambda: (
    b.make("entry", (b.add(b.symbol("x", (N, ONE)), b.symbol("y", (N, ONE))), index_k(), b.number(1))),
    b.add(entry_of_x(), b.entry(b.symbol("y", (N, ONE)), index_k(), b.number(1))),
))  # fmt: skip
def entry_inside(e: Node) -> Node | None:
    r"""(a + b)_k = a_k + b_k, (s\, u v^\top)_{ij} = s\, u_i v_j, f(x)_k = f(x_k)"""
    x, i, j = e.operands
    if x.op == "transpose":
        return b.entry(x.operands[0], j, i)
    if x.op in ("row", "column"):
        return b.entry(x.operands[0], *((x.operands[1], j) if x.op == "row" else (i, x.operands[1])))
    if x.op == "product":
        return _entry_of_product(x, i, j)
    if x.op in ("ones", "eye", "onehot", "diag"):
        return _entry_of_special(x, i, j)
    if x.op == "sum":
        return _into_sum(x, (i, j), lambda body: b.entry(body, i, j))
    if record(x.op).elementwise and all(o.dims == x.dims for o in x.operands):
        pick = b.entry if x.op in ("add", "hadamard", "power") else _as_inner
        return b.rebuild(x, tuple(pick(o, i, j) for o in x.operands))
    return None


def _as_inner(x: Node, i: Node, j: Node) -> Node:
    """An entry that is the argument of a function: (A v)_i is the inner product of row i and v."""
    if x.op == "add":
        return b.add(*(b.product(b.entry(b.ones(x.dims), i, j), _as_inner(t, i, j)) for t in x.operands))
    chain = chain_of(x)
    if x.op != "product" or len(chain) < 2:
        return b.entry(x, i, j)
    if x.dims[1] == ONE:
        return b.product(*scalars_of(x), b.row(chain[0], i), *chain[1:])
    if x.dims[0] == ONE:
        return b.product(*scalars_of(x), *chain[:-1], b.column(chain[-1], j))
    return b.entry(x, i, j)


def _into_sum(x: Node, positions: tuple[Node, ...], pick: Callable[[Node], Node]) -> Node:
    """Σ of the parts instead of the part of the Σ; the bound index gets out of the way."""
    taken = frozenset().union(*(free_indices(p) for p in positions))
    if x.data[0] in taken:
        names = ("i", "j", "k", "l", "p", "q", "r", "s", "t")
        x = renamed(
            x, next(n for n in names if n not in taken | free_indices(x.operands[0]) | free_indices(x.operands[1]))
        )
    return b.make("sum", (pick(x.operands[0]), x.operands[1]), x.data)


def _entry_of_special(x: Node, i: Node, j: Node) -> Node:
    if x.op == "ones":
        return b.number(1)
    if x.op == "onehot":
        return b.make("index_equal", (i, x.operands[0]))
    same = b.make("index_equal", (i, j))
    return same if x.op == "eye" else b.product(same, b.entry(x.operands[0], i, b.number(1)))


def _entry_of_product(x: Node, i: Node, j: Node) -> Node | None:
    scalars, chain = scalars_of(x), chain_of(x)
    if len(chain) == 1:
        return b.product(*scalars, b.entry(chain[0], i, j))
    for cut in range(1, len(chain)):
        if chain[cut].dims[0] == ONE:
            left, right = b.product(*chain[:cut]), b.product(*chain[cut:])
            return b.product(*scalars, b.entry(left, i, b.number(1)), b.entry(right, b.number(1), j))
    if len(chain) == 2 and (chain[1].dims[1] == ONE or chain[0].dims[0] == ONE):
        return b.product(*scalars, _written_out(chain[0], chain[1], i, j))
    return None


def _written_out(a: Node, c: Node, i: Node, j: Node) -> Node:
    """(A x)_i as a sum, the vector's entry first."""
    name = next(
        n for n in ("i", "j", "k", "l", "p", "q", "r", "s", "t") if not any(mentions(z, n) for z in (a, c, i, j))
    )
    size = a.dims[1]
    k = b.index(name, None)
    first, second = b.entry(a, i, k), b.entry(c, k, j)
    ordered = (second, first) if c.dims[1] == ONE else (first, second)
    return b.sum_over(b.product(*ordered), name, Range(ONE, size))


@rule("row", "column", example=lambda: (
    b.make("row", (b.product(b.symbol("a", (N, ONE)), b.symbol("x", (ONE, Size.of("m")))), index_k())),
    b.product(b.entry(b.symbol("a", (N, ONE)), index_k(), b.number(1)), b.symbol("x", (ONE, Size.of("m")))),
))  # fmt: skip
def line_inside(e: Node) -> Node | None:
    r"""row k of a b^\top is a_k b^\top, column k of a b^\top is b_k a"""
    x, k = e.operands
    pick = b.row if e.op == "row" else b.column
    if x.op == "transpose":
        other = b.column if e.op == "row" else b.row
        return b.transpose(other(x.operands[0], k))
    if x.op == "product":
        return _line_of_product(x, k, e.op)
    if x.op == "sum":
        return _into_sum(x, (k,), lambda body: pick(body, k))
    if x.op == "ones":
        return b.ones(e.dims)
    if record(x.op).elementwise and all(o.dims == x.dims for o in x.operands):
        return b.rebuild(x, tuple(pick(o, k) for o in x.operands))
    return None


def _line_of_product(x: Node, k: Node, op: str) -> Node:
    scalars, chain = scalars_of(x), chain_of(x)
    if op == "row":
        first = chain[0]
        picked = b.entry(first, k, b.number(1)) if first.dims[1] == ONE else b.row(first, k)
        return b.product(*scalars, picked, *chain[1:])
    last = chain[-1]
    picked = b.entry(last, b.number(1), k) if last.dims[0] == ONE else b.column(last, k)
    return b.product(*scalars, *chain[:-1], picked)


def _slice() -> tuple[Node, Node]:
    body, s = b.symbol("x", (N + Size.of("m"), ONE)), b.symbol("s", SCALAR)
    cut = (0, Size.of(0), Size.of("m"))
    return b.make("block", (b.product(s, body),), cut), b.product(s, b.make("block", (body,), cut))


@rule("block", example=_slice)
def number_out_of_slice(e: Node) -> Node | None:
    r"""(s\, x)_{1:k} = s\, x_{1:k}"""
    body = e.operands[0]
    scalars = scalars_of(body) if body.op == "product" and body.dims != SCALAR else []
    if not scalars or e.dims == SCALAR:
        return None
    return b.product(*scalars, b.make("block", (b.product(*chain_of(body)),), e.data))
