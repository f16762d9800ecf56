"""Right answers told without arrays, by what an earlier run has kept of the question.

The true derivative, and what each name stands for, are kept at the points at which answers are compared.  An answer
that goes through the rungs of `derive.grading.compare` with these numbers alone is right; in every other case nothing
is said here, and the ladder itself judges.
"""

from __future__ import annotations

from array import array
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from derive.errors import EvaluationError
from derive.expressions.node import Node, walk
from derive.grading.branches import BRANCHES, Branches, Meanings, Test, is_discrete, tests
from derive.grading.facts import digest, oscillates, polynomial_degree, reach, uses_positions
from derive.grading.limits import CLEARLY, FEW, FEWEST_DEFINED, NEGLIGIBLE
from derive.grading.outcome import Outcome
from derive.numerics.plain.reals import Reals
from derive.numerics.plain.residues import Residues
from derive.numerics.plain.rows import Plain, Rows
from derive.numerics.plain.world import PlainWorld

if TYPE_CHECKING:
    from derive.grading.asked import Asked

NAMES = frozenset(("symbol", "family"))
Packed = tuple[str, list[int], str]


class Kept:
    """One question as `derive.grading.keeping` has written it down."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.closed, self.samples = found["closed"], [KeptSample(**sample) for sample in found["samples"]]
        self.tests, self.names = frozenset(found["tests"]), frozenset(found["names"])

    def outcome(self, asked: Asked, answer: Node, partial: Iterable[Node] = ()) -> Outcome | None:
        """That an answer is equal, with the rung that decides it; None where the ladder has to judge."""
        present, meanings = set(walk(answer)), asked.problem.meanings
        named = [part for part in present if part.op in NAMES and part in meanings]
        if answer.dims != asked.dims or not all(part in present for part in partial):
            return None
        if any(digest(name).hex() not in self.names for name in named):
            return None
        if answer.heads & BRANCHES:
            answer = Branches(meanings).normal(answer)
        try:
            return self._compared(meanings, answer)
        except (EvaluationError, RecursionError):
            return None

    def _compared(self, meanings: Meanings, answer: Node) -> Outcome | None:
        if not self._is_close(answer, "floating"):
            return None
        if digest(answer).hex() == self.closed:
            return Outcome("equal", "canonical form")
        own = tests(answer)
        degree, positional = polynomial_degree(answer, meanings), uses_positions(answer, own)
        if degree > FEW or reach(answer) > 1 or self._has_labels(meanings, own):
            return None
        if positional and (oscillates(answer) or not self._is_close(answer, "own")):
            return None
        for sample in self.samples:
            if sample.kind == "modular" and any(true != given for true, given in sample.pairs(answer)):
                return None
        return Outcome("equal", "identity modulo a prime")

    def _is_close(self, answer: Node, kind: str) -> bool:
        """Whether no value in floating point differs clearly, and enough of them are defined."""
        defined = 0
        for sample in self.samples:
            if sample.kind == kind:
                close = [_close(true, given) for true, given in sample.pairs(answer)]
                if None in close:
                    return False
                defined += sum(map(bool, close))
        return defined >= FEWEST_DEFINED

    def _has_labels(self, meanings: Meanings, own: list[Test]) -> bool:
        """Whether an answer compares labels, sizes or positions where the question does not."""
        return any(is_discrete(meanings, test.operand) for test in own if key_of(test) not in self.tests)


class KeptSample:
    """The points of one assignment of sizes: of a rung, `floating` or `modular` (with its salt), or `own` ones."""

    def __init__(
        self,
        kind: str,
        salt: int,
        points: int,
        sizes: dict[str, int],
        indices: Mapping[str, Packed],
        values: Mapping[str, Packed],
        true: Packed,
    ) -> None:
        self.field: Plain = Residues(salt) if kind == "modular" else Reals()
        self.kind, self.points, self.sizes, self.values = kind, points, sizes, values
        self.indices = {name: _unpacked(packed) for name, packed in indices.items()}
        self.true = _unpacked(true)
        self._known: dict[Node, list[Any]] = {}

    def pairs(self, answer: Node) -> Iterator[tuple[Rows, Rows]]:
        """The true value and that of an answer, point by point."""
        for point in range(self.points):
            indices = {name: values[point] for name, values in self.indices.items()}
            world = PlainWorld(self.field, self.sizes, indices, lambda node, p=point: self._name(node)[p])  # type: ignore[misc]
            yield self.true[point], world.value(answer)

    def _name(self, node: Node) -> list[Any]:
        if node not in self._known:
            packed = self.values.get(digest(node).hex())
            if packed is None or not all(packed[1]):
                raise EvaluationError(f"{node.data[0]} was not kept")
            self._known[node] = _unpacked(packed)
        return self._known[node]


def key_of(test: Test) -> str:
    """A test by what it says, the same in every run."""
    return f"{digest(test.operand).hex()} {test.kind} {test.bound}"


def _unpacked(packed: Packed) -> list[Any]:
    """Nested lists of an array's entries."""
    kind, shape, text = packed
    entries = array(kind)
    entries.frombytes(b64decode(text))
    out: list[Any] = entries.tolist()
    for length in reversed(shape[1:]):
        out = [out[k : k + length] for k in range(0, len(out), length)]
    return out


def _close(true: Rows, given: Rows) -> bool | None:
    """Whether two values are defined and agree; False where both have none, None where they differ."""
    if (len(true), len(true[0])) != (len(given), len(given[0])):
        return None
    defined = True
    for one, other in zip(true, given, strict=True):
        for x, y in zip(one, other, strict=True):
            here, there = isfinite(x), isfinite(y)
            if here != there:
                return None
            gap = abs(x - y) if here else 0.0
            if (gap > CLEARLY * max(abs(x), abs(y)) and gap > NEGLIGIBLE) or gap == inf:
                return None
            defined &= here
    return defined
