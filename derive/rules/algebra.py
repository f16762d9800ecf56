"""Laws of sums and products: like terms, common factors, multiplying out."""

from __future__ import annotations

from collections import Counter
from math import prod

from derive.expressions import build as b
from derive.expressions.node import Node, count_nodes, intern_node
from derive.expressions.order import order_free
from derive.rules.driver import rule
from derive.rules.examples import M, column, matrix, number
from derive.rules.factors import content
from derive.rules.parts import chain_of, negative, scalars_of
from derive.sizes import ONE, SCALAR


@rule("add", example=lambda: (
    b.add(b.number(1), b.negate(b.apply("sigmoid", b.negate(number("s"))))), b.apply("sigmoid", number("s"))
))  # fmt: skip
def sigmoid_of_minus(e: Node) -> Node | None:
    r"""1 - \sigma(-x) = \sigma(x)"""
    for k, term in enumerate(e.operands):
        value, rest = b.split_number(term)
        if rest.op != "sigmoid" or not negative(rest.operands[0]):
            continue
        others = [t for i, t in enumerate(e.operands) if i != k]
        for one in others:
            other, unit = b.split_number(one)
            if other == -value and (unit == b.number(1) or unit.op == "ones"):
                flipped = b.scale(-value, b.apply("sigmoid", b.negate(rest.operands[0])))
                return b.add(flipped, *(t for t in others if t is not one))
    return None


@rule("product", "hadamard", example=lambda: (
    b.product(b.add(b.power(number("a"), -1), number("b")), number("a")),
    b.add(b.number(1), b.product(number("b"), number("a"))),
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


MOST_TERMS = 100


def _terms_of(node: Node) -> int:
    """How many terms there are when an expression is multiplied out."""
    if node.op == "add":
        return sum(map(_terms_of, node.operands))
    if node.op in ("product", "hadamard"):
        return prod(map(_terms_of, node.operands))
    small = node.op == "power" and node.data[0] in (2, 3, 4)
    return int(_terms_of(node.operands[0]) ** node.data[0]) if small else 1


def expand(node: Node) -> Node:
    """The sum with elementwise and scalar products of sums multiplied out."""
    if node.op == "add":
        return b.add(*(expand(t) for t in node.operands))
    if node.op == "power" and node.operands[0].op == "add" and node.data[0] in (2, 3, 4):
        base = node.operands[0]
        out = base
        for _ in range(int(node.data[0]) - 1):
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
    b.add(b.product(matrix("A"), b.symbol("x", (M, ONE))), b.negate(b.product(matrix("A"), b.symbol("y", (M, ONE))))),
    b.product(matrix("A"), b.subtract(b.symbol("x", (M, ONE)), b.symbol("y", (M, ONE)))),
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
    value: b.Number, own: Counter[Node], taken: Counter[Node], chain: list[Node], left: int, right: int
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
    b.add(b.hadamard(column("a"), column("b")), b.hadamard(column("a"), column("c"))),
    b.hadamard(column("a"), b.add(column("b"), column("c"))),
))  # fmt: skip
def common_elementwise_factor(e: Node) -> Node | None:
    r"""a \circ b + s\, a \circ c = a \circ (b + s\, c)"""
    split = [(value, scalars_of(rest), chain_of(rest)) for value, rest in map(b.split_number, e.operands)]
    if any(len(chain) != 1 or chain[0].op != "hadamard" for _, _, chain in split):
        return None
    shared = [f for f in split[0][2][0].operands if all(f in chain[0].operands for _, _, chain in split[1:])]
    if not shared:
        return None
    rest = [
        b.product(b.number(value), *scalars, b.hadamard(b.ones(e.dims), *(f for f in part.operands if f not in shared)))
        for value, scalars, (part,) in split
    ]
    return b.hadamard(*shared, b.add(*rest))


@rule("add", example=lambda: (
    b.add(b.hadamard(column("a"), column("b")), b.hadamard(column("b"), column("a"))),
    b.scale(2, b.hadamard(column("a"), column("b"))),
))  # fmt: skip
def like_terms(e: Node) -> Node | None:
    r"""A \circ b + b \circ a = 2\, a \circ b: terms are alike up to the order of their factors"""
    first: dict[object, Node] = {}
    total: dict[object, b.Number] = {}
    for value, rest in map(b.split_number, e.operands):
        key = order_free(rest)
        first.setdefault(key, rest)
        total[key] = total.get(key, 0) + value
    if len(first) == len(e.operands):
        return None
    return b.add(b.zeros(e.dims), *(b.scale(total[key], rest) for key, rest in first.items()))


@rule("add", "product", "hadamard", example=lambda: (
    b.add(b.product(b.subtract(b.number(1), number("y")), number("s")),
          b.negate(b.product(number("y"), b.subtract(b.number(1), number("s"))))),
    b.subtract(number("s"), number("y")),
))  # fmt: skip
def multiply_out_if_shorter(e: Node) -> Node | None:
    r"""(1 - y)\, s - y\, (1 - s) = s - y: multiplied out where that is shorter"""
    if e.op != "add" and not any(f.op == "add" for f in e.operands):
        return None
    if count_nodes(e) > 120 or _terms_of(e) > MOST_TERMS:
        return None
    out = expand(e)
    if out.op == "add":
        out = like_terms(out) or out
    return out if count_nodes(out) + 2 < count_nodes(e) else None


@rule("product", example=lambda: (
    b.product(b.number(-1), b.subtract(b.number(1), number("s")), column("x")),
    b.product(b.subtract(number("s"), b.number(1)), column("x")),
))  # fmt: skip
def minus_into_sum(e: Node) -> Node | None:
    r"""-(1 - s)\, x = (s - 1)\, x, and -2\, u^\top (x - y) = 2\, u^\top (y - x)"""
    value = e.operands[0].data[0] if e.operands[0].op == "number" else 1
    if value >= 0:
        return None
    for k, factor in enumerate(e.operands):
        if factor.dims != SCALAR and b.transpose(factor) in (o for o in e.operands if o is not factor):
            return None
        turned = _turned(factor, value == -1, e.dims == SCALAR)
        if turned is not None:
            return b.product(b.number(-value), *e.operands[1:k], turned, *e.operands[k + 1 :])
    return None


def _turned(factor: Node, whole: bool, inside: bool) -> Node | None:
    """The negative of a factor with a minus in a sum; with `whole` also 1 - h^2, `inside` also inner products."""
    if _mixed(factor) and (whole or not _has_constant(factor)):
        return b.negate(factor)
    if factor.op == "transpose" and _mixed(factor.operands[0]) and (whole or not _has_constant(factor.operands[0])):
        return b.transpose(b.negate(factor.operands[0]))
    if factor.op == "hadamard":
        found = [f for f in factor.operands if _complement(f)] if whole else []
        return b.hadamard(*(b.negate(f) if f is found[0] else f for f in factor.operands)) if found else None
    if inside and factor.op == "product" and factor.operands[0] != b.transpose(factor.operands[-1]):
        for k, part in enumerate(factor.operands):
            turned = _turned(part, False, False)
            if turned is not None:
                return b.product(*factor.operands[:k], turned, *factor.operands[k + 1 :])
    return None


def _has_constant(node: Node) -> bool:
    return any(b.split_number(t)[1].op in ("number", "ones") for t in node.operands)


def _complement(node: Node) -> bool:
    """1 - σ(x), which no name stands for."""
    return _mixed(node) and any(b.split_number(t)[1].op == "sigmoid" for t in node.operands)


def _mixed(node: Node) -> bool:
    """A sum with a negative term."""
    return node.op == "add" and any(b.split_number(t)[0] < 0 for t in node.operands)


@rule("product", "hadamard", example=lambda: (
    b.product(b.subtract(b.scale(2, number("s")), b.scale(2, number("t"))), column("x")),
    b.product(b.number(2), b.subtract(number("s"), number("t")), column("x")),
))  # fmt: skip
def common_number(e: Node) -> Node | None:
    r"""(2 s - 2 t)\, x = 2 (s - t)\, x"""
    for k, factor in enumerate(e.operands):
        if factor.op != "add":
            continue
        signed = [b.split_number(t)[0] for t in factor.operands]
        size = -content(signed) if max(signed) < 0 else content(signed)
        if size not in (0, 1):
            plain = b.add(*(b.scale(1 / size, t) for t in factor.operands))
            rebuilt = b.rebuild(e, (*e.operands[:k], plain, *e.operands[k + 1 :]))
            return b.product(b.number(size), rebuilt)
    return None


@rule("power", example=lambda: (
    b.power(b.apply("positive", number("s")), 2), b.apply("positive", number("s"))
))  # fmt: skip
def indicator_squared(e: Node) -> Node | None:
    r"""\mathbb{1}\{s > 0\}^2 = \mathbb{1}\{s > 0\}"""
    base, exponent = b.base_and_exponent(e)
    parts = [b.split_number(t) for t in base.operands] if base.op == "add" and len(base.operands) == 2 else []
    opposite = any(v == 1 and (r.op == "ones" or r == b.number(1)) for v, r in parts)
    opposite = opposite and any(v == -1 and r.op in ("positive", "is_zero", "index_equal") for v, r in parts)
    indicator = base.op in ("positive", "is_zero", "index_equal") or opposite
    return base if indicator and exponent >= 1 else None


@rule("hadamard", example=lambda: (
    b.hadamard(b.transpose(matrix("A")), b.transpose(matrix("B"))), b.transpose(b.hadamard(matrix("A"), matrix("B")))
))  # fmt: skip
def hadamard_of_transposes(e: Node) -> Node | None:
    r"""A^\top \circ B^\top = (A \circ B)^\top"""
    bases = [b.base_and_exponent(f) for f in e.operands]
    if any(base.op != "transpose" or base.operands[0].op == "row" for base, _ in bases):
        return None
    inner = b.hadamard(*(b.power(base.operands[0], exponent) for base, exponent in bases))
    return b.transpose(inner) if inner.op != "hadamard" else intern_node("transpose", (inner,), (), e.dims)


@rule("add", example=lambda: (
    b.add(b.transpose(column("a")), b.transpose(column("b"))), b.transpose(b.add(column("a"), column("b")))
))  # fmt: skip
def sum_of_transposes(e: Node) -> Node | None:
    r"""a^\top + b^\top = (a + b)^\top"""
    split = [b.split_number(t) for t in e.operands]
    turned = [rest for _, rest in split if rest.op == "transpose" and rest.operands[0].op != "row"]
    if not turned or len(turned) + sum(rest.op == "ones" for _, rest in split) < len(split):
        return None
    return intern_node("transpose", (b.add(*(b.scale(v, b.transpose(rest)) for v, rest in split)),), (), e.dims)
