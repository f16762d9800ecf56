"""Laws of exponentials, softmax and norms."""

from __future__ import annotations

from fractions import Fraction

from derive.expressions import build as b
from derive.expressions.node import Node, count_nodes
from derive.rules.driver import rule
from derive.rules.parts import negative, scalars_of
from derive.sizes import ONE, SCALAR, Size

_N = Size.of("n")


def _x() -> Node:
    return b.symbol("x", (_N, ONE))


@rule("product", example=lambda: (
    b.product(b.power(b.total(b.apply("exp", _x())), -1), b.apply("exp", _x())), b.apply("softmax", _x())
))  # fmt: skip
def quotient_is_softmax(e: Node) -> Node | None:
    r"""e^{x} / \mathbf{1}^\top e^{x} = \operatorname{softmax}(x), and the same for an entry"""
    for below in scalars_of(e):
        base, exponent = b.base_and_exponent(below)
        if exponent >= 0 or base.op != "total" or base.operands[0].op != "exp" or ONE not in base.operands[0].dims:
            continue
        logits = base.operands[0].operands[0]
        for above in e.operands:
            found = _softmax_part(above, logits)
            if found is not None:
                rest = [found if f is above else f for f in e.operands if f is not below]
                return b.product(*rest, b.power(base, exponent + 1))
    return None


def _softmax_part(above: Node, logits: Node) -> Node | None:
    if above.op == "hadamard":
        for factor in above.operands:
            if factor.op == "exp" and factor.operands[0] == logits:
                return b.hadamard(b.apply("softmax", logits), *(f for f in above.operands if f is not factor))
    inner = above.operands[0] if above.op in ("exp", "transpose") else above
    if above.op == "exp" and inner == logits:
        return b.apply("softmax", logits)
    if above.op == "transpose" and inner.op == "exp" and inner.operands[0] == logits:
        return b.transpose(b.apply("softmax", logits))
    if above.op == "exp" and inner.op == "entry" and inner.operands[0] == logits:
        return b.entry(b.apply("softmax", logits), *inner.operands[1:])
    return None


@rule("log", example=lambda: (b.apply("log", b.apply("exp", _x())), _x()))
def log_of_exp(e: Node) -> Node | None:
    r"""\log e^{x} = x"""
    return e.operands[0].operands[0] if e.operands[0].op == "exp" else None


@rule("power", example=lambda: (b.power(b.make("norm", (_x(),)), 2), b.inner(_x(), _x())))
def squared_norm(e: Node) -> Node | None:
    r"""\lVert x \rVert^2 = x^\top x"""
    base, exponent = b.base_and_exponent(e)
    if base.op != "norm" or exponent.denominator != 1 or exponent % 2:
        return None
    body = base.operands[0]
    square = b.inner(body, body) if ONE in body.dims else b.total(b.power(body, 2))
    return b.power(square, exponent // 2)


@rule("positive", example=lambda: (b.apply("positive", b.number(2)), b.number(1)))
def step_at_number(e: Node) -> Node | None:
    r"""\mathbb{1}\{2 > 0\} = 1"""
    x = e.operands[0]
    return b.number(int(x.data[0] > 0)) if x.op == "number" else None


@rule("maximum", "minimum", example=lambda: (b.make("maximum", (b.number(2), b.number(0))), b.number(2)))
def extremum_of_numbers(e: Node) -> Node | None:
    r"""\max(2, 0) = 2"""
    values = [o.data[0] for o in e.operands if o.op == "number"]
    if len(values) < 2:
        return None
    return b.number(max(values) if e.op == "maximum" else min(values))


def _s() -> Node:
    return b.symbol("s", SCALAR)


def _one_plus_exp(node: Node) -> Node | None:
    """X where a node is 1 + eˣ."""
    if node.op != "add" or len(node.operands) != 2:
        return None
    ones = [t for t in node.operands if t == b.number(1) or t.op == "ones"]
    exps = [t for t in node.operands if t.op == "exp"]
    return exps[0].operands[0] if len(ones) == len(exps) == 1 else None


@rule("power", example=lambda: (
    b.power(b.add(b.number(1), b.apply("exp", b.negate(_s()))), -1), b.apply("sigmoid", _s())
))  # fmt: skip
def logistic_function(e: Node) -> Node | None:
    r"""1 / (1 + e^{-x}) = \sigma(x)"""
    base, exponent = b.base_and_exponent(e)
    x = _one_plus_exp(base)
    if x is None or exponent >= 0:
        return None
    return b.power(b.apply("sigmoid", b.negate(x)), -exponent)


@rule("product", "hadamard", example=lambda: (
    b.product(b.apply("exp", _s()), b.apply("sigmoid", b.negate(_s()))), b.apply("sigmoid", _s())
))  # fmt: skip
def exp_times_sigmoid(e: Node) -> Node | None:
    r"""e^{x} \sigma(-x) = \sigma(x)"""
    for top in e.operands:
        if top.op != "exp":
            continue
        wanted = b.apply("sigmoid", b.negate(top.operands[0]))
        for k, factor in enumerate(e.operands):
            base, exponent = b.base_and_exponent(factor)
            if base == wanted and exponent >= 1:
                rest = [f for i, f in enumerate(e.operands) if i != k and f is not top]
                parts = [*rest, b.power(wanted, exponent - 1), b.apply("sigmoid", top.operands[0])]
                return b.hadamard(*parts) if e.op == "hadamard" else b.product(*parts)
    return None


@rule("product", "hadamard", example=lambda: (
    b.product(b.apply("sigmoid", _s()), b.apply("sigmoid", b.negate(_s()))),
    b.product(b.apply("sigmoid", _s()), b.subtract(b.number(1), b.apply("sigmoid", _s()))),
))  # fmt: skip
def sigmoid_pair(e: Node) -> Node | None:
    r"""\sigma(x) \sigma(-x) = \sigma(x) (1 - \sigma(x))"""
    found = [f for f in e.operands if f.op == "sigmoid"]
    for one in found:
        for other in e.operands:
            if other.op == "sigmoid" and other.operands[0] == b.negate(one.operands[0]) and other is not one:
                plain, turned = (other, one) if negative(one.operands[0]) else (one, other)
                parts = [b.subtract(b.number(1), plain) if f is turned else f for f in e.operands]
                return b.hadamard(*parts) if e.op == "hadamard" else b.product(*parts)
    return None


@rule("log", example=lambda: (
    b.apply("log", b.add(b.number(1), b.apply("exp", _s()))), b.apply("softplus", _s())
))  # fmt: skip
def log_of_one_plus_exp(e: Node) -> Node | None:
    r"""\log(1 + e^{x}) is the softplus of x"""
    x = _one_plus_exp(e.operands[0])
    return None if x is None else b.apply("softplus", x)


@rule("product", "hadamard", example=lambda: (
    b.product(
        b.subtract(b.apply("exp", _s()), b.apply("exp", b.negate(_s()))),
        b.power(b.add(b.apply("exp", _s()), b.apply("exp", b.negate(_s()))), -1),
    ),
    b.apply("tanh", _s()),
))  # fmt: skip
def tanh_by_exponentials(e: Node) -> Node | None:
    r"""(e^{x} - e^{-x}) / (e^{x} + e^{-x}) = \tanh x"""
    for below in e.operands:
        base, exponent = b.base_and_exponent(below)
        x = _pair_of_exps(base, 1)
        if x is None or exponent >= 0:
            continue
        for above in e.operands:
            y = _pair_of_exps(above, -1)
            if y is not None and y in (x, b.negate(x)):
                rest = [f for f in e.operands if f is not above and f is not below]
                parts = [*rest, b.power(base, exponent + 1), b.apply("tanh", y)]
                return b.hadamard(*parts) if e.op == "hadamard" else b.product(*parts)
    return None


def _pair_of_exps(node: Node, sign: int) -> Node | None:
    """X where a node is eˣ ± e⁻ˣ."""
    if node.op != "add" or len(node.operands) != 2:
        return None
    split = [b.split_number(t) for t in node.operands]
    if any(rest.op != "exp" for _, rest in split) or {v for v, _ in split} != {1, sign}:
        return None
    first, second = (rest.operands[0] for _, rest in sorted(split, key=lambda pair: -pair[0]))
    return first if first == b.negate(second) else None


@rule("product", "hadamard", example=lambda: (
    b.product(b.make("maximum", (b.number(0), _s())), b.apply("positive", _s())), b.make("maximum", (b.number(0), _s()))
))  # fmt: skip
def positive_part_times_step(e: Node) -> Node | None:
    r"""\max(0, x)\, \mathbb{1}\{x > 0\} = \max(0, x)"""
    for step in e.operands:
        if step.op != "positive":
            continue
        x = step.operands[0]
        zero = b.zeros(x.dims)
        for part in e.operands:
            base, exponent = b.base_and_exponent(part)
            rectified = base.op == "relu" or (base.op == "maximum" and zero in base.operands)
            if rectified and x in base.operands and exponent > 0:
                rest = [f for f in e.operands if f is not step]
                return b.hadamard(*rest) if e.op == "hadamard" else b.product(*rest)
    return None


@rule("product", "hadamard", example=lambda: (b.product(_s(), b.apply("sign", _s())), b.apply("abs", _s())))
def value_times_sign(e: Node) -> Node | None:
    r"""x \operatorname{sign}(x) = |x|"""
    for sign in e.operands:
        if sign.op == "sign" and sign.operands[0] in e.operands:
            rest = [f for f in e.operands if f is not sign and f is not sign.operands[0]]
            parts = [*rest, b.apply("abs", sign.operands[0])]
            return b.hadamard(*parts) if e.op == "hadamard" else b.product(*parts)
    return None


@rule("add", example=lambda: (
    b.subtract(
        b.power(b.add(b.number(1), b.apply("abs", _s())), -1),
        b.product(b.apply("abs", _s()), b.power(b.add(b.number(1), b.apply("abs", _s())), -2)),
    ),
    b.power(b.add(b.number(1), b.apply("abs", _s())), -2),
))  # fmt: skip
def common_denominator(e: Node) -> Node | None:
    r"""1/a - b/a^2 = (a - b)/a^2, entry by entry too, where that is shorter"""
    below: dict[Node, b.Number] = {}
    for term in e.operands:
        for base, exponent in map(b.base_and_exponent, _factors_below(term, e)):
            if exponent < 0 and base.op == "add":
                below[base] = min(below.get(base, exponent), exponent)
    for base, exponent in below.items():
        above = b.add(*(b.hadamard(term, b.power(base, -exponent)) for term in e.operands))
        together = b.hadamard(above, b.power(base, exponent))
        if count_nodes(together) < count_nodes(e):
            return together
    return None


def _factors_below(term: Node, e: Node) -> list[Node]:
    """The factors of a term that may stand below the line: those of the shape of the whole sum."""
    if e.dims == SCALAR:
        return scalars_of(term)
    whole = b.split_number(term)[1]
    return list(whole.operands) if whole.op == "hadamard" else [whole]


@rule("product", "hadamard", example=lambda: (
    b.product(b.apply("sinh", _s()), b.power(b.apply("cosh", _s()), -1)), b.apply("tanh", _s())
))  # fmt: skip
def tangents(e: Node) -> Node | None:
    r"""\sinh x / \cosh x = \tanh x and \sin x / \cos x = \tan x"""
    for above in e.operands:
        lower, whole = {"sinh": ("cosh", "tanh"), "sin": ("cos", "tan")}.get(above.op, ("", ""))
        below = b.power(b.apply(lower, above.operands[0]), -1) if lower else None
        if below in e.operands:
            rest = [f for f in e.operands if f is not above and f is not below]
            parts = [*rest, b.apply(whole, above.operands[0])]
            return b.hadamard(*parts) if e.op == "hadamard" else b.product(*parts)
    return None


@rule("product", example=lambda: (
    b.product(b.power(b.number(2), Fraction(-1, 2)), b.power(b.constant("pi"), Fraction(-1, 2))),
    b.power(b.product(b.number(2), b.constant("pi")), Fraction(-1, 2)),
))  # fmt: skip
def roots_together(e: Node) -> Node | None:
    r"""\sqrt{2} \sqrt{\pi} = \sqrt{2 \pi} for fixed positive numbers"""
    halves = [f for f in scalars_of(e) if f.op == "power" and abs(f.data[0]) == Fraction(1, 2)]
    fixed = [f for f in halves if f.operands[0].op == "constant" or _positive_number(f.operands[0])]
    for one in fixed:
        for other in fixed:
            if one is not other and one.data == other.data:
                inside = sorted((one.operands[0], other.operands[0]), key=lambda x: x.op == "constant")
                rest = [f for f in e.operands if f is not one and f is not other]
                return b.product(b.power(b.product(*inside), one.data[0]), *rest)
    return None


def _positive_number(node: Node) -> bool:
    return node.op in ("number", "size") and b.known_positive(node)
