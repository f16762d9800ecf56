"""Whether an answer equals the derivative: a ladder of rungs, each of which may decide.

1. shape; 2. canonical form (a proof for all sizes); 3. floating point, where values that differ clearly
are confirmed to differ; 4. identity modulo a prime, on all branches at once; 5. many digits, where what is
equal must have shown every branch.  What no rung settles is undecided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.grading import kinks
from derive.numerics import forward
from derive.numerics.fields import Field, Floating, Modular, Precise
from derive.numerics.sampling import Sample, sample, world
from derive.problem.problem import Problem, Target
from derive.sizes import SCALAR, Dims, describe

CLEARLY = 1e-6
NEGLIGIBLE = 1e-9
DIGITS = 40
SEEDS = (11, 12)
POINTS, MODULAR_POINTS, PRECISE_POINTS = 12, 6, 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """`relation` is equal, different or unknown; `method` the rung that decided."""

    relation: str
    method: str
    message: str = ""
    counterexample: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: the derivative of `of` with respect to `target`, in a layout."""

    problem: Problem
    of: Node
    target: Target
    layout: str = "shape"
    closed: Callable[[], Node | None] = lambda: None

    @property
    def dims(self) -> Dims:
        """The dimensions of a right answer."""
        return forward.expected_dims(self.of, self.target, self.layout)

    def __hash__(self) -> int:
        return hash((id(self.problem), self.of, self.target.access, self.layout))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Asked):
            return NotImplemented
        mine = (self.of, self.target.access, self.layout)
        return self.problem is other.problem and mine == (other.of, other.target.access, other.layout)


class Reference:
    """The true derivative at the sample points, over each field; computed when first needed."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.samples = [sample(asked.problem, asked.target, seed, POINTS) for seed in SEEDS]
        self.floating = Floating()
        self.precise = Precise(DIGITS + 25)
        self._known: dict[Any, Any] = {}

    def worlds(self, kind: str) -> list[tuple[Field, Sample]]:
        """The fields and samples of a rung."""
        if kind == "floating":
            return [(self.floating, s) for s in self.samples]
        if kind == "modular":
            return [(Modular(7 * k + 3), s.first(MODULAR_POINTS)) for k, s in enumerate(self.samples)]
        return [(self.precise, s.first(PRECISE_POINTS)) for s in self.samples]

    def values(self, kind: str) -> list[Any]:
        """The true values of a rung, one array a sample."""
        if kind not in self._known:
            self._known[kind] = [self.at(f, s) for f, s in self.worlds(kind)]
        return self._known[kind]  # type: ignore[no-any-return]

    def at(self, f: Field, drawn: Sample) -> Any:
        """The true values over a field at given points."""
        asked = self.asked
        with np.errstate(all="ignore"):
            out = forward.jacobian_values(asked.problem, f, drawn, asked.of, asked.target)
        return np.swapaxes(out, -1, -2) if asked.layout == "numerator" else out

    def answers(self, node: Node, f: Field, drawn: Sample) -> Any:
        """An answer's values over a field at given points."""
        with np.errstate(all="ignore"):
            value = world(self.asked.problem, f, drawn).value(node)
        return np.broadcast_to(value, (drawn.points, *value.shape[-2:]))


@lru_cache(maxsize=256)
def reference(asked: Asked) -> Reference:
    """The reference of a question, shared by its answers."""
    return Reference(asked)


def compare(asked: Asked, answer: Node) -> Outcome:
    """How an answer stands to the derivative that is asked for."""
    if answer == b.number(0):
        answer = b.zeros(asked.dims)
    if answer.dims != asked.dims:
        message = f"The answer is {describe(answer.dims)}; the derivative is {describe(asked.dims)}."
        return Outcome("different", "shape", message)
    closed = asked.closed()
    if closed is not None and closed == answer and confirmed(asked):
        return Outcome("equal", "canonical form")
    ref = reference(asked)
    try:
        return _by_values(ref, answer)
    except EvaluationError as problem:
        return Outcome("unknown", "bounds", f"The answer could not be evaluated: {problem}.")


@lru_cache(maxsize=1024)
def confirmed(asked: Asked) -> bool:
    """Whether the closed form has the values of the derivative: nothing is trusted unchecked."""
    closed = asked.closed()
    try:
        return closed is not None and _by_values(reference(asked), closed).relation == "equal"
    except EvaluationError:
        return False


def _by_values(ref: Reference, answer: Node) -> Outcome:
    undefined = False
    for (f, drawn), true in zip(ref.worlds("floating"), ref.values("floating"), strict=True):
        given = ref.answers(answer, f, drawn)
        known = np.isfinite(true) & np.isfinite(given)
        undefined |= bool(np.any(np.isfinite(true) & ~np.isfinite(given)))
        far = known & _apart(true, given, CLEARLY, NEGLIGIBLE)
        if np.any(far):
            found = _confirmed(ref, answer, drawn, int(np.argwhere(far.any(axis=(-2, -1)))[0][0]))
            if found is not None:
                return found
    if undefined:
        return Outcome("unknown", "floating point", "The answer has no value where the derivative has one.")
    if _modular_equal(ref, answer):
        return Outcome("equal", "identity modulo a prime")
    return _by_digits(ref, answer)


def _apart(true: Any, given: Any, relative: float, absolute: float) -> Any:
    with np.errstate(all="ignore"):
        gap = np.abs(true - given)
        return (gap > relative * np.maximum(np.abs(true), np.abs(given))) & (gap > absolute)


def _modular_equal(ref: Reference, answer: Node) -> bool:
    try:
        for (f, drawn), true in zip(ref.worlds("modular"), ref.values("modular"), strict=True):
            if np.any(true != ref.answers(answer, f, drawn)):
                return False
    except EvaluationError:
        return False
    return True


def _confirmed(ref: Reference, answer: Node, drawn: Sample, point: int) -> Outcome | None:
    """A difference seen in floating point, evaluated again with many digits; None if it was rounding."""
    here = drawn.only(point)
    true, given = ref.at(ref.precise, here), ref.answers(answer, ref.precise, here)
    if np.any(_gaps(ref, true, given) > 10.0 ** (-DIGITS // 2)):
        return Outcome("different", "floating point", "", _counterexample(ref, here, true, given))
    return None


def _gaps(ref: Reference, true: Any, given: Any) -> Any:
    """Relative differences, as floats."""
    mp = ref.precise.mp

    def gap(x: Any, y: Any) -> float:
        if mp.isnan(x) or mp.isnan(y) or mp.isinf(x) or mp.isinf(y):
            return 0.0
        size = max(abs(x), abs(y))
        return float(abs(x - y) / size) if size > mp.mpf(10) ** -DIGITS else 0.0

    return np.vectorize(gap, otypes=[float])(true, given)


def _by_digits(ref: Reference, answer: Node) -> Outcome:
    """Many digits at points of several scales, some of them close to where branches meet."""
    ref.precise.saturated = False
    for f, drawn in kinks.points(ref.worlds("precise")):
        true, given = ref.at(f, drawn), ref.answers(answer, f, drawn)
        gaps = _gaps(ref, true, given)
        if np.any(gaps > 10.0**-DIGITS):
            point = int(np.argwhere((gaps > 10.0**-DIGITS).any(axis=(-2, -1)))[0][0])
            here = drawn.only(point)
            found = _counterexample(ref, here, true[point : point + 1], given[point : point + 1])
            return Outcome("different", "many digits", "", found)
    if ref.precise.saturated:
        return Outcome("unknown", "many digits", "The answer is equal only as far as its digits tell.")
    problem = kinks.unseen(ref, answer)
    if problem:
        return Outcome("unknown", "many digits", problem)
    return Outcome("equal", "many digits")


# ----------------------------------------------------------------------------------------- counterexamples


def _counterexample(ref: Reference, here: Sample, true: Any, given: Any) -> dict[str, Any]:
    """Sizes, values, and both results, in plain numbers."""
    used = {node for node in walk(ref.asked.of)} | _leaves(ref.asked.problem)
    values = {str(n.data[0]): _plain(v[0]) for n, v in here.values.items() if n in used}
    indices = {name: np.asarray(v[0]).tolist() for name, v in here.indices.items()}
    return {
        "sizes": here.sizes,
        "indices": indices,
        "values": values,
        "answer": _plain(given[0]),
        "derivative": _plain(true[0]),
    }


def _leaves(problem: Problem) -> set[Node]:
    found = set[Node]()
    for definition in problem.program.values():
        body = definition[2] if isinstance(definition, tuple) else definition
        found.update(walk(body))
    return found


def _plain(value: Any) -> Any:
    """Nested lists of floats; a number for 1 × 1 and a list for a vector."""
    array = np.vectorize(lambda v: float(f"{float(v):.6g}"), otypes=[float])(np.asarray(value))
    if array.shape[-2:] == (1, 1) and array.ndim == 2:
        return float(array[0, 0])
    if array.ndim == 2 and 1 in array.shape:
        return array.reshape(-1).tolist()
    return array.tolist()


def multiple(asked: Asked, answer: Node) -> float | None:
    """The constant c with answer = c · derivative at all points, if there is one (for a diagnosis)."""
    ref = reference(asked)
    ratio: float | None = None
    for (f, drawn), true in zip(ref.worlds("floating"), ref.values("floating"), strict=True):
        try:
            given = ref.answers(answer, f, drawn)
        except EvaluationError:
            return None
        if not (np.all(np.isfinite(given)) and np.all(np.isfinite(true))):
            return None
        if ratio is None:
            norm = float(np.sum(true * true))
            ratio = float(np.sum(true * given)) / norm if norm else None
        if ratio is None or np.any(_apart(ratio * true, given, 1e-9, NEGLIGIBLE)):
            return None
    return ratio


def is_scalar(asked: Asked) -> bool:
    """Whether the derivative is a number."""
    return asked.dims == SCALAR
