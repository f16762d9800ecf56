"""Laws that take out what the terms of a sum share in part: numbers, powers, the vector of a quadratic form."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import gcd, lcm

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.rules.driver import rule
from derive.rules.examples import N, column, number
from derive.rules.parts import chain_of, scalars_of
from derive.sizes import SCALAR


def content(values: Iterable[b.Number]) -> Fraction:
    """The largest number that leaves whole numbers when it is taken out."""
    sizes = [b.magnitude(v) for v in values]
    return Fraction(gcd(*(v.numerator for v in sizes)), lcm(*(v.denominator for v in sizes)))


@rule("add", example=lambda: (
    b.subtract(b.scale(Fraction(1, 2), b.apply("exp", column("s"))), b.scale(Fraction(1, 2), b.ones(column("s").dims))),
    b.product(b.number(Fraction(1, 2)), b.subtract(b.apply("exp", column("s")), b.ones(column("s").dims))),
))  # fmt: skip
def number_out_of_sum(e: Node) -> Node | None:
    r"""\frac{1}{2} e^{s} - \frac{1}{2} = \frac{1}{2} (e^{s} - 1); whole numbers only where no term has a sum inside"""
    split = [b.split_number(t) for t in e.operands]
    size = content(v for v, _ in split)
    nested = any(f.op == "add" for _, rest in split for f in (*rest.operands, rest))
    mixed = len({v.denominator for v, _ in split}) > 1
    if size == 1 or mixed or (size > 1 and nested) or e.dims == SCALAR:
        return None
    return b.product(b.number(size), b.add(*(b.scale(1 / size, t) for t in e.operands)))


@rule("add", example=lambda: (
    b.subtract(
        b.product(b.power(number("s"), -1), column("x")),
        b.product(b.power(number("s"), -3), number("t"), column("y")),
    ),
    b.product(
        b.power(number("s"), -1),
        b.subtract(column("x"), b.product(b.power(number("s"), -2), number("t"), column("y"))),
    ),
))  # fmt: skip
def common_power(e: Node) -> Node | None:
    r"""s^{-1} x - s^{-3} t\, y = s^{-1} (x - s^{-2} t\, y) for vectors and matrices"""
    if e.dims == SCALAR:
        return None
    powers = [_powers(t) for t in e.operands]
    for base, first in powers[0].items():
        exponents = [p.get(base, 0) for p in powers]
        if base.op == "number" or any((x - first).denominator != 1 or x * first <= 0 for x in exponents):
            continue
        shared = min(exponents, key=b.magnitude)
        inside = (_without(t, base, x - shared) for t, x in zip(e.operands, exponents, strict=True))
        return b.product(b.power(base, shared), b.add(*inside))
    return None


def _powers(term: Node) -> dict[Node, b.Number]:
    """The exponents of the scalar factors; of a base that stands twice, none."""
    found = [b.base_and_exponent(f) for f in scalars_of(term)]
    bases = [base for base, _ in found]
    return {base: exponent for base, exponent in found if bases.count(base) == 1}


def _without(term: Node, base: Node, left: b.Number) -> Node:
    """A term with another power of one of its factors."""
    rest = [f for f in scalars_of(term) if b.base_and_exponent(f)[0] != base]
    return b.product(*rest, b.power(base, left), *chain_of(term))


def _matrix() -> Node:
    return b.symbol("A", (N, N))


@rule("add", example=lambda: (
    b.add(b.product(_matrix(), column("x")), b.product(b.transpose(_matrix()), column("x")), column("y")),
    b.add(b.product(b.add(_matrix(), b.transpose(_matrix())), column("x")), column("y")),
))  # fmt: skip
def symmetric_part(e: Node) -> Node | None:
    r"""A x + A^\top x + y = (A + A^\top) x + y"""
    if len(e.operands) < 3:
        return None
    for k, one in enumerate(e.operands):
        first = chain_of(one)
        for other in e.operands[k + 1 :]:
            second = chain_of(other)
            alike = _numbers(one) == _numbers(other) and len(first) == len(second) > 1 and first[1:] == second[1:]
            if alike and second[0] == b.transpose(first[0]) != first[0]:
                pair = b.product(*_numbers(one), b.add(first[0], second[0]), *first[1:])
                rest = [t for t in e.operands if t is not one and t is not other]
                return b.add(pair, *rest)
    return None


@rule("add", example=lambda: (
    b.add(b.product(number("s"), b.inner(column("x"), column("y"))), b.inner(column("z"), column("x"))),
    b.inner(column("x"), b.add(b.product(number("s"), column("y")), column("z"))),
))  # fmt: skip
def inner_products_together(e: Node) -> Node | None:
    r"""s\, x^\top y + z^\top x = x^\top (s\, y + z)"""
    found = [_inner_product(t) for t in e.operands] if e.dims == SCALAR else []
    known = [part for part in found if part is not None]
    if not known or len(known) < len(e.operands):
        return None
    for shared in known[0][1:]:
        if all(shared in sides for _, *sides in known):
            rest = [b.product(*numbers, second if first == shared else first) for numbers, first, second in known]
            return b.inner(shared, b.add(*rest))
    return None


def _inner_product(term: Node) -> tuple[list[Node], Node, Node] | None:
    """The other factors and both sides of a term that is a number times x^T y."""
    numbers, chain = _numbers(term), chain_of(term)
    inner = [f for f in numbers if f.op == "product" and len(chain_of(f)) == len(f.operands) == 2]
    if not chain and len(inner) == 1:
        numbers, chain = [f for f in numbers if f is not inner[0]], chain_of(inner[0])
    return (numbers, b.transpose(chain[0]), chain[1]) if len(chain) == 2 else None


def _numbers(term: Node) -> list[Node]:
    return scalars_of(term) if term.op == "product" else []
