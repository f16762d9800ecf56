"""Calling parts of an expression by their names: `\\hat{y} - y` is `\\delta` where the problem says so.

Names are found up to the order of terms and factors, also as a part of a longer sum or product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from derive.expressions import build as b
from derive.expressions.node import Node, landings, walk
from derive.expressions.order import Key, order_free
from derive.rules.parts import chain_of, scalars_of
from derive.sizes import ONE, SCALAR


def fold(node: Node, names: Mapping[Node, Node], also: Sequence[tuple[Node, Node]] = ()) -> Node:
    """The expression with each name put for its meaning; `names` maps a name to its meaning, in order.

    `also` holds further pairs of a name and a meaning, tried after these.
    """
    meanings = [(meaning, name) for name, meaning in (*names.items(), *also) if _worth(meaning)]
    meanings += [
        (turned, b.transpose(name))
        for meaning, name in meanings
        if (meaning.op == "transpose" or (meaning.op == "product" and name.dims != SCALAR))
        and _worth(turned := b.transpose(meaning))
    ]
    for _ in range(3):
        before = node
        for meaning, name in meanings:
            if not meaning.marks & ~node.marks:
                node = _put(node, meaning, name)
        if node is before:
            return node
    return node


def at_indices(node: Node, families: Mapping[Node, tuple[str, Node]]) -> dict[Node, Node]:
    """The members of indexed names at each index of an expression, with their meanings there."""
    if not families:
        return {}
    found = [part for part in walk(node) if part.op == "index" or (part.op == "member" and part.dims == SCALAR)]
    places = [p for p in dict.fromkeys(found) if p.op == "index" or p.operands[0].op == "index_family"]
    out: dict[Node, Node] = {}
    for family, (letter, meaning) in families.items():
        for place in places:
            out[b.member(family, place)] = b.substitute(meaning, {b.index(letter, None): place})
    return out


def _worth(meaning: Node) -> bool:
    return meaning.op not in ("symbol", "number", "member", "entry", "index", "size")


class _Lacking:
    """The expressions in which something with these marks cannot be."""

    def __init__(self, marks: int) -> None:
        self.marks = marks

    def __contains__(self, node: Any) -> bool:
        return bool(self.marks & ~node.marks)


def _put(root: Node, meaning: Node, name: Node) -> Node:
    done: dict[Node, Node] = {}
    key, lacks = order_free(meaning), _Lacking(meaning.marks)

    def visit(node: Node) -> Node:
        if node in done:
            return done[node]
        if node in lacks:
            return node
        if order_free(node) == key:
            done[node] = name
            return name
        parts = tuple(visit(o) for o in node.operands)
        out = node if parts == node.operands else b.rebuild(node, parts)
        done[node] = _inside(out, meaning, name) or out
        return done[node]

    for part in landings(root, lacks):
        visit(part)
    return visit(root)


def _inside(node: Node, meaning: Node, name: Node) -> Node | None:
    """The name for a part of a sum, of an elementwise product or of a scalar product."""
    if node.op == meaning.op == "power":
        return _power_of_name(node, meaning, name)
    if node.op == meaning.op == "add" and node.dims == meaning.dims:
        return _part_of_sum(node, meaning, name)
    if node.op == meaning.op == "hadamard" and node.dims == meaning.dims:
        rest = _take(list(node.operands), list(meaning.operands))
        return None if rest is None else b.hadamard(*_at_its_place(node, meaning, rest, name))
    if node.op == "hadamard" and meaning.op == "diag" and node.dims[1] == ONE:
        inside = meaning.operands[0]
        wanted = list(inside.operands) if inside.op == "hadamard" else [inside]
        rest = _take(list(node.operands), wanted)
        return None if not rest else b.product(name, b.hadamard(*rest))
    if node.op == "product" and meaning.op == "hadamard" and node.dims == SCALAR:
        return _inner_of_name(node, meaning, name)
    if node.op == "product" and meaning.op == "product":
        return _part_of_product(node, meaning, name)
    return None


def _take(factors: list[Node], wanted: list[Node]) -> list[Node] | None:
    """The factors without the wanted ones, powers counted; None if one of them is missing."""
    norms = {b.base_and_exponent(f)[0] for f in wanted} & {b.make("norm", (x,)) for f in factors for x in _squares(f)}
    powers = dict[Key, tuple[Node, b.Number]]()
    for base, exponent in (_as_norm(f, norms) for f in factors):
        before = powers.get(order_free(base), (base, 0))
        powers[order_free(base)] = (before[0], before[1] + exponent)
    for factor in wanted:
        base, exponent = b.base_and_exponent(factor)
        found = powers.get(order_free(base))
        if found is None or found[1] * exponent < 0 or b.magnitude(found[1]) < b.magnitude(exponent):
            return None
        powers[order_free(base)] = (found[0], found[1] - exponent)
    return [b.power(base, e) for base, e in powers.values() if e]


def _squares(factor: Node) -> tuple[Node, ...]:
    """The column x where a factor is a power of x^T x."""
    base = b.base_and_exponent(factor)[0]
    parts = base.operands if base.op == "product" and base.dims == SCALAR else ()
    return parts[1:] if len(parts) == 2 and parts[0].dims != SCALAR and parts[0] == b.transpose(parts[1]) else ()


def _as_norm(factor: Node, norms: set[Node]) -> tuple[Node, b.Number]:
    """The base and exponent of a factor, of x^T x as a square of the norm where that is wanted."""
    base, exponent = b.base_and_exponent(factor)
    found = [norm for x in _squares(factor) if (norm := b.make("norm", (x,))) in norms]
    return (found[0], 2 * exponent) if found else (base, exponent)


def _at_its_place(node: Node, meaning: Node, rest: list[Node], name: Node) -> list[Node]:
    """The factors that are left with the name where the first one of its meaning stood."""
    first = order_free(b.base_and_exponent(meaning.operands[0])[0])
    bases = [order_free(b.base_and_exponent(f)[0]) for f in node.operands]
    left = {order_free(b.base_and_exponent(f)[0]) for f in rest}
    before = sum(base in left for base in bases[: bases.index(first)])
    return [*rest[:before], name, *rest[before:]]


def _power_of_name(node: Node, meaning: Node, name: Node) -> Node | None:
    """x^{-3/2} where \\sqrt{x} has the name s: s^{-3}."""
    times = Fraction(node.data[0]) / Fraction(meaning.data[0])
    same = order_free(node.operands[0]) == order_free(meaning.operands[0])
    return b.power(name, times) if same and times.denominator == 1 else None


def _part_of_sum(node: Node, meaning: Node, name: Node) -> Node | None:
    mine = {order_free(rest): (value, rest) for value, rest in map(b.split_number, node.operands)}
    factor: Fraction | None = None
    for value, rest in map(b.split_number, meaning.operands):
        found = mine.pop(order_free(rest), None)
        ratio = Fraction(found[0]) / value if found is not None else None
        if ratio is None or (factor is not None and ratio != factor):
            return None
        factor = ratio
    assert factor is not None
    return b.add(b.scale(factor, name), *(b.scale(value, rest) for value, rest in mine.values()))


def _part_of_product(node: Node, meaning: Node, name: Node) -> Node | None:
    scalars, chain = scalars_of(node), chain_of(node)
    pushed = _into_sum(node, scalars, meaning, name)
    if pushed is not None:
        return pushed
    if not chain_of(meaning):
        return _part_of_numbers(scalars, chain, scalars_of(meaning), name)
    reached = _into_inner(node, scalars, meaning, name)
    if reached is not None:
        return reached
    inside = chain_of(meaning)
    left_over = _take(scalars, scalars_of(meaning))
    if left_over is None or len(inside) > len(chain) or meaning.dims == SCALAR:
        return None
    wanted = [order_free(f) for f in inside]
    turned = [order_free(b.negate(inside[0])), *wanted[1:]] if inside[0].op == "add" else wanted
    for start in range(len(chain) - len(inside) + 1):
        found = [order_free(f) for f in chain[start : start + len(inside)]]
        if found in (wanted, turned):
            sign = b.number(1 if found == wanted else -1)
            return b.product(sign, *left_over, *chain[:start], name, *chain[start + len(inside) :])
    return None


def _part_of_numbers(scalars: list[Node], chain: list[Node], wanted: list[Node], name: Node) -> Node | None:
    """The name for some of the scalar factors, or its negative where a sum stands the other way round."""
    sums = [f for f in wanted if f.op == "add"]
    turned = [b.negate(f) if f in sums[:1] else f for f in wanted]
    for sign, factors in ((1, wanted), (-1, turned)):
        rest = _take(scalars, factors) if scalars else None
        if rest is not None and (sign == 1 or sums):
            return b.product(b.number(sign), name, *rest, *chain)
    return None


def _into_sum(node: Node, scalars: list[Node], meaning: Node, name: Node) -> Node | None:
    """C Σ f where c f is the name: the factor belongs inside the sum."""
    wanted = {order_free(f) for f in scalars_of(meaning)}
    below = [f for f in scalars if b.base_and_exponent(f)[1] < 0 and order_free(f) in wanted]
    for factor in node.operands if below else ():
        if factor.op != "sum" or factor.operands[0].op == "sum":
            continue
        at_index = b.product(*below, factor.operands[0])
        named = _part_of_product(at_index, meaning, name) if at_index.op == "product" else None
        if named is not None:
            rest = [f for f in node.operands if f is not factor and f not in below]
            return b.product(*rest, b.make("sum", (named, factor.operands[1]), factor.data))
    return None


def _into_inner(node: Node, scalars: list[Node], meaning: Node, name: Node) -> Node | None:
    """s (x^\\top y) where s x is the name: the factor belongs to the vector inside the inner product."""
    wanted = scalars_of(meaning)
    left_over = _take(scalars, wanted) if wanted else None
    for inner in scalars if left_over is not None else ():
        if inner.op != "product" or not chain_of(inner) or inner in wanted:
            continue
        together = b.product(*wanted, *chain_of(inner))
        named = _part_of_product(together, meaning, name) or _part_of_product(_turned(together), meaning, name)
        if named is not None:
            rest = _take([s for s in scalars if s is not inner], wanted)
            return None if rest is None else b.product(*rest, *scalars_of(inner), named, *chain_of(node))
    return None


def _turned(inner: Node) -> Node:
    chain = [b.transpose(f) for f in reversed(chain_of(inner))]
    return b.product(*scalars_of(inner), *chain)


def _inner_of_name(node: Node, meaning: Node, name: Node) -> Node | None:
    """aᵀb where a ∘ b has a name: the sum of the entries of that name."""
    chain = chain_of(node)
    if len(chain) != 2 or chain[1].dims != meaning.dims:
        return None
    together = b.hadamard(b.transpose(chain[0]), chain[1])
    return b.product(*scalars_of(node), b.total(name)) if order_free(together) == order_free(meaning) else None
