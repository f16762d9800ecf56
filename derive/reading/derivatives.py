"""Derivatives that stand unexpanded in a formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from derive.errors import AnswerError, AuthorError, ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.latex import syntax as s
from derive.reading import names
from derive.reading.scope import normal
from derive.sizes import SCALAR

if TYPE_CHECKING:
    from derive.reading.reader import Reader

MARK = "?"


def value(reader: Reader, node: s.Derivative) -> Node:
    """The value of a derivative.  Raises `AnswerError` with the code `unexpanded` where it has none."""
    for entity in reader.scope.entities.get("∂", []):
        if entity.pattern.sub == normal(node.tokens) and entity.node is not None:
            return entity.node
    if reader.derive is None:
        raise AnswerError("unexpanded", "A derivative stands here unexpanded.", node.span)
    if node.of is None:
        raise AnswerError("unexpanded", "This operator acts on nothing.", node.span)
    of, wrt = reader.expression(without_arguments(reader, node.of)), reader.expression(node.wrt)
    try:
        return reader.derive(of, wrt)
    except AuthorError as problem:
        raise AnswerError("unexpanded", problem.message, node.span) from problem
    except ShapeError as problem:
        raise AnswerError("unexpanded", f"{problem.message}.", node.span) from problem
    except AnswerError as problem:
        raise AnswerError(problem.code, problem.message, problem.span or node.span) from problem


def with_free_indices_kept(derive: Callable[[Node, Node], Node], of: Node, wrt: Node) -> Node:
    """The derivative, with the indices that are free in it called otherwise while the engine sums over its own."""
    free = {p for node in (of, wrt) for p in walk(node) if p.op == "index" and p.data[1] is None}
    inside = {p.data[0] for node in (of, wrt) for p in walk(node) if p.op == "sum"}
    marked = {p: b.index(f"{MARK}{p.data[0]}", None) for p in free if p.data[0] not in inside}
    out = derive(b.substitute(of, marked), b.substitute(wrt, marked))
    out = _renamed(out, {str(p.data[0]) for p in marked})
    return b.substitute(out, {new: old for old, new in marked.items()})


def _renamed(root: Node, avoid: set[str]) -> Node:
    """The same expression with no sum over an index that is called as one of `avoid`."""
    done: dict[Node, Node] = {}
    taken = avoid | {str(p.data[0]) for p in walk(root) if p.op == "index"}
    for node in walk(root):
        parts = tuple(done[o] for o in node.operands)
        out = node if parts == node.operands else b.rebuild(node, parts)
        if out.op == "sum" and out.data[0] in avoid:
            name, over = str(out.data[0]), out.data[1]
            fresh = name
            while fresh in taken:
                fresh += "'"
            swap = {b.index(name, None): b.index(fresh, None)}
            body, condition = (b.substitute(o, swap) for o in out.operands)
            out = b.make("sum", (body, condition), (fresh, over))
        done[node] = out
    return done[root]


def without_arguments(reader: Reader, of: s.Syntax) -> s.Syntax:
    """`J` for `J(\\theta)`: what a declared number depends on may be written behind it."""
    if not isinstance(of, s.Product) or len(of.factors) != 2:
        return of
    (_, head), (sign, call) = of.factors
    if sign or not isinstance(call, s.Group) or not isinstance(head, (s.Name, s.Scripted)):
        return of
    found = names.resolve(reader, head, call)
    if found is None or found.called or found.entity.node is None or found.entity.node.dims != SCALAR:
        return of
    return head


def at_point(reader: Reader, node: s.At) -> Node:
    """`f'(u)|_{u = z}` for a letter that only stands there; a declared name only at its own value."""
    condition = node.condition
    if not isinstance(condition, s.Relation) or condition.signs != ("=",):
        raise AnswerError("unreadable", "A point is written |_{x = a}.", node.span)
    letter, point = condition.sides[0], reader.expression(condition.sides[1])
    if not isinstance(letter, s.Name):
        raise AnswerError("unreadable", "A point is written |_{x = a}.", node.span)
    if letter.base in reader.scope.entities or letter.base in reader.bound:
        if reader.expression(letter) != point:
            raise AnswerError("unexpanded", f"The value at {letter.base} = … is not expanded.", node.span)
        return reader.expression(node.body)
    variable = b.symbol(f"?{letter.base}", point.dims)
    return b.substitute(reader.bind(letter.base, variable).expression(node.body), {variable: point})
