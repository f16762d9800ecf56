"""Whether an answer equals the derivative: a ladder of rungs, each of which may decide.

1. shape; 2. floating point, where values that differ clearly are confirmed to differ; 3. canonical form (a proof
for all sizes); 4. more points and sizes for answers that use sizes, positions or labels; 5. identity modulo a prime,
on all branches at once; 6. many digits, where what is equal must have shown every branch.  What no rung settles is
undecided.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node, heads_of, walk
from derive.grading import facts, kinks, points
from derive.grading.asked import Asked
from derive.grading.branches import Test
from derive.grading.counterexample import counterexample
from derive.grading.differences import EQUAL, apart, are_visible, differ_surely, gaps, points_of
from derive.grading.digits import has_tall_numbers
from derive.grading.limits import FEW, FEWEST_DEFINED, OWN_POINTS, OWN_SAMPLES
from derive.grading.memory import Memory, Room
from derive.grading.outcome import Outcome
from derive.grading.places import Place
from derive.grading.reference import Reference, closed_form, reference
from derive.sizes import SCALAR, describe

LABEL_POINTS = 400
MOST = 14
FARTHEST, OSCILLATING_SAMPLES = 12, 8
MOST_ENTRIES = 3
MOST_LABEL_TESTS, MOST_COINS = 6, 5
MOST_NUMBERS = 6_000_000  # of eight bytes each, kept for the next answers to all questions together
PROVEN = Outcome("equal", "canonical form")
SYMBOLIC_POWER = heads_of("general_power")
NO_DERIVATIVE, NO_ANSWER, TOO_MUCH = (
    Outcome("unknown", "floating point", message)
    for message in (
        "The derivative has no value at the points that were tried.",
        "The answer has no value where the derivative has one.",
        "The answer has a value where the derivative has none.",
    )
)

_KNOWN: Memory[Outcome] = Memory(10_000)
_ROOM = Room(MOST_NUMBERS)


def compare(asked: Asked, answer: Node, partial: Iterable[Node] = ()) -> Outcome:
    """How an answer stands to the derivative; `partial` are its roots and logarithms, which must have values."""
    key = (asked, answer, tuple(partial))  # what is spelt differently but reads alike is compared once
    known = _KNOWN.get(key)
    if known is None:
        known = _KNOWN[key] = _compared(*key)
    return known


def _compared(asked: Asked, answer: Node, partial: tuple[Node, ...]) -> Outcome:
    if answer == b.number(0):
        answer = b.zeros(asked.dims)
    if answer.dims != asked.dims:
        message = f"The answer is {describe(answer.dims)}; the derivative is {describe(asked.dims)}."
        return Outcome("different", "shape", message)
    if answer.dims[0] is answer.dims[1] and answer.dims != SCALAR:
        b.transpose(answer)  # so that the two know each other: the values of one are known from those of the other
    ref = None
    try:
        ref = reference(asked)
        with np.errstate(all="ignore"):
            outcome = _Ladder(ref, answer, partial).decide()
        ref.keep_in(_ROOM)
        return outcome
    except EvaluationError as problem:
        if (ref.closed if ref is not None else closed_form(asked)) is answer:
            return PROVEN
        return Outcome("unknown", "bounds", f"The answer could not be evaluated: {problem}.")


class _Ladder:
    """One answer on its way through the rungs."""

    def __init__(self, ref: Reference, answer: Node, partial: tuple[Node, ...]) -> None:
        self.ref, self.answer = ref, ref.branches.normal(answer)
        self.lost = _lost(partial, answer, set(ref.samples[0].indices)) if partial else []
        self.tests = ref.answer_tests(self.answer)

    def decide(self) -> Outcome:
        """The verdict of the first rung that has one."""
        for rung in (self._floating, self._canonical, self._on_its_own_points, self._labels, self._modular):
            outcome = rung()
            if outcome is not None:
                return outcome
        return self._digits()

    # ------------------------------------------------------------------------------------- floating point

    def _floating(self) -> Outcome | None:
        places, defined, undefined = self.ref.places("floating"), 0, NO_DERIVATIVE
        for place in places:
            outcome, seen = self._at_points(place)
            if outcome is not None and outcome.relation == "different":
                return outcome
            defined, undefined = defined + seen, outcome or undefined
        if defined < FEWEST_DEFINED or undefined is not NO_DERIVATIVE:
            return self._nowhere(places) or undefined
        return None

    def _at_points(self, place: Place) -> tuple[Outcome | None, int]:
        """A difference, or a point where only one of both has a value; and the number of points compared."""
        true, given = self.ref.true(place), self._values(place)
        if place.agrees(given):
            return None, place.drawn.points
        here, there = np.isfinite(true), np.isfinite(given)
        far = here & there & apart(true, given)
        for point in points_of(far)[:3]:
            found = self._confirmed(place, point, far[point])
            if found is not None:
                return found, 0
        outcome = None
        for point in points_of(here != there)[:1]:
            outcome = self._without_value(place, point)
        return outcome, len(points_of((here & there).all(axis=(-2, -1), keepdims=True)))

    def _values(self, place: Place) -> Any:
        """The answer's values; none where a root or logarithm that it was written with has none."""
        value = self.ref.given(self.answer, place)
        for node in self.lost:
            other = np.asarray(self.ref.given(node, place), dtype=float)
            value = np.where(~np.isfinite(other).all(axis=(-2, -1), keepdims=True), np.nan, value)
        return value

    def _confirmed(self, place: Place, point: int, far: Any) -> Outcome | None:
        """A difference seen in floating point, evaluated again with many digits; None if it was rounding.

        `far` tells which entries differ.
        """
        ref, exact = self.ref, self.ref.exactly(place.drawn, point)
        given = ref.given(self.answer, exact)
        if ref.is_large:
            return self._confirmed_by_entry(exact, place.true[point], given, np.argwhere(far)[:MOST_ENTRIES])
        true = ref.true(exact)
        if differ_surely(true, given):
            return Outcome("different", "floating point", "", counterexample(ref, self.answer, exact, true, given))
        return None

    def _confirmed_by_entry(self, exact: Place, seen: Any, given: Any, entries: Any) -> Outcome | None:
        """The same for a large derivative: only entries that differ are evaluated again, until one is confirmed.

        `seen` are the true values in floating point.
        """
        ref = self.ref
        for row, column in entries:
            true = ref.entry_exactly(exact, int(row), int(column))
            if differ_surely(*(np.asarray([[[v]]], dtype=object) for v in (true, given[0, row, column]))):
                whole = seen[None].astype(object)
                whole[0, row, column] = true
                return Outcome("different", "floating point", "", counterexample(ref, self.answer, exact, whole, given))
        return None

    def _without_value(self, place: Place, point: int) -> Outcome | None:
        """What it means that only one of answer and derivative has a value; None if a number was too large."""
        ref, exact = self.ref, self.ref.exactly(place.drawn, point)
        true = ref.true(exact)
        if exact.unsure:
            return None
        ref.precise.saturated = False
        known, seen = ref.precise.defined(true), ref.precise.defined(self._values(exact))
        if ref.precise.saturated:
            return None
        if np.any(known & ~seen):
            return NO_ANSWER
        return TOO_MUCH if np.any(seen & ~known) else None

    def _nowhere(self, places: list[Place]) -> Outcome | None:
        """An answer that has a value at no point at all."""
        if self.answer.heads & SYMBOLIC_POWER:
            return None
        values = [np.isfinite(self._values(place)).all(axis=(-2, -1)) for place in places]
        known = [np.isfinite(self.ref.true(place)).all(axis=(-2, -1)) for place in places]
        if any(v.any() for v in values) or not all(k.any() for k in known):
            return None
        return Outcome("different", "undefined", "The answer has no value: it leaves the real numbers.")

    def _on_its_own_points(self) -> Outcome | None:
        """What uses sizes, positions or comparisons is tried at sizes that follow from the answer."""
        degree = self.ref.degree(self.answer)
        if degree <= FEW and not self.ref.uses_positions(self.answer, self.tests):
            return None
        if degree > MOST or facts.reach(self.answer) > FARTHEST:
            return Outcome("unknown", "floating point", "The answer uses sizes or labels too often to be sure of it.")
        asked, count = self.ref.asked, OWN_SAMPLES if degree <= FEW else degree + 2
        count = max(count, OSCILLATING_SAMPLES) if facts.oscillates(self.answer) else count
        for drawn in points.of_its_own(asked.problem, asked.target, self.answer, count, OWN_POINTS):
            place = self.ref.place_if_possible(drawn)
            outcome = None if place is None else self._at_points(place)[0]
            if outcome is not None:
                return outcome
        return None

    def _labels(self) -> Outcome | None:
        """Tests on labels, whole numbers, sizes and positions: both sides must be seen, at many points."""
        strange = [t for t in self.tests if t not in self.ref.own_tests]
        if not kinks.discrete(self.ref, strange):
            return None
        found = kinks.discrete(self.ref, self.tests)
        if len(found) > MOST_LABEL_TESTS:
            return Outcome("unknown", "floating point", "The answer tells too many cases apart.")
        asked = self.ref.asked
        drawn = next(points.of_its_own(asked.problem, asked.target, self.answer, 1, LABEL_POINTS))
        place = Place(self.ref.floating, drawn)
        outcome, _ = self._at_points(place)
        problem = kinks.unseen(self.ref, found, [*self.ref.places("floating"), place]) or self._at_one(found)
        return outcome or (Outcome("unknown", "floating point", problem) if problem else None)

    def _at_one(self, found: list[Test]) -> str:
        """Why an answer that compares sizes with numbers is not trusted: it differs where these sizes are 1."""
        asked = self.ref.asked
        plain = [t for t in found if all(part.op in ("size", "number", "add", "product") for part in walk(t.operand))]
        names = {name for t in plain for part in walk(t.operand) if part.op == "size" for name in part.data[0].names}
        drawn = points.with_ones(asked.problem, asked.target, names, FEWEST_DEFINED)
        place = self.ref.place_if_possible(drawn) if names else None
        if place is None or self._at_points(place)[0] is None:
            return ""
        return f"The answer differs where {' and '.join(sorted(names))} is 1."

    # --------------------------------------------------------------------------------- proofs and identities

    def _canonical(self) -> Outcome | None:
        return PROVEN if self.ref.closed is self.answer else None

    def _modular(self) -> Outcome | None:
        if self._holds("modular"):
            return Outcome("equal", "identity modulo a prime")
        count = len({*kinks.continuous(self.ref, self.tests), *kinks.continuous(self.ref, self.ref.tests)})
        if 0 < count <= MOST_COINS and self._holds(f"coins-{count}"):
            return Outcome("equal", "identity modulo a prime")
        return None

    def _holds(self, kind: str) -> bool:
        try:
            for place in self.ref.places(kind):
                true, given = self.ref.true(place), self.ref.given(self.answer, place)
                if not place.agrees(given) and np.any(true != given):
                    return False
        except EvaluationError:
            return False
        return True

    # ------------------------------------------------------------------------------------------ many digits

    def _digits(self) -> Outcome:
        """Many digits at points of several scales; then every branch must have been seen."""
        ref, unsure = self.ref, False
        for place in ref.places("precise"):
            true = ref.true(place)
            ref.precise.saturated = False
            given = self._values(place)
            unsure |= place.unsure or ref.precise.saturated
            for point in points_of(gaps(true, given) > EQUAL)[:1]:
                if not are_visible(true[point], given[point]):
                    unsure = True
                    continue
                exact, here = Place(place.field, place.drawn.only(point)), slice(point, point + 1)
                found = counterexample(ref, self.answer, exact, true[here], given[here])
                return Outcome("different", "many digits", "", found)
        if unsure or has_tall_numbers(self.answer):
            return Outcome("unknown", "many digits", "The answer is equal only as far as its digits tell.")
        return self._branches()

    def _branches(self) -> Outcome:
        """Equal, if every branch of the answer and of the problem has been seen."""
        ref = self.ref
        mine, own = kinks.continuous(ref, self.tests), kinks.continuous(ref, ref.tests)
        if not mine and not own:
            return Outcome("equal", "many digits")
        along = ref.places("lines")
        for place in along:
            outcome, _ = self._at_points(place)
            if outcome is not None and outcome.relation == "different":
                return outcome
        problem = kinks.unseen(ref, list(dict.fromkeys([*own, *mine])), [*ref.places("floating"), *along])
        strangers = [] if problem else kinks.foreign(ref, mine)
        if strangers:
            problem = kinks.beside(ref, self.answer, mine, strangers)
        return Outcome("unknown", "many digits", problem) if problem else Outcome("equal", "many digits")


def _lost(partial: tuple[Node, ...], answer: Node, free: set[str]) -> list[Node]:
    """The roots and logarithms that an answer was written with, do not stand in it any more and can be evaluated."""
    present = set(walk(answer))
    return [
        node for node in dict.fromkeys(partial) if node not in present and _indices(node) <= free and not node.is_open
    ]


def _indices(node: Node) -> set[str]:
    return {str(part.data[0]) for part in walk(node) if part.op == "index"}
