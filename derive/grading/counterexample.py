"""Evidence: the point at which an answer differs, in plain numbers, and what it is a multiple of."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from derive.expressions.node import Node
from derive.grading.places import Place
from derive.grading.reference import Reference


def counterexample(ref: Reference, answer: Node, place: Place, true: Any, given: Any) -> dict[str, Any]:
    """Sizes, values, and both results at the one point of a place, in plain numbers."""
    if place.shown is None:
        values = {leaf: plain(v[0]) for leaf, v in place.drawn.values.items()}
        indices = {name: np.asarray(v[0]).tolist() for name, v in place.drawn.indices.items()}
        place.shown = values, indices, None if place.true is None else plain(place.true[0])
    values, indices, derivative = place.shown
    used = ref.leaves_of(ref.asked.of) | ref.leaves_of(answer)
    return {
        "sizes": place.drawn.sizes,
        "indices": indices,
        "values": {str(leaf.data[0]): shown for leaf, shown in values.items() if leaf in used},
        "answer": plain(given[0]),
        "derivative": derivative if true is place.true else plain(true[0]),
    }


def plain(value: Any) -> Any:
    """Nested lists of floats; a number for 1 × 1 and a list for a vector; null where there is no value."""
    given = np.asarray(value)
    flat = [_number(v) for v in given.ravel().tolist()]
    if given.ndim == 2 and 1 in given.shape:
        return flat[0] if given.size == 1 else flat
    return np.asarray(flat, dtype=object).reshape(given.shape).tolist()


def _number(value: Any) -> float | None:
    number = float(value)
    return float(f"{number:.6g}") if isfinite(number) else None


def multiple(ref: Reference, answer: Node) -> float | None:
    """The constant c with answer = c · derivative at all points, if there is one (for a diagnosis)."""
    ratio: float | None = None
    for (f, drawn), true in zip(ref.worlds("floating"), ref.values("floating"), strict=True):
        given = ref.answers(answer, f, drawn)
        if not (np.all(np.isfinite(given)) and np.all(np.isfinite(true))):
            return None
        if ratio is None:
            norm = float(np.sum(true * true))
            ratio = float(np.sum(true * given)) / norm if norm else None
        if ratio is None:
            return None
        gap = np.abs(ratio * true - given)
        if np.any(gap > 1e-9 * np.maximum(1e-3, np.abs(given))):
            return None
    return ratio
