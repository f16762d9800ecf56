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
from derive.expressions.node import Node, walk
from derive.grading import facts, kinks, points
from derive.grading.asked import Asked
from derive.grading.branches import Test
from derive.grading.counterexample import counterexample
from derive.grading.digits import has_tall_numbers
from derive.grading.limits import CLEARLY, FEW, FEWEST_DEFINED, NEGLIGIBLE, OWN_POINTS, OWN_SAMPLES
from derive.grading.memory import Memory
from derive.grading.outcome import Outcome
from derive.grading.reference import Reference, reference
from derive.numerics.fields import Field
from derive.numerics.sampling import Sample
from derive.reading.open_sizes import is_open
from derive.sizes import describe

EQUAL, SURE, VISIBLE = 1e-40, 1e-20, 1e-25
LABEL_POINTS = 400
MOST = 14
FARTHEST, OSCILLATING_SAMPLES = 12, 8
MOST_ENTRIES = 3
MOST_LABEL_TESTS, MOST_COINS = 6, 5


_KNOWN: Memory[Outcome] = Memory(10_000)


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
    try:
        with np.errstate(all="ignore"):
            return _Ladder(reference(asked), answer, partial).decide()
    except EvaluationError as problem:
        if _is_closed_form(asked, answer):
            return Outcome("equal", "canonical form")
        return Outcome("unknown", "bounds", f"The answer could not be evaluated: {problem}.")


class _Ladder:
    """One answer on its way through the rungs."""

    def __init__(self, ref: Reference, answer: Node, partial: tuple[Node, ...]) -> None:
        self.ref, self.answer = ref, ref.branches.normal(answer)
        present = set(walk(answer))
        free = set(ref.samples[0].indices)
        lost = [node for node in dict.fromkeys(partial) if node not in present and _indices(node) <= free]
        self.lost = [node for node in lost if not any(is_open(size) for part in walk(node) for size in part.dims)]
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
        pairs = list(zip(self.ref.worlds("floating"), self.ref.values("floating"), strict=True))
        defined = 0
        undefined = Outcome("unknown", "floating point", "The derivative has no value at the points that were tried.")
        for (f, drawn), true in pairs:
            outcome, seen = self._at_points(f, drawn, true)
            if outcome is not None and outcome.relation == "different":
                return outcome
            defined, undefined = defined + seen, outcome or undefined
        if defined < FEWEST_DEFINED or undefined.message.startswith("The answer"):
            return self._nowhere(pairs) or undefined
        return None

    def _at_points(self, f: Field, drawn: Sample, true: Any) -> tuple[Outcome | None, int]:
        """A difference, or a point where only one of both has a value; and the number of points compared."""
        given = self._values(f, drawn)
        here, there = np.isfinite(true), np.isfinite(given)
        far = here & there & apart(true, given)
        for point in _points_of(far)[:3]:
            found = self._confirmed(drawn, point, true[point], far[point])
            if found is not None:
                return found, 0
        outcome = None
        for point in _points_of(here != there)[:1]:
            outcome = self._without_value(drawn, point)
        return outcome, len(_points_of((here & there).all(axis=(-2, -1), keepdims=True)))

    def _values(self, f: Field, drawn: Sample, anew: bool = False) -> Any:
        """The answer's values; none where a root or logarithm that it was written with has none."""
        value, *lost = self.ref.evaluated([self.answer, *self.lost], f, drawn, anew)
        for other in lost:
            bad = ~np.isfinite(np.asarray(other, dtype=float)).all(axis=(-2, -1), keepdims=True)
            value = np.where(bad, np.nan, value)
        return value

    def _confirmed(self, drawn: Sample, point: int, seen: Any, far: Any) -> Outcome | None:
        """A difference seen in floating point, evaluated again with many digits; None if it was rounding.

        `seen` are the true values in floating point, `far` tells which entries differ.
        """
        ref, here = self.ref, self.ref.single(drawn, point)
        given = ref.answers(self.answer, ref.precise, here)
        if ref.is_large:
            return self._confirmed_by_entry((drawn, point), seen, given, np.argwhere(far)[:MOST_ENTRIES])
        true = ref.exactly(drawn, point)[0]
        if np.any(gaps(ref, true, given) > SURE) and _visible(ref, true, given):
            evidence = counterexample(ref, self.answer, here, true, given)
            return Outcome("different", "floating point", "", evidence)
        return None

    def _confirmed_by_entry(self, place: tuple[Sample, int], seen: Any, given: Any, entries: Any) -> Outcome | None:
        """The same for a large derivative: only entries that differ are evaluated again, until one is confirmed."""
        ref = self.ref
        for row, column in entries:
            true = ref.entry_exactly(*place, int(row), int(column))
            one, other = (np.asarray([[[v]]], dtype=object) for v in (true, given[0, row, column]))
            if np.any(gaps(ref, one, other) > SURE) and _visible(ref, one, other):
                whole = seen[None].astype(object)
                whole[0, row, column] = true
                evidence = counterexample(ref, self.answer, ref.single(*place), whole, given)
                return Outcome("different", "floating point", "", evidence)
        return None

    def _without_value(self, drawn: Sample, point: int) -> Outcome | None:
        """What it means that only one of answer and derivative has a value; None if a number was too large."""
        ref = self.ref
        exact, saturated = ref.exactly(drawn, point)
        if saturated:
            return None
        ref.precise.saturated = False
        true, given = ref.precise.defined(exact), ref.precise.defined(self._values(ref.precise, drawn.only(point)))
        if ref.precise.saturated:
            return None
        if np.any(true & ~given):
            return Outcome("unknown", "floating point", "The answer has no value where the derivative has one.")
        if np.any(given & ~true):
            return Outcome("unknown", "floating point", "The answer has a value where the derivative has none.")
        return None

    def _nowhere(self, pairs: list[tuple[tuple[Field, Sample], Any]]) -> Outcome | None:
        """An answer that has a value at no point at all."""
        values = [np.isfinite(self._values(f, drawn)).all(axis=(-2, -1)) for (f, drawn), _ in pairs]
        known = [np.isfinite(true).all(axis=(-2, -1)) for _, true in pairs]
        symbolic_power = any(node.op == "general_power" for node in walk(self.answer))
        if symbolic_power or any(v.any() for v in values) or not all(k.any() for k in known):
            return None
        return Outcome("different", "undefined", "The answer has no value: it leaves the real numbers.")

    def _on_its_own_points(self) -> Outcome | None:
        """What uses sizes, positions or comparisons is tried at sizes that follow from the answer."""
        degree = facts.polynomial_degree(self.answer, self.ref.plain.meanings)
        if degree <= FEW and not facts.uses_positions(self.answer, self.tests):
            return None
        if degree > MOST or facts.reach(self.answer) > FARTHEST:
            return Outcome("unknown", "floating point", "The answer uses sizes or labels too often to be sure of it.")
        asked, count = self.ref.asked, OWN_SAMPLES if degree <= FEW else degree + 2
        count = max(count, OSCILLATING_SAMPLES) if facts.oscillates(self.answer) else count
        for drawn in points.of_its_own(asked.problem, asked.target, self.answer, count, OWN_POINTS):
            true = self.ref.at_if_possible(drawn)
            outcome = None if true is None else self._at_points(self.ref.floating, drawn, true)[0]
            if outcome is not None:
                return outcome
        return None

    def _labels(self) -> Outcome | None:
        """Tests on labels, whole numbers, sizes and positions: both sides must be seen, at many points."""
        found = kinks.discrete(self.ref, self.tests)
        own = set(self.ref.tests)
        if not [t for t in found if t not in own]:
            return None
        if len(found) > MOST_LABEL_TESTS:
            return Outcome("unknown", "floating point", "The answer tells too many cases apart.")
        asked = self.ref.asked
        drawn = next(points.of_its_own(asked.problem, asked.target, self.answer, 1, LABEL_POINTS))
        outcome, _ = self._at_points(self.ref.floating, drawn, self.ref.at(self.ref.floating, drawn))
        problem = kinks.unseen(self.ref, found, [*self.ref.samples, drawn]) or self._at_one(found)
        return outcome or (Outcome("unknown", "floating point", problem) if problem else None)

    def _at_one(self, found: list[Test]) -> str:
        """Why an answer that compares sizes with numbers is not trusted: it differs where these sizes are 1."""
        asked = self.ref.asked
        plain = [t for t in found if all(part.op in ("size", "number", "add", "product") for part in walk(t.operand))]
        names = {name for t in plain for part in walk(t.operand) if part.op == "size" for name in part.data[0].names}
        drawn = points.with_ones(asked.problem, asked.target, names, FEWEST_DEFINED)
        true = self.ref.at_if_possible(drawn) if names else None
        if true is None or self._at_points(self.ref.floating, drawn, true)[0] is None:
            return ""
        return f"The answer differs where {' and '.join(sorted(names))} is 1."

    # --------------------------------------------------------------------------------- proofs and identities

    def _canonical(self) -> Outcome | None:
        return Outcome("equal", "canonical form") if _is_closed_form(self.ref.asked, self.answer) else None

    def _modular(self) -> Outcome | None:
        if self._holds("modular"):
            return Outcome("equal", "identity modulo a prime")
        count = len({*kinks.continuous(self.ref, self.tests), *kinks.continuous(self.ref, self.ref.tests)})
        if 0 < count <= MOST_COINS and self._holds(f"coins-{count}"):
            return Outcome("equal", "identity modulo a prime")
        return None

    def _holds(self, kind: str) -> bool:
        try:
            for (f, drawn), true in zip(self.ref.worlds(kind), self.ref.values(kind), strict=True):
                if np.any(true != self.ref.answers(self.answer, f, drawn)):
                    return False
        except EvaluationError:
            return False
        return True

    # ------------------------------------------------------------------------------------------ many digits

    def _digits(self) -> Outcome:
        """Many digits at points of several scales; then every branch must have been seen."""
        ref, unsure = self.ref, False
        for f, drawn in kinks.scales(ref.worlds("precise")):
            ref.precise.saturated = False
            true = ref.at(f, drawn)
            given = self._values(f, drawn, anew=True)
            unsure |= ref.precise.saturated
            gap = gaps(ref, true, given)
            for point in _points_of(gap > EQUAL)[:1]:
                if not _visible(ref, true[point], given[point]):
                    unsure = True
                    continue
                here = slice(point, point + 1)
                found = counterexample(ref, self.answer, drawn.only(point), true[here], given[here])
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
        along = list(kinks.lines(ref))
        for drawn in along:
            outcome, _ = self._at_points(ref.floating, drawn, ref.at(ref.floating, drawn))
            if outcome is not None and outcome.relation == "different":
                return outcome
        problem = kinks.unseen(ref, list(dict.fromkeys([*own, *mine])), [*ref.samples, *along])
        strangers = [] if problem else kinks.foreign(ref, mine)
        if strangers:
            problem = kinks.beside(ref, self.answer, mine, strangers)
        return Outcome("unknown", "many digits", problem) if problem else Outcome("equal", "many digits")


def _is_closed_form(asked: Asked, answer: Node) -> bool:
    try:
        return asked.closed() == answer
    except RecursionError:
        return False


# ---------------------------------------------------------------------------------------------- differences


def apart(true: Any, given: Any) -> Any:
    """Where two values differ clearly, in floating point."""
    with np.errstate(all="ignore"):
        gap = np.abs(true - given)
        return (gap > CLEARLY * np.maximum(np.abs(true), np.abs(given))) & (gap > NEGLIGIBLE)


def gaps(ref: Reference, true: Any, given: Any) -> Any:
    """Relative differences, as floats; 0 where either has no value."""
    mp = ref.precise.mp

    def gap(x: Any, y: Any) -> float:
        if not (mp.isfinite(x) and mp.isfinite(y)) or x == y:
            return 0.0
        return float(abs(x - y) / max(abs(x), abs(y)))

    pairs = zip(true.ravel(), np.broadcast_to(given, true.shape).ravel(), strict=True)
    return np.asarray([gap(x, y) for x, y in pairs]).reshape(true.shape)


def _visible(ref: Reference, true: Any, given: Any) -> bool:
    """Whether values that differ are large enough not to be rounding noise."""
    mp = ref.precise.mp
    sizes = [abs(v) for x in (true, given) for v in np.asarray(x).ravel() if mp.isfinite(v)]
    return bool(sizes) and max(sizes) > VISIBLE


def _points_of(where: Any) -> list[int]:
    return [int(p) for p in np.nonzero(np.asarray(where).any(axis=(-2, -1)))[0]]


def _indices(node: Node) -> set[str]:
    return {str(part.data[0]) for part in walk(node) if part.op == "index"}
