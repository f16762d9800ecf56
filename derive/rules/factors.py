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


def content(values: Iterable[Fraction]) -> Fraction:
    """The largest number that leaves whole numbers when it is taken out."""
    sizes = [abs(v) for v in values]
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
    powers = [dict(map(b.base_and_exponent, scalars_of(t))) for t in e.operands]
    for base, first in powers[0].items():
        exponents = [p.get(base, Fraction(0)) for p in powers]
        if base.op == "number" or any((x - first).denominator != 1 or x * first <= 0 for x in exponents):
            continue
        shared = b.power(base, min(exponents, key=abs))
        inside = b.add(*(b.product(b.power(shared, -1), t) for t in e.operands))
        return b.product(shared, inside)
    return None


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


def _numbers(term: Node) -> list[Node]:
    return scalars_of(term) if term.op == "product" else []
