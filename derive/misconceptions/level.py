"""Where parts of an answer are read and evaluated, and what was found there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from derive.expressions.node import Node
from derive.grading.memory import Memory
from derive.latex import syntax as s
from derive.misconceptions.seen import Known, Seen
from derive.misconceptions.written import Factors
from derive.numerics.world import World
from derive.reading.reader import Reader
from derive.sizes import Range

NewReader = Callable[[], Reader]


class Names(NamedTuple):
    """The names of a problem by their syntax, its letters that are functions, and what names were found to be worth."""

    by_syntax: Mapping[int, Node]
    functions: frozenset[str]
    worth: Memory[Known]


class Unit(NamedTuple):
    """Factors that are one value, such as a function with its argument."""

    start: int
    end: int
    sign: str
    known: Known


class Level:
    """Where parts are read and evaluated: outside of all sums, or inside of one; `closed` where neither is possible.

    `guessing` says that what an index runs over follows from where it stands in the whole formula.  What is found is
    kept by the identity of the syntax, which is kept with it.
    """

    def __init__(self, new_reader: NewReader, world: World, binding: tuple[tuple[str, str, Range], ...] = ()) -> None:
        self.new_reader, self.reader, self.world, self.binding = new_reader, new_reader(), world, binding
        self.letters = frozenset(name for _, name, _ in binding)
        self.closed = False
        self.guessing = bool(self.reader.uses)
        self.known: dict[int, tuple[s.Syntax, Known]] = {}
        self.units: dict[int, tuple[Factors, list[Unit]]] = {}
        self.single: dict[tuple[int, int], tuple[object, int, Known]] = {}
        self.arguments: dict[int, tuple[s.Group, Seen]] = {}
        self.inside: dict[int, Level] = {}
