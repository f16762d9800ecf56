"""Places in a formula: what stands where, and the formula with something else there.

Whatever does not change keeps its identity: a formula with another part shares all others with the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from derive.latex import syntax as s

T = TypeVar("T")


class Place:
    """A part of a formula and where it stands: part number `slot` of what is `above` it (None above the whole)."""

    __slots__ = ("above", "part", "slot")

    def __init__(self, part: s.Syntax, above: Place | None = None, slot: int = 0) -> None:
        self.part, self.above, self.slot = part, above, slot

    def put(self, new: s.Syntax, top: Place | None = None) -> s.Syntax:
        """The whole formula, or what is at the place `top` above this one, with another part here."""
        here = self
        while here.above is not None and here is not top:
            new = with_part(here.above.part, here.slot, new)
            here = here.above
        return new

    def within(self) -> Iterator[Place]:
        """This place and all those in it, in the order of the text."""
        yield self
        for slot, part in enumerate(parts_of(self.part)):
            yield from Place(part, self, slot).within()


def parts_of(node: s.Syntax) -> tuple[s.Syntax, ...]:
    """The parts of one piece of syntax that are values."""
    if isinstance(node, s.Sum):
        return tuple([term for _, term in node.terms])
    if isinstance(node, s.Product):
        return tuple([factor for _, factor in node.factors])
    if isinstance(node, s.Frac):
        return node.above, node.below
    if isinstance(node, s.Group):
        return node.parts if node.error is None else ()
    if isinstance(node, (s.Root, s.BigOperator, s.Scripted, s.Bars, s.At)):
        return (node.body,)
    if isinstance(node, s.Relation):
        return node.sides
    return tuple([branch for branch, _ in node.branches]) if isinstance(node, s.Cases) else ()


def with_part(node: s.Syntax, k: int, new: s.Syntax) -> s.Syntax:
    """One piece of syntax with another part number k."""
    if isinstance(node, s.Sum):
        return s.Sum(node.span, put_at(node.terms, k, (node.terms[k][0], new)))
    if isinstance(node, s.Product):
        return s.Product(node.span, put_at(node.factors, k, (node.factors[k][0], new)))
    if isinstance(node, s.Frac):
        return s.Frac(node.span, node.above, new) if k else s.Frac(node.span, new, node.below)
    if isinstance(node, s.Group):
        return replace(node, parts=put_at(node.parts, k, new))
    if isinstance(node, s.Relation):
        return replace(node, sides=put_at(node.sides, k, new))
    if isinstance(node, s.Cases):
        return replace(node, branches=put_at(node.branches, k, (new, node.branches[k][1])))
    assert isinstance(node, (s.Root, s.BigOperator, s.Scripted, s.Bars, s.At))
    return replace(node, body=new)


def mapped(
    node: s.Syntax, change: Callable[[s.Syntax], s.Syntax], into: Callable[[s.Syntax], bool] = lambda part: True
) -> s.Syntax:
    """A formula with each part changed, from the inside out; what is not gone `into` stays."""
    if not into(node):
        return node
    for k, part in enumerate(parts_of(node)):
        new = mapped(part, change, into)
        if new is not part:
            node = with_part(node, k, new)
    return change(node)


def put_at(items: tuple[T, ...], k: int, new: T) -> tuple[T, ...]:
    """A tuple with another item at one place."""
    return (*items[:k], new, *items[k + 1 :])
