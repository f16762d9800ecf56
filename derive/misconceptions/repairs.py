"""Repairs: a student's formula with one slip undone, and the place of the slip in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from derive.errors import DeriveError, Span
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.misconceptions.registry import Misconception, records
from derive.sizes import Dims

T = TypeVar("T")
MOST_REPAIRS, MOST_SECOND = 500, 400
Read = Callable[[s.Syntax], Node | None]
Put = Callable[[s.Syntax], s.Syntax]


@dataclass(frozen=True, slots=True)
class Named:
    """A name that an answer may use: how it is written, and its value."""

    syntax: s.Syntax
    node: Node


@dataclass(slots=True)
class Around:
    """What repairs may look at: the whole formula, how parts are read, the names and index letters there are.

    `loose` says that the shapes of the formula do not fit, so that a name of any shape may be the slip.
    """

    root: s.Syntax
    read: Read
    names: tuple[Named, ...]
    letters: tuple[str, ...]
    labels: tuple[tuple[Named, Named], ...]
    activated: tuple[tuple[Named, Named], ...]
    functions: frozenset[str]
    loose: bool = False
    _read: dict[s.Syntax, Node | None] = field(default_factory=dict)

    def value(self, part: s.Syntax) -> Node | None:
        """The expression that a part stands for by itself; None if it has no meaning there."""
        if part not in self._read:
            self._read[part] = self.read(part)
        return self._read[part]

    def dims(self, part: s.Syntax) -> Dims | None:
        """The dimensions of a part by itself."""
        found = self.value(part)
        return None if found is None else found.dims


@dataclass(frozen=True, slots=True)
class Repair:
    """A formula in which one slip is undone."""

    code: str
    span: Span
    syntax: s.Syntax


def repairs_of(around: Around, only: frozenset[str] = frozenset(), most: int = MOST_REPAIRS) -> Iterator[Repair]:
    """Every formula with one slip undone, in the order of the text."""
    chosen = [m for m in records() if not only or m.code in only]
    count, seen = 0, {around.root}
    for part, put in places(around.root, lambda new: new):
        for one in chosen:
            for new, span in _fitting(one, part, around):
                whole = put(new)
                if whole in seen:
                    continue
                seen.add(whole)
                count += 1
                if count > most:
                    return
                yield Repair(one.code, span, whole)


def _fitting(one: Misconception, part: s.Syntax, around: Around) -> Iterator[tuple[s.Syntax, Span]]:
    try:
        yield from one.repairs(part, around)
    except DeriveError:
        return


def places(node: s.Syntax, put: Put) -> Iterator[tuple[s.Syntax, Put]]:
    """Every part of a formula with what puts another in its place."""
    yield node, put
    for child, put_child in children(node):
        yield from places(child, lambda new, put_child=put_child: put(put_child(new)))  # type: ignore[misc]


def children(node: s.Syntax) -> Iterator[tuple[s.Syntax, Put]]:
    """The parts of one piece of syntax that are values."""
    if isinstance(node, s.Sum):
        for k, (sign, term) in enumerate(node.terms):
            yield term, lambda new, k=k, sign=sign: replace(node, terms=put_at(node.terms, k, (sign, new)))  # type: ignore[misc]
    elif isinstance(node, s.Product):
        for k, (dot, factor) in enumerate(node.factors):
            yield factor, lambda new, k=k, dot=dot: replace(node, factors=put_at(node.factors, k, (dot, new)))  # type: ignore[misc]
    elif isinstance(node, s.Frac):
        yield node.above, lambda new: replace(node, above=new)
        yield node.below, lambda new: replace(node, below=new)
    elif isinstance(node, s.Group) and node.error is None:
        for k, part in enumerate(node.parts):
            yield part, lambda new, k=k: replace(node, parts=put_at(node.parts, k, new))  # type: ignore[misc]
    elif isinstance(node, (s.Root, s.BigOperator, s.Scripted, s.Bars, s.At)):
        yield node.body, lambda new: replace(node, body=new)
    elif isinstance(node, s.Relation):
        for k, side in enumerate(node.sides):
            yield side, lambda new, k=k: replace(node, sides=put_at(node.sides, k, new))  # type: ignore[misc]
    elif isinstance(node, s.Cases):
        for k, (branch, given) in enumerate(node.branches):
            yield branch, lambda new, k=k, given=given: replace(node, branches=put_at(node.branches, k, (new, given)))  # type: ignore[misc]


def mapped(
    node: s.Syntax, change: Callable[[s.Syntax], s.Syntax], into: Callable[[s.Syntax], bool] = lambda part: True
) -> s.Syntax:
    """A formula with each part changed, from the inside out; what is not gone `into` stays."""
    if not into(node):
        return node
    for k in range(sum(1 for _ in children(node))):
        child, put = list(children(node))[k]
        node = put(mapped(child, change, into))
    return change(node)


def put_at(items: tuple[T, ...], k: int, new: T) -> tuple[T, ...]:
    """A tuple with another item at one place."""
    return (*items[:k], new, *items[k + 1 :])
