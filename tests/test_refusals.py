"""What cannot be derived is refused by its name and with the reason; what has kinks says so."""

from __future__ import annotations

import pytest

from derive.errors import DeriveError
from derive.expressions.node import Node
from derive.gradient.closed import derivative
from derive.gradient.derivation import derivation
from derive.grading.asking import ask
from derive.problem.builder import problem_from

SYMBOLS = {"x": "n", "y": "n", "o": "index 1..n", "A": "n x n", "s": "scalar", "f": "elementwise function"}

# The loss, and what its error says: the operation and a part of the reason.
LOSSES = {
    r"\arg\max_i x_i": ("argmax", "jumps"),
    r"\operatorname{argmax}_i x_i": ("argmax", "jumps"),
    r"\operatorname*{arg\,max}_i x_i": ("argmax", "jumps"),
    r"\lfloor s \rfloor": ("floor", "jumps"),
    r"\lceil s \rceil": ("ceil", "jumps"),
    r"\operatorname{round}(s)": ("round", "jumps"),
    r"\operatorname{sort}(x)_1": ("sort", "order of entries"),
    r"\operatorname{median}(x)": ("median", "order of entries"),
    r"\operatorname{rank}(A)": ("rank", "whole numbers"),
    r"o \bmod 2": ("mod", "whole numbers"),
    r"\operatorname{svd}(A)": ("svd", "decomposition"),
    r"\lVert A \rVert_*": ("norm with index *", "singular"),
    r"\lVert x \rVert_0": ("norm with index 0", "counts entries"),
    r"\operatorname{sample}(x)": ("sample", "at random"),
    r"(s \sim p)": ("draw", "at random"),
    r"\operatorname{Dropout}(s)": ("Dropout", "at random"),
    r"\mathbb{E}_{z \sim p}[z^\top x]": ("expectation", "distribution"),
    r"\mathbb{E}[s^2]": ("expectation", "distribution"),
    r"\sup_i x_i": ("sup", r"\max"),
    r"\Pr(s > 0)": ("Pr", "no formula"),
    r"\operatorname{LeakyReLU}(s)": ("LeakyReLU", "slope"),
    r"\operatorname{digamma}(s)": ("digamma", "not among the operations"),
    r"\max_z x^\top z": ("z", "range"),
    r"\prod_{i=1}^{n} A": ("Products", "of numbers"),
    r"\sum_{i=1}^{n} x_i + y_i": ("sum over i", "brackets"),
}

# The variable (and what is differentiated), and what the error says.
VARIABLES = {
    ("o", ""): ("o", "whole number"),
    ("n", ""): ("n", "whole number"),
    ("x_{n+1}", ""): ("n + 1", "outside 1..n"),
    ("q", ""): ("q", "is not a symbol"),
    ("x^2", ""): ("x^2", "is not a symbol"),
    ("f", ""): ("f", ""),
    ("m", ""): ("m", "for answers only"),
    ("x", "A"): ("A", "matrix"),
}

# The loss, and the remark on where it has no derivative.
KINKS = {
    r"\max(0, s)": "max has no derivative where both are equal",
    r"\operatorname{ReLU}(s)": "ReLU has no derivative at 0",
    "|s|": "|x| has no derivative at 0",
    r"\lVert x \rVert_1": "|x| has no derivative at 0",
    r"\lVert x \rVert_2": "the norm has no derivative at 0",
    r"\lVert x \rVert_\infty": "where several are largest",
    r"\max_i x_i": "where several are largest",
    r"\min_i x_i": "where several are smallest",
    r"\operatorname{clip}(s, 0, 1)": "no derivative where both are equal",
    r"\operatorname{SELU}(s)": "SELU has no derivative at 0",
    r"\operatorname{sign}(s)": "the sign jumps at 0",
    r"\begin{cases} s^2 & s > 0 \\ 0 & s \leq 0 \end{cases}": "where they meet",
}
SMOOTH = (r"\operatorname{GELU}(s)", r"\operatorname{ELU}(s)", r"\log(1 + e^s)", r"x^\top A x", r"\lVert x \rVert_2^2")


def error_of(loss: str, wrt: str = "x", of: str = "") -> str:
    """What is said of a loss that is not derived."""
    with pytest.raises(DeriveError) as found:
        derived(loss, wrt, of)
    return str(found.value)


def derived(loss: str, wrt: str, of: str) -> Node:
    problem = problem_from({"loss": loss, "symbols": SYMBOLS, "names": {"m": "x + y"}})
    asked = ask(problem, wrt, of, None)
    return derivative(problem, asked.of, asked.target)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_cannot_be_derived_is_refused(loss: str) -> None:
    name, reason = LOSSES[loss]
    message = error_of(f"L = {loss}")
    assert name in message and reason in message


@pytest.mark.parametrize(("wrt", "of"), VARIABLES)
def test_what_is_no_variable_is_refused(wrt: str, of: str) -> None:
    name, reason = VARIABLES[wrt, of]
    message = error_of(r"L = x_o^2 + \mathbf{1}^\top f(A x)", wrt, of)
    assert name in message and reason in message


def remarks(loss: str) -> str:
    problem = problem_from({"loss": f"L = {loss}", "symbols": SYMBOLS})
    return " ".join(derivation(problem, "x" if "x" in loss else "s").remarks)


@pytest.mark.parametrize("loss", KINKS)
def test_where_there_is_no_derivative_is_said(loss: str) -> None:
    assert KINKS[loss] in remarks(loss)


@pytest.mark.parametrize("loss", SMOOTH)
def test_what_is_smooth_has_no_remark(loss: str) -> None:
    assert not remarks(loss)
