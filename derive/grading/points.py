"""The points at which answers are compared: what `numerics.sampling` draws, made hard to please by accident.

Sizes differ from sample to sample, so that what is right for one size only shows; integers are drawn from a
wide range; an answer that uses sizes, positions or comparisons with numbers gets sizes of its own, drawn from
its text, which nobody can know beforehand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from derive.expressions.leaves import properties_of
from derive.expressions.node import Node, heads_of
from derive.grading.facts import digest, reach
from derive.numerics.sampling import Sample, sample, sizes_at
from derive.problem.problem import Problem, Target

POINTS = 12
SEEDS = (11, 12)
ROOM = 5
LARGEST_INTEGER = 60
SLOW = heads_of("det", "inverse")
SPARE = "?spare"


def base(problem: Problem, target: Target) -> list[Sample]:
    """Samples of small unequal sizes, and one whose sizes are all others."""
    found = [_widened(sample(problem, target, seed, POINTS), seed) for seed in SEEDS]
    return found if _is_slow(problem) else [*found, roomy(problem, target, [s.sizes for s in found], POINTS, 13)]


def roomy(
    problem: Problem, target: Target, taken: list[dict[str, int]], points: int, seed: int, room: int = ROOM
) -> Sample:
    """A sample from a larger choice of sizes; for every name, if it can be, a size that is not taken yet."""
    scope = problem.scope.child()
    scope.add_size_names(f"{SPARE}{k}" for k in range(room))
    wider = replace(problem, scope=scope)
    best, fewest = seed, 10**6
    for trial in range(seed, seed + 1200, 100):
        drawn = sizes_at(wider, trial)
        repeated = sum(sizes.get(name) == drawn[name] for sizes in taken for name in problem.scope.sizes)
        if repeated < fewest:
            best, fewest = trial, repeated
        if not repeated:
            break
    found = sample(wider, target, best, points)
    sizes = {name: value for name, value in found.sizes.items() if not name.startswith(SPARE)}
    return _widened(replace(found, sizes=sizes), seed)


def of_its_own(problem: Problem, target: Target, answer: Node, count: int, points: int) -> Iterator[Sample]:
    """Samples whose sizes, indices and values follow from the answer; their sizes differ while there are others."""
    return by_mark(problem, target, digest(answer), count, points, reach(answer))


def by_mark(problem: Problem, target: Target, mark: bytes, count: int, points: int, least: int = 1) -> Iterator[Sample]:
    """Samples that follow from a mark; with sizes of more than `least` in the first of them."""
    taken = list[dict[str, int]]()
    for k in range(count):
        seed = int.from_bytes(hashlib.sha256(mark + bytes([k])).digest()[:4], "big")
        if _is_slow(problem):
            yield _widened(sample(problem, target, seed, points), seed)
            continue
        drawn = roomy(problem, target, taken, points, seed, max(ROOM, count))
        if not k and least > 1:
            drawn = _widened(sample(problem, target, seed, points, _enlarged(drawn.sizes, least)), seed)
        taken.append(drawn.sizes)
        yield drawn


def _enlarged(sizes: dict[str, int], by: int) -> dict[str, int]:
    return {name: size + by for name, size in sizes.items()}


def with_ones(problem: Problem, target: Target, names: set[str], points: int) -> Sample:
    """A sample in which some sizes are 1."""
    return _widened(sample(problem, target, 41, points, dict.fromkeys(names, 1)), 41)


def _is_slow(problem: Problem) -> bool:
    """Whether larger matrices would take long: determinants and inverses are worked out by cofactors."""
    bodies = (d[2] if isinstance(d, tuple) else d for d in problem.meanings.values())
    return any(body.heads & SLOW for body in bodies)


def _widened(drawn: Sample, seed: int) -> Sample:
    """The same sample with whole numbers of both signs, unless they are declared positive."""
    rng = np.random.default_rng([seed, 77])
    values = dict(drawn.values)
    for leaf, value in drawn.values.items():
        properties = properties_of(leaf)
        if "integer" in properties:
            values[leaf] = rng.integers(1, LARGEST_INTEGER + 1, value.shape).astype(float)
            if not properties & {"positive", "nonnegative"}:
                values[leaf] *= rng.choice([-1.0, 1.0], value.shape)
    return replace(drawn, values=values)
