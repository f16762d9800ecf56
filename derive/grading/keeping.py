"""Writing down what `derive.grading.kept` needs of a question."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import Any

import numpy as np

from derive.errors import DeriveError
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.branches import is_discrete, leaves, of_program
from derive.grading.facts import digest, uses_positions
from derive.grading.kept import key_of
from derive.grading.limits import OWN_POINTS, OWN_SAMPLES
from derive.grading.points import by_mark
from derive.grading.random_branches import Multilinear
from derive.grading.reference import Reference, reference
from derive.numerics.fields import Field
from derive.numerics.sampling import Sample

MOST_NUMBERS = 60_000


def keep(asked: Asked) -> dict[str, Any]:
    """The question as plain data; empty where that would be too much, or where the derivative has no value.

    The points for answers that use sizes or positions are drawn anew, so that nobody can write an answer for them.
    """
    try:
        with np.errstate(all="ignore"):
            return _kept(asked, reference(asked))
    except (DeriveError, RecursionError):
        return {}


def _kept(asked: Asked, ref: Reference) -> dict[str, Any]:
    if any(leaves(ref.plain.meanings, name) != leaves(asked.problem.meanings, name) for name in ref.plain.meanings):
        return {}
    samples = []
    for kind in ("floating", "modular"):
        pairs = zip(ref.worlds(kind), ref.values(kind), strict=True)
        samples += [_sample(ref, kind, f, drawn, true) for (f, drawn), true in pairs]
    for drawn in by_mark(asked.problem, asked.target, os.urandom(16), OWN_SAMPLES, OWN_POINTS):
        samples.append(_sample(ref, "own", ref.floating, drawn, ref.at(ref.floating, drawn)))
    if sum(_numbers(sample) for sample in samples) > MOST_NUMBERS:
        return {}
    closed = asked.closed()
    return {
        "closed": None if closed is None else digest(closed).hex(),
        "tests": [key_of(test) for test in ref.tests],
        "names": [digest(name).hex() for name in ref.plain.meanings if _is_covered(ref, name)],
        "samples": samples,
    }


def _is_covered(ref: Reference, name: Node) -> bool:
    """Whether what chooses branches in a name is in the question too, and depends on no position."""
    found = of_program(ref.plain.meanings, name)
    strange = [test for test in found if test not in ref.tests]
    labels = any(is_discrete(ref.plain.meanings, test.operand) for test in strange)
    return not labels and not uses_positions(name, found)


def _sample(ref: Reference, kind: str, f: Field, drawn: Sample, true: Any) -> dict[str, Any]:
    world, values = ref.world(f, drawn), {}
    for name in dict.fromkeys([*drawn.values, *ref.plain.meanings]):
        try:
            value = world.leaf(name)
        except (DeriveError, RecursionError):
            continue
        tail = 3 if name.op == "family" else 2
        values[digest(name).hex()] = _packed(np.broadcast_to(value, (drawn.points, *value.shape[-tail:])))
    return {
        "kind": kind,
        "salt": f.salt if isinstance(f, Multilinear) else 0,
        "points": drawn.points,
        "sizes": drawn.sizes,
        "indices": {name: _packed(np.asarray(value, dtype=np.int64)) for name, value in drawn.indices.items()},
        "values": values,
        "true": _packed(true),
    }


def _packed(value: Any) -> tuple[str, list[int], str]:
    whole = np.ascontiguousarray(value)
    kinds = {"f": "d", "i": "q", "u": "Q"}
    return kinds[whole.dtype.kind], list(value.shape), b64encode(whole.tobytes()).decode()


def _numbers(sample: dict[str, Any]) -> int:
    return sum(int(np.prod(shape)) for _, shape, _ in [*sample["values"].values(), sample["true"]])
