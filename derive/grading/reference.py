"""What is asked, and the true derivative at the sample points, over each field."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.expressions.node import Node, walk
from derive.grading import kinks, points
from derive.grading.asked import Asked
from derive.grading.branches import CHOICES, Branches, Test, body_of, leaves, named, of_names, of_program, tests
from derive.grading.digits import Careful
from derive.grading.facts import COUNTING, POSITIONAL, polynomial_degree, uses_positions
from derive.grading.memory import Room
from derive.grading.places import Place
from derive.grading.random_branches import Coins, Multilinear
from derive.numerics import forward
from derive.numerics.directional import along
from derive.numerics.fields import Field, Floating
from derive.numerics.sampling import Sample, sample, world
from derive.numerics.world import World
from derive.problem.problem import Definition, Problem
from derive.sizes import SCALAR

MODULAR_POINTS, PRECISE_POINTS, COINS = 6, 5, 24
FEWEST = 4
MOST_EXACT, LARGE = 64, 1500
DIGITS_WEIGH, FACT_WEIGHS = 25, 16  # numbers of as many bytes as one of many digits, and as a fact about a form
Values = list[Any]


class Reference:
    """The true derivative, by forward mode; computed when first needed and kept."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.samples = points.base(asked.problem, asked.target)
        self.floating, self.precise = Floating(), Careful()
        self.branches = Branches(asked.problem.meanings)
        self.plain = self._in_normal_form()
        self.meanings = self.plain.meanings
        self.tests = of_program(self.meanings, asked.of)
        self.own_tests = frozenset(self.tests)
        self._branching = any(body_of(self.meanings, name).heads & CHOICES for name in self.meanings)
        self._of_names: dict[tuple[Node, ...], list[Test]] = {}
        self._as_written = asked.problem.meanings
        self._leaves: dict[Node, set[Node]] = {}
        self._names = tuple(dict.fromkeys([*self.samples[0].values, *self.meanings]))
        self._degrees: dict[Node, int] = {}
        self._positional: dict[Node, bool] = {}
        self._rungs: dict[str, list[Place]] = {}
        self._places: dict[tuple[int, int], Place] = {}
        self._exact: dict[tuple[int, int], tuple[Sample, Place]] = {}
        self._keep_usable()

    def _keep_usable(self) -> None:
        """Leave out samples whose sizes are too small for a fixed position, as in E_{3·}."""
        found = [(s, self.at_if_possible(s)) for s in self.samples]
        usable = [(s, true) for s, true in found if true is not None]
        if usable:
            self.samples = [s for s, _ in usable]
            for place, (_, true) in zip(self.places("floating"), usable, strict=True):
                place.settle(true)

    def at_if_possible(self, drawn: Sample) -> Any:
        """The true values in floating point; None where they cannot be evaluated at these sizes."""
        try:
            return self.at(self.floating, drawn)
        except EvaluationError:
            return None

    def place_if_possible(self, drawn: Sample) -> Place | None:
        """Points in floating point; None where the derivative cannot be evaluated at these sizes."""
        true, place = self.at_if_possible(drawn), Place(self.floating, drawn)
        if true is None:
            return None
        place.settle(true)
        return place

    def _in_normal_form(self) -> Problem:
        """The problem with its indicators in the form to which those of answers are brought."""
        problem, normal = self.asked.problem, self.branches.normal

        def one(definition: Definition) -> Definition:
            return (*definition[:2], normal(definition[2])) if isinstance(definition, tuple) else normal(definition)

        definitions = {name: one(d) for name, d in problem.definitions.items()}
        shorthands = {name: one(d) for name, d in problem.shorthands.items()}
        return replace(problem, definitions=definitions, shorthands=shorthands, loss=normal(problem.loss))

    # -------------------------------------------------------------------------------------------- forms

    @cached_property
    def closed(self) -> Node | None:
        """The closed form; None where there is none."""
        return closed_form(self.asked)

    @cached_property
    def is_large(self) -> bool:
        """Whether the derivative with respect to all entries with many digits would take long."""
        entries = int(np.prod([size.value(self.samples[0].sizes) for size in self.asked.target.leaf.dims]))
        return entries * len(self.meanings) > LARGE

    def answer_tests(self, answer: Node) -> list[Test]:
        """What chooses the branches of an answer, of the names in it as well."""
        if not (self._branching or answer.heads & CHOICES):
            return []
        names, known = named(self.meanings, answer), self._of_names
        if names not in known:
            known[names] = of_names(self.meanings, names)
        return list(dict.fromkeys([*tests(answer), *known[names]]))

    def leaves_of(self, node: Node) -> frozenset[Node]:
        """The given quantities that an expression depends on."""
        found: set[Node] = set()
        for part in walk(node):
            if part.op in ("symbol", "family"):
                if part not in self._leaves:
                    self._leaves[part] = leaves(self._as_written, part)
                found |= self._leaves[part]
        return frozenset(found)

    def degree(self, answer: Node) -> int:
        """A bound for the degree of an answer in sizes and labels."""
        if not (answer.heads & COUNTING or answer.marks & self._marks[0]):
            return 0
        return polynomial_degree(answer, self.meanings, self._degrees)

    def uses_positions(self, answer: Node, tests: list[Test]) -> bool:
        """Whether an answer's meaning depends on sizes, fixed positions, whole numbers or comparisons of indices."""
        if not (tests or answer.heads & POSITIONAL or answer.marks & self._marks[1]):
            return False
        return uses_positions(answer, tests, self._positional)

    @cached_property
    def _marks(self) -> tuple[int, int]:
        """The marks of all names that are made of labels, and of those that are whole numbers."""
        labels = whole = 0
        for name in self._names:
            labels |= name.marks if polynomial_degree(name, self.meanings, self._degrees) else 0
            whole |= name.marks if uses_positions(name, (), self._positional) else 0
        return labels, whole

    # ------------------------------------------------------------------------------------------- values

    def places(self, kind: str) -> list[Place]:
        """Where the answers of a rung are evaluated; `coins-3` are random branches for three tests."""
        if kind not in self._rungs:
            self._rungs[kind] = [self._place(f, drawn) for f, drawn in self._rung(kind)]
        return self._rungs[kind]

    def _place(self, f: Field, drawn: Sample) -> Place:
        place = self._places[id(f), id(drawn)] = Place(f, drawn)
        return place

    def _rung(self, kind: str) -> list[tuple[Field, Sample]]:
        if kind == "floating":
            return [(self.floating, s) for s in self.samples]
        if kind == "modular":
            return [(Multilinear(7 * k + 3), s.first(MODULAR_POINTS)) for k, s in enumerate(self.samples)]
        if kind == "precise":
            few = [s.first(PRECISE_POINTS) for s in self.samples]
            return [(self.precise, s) for s in kinks.scales(few)]
        if kind == "few":
            return [(self.precise, self.samples[0].first(FEWEST))]
        if kind == "lines":
            return [(self.floating, s) for s in kinks.lines(self)]
        asked, count = self.asked, COINS * 2 ** int(kind.removeprefix("coins-"))
        small = sample(asked.problem, asked.target, 29, count)
        large = points.roomy(asked.problem, asked.target, [small.sizes], count, 31)
        return [(Coins(91), small), (Coins(92), large)]

    def worlds(self, kind: str) -> list[tuple[Field, Sample]]:
        """The fields and samples of a rung."""
        return [(place.field, place.drawn) for place in self.places(kind)]

    def values(self, kind: str) -> Values:
        """The true values of a rung, one array a sample."""
        return [self.true(place) for place in self.places(kind)]

    def true(self, place: Place) -> Any:
        """The true values at a place."""
        if place.true is None:
            place.field.saturated = False
            place.settle(self.at(place.field, place.drawn))
        return place.true

    def at(self, f: Field, drawn: Sample) -> Any:
        """The true values over a field at given points: (points, rows, columns)."""
        asked = self.asked
        try:
            with np.errstate(all="ignore"):
                out = forward.jacobian_values(self.plain, f, drawn, asked.of, asked.target)
        except RecursionError:
            raise EvaluationError("the definitions are nested too deep") from None
        return np.swapaxes(out, -1, -2) if asked.layout == "numerator" else out

    def exactly(self, drawn: Sample, point: int) -> Place:
        """One point of a sample with many digits; kept for the answers that differ there."""
        key = (id(drawn), point)
        if key not in self._exact:
            if len(self._exact) > MOST_EXACT:
                for _, place in self._exact.values():
                    self._places.pop((id(place.field), id(place.drawn)), None)
                self._exact.clear()
            self._exact[key] = (drawn, self._place(self.precise, drawn.only(point)))
        return self._exact[key][1]

    def entry_exactly(self, place: Place, row: int, column: int) -> Any:
        """One entry of the true value at one point with many digits."""
        asked, here = self.asked, place.drawn
        if asked.layout == "numerator":
            row, column = column, row
        dims = tuple(size.value(here.sizes) for size in asked.target.access.dims)
        direction = np.zeros((1, *dims))
        gradient = asked.of.dims == SCALAR
        direction.reshape(-1)[row * dims[1] + column if gradient else column] = 1
        with np.errstate(all="ignore"):
            out = along(self.plain, self.precise, here, asked.of, asked.target, direction)
        return out.reshape(-1)[0 if gradient else row]

    def answers(self, node: Node, f: Field, drawn: Sample) -> Any:
        """An expression's values over a field at given points."""
        return self.evaluated([node], f, drawn)[0]

    def evaluated(self, nodes: list[Node], f: Field, drawn: Sample) -> Values:
        """The values of several expressions in one world."""
        place = self._places.get((id(f), id(drawn))) or Place(f, drawn)
        with np.errstate(all="ignore"):
            return [self.given(node, place) for node in nodes]

    def given(self, node: Node, place: Place) -> Any:
        """The values of an expression, (points, rows, columns); what it shares with other answers is computed once."""
        here = place.world
        if here is None:
            here = place.world = world(self.plain, place.field, place.drawn)
        try:
            value = here.value(node)
        except RecursionError:
            raise EvaluationError("the definitions are nested too deep") from None
        if value.ndim == 3 and len(value) == place.drawn.points:
            return value
        return np.broadcast_to(value, (place.drawn.points, *value.shape[-2:]))

    def world(self, f: Field, drawn: Sample) -> World:
        """A world of its own, in which what names stand for is known if it is at the points of a rung."""
        place = self._places.get((id(f), id(drawn)))
        known = {} if place is None or place.world is None else place.world.leaves
        return world(self.plain, f, drawn, known)

    def keep_in(self, room: Room) -> None:
        """Let a room know how much is kept for the next answers."""
        numbers = FACT_WEIGHS * (len(self._degrees) + len(self._positional) + len(self._of_names))
        for place in self._places.values():
            numbers += place.entries * (DIGITS_WEIGH if place.field is self.precise else 1)
        room.used(self, numbers)

    def forget(self) -> None:
        """Let go of what is kept for the next answers."""
        self._of_names = {}
        self._degrees = {name: self._degrees[name] for name in self._names if name in self._degrees}
        self._positional = {name: self._positional[name] for name in self._names if name in self._positional}
        for place in list(self._places.values()):
            place.forget()


def closed_form(asked: Asked) -> Node | None:
    """The closed form of what is asked; None where there is none."""
    try:
        return asked.closed()
    except RecursionError:
        return None


@lru_cache(maxsize=1024)
def reference(asked: Asked) -> Reference:
    """The reference of a question, shared by its answers."""
    return Reference(asked)


__all__ = ["Asked", "Reference", "reference", "tests"]
