"""The fields, worlds and sample points: laws of modular functions, sums, bounds, and declared properties."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import problem_of, value_of

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.numerics.fields import PRIME, Dual, Floating, Modular, Pair, Precise
from derive.numerics.sampling import sample
from derive.problem.builder import problem_from
from derive.sizes import ONE, SCALAR, Range, Size

N = Size.of("n")
residues = st.integers(min_value=1, max_value=PRIME - 2)


def cell(value: int) -> Any:
    """A 1 × 1 value modulo the prime."""
    return np.full((1, 1), value % PRIME, dtype=np.uint64)


@given(residues, residues)
def test_modular_laws(x: int, y: int) -> None:
    f = Modular(3)
    u, v = cell(x), cell(y)
    one = cell(1)
    assert np.all(f.mul(u, f.inv(u)) == one)
    assert np.all(f.mul(f.exp(u), f.exp(f.neg(u))) == one), "exp(-x) is 1 / exp(x)"
    assert np.all(f.add(f.log(u), f.log(f.inv(u))) == cell(0)), "log(1/x) is -log x"
    assert np.all(f.sin(f.neg(u)) == f.neg(f.sin(u))), "sin is odd"
    assert np.all(f.add(f.positive(u), f.positive(f.neg(u))) == one), "one of x > 0 and -x > 0"
    assert np.all(f.mul(f.add(u, v), f.sub(u, v)) == f.sub(f.mul(u, u), f.mul(v, v)))


@pytest.mark.parametrize(("number", "positive"), [(3, 1), (-3, 0), (0, 0), (1000, 1), (-1000, 0)])
def test_small_integers_keep_their_sign(number: int, positive: int) -> None:
    f = Modular()
    assert int(f.positive(f.const(number))[0, 0]) == positive


def test_the_sign_of_other_residues_is_a_coin() -> None:
    f = Modular()
    values = np.arange(5000, 9000, dtype=np.uint64).reshape(-1, 1, 1)
    assert 0.45 < f.positive(values).mean() < 0.55


def test_division_by_zero_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="division by zero"):
        Modular().inv(cell(0))


def test_precise_has_the_digits_it_promises() -> None:
    f = Precise(50)
    third = f.const(Fraction(1, 3))
    assert abs(f.mul(third, f.const(3))[0, 0] - 1) < f.mp.mpf(10) ** -49
    assert f.mp.isnan(f.log(f.const(-1))[0, 0]), "a logarithm that leaves the real numbers is undefined"


@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos", "sqrt", "arctan", "inv"])
def test_dual_against_central_differences(name: str) -> None:
    x, h = np.full((1, 1), 0.7), 1e-6
    f = Floating()
    tangent = getattr(Dual(f), name)(Pair(x, np.ones((1, 1, 1)))).tangent
    seen = (getattr(f, name)(x + h) - getattr(f, name)(x - h)) / (2 * h)
    assert tangent[0, 0, 0] == pytest.approx(seen[0, 0], rel=1e-8)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_inverse_and_determinant_by_cofactors(size: int) -> None:
    matrix = np.random.default_rng(size).normal(size=(5, size, size))
    f = Floating()
    np.testing.assert_allclose(f.det(matrix)[:, 0, 0], np.linalg.det(matrix), rtol=1e-9)
    np.testing.assert_allclose(f.inverse(matrix), np.linalg.inv(matrix), rtol=1e-8)


K, J = b.index("k", None), b.index("j", None)
X = b.symbol("X", (N, Size.of("m")))
OVER_N, OVER_M = Range(ONE, N), Range(ONE, Size.of("m"))


def test_nested_sums_are_sums_of_all_entries() -> None:
    twice = b.make("sum", (b.make("sum", (b.entry(X, K, J), b.number(1)), ("j", OVER_M)), b.number(1)), ("k", OVER_N))
    problem = problem_of(b.add(twice, b.total(X)))
    np.testing.assert_allclose(
        value_of(twice, Floating(), problem=problem), value_of(b.total(X), Floating(), problem=problem)
    )


def test_a_sum_of_what_does_not_depend_on_its_index_counts() -> None:
    whole = b.make("sum", (b.symbol("s", SCALAR), b.number(1)), ("k", Range(ONE, Size.of(7))))
    problem = problem_of(whole)
    np.testing.assert_allclose(
        value_of(whole, Floating(), problem=problem), 7 * value_of(b.symbol("s", SCALAR), Floating(), problem=problem)
    )


def test_a_condition_filters() -> None:
    here = b.make("sum", (b.number(1), b.make("index_less", (K, b.number(3)))), ("k", Range(ONE, Size.of(9))))
    assert value_of(here, Floating(), problem=problem_of(here))[0, 0, 0] == 2


def test_too_much_at_once_is_refused_before_it_is_computed() -> None:
    body = b.symbol("s", SCALAR)
    for letter in "abcdefgh":
        body = b.make("sum", (b.product(body, b.index(letter, None)), b.number(1)), (letter, Range(ONE, Size.of(900))))
    with pytest.raises(EvaluationError, match="too many"):
        value_of(body, Floating(), problem=problem_of(body))


def test_a_huge_range_is_refused() -> None:
    with pytest.raises(EvaluationError, match="too long"):
        Range(ONE, Size.of(10**12)).values({})


def drawn(symbols: dict[str, str], loss: str = "1", **more: Any) -> dict[str, Any]:
    """Sampled values by name."""
    problem = problem_from({"loss": loss, "symbols": symbols, **more})
    found = sample(problem, None, 5, 12)
    return {str(n.data[0]): v for n, v in found.values.items()} | {"sizes": found.sizes, "indices": found.indices}


def test_properties_hold_at_every_point() -> None:
    v = drawn({
        "y": "C, one-hot", "p": "C, distribution", "q": "scalar, positive", "r": "scalar, sign", "t": "n, binary",
        "A": "n x n, symmetric", "P": "n x n, positive definite", "Y": "n x C, one-hot rows",
        "u": "unused, unit interval",
    })  # fmt: skip
    assert np.all(v["y"].sum(axis=(1, 2)) == 1)
    assert set(np.unique(v["y"])) == {0, 1}
    np.testing.assert_allclose(v["p"].sum(axis=(1, 2)), 1)
    assert np.all(v["q"] > 0)
    assert set(np.unique(v["r"])) == {-1, 1}
    assert set(np.unique(v["t"])) == {0, 1}
    np.testing.assert_allclose(v["A"], np.swapaxes(v["A"], 1, 2))
    assert np.all(np.linalg.eigvalsh(v["P"]) > 0)
    assert np.all(v["Y"].sum(axis=2) == 1)
    assert np.all((v["u"] > 0) & (v["u"] < 1))


def test_sizes_are_unequal_and_at_least_two() -> None:
    sizes = drawn({"A": "n x m", "b": "k", "c": "5"})["sizes"]
    values = list(sizes.values())
    assert len(set(values)) == len(values)
    assert min(values) >= 2
    assert 5 not in values


def test_indices_coincide_at_some_points_unless_declared_otherwise() -> None:
    free = drawn({"o": "index 1..V", "w": "index 1..V"})["indices"]
    assert np.any(free["o"] == free["w"])
    assert np.any(free["o"] != free["w"])
    apart = drawn({"o": "index 1..V", "w": "index 1..V, not o"})["indices"]
    assert not np.any(apart["o"] == apart["w"])


def test_one_hot_at_an_index_stands_there() -> None:
    v = drawn({"o": "index 1..V", "y": "V, one-hot at o"})
    assert np.all(v["y"].argmax(axis=1)[:, 0] + 1 == v["indices"]["o"])


def test_the_same_seed_gives_the_same_points() -> None:
    first, second = drawn({"x": "n", "y": "C, one-hot"}), drawn({"x": "n", "y": "C, one-hot"})
    np.testing.assert_array_equal(first["x"], second["x"])
    np.testing.assert_array_equal(first["y"], second["y"])


def test_a_sum_inside_a_sum_keeps_no_axis_of_it() -> None:
    """Σ_j (x_j − Σ_k x_k)² uses Σ_k x_k for every j, and it stands outside of the sum too."""
    j, k = b.index("j", None), b.index("k", None)
    x = b.symbol("x", (Size.of("n"), ONE))
    whole = b.sum_over(b.entry(x, k, b.number(1)), "k", Range(ONE, Size.of("n")))
    squares = b.power(b.subtract(b.entry(x, j, b.number(1)), whole), 2)
    loss = b.product(b.sum_over(squares, "j", Range(ONE, Size.of("n"))), whole)
    value = value_of(loss, Floating())
    assert value.shape == (4, 1, 1)
    given = value_of(x, Floating(), problem=problem_of(loss))[..., 0]
    sums = given.sum(axis=-1)
    assert value[:, 0, 0] == pytest.approx((((given - sums[:, None]) ** 2).sum(axis=-1)) * sums)


def test_a_slice_outside_of_a_vector_is_no_shorter_slice() -> None:
    x = b.symbol("x", (N, ONE))
    node = b.total(b.make("block", (x,), (0, ONE, N + 2)))
    with pytest.raises(EvaluationError, match="a slice outside"):
        value_of(node, Floating(), problem=problem_of(x))
