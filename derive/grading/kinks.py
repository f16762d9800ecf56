"""Where branches meet: what must be seen before an answer with branches is called equal.

An answer with an indicator, a maximum or an absolute value can equal the derivative at every point that happens
to be drawn and differ on a branch that none of them reaches.  Where no identity covers all branches at once, each
sign that chooses one must be a sign that the problem itself branches on (or change only where one of those does),
must have been seen on both sides, and the values must agree along lines through all branches.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from derive.expressions.leaves import properties_of
from derive.expressions.node import Node, walk
from derive.grading.branches import Test, is_discrete, leaves
from derive.grading.places import Place
from derive.numerics.sampling import Sample

if TYPE_CHECKING:
    from derive.grading.reference import Reference

FIXED = ("one-hot", "binary", "sign", "integer", "distribution", "unit interval", "symmetric", "positive")
LINE = np.concatenate([-np.geomspace(64, 0.02, 40), [0.0], np.geomspace(0.02, 64, 40)])
LINES, ROUNDS, NEAR, PROPORTIONAL = 3, 6, 1e-5, 1e-30
Turns = tuple[Any, Any]


def scales(samples: list[Sample]) -> list[Sample]:
    """Samples, and the first points of each with values close to zero."""
    return [*samples, *(_scaled(drawn.first(2), scale) for drawn in samples for scale in (1e-3, 1e-7))]


def _scaled(drawn: Sample, scale: float) -> Sample:
    values = {leaf: v if is_fixed(leaf) else v * scale for leaf, v in drawn.values.items()}
    return Sample(drawn.sizes, drawn.indices, values, drawn.points)


def is_fixed(leaf: Node) -> bool:
    """Whether a leaf's values must stay as they are drawn."""
    return any(p.startswith(FIXED) for p in properties_of(leaf))


# ------------------------------------------------------------------------------------------ kinds of tests


def discrete(ref: Reference, found: list[Test]) -> list[Test]:
    """The tests on labels, whole numbers, sizes and positions that compare with a number."""
    return [t for t in found if is_discrete(ref.meanings, t.operand) and not _between_indices(t.operand)]


def _between_indices(operand: Node) -> bool:
    """Whether only indices are compared, as in 1[i = j]: their coincidences are drawn on purpose."""
    terms = operand.operands if operand.op == "add" else (operand,)
    plain = all(part.op in ("index", "member", "index_family", "number", "product", "add") for part in walk(operand))
    return plain and not any(t.op == "number" or t.op == "size" for t in terms)


def continuous(ref: Reference, found: list[Test]) -> list[Test]:
    """The tests that depend on quantities that vary, without those that decide on a set of measure zero only."""
    varying = [t for t in found if not is_discrete(ref.meanings, t.operand)]
    return [t for t in varying if t.kind == "sign" or ref.answer_tests(t.operand)]


# --------------------------------------------------------------------------------------------- along lines


def line(drawn: Sample, k: int, steps: Any, seed: int, only: Node | None = None) -> Sample:
    """Point k of a sample, moved along a random line by each of the steps; all free leaves move, or `only` one."""
    rng = np.random.default_rng([seed, k])
    here, values = drawn.only(k), dict[Node, Any]()
    for leaf, value in here.values.items():
        direction = rng.normal(size=value.shape)
        if is_fixed(leaf) or only not in (None, leaf):
            values[leaf] = np.repeat(value, len(steps), axis=0)
        else:
            values[leaf] = value + direction * np.asarray(steps).reshape(-1, *[1] * (value.ndim - 1))
    indices = {name: np.repeat(v, len(steps), axis=0) for name, v in here.indices.items()}
    return Sample(drawn.sizes, indices, values, len(steps))


def lines(ref: Reference) -> Iterator[Sample]:
    """Points along lines, on which signs change."""
    for drawn in ref.samples:
        for k in range(min(LINES, drawn.points)):
            yield line(drawn, k, LINE, 5)


def operands(ref: Reference, test: Test, place: Place) -> Any:
    """The values of a test's operand, entries and instances in a row: (points, entries)."""
    points, sizes = place.drawn.points, place.drawn.sizes
    flat = [ref.given(one, place).reshape(points, -1) for one in _instances(test, tuple(sizes.items()))]
    return np.concatenate(flat, axis=1) if flat else np.zeros((points, 0))


@lru_cache(maxsize=4096)
def _instances(test: Test, sizes: tuple[tuple[str, int], ...]) -> list[Node]:
    return test.instances(dict(sizes))


def sides(ref: Reference, found: list[Test], places: list[Place]) -> list[set[bool]]:
    """Which outcomes of each test are seen at some points."""
    out: list[set[bool]] = [set() for _ in found]
    for place in places:
        for seen, test in zip(out, found, strict=True):
            value = np.asarray(operands(ref, test, place), dtype=float)
            value = value[np.isfinite(value)]
            seen.update((value > 0 if test.kind == "sign" else value == 0).ravel().tolist())
    return out


def unseen(ref: Reference, found: list[Test], places: list[Place]) -> str:
    """Why an answer that is equal at all points may still differ: a branch that no point has reached."""
    from derive.printing.latex import latex

    for test, seen in zip(found, sides(ref, found, places), strict=True):
        if len(seen) < 2:
            question = "the sign of" if test.kind == "sign" else "whether zero is the value of"
            return f"A branch was never reached: {question} {latex(test.operand)} did not change."
    return ""


# --------------------------------------------------------------------------------- the problem's own branches


def foreign(ref: Reference, answer: list[Test]) -> list[Test]:
    """The tests of an answer whose operand is no multiple of one that the problem itself branches on."""
    own = continuous(ref, ref.tests)
    rest = [t for t in answer if t not in own]
    if not rest:
        return []
    few = ref.places("few")[0]
    have = [operands(ref, t, few) for t in own]
    columns = [h[:, k] for h in have for k in range(h.shape[1])]
    return [t for t in rest if not _all_proportional(operands(ref, t, few), columns)]


def _all_proportional(values: Any, columns: list[Any]) -> bool:
    return all(any(_proportional(values[:, k], column) for column in columns) for k in range(values.shape[1]))


def _proportional(x: Any, y: Any) -> bool:
    """Whether two columns differ by a constant factor, to many digits."""
    if not x[0] or not y[0]:
        return False
    cross = [abs(a * y[0] - c * x[0]) for a, c in zip(x, y, strict=True)]
    return all(gap < PROPORTIONAL * abs(a * y[0]) for gap, a in zip(cross, x, strict=True))


# -------------------------------------------------------------------------- tests that are linear piece by piece


def beside(ref: Reference, answer: Node, found: list[Test], strangers: list[Test]) -> str:
    """Why tests that are not the problem's own cannot be trusted; "" if they turn only where its own do."""
    own = continuous(ref, ref.tests)
    everything = list(dict.fromkeys([*own, *found]))
    leaf = _leaf_of_degree_one(ref, everything, strangers)
    if leaf is None:
        return "The answer has branches that the problem does not have."
    met: set[Test] = set()
    for drawn in ref.samples[:2]:
        for k in range(LINES):
            turns = _all_turns(ref, everything, drawn, k, leaf)
            met |= {test for test in strangers if len(turns[test][0])}
            if any(not _turns_with_one(ref, test, own, turns[test], drawn, k, leaf) for test in strangers):
                return "The answer branches where the derivative does not."
            if not _agree_between(ref, answer, np.concatenate([at for at, _ in turns.values()]), drawn, k, leaf):
                return "The answer differs from the derivative on a narrow branch."
    return "" if met >= set(strangers) else "A branch of the answer was never reached."


def _turns_with_one(
    ref: Reference, test: Test, own: list[Test], turns: Turns, drawn: Sample, k: int, leaf: Node
) -> bool:
    """Whether a test, at each place where it turns, is a multiple of one of the problem's own, to many digits."""
    for at, column in zip(*turns, strict=True):
        near = Place(ref.precise, _around(line(drawn, k, np.repeat(at, 4), 5, leaf), leaf))
        mine = operands(ref, test, near)[:, column]
        theirs = (operands(ref, t, near) for t in own)
        if not any(_proportional(mine, values[:, c]) for values in theirs for c in range(values.shape[1])):
            return False
    return True


def _around(drawn: Sample, leaf: Node) -> Sample:
    """Points close to those given, in random directions."""
    rng = np.random.default_rng(6)
    value = drawn.values[leaf]
    values = {**drawn.values, leaf: value + NEAR * rng.normal(size=value.shape)}
    return Sample(drawn.sizes, drawn.indices, values, drawn.points)


def _leaf_of_degree_one(ref: Reference, found: list[Test], strangers: list[Test]) -> Node | None:
    """A quantity in which the operands of all tests are linear, piece by piece."""
    candidates = [leaf for leaf in leaves(ref.meanings, ref.asked.of) if not is_fixed(leaf)]
    for leaf in sorted(candidates, key=str):
        degrees = dict(zip(found, ref.branches.degrees(leaf, [t.operand for t in found]), strict=True))
        if all(d <= 1 for d in degrees.values()) and all(degrees[t] == 1 for t in strangers):
            return leaf
    return None


def _all_turns(ref: Reference, found: list[Test], drawn: Sample, k: int, leaf: Node) -> dict[Test, Turns]:
    """Where each test turns along a line; linear interpolation is exact once all places in between are known."""
    steps, known = LINE, np.zeros(0)
    out: dict[Test, Turns] = {}
    for _ in range(ROUNDS):
        along = Place(ref.floating, line(drawn, k, steps, 5, leaf))
        out = {test: _turns(operands(ref, test, along), steps) for test in found}
        places = _distinct(np.concatenate([at for at, _ in out.values()]))
        if len(places) == len(known) and np.allclose(places, known, rtol=0, atol=1e-13):
            break
        known, steps = places, np.unique(np.concatenate([LINE, places, _middles(places)]))
    return out


def _turns(values: Any, steps: Any) -> Turns:
    """The places between neighbouring steps where a column of values changes its sign, and the columns."""
    rows, columns = np.nonzero((values[:-1] > 0) != (values[1:] > 0))
    a, c = values[rows, columns], values[rows + 1, columns]
    return steps[rows] - a * (steps[rows + 1] - steps[rows]) / (c - a), columns


def _distinct(values: Any) -> Any:
    ordered = np.sort(values)
    return ordered if not len(ordered) else ordered[np.concatenate([[True], np.diff(ordered) > 1e-12])]


def _middles(values: Any) -> Any:
    return (values[:-1] + values[1:]) / 2


def _agree_between(ref: Reference, answer: Node, kinks: Any, drawn: Sample, k: int, leaf: Node) -> bool:
    """Whether answer and derivative agree in every cell between neighbouring kinks of a line."""
    if not len(kinks):
        return True
    ordered = _distinct(kinks)
    cells = np.concatenate([[ordered[0] - 1], _middles(ordered), [ordered[-1] + 1]])
    along = line(drawn, k, cells, 5, leaf)
    true, given = ref.at(ref.floating, along), ref.answers(answer, ref.floating, along)
    with np.errstate(all="ignore"):
        gap = np.abs(true - given) / np.maximum(1e-3, np.maximum(np.abs(true), np.abs(given)))
    return not np.any(gap[np.isfinite(gap)] > 1e-6)
