"""Laws of sums of entries: what cancels inside an inner product, what sums to 1."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.rules.driver import rule
from derive.rules.examples import M, N, column, matrix
from derive.rules.parts import chain_of, scalars_of, sums_to_one
from derive.rules.parts import properties as _properties
from derive.sizes import ONE, SCALAR


@rule("product", example=lambda: (
    b.product(b.transpose(column("a")), b.hadamard(column("b"), b.power(column("a"), -1))), b.total(column("b"))
))  # fmt: skip
def cancel_inside_inner(e: Node) -> Node | None:
    r"""a^\top (b \oslash a) = \mathbf{1}^\top b"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if left.dims[0] != ONE or right.dims[1] != ONE or SCALAR in (left.dims, right.dims):
            continue
        for one, other in ((b.transpose(left), right), (left, b.transpose(right))):
            if _cancels(one, other):
                return b.product(*e.operands[:k], b.total(b.hadamard(one, other)), *e.operands[k + 2 :])
    return None


def _cancels(x: Node, y: Node) -> bool:
    """Whether a factor of one stands below in the other."""
    powers: dict[Node, set[bool]] = {}
    for whole in (x, y):
        chain = chain_of(whole)
        whole = chain[0] if len(chain) == 1 else whole
        for factor in whole.operands if whole.op == "hadamard" else (whole,):
            base, exponent = b.base_and_exponent(factor)
            powers.setdefault(base, set()).add(exponent > 0)
    return any(len(signs) == 2 for signs in powers.values())


@rule("total", example=lambda: (b.make("total", (b.symbol("y", (N, ONE), ("one-hot",)),)), b.number(1)))
def total_of_distribution(e: Node) -> Node | None:
    r"""\mathbf{1}^\top y = 1 where the entries of y sum to 1"""
    body = e.operands[0]
    body = body.operands[0] if body.op == "transpose" else body
    return b.number(1) if ONE in body.dims and sums_to_one(body) else None


@rule("product", example=lambda: (
    b.product(b.symbol("Y", (N, M), ("one-hot rows",)), b.ones((M, ONE))), b.ones((N, ONE))
))  # fmt: skip
def rows_sum_to_one(e: Node) -> Node | None:
    r"""Y \mathbf{1} = \mathbf{1} where each row of Y sums to 1"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        rows = left.op == "softmax" or {"one-hot rows", "distribution rows"} & set(_properties(left))
        if right.op == "ones" and rows and ONE not in left.dims and right.dims[1] == ONE:
            return b.product(*e.operands[:k], b.ones((left.dims[0], ONE)), *e.operands[k + 2 :])
        if right.op == "ones" and right.dims[0] == ONE and left.op == "ones" and left.dims[1] == ONE:
            return b.product(*e.operands[:k], b.ones((left.dims[0], right.dims[1])), *e.operands[k + 2 :])
    return None


@rule("total", example=lambda: (
    b.make("total", (b.add(b.symbol("y", (N, ONE), ("one-hot",)), b.negate(column("x"))),)),
    b.subtract(b.number(1), b.total(column("x"))),
))  # fmt: skip
def total_of_sum(e: Node) -> Node | None:
    r"""\mathbf{1}^\top (y - x) = 1 - \mathbf{1}^\top x where the entries of y sum to 1"""
    body = e.operands[0]
    if body.op != "add" or ONE not in body.dims:
        return None
    plain = [b.product(*chain_of(t)) if t.dims != SCALAR else t for t in body.operands]
    known = [t for t in plain if sums_to_one(t) or t.op == "ones"]
    return b.add(*(b.total(t) for t in body.operands)) if known else None


@rule("product", example=lambda: (
    b.product(b.ones((ONE, N)), b.ones((N, M))), b.product(b.size_number(N), b.ones((ONE, M)))
))  # fmt: skip
def ones_times_ones(e: Node) -> Node | None:
    r"""\mathbf{1}^\top \mathbf{1} \mathbf{1}^\top = n\, \mathbf{1}^\top"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if left.op == right.op == "ones" and left.dims[1] != ONE:
            many = b.product(b.size_number(left.dims[1]), b.ones((left.dims[0], right.dims[1])))
            return b.product(*e.operands[:k], many, *e.operands[k + 2 :])
    return None


@rule("product", example=lambda: (b.product(b.ones((ONE, N)), column("x")), b.total(column("x"))))
def ones_sum(e: Node) -> Node | None:
    r"""\mathbf{1}^\top x is the sum of the entries of x"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if left.op == "ones" and left.dims[0] == ONE and right.dims[1] == ONE and right.dims != SCALAR:
            return b.product(*e.operands[:k], b.total(right), *e.operands[k + 2 :])
        if right.op == "ones" and right.dims[1] == ONE and left.dims[0] == ONE and left.dims != SCALAR:
            return b.product(*e.operands[:k], b.total(left), *e.operands[k + 2 :])
    return None


@rule("total", example=lambda: (
    b.make("total", (b.hadamard(column("a"), column("b")),)), b.inner(column("a"), column("b"))
))  # fmt: skip
def total_is_inner(e: Node) -> Node | None:
    r"""\mathbf{1}^\top (a \circ b) = a^\top b for vectors"""
    body = e.operands[0]
    if body.op != "hadamard" or ONE not in body.dims:
        return None
    first, *rest = body.operands
    return b.inner(first, b.hadamard(*rest))


@rule("product", example=lambda: (
    b.product(column("p"), b.transpose(column("p")), column("v")),
    b.product(b.inner(column("p"), column("v")), column("p")),
))  # fmt: skip
def inner_product_in_front(e: Node) -> Node | None:
    r"""p p^\top v = (p^\top v)\, p: an inner product inside a chain is a number"""
    chain = chain_of(e)
    if e.dims == SCALAR:
        return None
    for start, left in enumerate(chain):
        if left.dims[0] != ONE:
            continue
        for end in range(start + 1, len(chain) + 1):
            if chain[end - 1].dims[1] == ONE:
                inner = b.product(*chain[start:end])
                return b.product(*scalars_of(e), inner, *chain[:start], *chain[end:])
    return None


@rule("total", example=lambda: (
    b.make("total", (b.hadamard(matrix("A"), matrix("B")),)),
    b.make("trace", (b.product(b.transpose(matrix("B")), matrix("A")),)),
))  # fmt: skip
def total_is_trace(e: Node) -> Node | None:
    r"""\mathbf{1}^\top (A \circ B) \mathbf{1} = \operatorname{tr}(B^\top A) for matrices"""
    body = e.operands[0]
    if body.op != "hadamard" or len(body.operands) != 2 or ONE in body.dims:
        return None
    first, second = sorted(body.operands, key=_names)
    return b.make("trace", (b.product(b.transpose(second), first),))


def _names(node: Node) -> tuple[int, list[str]]:
    """What the two sides of an inner product are told apart by, in whatever order they are written."""
    return -node.count, sorted(str(part.data) for part in walk(node) if not part.operands)
