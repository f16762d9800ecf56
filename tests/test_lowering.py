"""Lowered functions against the numerics of the engine, over the whole catalogue."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.lowering import runtime
from derive.lowering.lower import Lowered, lower
from derive.lowering.names import Names, identifier
from derive.lowering.text import string
from derive.numerics.fields import Field, Floating, Precise
from derive.numerics.forward import expected_dims, jacobian_values
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
    dims = expected_dims(of, target, question.layout)
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
    cheap = {"float", "copy", "type", "range"}
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


# ------------------------------------------------------------------------------------- form of the source


WITH_LOOPS = {"softmax-window-blocks", "convolution-one-dimension"}  # matrices in a family; shifted entries


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name not in WITH_LOOPS])
def test_sums_over_an_index_are_products(name: str) -> None:
    problem = by_identifier(name)
    assert " for " not in body_of(lower(problem, all_answers(problem)).source)


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


def sum_of_others(e, top):
    """The sum, along the last axis, of all entries but the one at `top`, which is 1."""
    where = top if e.ndim == 1 else (np.arange(len(e)), top)
    e[where] = 0
    others = e.sum(axis=-1)
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
