"""Evidence: the point at which an answer differs, in plain numbers, and what it is a multiple of."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.expressions.node import Node
from derive.grading.branches import leaves
from derive.grading.reference import Reference
from derive.numerics.sampling import Sample


def counterexample(ref: Reference, answer: Node, here: Sample, true: Any, given: Any) -> dict[str, Any]:
    """Sizes, values, and both results, in plain numbers."""
    meanings = ref.asked.problem.meanings
    used = leaves(meanings, ref.asked.of) | leaves(meanings, answer)
    values = {str(n.data[0]): plain(v[0]) for n, v in here.values.items() if n in used}
    indices = {name: np.asarray(v[0]).tolist() for name, v in here.indices.items()}
    return {
        "sizes": here.sizes,
        "indices": indices,
        "values": values,
        "answer": plain(given[0]),
        "derivative": plain(true[0]),
    }


def plain(value: Any) -> Any:
    """Nested lists of floats; a number for 1 × 1 and a list for a vector; null where there is no value."""
    given = np.asarray(value)
    array = np.asarray([_number(v) for v in given.ravel()], dtype=object).reshape(given.shape)
    if array.ndim == 2 and array.size == 1:
        return array[0, 0]
    if array.ndim == 2 and 1 in array.shape:
        return array.reshape(-1).tolist()
    return array.tolist()


def _number(value: Any) -> float | None:
    number = float(value)
    return float(f"{number:.6g}") if np.isfinite(number) else None


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
