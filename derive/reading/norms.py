"""Norms with an index: ‖x‖₁, ‖x‖₂, ‖x‖_∞, ‖x‖_p, ‖X‖_F, ‖x‖_A."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.reading import indices
from derive.sizes import ONE, SCALAR

if TYPE_CHECKING:
    from derive.reading.reader import Reader

REFUSED = {
    ("0",): "it counts entries: its derivative is 0 wherever it has one",
    ("*",): "its derivative needs singular vectors",
    ("2", ",", "1"): "write it as a sum of the norms of rows",
}
OF_VECTORS = frozenset((("1",), ("2",), (r"\infty",)))


def norm(reader: Reader, value: Node, kind: tuple[str, ...], span: Span) -> Node:
    """The norm with an index, of the operand of a plain norm."""
    body = value.operands[0]
    if kind in (("2",), ("F",)):
        return value
    if kind == ("1",):
        return b.total(b.apply("abs", body))
    if kind in REFUSED:
        message = f"The norm with index {' '.join(kind)} is not derived: {REFUSED[kind]}."
        raise AnswerError("unreadable", message, span)
    if kind == (r"\infty",):
        return b.make("largest", (b.apply("abs", body), b.ones(body.dims)))
    weight = _weight(reader, kind, span)
    if weight.dims == SCALAR and weight != b.number(0):
        return _with_exponent(body, weight)
    if weight.dims == (body.dims[0], body.dims[0]) and body.dims[1] == ONE:
        return b.power(b.product(b.transpose(body), weight, body), Fraction(1, 2))
    raise AnswerError("unreadable", f"The norm with index {' '.join(kind)} is not understood.", span)


def _weight(reader: Reader, kind: tuple[str, ...], span: Span) -> Node:
    try:
        return indices.value_of(reader, kind, span)
    except AnswerError as problem:
        message = f"The norm with index {' '.join(kind)} is not understood."
        raise AnswerError("unreadable", message, span) from problem


def _with_exponent(body: Node, exponent: Node) -> Node:
    """(Σ |x|^p)^{1/p}."""
    size = b.apply("abs", body)
    if exponent.op == "number":
        return b.power(b.total(b.power(size, exponent.data[0])), 1 / Fraction(exponent.data[0]))
    powers = b.make("general_power", (size, b.broadcast(exponent, size.dims)))
    return b.make("general_power", (b.total(powers), b.power(exponent, -1)))


def raised(reader: Reader, value: Node, sup: tuple[str, ...], span: Span) -> Node:
    """A value with a superscript, which on a norm may take its root away."""
    if value.op == "norm" and sup == ("2",):
        body = value.operands[0]
        return b.inner(body, body) if ONE in body.dims else b.total(b.power(body, 2))
    if value.op == "general_power":
        base, exponent = value.operands
        power = indices.value_of(reader, sup, span)
        if base.op == "total" and b.product(exponent, power) == b.number(1):
            return base
    return reader.raised(value, sup, span)


def single_bars(node: s.Scripted) -> tuple[str, ...]:
    """The index of `|w|_1`: of a vector in single bars it can only be that of a norm."""
    from derive.reading.match import scripts_of

    bars = isinstance(node.body, s.Bars) and node.body.sign == "|"
    subs = scripts_of(node)[0] if bars else ()
    return subs if subs in OF_VECTORS or subs == ("F",) else ()
