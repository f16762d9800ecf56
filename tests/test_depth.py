"""Long programs: nothing recurses with the depth, formulas do not double, all gradients are checked at once; no times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.closed import derivative
from derive.gradient.derivation import derivation
from derive.gradient.sweep import sweep
from derive.grading.grade import grade
from derive.lowering import rows
from derive.lowering.lower import lower
from derive.numerics import check
from derive.numerics.sampling import sample
from derive.numerics.together import together
from derive.printing.latex import latex
from derive.problem.builder import problem_from
from derive.problem.problem import Problem


def tanh_network(depth: int) -> dict[str, Any]:
    symbols = {"h_{0}": "n_{0}", "t": f"n_{{{depth}}}"}
    define = {}
    for k in range(1, depth + 1):
        symbols |= {f"W_{{{k}}}": f"n_{{{k}}} x n_{{{k - 1}}}", f"b_{{{k}}}": f"n_{{{k}}}"}
        define[f"h_{{{k}}}"] = rf"\tanh(W_{{{k}}} h_{{{k - 1}}} + b_{{{k}}})"
    return {"loss": rf"J = \frac{{1}}{{2}} \|h_{{{depth}}} - t\|^2", "symbols": symbols, "define": define}


def residual_chain(depth: int) -> dict[str, Any]:
    symbols = {"x_{0}": "n", "t": "n"}
    define = {}
    for k in range(1, depth + 1):
        symbols |= {f"W_{{{k}}}": "n x m", f"V_{{{k}}}": "m x n"}
        define[f"x_{{{k}}}"] = rf"x_{{{k - 1}}} + W_{{{k}}} \tanh(V_{{{k}}} x_{{{k - 1}}})"
    return {"loss": rf"J = \frac{{1}}{{2}} \|x_{{{depth}}} - t\|^2", "symbols": symbols, "define": define}


def forms(problem: Problem, *wrt: str) -> list[tuple[Any, Node]]:
    targets = [problem.target(one) for one in wrt]
    return [(target, derivative(problem, problem.loss_symbol, target)) for target in targets]


def test_a_network_of_four_hundred_layers() -> None:
    problem = problem_from(tanh_network(400))
    assert len(sweep(problem).cotangents) == 1203, "three a layer, the input, the target and the loss"
    found = forms(problem, "W_{1}", "b_{200}", "W_{400}", "h_{7}")
    assert together(problem, problem.loss_symbol, found) is not None
    assert check.exact(problem, problem.loss_symbol, *found[0])
    assert max(len(latex(closed)) for _, closed in found) < 50_000
    lowered = lower(problem, {target.text: closed for target, closed in found[:3]})
    rng, sizes = np.random.default_rng(1), {}
    for name, shape in tanh_network(400)["symbols"].items():
        axes = tuple(3 + int(size[3:-1]) % 2 for size in shape.split(" x "))
        sizes[lowered.names[name]] = rng.normal(size=axes) / 2
    loss, gradients = lowered.function(*(sizes[name] for name in lowered.arguments))
    assert np.isfinite(loss)
    assert gradients["W_{400}"].shape == (3, 4)


@pytest.mark.parametrize(("factor", "verdict"), [("", "correct"), ("-", "incorrect"), ("2", "incorrect")])
def test_answers_about_deep_layers_are_graded(factor: str, verdict: str) -> None:
    data = tanh_network(40)
    answer = rf"{factor} \left(\frac{{\partial J}}{{\partial h_{{3}}}} \circ (1 - h_{{3}}^2)\right) h_{{2}}^\top"
    assert grade({"problem": data, "wrt": "W_{3}", "answer": answer}).verdict == verdict
    answer = rf"{factor} ((h_{{40}} - t) \circ (1 - h_{{40}}^2)) h_{{39}}^\top"
    assert grade({"problem": data, "wrt": "W_{40}", "answer": answer}).verdict == verdict


def test_formulas_that_would_double_with_each_layer_stay_short() -> None:
    problem = problem_from(residual_chain(60))
    (one,) = derivation(problem, "W_{30}").gradients
    assert one.confirmed
    assert r"\frac{\partial J}{\partial x_{30}}" in one.latex or len(one.latex) < 2_000
    assert grade({"problem": residual_chain(60), "wrt": "W_{30}", "answer": one.latex}).verdict == "correct"


def test_what_is_too_long_to_print_is_an_error() -> None:
    x = b.symbol("x", b.SCALAR)
    for _ in range(30):
        x = b.add(b.apply("sin", x), b.apply("cos", x))
    with pytest.raises(AuthorError, match="too many to print"):
        latex(x)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_wrong_gradient_among_many_is_seen(place: int) -> None:
    problem = problem_from(tanh_network(12))
    found = forms(problem, "W_{2}", "h_{5}", "b_{12}", "h_{0}", "t")
    checks = together(problem, problem.loss_symbol, found)
    assert checks is not None
    assert checks[0] == "modulo a prime"
    assert checks[1] < 1e-5
    target, closed = found[place]
    for wrong in (b.negate(closed), b.scale(2, closed), b.zeros(closed.dims), b.add(closed, b.ones(closed.dims))):
        broken = [*found[:place], (target, wrong), *found[place + 1 :]]
        assert together(problem, problem.loss_symbol, broken) is None


def test_all_gradients_of_a_deep_network_are_shown_and_confirmed() -> None:
    found = derivation(problem_from(tanh_network(30))).gradients
    assert len(found) == 92
    assert all(one.confirmed for one in found)


def test_any_two_of_very_many_sizes_differ_at_some_sample() -> None:
    problem = problem_from(tanh_network(120))
    drawn = [sample(problem, None, seed, 1).sizes for seed in range(6)]
    names = list(drawn[0])
    assert len(names) == 121
    assert len({tuple(sizes[name] for sizes in drawn) for name in names}) == len(names)
    assert min(min(sizes.values()) for sizes in drawn) >= 2


def test_a_network_is_not_taken_apart_for_each_of_its_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try goes through the whole program, so that one for every layer would make lowering quadratic."""
    tried: list[object] = []
    splitter = rows._Splitter
    monkeypatch.setattr(rows, "_Splitter", lambda *given: tried.append(given[1]) or splitter(*given))
    problem = problem_from(tanh_network(30))
    lower(problem, {target.text: closed for target, closed in forms(problem, "W_{1}", "W_{30}")})
    assert len(tried) <= 2
