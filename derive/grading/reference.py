"""What is asked, and the true derivative at the sample points, over each field."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.expressions.node import Node
from derive.grading import points
from derive.grading.asked import Asked
from derive.grading.branches import Branches, Test, of_program, tests
from derive.grading.digits import Careful
from derive.grading.random_branches import Coins, Multilinear
from derive.numerics import forward
from derive.numerics.directional import along
from derive.numerics.fields import Field, Floating
from derive.numerics.sampling import Sample, sample, world
from derive.numerics.world import World
from derive.problem.problem import Definition, Problem
from derive.sizes import SCALAR

MODULAR_POINTS, PRECISE_POINTS, COINS = 6, 5, 24
MOST_EXACT, LARGE = 64, 1500
Values = list[Any]


class Reference:
    """The true derivative, by forward mode; computed when first needed and kept."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.samples = points.base(asked.problem, asked.target)
        self.floating, self.precise = Floating(), Careful()
        self.branches = Branches(asked.problem.meanings)
        self.plain = self._in_normal_form()
        self.tests = of_program(self.plain.meanings, asked.of)
        self._known: dict[Any, Values] = {}
        self._rungs: dict[str, list[tuple[Field, Sample]]] = {}
        self._worlds: dict[tuple[int, int], tuple[Field, Sample, World]] = {}
        self._exact: dict[tuple[int, int], tuple[Sample, Any, bool]] = {}
        self._single: dict[tuple[int, int], Sample] = {}
        self._keep_usable()

    def _keep_usable(self) -> None:
        """Leave out samples whose sizes are too small for a fixed position, as in E_{3·}."""
        found = [(s, self.at_if_possible(s)) for s in self.samples]
        usable = [(s, true) for s, true in found if true is not None]
        if usable:
            self.samples = [s for s, _ in usable]
            self._rungs.clear()
            self._known["floating"] = [true for _, true in usable]

    def at_if_possible(self, drawn: Sample) -> Any:
        """The true values in floating point; None where they cannot be evaluated at these sizes."""
        try:
            return self.at(self.floating, drawn)
        except EvaluationError:
            return None

    def _in_normal_form(self) -> Problem:
        """The problem with its indicators in the form to which those of answers are brought."""
        problem, normal = self.asked.problem, self.branches.normal

        def one(definition: Definition) -> Definition:
            return (*definition[:2], normal(definition[2])) if isinstance(definition, tuple) else normal(definition)

        definitions = {name: one(d) for name, d in problem.definitions.items()}
        shorthands = {name: one(d) for name, d in problem.shorthands.items()}
        return replace(problem, definitions=definitions, shorthands=shorthands, loss=normal(problem.loss))

    def answer_tests(self, answer: Node) -> list[Test]:
        """What chooses the branches of an answer, of the names in it as well."""
        return of_program(self.plain.meanings, answer)

    # ------------------------------------------------------------------------------------------- values

    def worlds(self, kind: str) -> list[tuple[Field, Sample]]:
        """The fields and samples of a rung; `coins-3` are random branches for three tests."""
        if kind not in self._rungs:
            self._rungs[kind] = self._rung(kind)
            for f, drawn in self._rungs[kind]:
                self._worlds[id(f), id(drawn)] = (f, drawn, world(self.plain, f, drawn))
        return self._rungs[kind]

    def _rung(self, kind: str) -> list[tuple[Field, Sample]]:
        if kind == "floating":
            return [(self.floating, s) for s in self.samples]
        if kind == "modular":
            return [(Multilinear(7 * k + 3), s.first(MODULAR_POINTS)) for k, s in enumerate(self.samples)]
        if kind == "precise":
            return [(self.precise, s.first(PRECISE_POINTS)) for s in self.samples]
        asked, count = self.asked, COINS * 2 ** int(kind.removeprefix("coins-"))
        small = sample(asked.problem, asked.target, 29, count)
        large = points.roomy(asked.problem, asked.target, [small.sizes], count, 31)
        return [(Coins(91), small), (Coins(92), large)]

    def values(self, kind: str) -> Values:
        """The true values of a rung, one array a sample."""
        if kind not in self._known:
            self._known[kind] = [self.at(f, s) for f, s in self.worlds(kind)]
        return self._known[kind]

    def at(self, f: Field, drawn: Sample) -> Any:
        """The true values over a field at given points: (points, rows, columns)."""
        asked = self.asked
        try:
            with np.errstate(all="ignore"):
                out = forward.jacobian_values(self.plain, f, drawn, asked.of, asked.target)
        except RecursionError:
            raise EvaluationError("the definitions are nested too deep") from None
        return np.swapaxes(out, -1, -2) if asked.layout == "numerator" else out

    def exactly(self, drawn: Sample, point: int) -> tuple[Any, bool]:
        """The true value at one point with many digits, and whether these were too few."""
        key = (id(drawn), point)
        if key not in self._exact:
            if len(self._exact) > MOST_EXACT:
                self._exact.clear()
                self._drop_single()
            self.precise.saturated = False
            value = self.at(self.precise, self.single(drawn, point))
            self._exact[key] = (drawn, value, self.precise.saturated)
        return self._exact[key][1:]

    @property
    def is_large(self) -> bool:
        """Whether the derivative with respect to all entries with many digits would take long."""
        entries = int(np.prod([size.value(self.samples[0].sizes) for size in self.asked.target.leaf.dims]))
        return entries * len(self.plain.meanings) > LARGE

    def entry_exactly(self, drawn: Sample, point: int, row: int, column: int) -> Any:
        """One entry of the true value at one point with many digits."""
        asked = self.asked
        if asked.layout == "numerator":
            row, column = column, row
        here = self.single(drawn, point)
        dims = tuple(size.value(drawn.sizes) for size in asked.target.access.dims)
        direction = np.zeros((1, *dims))
        gradient = asked.of.dims == SCALAR
        direction.reshape(-1)[row * dims[1] + column if gradient else column] = 1
        with np.errstate(all="ignore"):
            out = along(self.plain, self.precise, here, asked.of, asked.target, direction)
        return out.reshape(-1)[0 if gradient else row]

    def single(self, drawn: Sample, point: int) -> Sample:
        """One point of a sample of a rung, in a world that is kept for the answers that differ there."""
        key = (id(drawn), point)
        if (id(self.floating), id(drawn)) not in self._worlds:
            return drawn.only(point)
        if key not in self._single:
            here = self._single[key] = drawn.only(point)
            self._worlds[id(self.precise), id(here)] = (self.precise, here, world(self.plain, self.precise, here))
        return self._single[key]

    def _drop_single(self) -> None:
        for here in self._single.values():
            self._worlds.pop((id(self.precise), id(here)), None)
        self._single.clear()

    def answers(self, node: Node, f: Field, drawn: Sample) -> Any:
        """An expression's values over a field at given points."""
        return self.evaluated([node], f, drawn)[0]

    def evaluated(self, nodes: list[Node], f: Field, drawn: Sample, anew: bool = False) -> Values:
        """The values of several expressions in one world; `anew` with nothing that other answers have left."""
        here = world(self.plain, f, drawn) if anew else self.world(f, drawn)
        try:
            with np.errstate(all="ignore"):
                found = [here.value(node) for node in nodes]
        except RecursionError:
            raise EvaluationError("the definitions are nested too deep") from None
        return [np.broadcast_to(value, (drawn.points, *value.shape[-2:])) for value in found]

    def world(self, f: Field, drawn: Sample) -> World:
        """A world in which expressions have values; what names stand for is computed once for each rung."""
        kept = self._worlds.get((id(f), id(drawn)))
        return world(self.plain, f, drawn) if kept is None else kept[2].fork()


@lru_cache(maxsize=1024)
def reference(asked: Asked) -> Reference:
    """The reference of a question, shared by its answers."""
    return Reference(asked)


__all__ = ["Asked", "Reference", "reference", "tests"]
