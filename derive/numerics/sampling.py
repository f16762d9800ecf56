"""Sample points: sizes, indices and values that respect what a problem declares.

Sizes are small, unequal and at least 2; indices are drawn so that those that may coincide do so at some
points; values are drawn at more than one scale.  Everything follows from a seed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.expressions.leaves import properties_of
from derive.expressions.node import Node, walk
from derive.numerics.fields import PRIME, Field, Modular, Precise
from derive.numerics.world import World
from derive.problem.problem import Definition, Problem, Target
from derive.sizes import Range

MAX_COMBINATIONS = 4096
SHARED_SIZES = range(4, 13)  # neither so small that the gradients of a long program vanish, nor slow


@dataclass(frozen=True, slots=True)
class Sample:
    """Points of one assignment of sizes: the values of indices and of everything that is given."""

    sizes: dict[str, int]
    indices: dict[str, Any]
    values: dict[Node, Any]
    points: int

    def first(self, count: int) -> Sample:
        """The first few points."""
        indices = {name: v[:count] for name, v in self.indices.items()}
        return Sample(self.sizes, indices, {n: v[:count] for n, v in self.values.items()}, count)

    def scaled(self, factor: float) -> Sample:
        """The same points with values closer to (or farther from) zero; constrained ones stay."""
        values = {n: v if constrained(n) else v * factor for n, v in self.values.items()}
        return Sample(self.sizes, self.indices, values, self.points)

    def only(self, point: int) -> Sample:
        """One of the points."""
        indices = {name: v[point : point + 1] for name, v in self.indices.items()}
        return Sample(self.sizes, indices, {n: v[point : point + 1] for n, v in self.values.items()}, 1)


CONSTRAINED = (
    "one-hot", "binary", "sign", "integer", "distribution", "unit interval", "symmetric", "positive", "nonnegative"
)  # fmt: skip


def constrained(leaf: Node) -> bool:
    """Whether the values of a leaf must stay as they are drawn."""
    return any(p.startswith(CONSTRAINED) for p in properties_of(leaf))


def size_names(problem: Problem) -> list[str]:
    """Every size name that matters for a problem."""
    return sorted(problem.scope.sizes)


def sizes_at(problem: Problem, seed: int) -> dict[str, int]:
    """The sizes of the sample with this seed."""
    return choose_sizes(problem, _source(seed))


def _source(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 20_031])


def choose_sizes(problem: Problem, rng: np.random.Generator) -> dict[str, int]:
    """Unequal small sizes, different from the fixed ones where there are few names.

    Of very many names some must share a size; which ones do follows from the seed.
    """
    fixed = {s.number for e in problem.scope.all() if e.node is not None for s in e.node.dims} - {None, 1}
    pool = [v for v in range(2, 40) if v not in fixed]
    names = size_names(problem)
    if len(names) > len(pool):
        names = [names[k] for k in rng.permutation(len(names))]
        pool = [v for v in SHARED_SIZES if v not in fixed] or [max(SHARED_SIZES) + 1]
    values = rng.permutation(pool[: max(len(names), 1)])
    return {name: int(values[k % len(values)]) for k, name in enumerate(names)}


def index_ranges(problem: Problem, target: Target | None) -> dict[str, Range]:
    """The indices that have a value of their own, with their ranges."""
    out = {str(e.node.data[0]): e.over for e in problem.scope.all() if e.kind == "index" and e.node and e.over}
    out.update(target.free if target is not None else ())
    return out


def sample(
    problem: Problem, target: Target | None, seed: int, points: int, sizes: Mapping[str, int] | None = None
) -> Sample:
    """Sample points for a problem and a variable; `sizes` are those that are not to be drawn."""
    rng = _source(seed)
    sizes = {**choose_sizes(problem, rng), **(sizes or {})}
    indices = _draw_indices(problem, target, sizes, points, rng)
    for entity in problem.scope.all():
        if entity.kind == "index family" and entity.node is not None:
            over, members = entity.node.data[1], entity.node.data[2]
            choices = np.asarray(over.values(sizes))
            shape = (points, len(members.values(sizes)))
            indices[entity.key] = rng.choice(choices, size=shape)
    draft = Sample(sizes, indices, {}, points)
    for leaf in _given(problem):
        draft.values[leaf] = _draw(leaf, draft, rng)
    return draft


def _given(problem: Problem) -> list[Node]:
    meanings = problem.meanings
    found = [e.node for e in problem.scope.all() if e.kind in ("value", "family") and e.node is not None]
    return [node for node in found if node not in meanings]


def _draw_indices(
    problem: Problem, target: Target | None, sizes: Mapping[str, int], points: int, rng: np.random.Generator
) -> dict[str, Any]:
    ranges = {name: over.values(sizes) for name, over in index_ranges(problem, target).items()}
    names = list(ranges)
    if not names:
        return {}
    combinations = _combinations(ranges, problem.index_rules, rng)
    equal = [c for c in combinations if len(set(c)) < len(c)]
    different = [c for c in combinations if len(set(c)) == len(c)]
    rng.shuffle(equal)
    rng.shuffle(different)
    mixed = [c for pair in itertools.zip_longest(different, equal) for c in pair if c is not None]
    chosen = [mixed[k % len(mixed)] for k in range(points)]
    return {name: np.asarray([c[k] for c in chosen]) for k, name in enumerate(names)}


def _combinations(
    ranges: Mapping[str, list[int]], rules: Mapping[str, tuple[str, ...]], rng: np.random.Generator
) -> list[tuple[int, ...]]:
    names = list(ranges)
    count = int(np.prod([len(v) for v in ranges.values()], dtype=float))
    every: Any = itertools.product(*ranges.values())
    if count > MAX_COMBINATIONS:
        every = (tuple(int(rng.choice(v)) for v in ranges.values()) for _ in range(MAX_COMBINATIONS))
    pairs = [
        (names.index(a), names.index(c)) for a, others in rules.items() for c in others if a in names and c in names
    ]
    allowed = [c for c in every if all(c[i] != c[j] for i, j in pairs)]
    return allowed or [tuple(v[0] for v in ranges.values())]


def _shape(leaf: Node, draft: Sample) -> tuple[int, ...]:
    rows, columns = (size.value(draft.sizes) for size in leaf.dims)
    if leaf.op == "family":
        return draft.points, len(leaf.data[2].values(draft.sizes)), rows, columns
    return draft.points, rows, columns


def _draw(leaf: Node, draft: Sample, rng: np.random.Generator) -> Any:
    """Values of one leaf in float64, by its properties."""
    shape, properties = _shape(leaf, draft), properties_of(leaf)
    scale = np.asarray([(1.0, 0.6, 2.2)[k % 3] for k in range(draft.points)]).reshape(-1, *[1] * (len(shape) - 1))
    for name in properties:
        if name.startswith("one-hot at "):
            return _onehot_at(name.removeprefix("one-hot at "), leaf, draft, shape)
    if properties & {"one-hot", "one-hot rows", "one-hot columns"}:
        return _onehot(properties, shape, rng)
    if "binary" in properties:
        return rng.integers(0, 2, shape).astype(float)
    if "sign" in properties:
        return rng.choice([-1.0, 1.0], shape)
    if properties & {"distribution", "distribution rows", "distribution columns"}:
        raw = np.exp(rng.normal(size=shape))
        return raw / raw.sum(axis=_axis(properties, shape, "distribution"), keepdims=True)
    if "integer" in properties:
        return rng.integers(1, 5, shape).astype(float)
    if "unit interval" in properties:
        return rng.uniform(0.08, 0.92, shape)
    if properties & {"positive", "nonnegative"}:
        return rng.uniform(0.2, 2.0, shape) * scale
    raw = rng.normal(size=shape) * scale
    if "positive definite" in properties:
        return raw @ np.swapaxes(raw, -1, -2) / shape[-1] + 0.5 * np.eye(shape[-1])
    return (raw + np.swapaxes(raw, -1, -2)) / 2 if "symmetric" in properties else raw


def _axis(properties: set[str], shape: tuple[int, ...], kind: str) -> Any:
    if f"{kind} rows" in properties:
        return -1
    if f"{kind} columns" in properties:
        return -2
    return (-2, -1)


def _onehot(properties: set[str], shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    axis = _axis(properties, shape, "one-hot")
    score = rng.normal(size=shape)
    return (score == score.max(axis=axis, keepdims=True)).astype(float)


def _onehot_at(place: str, leaf: Node, draft: Sample, shape: tuple[int, ...]) -> Any:
    """One-hot at a declared index, or, for a family, at the index of each member."""
    name = re.sub(r"\s+", "", place)
    by_name = {re.sub(r"\s+", "", key): value for key, value in draft.indices.items()}
    where = np.asarray(by_name[name])
    length = max(shape[-2:])
    hit = (np.arange(1, length + 1) == where[..., None]).astype(float)
    return hit.reshape(shape)


def world(problem: Problem, field: Field, drawn: Sample, fixed: Mapping[Node, Any] | None = None) -> World:
    """A world over a field at sample points; `fixed` names keep a value instead of their definition."""
    leaves = {leaf: convert(field, leaf, value, drawn) for leaf, value in drawn.values.items()}
    leaves.update(fixed or {})
    return World(field, drawn.sizes, leaves, drawn.indices, problem.meanings)


def convert(field: Field, leaf: Node, value: Any, drawn: Sample) -> Any:
    """Float values in another field: the same numbers, or (modulo a prime) fresh ones with the same laws."""
    if isinstance(field, Precise):
        return _precise(field, leaf, value)
    if isinstance(field, Modular):
        return _modular(field, leaf, value)
    return value.astype(field.dtype)


def _precise(field: Precise, leaf: Node, value: Any) -> Any:
    """The same numbers with many digits; those of a distribution sum to 1 in all of them."""
    exact, properties = field.map("float", field.mp.mpf, value), properties_of(leaf)
    if properties & {"distribution", "distribution rows", "distribution columns"}:
        exact = exact / exact.sum(axis=_axis(properties, value.shape, "distribution"), keepdims=True)
    return exact


DISCRETE = ("one-hot", "binary", "sign", "integer")


def _modular(field: Modular, leaf: Node, value: Any) -> Any:
    properties = properties_of(leaf)
    if any(name.startswith(DISCRETE) for name in properties):
        return field.from_int(value.astype(np.int64))
    rng = np.random.default_rng([field.salt, *str(leaf.data[0]).encode()])
    if properties & {"positive", "unit interval", "nonnegative"}:
        drawn = rng.integers(1, 1000, value.shape, dtype=np.uint64)
    else:
        drawn = rng.integers(2000, PRIME - 2000, value.shape, dtype=np.uint64)
    if properties & {"distribution", "distribution rows", "distribution columns"}:
        axis = _axis(properties, value.shape, "distribution")
        whole = drawn.sum(axis=axis, keepdims=True) % PRIME
        return field.mul(drawn, field.inv(whole))
    if properties & {"symmetric", "positive definite"}:
        return field.add(drawn, np.swapaxes(drawn, -1, -2))
    return drawn


def definitions_used(problem: Problem, node: Node) -> dict[Node, Definition]:
    """The definitions that an expression needs, those that they need included."""
    found: dict[Node, Definition] = {}
    todo = [node]
    while todo:
        for part in walk(todo.pop()):
            definition = problem.meanings.get(part)
            if definition is not None and part not in found:
                found[part] = definition
                todo.append(definition[2] if isinstance(definition, tuple) else definition)
    return found
