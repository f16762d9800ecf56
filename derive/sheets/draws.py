"""NumPy source that draws random inputs for a lowered function, by what a problem declares of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from derive.errors import EvaluationError
from derive.expressions.leaves import properties_of
from derive.expressions.node import Node
from derive.lowering.arguments import Argument
from derive.lowering.lower import Lowered
from derive.lowering.text import string
from derive.numerics.sampling import Sample, sample
from derive.problem.problem import Problem, Target

SEED = 3
ONE_HOT = '''def one_hot(shape, axis=None):
    """A 1 in a random place of each line along an axis, 0 elsewhere."""
    score = rng.normal(size=shape)
    return (score == score.max(axis=axis, keepdims=True)).astype(float)'''
DISTRIBUTION = '''def distribution(shape, axis=None):
    """Positive entries with sum 1 along an axis."""
    e = np.exp(rng.normal(size=shape))
    return e / e.sum(axis=axis, keepdims=True)'''
DEFINITE = '''def definite(shape):
    """A symmetric matrix with positive eigenvalues."""
    root = rng.normal(size=shape)
    return root @ np.swapaxes(root, -1, -2) / shape[-1] + 0.5 * np.eye(shape[-1])'''
SYMMETRIC = '''def symmetric(shape):
    """A random symmetric matrix."""
    root = rng.normal(size=shape)
    return (root + np.swapaxes(root, -1, -2)) / 2'''
DEFINED = {"one_hot": ONE_HOT, "distribution": DISTRIBUTION, "definite": DEFINITE, "symmetric": SYMMETRIC}
SIMPLE = {
    "binary": "rng.integers(0, 2, {}).astype(float)",
    "sign": "rng.choice([-1.0, 1.0], {})",
    "integer": "rng.integers(1, 5, {}).astype(float)",
    "unit interval": "rng.uniform(0.1, 0.9, {})",
    "positive definite": "definite({})",
    "symmetric": "symmetric({})",
    "positive": "rng.uniform(0.2, 2.0, {})",
    "nonnegative": "rng.uniform(0.2, 2.0, {})",
}
AXES = {"rows": ", axis=-1", "columns": ", axis=-2", "": ""}
ORDERS = ("np.sin", "np.cos", "lambda x: -np.sin(x)", "lambda x: -np.cos(x)")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Small sizes and indices, drawn as the engine draws its sample points."""

    drawn: Sample
    free: Mapping[str, int]

    def of(self, argument: Argument) -> tuple[int, ...]:
        """The shape of an argument."""
        return tuple(axis.value(self.drawn.sizes) for axis in argument.axes)

    def position(self, node: Node) -> int:
        """The value of an index.  Raises `EvaluationError` for one that has none here."""
        if node.op == "number" and node.data[0].denominator == 1:
            return int(node.data[0])
        if node.op == "size":
            return int(node.data[0].value(self.drawn.sizes))
        name = str(node.data[0]) if node.op == "index" else ""
        if name in self.free:
            return self.free[name]
        if name not in self.drawn.indices:
            raise EvaluationError(f"the position {name or node.op} has no value here")
        return int(self.drawn.indices[name][0])

    def where(self, access: Node) -> tuple[str, ...]:
        """Where a variable stands in the array that it is a part of, as a NumPy index, axis by axis."""
        if access.op in ("symbol", "family"):
            return ()
        inner = access.operands[0]
        if access.op == "transpose":
            return self.where(inner)
        if access.op == "member":
            return (str(inner.data[2].values(self.drawn.sizes).index(self.position(access.operands[1]))),)
        places = [str(self.position(node) - 1) for node in access.operands[1:]]
        if access.op == "column":
            places = [":", *places]
        if inner.dims[1].number == 1 and access.op == "entry":
            places = places[:1]
        return (*self.where(inner), *places)


def sizes_of(problem: Problem, targets: Mapping[str, Target]) -> Sizes:
    """Sizes, declared indices, and values for the indices that the variables leave free."""
    drawn = sample(problem, None, SEED, 1)
    allowed: dict[str, set[int]] = {}
    for target in targets.values():
        for name, over in target.free:
            values = set(over.values(drawn.sizes))
            allowed[name] = allowed.get(name, values) & values or values
    taken = {int(v[0]) for v in drawn.indices.values() if v.ndim == 1}
    free = {name: min(values - taken or values) for name, values in allowed.items()}
    return Sizes(drawn, free)


def inputs(lowered: Lowered, sizes: Sizes) -> str:
    """The source of a cell that draws inputs until the loss is finite at them."""
    lines = [f"    inputs[{string(a.name)}] = {_drawn(a, lowered, sizes)}" for a in _indices_first(lowered)]
    body = "\n".join(lines)
    helpers = "".join(f"{text}\n\n\n" for name, text in DEFINED.items() if f"{name}(" in body)
    return (
        "rng = np.random.default_rng(1)\n\n\n"
        f"{helpers}for _ in range(100):\n    inputs = {{}}\n{body}\n"
        '    with np.errstate(all="ignore"):\n        loss, gradients = loss_and_gradients(**inputs)\n'
        "    if np.isfinite(loss):\n        break\n"
        "loss"
    )


def _indices_first(lowered: Lowered) -> Iterator[Argument]:
    given = [a for a in lowered.described if a.name in lowered.arguments]
    yield from (a for a in given if not a.real)
    yield from (a for a in given if a.real)


def _drawn(argument: Argument, lowered: Lowered, sizes: Sizes) -> str:
    node, shape = argument.node, sizes.of(argument)
    if argument.real and node is not None:
        return _real(node, shape, lowered)
    if node is None:
        return ORDERS[(len(argument.latex) - len(argument.latex.rstrip("'"))) % len(ORDERS)]
    if argument.axes:
        return f"np.array({sizes.drawn.indices[argument.latex][0].tolist()})"
    return str(sizes.position(node))


def _real(node: Node, shape: tuple[int, ...], lowered: Lowered) -> str:
    """Numbers with the properties of a leaf."""
    properties = properties_of(node)
    text = str(shape) if shape else "()"
    for name in sorted(properties):
        kind, _, rest = name.partition(" ")
        if rest.startswith("at "):
            place = rest.removeprefix("at ").replace(" ", "")
            names = {key.replace(" ", ""): identifier for key, identifier in lowered.names.items()}
            return f"np.eye({max(shape[-2:])})[inputs[{string(names[place])}] - 1].reshape({text})"
        if kind == "one-hot":
            return f"one_hot({text}{AXES[rest]})"
        if kind == "distribution":
            return f"distribution({text}{AXES[rest]})"
    for name, source in SIMPLE.items():
        if name in properties:
            return source.format(text)
    return f"rng.normal(size={text})"
