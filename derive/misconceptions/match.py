"""Which wrong forms an answer may be: fingerprints by values, and certainty by the ladder that grades answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from derive.errors import DeriveError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.compare import compare
from derive.grading.limits import FEW
from derive.grading.reference import Reference, reference
from derive.misconceptions.broken import Form

PRINTS, ALIKE, LARGEST_DENOMINATOR = 24, 1e-9, 60
MOST_ENTRIES = 20_000
SMALLEST, LARGEST = 1e-12, 1e100
Print = Any


class Prints:
    """Fingerprints of expressions: their values at the points of one sample, projected to a few numbers.

    Expressions that are equal have equal fingerprints, multiples of one another have multiples; what has the same
    fingerprint is likely to be equal, which `confirmed` has to show.
    """

    def __init__(self, asked: Asked) -> None:
        self.ref = reference(asked)
        self.drawn = self.ref.samples[0]
        self.world = self.ref.world(self.ref.floating, self.drawn)
        self._known: dict[Node, Print | None] = {}

    def of(self, node: Node) -> Print | None:
        """The fingerprint; None where an expression has no value or is zero."""
        if node not in self._known:
            self._known[node] = self._print(node)
        return self._known[node]

    def _print(self, node: Node) -> Print | None:
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(self.world.value(node), dtype=float)
        except (DeriveError, RecursionError):
            return None
        return self.of_values(value)

    def of_values(self, value: Any) -> Print | None:
        """The fingerprint of values at the points of the sample."""
        return fingerprint(np.broadcast_to(value, (self.drawn.points, *value.shape[-2:])))


def fingerprint(value: Any) -> Print | None:
    """A few numbers that depend linearly on an array of values (points, rows, columns)."""
    flat = value.reshape(-1)
    if flat.size > MOST_ENTRIES:
        return None
    size = float(np.abs(flat).max(initial=0.0))
    if not size < LARGEST:
        flat = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
        size = float(np.abs(flat).max(initial=0.0))
    if not SMALLEST < size < LARGEST:
        return None
    out: Print = _projection(flat.size) @ flat
    return out


_PROJECTIONS: dict[int, Any] = {}


def _projection(size: int) -> Any:
    if size not in _PROJECTIONS:
        if len(_PROJECTIONS) > 40:
            _PROJECTIONS.clear()
        _PROJECTIONS[size] = np.random.default_rng([size, 5]).standard_normal((PRINTS, size))
    return _PROJECTIONS[size]


@dataclass(slots=True)
class Table:
    """Wrong forms of one shape with their fingerprints, to be looked up."""

    forms: list[Form] = field(default_factory=list)
    prints: list[Print] = field(default_factory=list)
    _units: Any = None

    def add(self, form: Form, mark: Print) -> None:
        self.forms.append(form)
        self.prints.append(mark)
        self._units = None

    def alike(self, mark: Print) -> Iterable[tuple[Form, float]]:
        """The forms of which an expression with this fingerprint may be a multiple, with the multiple."""
        if not self.forms:
            return []
        if self._units is None:
            self._units = np.asarray([p / np.linalg.norm(p) for p in self.prints])
        norm = float(np.sqrt(mark @ mark))
        near = np.nonzero(np.abs(np.abs(self._units @ (mark / norm)) - 1.0) < ALIKE)[0]
        return [(self.forms[k], ratio) for k in near if (ratio := multiple_of(mark, self.prints[k])) is not None]


def multiple_of(mark: Print, other: Print) -> float | None:
    """The number c for which a fingerprint is c times another; None if there is none."""
    ratio = float(mark @ other) / float(other @ other)
    gap = float(np.abs(mark - ratio * other).max())
    return ratio if gap <= 1e-8 * float(np.abs(mark).max()) else None


def plain_ratio(ratio: float) -> Fraction | None:
    """A ratio as a plain number, such as -1, 2 or 1/3."""
    found = Fraction(ratio).limit_denominator(LARGEST_DENOMINATOR)
    return found if abs(float(found) - ratio) <= 1e-7 * abs(ratio) and found else None


def confirmed(asked: Asked, answer: Node, form: Node, ratio: Fraction) -> bool:
    """Whether an answer is this multiple of a form.

    Shown by their canonical forms, or by an identity modulo a prime at several sizes where neither side depends on
    sizes or positions as numbers; else by the ladder that compares answers with the derivative.
    """
    closed = asked.closed()
    if closed is None or answer.dims != form.dims:
        return False
    try:
        scaled = b.scale(ratio, form)
        if answer is scaled or _identical(reference(asked), answer, scaled):
            return True
        return not _apart(reference(asked), answer, scaled) and _equal(asked, closed, answer, form, ratio)
    except (DeriveError, RecursionError):
        return False


def _identical(ref: Reference, answer: Node, form: Node) -> bool:
    """Whether both are equal modulo a prime at all sizes that are tried, and these are enough of them."""
    one, two = ref.branches.normal(answer), ref.branches.normal(form)
    try:
        for f, drawn in ref.worlds("modular"):
            if not np.array_equal(ref.answers(one, f, drawn), ref.answers(two, f, drawn)):
                return False
    except DeriveError:
        return False
    return not any(_needs_more(ref, node) for node in (one, two))


def _needs_more(ref: Reference, node: Node) -> bool:
    """Whether a few sizes and points are too few, since sizes, labels or positions count in an expression."""
    tests = ref.answer_tests(node)
    return ref.degree(node) > FEW or ref.uses_positions(node, tests) or not set(tests) <= set(ref.tests)


def _apart(ref: Reference, answer: Node, form: Node) -> bool:
    """Whether both differ clearly at some sizes, in floating point."""
    for f, drawn in ref.worlds("floating"):
        one, two = ref.answers(answer, f, drawn), ref.answers(form, f, drawn)
        with np.errstate(all="ignore"):
            if np.any(np.abs(one - two) > FAR * (np.abs(one) + np.abs(two)).max(initial=0.0)):
                return True
    return False


FAR = 1e-3


def _equal(asked: Asked, closed: Node, answer: Node, form: Node, ratio: Fraction) -> bool:
    """The same by the ladder.

    The derivative plus their difference is equal to the derivative if and only if there is no difference; where they
    have not the shape of the derivative, the sum of the squares of the difference stands for it.
    """
    if form is closed:
        return compare(asked, b.scale(1 / ratio, answer)).relation == "equal"
    gap = b.subtract(answer, b.scale(ratio, form))
    if gap.dims != closed.dims:
        gap = b.product(b.total(b.power(gap, 2)), b.ones(closed.dims))
    return compare(asked, b.add(closed, gap)).relation == "equal"
