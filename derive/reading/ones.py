"""Bold and plain 1: indicators, and vectors of ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.latex.parser import Parser
from derive.reading import conditions, functions, sums
from derive.sizes import ONE

if TYPE_CHECKING:
    from derive.reading.reader import Reader


def is_condition(call: s.Group) -> bool:
    """Whether a bracket holds relations only."""
    return bool(call.parts) and all(isinstance(part, s.Relation) for part in call.parts)


def indicator(reader: Reader, call: s.Group, tail: s.Scripted | None) -> Node:
    """1 where the conditions in a bracket hold, else 0; with the scripts of the bracket."""
    out = conditions.conditions(reader, call.parts)
    return functions.scripted_value(reader, out, tail) if tail is not None else out


def value(reader: Reader, node: s.Syntax, head: s.Syntax, following: s.Syntax | None) -> tuple[int, Node] | None:
    """An indicator, or a vector of ones of a given length; None for a plain 1."""
    call, tail = functions.call_of(following)
    if call is not None and is_condition(call) and not isinstance(node, s.Scripted):
        return 2, indicator(reader, call, tail)
    if not isinstance(node, s.Scripted) or not node.subs:
        return None if isinstance(head, s.Num) else (1, _plain_ones(reader, node))
    tokens = list(node.subs[0].tokens)
    if tokens and tokens[0].text in (r"\{", "(", "[") and tokens[-1].text in (r"\}", ")", "]"):
        tokens = tokens[1:-1]
    inside = Parser("", tokens, reader.scope.words, reader.scope.letters).listing()
    if any(isinstance(part, s.Relation) for part in inside):
        return 1, _rest(reader, conditions.conditions(reader, inside), node)
    if isinstance(head, s.Num) or len(inside) > 2:
        return None
    return 1, _rest(reader, _sized_ones(reader, inside), node)


def _plain_ones(reader: Reader, node: s.Syntax) -> Node:
    out = b.ones((reader.fresh_size(), ONE))
    return _rest(reader, out, node) if isinstance(node, s.Scripted) else out


def _rest(reader: Reader, out: Node, node: s.Scripted) -> Node:
    return functions.scripted_value(reader, out, s.Scripted(node.span, node.body, (), node.sups, node.primes))


def _sized_ones(reader: Reader, inside: tuple[s.Syntax, ...]) -> Node:
    """\\mathbf{1}_n, \\mathbf{1}_{P \\times 1}, \\mathbf{1}_{n, m}."""
    parts = list(inside)
    if len(parts) == 1 and isinstance(parts[0], s.Product) and len(parts[0].factors) == 2:
        sign = parts[0].factors[1][0]
        parts = [f for _, f in parts[0].factors] if sign in (r"\times", "*") else parts
    sizes = [sums.size_of(reader, part) for part in parts]
    return b.ones((sizes[0], sizes[1] if len(sizes) > 1 else ONE))
