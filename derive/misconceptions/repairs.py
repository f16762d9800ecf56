"""Repairs: a student's formula with one slip undone, and the place of the slip in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from derive.errors import DeriveError, Span
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.misconceptions.glance import Glance
from derive.misconceptions.places import Place
from derive.misconceptions.registry import Repairs, records
from derive.misconceptions.seen import UnsureError, is_number
from derive.sizes import Dims

MOST_REPAIRS, MOST_SECOND = 1500, 400
Read = Callable[[s.Syntax], Node | None]


@dataclass(frozen=True, slots=True)
class Named:
    """A name that an answer may use: how it is written, and its value."""

    syntax: s.Syntax
    node: Node


@dataclass(slots=True)
class Around:
    """What repairs may look at: the whole formula, the names and index letters there are, what parts are worth.

    `found` are its dimensions, if they fit, and `wanted` those of a right answer; `loose` says that the shapes of
    the formula do not fit, so that a name of any shape may be the slip.
    """

    root: s.Syntax
    read: Read
    found: Dims | None
    wanted: Dims
    names: tuple[Named, ...]
    letters: tuple[str, ...]
    labels: tuple[tuple[Named, Named], ...]
    activated: tuple[tuple[Named, Named], ...]
    functions: frozenset[str]
    glance: Glance
    loose: bool = False
    here: Place | None = None

    def value(self, part: s.Syntax) -> Node | None:
        """The expression that a name stands for by itself; None if it has no meaning there."""
        try:
            found = self.glance.alone(part, self.here)
        except UnsureError:
            return self.read(part)
        return None if found is None else found.node

    def dims(self, part: s.Syntax) -> Dims | None:
        """The dimensions of a part by itself; None if it has no meaning outside of its place."""
        try:
            found = self.glance.alone(part, self.here)
        except UnsureError:
            node = self.read(part)
            return None if node is None else node.dims
        return None if found is None else found.dims

    def is_number(self, part: s.Syntax) -> bool:
        """Whether a part is made of numbers and sizes only."""
        try:
            found = self.glance.alone(part, self.here)
        except UnsureError:
            node = self.read(part)
            return node is not None and is_number(node)
        return found is not None and found.numeric


@dataclass(frozen=True, slots=True)
class Repair:
    """One slip undone: what stands at a place from now on."""

    code: str
    span: Span
    place: Place
    new: s.Syntax

    def syntax(self) -> s.Syntax:
        """The whole formula in which the slip is undone."""
        return self.place.put(self.new)


def repairs_of(around: Around, only: frozenset[str] = frozenset(), most: int = MOST_REPAIRS) -> Iterator[Repair]:
    """Every formula with one slip undone, in the order of the text."""
    count = 0
    for place in Place(around.root).within():
        for code, parts, repairs in _repairing(only):
            for new, span in _fitting(repairs, place, around) if isinstance(place.part, parts) else ():
                count += 1
                if count > most:
                    return
                yield Repair(code, span, place, new)


@lru_cache(maxsize=16)
def _repairing(only: frozenset[str]) -> tuple[tuple[str, tuple[type[s.Syntax], ...], Repairs], ...]:
    """What undoes slips, with the kinds of syntax in which it does."""
    chosen = [one for one in records() if not only or one.code in only]
    return tuple((one.code, one.parts, one.repairs) for one in chosen if one.repairs is not None)


def _fitting(repairs: Repairs, place: Place, around: Around) -> Iterator[tuple[s.Syntax, Span]]:
    around.here = place
    try:
        yield from repairs(place.part, around)
    except DeriveError:
        return
