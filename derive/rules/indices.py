"""Laws of sums over an index, Kronecker deltas, entries, rows and columns."""

from __future__ import annotations

from collections.abc import Callable

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.expressions.order import renamed, same
from derive.operations.registry import record
from derive.rules.algebra import chain_of, common_factor, scalars_of, sums_to_one
from derive.rules.driver import rule
from derive.sizes import ONE, SCALAR, Range, Size

_N = Size.of("n")


def _k() -> Node:
    return b.index("k", None)


def _entry_of_x() -> Node:
    return b.entry(b.symbol("x", (_N, ONE)), _k(), b.number(1))


def mentions(node: Node, name: str) -> bool:
    """Whether an expression depends on an index (one that it binds itself does not count)."""
    return name in free_indices(node)


def range_of(node: Node) -> Range | None:
    """The range of an index, where it is known."""
    if node.op == "index":
        return node.data[1]  # type: ignore[return-value]
    if node.op == "member" and node.operands[0].op == "index_family":
        return node.operands[0].data[1]  # type: ignore[return-value]
    if node.op == "number":
        value = Size.of(int(node.data[0]))  # type: ignore[call-overload]
        return Range(value, value)
    return None


@rule("index_equal", example=lambda: (b.make("index_equal", (_k(), _k())), b.number(1)))
def equal_to_itself(e: Node) -> Node | None:
    r"""\mathbb{1}\{k = k\} = 1"""
    i, j = e.operands
    if i == j:
        return b.number(1)
    if i.op == j.op == "number":
        return b.number(0)
    return b.make("index_equal", (j, i)) if _place(j) < _place(i) else None


def _place(node: Node) -> tuple[int, str]:
    """Which side of an equality an index is written on: looked-up words, then free indices, then fixed ones."""
    if node.op == "member":
        return 0, ""
    if node.op == "index":
        return (1 if node.data[1] is None else 2), str(node.data[0])
    return 3, ""


@rule("sum", example=lambda: (
    b.sum_over(b.product(b.make("index_equal", (_k(), b.index("q", Range(ONE, _N)))), _entry_of_x()), "k", Range(ONE, _N)),
    b.entry(b.symbol("x", (_N, ONE)), b.index("q", Range(ONE, _N)), b.number(1)),
))  # fmt: skip
def kronecker_picks(e: Node) -> Node | None:
    r"""\sum_k \mathbb{1}\{k = q\}\, x_k = x_q where q lies in the range of k"""
    name, over = str(e.data[0]), e.data[1]
    body, condition = e.operands
    if condition.op != "number":
        return None
    for factor in scalars_of(body):
        if factor.op != "index_equal":
            continue
        for mine, other in (factor.operands, factor.operands[::-1]):
            inside = range_of(other)
            if mine.op != "index" or mine.data[0] != name or mentions(other, name):
                continue
            if inside is not None and (over.covers(inside) or _within(inside, over)):  # type: ignore[union-attr, arg-type]
                rest = b.product(*(f for f in body.operands if f is not factor)) if body.op == "product" else b.number(1)
                return b.substitute(rest, {mine: other})
    return None


def _within(inside: Range, over: Range) -> bool:
    """Whether a fixed position lies in a range of fixed length."""
    ends = [inside.lo.number, inside.hi.number, over.lo.number, over.hi.number]
    if None in ends[:3] or over.excluded:
        return False
    low, high, start, stop = ends
    return low >= start and (stop is None and low == start == 1 or stop is not None and high <= stop)  # type: ignore[operator]


def _inside(excluded: Size, over: Range) -> bool:
    """Whether an excluded value lies in a range for all sizes."""
    gaps = (excluded - over.lo, over.hi - excluded)
    return all(c > 0 for gap in gaps for _, c in gap.terms)


def _count(over: Range) -> Node:
    """The number of values of a range, as a number."""
    size = over.hi - over.lo + 1 - len(over.excluded)
    if len(size.terms) == 1 and size.terms[0][0]:
        monomial, coefficient = size.terms[0]
        return b.product(b.number(coefficient), *(b.size_number(Size.of(n)) for n in monomial))
    return b.size_number(size)


@rule("sum", example=lambda: (
    b.sum_over(b.product(b.symbol("c", SCALAR), _entry_of_x()), "k", Range(ONE, _N)),
    b.product(b.symbol("c", SCALAR), b.sum_over(_entry_of_x(), "k", Range(ONE, _N))),
))  # fmt: skip
def constants_out_of_sum(e: Node) -> Node | None:
    r"""\sum_k c\, x_k = c \sum_k x_k for a number c, and \sum_{k=1}^{K} c = K c"""
    name, over = str(e.data[0]), e.data[1]
    body, condition = e.operands
    if condition.op == "number" and not mentions(body, name) and all(_inside(x, over) for x in over.excluded):  # type: ignore[union-attr, arg-type]
        return b.product(_count(over), body)  # type: ignore[arg-type]
    outside = [f for f in scalars_of(body) if body.op == "product" and not mentions(f, name)]
    chain = chain_of(body) if body.op == "product" else []
    if chain and scalars_of(body) and not any(mentions(f, name) for f in chain):
        inside = b.product(*(f for f in scalars_of(body) if f not in outside))
        return b.product(*outside, b.make("sum", (inside, condition), e.data), *chain)
    if not outside:
        return None
    inside = b.product(*(f for f in body.operands if f not in outside))
    return b.product(*outside, b.make("sum", (inside, condition), e.data))


@rule("sum", example=lambda: (
    b.sum_over(b.entry(b.symbol("y", (_N, ONE), ("one-hot",)), _k(), b.number(1)), "k", Range(ONE, _N)), b.number(1)
))  # fmt: skip
def sum_of_all_entries(e: Node) -> Node | None:
    r"""\sum_k y_k = 1 where the entries of y sum to 1"""
    from derive.rules.lift import lift

    name, over = str(e.data[0]), e.data[1]
    if e.dims != SCALAR or e.operands[1].op != "number":
        return None
    whole = lift(e.operands[0], name, over)  # type: ignore[arg-type]
    return b.number(1) if whole is not None and sums_to_one(whole) else None


@rule("sum", example=lambda: (
    b.sum_over(
        b.product(_entry_of_x(), b.subtract(b.symbol("p", SCALAR), b.make("index_equal", (_k(), b.index("q", Range(ONE, _N)))))),
        "k",
        Range(ONE, _N),
    ),
    b.subtract(
        b.product(b.symbol("p", SCALAR), b.sum_over(_entry_of_x(), "k", Range(ONE, _N))),
        b.entry(b.symbol("x", (_N, ONE)), b.index("q", Range(ONE, _N)), b.number(1)),
    ),
))  # fmt: skip
def split_sum(e: Node) -> Node | None:
    r"""\sum_k x_k (p - \mathbb{1}\{k = q\}) = p \sum_k x_k - x_q, and \sum_k (c + x_k) = K c + \sum_k x_k"""
    body, condition = e.operands
    name = str(e.data[0])
    if condition.op != "number" or body.op not in ("add", "product"):
        return None
    wide = _over_deltas(body, name)
    if wide.op != "add":
        return None
    parts = [b.make("sum", (term, condition), e.data) for term in wide.operands]
    if any(_settles(p, t, name) for p, t in zip(parts, wide.operands, strict=True)):
        return b.add(*parts)
    return None


def _settles(part: Node, term: Node, name: str) -> bool:
    """Whether a sum of one term comes to an end: a delta picks, nothing varies, or the weights sum to 1."""
    if kronecker_picks(part) is not None or not mentions(term, name):
        return True
    moving = [f for f in (term.operands if term.op == "product" else (term,)) if mentions(f, name)]
    return len(moving) == 1 and moving[0].op == "entry" and sums_to_one(moving[0].operands[0])


def _over_deltas(body: Node, name: str) -> Node:
    """The body with a sum multiplied out that has a Kronecker delta of the index among its terms."""
    if body.op == "add":
        return b.add(*(_over_deltas(t, name) for t in body.operands))
    if body.op != "product":
        return body
    for k, factor in enumerate(body.operands):
        if factor.op == "add" and (any(_has_delta(t, name) for t in factor.operands) or _weights(body, factor, name)):
            before, after = body.operands[:k], body.operands[k + 1 :]
            return b.add(*(_over_deltas(b.product(*before, t, *after), name) for t in factor.operands))
    return body


def _weights(body: Node, factor: Node, name: str) -> bool:
    """Whether the other factors are weights of sum 1 and a term does not depend on the index."""
    rest = [f for f in body.operands if f is not factor]
    if len(rest) != 1 or rest[0].op != "entry" or all(mentions(t, name) for t in factor.operands):
        return False
    return sums_to_one(rest[0].operands[0]) and not mentions(rest[0].operands[0], name)


def _has_delta(term: Node, name: str) -> bool:
    return any(f.op == "index_equal" and mentions(f, name) for f in scalars_of(term))


@rule("product", example=lambda: (
    b.product(
        b.power(b.sum_over(_entry_of_x(), "k", Range(ONE, _N)), -1),
        b.sum_over(b.entry(b.symbol("x", (_N, ONE)), b.index("j", None), b.number(1)), "j", Range(ONE, _N)),
    ),
    b.number(1),
))  # fmt: skip
def sums_alike(e: Node) -> Node | None:
    r"""\sum_k x_k and \sum_j x_j are the same sum"""
    sums = [b.base_and_exponent(f)[0] for f in scalars_of(e)]
    sums = [f for f in sums if f.op == "sum"]
    for one in sums:
        for other in sums:
            if one is not other and same(one, other):
                parts = [b.power(one, b.base_and_exponent(f)[1]) if b.base_and_exponent(f)[0] is other else f for f in e.operands]
                return b.product(*parts)
    return None


@rule("add", example=lambda: (
    b.subtract(
        b.sum_over(b.product(_weight(), b.member(_family(), _k())), "k", Range(ONE, Size.of("K"))),
        b.sum_over(b.member(_family(), b.index("j", None)), "j", Range(ONE, Size.of("K"))),
    ),
    b.sum_over(b.product(b.subtract(_weight(), b.number(1)), b.member(_family(), _k())), "k", Range(ONE, Size.of("K"))),
))  # fmt: skip
def sums_merged(e: Node) -> Node | None:
    r"""\sum_j p_j w_j - \sum_k y_k w_k = \sum_k (p_k - y_k) w_k"""
    split = [b.split_number(t) for t in e.operands]
    sums = [(k, v, rest) for k, (v, rest) in enumerate(split) if rest.op == "sum" and rest.operands[1].op == "number"]
    for at, (k, v, one) in enumerate(sums):
        for m, w, other in sums[at + 1 :]:
            if one.data[1] != other.data[1] or one.data[0] in free_indices(other):
                continue
            body = b.add(b.scale(v, one.operands[0]), b.scale(w, renamed(other, str(one.data[0])).operands[0]))
            joined = common_factor(body) if body.op == "add" else body
            if joined is not None:
                rest = [t for i, t in enumerate(e.operands) if i not in (k, m)]
                return b.add(b.make("sum", (joined, one.operands[1]), one.data), *rest)
    return None


@rule("sum", example=lambda: (
    b.sum_over(b.product(b.onehot(_k(), _N), b.row(b.symbol("A", (_N, Size.of("m"))), _k())), "k", Range(ONE, _N)),
    b.symbol("A", (_N, Size.of("m"))),
))  # fmt: skip
def lines_assembled(e: Node) -> Node | None:
    r"""\sum_k \mathbf{e}_k A_{k\cdot} = A, and \sum_k \mathbf{e}_k x^\top = \mathbf{1} x^\top"""
    body, condition = e.operands
    over = e.data[1]
    if condition.op != "number" or body.op != "product" or len(chain_of(body)) != 2 or scalars_of(body):
        return None
    left, right = chain_of(body)
    name = str(e.data[0])
    if left.op == "onehot" and left.operands[0] == b.index(name, None) and not mentions(right, name):
        return b.product(b.ones(left.dims), right) if over == Range(ONE, left.dims[0]) else None
    for unit, line in ((left, right), (b.transpose(right), b.transpose(left))):
        if unit.op == "onehot" and line.op == "row" and unit.operands[0] == line.operands[1]:
            whole = line.operands[0]
            mine = unit.operands[0].op == "index" and unit.operands[0].data[0] == e.data[0]
            if mine and not mentions(whole, str(e.data[0])) and over == Range(ONE, whole.dims[0]):
                return whole if unit is left else b.transpose(whole)
    return None


@rule("hadamard", "product", example=lambda: (
    b.hadamard(b.symbol("x", (_N, ONE)), b.sum_over(
        b.hadamard(b.member(_family(), _k()), b.power(b.symbol("x", (_N, ONE)), -1)), "k", Range(ONE, Size.of("K")))),
    b.sum_over(b.member(_family(), _k()), "k", Range(ONE, Size.of("K"))),
))  # fmt: skip
def cancel_inside_sum(e: Node) -> Node | None:
    r"""x \circ \sum_k (a_k \oslash x) = \sum_k a_k, and x^\top \sum_k (a_k \oslash x) = \sum_k \mathbf{1}^\top a_k"""
    for k, factor in enumerate(e.operands):
        if factor.op != "sum" or factor.dims == SCALAR:
            continue
        near = [f for f in (e.operands if e.op == "hadamard" else e.operands[max(k - 1, 0) : k]) if f is not factor]
        plain = {f.operands[0] if f.op == "transpose" else f for f in near if f.dims != SCALAR}
        if not plain or not (plain & _below(factor.operands[0]) or any(p.op == "onehot" for p in walk(factor.operands[0]))):
            continue
        inner = factor if not mentions(b.add(*plain), str(factor.data[0])) else None
        if inner is None:
            continue
        moved = b.hadamard(*near, inner.operands[0]) if e.op == "hadamard" else b.product(*near, inner.operands[0])
        whole = b.make("sum", (moved, inner.operands[1]), inner.data)
        rest = [f for f in e.operands if f is not factor and f not in near]
        return whole if e.op == "hadamard" else b.product(*rest[: max(k - 1, 0)], whole, *rest[max(k - 1, 0) :])
    return None


def _weight() -> Node:
    return b.entry(b.symbol("p", (Size.of("K"), ONE)), _k(), b.number(1))


def _family() -> Node:
    return b.family("a_k", (_N, ONE), Range(ONE, Size.of("K")), (), "k")


def _below(node: Node) -> set[Node]:
    """What stands below the line in an elementwise product."""
    parts = [p for f in (node.operands if node.op == "product" else (node,)) for p in (f.operands if f.op == "hadamard" else (f,))]
    return {base for base, exponent in map(b.base_and_exponent, parts) if exponent < 0}


# ------------------------------------------------------------------------------- entries, rows and columns


@rule("entry", example=lambda: (
    b.make("entry", (b.add(b.symbol("x", (_N, ONE)), b.symbol("y", (_N, ONE))), _k(), b.number(1))),
    b.add(_entry_of_x(), b.entry(b.symbol("y", (_N, ONE)), _k(), b.number(1))),
))  # fmt: skip
def entry_inside(e: Node) -> Node | None:
    r"""(a + b)_k = a_k + b_k, (s\, u v^\top)_{ij} = s\, u_i v_j, f(x)_k = f(x_k)"""
    x, i, j = e.operands
    if x.op == "transpose":
        return b.entry(x.operands[0], j, i)
    if x.op == "product":
        return _entry_of_product(x, i, j)
    if x.op in ("ones", "eye", "onehot", "diag"):
        return _entry_of_special(x, i, j)
    if x.op == "sum":
        return _into_sum(x, (i, j), lambda body: b.entry(body, i, j))
    if record(x.op).elementwise and all(o.dims == x.dims for o in x.operands):
        return b.rebuild(x, tuple(b.entry(o, i, j) for o in x.operands))
    return None


def _into_sum(x: Node, positions: tuple[Node, ...], pick: Callable[[Node], Node]) -> Node:
    """Σ of the parts instead of the part of the Σ; the bound index gets out of the way."""
    taken = frozenset().union(*(free_indices(p) for p in positions))
    if x.data[0] in taken:
        names = ("i", "j", "k", "l", "p", "q", "r", "s", "t")
        x = renamed(x, next(n for n in names if n not in taken | free_indices(x.operands[0]) | free_indices(x.operands[1])))
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
    name = next(n for n in ("i", "j", "k", "l", "p", "q", "r", "s", "t") if not any(mentions(z, n) for z in (a, c, i, j)))
    size = a.dims[1]
    k = b.index(name, None)
    first, second = b.entry(a, i, k), b.entry(c, k, j)
    ordered = (second, first) if c.dims[1] == ONE else (first, second)
    return b.sum_over(b.product(*ordered), name, Range(ONE, size))


@rule("row", "column", example=lambda: (
    b.make("row", (b.product(b.symbol("a", (_N, ONE)), b.symbol("x", (ONE, Size.of("m")))), _k())),
    b.product(b.entry(b.symbol("a", (_N, ONE)), _k(), b.number(1)), b.symbol("x", (ONE, Size.of("m")))),
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
