"""Reverse mode through one expression: the cotangent of everything it uses.

The driver knows no operation: it asks each record for its vector-Jacobian product, unless it is given another law
(how a broken one gives a wrong derivative, see `derive.misconceptions`).  Where a sum binds an index, what comes out
of its body is summed again; a member of a family receives its cotangent at a free index `q`, with a Kronecker delta
that picks the right term.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from derive.errors import NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.operations.registry import record
from derive.rules.driver import simplify
from derive.sizes import Range

Cotangents = dict[Node, Node]
Law = Callable[[Node, Node, Node], tuple[Node | None, ...]]


def true_law(node: Node, g: Node, out: Node) -> tuple[Node | None, ...]:
    """The cotangents of the operands of an operation whose own is `g` and whose output is called `out`."""
    entry = record(node.op)
    if entry.vjp is None:
        raise NoRuleError(entry.name, entry.refuses or "it has no vector-Jacobian product")
    return entry.vjp(g, out, *node.operands)


def member_index(family: Node) -> Node:
    """The free index at which the cotangent of a family is given."""
    return b.index(f"@{family.data[0]}", family.data[2])


def pullback(expression: Node, g: Node, names: Mapping[Node, Node] | None = None, law: Law = true_law) -> Cotangents:
    """The cotangents of the symbols and families in an expression, when its own is `g`.

    `names` calls expressions by a name: rules that use the output of an operation then use the name.
    """
    out: Cotangents = {}
    pending: dict[Node, Node] = {expression: g}
    for node in reversed(_in_order(expression)):
        cotangent = pending.pop(node, None)
        if cotangent is None or cotangent.op == "zeros" or cotangent == b.number(0):
            continue
        if node.op == "symbol":
            out[node] = b.add(cotangent, out[node]) if node in out else cotangent
        elif node.op == "member":
            _member(out, node, cotangent)
        elif node.op == "sum":
            _bound(out, node, cotangent, names, law)
        else:
            _step(pending, node, cotangent, (names or {}).get(node, node), law)
    return out


def _in_order(root: Node) -> list[Node]:
    """The nodes at this level of binding, operands first."""
    seen: dict[Node, None] = {}

    def visit(node: Node) -> None:
        if node in seen:
            return
        if node.op not in ("sum", "member"):
            for operand in node.operands:
                visit(operand)
        seen[node] = None

    visit(root)
    return list(seen)


def _step(pending: dict[Node, Node], node: Node, g: Node, out: Node, law: Law) -> None:
    if not node.operands:
        return
    named = out if out.data == node.data or out is not node else node
    for operand, part in zip(node.operands, law(node, g, _output(node, named)), strict=True):
        if part is not None:
            pending[operand] = b.add(part, pending[operand]) if operand in pending else part


def _output(node: Node, named: Node) -> Node:
    """The output by its name, unless the rule reads the operation's data off it."""
    return node if record(node.op).needs_data else named


def _member(out: Cotangents, node: Node, g: Node) -> None:
    family, position = node.operands
    if family.op != "family":
        return
    picked = b.product(b.make("index_equal", (position, member_index(family))), g)
    out[family] = b.add(picked, out[family]) if family in out else picked


def _bound(out: Cotangents, node: Node, g: Node, names: Mapping[Node, Node] | None, law: Law) -> None:
    """Through a sum: its body's cotangents, summed over the index again."""
    name, over = str(node.data[0]), node.data[1]
    body = law(node, g, node)[0]
    if body is None:
        return
    for leaf, part in pullback(node.operands[0], body, names, law).items():
        whole = simplify(total_over(part, name, over))
        out[leaf] = b.add(whole, out[leaf]) if leaf in out else whole


def total_over(part: Node, name: str, over: Range) -> Node:
    """Σ over an index, term by term where a Kronecker delta picks."""
    terms = part.operands if part.op == "add" else (part,)
    return b.add(*(b.sum_over(term, name, over) for term in terms))


def uses(node: Node, leaf: Node) -> bool:
    """Whether an expression uses a symbol or family."""
    return any(part is leaf for part in walk(node))
