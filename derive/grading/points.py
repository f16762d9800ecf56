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

from derive.expressions.node import Node, walk
from derive.grading.branches import COMPARING, Meanings, Test, is_discrete, leaves
from derive.numerics.sampling import Sample, properties_of, sample
from derive.problem.problem import Problem, Target
from derive.sizes import ONE, SCALAR, Range

POINTS = 12
SEEDS = (11, 12)
ROOM = 5
LARGEST_INTEGER = 60
SLOW = frozenset(("det", "inverse"))
WAVES = frozenset(("general_power", "sin", "cos"))
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
    best, fewest = None, 10**6
    for trial in range(seed, seed + 1200, 100):
        drawn = sample(wider, target, trial, points)
        repeated = sum(sizes.get(name) == drawn.sizes[name] for sizes in taken for name in problem.scope.sizes)
        if repeated < fewest:
            best, fewest = drawn, repeated
        if not repeated:
            break
    assert best is not None
    sizes = {name: value for name, value in best.sizes.items() if not name.startswith(SPARE)}
    return _widened(replace(best, sizes=sizes), seed)


def of_its_own(problem: Problem, target: Target, answer: Node, count: int, points: int) -> Iterator[Sample]:
    """Samples whose sizes, indices and values follow from the answer; their sizes differ while there are others."""
    digest, taken, least = _digest(answer), list[dict[str, int]](), reach(answer)
    for k in range(count):
        seed = int.from_bytes(hashlib.sha256(digest + bytes([k])).digest()[:4], "big")
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


def reach(answer: Node) -> int:
    """The largest whole number in the limits of an answer's sums: where it begins to sum may depend on it."""
    limits = [
        edge for node in walk(answer) if node.op == "sum" for edge in (node.data[1].lo, node.data[1].hi) if edge.names
    ]
    return max((abs(c) for edge in limits for monomial, c in edge.terms if not monomial), default=0)


def oscillates(answer: Node) -> bool:
    """Whether sizes or indices stand in an exponent or under a sine, as in (-1)^n."""
    waves = (part for node in walk(answer) if node.op in WAVES for part in node.operands)
    return any(part.op in ("size", "index") for wave in waves for part in walk(wave))


def polynomial_degree(answer: Node, meanings: Meanings) -> int:
    """How often sizes, labels and indices as numbers stand in an answer: a bound for its degree in them.

    A polynomial such as (n - 2)(n - 3)(n - 4) vanishes for as many sizes as its degree, and one in the number of
    ones among n labels for every n that is smaller; so many sizes have to be tried.
    """
    counts: dict[int, int] = {}
    for node in walk(answer):
        own = int(node.op == "size" or (node.op in ("symbol", "family") and _is_label(node, meanings)))
        if node.op in ("add", "product", "power"):
            own += sum(o.op == "index" for o in node.operands)
        inner = sum(counts[id(o)] for o in node.operands)
        times = abs(node.data[0].numerator) if node.op == "power" else 1
        counts[id(node)] = own + inner * times
    return counts[id(answer)]


def _is_label(name: Node, meanings: Meanings) -> bool:
    """Whether a quantity is made of labels or whole numbers, of which there may be many."""
    given = leaves(meanings, name)
    return bool(given) and is_discrete(meanings, name) and any(leaf.dims != SCALAR for leaf in given)


def _digest(answer: Node) -> bytes:
    """A number for an expression, the same in every run."""
    place: dict[int, int] = {}
    out = hashlib.sha256()
    for k, node in enumerate(walk(answer)):
        place[id(node)] = k
        out.update(f"{node.op}{node.data}{[place[id(o)] for o in node.operands]};".encode())
    return out.digest()


def _is_slow(problem: Problem) -> bool:
    """Whether larger matrices would take long: determinants and inverses are worked out by cofactors."""
    bodies = (d[2] if isinstance(d, tuple) else d for d in problem.meanings.values())
    return any(part.op in SLOW for body in bodies for part in walk(body))


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


def uses_positions(answer: Node, tests: list[Test]) -> bool:
    """Whether an answer's meaning depends on sizes, fixed positions, whole numbers or comparisons of indices."""
    return any(_is_positional(part) for root in (answer, *(t.operand for t in tests)) for part in walk(root))


def _is_positional(node: Node) -> bool:
    if node.op in ("size", "index", "member") or node.op in COMPARING:
        return node.op != "index" or node.data[1] is not None
    if node.op == "sum":
        over = node.data[1]
        return isinstance(over, Range) and (over.lo != ONE or any(not m for m, _ in over.hi.terms))
    if node.op in ("entry", "row", "column"):
        lengths = node.operands[0].dims[1:] if node.op == "column" else node.operands[0].dims
        pairs = zip(node.operands[1:], lengths, strict=False)
        return any(o.op in ("number", "add") for o, length in pairs if length != ONE)
    return node.op in ("symbol", "family") and "integer" in properties_of(node)
