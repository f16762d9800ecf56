"""Kronecker deltas in sums with conditions: Σ_{j ≠ i} δ_jk f_j is f_k where k ≠ i, which limits the sum around it."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk

UNIT = b.number(1)


def settled(root: Node) -> Node:
    """The expression with the deltas of limited sums picked, and conditions under the sum whose index they limit."""
    if not any(part.op == "sum" and part.operands[1] != UNIT for part in walk(root)):
        return root
    done: dict[Node, Node] = {}

    def visit(node: Node) -> Node:
        if node not in done:
            parts = tuple(visit(o) for o in node.operands)
            out = node if parts == node.operands else b.rebuild(node, parts)
            done[node] = _sum(out) if out.op == "sum" else out
        return done[node]

    return visit(root)


def _sum(node: Node) -> Node:
    """A sum term by term."""
    body, condition = node.operands
    name = str(node.data[0])
    terms = _terms(body, name)
    if condition == UNIT and not any(_is_condition(f) for term in terms for f in _factors(term)):
        return node
    return b.add(*(_term(term, condition, node, name) for term in terms))


def _terms(body: Node, name: str) -> list[Node]:
    """The terms of a sum's body, multiplied out where a delta stands in a bracket."""
    if body.op == "add":
        return [term for part in body.operands for term in _terms(part, name)]
    if body.op == "product":
        for k, factor in enumerate(body.operands):
            if factor.op == "add" and any(part.op == "index_equal" for part in walk(factor)):
                if _is_condition(factor):
                    continue
                rest = (*body.operands[:k], *body.operands[k + 1 :])
                return [t for part in factor.operands for t in _terms(b.product(part, *rest), name)]
    return [body]


def _factors(term: Node) -> tuple[Node, ...]:
    return term.operands if term.op == "product" else (term,)


def _is_condition(node: Node) -> bool:
    """Whether a factor is 0 or 1 by its indices: i < j, or 1 − δ_ij."""
    if node.op == "index_less":
        return True
    if node.op != "add" or len(node.operands) != 2 or UNIT not in node.operands:
        return False
    value, rest = b.split_number(next((o for o in node.operands if o != UNIT), UNIT))
    return value == -1 and rest.op == "index_equal"


def _term(term: Node, condition: Node, whole: Node, name: str) -> Node:
    """One term under the sum: a delta of its index picks, conditions on the index join the sum's own."""
    factors = _factors(term)
    for factor in factors:
        if factor.op != "index_equal":
            continue
        for mine, other in (factor.operands, factor.operands[::-1]):
            if mine.op == "index" and mine.data[0] == name and name not in free_indices(other):
                rest = b.product(condition, *(f for f in factors if f is not factor))
                return b.substitute(rest, {mine: other})
    limits = [f for f in factors if _is_condition(f) and name in free_indices(f)]
    outside = [f for f in factors if name not in free_indices(f)]
    inside = [f for f in factors if f not in limits and f not in outside]
    return b.product(*outside, b.make("sum", (b.product(*inside), b.product(condition, *limits)), whole.data))
