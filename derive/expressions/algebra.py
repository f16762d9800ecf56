"""Sums, products and powers, kept in a flat form: like terms collected, powers of one base joined."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from math import prod

from derive.errors import ShapeError
from derive.expressions.leaves import Number, exact, number, ones, zeros
from derive.expressions.node import Node, intern_node
from derive.sizes import SCALAR, Dims, describe

NUMERIC = frozenset(("add", "product", "number", "zeros"))  # what may hold a numeric factor
UNIT = number(1)


def add(*terms: Node) -> Node:
    """A + B: terms of equal dimensions; a number is added to each entry of a matrix."""
    dims = _common(terms, "added")
    collected: dict[Node, tuple[Number, Node | None]] = {}
    for term in terms:
        for factor, rest, whole in _terms(term, dims):
            before = collected.get(rest)
            collected[rest] = (factor, whole) if before is None else (before[0] + factor, None)
    parts = [whole or scale(factor, rest) for rest, (factor, whole) in collected.items() if factor]
    if not parts:
        return zeros(dims)
    return parts[0] if len(parts) == 1 else intern_node("add", tuple(parts), (), dims)


def _terms(term: Node, dims: Dims) -> Iterable[tuple[Number, Node, Node | None]]:
    """The numeric factors of the terms of a sum, the rest of each, and the term as it stands if it can stay so."""
    if term.op not in NUMERIC and term.dims == dims:
        return ((1, term, term),)
    if term.op == "add":
        return [found for part in term.operands for found in _terms(part, dims)]
    factor, rest = split_number(term)
    if rest.op == "add":
        inside = [found for inner in rest.operands for found in _terms(inner, dims)]
        return [(factor * value, part, None) for value, part, _ in inside]
    if not factor:
        return ()
    if rest.dims != dims:
        return ((factor, product(rest, ones(dims)), None),)
    flat = rest.op != "product" or rest is not term.operands[-1]
    return ((factor, rest, term if flat else None),)


def _common(terms: tuple[Node, ...], verb: str) -> Dims:
    full = [t.dims for t in terms if t.dims != SCALAR] or [SCALAR]
    for other in full[1:]:
        if other != full[0]:
            raise ShapeError(f"{describe(full[0])} and {describe(other)} cannot be {verb}")
    return full[0]


def split_number(node: Node) -> tuple[Number, Node]:
    """The numeric factor of a term and the rest of it."""
    if node.op == "number":
        return node.data[0], UNIT
    if node.op == "zeros":
        return 0, node
    if node.op == "product" and node.operands[0].op == "number":
        rest = node.operands[1:]
        value: Number = node.operands[0].data[0]
        return value, rest[0] if len(rest) == 1 else intern_node("product", rest, (), node.dims)
    return 1, node


def factor_of(node: Node) -> Number:
    """The numeric factor of a term."""
    if node.op in ("number", "zeros"):
        return node.data[0] if node.op == "number" else 0
    return node.operands[0].data[0] if node.op == "product" and node.operands[0].op == "number" else 1


def scale(factor: Number, node: Node) -> Node:
    """C A for a number c."""
    if factor == 1:
        return node
    if node.op == "add":
        return add(*(scale(factor, t) for t in node.operands))
    own, rest = split_number(node)
    own = factor if own == 1 else own * factor
    if not own:
        return zeros(node.dims)
    if rest.op == "number":
        return number(own)
    if own == 1:
        return rest
    operands = (number(own), *(rest.operands if rest.op == "product" else (rest,)))
    return intern_node("product", operands, (), node.dims)


def negate(node: Node) -> Node:
    """-A."""
    return scale(-1, node)


def subtract(a: Node, b: Node) -> Node:
    """A - B."""
    return add(a, negate(b))


def product(*factors: Node) -> Node:
    """A B C: the matrix product; factors that are numbers commute and stand in front."""
    numbers, scalars, chain = list[Node](), list[Node](), list[Node]()
    for factor in factors:
        if factor.op == "product":
            _take_apart(factor, numbers, scalars, chain)
        elif factor.dims == SCALAR:
            (numbers if factor.op == "number" else scalars).append(factor)
        else:
            chain.append(factor)
    dims = _chain_dims(chain)
    if len(scalars) > 1:
        joined = _joined_powers(scalars)
        numbers += [part for part in joined if part.op == "number"]
        scalars = [part for part in joined if part.op != "number"]
    if len(numbers) > 1:
        numbers = [number(prod(part.data[0] for part in numbers))]
    if (numbers and not numbers[0].data[0]) or "zeros" in [c.op for c in chain]:
        return zeros(dims)
    chain = [c for c in chain if c.op != "eye"] or chain[:1]
    if numbers and numbers[0] is UNIT:
        numbers = []
    operands = (*numbers, *scalars, *chain)
    if len(operands) > 1:
        return intern_node("product", operands, (), dims)
    return operands[0] if operands else UNIT


def _take_apart(factor: Node, numbers: list[Node], scalars: list[Node], chain: list[Node]) -> None:
    """The factors of a product, each to its kind; an inner product stays together as a number."""
    inner = list[Node]()
    for part in factor.operands:
        if part.dims == SCALAR:
            (numbers if part.op == "number" else scalars).append(part)
        else:
            inner.append(part)
    if factor.dims == SCALAR and inner:
        scalars.append(intern_node("product", tuple(inner), (), SCALAR))
    else:
        chain.extend(inner)


def _chain_dims(chain: list[Node]) -> Dims:
    if len(chain) == 1:
        return chain[0].dims
    for left, right in pairwise(chain):
        if left.dims[1] != right.dims[0]:
            raise ShapeError(
                f"{describe(left.dims)} times {describe(right.dims)}: the inner sizes "
                f"{left.dims[1]} and {right.dims[0]} differ"
            )
    return (chain[0].dims[0], chain[-1].dims[1]) if chain else SCALAR


def _joined_powers(factors: list[Node]) -> list[Node]:
    """Factors with the powers of one base put together, but √x √x left: it has no value for x < 0."""
    if len({f.operands[0] if f.op == "power" else f for f in factors}) == len(factors):
        return factors
    whole, parts = dict[Node, Number](), dict[Node, list[Number]]()
    for factor in factors:
        base, exponent = base_and_exponent(factor)
        whole.setdefault(base, 0)
        if exponent.denominator == 1:
            whole[base] += exponent
        else:
            parts.setdefault(base, []).append(exponent)
    out = list[Node]()
    for base, exponent in whole.items():
        fractions = parts.get(base, [])
        total_exponent = exponent + sum(fractions)
        if fractions and total_exponent.denominator == 1 and not known_positive(base):
            fractions = [sum(fractions[:-1]), fractions[-1]] if len(fractions) > 2 else fractions
            out += [power(base, e) for e in (exponent, *fractions) if e]
        elif total_exponent or not fractions:
            out.append(power(base, total_exponent))
    return out


def known_positive(node: Node) -> bool:
    """Whether a value is positive by what is declared of it or by what it is."""
    if node.op == "symbol":
        return bool({"positive", "unit interval"} & set(node.data[2]))
    if node.op in ("exp", "softmax", "sigmoid", "size"):
        return True
    if node.op == "number":
        return node.data[0] > 0  # type: ignore[no-any-return]
    if node.op in ("add", "product", "hadamard", "total"):
        return all(known_positive(o) for o in node.operands)
    return node.op in ("entry", "transpose", "power") and known_positive(node.operands[0])


def base_and_exponent(node: Node) -> tuple[Node, Number]:
    """The base and the exponent of a power; (x, 1) for anything else."""
    if node.op == "power":
        return node.operands[0], node.data[0]
    return node, 1


def hadamard(*factors: Node) -> Node:
    """A ∘ B: the product entry by entry; numbers among the factors scale."""
    dims = _common(factors, "multiplied entry by entry")
    if dims == SCALAR:
        return product(*factors)
    outer = list[Node]()
    parts = _joined_powers([part for factor in factors for part in _elementwise_parts(factor, outer)])
    if any(p.op == "zeros" for p in parts):
        return zeros(dims)
    parts = [p for p in parts if p.op != "ones"] or [ones(dims)]
    whole = parts[0] if len(parts) == 1 else intern_node("hadamard", tuple(parts), (), dims)
    return product(*outer, whole) if outer else whole


def _elementwise_parts(factor: Node, outer: list[Node]) -> Iterable[Node]:
    if factor.dims == SCALAR:
        outer.append(factor)
        return
    if factor.op == "product":
        inner = [p for p in factor.operands if p.dims != SCALAR]
        outer.extend(p for p in factor.operands if p.dims == SCALAR)
        factor = inner[0] if len(inner) == 1 else intern_node("product", tuple(inner), (), factor.dims)
    if factor.op == "hadamard":
        yield from factor.operands
    else:
        yield factor


def divide(a: Node, b: Node) -> Node:
    """A ⊘ B: the quotient entry by entry."""
    if a.op == b.op == "number" and b.data[0]:
        return number(Fraction(a.data[0], b.data[0]))
    return hadamard(a, power(b, -1))


def power(base: Node, exponent: Number) -> Node:
    """A raised to a fixed exponent, entry by entry."""
    exponent = exact(exponent)
    if not exponent:
        return ones(base.dims)
    if exponent == 1 or base.op == "ones":
        return base
    whole = exponent.denominator == 1
    if base.op == "number":
        value: Number = base.data[0]
        if whole and -64 <= exponent <= 64 and (value or exponent > 0):
            return number(Fraction(value) ** int(exponent))
        if value == 1:
            return base
    if base.op == "power" and whole:
        inner: Number = base.data[0]
        if inner.denominator == 1 or (inner * exponent).denominator != 1 or known_positive(base.operands[0]):
            return power(base.operands[0], inner * exponent)
    if whole and base.dims == SCALAR and base.op == "product" and not _has_chain(base):
        return product(*(power(f, exponent) for f in base.operands))
    if whole and base.op == "hadamard":
        return hadamard(*(power(f, exponent) for f in base.operands))
    if whole and base.op == "product" and base.dims != SCALAR and len(matrices(base)) == 1:
        return product(*(power(f, exponent) for f in base.operands))
    if base.op == "zeros" and exponent > 0:
        return base
    return intern_node("power", (base,), (exponent,), base.dims)


def matrices(node: Node) -> list[Node]:
    """The matrix factors of a product."""
    return [o for o in node.operands if o.dims != SCALAR]


def _has_chain(node: Node) -> bool:
    return bool(matrices(node))
