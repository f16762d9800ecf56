"""Sums of entries that are numbers by definition: 1 for a softmax, 0 for deviations from the mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from derive.expressions import build as b
from derive.expressions.node import Node, count_nodes, walk
from derive.rules.driver import simplify
from derive.rules.parts import chain_of, scalars_of
from derive.sizes import ONE, SCALAR


@dataclass(frozen=True, slots=True)
class KnownSums:
    """`totals` maps sums of the entries of named vectors to numbers; in `centred` matrices each column sums to 0."""

    totals: Mapping[Node, Node] = field(default_factory=dict)
    centred: frozenset[Node] = frozenset()

    def split(self, node: Node) -> Node:
        """1^T (x + s a) as 1^T x + s 1^T a where 1^T a is known, and without the terms that are 0."""
        if not self.totals and not self.centred:
            return node
        found = {part: self._part(part) for part in walk(node) if part.op in ("total", "product")}
        changed = {part: new for part, new in found.items() if new is not part}
        return b.substitute(node, changed) if changed else node

    def _part(self, part: Node) -> Node:
        if part.op == "product":
            return self._product(part)
        body = part.operands[0]
        if body.op == "add" and any(b.total(v) in self.totals for t in body.operands for v in chain_of(t)):
            return b.add(*(b.total(t) for t in body.operands))
        return part

    def _product(self, part: Node) -> Node:
        for k, (left, right) in enumerate(zip(part.operands, part.operands[1:], strict=False)):
            if left.op != "ones" or SCALAR in (left.dims, right.dims):
                continue
            terms = right.operands if right.op == "add" else (right,)
            kept = [t for t in terms if chain_of(t)[0] not in self.centred]
            if len(kept) < len(terms):
                return b.product(*part.operands[: k + 1], b.add(b.zeros(right.dims), *kept), *part.operands[k + 2 :])
        return part


def known_sums(plain: Mapping[Node, Node], most: int) -> KnownSums:
    """What the definitions of a problem say; only definitions of up to `most` nodes are looked into."""
    totals, centred, full = dict[Node, Node](), set[Node](), dict[Node, Node]()
    for name, meaning in plain.items():
        if name.op != "symbol" or count_nodes(meaning) > most:
            continue
        if name.dims == SCALAR:
            totals |= _deviations(name, meaning)
        elif ONE in name.dims:
            total = simplify(b.substitute(simplify(b.total(meaning)), totals))
            total = total if total.op == "number" else simplify(b.substitute(total, full))
            totals |= {b.total(name): total} if total.op == "number" else {}
        elif chain_of(meaning)[0] in centred or _columns(b.substitute(meaning, full)).op == "zeros":
            centred.add(name)
        whole = b.substitute(meaning, full)
        if count_nodes(whole) <= most:
            full[name] = whole
    return KnownSums(totals, frozenset(centred))


def _columns(meaning: Node) -> Node:
    """The sums of the columns of a matrix."""
    ones = b.ones((ONE, meaning.dims[0]))
    terms = meaning.operands if meaning.op == "add" else (meaning,)
    return simplify(b.add(*(simplify(b.product(ones, t)) for t in terms)))


def _deviations(name: Node, meaning: Node) -> dict[Node, Node]:
    """For a mean m = 1^T x / n: 1^T x - n m is 0, either way round."""
    whole = [f for f in scalars_of(meaning) if f.op == "total" and ONE in f.operands[0].dims]
    if meaning.op != "product" or len(whole) != 1:
        return {}
    x = whole[0].operands[0]
    deviation = simplify(b.total(b.subtract(x, b.product(name, b.ones(x.dims)))))
    if simplify(b.substitute(deviation, {name: meaning})) != b.number(0):
        return {}
    return {deviation: b.number(0), b.negate(deviation): b.number(0)}
