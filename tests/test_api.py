"""The Python interface: problems, derivatives as values, SymPy's expressions, grading."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.matrices.expressions.matexpr import MatrixElement

import derive
from derive import Problem, Verdict, grade, gradient, hessian, jacobian
from derive.api.from_sympy import problem_from_sympy
from derive.errors import AuthorError, DeriveError, ShapeError
from derive.expressions import build as b
from derive.gradient.hessian import hessian as hessian_of
from derive.gradient.hessian import hessians
from derive.numerics.fields import Floating
from derive.numerics.sampling import sample, world
from derive.problem.builder import problem_from

SOFTMAX = {
    "loss": r"J = -y^\top \log \hat{y}",
    "symbols": {"W": "C x d", "x": "d", "y": "C, one-hot"},
    "define": {"z": "W x", r"\hat{y}": r"\operatorname{softmax}(z)"},
    "names": {r"\delta": r"\hat{y} - y"},
}
RNG = np.random.default_rng(5)
W, X, Y = RNG.normal(size=(3, 4)), RNG.normal(size=4), np.eye(3)[1]


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max())
    return e / e.sum()


# ---------------------------------------------------------------------------------------------------- loading


def python(root: Path, script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_does_not_import_sympy(root: Path) -> None:
    assert python(root, "import derive, sys; print({'sympy', 'numpy'} & set(sys.modules), derive.__version__)") == (
        f"set() {derive.__version__}\n"
    )


@pytest.mark.parametrize("first", ["import derive.gradient.closed", "from derive import gradient", "import derive.api"])
def test_gradient_is_the_function_whatever_was_imported_first(root: Path, first: str) -> None:
    script = (
        f"{first}\nimport derive\nfrom derive import gradient\nprint(callable(gradient), gradient is derive.gradient)"
    )
    assert python(root, script) == "True True\n"


def test_the_names_of_the_package() -> None:
    assert set(derive.__all__) <= set(dir(derive))
    with pytest.raises(AttributeError, match="no_such_name"):
        derive.no_such_name  # noqa: B018


# --------------------------------------------------------------------------------------------------- formulas


def test_a_gradient_is_a_value() -> None:
    found = gradient(SOFTMAX["loss"], "W", **{k: v for k, v in SOFTMAX.items() if k != "loss"})
    assert (found.latex, str(found), found.shape) == (r"\delta x^\top", r"\delta x^\top", "a C × d matrix")
    assert found.confirmed
    assert found._repr_latex_() == r"$\displaystyle \frac{\partial J}{\partial W} = \delta x^\top$"
    assert "not confirmed" not in repr(found)
    assert isinstance(found.expression, sp.MatrixExpr)
    assert [step.name for step in found.steps] == ["J", r"\hat{y}", "z", "W"]


def test_a_formula_that_is_not_confirmed_says_so() -> None:
    from dataclasses import replace

    found = replace(Problem.from_dict(SOFTMAX).gradient("W"), exact="")
    assert not found.confirmed
    assert "not confirmed" in repr(found)
    assert "not confirmed" in found._repr_latex_()


def test_a_gradient_is_a_function_of_arrays() -> None:
    found = Problem.from_dict(SOFTMAX).gradient("W")
    np.testing.assert_allclose(found(W=W, x=X, y=Y), np.outer(softmax(W @ X) - Y, X))
    np.testing.assert_allclose(found({"W": W.tolist()}, x=X, y=[0, 1, 0]), found(W=W, x=X, y=Y))
    assert found.names == {"W": "W", "x": "x", "y": "y"}


def test_names_that_are_no_identifiers() -> None:
    problem = Problem(r"J = \frac{1}{2} \|\hat{y} - y\|^2", symbols={r"\hat{y}": "n", "y": "n"})
    found = problem.gradient(r"\hat{y}")
    assert found({r"\hat{y}": [3, 4], "y": [1, 1]}).tolist() == found(y_hat=[3, 4], y=[1, 1]).tolist() == [2, 3]
    with pytest.raises(AuthorError, match="two values"):
        found({r"\hat{y}": [3, 4]}, y_hat=[3, 4], y=[1, 1])


def test_a_formula_asks_only_for_what_it_uses() -> None:
    problem = Problem.from_dict(SOFTMAX)
    found = problem.jacobian(r"\hat{y}", "z")
    assert found.names.keys() == {"W", "x"}
    p = softmax(W @ X)
    np.testing.assert_allclose(found(W=W, x=X, y=Y), np.diag(p) - np.outer(p, p))


WRONG_VALUES: list[tuple[dict[str, Any], type[DeriveError], str]] = [
    ({"W": W, "x": X}, AuthorError, "no value for y"),
    ({"W": W.T, "x": X, "y": Y}, ShapeError, r"x has the shape \(d,\).* d = 3"),
    ({"W": W, "x": X[:, None], "y": Y}, ShapeError, r"x has the shape \(d,\); an array of shape \(4, 1\)"),
    ({"W": W, "x": X, "y": Y, "Q": 1}, AuthorError, "Q: there is no such symbol"),
    ({"W": W, "x": X, "y": "abc"}, ShapeError, "y is no array"),
    ({"W": W, "x": X, "y": [[1], [2, 3]]}, ShapeError, "y is no array"),
    ({"W": W, "x": X * 1j, "y": Y}, ShapeError, "x is no array of real numbers"),
]


@pytest.mark.parametrize(("values", "kind", "said"), WRONG_VALUES)
def test_values_that_do_not_fit_name_the_symbol(values: dict[str, Any], kind: type[DeriveError], said: str) -> None:
    with pytest.raises(kind, match=said):
        Problem.from_dict(SOFTMAX).gradient("W")(values)


def test_indices_sizes_and_numbers_as_arguments() -> None:
    problem = Problem(r"J = s z_c", symbols={"z": "n", "c": "index 1..n", "s": "scalar"})
    found = problem.gradient("z")
    assert found(s=2, c=3, n=4).tolist() == [0, 0, 2, 0]
    for c in (0, 5, True, 1.0):
        with pytest.raises(ShapeError, match="c"):
            found(s=2, c=c, n=4)
    with pytest.raises(ShapeError, match="s is a number"):
        found(s=[1, 2], c=1, n=4)


def test_composed_sizes_are_checked() -> None:
    found = Problem(r"J = u^\top A v", symbols={"A": "2 n x m", "u": "2 n", "v": "m", "w": "n"}).gradient("v")
    with pytest.raises(ShapeError, match="w has the shape"):
        gradient(r"J = u^\top A v + w^\top w", "w", symbols={"A": "2 n x m", "u": "2 n", "v": "m", "w": "n"})(w=[[1]])
    np.testing.assert_allclose(found(A=np.ones((4, 2)), u=np.ones(4)), [4, 4])


@pytest.mark.parametrize("identifier", ["softmax-regression", "max-margin-window", "negative-sampling"])
def test_problems_of_the_catalogue(identifier: str) -> None:
    problem = Problem.load(identifier)
    assert all(one.confirmed for one in problem.gradients().values())
    assert "def loss_and_gradients" in problem.numpy_source()


def test_numerator_layout() -> None:
    found = Problem.from_dict(SOFTMAX).gradient("W", layout="numerator")
    assert (found.latex, found.layout, found.shape) == (r"x \delta^\top", "numerator", "a d × C matrix")
    assert [s.expression for s in found.steps][1:3] == [r"-\left(\frac{y}{\hat{y}}\right)^\top", r"\delta^\top"]
    np.testing.assert_allclose(found(W=W, x=X, y=Y), np.outer(X, softmax(W @ X) - Y))
    with pytest.raises(AuthorError, match="layout"):
        gradient(Problem.from_dict(SOFTMAX), "W", layout="denominator")


# --------------------------------------------------------------------------------------------------- Hessians

HESSIANS: list[tuple[dict[str, Any], str, str]] = [
    ({**SOFTMAX, "define": {"p": r"\operatorname{softmax}(z)"}, "names": {}, "loss": r"-y^\top \log p",
      "symbols": {"z": "C", "y": "C, one-hot"}}, "z", r"\operatorname{diag}(p) - p p^\top"),
    ({"loss": r"-\log \hat{y}", "define": {r"\hat{y}": r"\sigma(w^\top x)"}, "symbols": {"w": "d", "x": "d"}}, "w",
     r"\hat{y} \left(1 - \hat{y}\right) x x^\top"),
    ({"loss": r"-\sum_{i=1}^N (y_i \log p_i + (1 - y_i) \log(1 - p_i))", "define": {"p": r"\sigma(X w)"},
      "symbols": {"X": "N x d", "w": "d", "y": "N, binary"}}, "w",
     r"X^\top \operatorname{diag}(p \circ \left(1 - p\right)) X"),
    ({"loss": r"\frac{1}{2 N} \|X w - y\|^2", "symbols": {"X": "N x d", "w": "d", "y": "N"}}, "w",
     r"\frac{1}{N} X^\top X"),
    ({"loss": r"x^\top A x", "symbols": {"x": "n", "A": "n x n"}}, "x", r"A + A^\top"),
    ({"loss": r"s^3", "symbols": {"s": "scalar"}}, "s", "6 s"),
    ({"loss": r"a^\top x", "symbols": {"a": "n", "x": "n"}}, "x", "0"),
    ({"loss": r"\|W x - y\|^2", "symbols": {"W": "C x d", "x": "d", "y": "C"}}, "W", r"2 V x x^\top"),
    ({"loss": r"\|W V - y\|^2", "symbols": {"W": "C x d", "V": "d", "y": "C"}}, "W", r"2 D V V^\top"),
    ({"loss": r"\frac{1}{2} \|w - t\|^4", "symbols": {"w": "d", "t": "d"}}, "w", ""),
]  # fmt: skip


@pytest.mark.parametrize(("table", "wrt", "form"), HESSIANS, ids=[t["loss"] for t, _, _ in HESSIANS])
def test_hessian(table: dict[str, Any], wrt: str, form: str) -> None:
    found = hessian(Problem.from_dict(table), wrt)
    assert found.confirmed
    assert form in ("", found.latex)


def test_a_hessian_is_the_derivative_of_the_gradient_in_numbers() -> None:
    problem = Problem.from_dict(SOFTMAX)
    first, second = problem.gradient("x"), problem.hessian("x")
    step = 1e-6
    columns = [(first(W=W, x=X + e, y=Y) - first(W=W, x=X - e, y=Y)) / (2 * step) for e in step * np.eye(4)]
    np.testing.assert_allclose(second(W=W, x=X, y=Y), np.stack(columns, axis=1), atol=1e-8)


def test_a_product_with_a_direction() -> None:
    problem = Problem.from_dict(SOFTMAX)
    first, second = problem.gradient("W"), problem.hessian("W")
    assert second.direction == "V"
    assert "[V]" in second._repr_latex_()
    v, step = RNG.normal(size=W.shape), 1e-6
    seen = (first(W=W + step * v, x=X, y=Y) - first(W=W - step * v, x=X, y=Y)) / (2 * step)
    np.testing.assert_allclose(second(W=W, x=X, V=v), seen, atol=1e-8)


def test_mixed_second_derivatives() -> None:
    table = {"loss": r"a^\top A c", "symbols": {"a": "n", "A": "n x m", "c": "m"}}
    problem = Problem.from_dict(table)
    assert problem.hessian("a", "c").latex == "A"
    assert problem.hessian("c", "a").latex == r"A^\top"
    assert problem.hessian("a", "c", layout="numerator").latex == r"A^\top"
    assert problem.hessian("a", "A").latex == r"V c^\top", "⟨V, A c⟩ with respect to A"
    found = list(hessians(problem_from(table), ["a", "c", "A"]))
    assert [(h.first.text, h.second.text) for h in found] == [
        ("a", "a"), ("c", "c"), ("A", "A"), ("a", "c"), ("a", "A"), ("c", "A"),
    ]  # fmt: skip
    assert all(exact and error < 1e-5 for exact, error in (h.checked() for h in found))


@pytest.mark.parametrize("wrong", ["doubled", "transposed", "zero"])
def test_a_wrong_hessian_is_not_confirmed(wrong: str) -> None:
    from dataclasses import replace

    right = hessian_of(problem_from({"loss": r"(a^\top x)^2 b^\top x", "symbols": dict.fromkeys("abx", "n")}), "x", "a")
    broken = {
        "doubled": b.scale(2, right.closed),
        "transposed": b.transpose(right.closed),
        "zero": b.zeros(right.closed.dims),
    }
    exact, error = right.checked()
    assert exact
    assert error < 1e-5
    exact, error = replace(right, closed=broken[wrong]).checked()
    assert not exact
    assert error > 1e-3


def test_one_member_of_a_family() -> None:
    problem = problem_from({"loss": r"\sum_k u_k^\top u_k", "symbols": {"u_k": "d, k = 1..K"}})
    assert hessian_of(problem, "u_k").checked()[0]


def test_a_free_index_is_not_taken_for_the_letter_of_a_family() -> None:
    define = {"p_k": r"\frac{\exp(w_k^\top h)}{\sum_{j=1}^{K} \exp(w_j^\top h)}"}
    symbols = {"w_k": "d, k = 1..K", "h": "d", "y_k": "scalar, k = 1..K"}
    problem = Problem(r"-\sum_{k=1}^K y_k \log p_k", symbols=symbols, define=define)
    assert problem.hessian("w_k").confirmed
    assert problem.jacobian("p_k", "w_k").confirmed
    assert problem.jacobian("p_k", "h").confirmed


# ------------------------------------------------------------------------------------------------------- SymPy

n, m, d = sp.symbols("n m d", integer=True, positive=True)
i, j = sp.symbols("i j", integer=True)
A, B, M = sp.MatrixSymbol("A", n, n), sp.MatrixSymbol("B", n, n), sp.MatrixSymbol("M", n, m)
x, y, w = sp.MatrixSymbol("x", n, 1), sp.MatrixSymbol("y", n, 1), sp.MatrixSymbol("w", m, 1)
s, t = sp.symbols("s t", real=True)
f = sp.Function("f")
ones = sp.OneMatrix(1, n)
SHAPES = {str(k): k.shape for k in (A, B, M, x, y, w)}

# A loss, the variable, and the gradient's text ("" where only its value matters).
BUILT: list[tuple[Any, Any, str]] = [
    (x.T * A * x, x, r"\left(A + A^\top\right) x"),
    ((x.T * A * x)[0, 0], x, r"\left(A + A^\top\right) x"),
    (sp.exp((x.T * x)[0, 0]), x, r"2 \exp(x^\top x) x"),
    (sp.sqrt((x.T * x)[0, 0]), x, ""),
    (((M * w - y).T * (M * w - y))[0, 0] / n, w, r"\frac{2}{n} M^\top \left(M w - y\right)"),
    ((M * w - y).T * (M * w - y) / n, w, r"\frac{2}{n} M^\top \left(M w - y\right)"),
    (sp.Trace(A * M * M.T), M, r"\left(A + A^\top\right) M"),
    (sp.Trace(A.T * B), A, "B"),
    (sp.log(sp.Determinant(A)), A, r"\left(A^{-1}\right)^\top"),
    (x.T * sp.Inverse(A) * y, x, r"A^{-1} y"),
    (sp.Trace(A**2), A, r"2 A^\top"),
    (sp.Trace(A ** (-1)), A, ""),
    (x.T * sp.HadamardProduct(x, y), x, r"2 x \circ y"),
    (ones * sp.HadamardPower(x, 3), x, "3 x^2"),
    (ones * x.applyfunc(sp.tanh), x, ""),
    (ones * (M * w).applyfunc(lambda z: 1 / (1 + sp.exp(-z))), w, ""),
    (ones * (M * w).applyfunc(lambda z: sp.Max(0, z)), w, r"M^\top \mathbb{1}\{M w > 0\}"),
    (ones * (M * w).applyfunc(lambda z: sp.Min(z, s)), w, ""),
    (ones * x.applyfunc(lambda z: z**2 * sp.sin(s * z)), x, ""),
    (sp.Sum(sp.log(1 + sp.exp(-y[i, 0] * (M * w)[i, 0])), (i, 0, n - 1)), w, ""),
    (sp.Sum(x[i, 0] ** 2, (i, 0, n - 1)), x, "2 x"),
    (sp.Sum(x[i, 0] * x[i + 1, 0], (i, 0, n - 2)), x, ""),
    (sp.Sum((i + 1) * x[i, 0], (i, 0, n - 1)), x, ""),
    (sp.Sum(A[i, j] * A[j, i], (i, 0, n - 1), (j, 0, n - 1)), A, r"2 A^\top"),
    (sp.Sum(A[i, i], (i, 0, n - 1)), A, "I"),
    (sp.Sum(A[i, j] ** 2, (i, 0, n - 1), (j, 0, n - 1)), A, "2 A"),
    (sp.Sum(sp.tanh(A[i, j]) * x[i, 0], (i, 0, n - 1), (j, 0, n - 1)), A, ""),
    (x[0, 0] * x[1, 0] + s**2, x, ""),
    (s**2 * sp.erf(s) + sp.Abs(s) + sp.cosh(s) * t**s.func("u", positive=True), s, ""),
    (sp.Rational(3, 2) * s**2 + 0.1 * s + sp.pi * s + sp.E, s, ""),
    (sp.Piecewise((s**2, s > 1), (2 * s - 1, True)), s, ""),
    (sp.DotProduct(x, A * x), x, r"\left(A + A^\top\right) x"),
    (sp.Trace(sp.DiagMatrix(x) * A), x, ""),
    (x.T * (A + 2 * sp.Identity(n)) * x + sp.ZeroMatrix(1, 1), x, ""),
    (m * (w.T * w)[0, 0] / n, w, r"\frac{2 m}{n} w"),
]  # fmt: skip


def explicit(e: Any, values: dict[Any, Any]) -> float:
    """What SymPy computes for an expression at given arrays and sizes, entry by entry."""
    sizes = {n: 3, m: 2}
    arrays = {k.xreplace(sizes): sp.ImmutableMatrix(np.atleast_2d(v)) for k, v in values.items() if k.is_Matrix}
    numbers = {k: sp.Float(v) for k, v in values.items() if not k.is_Matrix}
    out = e.subs(sizes)
    while out.has(sp.Sum):
        out = out.xreplace({(first := next(p for p in sp.postorder_traversal(out) if p.func == sp.Sum)): terms(first)})
    out = out.doit()
    out = out.as_explicit()[0, 0] if getattr(out, "is_Matrix", False) else out
    for part in out.atoms(MatrixElement):
        if part.i.is_Integer and part.parent.is_symbol:
            out = out.xreplace(
                {
                    part: sp.Float(
                        values[sp.MatrixSymbol(part.parent.name, *SHAPES[part.parent.name])][int(part.i), int(part.j)]
                    )
                }
            )
    for _ in range(2):
        out = out.subs(arrays).subs(numbers).doit()
    return float((out[0, 0] if getattr(out, "is_Matrix", False) else out).evalf())


def terms(total: Any) -> Any:
    """A sum written out."""
    ranges = [range(int(lo), int(hi) + 1) for _, lo, hi in total.limits]
    letters = [letter for letter, *_ in total.limits]
    return sp.Add(*(total.args[0].subs(list(zip(letters, at, strict=True))) for at in product(*ranges)))


@pytest.mark.parametrize(("loss", "wrt", "form"), BUILT, ids=[str(loss)[:50] for loss, _, _ in BUILT])
def test_a_loss_built_in_sympy(loss: Any, wrt: Any, form: str) -> None:
    found = gradient(loss, wrt)
    assert found.confirmed
    assert form in ("", found.latex)
    rng = np.random.default_rng(9)
    shapes = {
        k: tuple(int(size) for size in k.xreplace({n: sp.Integer(3), m: sp.Integer(2)}).shape)
        for k in loss.atoms(sp.MatrixSymbol)
    }
    values: dict[Any, Any] = {k: rng.uniform(0.5, 2, v) + 3 * np.eye(*v) for k, v in sorted(shapes.items(), key=str)}
    values |= {
        k: float(rng.uniform(0.5, 2)) for k in sorted(loss.free_symbols, key=str) if k not in (n, m) and not k.is_Matrix
    }
    arrays = {k: v[:, 0] if k.is_Matrix and v.shape[1] == 1 else v for k, v in values.items()}
    direction, step = rng.normal(size=np.shape(values[wrt])), 1e-6
    up, down = ({**values, wrt: values[wrt] + sign * step * direction} for sign in (1, -1))
    expected = (explicit(loss, up) - explicit(loss, down)) / (2 * step)
    value = np.asarray(found({**arrays, **{k: v for k, v in ((n, 3), (m, 2)) if k in loss.free_symbols}}))
    assert np.sum(value * direction.reshape(value.shape)) == pytest.approx(expected, rel=1e-5, abs=1e-7)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("AxB"), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5),
)
def test_sums_over_products_of_entries_mean_what_they_say(factors: list[tuple[str, int, int]]) -> None:
    """Against `einsum`, whatever the pattern of the indices is."""
    letters = sp.symbols("p q r", integer=True)
    matrices = {"A": A, "B": B, "x": x}
    body: Any = sp.Integer(1)
    for name, row, column in factors:
        body *= matrices[name][letters[row], 0 if name == "x" else letters[column]]
    used = {k for name, row, column in factors for k in ((row,) if name == "x" else (row, column))}
    loss = sp.Sum(body, *((letters[k], 0, n - 1) for k in sorted(used)))
    problem, _ = problem_from_sympy(loss)
    drawn = sample(problem, None, 3, 2)
    found = np.broadcast_to(world(problem, Floating(), drawn).value(problem.loss), (2, 1, 1))
    values = {str(leaf.data[0]): value for leaf, value in drawn.values.items()}
    subscripts = ",".join("o" + "pqr"[row] + ("" if name == "x" else "pqr"[column]) for name, row, column in factors)
    arrays = [values[name][..., 0] if name == "x" else values[name] for name, _, _ in factors]
    np.testing.assert_allclose(found[:, 0, 0], np.einsum(f"{subscripts}->o", *arrays), rtol=1e-9)


def test_symbols_of_sympy_may_be_named_by_sympy_or_by_latex() -> None:
    y_hat = sp.MatrixSymbol("yhat", n, 1)
    found = gradient((y_hat - y).T * (y_hat - y), y_hat)
    assert r"\hat{y}" in found.latex
    for values in ({y_hat: [1, 2], y: [0, 0]}, {"yhat": [1, 2], "y": [0, 0]}, {r"\hat{y}": [1, 2], "y": [0, 0]}):
        assert found(values).tolist() == [2, 4]
    assert gradient((y_hat - y).T * (y_hat - y), "yhat").latex == found.latex


def test_properties_of_symbols_of_sympy() -> None:
    target, z = sp.MatrixSymbol("y", n, 1), sp.MatrixSymbol("z", n, 1)
    loss = -(target.T * z)[0, 0] + sp.log(sp.Sum(sp.exp(z[i, 0]), (i, 0, n - 1)))
    problem = Problem(loss, symbols={"y": "n, one-hot"}, name="J")
    assert problem.gradient(z).confirmed
    assert problem.check(z, r"\operatorname{softmax}(z) - y").verdict == "correct"
    assert problem.check("z", r"y - \operatorname{softmax}(z)").verdict == "incorrect"
    assert r"J &=" in problem._repr_latex_()
    with pytest.raises(AuthorError, match=r"symbols\.'y'"):
        Problem(loss, symbols={"y": "m, one-hot"})
    with pytest.raises(AuthorError, match="no such symbol"):
        Problem(loss, symbols={"q": "n"})


def test_an_unspecified_function_of_sympy() -> None:
    assert gradient(ones * (M * w).applyfunc(f), w).latex == r"M^\top f'(M w)"


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: gradient(sp.Integral(s, (s, 0, 1)) * t, t), "Integral is not supported"),
    (lambda: gradient(sp.gamma(s), s), "gamma is not supported"),
    (lambda: gradient(sp.Derivative(f(s), s), s), "Derivative is not supported"),
    (lambda: gradient(sp.I * s, s), "ImaginaryUnit is not supported"),
    (lambda: gradient(sp.Product(x[i, 0], (i, 0, n - 1)), x), "Product is not supported"),
    (lambda: gradient(sp.BlockMatrix([[A, B]]) * sp.OneMatrix(2 * n, 1), A), "BlockMatrix is not supported"),
    (lambda: gradient(A * x, x), "a loss is a number"),
    (lambda: gradient(sp.Trace(sp.MatrixSymbol("P", n, m) * sp.MatrixSymbol("Q", d, n)), "P"), "inner sizes"),
    (lambda: gradient(x[i, 0], x), "the index i is bound by no Sum"),
    (lambda: gradient(sp.Sum(A[i, j], (j, 0, i), (i, 0, n - 1)), A), "limits"),
    (lambda: gradient(s + sp.Symbol("s"), s), "two different symbols are called s"),
    (lambda: gradient(s * x.T * x, sp.Symbol("q")), "does not depend on q"),
    (lambda: gradient(x.T * x, x[0, 0]), "a variable is a Symbol"),
    (lambda: gradient(sp.Symbol("loss") ** 2, "loss"), "another name"),
    (lambda: gradient(sp.Trace(sp.MatrixSymbol("P", 1000, 1000)), "P"), "between 1 and 400"),
    (lambda: gradient(sp.MatrixSymbol("my matrix!", 1, 1), "x"), "cannot stand in a formula"),
    (lambda: gradient(Problem.from_dict(SOFTMAX).gradient("z").expression, "z"), "made by derive"),
    (lambda: Problem(x.T * x, define={"z": "x"}), "takes symbols"),
    (lambda: Problem(3), "not int"),  # type: ignore[arg-type]
    (lambda: Problem("J = q^2"), "is not declared"),
    (lambda: Problem(r"J = x^\top x", symbols={"x": "d", "y": "d !"}), r"symbols\.'y'"),
    (lambda: gradient(sp.Add(*sp.symbols("a:30000")), "a1"), "too large"),
]


@pytest.mark.parametrize(("act", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_is_not_supported_is_named(act: Callable[[], Any], said: str) -> None:
    with pytest.raises(DeriveError, match=said):
        act()


# ----------------------------------------------------------------------------------------------------- grading


def test_a_question_and_several() -> None:
    question = {"id": 1, "problem": SOFTMAX, "wrt": "W", "answer": r"\delta x^T"}
    found = grade(question)
    assert isinstance(found, Verdict)
    assert found.as_dict()["verdict"] == "correct"
    several = grade(iter([question, {**question, "answer": r"x \delta^T"}, {"answer": "x"}]))
    assert [v.verdict for v in several] == ["correct", "layout", "unreadable"]
    own = grade({**question, "problem": Problem.from_dict(SOFTMAX)})
    assert own.verdict == "correct"
    with pytest.raises(TypeError, match="dictionary"):
        grade(["not a question"])  # type: ignore[list-item]


def test_a_verdict_in_a_notebook() -> None:
    shown = Problem.from_dict(SOFTMAX).check("x", r"W^\top (y - \hat{y})")._repr_markdown_()
    assert shown.startswith("**incorrect** (sign)")
    assert r"$W^\top" in shown
    assert "^" in Problem.from_dict(SOFTMAX).check("x", r"W^\top q +")._repr_markdown_().splitlines()[-2]


def test_checking_with_options() -> None:
    problem = Problem.from_dict(SOFTMAX)
    assert problem.check("W", r"x \delta^\top", layout="numerator").verdict == "correct"
    assert (
        problem.check("z", r"\operatorname{diag}(\hat{y}) - \hat{y} \hat{y}^\top", of=r"\hat{y}").verdict == "correct"
    )
    assert jacobian(problem, "z", "x").latex == "W"
    assert problem.derivation(["x"]).steps
    with pytest.raises(TypeError, match="symbols"):
        gradient(problem, "W", symbols={})


def test_a_problem_shows_itself() -> None:
    problem = Problem.load("softmax-regression")
    assert problem.title in repr(problem)
    assert r"z &= W x + b" in problem._repr_latex_()
    assert problem.source
    assert problem.loss.startswith("J = ")
    assert problem.gradients().keys() >= {"W", "x"}


def test_the_example_of_the_readme(root: Path) -> None:
    import doctest
    import re

    text = (root / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```pycon\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    example = doctest.DocTestParser().get_doctest("".join(blocks), {}, "README.md", "README.md", 0)
    assert doctest.DocTestRunner().run(example).failed == 0
    assert len(example.examples) > 10
