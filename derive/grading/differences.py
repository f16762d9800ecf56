"""Where two values differ, in floating point and with many digits."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any

import numpy as np

from derive.grading.limits import CLEARLY, NEGLIGIBLE

EQUAL, SURE, VISIBLE = 1e-40, 1e-20, 1e-25
SMALL = 1e-200


def apart(true: Any, given: Any) -> Any:
    """Where two values differ clearly, in floating point."""
    with np.errstate(all="ignore"):
        gap = np.abs(true - given)
        return (gap > CLEARLY * np.maximum(np.abs(true), np.abs(given))) & (gap > NEGLIGIBLE)


def gaps(true: Any, given: Any) -> Any:
    """Relative differences, as floats; 0 where either has no value."""
    pairs = zip(true.ravel(), np.broadcast_to(given, true.shape).ravel(), strict=True)
    return np.asarray([_gap(x, y) for x, y in pairs]).reshape(true.shape)


def differ_surely(true: Any, given: Any) -> bool:
    """Whether values of many digits differ in some entry, and are not all rounding noise."""
    pairs = zip(true.ravel(), np.broadcast_to(given, true.shape).ravel(), strict=True)
    return any(_differ(x, y) for x, y in pairs) and are_visible(true, given)


def _differ(x: Any, y: Any) -> bool:
    u, v = abs(float(x)), abs(float(y))
    if SMALL < u < inf and SMALL < v < inf and abs(u - v) > CLEARLY * max(u, v):
        return True  # what differs in the first digits need not be compared in all of them
    return _gap(x, y) > SURE


def are_visible(true: Any, given: Any) -> bool:
    """Whether some value of many digits is large enough not to be rounding noise."""
    return any(abs(float(v)) > VISIBLE and _is_finite(v) for x in (true, given) for v in np.asarray(x).ravel())


def _is_finite(x: Any) -> bool:
    return isfinite(float(x)) or abs(x) < inf


def _gap(x: Any, y: Any) -> float:
    if x == y or not (_is_finite(x) and _is_finite(y)):
        return 0.0
    return float(abs(x - y) / max(abs(x), abs(y)))


def points_of(where: Any) -> list[int]:
    """The points at which something holds for some entry."""
    return [int(p) for p in np.nonzero(np.asarray(where).any(axis=(-2, -1)))[0]]
