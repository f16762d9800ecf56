"""Laws of sums, products and elementwise products."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import gcd, lcm

from derive.expressions import build as b
from derive.expressions.node import Node, count_nodes, free_indices
from derive.expressions.order import order_free
from derive.rules.driver import rule
from derive.sizes import ONE, SCALAR, Range, Size

_N, _M = Size.of("n"), Size.of("m")


def _column(name: str) -> Node:
    return b.symbol(name, (_N, ONE))


def _matrix(name: str) -> Node:
    return b.symbol(name, (_N, _M))


def _number(name: str) -> Node:
    return b.symbol(name, SCALAR)


def chain_of(node: Node) -> list[Node]:
    """The matrix factors of a product."""
    return [f for f in (node.operands if node.op == "product" else (node,)) if f.dims != SCALAR]


def scalars_of(node: Node) -> list[Node]:
    """The scalar factors of a product."""
    return [f for f in (node.operands if node.op == "product" else (node,)) if f.dims == SCALAR]


@rule("product", example=lambda: (
    b.product(b.transpose(_column("a")), b.hadamard(_column("b"), b.power(_column("a"), -1))), b.total(_column("b"))
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


@rule("total", example=lambda: (b.make("total", (b.symbol("y", (_N, ONE), ("one-hot",)),)), b.number(1)))
def total_of_distribution(e: Node) -> Node | None:
    r"""\mathbf{1}^\top y = 1 where the entries of y sum to 1"""
    body = e.operands[0]
    body = body.operands[0] if body.op == "transpose" else body
    return b.number(1) if ONE in body.dims and sums_to_one(body) else None


def sums_to_one(node: Node) -> bool:
    """Whether the entries of a vector sum to 1 by what is declared of it."""
    if node.op in ("softmax", "onehot"):
        return True
    if node.op == "column":
        return bool({"one-hot columns", "distribution columns"} & set(_properties(node.operands[0])))
    if node.op == "transpose":
        inner = node.operands[0]
        rows = {"one-hot rows", "distribution rows"}
        return inner.op == "row" and bool(rows & set(_properties(inner.operands[0]))) or sums_to_one(inner)
    properties = _properties(node)
    return any(p in ("distribution", "one-hot") or p.startswith("one-hot at") for p in properties)


def _properties(node: Node) -> tuple[str, ...]:
    if node.op == "member":
        return node.operands[0].data[3] if node.operands[0].op == "family" else ()  # type: ignore[return-value]
    return node.data[2] if node.op == "symbol" else ()  # type: ignore[return-value]


@rule("product", example=lambda: (
    b.product(b.symbol("Y", (_N, _M), ("one-hot rows",)), b.ones((_M, ONE))), b.ones((_N, ONE))
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
    b.make("total", (b.add(b.symbol("y", (_N, ONE), ("one-hot",)), b.negate(_column("x"))),)),
    b.subtract(b.number(1), b.total(_column("x"))),
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
    b.product(b.transpose(_column("u")), b.diag(_column("a"))), b.transpose(b.hadamard(_column("u"), _column("a")))
))  # fmt: skip
def row_times_diagonal(e: Node) -> Node | None:
    r"""u^\top \operatorname{diag}(a) = (u \circ a)^\top"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if right.op == "diag" and left.op == "transpose" and left.dims[0] == ONE:
            turned = b.transpose(b.hadamard(left.operands[0], right.operands[0]))
            return b.product(*e.operands[:k], turned, *e.operands[k + 2 :])
    return None


@rule("product", example=lambda: (b.product(b.ones((ONE, _N)), _column("x")), b.total(_column("x"))))
def ones_sum(e: Node) -> Node | None:
    r"""\mathbf{1}^\top x is the sum of the entries of x"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if left.op == "ones" and left.dims[0] == ONE and right.dims[1] == ONE and right.dims != SCALAR:
            return b.product(*e.operands[:k], b.total(right), *e.operands[k + 2 :])
        if right.op == "ones" and right.dims[1] == ONE and left.dims[0] == ONE and left.dims != SCALAR:
            return b.product(*e.operands[:k], b.total(left), *e.operands[k + 2 :])
    return None


@rule("total", example=lambda: (
    b.make("total", (b.hadamard(_column("a"), _column("b")),)), b.inner(_column("a"), _column("b"))
))  # fmt: skip
def total_is_inner(e: Node) -> Node | None:
    r"""\mathbf{1}^\top (a \circ b) = a^\top b for vectors"""
    body = e.operands[0]
    if body.op != "hadamard" or ONE not in body.dims:
        return None
    first, *rest = body.operands
    return b.inner(first, b.hadamard(*rest))


@rule("add", example=lambda: (
    b.add(b.number(1), b.negate(b.apply("sigmoid", b.negate(_number("s"))))), b.apply("sigmoid", _number("s"))
))  # fmt: skip
def sigmoid_of_minus(e: Node) -> Node | None:
    r"""1 - \sigma(-x) = \sigma(x)"""
    for k, term in enumerate(e.operands):
        value, rest = b.split_number(term)
        if rest.op != "sigmoid" or not _negative(rest.operands[0]):
            continue
        others = [t for i, t in enumerate(e.operands) if i != k]
        for one in others:
            other, unit = b.split_number(one)
            if other == -value and (unit == b.number(1) or unit.op == "ones"):
                flipped = b.scale(-value, b.apply("sigmoid", b.negate(rest.operands[0])))
                return b.add(flipped, *(t for t in others if t is not one))
    return None


def _negative(node: Node) -> bool:
    """Whether an argument is written with a minus in front."""
    if node.op == "add":
        return all(b.split_number(t)[0] < 0 for t in node.operands)
    return b.split_number(node)[0] < 0


@rule("product", "hadamard", example=lambda: (
    b.product(b.add(b.power(_number("a"), -1), _number("b")), _number("a")),
    b.add(b.number(1), b.product(_number("b"), _number("a"))),
))  # fmt: skip
def distribute_to_cancel(e: Node) -> Node | None:
    r"""(a^{-1} + b)\, a = 1 + a b: a sum is multiplied out where a factor cancels"""
    factors = [f for f in e.operands if f.dims == (e.dims if e.op == "hadamard" else SCALAR)]
    for factor in factors:
        if factor.op != "add":
            continue
        others = [f for f in factors if f is not factor]
        bases = {base for f in others for base, exponent in [b.base_and_exponent(f)] if exponent > 0}
        below = {base for term in factor.operands for base in _bases_below(term)}
        if not (bases & below):
            continue
        rest = [f for f in e.operands if f not in factors]
        multiply = b.hadamard if e.op == "hadamard" else b.product
        together = b.add(*(multiply(term, *others) for term in factor.operands))
        shorter = min((together, expand(together)), key=count_nodes)
        return b.product(*rest, shorter)
    return None


def _bases_below(term: Node) -> set[Node]:
    parts = term.operands if term.op in ("product", "hadamard") else (term,)
    found = set[Node]()
    for part in parts:
        inner = part.operands if part.op == "hadamard" else (part,)
        found |= {base for f in inner for base, exponent in [b.base_and_exponent(f)] if exponent < 0}
    return found


def expand(node: Node) -> Node:
    """The sum with elementwise and scalar products of sums multiplied out."""
    if node.op == "add":
        return b.add(*(expand(t) for t in node.operands))
    if node.op == "power" and node.operands[0].op == "add" and node.data[0] in (2, 3, 4):
        base = node.operands[0]
        out = base
        for _ in range(int(node.data[0]) - 1):  # type: ignore[call-overload]
            out = b.add(*(expand(b.hadamard(t, out)) for t in base.operands))
        return out
    if node.op not in ("product", "hadamard"):
        return node
    powers = tuple(expand(f) if f.op == "power" else f for f in node.operands)
    if powers != node.operands:
        return expand(b.rebuild(node, powers))
    for k, factor in enumerate(node.operands):
        if factor.op == "add":
            others = [*node.operands[:k], *node.operands[k + 1 :]]
            if node.op == "hadamard":
                return b.add(*(expand(b.hadamard(t, *others)) for t in factor.operands))
            before, after = node.operands[:k], node.operands[k + 1 :]
            return b.add(*(expand(b.product(*before, t, *after)) for t in factor.operands))
    if node.op == "product":
        inner = [o for o in node.operands if o.op == "hadamard" and any(f.op == "add" for f in o.operands)]
        if inner and len(chain_of(node)) == 1:
            whole = expand(inner[0])
            return b.add(*(b.product(*scalars_of(node), t) for t in whole.operands)) if whole.op == "add" else node
    return node


@rule("add", example=lambda: (
    b.add(b.product(_matrix("A"), b.symbol("x", (_M, ONE))), b.negate(b.product(_matrix("A"), b.symbol("y", (_M, ONE))))),
    b.product(_matrix("A"), b.subtract(b.symbol("x", (_M, ONE)), b.symbol("y", (_M, ONE)))),
))  # fmt: skip
def common_factor(e: Node) -> Node | None:
    r"""A x + A y = A (x + y), and the same for scalar factors and factors on the right"""
    split = [(value, *_factors(rest)) for value, rest in (b.split_number(t) for t in e.operands)]
    scalars = split[0][1]
    for _, more, _ in split[1:]:
        scalars = scalars & more
    shared = [f for f, count in scalars.items() for _ in range(count)]
    chains = [chain for _, _, chain in split]
    if chains[0] and all(chain == chains[0] for chain in chains):
        rest = [_without(value, own, scalars, [], 0, 0) for value, own, _ in split]
        return b.product(*shared, b.add(*rest), *chains[0])
    left, right = _common_ends(chains)
    if not shared and not left and not right:
        return None
    rest = [_without(value, own, scalars, chain, len(left), len(right)) for value, own, chain in split]
    return b.product(*shared, *left, b.add(*rest), *right)


def _factors(term: Node) -> tuple[Counter[Node], list[Node]]:
    return Counter(f for f in scalars_of(term) if f.op != "number"), chain_of(term)


def _without(
    value: Fraction, own: Counter[Node], taken: Counter[Node], chain: list[Node], left: int, right: int
) -> Node:
    scalars = [f for f, count in (own - taken).items() for _ in range(count)]
    return b.product(b.number(value), *scalars, *chain[left : len(chain) - right])


def _common_ends(chains: list[list[Node]]) -> tuple[list[Node], list[Node]]:
    """What all chains begin and end with; something with a shape of its own stays between."""
    shortest = min(len(c) for c in chains)
    if not shortest:
        return [], []
    left, right = list[Node](), list[Node]()
    while len(left) < shortest - 1 and len({c[len(left)] for c in chains}) == 1:
        left.append(chains[0][len(left)])
    while len(right) + len(left) < shortest - 1 and len({c[-1 - len(right)] for c in chains}) == 1:
        right.insert(0, chains[0][-1 - len(right)])
    whole_left = {c[0].dims[0] for c in chains}
    return (left, right) if len(whole_left) == 1 else ([], [])


@rule("add", example=lambda: (
    b.add(b.hadamard(_column("a"), _column("b")), b.hadamard(_column("a"), _column("c"))),
    b.hadamard(_column("a"), b.add(_column("b"), _column("c"))),
))  # fmt: skip
def common_elementwise_factor(e: Node) -> Node | None:
    r"""a \circ b + a \circ c = a \circ (b + c)"""
    split = [b.split_number(t) for t in e.operands]
    if any(rest.op != "hadamard" for _, rest in split):
        return None
    shared = [f for f in split[0][1].operands if all(f in rest.operands for _, rest in split[1:])]
    if not shared:
        return None
    rest = [b.scale(value, b.hadamard(b.ones(e.dims), *(f for f in part.operands if f not in shared))) for value, part in split]
    return b.hadamard(*shared, b.add(*rest))


@rule("add", example=lambda: (
    b.add(b.hadamard(_column("a"), _column("b")), b.hadamard(_column("b"), _column("a"))),
    b.scale(2, b.hadamard(_column("a"), _column("b"))),
))  # fmt: skip
def like_terms(e: Node) -> Node | None:
    r"""a \circ b + b \circ a = 2\, a \circ b: terms are alike up to the order of their factors"""
    first: dict[object, Node] = {}
    total: dict[object, Fraction] = {}
    for value, rest in map(b.split_number, e.operands):
        key = order_free(rest)
        first.setdefault(key, rest)
        total[key] = total.get(key, Fraction(0)) + value
    if len(first) == len(e.operands):
        return None
    return b.add(b.zeros(e.dims), *(b.scale(total[key], rest) for key, rest in first.items()))


@rule("add", "product", "hadamard", example=lambda: (
    b.add(b.product(b.subtract(b.number(1), _number("y")), _number("s")),
          b.negate(b.product(_number("y"), b.subtract(b.number(1), _number("s"))))),
    b.subtract(_number("s"), _number("y")),
))  # fmt: skip
def multiply_out_if_shorter(e: Node) -> Node | None:
    r"""(1 - y)\, s - y\, (1 - s) = s - y: multiplied out where that is shorter"""
    if e.op != "add" and not any(f.op == "add" for f in e.operands):
        return None
    if count_nodes(e) > 120:
        return None
    out = expand(e)
    if out.op == "add":
        out = like_terms(out) or out
    return out if count_nodes(out) + 2 < count_nodes(e) else None


@rule("product", example=lambda: (
    b.product(b.number(-1), b.subtract(b.number(1), _number("s")), _column("x")),
    b.product(b.subtract(_number("s"), b.number(1)), _column("x")),
))  # fmt: skip
def minus_into_sum(e: Node) -> Node | None:
    r"""-(1 - s)\, x = (s - 1)\, x"""
    if e.operands[0].op != "number" or e.operands[0].data[0] != -1:
        return None
    for k, factor in enumerate(e.operands):
        if _mixed(factor):
            return b.product(*e.operands[1:k], b.negate(factor), *e.operands[k + 1 :])
    return None


def _mixed(node: Node) -> bool:
    """A sum with a negative term."""
    return node.op == "add" and any(b.split_number(t)[0] < 0 for t in node.operands)


@rule("product", "hadamard", example=lambda: (
    b.product(b.transpose(_matrix("A")), b.subtract(b.scale(2, _column("x")), b.scale(2, _column("y")))),
    b.product(b.number(2), b.transpose(_matrix("A")), b.subtract(_column("x"), _column("y"))),
))  # fmt: skip
def common_number(e: Node) -> Node | None:
    r"""A (2 x - 2 y) = 2 A (x - y)"""
    for k, factor in enumerate(e.operands):
        if factor.op != "add":
            continue
        values = [abs(b.split_number(t)[0]) for t in factor.operands]
        content = Fraction(gcd(*(v.numerator for v in values)), lcm(*(v.denominator for v in values)))
        if content not in (0, 1) and (content > 1 or len(set(values)) == 1):
            plain = b.add(*(b.scale(1 / content, t) for t in factor.operands))
            rebuilt = b.rebuild(e, (*e.operands[:k], plain, *e.operands[k + 1 :]))
            return b.product(b.number(content), rebuilt)
    return None


@rule("power", example=lambda: (
    b.power(b.apply("positive", _number("s")), 2), b.apply("positive", _number("s"))
))  # fmt: skip
def indicator_squared(e: Node) -> Node | None:
    r"""\mathbb{1}\{s > 0\}^2 = \mathbb{1}\{s > 0\}"""
    base, exponent = b.base_and_exponent(e)
    return base if base.op in ("positive", "is_zero", "index_equal") and exponent >= 1 else None


@rule("hadamard", example=lambda: (
    b.hadamard(b.transpose(_matrix("A")), b.transpose(_matrix("B"))), b.transpose(b.hadamard(_matrix("A"), _matrix("B")))
))  # fmt: skip
def hadamard_of_transposes(e: Node) -> Node | None:
    r"""A^\top \circ B^\top = (A \circ B)^\top"""
    bases = [b.base_and_exponent(f) for f in e.operands]
    if any(base.op != "transpose" or base.operands[0].op == "row" for base, _ in bases):
        return None
    inner = b.hadamard(*(b.power(base.operands[0], exponent) for base, exponent in bases))
    return b.transpose(inner) if inner.op != "hadamard" else b.intern_node("transpose", (inner,), (), e.dims)


@rule("add", example=lambda: (
    b.add(b.transpose(_column("a")), b.transpose(_column("b"))), b.transpose(b.add(_column("a"), _column("b")))
))  # fmt: skip
def sum_of_transposes(e: Node) -> Node | None:
    r"""a^\top + b^\top = (a + b)^\top"""
    split = [b.split_number(t) for t in e.operands]
    if any(rest.op != "transpose" or rest.operands[0].op == "row" for _, rest in split):
        return None
    return b.intern_node("transpose", (b.add(*(b.scale(v, rest.operands[0]) for v, rest in split)),), (), e.dims)


@rule("product", example=lambda: (
    b.product(b.diag(_column("a")), _column("b")), b.hadamard(_column("a"), _column("b"))
))  # fmt: skip
def diagonal_times_column(e: Node) -> Node | None:
    r"""\operatorname{diag}(a)\, b = a \circ b for a column b"""
    for k, (left, right) in enumerate(zip(e.operands, e.operands[1:], strict=False)):
        if left.op == "diag" and right.dims[1] == ONE and right.dims != SCALAR:
            return b.product(*e.operands[:k], b.hadamard(left.operands[0], right), *e.operands[k + 2 :])
    return None


@rule("product", example=lambda: (
    b.product(b.transpose(b.onehot(b.index("o", None), _N)), _column("x")),
    b.entry(_column("x"), b.index("o", None), b.number(1)),
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
    b.hadamard(_column("x"), b.onehot(b.index("o", None), _N)),
    b.product(b.entry(_column("x"), b.index("o", None), b.number(1)), b.onehot(b.index("o", None), _N)),
))  # fmt: skip
def onehot_selects(e: Node) -> Node | None:
    r"""x \circ \mathbf{e}_o = x_o \mathbf{e}_o"""
    for unit in e.operands:
        if unit.op == "onehot":
            rest = b.hadamard(b.ones(e.dims), *(f for f in e.operands if f is not unit))
            return b.product(b.entry(rest, unit.operands[0], b.number(1)), unit)
    return None


@rule("product", example=lambda: (
    b.product(_matrix("A"), b.subtract(b.symbol("p", (_M, ONE)), b.onehot(b.index("o", None), _M))),
    b.subtract(b.product(_matrix("A"), b.symbol("p", (_M, ONE))), b.column(_matrix("A"), b.index("o", None))),
))  # fmt: skip
def distribute_over_onehot(e: Node) -> Node | None:
    r"""A (p - \mathbf{e}_o) = A p - a_o, where A stands on the left"""
    for k, factor in enumerate(e.operands):
        if k and factor.op == "add" and e.operands[k - 1].dims != SCALAR and e.operands[k - 1].dims[0] != ONE:
            if any(_picks(b.split_number(t)[1]) for t in factor.operands):
                return b.add(*(b.product(*e.operands[:k], t, *e.operands[k + 1 :]) for t in factor.operands))
    return None


def _picks(node: Node) -> bool:
    return node.op == "onehot" or (node.op == "sum" and node.operands[0].op == "onehot")


@rule("product", example=lambda: (
    b.product(_matrix("A"), b.sum_over(b.onehot(b.index("k", None), _M), "k", Range(ONE, Size.of("K")))),
    b.sum_over(b.column(_matrix("A"), b.index("k", None)), "k", Range(ONE, Size.of("K"))),
))  # fmt: skip
def product_into_sum(e: Node) -> Node | None:
    r"""A \sum_k \mathbf{e}_{k} = \sum_k a_k"""
    for k, factor in enumerate(e.operands):
        if k and factor.op == "sum" and _picks(factor) and e.operands[k - 1].dims[1] == factor.dims[0]:
            left = e.operands[k - 1]
            if factor.data[0] in free_indices(left):
                continue
            moved = b.make("sum", (b.product(left, factor.operands[0]), factor.operands[1]), factor.data)
            return b.product(*e.operands[: k - 1], moved, *e.operands[k + 1 :])
    return None


@rule("diag", example=lambda: (b.make("diag", (b.ones((_N, ONE)),)), b.eye(_N)))
def diagonal_of_ones(e: Node) -> Node | None:
    r"""\operatorname{diag}(\mathbf{1}) = I"""
    return b.eye(e.dims[0]) if e.operands[0].op == "ones" else None

