"""The eleven problems whose lowered functions are timed, with data to call them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import handwritten as by_hand
from derive.gradient.closed import derivative
from derive.lowering.grouped import taken_in_turn
from derive.problem.builder import problem_from
from derive.problem.load import by_identifier
from derive.problem.problem import Problem

Draw = Callable[[np.random.Generator, Mapping[str, int]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """A problem (or the id of one), the variables asked for, the function by hand, and how its arguments are drawn.

    `draw` gives the arguments in the order of both functions; `keys` are the names that the hand-written one
    gives to the gradients, in the order of `wrt`.
    """

    name: str
    problem: str | dict[str, Any]
    wrt: tuple[str, ...]
    sizes: dict[str, int]
    by_hand: Callable[..., tuple[Any, dict[str, Any]]]
    draw: Draw
    keys: tuple[str, ...] = ()

    def built(self) -> tuple[Problem, dict[str, Any]]:
        """The problem and its gradients, those with respect to a family for all its members."""
        problem = by_identifier(self.problem) if isinstance(self.problem, str) else problem_from(self.problem)
        gradients = {w: derivative(problem, problem.loss_symbol, problem.target(w)) for w in self.wrt}
        return taken_in_turn(problem, gradients)


def one_hot(rng: np.random.Generator, n: int, classes: int) -> Any:
    """Rows with a single one each."""
    return np.eye(classes)[rng.integers(classes, size=n)]


def normal(*shapes: str) -> Callable[[np.random.Generator, Mapping[str, int]], list[Any]]:
    """Arrays of normal numbers, scaled so that products stay near 1; a shape is written "C d"."""

    def draw(rng: np.random.Generator, sizes: Mapping[str, int]) -> list[Any]:
        dims = [tuple(sizes[s] for s in shape.split()) for shape in shapes]
        return [rng.normal(size=d) / (d[-1] ** 0.5 if d else 1) for d in dims]

    return draw


NEGATIVE = {
    "title": "Skip-gram with negative sampling on a batch, the negative words in common",
    "loss": r"J = -\frac{1}{N} \sum_{i=1}^{N} \left(\log \sigma(o_i^\top v_i) "
    r"+ \sum_{k=1}^{K} \log \sigma(-u_k^\top v_i)\right)",
    "symbols": {"v_i": "d, i = 1..N", "o_i": "d, i = 1..N", "u_k": "d, k = 1..K"},
}
MARGIN = {
    "title": "Max-margin loss on a batch of windows",
    "loss": r"J = \frac{1}{N} \sum_{i=1}^{N} \max(0, 1 - U^\top a_i + U^\top c_i)",
    "symbols": {"U": "n", "W": "n x d", "b": "n", "x_i": "d, i = 1..N", "y_i": "d, i = 1..N"},
    "define": {"a_i": r"\sigma(W x_i + b)", "c_i": r"\sigma(W y_i + b)"},
}
AVERAGE = {
    "title": "Averaged word vectors, tanh, squared error on a batch",
    "loss": r"J = \frac{1}{2 N} \sum_{i=1}^{N} \lVert h_i - y_i \rVert^2",
    "symbols": {"m_i": "d, i = 1..N", "W": "n x d", "b": "n", "y_i": "n, i = 1..N"},
    "define": {"h_i": r"\tanh(W m_i + b)"},
}
NETWORK = {
    "title": "Two layers with ReLU and softmax on a batch, examples as rows",
    "loss": r"J = -\frac{1}{N} \operatorname{tr}(Y^\top \log P)",
    "symbols": {"X": "N x d", "W": "d x h", "b": "h", "U": "h x C", "c": "C", "Y": "N x C, one-hot rows"},
    "define": {
        "Z": r"X W + \mathbf{1} b^\top",
        "H": r"\operatorname{ReLU}(Z)",
        "P": r"\operatorname{softmax}(H U + \mathbf{1} c^\top)",
    },
}


def _softmax_one(rng: np.random.Generator, s: Mapping[str, int]) -> dict[str, Any]:
    W, x, b = normal("C d", "d", "C")(rng, s)  # noqa: N806
    return {"W": W, "x": x, "b": b, "y": one_hot(rng, 1, s["C"])[0]}


def _softmax_batch(rng: np.random.Generator, s: Mapping[str, int]) -> dict[str, Any]:
    X, W, b = normal("N d", "d C", "C")(rng, s)  # noqa: N806
    return {"X": X, "W": W, "b": b, "Y": one_hot(rng, s["N"], s["C"])}


def _logistic(rng: np.random.Generator, s: Mapping[str, int]) -> dict[str, Any]:
    X, w, b = normal("m d", "d", "")(rng, s)  # noqa: N806
    return {"X": X, "w": w, "b": b, "y": rng.integers(2, size=s["m"]).astype(float)}


def _drawn(**shapes: str) -> Draw:
    return lambda rng, s: dict(zip(shapes, normal(*shapes.values())(rng, s), strict=True))


def _network(rng: np.random.Generator, s: Mapping[str, int]) -> dict[str, Any]:
    given = _drawn(X="N d", W="d h", b="h", U="h C", c="C")(rng, s)
    return given | {"Y": one_hot(rng, s["N"], s["C"])}


CASES = (
    Case("softmax-CE, one example, C=5 d=300", "softmax-regression", ("W", "b", "x"), {"C": 5, "d": 300},
         by_hand.softmax_one, _softmax_one),
    Case("softmax-CE, 500 examples", "softmax-batch", ("W", "b"), {"N": 500, "C": 5, "d": 300},
         by_hand.softmax_batch, _softmax_batch),
    Case("softmax-CE, 4096 examples, C=1000", "softmax-batch", ("W", "b"), {"N": 4096, "C": 1000, "d": 300},
         by_hand.softmax_batch, _softmax_batch),
    Case("logistic regression, 1e5 x 50", "logistic-regression-design-matrix", ("w", "b"), {"m": 100_000, "d": 50},
         by_hand.logistic, _logistic),
    Case("negative sampling, one pair, K=10", "negative-sampling", ("v_c", "u_o", "u_k"), {"d": 100, "K": 10},
         by_hand.negative_sampling, _drawn(v_c="d", u_o="d", u="K d")),
    Case("negative sampling, 1024 pairs", NEGATIVE, ("v_i", "o_i", "u_k"), {"N": 1024, "d": 100, "K": 10},
         by_hand.negative_sampling_batch, _drawn(v="N d", o="N d", u="K d"), ("V", "O", "U")),
    Case("max-margin window, one pair", "max-margin-sigmoid", ("U", "W", "b", "x", "x_c"), {"n": 100, "d": 250},
         by_hand.max_margin, _drawn(U="n", W="n d", b="n", x="d", x_c="d")),
    Case("max-margin window, 1024 pairs, 100 x 250", MARGIN, ("U", "W", "b"), {"N": 1024, "n": 100, "d": 250},
         by_hand.max_margin_batch, _drawn(U="n", W="n d", b="n", x="N d", y="N d")),
    Case("averaged embeddings tanh/MSE, one text", "averaged-embeddings-mse", ("W", "b", "e_t"),
         {"N": 20, "n": 50, "d": 100}, by_hand.embeddings, _drawn(e="N d", W="n d", b="n", y="n")),
    Case("averaged embeddings tanh/MSE, 256 texts", AVERAGE, ("W", "b", "m_i"), {"N": 256, "n": 50, "d": 100},
         by_hand.embeddings_batch, _drawn(m="N d", W="n d", b="n", y="N n"), ("W", "b", "M")),
    Case("ReLU network 784-256-10, batch 512", NETWORK, ("W", "b", "U", "c"), {"N": 512, "d": 784, "h": 256, "C": 10},
         by_hand.relu_network, _network),
)  # fmt: skip
