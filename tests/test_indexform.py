"""The index form: a second derivation, by explicit sums and Kronecker deltas, that must agree with the first."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from derive.errors import AuthorError, NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.indexform import partials
from derive.indexform.assembly import assemble
from derive.indexform.derivation import index_form
from derive.indexform.entries import Writer
from derive.indexform.letters import position
from derive.launch import commands
from derive.numerics.fields import Floating
from derive.numerics.sampling import Sample
from derive.numerics.world import World
from derive.operations.registry import records
from derive.problem.builder import problem_from
from derive.problem.load import catalogue, load
from derive.problem.problem import Problem
from derive.sizes import ONE, Range, Size

PROBLEMS = sorted(catalogue())
SIZES = {"n": 3, "m": 2, "k": 4}


@pytest.mark.parametrize("identifier", PROBLEMS)
def test_every_gradient_of_the_catalogue_is_found_by_entries_too(identifier: str) -> None:
    problem = load(identifier)
    for question in problem.questions:
        found = index_form(problem, question.wrt, question.of, question.layout)
        assert found.agrees, f"∂{question.of}/∂{question.wrt}: the two derivations differ"
        assert found.exact, f"∂{question.of}/∂{question.wrt}: the entry is not confirmed by forward mode"


def softmax_regression() -> Problem:
    return load("softmax-regression")


def test_softmax_regression_as_on_the_blackboard() -> None:
    found = index_form(softmax_regression(), "W")
    lines = {line.left: line for line in (*found.forward, *found.steps)}
    assert lines["z_i"].members == (r"\sum_{k=1}^{d} W_{ik} x_k + b_i",)
    local = lines[r"\frac{\partial \hat{y}_j}{\partial z_i}"]
    assert local.cases == (
        ("j = i", r"\hat{y}_i \left(1 - \hat{y}_i\right)"),
        (r"j \neq i", r"-\hat{y}_j \hat{y}_i"),
    )
    assert lines[r"\frac{\partial z_k}{\partial W_{ij}}"].words == (
        "of all $z_k$ only the one with $k = i$ contains $W_{ij}$"
    )
    assert found.entry.members == (r"\delta_i x_j",)
    assert found.matrix is not None
    assert found.matrix.members == (r"\delta x^\top",)
    assert (found.agrees, found.shape) == ("the same form", "a C × d matrix")


def test_the_right_class_and_the_others_are_told_apart() -> None:
    problem = problem_from(
        {
            "loss": r"J = -\log p_y",
            "symbols": {"z": "C", "y": "index 1..C"},
            "define": {"p": r"\operatorname{softmax}(z)"},
        }
    )
    assert index_form(problem, "z").entry.cases == (("i = y", "p_y - 1"), (r"i \neq y", "p_i"))


def test_numerator_layout_is_transposed() -> None:
    found = index_form(softmax_regression(), "W", layout="numerator")
    assert found.matrix is not None
    assert found.matrix.members == (r"x \delta^\top",)
    assert found.shape == "a d × C matrix"


def test_a_stacked_window_gives_each_word_its_own_block() -> None:
    found = index_form(load("softmax-window"), "x_{in}")
    assert r"W_{j, d+i}" in found.entry.members[0]
    assert found.matrix is not None
    assert found.matrix.members[-1] == r"\left(W^\top \delta\right)_{d+1:2d}"


def test_a_wrong_delta_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agreement is a test: with ∂x_a/∂x_i = 1 for all a, neither check confirms the result."""
    monkeypatch.setattr(partials, "delta", lambda i, j: b.number(1))
    found = index_form(load("softmax-regression"), "W")
    assert (found.agrees, found.exact) == ("", "")


MATRICES = [
    (r"J = \log\det(A) + \operatorname{tr}(A B)", {"A": "n x n", "B": "n x n"}, "A"),
    (r"J = a^\top A^{-1} c", {"A": "n x n", "a": "n", "c": "n"}, "A"),
    (r"J = \frac{x^\top y}{\|x\| \|y\|}", {"x": "n", "y": "n"}, "x"),
    (r"J = \| X - U V^\top \|_F^2", {"X": "n x m", "U": "n x k", "V": "m x k"}, "V"),
    (r"J = \sum_{i=1}^n \sum_{j=1}^n (x_i - x_j)^2", {"x": "n"}, "x"),
]


@pytest.mark.parametrize(("loss", "symbols", "wrt"), MATRICES, ids=[row[0] for row in MATRICES])
def test_matrix_functions_too(loss: str, symbols: dict[str, str], wrt: str) -> None:
    found = index_form(problem_from({"loss": loss, "symbols": symbols}), wrt)
    assert found.confirmed
    assert found.matrix is not None


def test_what_cannot_be_asked_is_refused_by_name() -> None:
    with pytest.raises(AuthorError, match="Jacobian is of a vector"):
        index_form(softmax_regression(), "W", of="z")
    with pytest.raises(AuthorError, match="Q is not a symbol"):
        index_form(softmax_regression(), "Q")


def test_the_command_shows_it_step_by_step_and_as_json() -> None:
    shown = CliRunner().invoke(commands(), ["show", "softmax-regression", "--wrt", "W", "--index"])
    assert shown.exit_code == 0
    assert "of all z_k only the one with k = i contains W_ij" in shown.output
    assert "assembled it is the same matrix as the backward steps" in shown.output
    asked = ["show", "softmax-regression", "--wrt", "W", "--wrt", "b", "--index", "--json"]
    forms = json.loads(CliRunner().invoke(commands(), asked).stdout)["index"]
    assert [form["entry"]["members"] for form in forms] == [[r"\delta_i x_j"], [r"\delta_i"]]


# ------------------------------------------------------------------------------------------------ entries


def a_world(node: Node, i: int, j: int) -> World:
    rng = np.random.default_rng(7)

    values = {
        part: rng.uniform(0.2, 0.8, size=(1, *(size.value(SIZES) for size in part.dims)))
        for part in walk(node)
        if part.op == "symbol"
    }
    indices = {"a": np.array([i]), "c": np.array([j]), "i": np.array([2]), "j": np.array([1]), "k": np.array([1])}
    drawn = Sample(SIZES, indices, values, 1)
    return World(Floating(), drawn.sizes, values, indices, {})


BLOCKS = ("concat", "vec", "unvec")  # their entries need arithmetic of indices, which is not written here
EXAMPLES = [name for name, one in records().items() if one.example is not None and name not in BLOCKS]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_entry_written_out_is_the_entry(name: str) -> None:
    example = records()[name].example
    assert example is not None
    node = example()
    rows, columns = (size.value(SIZES) for size in node.dims)
    i, j = position(node.dims[0], "a"), position(node.dims[1], "c")
    written = Writer(frozenset("acijk"))(node, i, j)
    for r, c in np.ndindex(rows, columns):
        world = a_world(node, r + 1, c + 1)
        assert float(world.value(written).squeeze()) == pytest.approx(float(world.value(node)[0, r, c]))


def test_an_entry_of_stacked_blocks_is_refused_by_name() -> None:
    node = b.make("concat", (b.symbol("x", (Size.of("n"), ONE)), b.symbol("y", (Size.of("m"), ONE))), (0,))
    with pytest.raises(NoRuleError, match="concat"):
        Writer(frozenset())(node, position(node.dims[0], "a"), b.number(1))


N, M = Size.of("n"), Size.of("m")
A, X, Y = b.symbol("A", (N, M)), b.symbol("x", (M, ONE)), b.symbol("y", (N, ONE))
ROW, COLUMN = b.index("i", Range(ONE, N)), b.index("j", Range(ONE, M))
UNIT = b.number(1)


def over_m(body: Node) -> Node:
    return b.sum_over(body, "k", Range(ONE, M))


K = b.index("k", None)
ASSEMBLED = [
    (
        "u_i v_j",
        b.product(b.entry(Y, ROW, UNIT), b.entry(X, COLUMN, UNIT)),
        (ROW, COLUMN),
        b.product(Y, b.transpose(X)),
    ),
    ("Σ A_ik x_k", over_m(b.product(b.entry(A, ROW, K), b.entry(X, K, UNIT))), (ROW, UNIT), b.product(A, X)),
    ("A_ij at (j, i)", b.entry(A, ROW, COLUMN), (COLUMN, ROW), b.transpose(A)),
    ("y_i A_ij", b.product(b.entry(Y, ROW, UNIT), b.entry(A, ROW, COLUMN)), (ROW, COLUMN), b.product(b.diag(Y), A)),
    ("x_j in every row", b.entry(X, COLUMN, UNIT), (ROW, COLUMN), b.broadcast(b.transpose(X), (N, M))),
    ("Σ x_k²", over_m(b.power(b.entry(X, K, UNIT), 2)), (UNIT, UNIT), b.total(b.power(X, 2))),
]


@pytest.mark.parametrize(("entry", "axes", "matrix"), [row[1:] for row in ASSEMBLED], ids=[r[0] for r in ASSEMBLED])
def test_entries_are_recognised_as_a_matrix(entry: Node, axes: tuple[Node, Node], matrix: Node) -> None:
    assert assemble(entry, *axes, matrix.dims) is matrix


def test_three_indices_in_one_factor_are_no_matrix_product() -> None:
    three = b.apply("tanh", b.add(b.entry(A, ROW, K), b.entry(X, COLUMN, UNIT)))
    found = assemble(over_m(b.product(three, b.entry(X, K, UNIT))), ROW, COLUMN, (N, M))
    assert found is None or found.op == "sum"


def test_a_cotangent_that_grows_long_is_named() -> None:
    layers = {f"h_{k}": rf"\tanh(W_{k} {'x' if k == 1 else f'h_{k - 1}'} + b_{k})" for k in range(1, 5)}
    symbols = {"x": "d", "t": "d"} | {f"W_{k}": "d x d" for k in range(1, 5)} | {f"b_{k}": "d" for k in range(1, 5)}
    problem = problem_from(
        {"loss": r"J = \frac{1}{2} \lVert h_4 - t \rVert^2 + \lambda \lVert h_2 \rVert^2", "define": layers,
         "symbols": symbols | {r"\lambda": "scalar"}}
    )  # fmt: skip
    found = index_form(problem, "W_1")
    assert any("a name for what is long" in line.words for line in found.steps)
    assert found.agrees
    assert found.exact
