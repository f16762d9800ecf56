"""Laws of diagonal matrices and unit vectors."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.rules.driver import rule
from derive.rules.examples import M, N, column, matrix
from derive.rules.parts import chain_of, scalars_of
from derive.sizes import ONE, SCALAR


@rule("product", example=lambda: (
    b.product(b.diag(column("a")), column("b")), b.hadamard(column("a"), column("b"))
))  # fmt: skip
def diagonal_times_column(e: Node) -> Node | None:
    r"""\operatorname{diag}(a)\, b = a \circ b for a column b"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if left.op == "diag" and right.dims[1] == ONE and right.dims != SCALAR:
            return b.product(*e.operands[:k], b.hadamard(left.operands[0], right), *e.operands[k + 2 :])
    return None


@rule("product", example=lambda: (
    b.product(b.transpose(column("u")), b.diag(column("a"))), b.transpose(b.hadamard(column("u"), column("a")))
))  # fmt: skip
def row_times_diagonal(e: Node) -> Node | None:
    r"""u^\top \operatorname{diag}(a) = (u \circ a)^\top"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if right.op == "diag" and left.op == "transpose" and left.dims[0] == ONE:
            turned = b.transpose(b.hadamard(left.operands[0], right.operands[0]))
            return b.product(*e.operands[:k], turned, *e.operands[k + 2 :])
    return None


@rule("product", example=lambda: (
    b.product(b.transpose(b.onehot(b.index("o", None), N)), column("x")),
    b.entry(column("x"), b.index("o", None), b.number(1)),
))  # fmt: skip
def onehot_picks(e: Node) -> Node | None:
    r"""\mathbf{e}_o^\top x = x_o, and A \mathbf{e}_o is column o of A"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        picked: Node | None = None
        if right.op == "onehot" and left.dims != SCALAR:
            position = right.operands[0]
            picked = b.column(left, position) if left.dims[0] != ONE else b.entry(left, b.number(1), position)
        elif left.op == "transpose" and left.operands[0].op == "onehot" and right.dims != SCALAR:
            position = left.operands[0].operands[0]
            picked = b.row(right, position) if right.dims[1] != ONE else b.entry(right, position, b.number(1))
        if picked is not None:
            return b.product(*e.operands[:k], picked, *e.operands[k + 2 :])
    return None


@rule("hadamard", example=lambda: (
    b.hadamard(column("x"), b.onehot(b.index("o", None), N)),
    b.product(b.entry(column("x"), b.index("o", None), b.number(1)), b.onehot(b.index("o", None), N)),
))  # fmt: skip
def onehot_selects(e: Node) -> Node | None:
    r"""x \circ \mathbf{e}_o = x_o \mathbf{e}_o"""
    for unit in e.operands:
        if unit.op == "onehot":
            rest = b.hadamard(b.ones(e.dims), *(f for f in e.operands if f is not unit))
            return b.product(b.entry(rest, unit.operands[0], b.number(1)), unit)
    return None


@rule("product", example=lambda: (
    b.product(matrix("A"), b.subtract(b.symbol("p", (M, ONE)), b.onehot(b.index("o", None), M))),
    b.subtract(b.product(matrix("A"), b.symbol("p", (M, ONE))), b.column(matrix("A"), b.index("o", None))),
))  # fmt: skip
def distribute_over_onehot(e: Node) -> Node | None:
    r"""A (p - \mathbf{e}_o) = A p - a_o, where A stands on the left"""
    for k, factor in enumerate(e.operands):
        left = e.operands[k - 1] if k else factor
        beside = left is not factor and left.dims != SCALAR and left.dims[0] != ONE
        if beside and factor.op == "add" and any(_picks(b.split_number(t)[1]) for t in factor.operands):
            return b.add(*(b.product(*e.operands[:k], t, *e.operands[k + 1 :]) for t in factor.operands))
    return None


def _picks(node: Node) -> bool:
    return node.op == "onehot" or (node.op == "sum" and node.operands[0].op == "onehot")


@rule("diag", example=lambda: (b.make("diag", (b.ones((N, ONE)),)), b.eye(N)))
def diagonal_of_ones(e: Node) -> Node | None:
    r"""\operatorname{diag}(\mathbf{1}) = I"""
    return b.eye(e.dims[0]) if e.operands[0].op == "ones" else None


@rule("diagonal", example=lambda: (
    b.make("diagonal", (b.product(column("a"), b.transpose(column("b"))),)), b.hadamard(column("a"), column("b"))
))  # fmt: skip
def diagonal_of_outer(e: Node) -> Node | None:
    r"""\operatorname{diag}(a b^\top) = a \circ b and \operatorname{diag}(A^\top) = \operatorname{diag}(A)"""
    body = e.operands[0]
    if body.op == "transpose":
        return b.diag(body.operands[0])
    chain = chain_of(body)
    for cut in range(1, len(chain)):
        if chain[cut].dims[0] == ONE:
            left, right = b.product(*chain[:cut]), b.product(*chain[cut:])
            return b.product(*(scalars_of(body)), b.hadamard(left, b.transpose(right)))
    return None


@rule("diagonal", example=lambda: (
    b.make("diagonal", (b.product(b.transpose(matrix("A")), matrix("B")),)),
    b.product(b.transpose(b.hadamard(matrix("A"), matrix("B"))), b.ones((N, ONE))),
))  # fmt: skip
def diagonal_of_product(e: Node) -> Node | None:
    r"""\operatorname{diag}(A^\top B) = (A \circ B)^\top \mathbf{1}"""
    chain = chain_of(e.operands[0])
    if len(chain) != 2 or e.operands[0].op != "product" or chain[0].op == "diag" or chain[1].op == "diag":
        return None
    left, right = chain
    together = b.hadamard(b.transpose(left), right)
    return b.product(*scalars_of(e.operands[0]), b.transpose(together), b.ones((right.dims[0], ONE)))


@rule("diagonal", example=lambda: (
    b.make("diagonal", (b.product(_square(), b.diag(column("a"))),)),
    b.hadamard(b.make("diagonal", (_square(),)), column("a")),
))  # fmt: skip
def diagonal_of_scaled(e: Node) -> Node | None:
    r"""\operatorname{diag}(A \operatorname{diag}(a)) = \operatorname{diag}(A) \circ a"""
    chain = chain_of(e.operands[0])
    for k in (len(chain) - 1, 0) if len(chain) > 1 else ():
        if chain[k].op == "diag":
            rest = b.product(*scalars_of(e.operands[0]), *chain[:k], *chain[k + 1 :])
            return b.hadamard(b.diag(rest), chain[k].operands[0])
    return None


def _square() -> Node:
    return b.symbol("A", (N, N))


@rule("product", example=lambda: (
    b.product(b.diag(column("a")), b.diag(column("b"))), b.diag(b.hadamard(column("a"), column("b")))
))  # fmt: skip
def diagonals_together(e: Node) -> Node | None:
    r"""\operatorname{diag}(a) \operatorname{diag}(b) = \operatorname{diag}(a \circ b)"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if left.op == right.op == "diag":
            both = b.diag(b.hadamard(left.operands[0], right.operands[0]))
            return b.product(*e.operands[:k], both, *e.operands[k + 2 :])
    return None


@rule("product", example=lambda: (
    b.product(b.diag(column("a")), b.ones((N, M))), b.product(column("a"), b.ones((ONE, M)))
))  # fmt: skip
def diagonal_times_ones(e: Node) -> Node | None:
    r"""\operatorname{diag}(a) \mathbf{1} \mathbf{1}^\top = a \mathbf{1}^\top, and the same on the right"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if left.op == "diag" and right.op == "ones":
            return b.product(*e.operands[:k], left.operands[0], b.ones((ONE, right.dims[1])), *e.operands[k + 2 :])
        if right.op == "diag" and left.op == "ones":
            turned = b.transpose(right.operands[0])
            return b.product(*e.operands[:k], b.ones((left.dims[0], ONE)), turned, *e.operands[k + 2 :])
    return None


@rule("hadamard", example=lambda: (
    b.hadamard(matrix("A"), b.product(b.ones((N, ONE)), b.transpose(b.symbol("u", (M, ONE))))),
    b.product(matrix("A"), b.diag(b.symbol("u", (M, ONE)))),
))  # fmt: skip
def scaled_lines(e: Node) -> Node | None:
    r"""A \circ (\mathbf{1} u^\top) = A \operatorname{diag}(u); \operatorname{diag}(u) A for u \mathbf{1}^\top"""
    for k, factor in enumerate(e.operands):
        base, exponent = b.base_and_exponent(factor)
        chain = chain_of(base)
        if base.op != "product" or len(chain) != 2 or len(e.operands) < 2 or scalars_of(base):
            continue
        rest = b.hadamard(*e.operands[:k], *e.operands[k + 1 :])
        left, right = chain
        if left.op == "ones" and left.dims[1] == ONE:
            return b.product(rest, b.diag(b.power(b.transpose(right), exponent)))
        if right.op == "ones" and right.dims[0] == ONE:
            return b.product(b.diag(b.power(left, exponent)), rest)
    return None


@rule("product", example=lambda: (
    b.product(b.subtract(b.diag(column("p")), b.product(column("p"), b.transpose(column("p")))), column("v")),
    b.subtract(
        b.hadamard(column("p"), column("v")), b.product(b.inner(column("p"), column("v")), column("p"))
    ),
))  # fmt: skip
def softmax_jacobian_times_column(e: Node) -> Node | None:
    r"""(\operatorname{diag}(p) - p p^\top)\, v = p \circ v - (p^\top v)\, p"""
    chain = chain_of(e)
    for k, factor in enumerate(chain[:-1]):
        terms = factor.operands if factor.op == "add" else ()
        diagonal = [t for t in terms if b.split_number(t)[1].op == "diag"]
        if len(terms) != 2 or len(diagonal) != 1 or chain[-1].dims[1] != ONE:
            continue
        v = b.product(*chain[k + 1 :])
        return b.product(*scalars_of(e), *chain[:k], b.add(*(_times_column(t, v) for t in terms)))
    return None


def _times_column(term: Node, v: Node) -> Node:
    value, rest = b.split_number(term)
    return b.scale(value, b.hadamard(rest.operands[0], v) if rest.op == "diag" else b.product(rest, v))
