"""Where branches meet: points near kinks, and branches that no point has shown.

An answer with an indicator, a maximum or an absolute value can equal the derivative at every point that
happens to be drawn and differ on a branch that none of them reaches.  Identity modulo a prime covers all
branches; where that rung is silent, each predicate of the answer must have been seen on both sides, also
along lines through the points, on which the cells between neighbouring kinks are visited one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.numerics.fields import Field
from derive.numerics.sampling import Sample, properties_of

if TYPE_CHECKING:
    from derive.grading.compare import Reference

FREE = ("one-hot", "binary", "sign", "integer", "distribution", "unit interval", "symmetric", "positive")
LINE = np.concatenate([-np.geomspace(64, 0.02, 40), [0.0], np.geomspace(0.02, 64, 40)])


def points(worlds: list[tuple[Field, Sample]]) -> Iterator[tuple[Field, Sample]]:
    """The samples of a rung, and the same with values close to zero."""
    for f, drawn in worlds:
        yield f, drawn
    for f, drawn in worlds:
        for scale in (1e-3, 1e-7):
            yield f, _scaled(drawn.first(2), scale)


def _scaled(drawn: Sample, scale: float) -> Sample:
    values = {leaf: v * scale if not _fixed(leaf) else v for leaf, v in drawn.values.items()}
    return Sample(drawn.sizes, drawn.indices, values, drawn.points)


def _fixed(leaf: Node) -> bool:
    """Whether a leaf's values must stay as they are drawn."""
    return any(p.startswith(FREE) for p in properties_of(leaf))


def predicates(node: Node) -> list[Node]:
    """The expressions whose sign chooses a branch."""
    found: list[Node] = []
    for part in walk(node):
        if part.op in ("positive", "relu", "abs", "sign", "is_zero"):
            found.append(part.operands[0])
        elif part.op in ("maximum", "minimum"):
            found.append(b.subtract(*part.operands))
    return list(dict.fromkeys(found))


def unseen(ref: Reference, answer: Node) -> str:
    """What keeps an answer that is equal at all points from being called equal: a branch not seen."""
    tests = predicates(answer)
    if not tests:
        return ""
    if any(_depends_on_bound(t) for t in tests):
        return "The answer has branches inside a sum that could not all be reached."
    sides: list[set[bool]] = [set() for _ in tests]
    for drawn in ref.samples:
        for signs in _along_lines(ref, tests, drawn):
            for seen, sign in zip(sides, signs, strict=True):
                seen.update(sign)
    missing = [t for t, seen in zip(tests, sides, strict=True) if len(seen) < 2]
    if missing:
        from derive.printing.latex import latex

        return f"A branch of the answer was never reached: the sign of {latex(missing[0])} did not change."
    return _cells(ref, answer, tests)


def _depends_on_bound(test: Node) -> bool:
    inner = {part.data[0] for part in walk(test) if part.op == "sum"}
    return any(part.op == "index" and "'" in str(part.data[0]) and part.data[0] not in inner for part in walk(test))


def _line_sample(drawn: Sample, k: int, steps: Any, seed: int) -> Sample:
    """Point k of a sample, moved along a random line by each of the steps."""
    rng = np.random.default_rng([seed, k])
    here, values = drawn.only(k), dict[Node, Any]()
    for leaf, value in here.values.items():
        if _fixed(leaf):
            values[leaf] = np.repeat(value, len(steps), axis=0)
        else:
            direction = rng.normal(size=value.shape)
            values[leaf] = value + direction * np.asarray(steps).reshape(-1, *[1] * (value.ndim - 1))
    indices = {name: np.repeat(v, len(steps), axis=0) for name, v in here.indices.items()}
    return Sample(drawn.sizes, indices, values, len(steps))


def _signs(ref: Reference, tests: list[Node], drawn: Sample) -> list[Any]:
    """The values of the predicates, flattened: (points, entries) each."""
    out = []
    for test in tests:
        value = ref.answers(test, ref.floating, drawn)
        out.append(np.asarray(value, dtype=float).reshape(drawn.points, -1))
    return out


def _along_lines(ref: Reference, tests: list[Node], drawn: Sample) -> Iterator[list[set[bool]]]:
    for k in range(min(4, drawn.points)):
        values = _signs(ref, tests, _line_sample(drawn, k, LINE, 5))
        yield [{bool(s) for s in np.unique(v[np.isfinite(v)] > 0)} for v in values]


def _cells(ref: Reference, answer: Node, tests: list[Node]) -> str:
    """Compare in every cell between neighbouring kinks along lines; "" if all agree."""
    for drawn in ref.samples:
        for k in range(min(3, drawn.points)):
            steps = _between(ref, tests, drawn, k)
            if not len(steps):
                continue
            line = _line_sample(drawn, k, steps, 5)
            try:
                true, given = ref.at(ref.floating, line), ref.answers(answer, ref.floating, line)
            except EvaluationError:
                return "The branches of the answer could not all be evaluated."
            with np.errstate(all="ignore"):
                gap = np.abs(true - given) / np.maximum(1e-3, np.maximum(np.abs(true), np.abs(given)))
            if np.any(gap[np.isfinite(gap)] > 1e-6):
                return "The answer differs from the derivative on a narrow branch."
    return ""


def _between(ref: Reference, tests: list[Node], drawn: Sample, k: int) -> Any:
    """Steps along a line between each two neighbouring kinks of the predicates."""
    values = np.concatenate(_signs(ref, tests, _line_sample(drawn, k, LINE, 5)), axis=1)
    low, high = [], []
    rows, columns = np.nonzero((values[:-1] > 0) != (values[1:] > 0))
    for r in range(min(len(rows), 200)):
        low.append(LINE[rows[r]])
        high.append(LINE[rows[r] + 1])
    if not low:
        return np.asarray([])
    a, c, which = np.asarray(low), np.asarray(high), columns[: len(low)]
    every = np.arange(len(a))
    start = values[rows[: len(a)], which] > 0
    for _ in range(45):
        middle = (a + c) / 2
        now = np.concatenate(_signs(ref, tests, _line_sample(drawn, k, middle, 5)), axis=1)[every, which] > 0
        a, c = np.where(now == start, middle, a), np.where(now == start, c, middle)
    kinks = np.unique((a + c) / 2)
    ends = np.concatenate([[kinks[0] - 1], kinks, [kinks[-1] + 1]])
    return (ends[:-1] + ends[1:]) / 2
