"""Lowered functions against the numerics of the engine, over the whole catalogue."""

from __future__ import annotations

import ast
import builtins
import keyword
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.closed import derivative
from derive.grading.asked import Asked
from derive.lowering import runtime
from derive.lowering.loops import refuse_loops
from derive.lowering.lower import Lowered, lower
from derive.lowering.names import Names, identifier
from derive.lowering.text import string
from derive.numerics.fields import Field, Floating, Precise
from derive.numerics.forward import jacobian_values
from derive.numerics.sampling import Sample, properties_of, sample, world
from derive.operations.registry import records
from derive.problem.builder import problem_from
from derive.problem.load import by_identifier, catalogue
from derive.problem.problem import Problem, Question, Target
from derive.sizes import Dims, Range, Size

PROBLEMS = sorted(catalogue())
QUESTIONS = [(name, k) for name in PROBLEMS for k in range(len(by_identifier(name).questions))]
POINTS, SEED = 4, 11
DISCRETE = ("one-hot", "binary", "sign", "distribution", "unit", "integer")


# ------------------------------------------------------------------------------------------------- helpers


@dataclass(frozen=True)
class Case:
    """A question with its textbook answer as an expression."""

    problem: Problem
    of: Node
    target: Target
    layout: str
    answer: Node

    def values(self, field: Field, drawn: Sample) -> tuple[Any, Any]:
        """The loss and the derivative at each point: arrays of shape (points, rows, columns)."""
        loss = world(self.problem, field, drawn).value(self.problem.loss_symbol)
        slope = jacobian_values(self.problem, field, drawn, self.of, self.target)
        turned = np.swapaxes(slope, -1, -2) if self.layout == "numerator" else slope
        return np.broadcast_to(loss, (drawn.points, 1, 1)), turned


def case_of(problem: Problem, question: Question) -> Case:
    target, of = problem.target(question.wrt), problem.loss_symbol
    if question.of:
        other = problem.target(question.of)
        of, target = other.access, Target(target.text, target.leaf, target.access, (*target.free, *other.free))
    dims = Asked(problem, of, target, question.layout).dims
    reader = problem.reader()
    for name, over in target.free:
        reader.bound[name] = b.index(name, None)
        reader.uses[name] = [over]
    node = reader.expression(reader.parse(question.answer))
    node = reader.settle(reader.fit(node, b.zeros(dims), list(zip(node.dims, dims, strict=True)))[0])
    return Case(problem, of, target, question.layout, node)


def all_answers(problem: Problem) -> dict[str, Node]:
    """The textbook answers to all questions, by a key of their own."""
    return {f"{q.of}, {q.wrt}": case_of(problem, q).answer for q in problem.questions}


def read(problem: Problem, answer: str) -> Node:
    return problem.reader().read(answer)


def unpacked(dims: Dims, value: Any) -> Any:
    """A value at one point as the function takes and gives it: columns as 1-D, numbers as scalars."""
    if dims == b.SCALAR:
        return value[..., 0, 0]
    return value[..., 0] if dims[1] == b.ONE else value


def call(lowered: Lowered, drawn: Sample, point: int, dtype: Any = np.float64, function: Any = None) -> Any:
    """The lowered function at one sample point."""
    given: dict[str, Any] = {**drawn.sizes, **{name: v[point] for name, v in drawn.indices.items()}}
    for leaf, values in drawn.values.items():
        given[str(leaf.data[0])] = np.asarray(unpacked(leaf.dims, values[point])).astype(dtype)[()]
    latex = {name: key for key, name in lowered.names.items()}
    arguments = [given.get(latex.get(a, a), stand_in(latex.get(a, a))) for a in lowered.arguments]
    return (function or lowered.function)(*arguments)


def stand_in(name: str) -> Callable[[Any], Any]:
    """The smooth function, or its derivative, that stands for an unspecified one."""
    base = name.rstrip("'")
    order = len(name) - len(base)
    return lambda x: np.asarray(Floating().unspecified(base, order, x)).astype(np.asarray(x).dtype)[()]


def executed(source: str) -> Callable[..., Any]:
    """The function that the printed source defines."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "lowered", "exec"), namespace)
    return namespace["loss_and_gradients"]  # type: ignore[no-any-return]


def body_of(source: str) -> str:
    """The body of the function itself, without its docstring."""
    return source.split('r"""')[-1].split('"""')[1]


def shape_of(dims: Dims, sizes: Mapping[str, int]) -> tuple[int, ...]:
    rows, columns = (size.value(sizes) for size in dims)
    if dims == b.SCALAR:
        return ()
    return (rows,) if dims[1] == b.ONE else (rows, columns)


def problem(loss: str, symbols: Mapping[str, str], **more: Any) -> Problem:
    return problem_from({"loss": loss, "symbols": symbols, **more})


# ------------------------------------------------------------------------------ values, over the catalogue


@pytest.mark.parametrize(("name", "number"), QUESTIONS)
def test_loss_and_gradient_agree_with_forward_mode(name: str, number: int) -> None:
    case = case_of(by_identifier(name), by_identifier(name).questions[number])
    lowered = lower(case.problem, {"it": case.answer})
    drawn = sample(case.problem, case.target, SEED, POINTS)
    losses, slopes = case.values(Floating(), drawn)
    for point in range(POINTS):
        loss, gradients = call(lowered, drawn, point)
        np.testing.assert_allclose(loss, losses[point, 0, 0], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(gradients["it"], unpacked(case.answer.dims, slopes[point]), rtol=1e-9, atol=1e-9)
        assert np.shape(gradients["it"]) == shape_of(case.answer.dims, drawn.sizes)


@pytest.mark.parametrize("name", PROBLEMS)
def test_printed_source_is_the_function(name: str) -> None:
    problem = by_identifier(name)
    lowered = lower(problem, all_answers(problem))
    drawn = _within_all_ranges(problem)
    loss, gradients = call(lowered, drawn, 0)
    again, others = call(lowered, drawn, 0, function=executed(lowered.source))
    assert lowered.returns == (str(problem.loss_symbol.data[0]), *gradients)
    assert loss == again
    for key, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, others[key])


def _within_all_ranges(problem: Problem) -> Sample:
    """A sample in which every free index of any question is 1, the first value of all ranges."""
    drawn = sample(problem, None, SEED, 1)
    free = {name for q in problem.questions for name, _ in case_of(problem, q).target.free}
    return Sample(drawn.sizes, drawn.indices | {name: np.array([1]) for name in free}, drawn.values, 1)


@pytest.mark.parametrize("name", PROBLEMS)
def test_nothing_costly_is_computed_twice(name: str) -> None:
    problem = by_identifier(name)
    tree = ast.parse(lower(problem, all_answers(problem)).source)
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "loss_and_gradients")
    costly = [ast.dump(n) for n in ast.walk(function) if _costly(n)]
    assert [text for text, count in Counter(costly).items() if count > 1] == []
    targets = [ast.dump(n.targets[0]) for n in ast.walk(function) if isinstance(n, ast.Assign) if not _over(n)]
    assert len(set(targets)) == len(targets)


def _over(node: ast.Assign) -> bool:
    """Whether an assignment writes over what its name held before, or gives the arguments their common dtype."""
    call = node.value
    if not isinstance(call, ast.Call):
        return False
    target = ast.unparse(node.targets[0])
    return any(ast.unparse(o.value) == target for o in call.keywords if o.arg == "out")


def _costly(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.MatMult)
    if isinstance(node, ast.Call) and any(o.arg == "out" for o in node.keywords):
        return False  # what is written over has another value each time
    cheap = {"float", "copy", "type", "range", "empty"}
    return isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) not in cheap


@pytest.mark.parametrize("name", PROBLEMS)
def test_float32_stays_float32(name: str) -> None:
    problem = by_identifier(name)
    lowered = lower(problem, all_answers(problem))
    drawn = _within_all_ranges(problem)
    loss, gradients = call(lowered, drawn, 0, np.float32)
    wanted = np.float32 if drawn.values else np.float64
    assert {key: value.dtype for key, value in {"loss": loss, **gradients}.items() if value.dtype != wanted} == {}


@pytest.mark.parametrize("name", PROBLEMS)
def test_arguments_are_neither_changed_nor_returned(name: str) -> None:
    problem = by_identifier(name)
    lowered = lower(problem, all_answers(problem))
    drawn = _within_all_ranges(problem)
    kept: list[Any] = []
    before: list[Any] = []

    def watched(*arguments: Any) -> Any:
        kept.extend(a for a in arguments if isinstance(a, np.ndarray))
        before.extend(a.copy() for a in kept)
        return lowered.function(*arguments)

    _, gradients = call(lowered, drawn, 0, function=watched)
    assert all(np.array_equal(a, c) for a, c in zip(kept, before, strict=True))
    arrays = [g for g in gradients.values() if isinstance(g, np.ndarray)]
    assert not any(np.shares_memory(a, g) for a in kept for g in arrays)


def test_gradients_have_the_shape_of_their_parameters() -> None:
    problem = by_identifier("tanh-sigmoid-network")
    lowered = lower(problem, {q.wrt: case_of(problem, q).answer for q in problem.questions})
    rng = np.random.default_rng(0)
    shapes = {"W": (3, 2), "b": (3,), "u": (1, 3), "x": (2,)}
    given = {key: rng.normal(size=shape) for key, shape in shapes.items()}
    _, gradients = lowered.function(*(given[a] for a in lowered.arguments))
    assert {key: gradients[key].shape for key in "Wbu"} == {key: given[key].shape for key in "Wbu"}


# ------------------------------------------------------------------------------------- every operation


@pytest.mark.parametrize("name", [n for n, r in records().items() if r.example])
def test_every_operation_has_its_value(name: str) -> None:
    example = records()[name].example
    assert example is not None
    node = example()
    symbols, free = {"c": "scalar"}, set[str]()
    for leaf in walk(node):
        if leaf.op == "symbol":
            rows, columns = leaf.dims
            symbols[str(leaf.data[0])] = ", ".join([f"{rows} x {columns}", *leaf.data[2]])
        elif leaf.op == "index" and leaf.data[1] is not None:
            symbols[str(leaf.data[0])] = f"index {leaf.data[1]}"
            free.add(str(leaf.data[0]))
    functions = {"f": "elementwise function"} if name == "unspecified" else {}
    host = problem("J = c", symbols | functions)
    lowered = lower(host, {"it": node})
    drawn = sample(host, None, SEED, POINTS)
    values = world(host, Floating(), drawn).value(node)
    values = np.broadcast_to(values, (POINTS, *values.shape[-2:]))
    for point in range(POINTS):
        _, found = call(lowered, drawn, point)
        np.testing.assert_allclose(found["it"], unpacked(node.dims, values[point]), rtol=1e-9, atol=1e-9)
        assert call(lowered, drawn, point, np.float32)[1]["it"].dtype == np.float32


# ---------------------------------------------------------------------------------------- stability

# For each problem the symbols that carry the size of the logits; all others are -1, 0 or 1.
CARRIERS = {
    "softmax-regression": ("W", "b"), "softmax-batch": ("W", "b"), "softmax-logits": ("W",),
    "softmax-class-rows": ("W",), "softmax-jacobian": ("z",), "log-softmax": ("z",),
    "softmax-kl": ("f",), "softmax-distributions": ("f",),
    "softmax-full-data": ("W",), "softmax-full-data-classes": ("W",), "softmax-full-data-columns": ("W",),
    "multinomial-logistic-index": ("w_k", "b"), "multinomial-logistic-bias": ("W", "b"),
    "sentiment-class-vectors": ("w_k",), "naive-softmax": ("U",), "naive-softmax-index": ("U",),
    "skip-gram-window": ("U",), "skip-gram-window-index": ("U",),
    "logistic-regression": ("w", "b"), "logistic-regression-complement": ("w", "b"),
    "logistic-regression-design-matrix": ("w", "b"), "logistic-regression-mini-batch": ("w", "b"),
    "logistic-regression-signs": ("w", "b"), "logistic-regression-written-out": ("w", "b"),
    "logistic-regression-folded-bias": ("w",),
    "negative-sampling": ("u_o", "u_k"), "negative-sampling-plain": ("c", "n_j"),
    "negative-sampling-pos-neg": (r"\mathbf{c}_{pos}", r"\mathbf{c}_{neg_j}"),
}  # fmt: skip
SATURATED = [(name, k) for name, k in QUESTIONS if name in CARRIERS]


def extreme(drawn: Sample, carriers: tuple[str, ...], seed: int) -> Sample:
    """The sample with real values such that all logits are multiples of 1000, ties among them."""
    rng = np.random.default_rng(seed)
    values: dict[Node, Any] = {}
    for leaf, value in drawn.values.items():
        real = not any(p.startswith(DISCRETE) for p in properties_of(leaf))
        size = 1000.0 if leaf.data[0] in carriers else 1.0
        low = 1 if "positive" in properties_of(leaf) else -1
        values[leaf] = size * rng.integers(low, 2, value.shape) if real else value
    return Sample(drawn.sizes, drawn.indices, values, drawn.points)


def as_floats(value: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.vectorize(float, otypes=[float])(value)


@pytest.mark.parametrize(("name", "number"), SATURATED)
def test_logits_of_a_thousand_are_exact(name: str, number: int) -> None:
    """Against arithmetic in which 1 - e^-6000 is not 1: entry by entry, with a relative error of 1e-12."""
    case = case_of(by_identifier(name), by_identifier(name).questions[number])
    lowered = lower(case.problem, {"it": case.answer})
    drawn = extreme(sample(case.problem, case.target, SEED, 6), CARRIERS[name], number)
    losses, slopes = case.values(Precise(3000), drawn)
    for point in range(6):
        loss, gradients = call(lowered, drawn, point)
        np.testing.assert_allclose(loss, float(losses[point, 0, 0]), rtol=1e-12, atol=0)
        wanted = as_floats(unpacked(case.answer.dims, slopes[point]))
        np.testing.assert_allclose(gradients["it"], wanted, rtol=1e-12, atol=0)
        single_loss, single = call(lowered, drawn, point, np.float32)
        np.testing.assert_allclose(single_loss, loss, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(single["it"], wanted, rtol=1e-5, atol=1e-5)


# A loss of logits z, the other symbols, and the law that keeps its value or its gradient exact.
SATURATING = {
    "log of a sigmoid": (r"J = -\mathbf{1}^\top \log \sigma(z)", {}),
    "log of its complement": (r"J = -\mathbf{1}^\top \log(1 - \sigma(z))", {}),
    "slope of a sigmoid": (r"J = \mathbf{1}^\top \sigma(z)", {}),
    "slope of a tanh": (r"J = \mathbf{1}^\top \tanh(z)", {}),
    "slope of a softplus": (r"J = \sum_i \log(1 + e^{z_i})", {}),
    "sigmoid minus target": (r"J = -y^\top \log \sigma(z) - (1 - y)^\top \log(1 - \sigma(z))", {"y": "n, binary"}),
    "softmax minus one-hot": (r"J = -y^\top \log \operatorname{softmax}(z)", {"y": "n, one-hot"}),
    "softmax at an index": (r"J = -\log \operatorname{softmax}(z)_o", {"o": "index 1..n"}),
    "log-sum-exp": (r"J = \log \sum_i e^{z_i}", {}),
    "log of a softmax by its parts": (r"J = -y^\top \log \frac{\exp(z)}{\mathbf{1}^\top \exp(z)}", {"y": "n, one-hot"}),
}
LOGITS = [
    (1000, -1000, 0, 30), (30, 0, -30, 1), (1e-8, -1e-8, 0, 1), (690, -690, 689, 1), (-40, 0, 0.5, 0),
    (17, 16.5, 17, -3), (37, -37, 36, -36), (0, 0, 0, 0),
]  # fmt: skip
TINY = 1e-290  # what is smaller may be 0, or the other way round


def saturated(name: str, logits: tuple[float, ...]) -> tuple[Problem, Node, Sample]:
    """A problem of the table with its gradient, at logits and, for each of them, a target."""
    loss, others = SATURATING[name]
    host = problem(loss, {"z": "n", **others})
    gradient = derivative(host, host.loss_symbol, host.target("z"))
    count = len(logits)
    values = {read(host, "z"): np.tile(np.array(logits, dtype=float)[:, np.newaxis], (count, 1, 1))}
    if "y" in others:
        values[read(host, "y")] = np.eye(count)[:, :, np.newaxis]
    indices = {"o": np.arange(1, count + 1)} if "o" in others else {}
    return host, gradient, Sample({"n": count}, indices, values, count)


@pytest.mark.parametrize("logits", LOGITS, ids=str)
@pytest.mark.parametrize("name", SATURATING)
def test_saturated_functions_keep_their_digits(name: str, logits: tuple[float, ...]) -> None:
    """Loss and every entry of the gradient to 1e-12, for every target, where the plain forms have lost all digits."""
    host, gradient, drawn = saturated(name, logits)
    lowered = lower(host, {"z": gradient})
    precise = world(host, Precise(3000), drawn)
    losses = np.broadcast_to(precise.value(host.loss_symbol), (drawn.points, 1, 1))
    slopes = jacobian_values(host, Precise(3000), drawn, host.loss_symbol, host.target("z"))
    for point in range(drawn.points):
        loss, gradients = call(lowered, drawn, point)
        np.testing.assert_allclose(loss, float(losses[point, 0, 0]), rtol=1e-12, atol=TINY)
        np.testing.assert_allclose(gradients["z"], as_floats(slopes[point][..., 0]), rtol=1e-12, atol=TINY)


@pytest.mark.parametrize("compiler", ["", "numba"])
def test_slopes_of_a_matrix_keep_their_digits(compiler: str) -> None:
    """1 - tanh^2 is taken from the tanh only where that does not cancel."""
    if compiler:
        pytest.importorskip(compiler)
    host = problem(r"J = \mathbf{1}^\top \tanh(Z) \mathbf{1}", {"Z": "n x m"})
    gradient = derivative(host, host.loss_symbol, host.target("Z"))
    lowered = lower(host, {"Z": gradient}, compiler=compiler)
    assert "tanh_slopes(" in lowered.source
    for logits in (*LOGITS, (2.7, -2.8, 1.5, 0), (math.nan, 0.5, -1, 1), (math.inf, 1, -2, 0)):
        z = np.array([logits, logits[::-1]])
        wanted = np.array([[float(1 / mpmath.cosh(v) ** 2) for v in row] for row in z])
        np.testing.assert_allclose(lowered.function(z)[1]["Z"], wanted, rtol=1e-12, atol=TINY)
        single = lowered.function(z.astype(np.float32))[1]["Z"]
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, wanted, rtol=1e-4, atol=1e-35)


@pytest.mark.xfail(strict=True, reason="the target lies between 0 and 1: σ(z) − y itself is badly conditioned in z")
def test_a_difference_in_the_middle_loses_digits() -> None:
    host = problem(r"J = \frac{1}{2} (\sigma(z) - y)^2", {"z": "scalar", "y": "scalar"})
    gradient = derivative(host, host.loss_symbol, host.target("z"))
    _, found = lower(host, {"z": gradient}).function(1e-10, 0.5)
    np.testing.assert_allclose(found["z"], 0.25 * 0.25e-10, rtol=1e-12)


WRITTEN_OUT = [
    (r"\frac{1}{1 + e^{-x}}", "sigmoid"),
    (r"\frac{e^x}{1 + e^x}", "sigmoid"),
    (r"1 - \sigma(-x)", "sigmoid"),
    (r"\log(1 + e^x)", "softplus"),
    (r"-\log(1 - \sigma(x))", "softplus"),
    (r"-\log \frac{1}{1 + e^x}", "softplus"),
    (r"\log(e^x + e^{-x})", "softplus"),
    (r"\frac{e^x - e^{-x}}{e^x + e^{-x}}", "tanh"),
    (r"\log \frac{e^x}{e^x + e^{-x}}", "softplus"),
    (r"\frac{e^x}{e^x + e^{2 x}}", "exp"),
]


@pytest.mark.parametrize(("loss", "kernel"), WRITTEN_OUT)
@pytest.mark.parametrize("x", [-1000.0, -30.0, 0.0, 30.0, 1000.0])
def test_exponentials_written_out_are_found(loss: str, kernel: str, x: float) -> None:
    host = problem(f"J = {loss}", {"x": "scalar"})
    lowered = lower(host, {})
    assert kernel in body_of(lowered.source)
    drawn = Sample({}, {}, {read(host, "x"): np.full((1, 1, 1), x)}, 1)
    precise = float(world(host, Precise(1200), drawn).value(host.loss_symbol)[0, 0, 0])
    np.testing.assert_allclose(lowered.function(x)[0], precise, rtol=1e-12, atol=1e-15)


def test_softmax_by_its_parts_is_found_through_names() -> None:
    define = {"e": r"\exp(z)", "s": r"\mathbf{1}^\top e", "p": r"\frac{e}{s}"}
    host = problem(r"J = -\log p_o", {"z": "n", "o": "index 1..n"}, define=define)
    lowered = lower(host, {"z": read(host, "p")})
    loss, gradients = lowered.function(np.array([1000.0, 0.0, -1000.0]), 3)
    assert loss == 2000.0
    assert gradients["z"].tolist() == [1.0, 0.0, 0.0]


def test_x_log_x_is_zero_at_zero() -> None:
    host = problem(r"J = p^\top \log p", {"p": "n, distribution"})
    assert lower(host, {}).function(np.array([0.0, 1.0, 0.0]))[0] == 0.0
    host = problem(r"J = \sum_i p_i \log \frac{p_i}{q_i}", {"p": "n, distribution", "q": "n, distribution"})
    assert lower(host, {}).function(np.array([0.0, 1.0]), np.array([0.5, 0.5]))[0] == np.log(2)
    host = problem(r"J = -y^\top \log p", {"y": "n, one-hot", "p": "n, distribution"})
    assert lower(host, {}).function(np.array([1.0, 0.0]), np.array([1.0, 0.0]))[0] == 0.0


# -------------------------------------------------------------------------------------- memory and threads

BATCH = {
    "loss": r"J = -\frac{1}{N} \operatorname{tr}(Y^\top \log P) + \lambda \lVert W \rVert^2",
    "symbols": {
        "X": "N x d", "W": "d x h", "b": "h", "U": "h x C", "Y": "N x C, one-hot rows", r"\lambda": "scalar, positive",
    },
    "define": {"H": r"\tanh(X W + \mathbf{1} b^\top)", "P": r"\operatorname{softmax}(H U)"},
}  # fmt: skip


def batch() -> Lowered:
    host = problem_from(BATCH)
    return lower(host, {w: derivative(host, host.loss_symbol, host.target(w)) for w in ("W", "b", "U", "X", "P", "H")})


def drawn_batch(seed: int, n: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    d, h, classes = 3, 4, 5
    given = [rng.normal(size=size) for size in ((n, d), (d, h), h, (h, classes))]
    return [*given, np.eye(classes)[rng.integers(classes, size=n)], 0.1]


def by_difference(function: Callable[..., Any], given: list[Any], which: int) -> Any:
    out = np.zeros(given[which].shape)
    for at in np.ndindex(*out.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = [v.copy() if isinstance(v, np.ndarray) else v for v in given]
            moved[which][at] += step
            sides.append(function(*moved)[0])
        out[at] = (sides[0] - sides[1]) / 2e-6
    return out


def test_matrices_are_written_over_and_the_gradients_are_right() -> None:
    lowered, given = batch(), drawn_batch(1, 6)
    assert lowered.arguments == ("X", "W", "b", "U", "Y", "lambda_")
    assert "out=" in body_of(lowered.source)
    _, gradients = lowered.function(*given)
    for place, name in enumerate(("X", "W", "b", "U")):
        np.testing.assert_allclose(gradients[name], by_difference(lowered.function, given, place), atol=1e-7)


def test_results_outlive_later_calls_and_arguments_stay() -> None:
    lowered = batch()
    given = [drawn_batch(seed, 4 + seed) for seed in range(3)]
    kept = [[np.copy(v) for v in g] for g in given]
    first = [lowered.function(*g) for g in given]
    copies = [(loss, {key: value.copy() for key, value in found.items()}) for loss, found in first]
    for g in given[::-1]:
        lowered.function(*g)
    for (loss, found), (same, others) in zip(first, copies, strict=True):
        assert loss == same
        for key, value in found.items():
            np.testing.assert_array_equal(value, others[key])
    for g, k in zip(given, kept, strict=True):
        for value, copy in zip(g, k, strict=True):
            np.testing.assert_array_equal(value, copy)


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "columns first": np.asfortranarray,
    "every second entry": lambda a: np.repeat(np.repeat(a, 2, axis=0), 2, axis=-1)[
        tuple([slice(None, None, 2)] * a.ndim)
    ],
    "backwards": lambda a: a[tuple([slice(None, None, -1)] * a.ndim)].copy()[tuple([slice(None, None, -1)] * a.ndim)],
    "read only": lambda a: (a := a.copy(), a.setflags(write=False))[0],
    "bytes swapped": lambda a: a.astype(">f8"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_arguments_may_lie_in_memory_in_any_way(layout: str) -> None:
    lowered, given = batch(), drawn_batch(2, 6)
    laid = [LAYOUTS[layout](v) if isinstance(v, np.ndarray) and v.ndim != 1 else v for v in given]
    loss, gradients = lowered.function(*given)
    again, others = lowered.function(*laid)
    np.testing.assert_allclose(again, loss, rtol=1e-14)
    for key, value in gradients.items():
        np.testing.assert_allclose(others[key], value, rtol=1e-12, atol=1e-15)


def test_whole_numbers_and_mixed_dtypes_are_computed_in_floating_point() -> None:
    lowered, given = batch(), drawn_batch(3, 6)
    whole = [np.rint(3 * v).astype(int) if isinstance(v, np.ndarray) else v for v in given]
    loss, gradients = lowered.function(*whole)
    wanted, others = lowered.function(*[np.asarray(v, float) for v in whole])
    assert loss == wanted
    mixed = [v.astype(np.float32) if n % 2 else v for n, v in enumerate(map(np.asarray, given))]
    for key, value in gradients.items():
        np.testing.assert_array_equal(value, others[key])
    assert all(value.dtype == np.float64 for value in lowered.function(*mixed)[1].values())


def test_a_function_that_gives_back_its_argument_is_not_written_over() -> None:
    host = problem(
        r"J = \frac{1}{2} \lVert f(A B) - Y \rVert^2 + \mathbf{1}^\top A B \mathbf{1}",
        {"A": "n x m", "B": "m x p", "Y": "n x p", "f": "elementwise function"},
    )
    lowered = lower(host, {"B": derivative(host, host.loss_symbol, host.target("B"))})
    rng = np.random.default_rng(4)
    a, c, y = rng.normal(size=(3, 4)), rng.normal(size=(4, 5)), rng.normal(size=(3, 5))
    given = {"A": a, "B": c, "Y": y, "f": lambda x: x, "df": np.ones_like}
    loss, gradients = lowered.function(*(given[name] for name in lowered.arguments))
    np.testing.assert_allclose(loss, 0.5 * ((a @ c - y) ** 2).sum() + (a @ c).sum())
    np.testing.assert_allclose(gradients["B"], a.T @ (a @ c - y + 1))


def test_threads_do_not_disturb_each_other() -> None:
    lowered = batch()
    given = [drawn_batch(seed, 50 + seed) for seed in range(8)]
    wanted = [lowered.function(*g) for g in given]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: lowered.function(*given[n % 8]), range(160)))
    for n, (loss, gradients) in enumerate(found):
        assert loss == wanted[n % 8][0]
        for key, value in gradients.items():
            np.testing.assert_array_equal(value, wanted[n % 8][1][key])


# -------------------------------------------------------------------------------------------------- numba


@pytest.mark.parametrize("name", ["softmax-regression", "negative-sampling", "max-margin-tanh", "softmax-batch"])
def test_compiled_functions_agree(name: str) -> None:
    pytest.importorskip("numba")
    host = by_identifier(name)
    plain, fast = lower(host, all_answers(host)), lower(host, all_answers(host), compiler="numba")
    drawn = _within_all_ranges(host)
    for dtype in (np.float64, np.float32):
        loss, gradients = call(plain, drawn, 0, dtype)
        again, others = call(fast, drawn, 0, dtype)
        tolerance = 1e-12 if dtype == np.float64 else 1e-4
        np.testing.assert_allclose(again, loss, rtol=tolerance)
        for key, value in gradients.items():
            assert np.shape(others[key]) == np.shape(value)
            assert others[key].dtype == dtype
            np.testing.assert_allclose(others[key], value, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", SATURATING)
def test_compiled_functions_keep_their_digits(name: str) -> None:
    pytest.importorskip("numba")
    for logits in LOGITS:
        host, gradient, drawn = saturated(name, logits)
        plain, fast = lower(host, {"z": gradient}), lower(host, {"z": gradient}, compiler="numba")
        loss, gradients = call(plain, drawn, 1)
        again, others = call(fast, drawn, 1)
        np.testing.assert_allclose(again, loss, rtol=1e-12, atol=TINY)
        np.testing.assert_allclose(others["z"], gradients["z"], rtol=1e-12, atol=TINY)


def test_what_is_missing_for_compiling_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    host = by_identifier("softmax-regression")
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(EvaluationError, match=r"derive\[numba\]"):
        lower(host, {}, compiler="numba")
    with pytest.raises(EvaluationError, match="no compiler 'cython'"):
        lower(host, {}, compiler="cython")


# ------------------------------------------------------------------------------------- form of the source


WITH_LOOPS = {"softmax-window-blocks", "convolution-one-dimension"}  # matrices in a family; shifted entries


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name not in WITH_LOOPS])
def test_sums_over_an_index_are_products(name: str) -> None:
    problem = by_identifier(name)
    source = lower(problem, all_answers(problem)).source
    refuse_loops(source)
    assert " for " not in re.sub(r"for start in range\(step, \w+, step\):\n +part = of_rows", "", body_of(source))


LOOPS = [  # what has no matrix form stays a loop
    (r"J = \sum_{k=1}^{K} \lVert A_k x \rVert^2", {"A_k": "n x d, k = 1..K", "x": "d"}, True),
    (r"J = \sum_{k=2}^{K} u_k^\top v", {"u_k": "d, k = 1..K", "v": "d"}, False),
    (r"J = \sum_{k=1}^{K} u_k^\top u_{k-1}", {"u_k": "d, k = 0..K"}, False),
    (r"J = \sum_{j \neq o} \log(1 + e^{u_j^\top v})", {"u_j": "d, j = 1..K", "v": "d", "o": "index 1..K"}, False),
    (r"J = \sum_{-m \leq j \leq m, j \neq 0} u_j^\top v", {"u_j": r"d, j = -m..m, j \neq 0", "v": "d"}, False),
    (r"J = \sum_{i=1}^{n} \sum_{j=1}^{n} x_i x_j", {"x": "n"}, False),
    (r"J = \sum_{i=1}^{N} i x_i", {"x": "N"}, False),
    (
        r"J = \sum_{i=1}^{N} \lVert x_i - y_i \rVert \operatorname{softmax}(x_i)_{c_i}",
        {"x_i": "d, i = 1..N", "y_i": "d, i = 1..N", "c_i": "index 1..d, i = 1..N"},
        False,
    ),
    (
        r"J = \sum_{s=1}^{S} \sigma(u_{w_s}^\top v)",
        {"U": "d x V", "u_w": "column w of U", "v": "d", "w_s": "index 1..V, s = 1..S"},
        False,
    ),
    (r"J = \sum_{i=1}^{N} a_i b_i c", {"a_i": "1 x d, i = 1..N", "b_i": "d, i = 1..N", "c": "scalar"}, False),
]


@pytest.mark.parametrize(("loss", "symbols", "loops"), LOOPS)
def test_sums_have_their_value(loss: str, symbols: dict[str, str], loops: bool) -> None:
    host = problem(loss, symbols)
    lowered = lower(host, {})
    assert (" for " in body_of(lowered.source)) == loops
    drawn = sample(host, None, SEED, POINTS)
    losses = world(host, Floating(), drawn).value(host.loss_symbol)
    for point in range(POINTS):
        np.testing.assert_allclose(call(lowered, drawn, point)[0], losses[point, 0, 0], rtol=1e-9)


def test_an_index_is_one_thing_outside_and_another_in_a_sum() -> None:
    host = problem(r"J = \sum_{k=1}^{K} \lVert A_k x \rVert^2", {"A_k": "n x d, k = 1..K", "x": "d"})
    reader = host.reader()
    reader.bound["k"], reader.uses["k"] = b.index("k", None), [Range(b.ONE, Size.of("K"))]
    lowered = lower(host, {"A_k": reader.read(r"2 A_k x x^\top")})
    drawn = sample(host, host.target("A_k"), SEED, POINTS)
    for point in range(POINTS):
        loss, gradients = call(lowered, drawn, point)
        matrices = next(v[point] for n, v in drawn.values.items() if n.op == "family")
        x = next(v[point, :, 0] for n, v in drawn.values.items() if n.op == "symbol")
        np.testing.assert_allclose(loss, ((matrices @ x) ** 2).sum())
        own = matrices[drawn.indices["k"][point] - 1]
        np.testing.assert_allclose(gradients["A_k"], 2 * np.outer(own @ x, x))


SOFTMAX_REGRESSION = '''import math

import numpy as np


def row_sums(x):
    """The sums of the rows of a matrix; as a product, which is quicker where rows are short."""
    return x.dot(np.ones(x.shape[1], x.dtype)) if x.dtype.kind == 'f' else x.sum(axis=1)


def sum_of_others(e, top):
    """The sum, along the last axis, of all entries but the one at `top`, which is 1."""
    where = top if e.ndim == 1 else (np.arange(len(e)), top)
    e[where] = 0
    others = e.sum() if e.ndim == 1 else row_sums(e)
    e[where] = 1
    return others


def softmax_error(e, others, top, y, out=None):
    """Softmax minus y; at the largest entry 1 - p is what all others add up to, which may be tiny."""
    total = 1 + others
    if e.ndim == 1:
        where, error = (top, e / total)
    else:
        where, error = ((np.arange(len(e)), top), np.divide(e, total[:, np.newaxis], out=out))
    error -= y
    error[where] = (1 - y[where] - y[where] * others) / total
    return error


def loss_and_gradients(W, x, b, y):
    r"""Softmax regression with cross-entropy: J and its gradients.

    Arguments:
        W: shape (C, d)
        x: shape (d,)
        b: shape (C,)
        y: shape (C,)

    Returns J and a dictionary of gradients:
        x: shape (d,)
        W: shape (C, d)
        b: shape (C,)
    """
    z = W.dot(x) + b
    top = z.argmax()
    shifted = z - z[top]
    e = np.exp(shifted)
    others = sum_of_others(e, top)
    J = -y.dot(shifted - math.log1p(others))
    delta = softmax_error(e, others, top, y)
    return (J, {
        "x": W.T.dot(delta),
        "W": delta[:, np.newaxis].dot(x[np.newaxis]),
        "b": delta,
    })
'''


def test_source_of_softmax_regression() -> None:
    problem = by_identifier("softmax-regression")
    wanted = {q.wrt: case_of(problem, q).answer for q in problem.questions if q.wrt in ("W", "x", "b")}
    lowered = lower(problem, wanted)
    same = ("W", "x", "b", "y", "z", "J")
    assert lowered.arguments == ("W", "x", "b", "y")
    assert lowered.names == dict(zip(same, same, strict=True)) | {r"\hat{y}": "y_hat", r"\delta": "delta"}
    assert lowered.source == SOFTMAX_REGRESSION
    assert lowered.function.__code__.co_filename.startswith("<lambdifygenerated")


def test_a_deep_network_is_lowered_in_linear_length() -> None:
    layers = 100
    define = {"h_{1}": "W_{1} x"} | {f"h_{{{k}}}": rf"\tanh(W_{{{k}}} h_{{{k - 1}}})" for k in range(2, layers + 1)}
    symbols = {"x": "n"} | {f"W_{{{k}}}": "n x n" for k in range(1, layers + 1)}
    host = problem(rf"J = \mathbf{{1}}^\top h_{{{layers}}}", symbols, define=define)
    start = time.perf_counter()
    lowered = lower(host, {})
    assert time.perf_counter() - start < 5
    assert len(body_of(lowered.source).splitlines()) < layers + 10


def test_what_has_no_value_is_refused() -> None:
    with pytest.raises(EvaluationError, match="has no value"):
        lower(problem("J = c", {"c": "scalar"}), {"it": b.symbol("stranger", b.SCALAR)})


# ------------------------------------------------------------------------------------------ identifiers

NAMES = [
    (r"\hat{y}", "", "y_hat"),
    (r"\hat y", "", "y_hat"),
    ("W^{[1]}", "", "W_1"),
    ("u_k", "k", "u"),
    (r"\hat{y}_i", "i", "y_hat"),
    (r"z^{(i)}", "i", "z"),
    (r"\mathbf{c}_{neg_j}", "j", "c_neg"),
    (r"\delta", "", "delta"),
    (r"\delta_h", "", "delta_h"),
    ("P^*", "", "P_star"),
    (r"\boldsymbol{\theta}", "", "theta"),
    ("θ", "", "theta"),
    ("x_{museums}", "", "x_museums"),
    ("w_{11}", "", "w_11"),
    ("f'", "", "f_prime"),
    ("1", "", "v_1"),
    ("", "", "v"),
    ("__import__", "", "import"),  # `Names` makes import_ of it
]


@pytest.mark.parametrize(("latex", "letter", "wanted"), NAMES)
def test_identifiers_read_like_the_names(latex: str, letter: str, wanted: str) -> None:
    assert identifier(latex, letter) == wanted


@given(st.lists(st.text(max_size=60), max_size=8), st.text(max_size=3))
@settings(max_examples=200)
def test_identifiers_are_plain_and_different(texts: list[str], letter: str) -> None:
    names = Names()
    handed_out = [names.declared(text, letter) for text in texts]
    assert len(set(handed_out)) == len(handed_out)
    for name in handed_out:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
        assert not keyword.iskeyword(name)
        assert name not in {*dir(builtins), *vars(runtime), "np", "math", "dtype"}


def test_an_identifier_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no identifier"):
        Names().fresh("x\n    import os")


@given(st.text(max_size=80))
@settings(max_examples=300)
def test_strings_are_literals_of_themselves(text: str) -> None:
    assert ast.literal_eval(string(text)) == text


HOSTILE = [
    '"""', "'''", "\\", "\n    import os\n", '", __import__("os"), "', "{x}", "\x00", "a" * 500, r"\N{BULLET}", "é",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_do_nothing(text: str) -> None:
    host = problem(r"J = \lambda \sigma(\text{sum})", {r"\lambda": "scalar", r"\text{sum}": "scalar"}, title=text)
    lowered = lower(host, {text: read(host, r"\sigma(\text{sum})")})
    tree = ast.parse(lowered.source)
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(n) for n in imports] == ["import math", "import numpy as np"]
    assert lowered.arguments == ("lambda_", "sum_")
    assert executed(lowered.source)(2.0, 0.0) == (1.0, {text: 0.5})


# -------------------------------------------------------------------------------------------- case files


def test_textbook_answers_of_the_case_files(cases: Callable[[str], list[dict[str, Any]]]) -> None:
    count = 0
    for row in cases("catalogue-problems.jsonl"):
        keys = {"title", "source", "loss", "symbols", "define", "names", "questions", "layout"}
        host = problem_from({k: v for k, v in row.items() if k in keys}, row["id"])
        for question in host.questions:
            case = case_of(host, question)
            lowered = lower(host, {"it": case.answer})
            drawn = sample(host, case.target, SEED, 2)
            losses, slopes = case.values(Floating(), drawn)
            loss, gradients = call(lowered, drawn, 1)
            np.testing.assert_allclose(loss, losses[1, 0, 0], rtol=1e-9, atol=1e-9, err_msg=row["id"])
            wanted = unpacked(case.answer.dims, slopes[1])
            np.testing.assert_allclose(gradients["it"], wanted, rtol=1e-9, atol=1e-9, err_msg=row["id"])
            count += 1
    assert count > 100
