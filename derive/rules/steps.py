"""Laws of indicators, extrema and functions given by cases."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.expressions.order import same
from derive.rules.driver import rule
from derive.rules.examples import column, number
from derive.rules.parts import chain_of, properties, scalars_of
from derive.sizes import SCALAR

INDICATORS = ("positive", "is_zero", "index_equal", "index_less")


def sign_of(node: Node) -> int:
    """1 or -1 where a number is positive or negative by what is declared of it, else 0."""
    value, rest = b.split_number(node)
    if rest.op != "add":
        return (1 if value > 0 else -1) if value and (rest == b.number(1) or b.known_positive(rest)) else 0
    split = [b.split_number(t) for t in rest.operands]
    ones = [v for v, r in split if r == b.number(1)]
    inside = [v for v, r in split if r.op in ("sigmoid", "tanh") or "unit interval" in properties(r)]
    if len(split) == 2 and len(ones) == len(inside) == 1 and b.magnitude(inside[0]) <= b.magnitude(ones[0]):
        return 1 if value * ones[0] > 0 else -1
    return 1 if b.known_positive(node) else 0


@rule("positive", example=lambda: (
    b.apply("positive", b.product(b.symbol("c", SCALAR, ("positive",)), column("x"))), b.apply("positive", column("x"))
))  # fmt: skip
def step_of_multiple(e: Node) -> Node | None:
    r"""\mathbb{1}\{c\, x > 0\} = \mathbb{1}\{x > 0\} where c > 0 is known"""
    body = e.operands[0]
    if body.op != "product":
        return None
    signs = {f: sign_of(f) for f in scalars_of(body)}
    rest = [f for f in body.operands if not signs.get(f)]
    negative = sum(s < 0 for s in signs.values()) % 2
    if not rest or (len(rest) == len(body.operands) - negative and body.operands[0] == b.number(-1)):
        return None
    plain = b.product(*rest)
    return b.apply("positive", b.negate(plain) if negative else plain)


def _constant(node: Node) -> b.Number | None:
    """C where every entry of a node is the number c."""
    value, rest = b.split_number(node)
    return value if rest == b.number(1) or rest.op in ("ones", "zeros") else None


def _bounded(body: Node) -> tuple[b.Number, Node, b.Number] | None:
    """v, extremum, c where a body is v max(…) + c for numbers v and c."""
    terms = body.operands if body.op == "add" else (body,)
    split = [(_constant(t), *b.split_number(t)) for t in terms]
    extrema = [(value, rest) for constant, value, rest in split if rest.op in ("maximum", "minimum")]
    constants = [constant for constant, _, _ in split if constant is not None]
    if len(extrema) != 1 or len(constants) != len(terms) - 1 or len(constants) > 1:
        return None
    return *extrema[0], sum(constants)


@rule("positive", example=lambda: (
    b.apply("positive", b.add(b.number(1), b.make("minimum", (b.number(1), number("s"))))),
    b.apply("positive", b.add(b.number(1), number("s"))),
))  # fmt: skip
def step_of_extremum(e: Node) -> Node | None:
    r"""\mathbb{1}\{1 + \min(1, s) > 0\} = \mathbb{1}\{1 + s > 0\}: a fixed bound decides by itself or not at all"""
    found = _bounded(e.operands[0])
    if found is None:
        return None
    value, extremum, constant = found
    fixed = [c for c in map(_constant, extremum.operands) if c is not None]
    others = [o for o in extremum.operands if _constant(o) is None]
    if len(fixed) != 1:
        return None
    holds = value * fixed[0] + constant > 0
    both = (extremum.op == "minimum") == (value > 0)
    if holds == both:
        return b.apply("positive", b.add(b.scale(value, others[0]), b.scale(constant, b.ones(e.dims))))
    return b.ones(e.dims) if holds else b.zeros(e.dims)


@rule("power", example=lambda: (
    b.power(b.symbol("m", column("x").dims, ("binary",)), 2), b.symbol("m", column("x").dims, ("binary",))
))  # fmt: skip
def binary_squared(e: Node) -> Node | None:
    r"""m^2 = m where the entries of m are 0 or 1"""
    base, exponent = b.base_and_exponent(e)
    binary = any(name == "binary" or name.startswith("one-hot") for name in _declared(base))
    return base if binary and exponent >= 1 and exponent.denominator == 1 else None


@rule("power", example=lambda: (
    b.power(b.symbol("y", column("x").dims, ("sign",)), 2), b.ones(column("x").dims)
))  # fmt: skip
def sign_squared(e: Node) -> Node | None:
    r"""y^2 = 1 where the entries of y are -1 or 1"""
    base, exponent = b.base_and_exponent(e)
    even = exponent.denominator == 1 and exponent.numerator % 2 == 0
    return b.ones(e.dims) if even and "sign" in _declared(base) else None


def _declared(node: Node) -> tuple[str, ...]:
    """What is declared of the entries of a symbol, also of its parts."""
    while node.op in ("entry", "row", "column", "transpose"):
        node = node.operands[0]
    return properties(node)


@rule("power", example=lambda: (b.power(b.apply("abs", column("x")), 2), b.power(column("x"), 2)))
def absolute_value_squared(e: Node) -> Node | None:
    r"""|x|^2 = x^2"""
    base, exponent = b.base_and_exponent(e)
    even = exponent.denominator == 1 and exponent.numerator % 2 == 0
    return b.power(base.operands[0], exponent) if base.op == "abs" and even else None


@rule("product", "hadamard", example=lambda: (
    b.product(b.apply("abs", number("s")), b.apply("sign", number("s"))), number("s")
))  # fmt: skip
def absolute_value_times_sign(e: Node) -> Node | None:
    r"""|x| \operatorname{sign}(x) = x"""
    for sign in e.operands:
        if sign.op == "sign" and (size := b.apply("abs", sign.operands[0])) in e.operands:
            rest = [f for f in e.operands if f is not sign and f is not size]
            parts = [*rest, sign.operands[0]]
            return b.hadamard(*parts) if e.op == "hadamard" else b.product(*parts)
    return None


def _with_indicator(term: Node) -> list[tuple[Node, Node]]:
    """Each way to write a term as a condition times the rest; the condition is an indicator or 1 minus one."""
    value, rest = b.split_number(term)
    scalars, chain = scalars_of(rest), chain_of(rest)
    if rest.dims == SCALAR:
        factors = list(rest.operands) if rest.op == "product" and not chain else [rest]
        multiply, outer = b.product, list[Node]()
    elif len(chain) == 1:
        factors = list(chain[0].operands) if chain[0].op == "hadamard" else chain
        multiply, outer = b.hadamard, scalars
    else:
        return []
    out = list[tuple[Node, Node]]()
    for k, factor in enumerate(factors):
        if factor.op in INDICATORS or _flipped(factor).op in INDICATORS:
            others = [b.number(value), *outer, *factors[:k], *factors[k + 1 :]]
            out.append((factor, multiply(b.ones(rest.dims), *others)))
    return out


def _flipped(condition: Node) -> Node:
    return b.subtract(b.ones(condition.dims), condition)


@rule("add", example=lambda: (
    b.add(
        b.product(b.apply("positive", number("s")), number("s")),
        b.product(b.subtract(b.number(1), b.apply("positive", number("s"))), number("t")),
    ),
    b.make("cases", (
        b.apply("positive", number("s")), number("s"),
        b.subtract(b.number(1), b.apply("positive", number("s"))), number("t"),
    )),
))  # fmt: skip
def cases_assembled(e: Node) -> Node | None:
    r"""\mathbb{1}\{c\}\, a + (1 - \mathbb{1}\{c\})\, b is a where c holds, else b"""
    if len(e.operands) == 3:
        return _with_plain_rest(e)
    if len(e.operands) != 2:
        return None
    first, second = map(_with_indicator, e.operands)
    for condition, one in first:
        for opposite, other in second:
            if same(opposite, _flipped(condition)):
                parts = (condition, one, opposite, other)
                return b.make("cases", parts if condition.op in INDICATORS else (*parts[2:], *parts[:2]))
    return None


def _with_plain_rest(e: Node) -> Node | None:
    """C a + 1 - c, where the second branch is 1."""
    for k, term in enumerate(e.operands):
        rest = b.add(*(t for i, t in enumerate(e.operands) if i != k))
        for condition, branch in _with_indicator(term):
            if condition.op in INDICATORS and same(rest, _flipped(condition)):
                return b.make("cases", (condition, branch, rest, b.ones(e.dims)))
    return None
