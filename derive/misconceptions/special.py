"""Answers that are right in a special case only: for one-hot labels, for distributions, for equal or other indices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from derive.errors import DeriveError
from derive.expressions.leaves import properties_of
from derive.expressions.node import Node
from derive.grading.differences import EQUAL, apart, gaps
from derive.grading.reference import PRECISE_POINTS, Asked, Reference, reference
from derive.misconceptions.names import label_pairs
from derive.numerics.fields import Field
from derive.numerics.sampling import Sample, constrained
from derive.sizes import ONE, SCALAR

WHOLE = 64.0
COUNTS = frozenset(("integer", "binary", "nonnegative"))
MOST_LEAVES = 6


def special_case(asked: Asked, answer: Node) -> str | None:
    """The code of an answer that equals the derivative only for one-hot labels, for labels that sum to 1, or for
    indices that differ or are equal; None for any other.

    Shown at all sample points of that kind, and at some of them with many digits.
    """
    if answer.dims != asked.dims:
        return None
    ref = reference(asked)
    for restricted in zip(*(list(_restrictions(asked, drawn)) for drawn in ref.samples), strict=False):
        code: str = restricted[0][0]
        usable = [drawn for _, drawn in restricted if drawn is not None]
        if len(usable) == len(restricted) and all(_agree(ref, answer, drawn) for drawn in usable):
            return code
    return None


def _restrictions(asked: Asked, drawn: Sample) -> Iterator[tuple[str, Sample | None]]:
    """One sample restricted in each way (None where no point is left), with what is said of it."""
    names = [name for name, values in drawn.indices.items() if np.ndim(values) == 1]
    for k, one in enumerate(names):
        for two in names[k + 1 :]:
            same = np.asarray(drawn.indices[one]) == np.asarray(drawn.indices[two])
            yield "special-case", _at(drawn, ~same)
            yield "positive-formula", _at(drawn, same)
    for leaf in _labels(asked)[:MOST_LEAVES]:
        values = drawn.values[leaf]
        flat = np.abs(values).reshape(len(values), -1)
        one_hot = (flat == flat.max(axis=1, keepdims=True)).astype(float)
        for special in (one_hot,) if constrained(leaf) else (one_hot, _shares(flat)):
            yield "special-case", replace(drawn, values={**drawn.values, leaf: special.reshape(values.shape)})


def _shares(sizes: Any) -> Any:
    """Positive numbers that sum to 1 exactly, as 64ths."""
    parts = np.floor(sizes / sizes.sum(axis=1, keepdims=True) * (WHOLE - sizes.shape[1])) + 1.0
    parts[:, 0] += WHOLE - parts.sum(axis=1)
    return parts / WHOLE


def _labels(asked: Asked) -> list[Node]:
    """Given vectors, but for the variable, that are labels or count, and are not declared as one-hot."""
    labels = {label for label, _ in label_pairs(asked.problem)}
    found = [e.node for e in asked.problem.scope.all() if e.kind == "value" and e.node is not None]
    return [
        node
        for node in found
        if node not in asked.problem.meanings
        and node is not asked.target.leaf
        and ONE in node.dims
        and node.dims != SCALAR
        and properties_of(node) <= COUNTS
        and (node in labels or properties_of(node))
    ]


def _at(drawn: Sample, where: Any) -> Sample | None:
    places = np.nonzero(where)[0]
    if not 2 <= len(places) < drawn.points:
        return None
    indices = {name: np.asarray(v)[places] for name, v in drawn.indices.items()}
    return Sample(drawn.sizes, indices, {n: v[places] for n, v in drawn.values.items()}, len(places))


def _agree(ref: Reference, answer: Node, drawn: Sample) -> bool:
    try:
        true, given = _both(ref, answer, ref.floating, drawn)
        if np.any(apart(true, given)) or not np.all(np.isfinite(given) == np.isfinite(true)):
            return False
        few = drawn.first(min(drawn.points, PRECISE_POINTS))
        return not np.any(gaps(*_both(ref, answer, ref.precise, few)) > EQUAL)
    except DeriveError:
        return False


def _both(ref: Reference, answer: Node, field: Field, drawn: Sample) -> tuple[Any, Any]:
    return ref.at(field, drawn), ref.answers(answer, field, drawn)
