"""Tall data by some rows at a time: the same values as all rows at once, whatever the blocks and the layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from derive.gradient.closed import derivative
from derive.lowering import lower as lowering
from derive.lowering import runtime
from derive.lowering.grouped import taken_in_turn
from derive.lowering.lower import Lowered, lower
from derive.problem.builder import problem_from
from derive.problem.load import by_identifier

OWN: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "rows and results with rows": (
        {
            "loss": r"J = -\frac{1}{N} \sum_{i=1}^{N} (\log \sigma(o_i^\top v_i) + \log \sigma(-u^\top v_i))",
            "symbols": {"v_i": "d, i = 1..N", "o_i": "d, i = 1..N", "u": "d"},
        },
        ("v_i", "o_i", "u"),
    ),
    "examples as columns": (
        {
            "loss": r"J = \frac{1}{N} \lVert W X - Y \rVert_F^2",
            "symbols": {"W": "c x d", "X": "d x N", "Y": "c x N"},
        },
        ("W", "X"),
    ),
    "what is shared by all rows": (
        {
            "loss": r"J = \frac{1}{2} \lVert X A B w - y \rVert^2 + \frac{\lambda}{2} w^\top A B w",
            "symbols": {"X": "n x d", "A": "d x m", "B": "m x d", "w": "d", "y": "n", "\\lambda": "scalar"},
        },
        ("w",),
    ),
    "a shared matrix that is used again": (
        {
            "loss": r"J = \frac{1}{2 n} \lVert X P v - y \rVert^2 + \frac{\lambda}{2} \lVert P \rVert_F^2",
            "symbols": {"X": "n x d", "A": "d x m", "B": "m x k", "v": "k", "y": "n", "\\lambda": "scalar"},
            "define": {"P": r"\tanh(A B)"},
        },
        ("A", "B", "v"),
    ),
}  # fmt: skip
CATALOGUE = {
    "logistic-regression-design-matrix": ("w", "b"), "softmax-batch": ("W", "b", "X"), "lasso": ("w",),
    "reduced-rank-regression": ("A", "B"), "relu-softmax-network-batch": ("W_1", "W_2", "b_1", "X"),
    "skip-gram-window": ("U", "v_c"), "neuron-mean-squared-loss": ("w", "b"),
}  # fmt: skip
NAMES = (*OWN, *CATALOGUE)
WHOLE: list[tuple[dict[str, Any], tuple[str, ...], str]] = [
    (
        {
            "loss": r"L = \frac{1}{2} \lVert \tanh(W x + b) - y \rVert^2",
            "symbols": {"W": "n x d", "x": "d", "b": "n", "y": "n"},
        },
        ("W", "b", "x"),
        "one example: the rows are those of a parameter",
    ),
    (
        {
            "loss": r"J = \frac{1}{2 n} \lVert X w - \frac{1}{n} \mathbf{1}^\top y \, X w \rVert^2",
            "symbols": {"X": "n x d", "w": "d", "y": "n"},
        },
        ("w",),
        "a sum over all rows is needed in each",
    ),
    (
        {"loss": r"J = \frac{1}{2 n} \lVert X X^\top y \rVert^2", "symbols": {"X": "n x d", "y": "n"}},
        ("y",),
        "each row meets every other",
    ),
    (
        {"loss": r"J = \operatorname{LSE}(X w)", "symbols": {"X": "n x d", "w": "d"}},
        ("w",),
        "the largest of all rows is needed in each",
    ),
]  # fmt: skip


def built(name: str, compiler: str = "") -> Lowered:
    data, wrt = OWN[name] if name in OWN else (None, CATALOGUE[name])
    problem = problem_from(data) if data is not None else by_identifier(name)
    gradients = {w: derivative(problem, problem.loss_symbol, problem.target(w)) for w in wrt}
    return lower(*taken_in_turn(problem, gradients), compiler=compiler)


def drawn(lowered: Lowered, rows: int, seed: int = 0) -> list[Any]:
    """Numbers between 0 and 1; what has many rows has `rows` of them."""
    rng = np.random.default_rng(seed)
    tall = lowered.source.split("step = rows_at_once(")[1].split(",")[0]
    sizes: Mapping[str, int] = {
        str(n): 3 + k for k, n in enumerate(sorted({n for a in lowered.described for s in a.axes for n in s.names}))
    }
    sizes = {n: rows if n == tall else size for n, size in sizes.items()}
    return [
        rng.uniform(0.1, 0.9, [s.value(sizes) for s in a.axes]) if a.axes else 0.3 if a.real else 1
        for a in lowered.described
    ]


def agree(found: tuple[Any, Mapping[str, Any]], wanted: tuple[Any, Mapping[str, Any]], close: float = 1e-12) -> None:
    np.testing.assert_allclose(found[0], wanted[0], rtol=close)
    assert found[1].keys() == wanted[1].keys()
    for key, value in wanted[1].items():
        assert np.shape(found[1][key]) == value.shape
        np.testing.assert_allclose(found[1][key], value, rtol=close, atol=close * np.abs(value).max(initial=0))


def rows_at_once(count: int, width: int, fixed: int) -> int:
    """What stands in for the function of the same name."""
    return 3


@pytest.fixture
def by_threes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three rows, however few there are."""
    monkeypatch.setattr(runtime, "rows_at_once", rows_at_once)


@pytest.mark.usefixtures("by_threes")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 6, 11])
def test_blocks_have_the_values_of_all_rows_at_once(name: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    by_rows = built(name)
    monkeypatch.setattr(lowering, "by_rows", lambda *_: None)
    whole = built(name)
    assert "of_rows" in by_rows.source and "of_rows" not in whole.source
    given = drawn(by_rows, rows)
    agree(by_rows.function(*given), whole.function(*given))


@pytest.mark.usefixtures("by_threes")
@pytest.mark.parametrize("name", NAMES)
def test_results_are_fresh_and_arguments_stay(name: str) -> None:
    lowered = built(name)
    first, second = drawn(lowered, 8, 1), drawn(lowered, 8, 2)
    kept = [np.copy(v) for v in first]
    loss, gradients = lowered.function(*first)
    copies = {key: value.copy() for key, value in gradients.items()}
    lowered.function(*second)
    agree((loss, gradients), (loss, copies), 0)
    for value, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(value, copy)
    for value in gradients.values():
        assert not any(np.shares_memory(value, v) for v in first if isinstance(v, np.ndarray))
        assert value.ndim == 0 or value.flags.writeable


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "columns first": np.asfortranarray,
    "every second row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
    "read only": lambda a: (a := a.copy(), a.setflags(write=False))[0],
}


@pytest.mark.usefixtures("by_threes")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", NAMES)
def test_rows_may_lie_in_memory_in_any_way(name: str, layout: str) -> None:
    lowered = built(name)
    given = drawn(lowered, 7)
    laid = [LAYOUTS[layout](v) if isinstance(v, np.ndarray) else v for v in given]
    agree(lowered.function(*laid), lowered.function(*given), 1e-13)


@pytest.mark.usefixtures("by_threes")
@pytest.mark.parametrize("name", NAMES)
def test_single_precision_stays_and_whole_numbers_do_not(name: str) -> None:
    lowered = built(name)
    given = drawn(lowered, 7)
    single = [v.astype(np.float32) if isinstance(v, np.ndarray) else v for v in given]
    loss, gradients = lowered.function(*single)
    assert loss.dtype == np.float32
    assert all(value.dtype == np.float32 for value in gradients.values())
    agree((loss, gradients), lowered.function(*given), 1e-4)
    ones = [np.ones(v.shape, int) if isinstance(v, np.ndarray) else v for v in given]
    agree(
        lowered.function(*ones),
        lowered.function(*[np.asarray(v, float) if isinstance(v, np.ndarray) else v for v in ones]),
    )


@pytest.mark.parametrize("name", ["lasso", "what is shared by all rows", "skip-gram-window"])
def test_no_rows_at_all(name: str) -> None:
    lowered = built(name)
    loss, gradients = lowered.function(*drawn(lowered, 0))
    assert np.isfinite(loss)
    assert all(np.isfinite(value).all() for value in gradients.values())


@pytest.mark.parametrize(("data", "wrt", "reason"), WHOLE, ids=[reason for *_, reason in WHOLE])
def test_what_stays_whole(data: dict[str, Any], wrt: tuple[str, ...], reason: str) -> None:
    problem = problem_from(data)
    gradients = {w: derivative(problem, problem.loss_symbol, problem.target(w)) for w in wrt}
    assert "of_rows" not in lower(problem, gradients).source


def test_blocks_are_few_and_fit_the_cache() -> None:
    assert runtime.rows_at_once(0, 50, 0) == 1
    assert runtime.rows_at_once(500, 300, 3000) == 500
    assert runtime.rows_at_once(100_000, 54, 104) < 10_000
    assert runtime.rows_at_once(4096, 4300, 600_000) < 1000


@pytest.mark.parametrize("name", ["logistic-regression-design-matrix", "rows and results with rows"])
def test_compiled_blocks_agree(name: str) -> None:
    pytest.importorskip("numba")
    lowered, compiled = built(name), built(name, "numba")
    for rows in (1, 5, 120_000):
        given = drawn(lowered, rows)
        agree(compiled.function(*given), lowered.function(*given), 1e-11)


def off_by_one_byte(a: Any) -> Any:
    room = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    room[...] = a
    return room


@pytest.mark.parametrize("name", ["softmax-regression", "softmax-batch", "rows and results with rows"])
def test_compiled_functions_take_any_layout(name: str) -> None:
    """They are compiled for arrays with consecutive rows that may be written to; all others are copied."""
    pytest.importorskip("numba")
    wrt = {"softmax-regression": ("W", "b", "x")}
    problem = by_identifier(name) if name not in OWN else problem_from(OWN[name][0])
    asked = wrt.get(name) or (CATALOGUE.get(name) or OWN[name][1])
    gradients = {w: derivative(problem, problem.loss_symbol, problem.target(w)) for w in asked}
    plain, compiled = (lower(*taken_in_turn(problem, gradients), compiler=c) for c in ("", "numba"))
    rng = np.random.default_rng(3)
    sizes = {n: 4 + k for k, n in enumerate(sorted({n for a in plain.described for s in a.axes for n in s.names}))}
    given = [rng.uniform(0.1, 0.9, [s.value(sizes) for s in a.axes]) for a in plain.described]
    wanted = plain.function(*given)
    copies = [v.copy() for v in given]
    found = []
    for laid in (*LAYOUTS.values(), np.copy, off_by_one_byte, *LAYOUTS.values()):
        found.append(compiled.function(*map(laid, given)))
        assert type(found[-1][0]) is np.float64
    for result in found:  # none was written over by a later call
        agree(result, wanted)
    single = compiled.function(*[v.astype(np.float32) for v in given])
    assert {v.dtype for v in (single[0], *single[1].values())} == {np.dtype(np.float32)}
    agree(single, wanted, 1e-4)
    for value, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(value, copy)


def test_compiled_functions_refuse_shapes_that_do_not_fit() -> None:
    pytest.importorskip("numba")
    problem = by_identifier("softmax-regression")
    lowered = lower(problem, {"W": derivative(problem, problem.loss_symbol, problem.target("W"))}, compiler="numba")
    given = {"W": np.ones((3, 5)), "x": np.ones(5), "b": np.ones(3), "y": np.array([0, 1.0, 0])}
    assert np.isfinite(lowered.function(*(given[n] for n in lowered.arguments))[0])
    given["x"] = np.ones(4)
    with pytest.raises(ValueError, match="do not fit"):
        lowered.function(*(given[n] for n in lowered.arguments))


def test_compiled_products_are_those_of_numpy() -> None:
    """For every remainder of the rows and columns that are taken at once, and for either layout."""
    pytest.importorskip("numba")
    from derive.lowering import numba_products as products

    rng = np.random.default_rng(5)
    for n, d, m in [(0, 3, 2), (1, 1, 1), (2, 0, 3), (17, 5, 4), (18, 3, 7), (19, 8, 1), (40, 17, 18), (3, 6, 20)]:
        a, c, x, y = (rng.normal(size=s) for s in ((n, d), (d, m), d, n))
        for left in (a, np.asfortranarray(a)):
            for right in (c, np.asfortranarray(c)):
                np.testing.assert_allclose(products.dot_matrices(left, right), a @ c, rtol=1e-12, atol=1e-13)
            np.testing.assert_allclose(products.matrix_vector(left, x), a @ x, rtol=1e-12, atol=1e-13)
            np.testing.assert_allclose(products.row_dots(left, a), (a * a).sum(axis=1), rtol=1e-12)
            np.testing.assert_allclose(products.vdot(left, a), (a * a).sum(), rtol=1e-12)
        pairs = products.outers((y, 2 * y), (x, x + 1))
        np.testing.assert_allclose(pairs, np.outer(y, x) + np.outer(2 * y, x + 1), rtol=1e-12, atol=1e-15)
    with pytest.raises(ValueError, match="do not fit"):
        products.dot_matrices(np.ones((3, 4)), np.ones((5, 2)))
