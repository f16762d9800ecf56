"""Laws of sums over an index: Kronecker deltas pick, constants come out, weights sum to 1."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.rules.driver import rule
from derive.rules.examples import N, entry_of_x, index_k, index_q
from derive.rules.parts import chain_of, mentions, range_of, scalars_of, sums_to_one
from derive.sizes import ONE, SCALAR, Range, Size


@rule("index_equal", example=lambda: (b.make("index_equal", (index_k(), index_k())), b.number(1)))
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
    b.sum_over(b.product(b.make("index_equal", (index_k(), index_q())), entry_of_x()), "k", Range(ONE, N)),
    b.entry(b.symbol("x", (N, ONE)), index_q(), b.number(1)),
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
            if inside is not None and (over.covers(inside) or _within(inside, over)):
                rest = (
                    b.product(*(f for f in body.operands if f is not factor)) if body.op == "product" else b.number(1)
                )
                return b.substitute(rest, {mine: other})
    return None


def _within(inside: Range, over: Range) -> bool:
    """Whether a fixed position lies in a range of fixed length."""
    ends = [inside.lo.number, inside.hi.number, over.lo.number, over.hi.number]
    if None in ends[:3] or over.excluded:
        return False
    low, high, start, stop = ends
    return low >= start and ((stop is None and low == start == 1) or (stop is not None and high <= stop))  # type: ignore[operator]


@rule("sum", example=lambda: (
    b.sum_over(b.product(b.symbol("c", SCALAR), entry_of_x()), "k", Range(ONE, N)),
    b.product(b.symbol("c", SCALAR), b.sum_over(entry_of_x(), "k", Range(ONE, N))),
))  # fmt: skip
def constants_out_of_sum(e: Node) -> Node | None:
    r"""\sum_k c\, x_k = c \sum_k x_k for a number c, and \sum_{k=1}^{K} c = K c"""
    name, over = str(e.data[0]), e.data[1]
    body, condition = e.operands
    if condition.op == "number" and not mentions(body, name) and all(_inside(x, over) for x in over.excluded):
        return b.product(_count(over), body)
    outside = [f for f in scalars_of(body) if body.op == "product" and not mentions(f, name)]
    chain = chain_of(body) if body.op == "product" else []
    if chain and scalars_of(body) and not any(mentions(f, name) for f in chain):
        inside = b.product(*(f for f in scalars_of(body) if f not in outside))
        return b.product(*outside, b.make("sum", (inside, condition), e.data), *chain)
    if not outside:
        return None
    inside = b.product(*(f for f in body.operands if f not in outside))
    return b.product(*outside, b.make("sum", (inside, condition), e.data))


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
    b.sum_over(b.entry(b.symbol("y", (N, ONE), ("one-hot",)), index_k(), b.number(1)), "k", Range(ONE, N)), b.number(1)
))  # fmt: skip
def sum_of_all_entries(e: Node) -> Node | None:
    r"""\sum_k y_k = 1 where the entries of y sum to 1"""
    from derive.rules.lift import lift

    name, over = str(e.data[0]), e.data[1]
    if e.dims != SCALAR or e.operands[1].op != "number":
        return None
    whole = lift(e.operands[0], name, over)
    return b.number(1) if whole is not None and sums_to_one(whole) else None


@rule("sum", example=lambda: (
    b.sum_over(
        b.product(entry_of_x(), b.subtract(b.symbol("p", SCALAR), b.make("index_equal", (index_k(), index_q())))),
        "k",
        Range(ONE, N),
    ),
    b.subtract(
        b.product(b.symbol("p", SCALAR), b.sum_over(entry_of_x(), "k", Range(ONE, N))),
        b.entry(b.symbol("x", (N, ONE)), index_q(), b.number(1)),
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
