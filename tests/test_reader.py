"""What is read, and as what: tokens, notation, the meaning of names and products, and the errors with their places.

`SAME` says that two formulas are the same expression; `SHAPES` and `UNREADABLE` say which error is shown, and where.
"""

from __future__ import annotations

import string
from typing import Any

import numpy as np
import pytest

from derive.errors import AnswerError
from derive.expressions.node import Node
from derive.latex.parser import Parser, parse
from derive.latex.syntax import Cases, Derivative, Group, Product, walk
from derive.latex.tokens import tokenize
from derive.numerics.fields import Floating
from derive.numerics.sampling import sample, world
from derive.problem.builder import problem_from
from derive.problem.problem import Problem
from derive.reading.indices import read_texts
from derive.reading.match import as_tokens
from derive.reading.reader import Reader
from derive.reading.scope import Scope, written

NETWORK: dict[str, Any] = {
    "loss": r"J = -y^\top \log \hat{y} + \frac{\lambda}{2} \operatorname{tr}(A^\top A)",
    "symbols": {
        "W": "C x d", "x": "d", "b": "C", "y": "C, one-hot", "A": "n x n", "B": "n x n", "X": "n x d", "x_i": "row i of X",
        r"\lambda": "scalar", "u_k": "d, k = 1..K", "v": "d", "c": "index 1..C", "f": "elementwise function", "r": "1 x d",
        "m^{(i)}": "d, i = 1..n", "U": "d x V", "o": "index 1..V", "u_w": "column w of U", "w_s": "index 1..V, s = 1..S",
        "s": "scalar", "p": "d", "G": "n x d", "E": "d x V", "e_w": "column w of E",
    },
    "define": {"z": "W x + b", r"\hat{y}": r"\operatorname{softmax}(z)", r"h_\theta(a)": r"\sigma(v^\top a)"},
    "names": {r"\delta": r"\hat{y} - y", "H[t]": r"\mathbb{1}[t > 0]", "P(O=w|C=c)": r"\exp(u_w^\top v)", "j_n": r"\mathbf{1}^\top"},
}  # fmt: skip


@pytest.fixture(scope="module")
def problem() -> Problem:
    return problem_from(NETWORK)


def read(problem: Problem, text: str) -> Node:
    return problem.reader().read(text)


def agree(problem: Problem, one: str, other: str) -> bool:
    """Whether two formulas have the same dimensions, and the same values at sample points."""
    first, second = read(problem, one), read(problem, other)
    if first == second:
        return True
    drawn = sample(problem, None, 3, 6)
    with np.errstate(all="ignore"):
        values = [world(problem, Floating(), drawn).value(node) for node in (first, second)]
    return first.dims == second.dims and bool(np.allclose(*values, equal_nan=True))


SAME = [
    # transposes
    (r"x^\top v", r"x^T v"),
    (r"x^\top v", r"x^{\mathsf{T}} v"),
    (r"x^\top v", r"{x}^{\intercal} v"),
    (r"x^\top v", r"x^t v"),
    (r"x^\top v", "x' v"),
    (r"x^\top v", r"x^{\prime} v"),
    (r"x^\top v", "xᵀ v"),
    (r"W^\top \delta", r"{\mathbf{W}}^{\rm T}\boldsymbol{\delta}"),
    (r"(A^{-1})^\top", r"A^{-\top}"),
    (r"(W^\top)_{1c}", r"W^\top_{1c}"),  # the transpose first, then its entry
    # what only changes the look
    (r"W x", r"\boldsymbol{W}\,\mathbf{x}"),
    (r"W x", r"\displaystyle \left. W x \right."),
    (r"W x", r"\color{red} W \textcolor{blue}{x}"),
    (r"W x + b", r"\boxed{W x + b}"),
    (r"W x + b", r"\underbrace{W x}_{\text{linear}} + b"),
    (r"W x + b", r"\Big[ W x + b \Big]"),
    (r"W x", r"$W x$"),
    (r"W x", r"W x \tag{3}"),
    (r"2 x", r"2\textcolor{red}{x}"),
    (r"x - v", "x − v"),  # a unicode minus
    (r"\lambda s", "λ s"),
    (r"s^2", "s²"),
    (r"s \cdot s", "s · s"),
    # numbers
    ("0.5 s", r"\frac12 s"),
    (".5 s", r"\tfrac{1}{2} s"),
    ("1 - s", "1.-s"),
    ("s^1 2", "s^12"),  # as LaTeX sets it
    # brackets
    ("2 (x + v)", "2 [x + v]"),
    ("2 (x + v)", r"2 \left\{ x + v \right\}"),
    (r"\sqrt{s}", r"s^{1/2}"),
    (r"\|x\|", r"\left\lVert x \right\rVert"),
    (r"\|x\|", r"||x||"),
    (r"\|x\|_2^2", r"x^\top x"),
    (r"\|A\|_F^2", r"\mathbf{1}^\top (A \odot A) \mathbf{1}"),
    # names and entries
    (r"\hat{y}_c", r"\hat y_c"),
    (r"\hat{y}_c", r"\hat{y_c}"),
    (r"\hat{y}_c", r"\widehat{y}_{c}"),
    (r"W_{c1}", "W_{c,1}"),
    (r"W_{c1}", "w_{c1}"),  # a lower-case entry where no w is declared
    (r"W_{c\cdot}", "W_{c:}"),
    (r"W_{c\cdot}", "W_{c,:}"),
    (r"W_{\cdot 1}", "W_{:1}"),
    (r"(x_1)_2", "X_{12}"),
    (r"x_{1,2}", "X_{12}"),
    (r"\operatorname{softmax}(z)_c", r"(\operatorname{softmax}(z))_c"),
    (r"(W^\top \delta)_1", r"W_{\cdot 1}^\top \delta"),
    ("u_{o}", r"U_{\cdot o}"),
    ("u_{w_2}", r"U_{\cdot w_2}"),
    (r"\hat{y}_{c=c}", r"\hat{y}_c"),  # a remark on an index
    ("m^{(1)}_2", "m_2^{(1)}"),
    (r"(m^{(1)})^\top v", r"m^{(1)\top} v"),
    (r"P(O=o|C=c)", r"\exp(u_o^\top v)"),
    (r"P(O=o \mid C=c)", r"\exp(u_o^\top v)"),
    (r"H[s - 1]", r"\mathbb{1}[s - 1 > 0]"),
    (r"H\big[x_{1,2}\big]", r"1\{X_{12} > 0\}"),
    (r"h_\theta(x)", r"\sigma(v^\top x)"),
    (r"h_\theta(x_1)", r"\sigma(v^\top x_1)"),
    (r"j_n A", r"\mathbf{1}^\top A"),  # a vector of ones of the length that fits
    # functions
    (r"\sigma(s)", r"\frac{1}{1 + e^{-s}}"),
    (r"\exp(s)", "e^{s}"),
    (r"\exp(s)", "exp(s)"),
    (r"\log \hat{y}_c", r"\ln(\hat{y}_c)"),
    (r"\tanh^2(z)", r"(\tanh z)^2"),
    (r"\sigma'(z)", r"\sigma(z) \odot (1 - \sigma(z))"),
    (r"f'(z)", r"f^{\prime}(z)"),
    (r"(f)'(z)", r"f'(z)"),
    (r"\operatorname{softmax}(W x + b)", r"softmax(Wx+b)"),
    (r"\operatorname{diag}(z) \hat{y}", r"\mathrm{diag}(z)\hat{y}"),
    (r"\max(0, z)", r"\operatorname{ReLU}(z)"),
    ("f z", "f(z)"),
    (r"\cosh(s)^{-1}", r"\operatorname{sech}(s)"),
    # elementwise
    (r"x^2", r"x \odot x"),
    (r"x^2", r"x^{\circ 2}"),
    (r"x^2", r"x^{\odot 2}"),
    (r"x \odot v", r"x \circ v"),
    (r"\frac{x}{v}", r"x \oslash v"),
    ("1 - x", r"\mathbf{1} - x"),
    ("A^2", "A A"),  # of a square matrix the matrix product
    (r"G \times X", r"G \odot X"),  # equal shapes with no matrix product
    (r"G * X", r"G \odot X"),
    (r"G \cdot X", r"G \odot X"),
    (r"x \cdot v", r"x^\top v"),
    (r"\delta \otimes x", r"\delta x^\top"),
    (r"W x \odot b", r"(W x) \odot b"),
    # ones and identities
    (r"\mathbf{1}_n^\top A", r"\mathbf{1}^\top A"),
    (r"\mathbf{1_{n \times 1}^{T} A}", r"\mathbf{1}^\top A"),
    (r"A + I", r"A + I_n"),
    # indicators
    (r"\mathbb{1}[s > 0]", r"\mathbf{1}\{s > 0\}"),
    (r"\mathbb{1}[s > 0]", r"1_{s > 0}"),
    (r"\mathbb{1}[s > 0]", r"[s > 0]"),
    (r"\mathbb{1}[s > 0]", r"\mathbb{I}(s > 0)"),
    (r"\mathbb{1}[s > 0]", r"\mathbb{1}_{\{s > 0\}}"),
    (r"\mathbb{1}[c = 1]", "[c = 1]"),
    # sums
    (r"\sum_{i=1}^{n} x_i", r"\sum_i x_i"),
    (r"\sum_{i=1}^{n} x_i", r"\sum\limits_{i=1}^n {x_i}"),
    (r"\sum_{i=1}^{n} x_i", r"\sum_{1 \leq i \leq n} x_i"),
    (r"\sum_{i=1}^{n} x_i", r"\sum_{i \in \text{batch}} x_i"),
    (r"\sum_{k \neq 2} u_k", r"\sum_{k=1, k \neq 2}^{K} u_k"),
    (r"\sum_{k=1, k \neq 2}^{K} u_k", r"\sum_{\substack{k=1 \\ k \neq 2}}^{K} u_k"),
    (r"\sum_{k=1, k \neq 2}^{K} u_k", r"\sum_{k=1 \atop k \neq 2}^{K} u_k"),
    (r"\sum_{i : y_i = 1} \hat{y}_i", r"\sum_i \mathbb{1}[y_i = 1] \hat{y}_i"),
    (r"\sum_{i=1}^{n} G_i", r"\sum_{i=1}^{n} G_{i\cdot}^\top"),  # example i of a batch
    (r"\sum_{k=1}^{V} U_k", r"\sum_{k=1}^{V} U_{\cdot k}"),  # the range says that examples are columns
    (r"\sum_{i < j} A_{ij}", r"\sum_{i=1}^{n} \sum_{j=1}^{n} \mathbb{1}[i < j] A_{ij}"),
    (r"\sum_{i \neq j} A_{ij}", r"\mathbf{1}^\top A \mathbf{1} - \operatorname{tr}(A)"),
    (r"\sum_{1 \leq i < j \leq n} A_{ij}", r"\sum_{i < j} A_{ij}"),
    (r"\sum_{i, j} A_{ij}", r"\mathbf{1}^\top A \mathbf{1}"),
    (r"\sum_{(i, j)} A_{ij}", r"\mathbf{1}^\top A \mathbf{1}"),
    (r"\sum_{(i, j) \in \Omega} A_{ij}", r"\mathbf{1}^\top A \mathbf{1}"),
    (r"\sum_{i=1}^{n} \sum_{j \neq i} A_{ij}", r"\sum_{i \neq j} A_{ij}"),
    (r"\sum_{i=1}^{n} \sum_{j=i+1}^{n} A_{ij}", r"\sum_{i < j} A_{ij}"),
    (r"\sum_{i=1}^{n} \sum_{j=1}^{i} A_{ij}", r"\sum_{j \leq i} A_{ij}"),
    (r"\sum v", r"\mathbf{1}^\top v"),
    (r"\operatorname{Var}(v)", r"\frac{1}{d} \sum_j v_j^2 - (\frac{1}{d} \sum_j v_j)^2"),
    (r"\operatorname{std}(v)", r"\sqrt{\operatorname{Var}(v)}"),
    (r"\log \frac{1}{K} \sum_k e^{u_k^\top v}", r"\log\left(\frac{1}{K} \sum_k e^{u_k^\top v}\right)"),
    # products and extrema over an index
    (r"\prod_{k=1}^{K} e^{u_k^\top v}", r"\exp(\sum_k u_k^\top v)"),
    (r"\prod_{j \neq 2} e^{b_j}", r"\exp(\sum_{j \neq 2} b_j)"),
    (r"\max_k u_k^\top v", r"-\min_k (-u_k^\top v)"),
    (r"\max_{j} b_j", r"\max(b)"),
    (r"\operatorname{max}_j b_j", r"\max(b)"),
    (r"\max(b_1, \max_{j \neq 1} b_j)", r"\max(b)"),
    (r"b \odot \mathbb{1}[b = \max(b)]", r"b \odot \mathbb{1}[b = \max_j b_j]"),
    (r"\sum_j b_j \mathbb{1}[b_j = \min_k b_k]", r"\min(b)"),
    (r"\lVert v \rVert_\infty", r"\max_j |v_j|"),
    (r"\lVert v \rVert_1", r"|v|_1"),
    (r"\lVert v \rVert_3^3", r"\sum_j |v_j|^3"),
    (r"\lVert v \rVert_{X^\top X}^2", r"\lVert X v \rVert_2^2"),
    # functions of several arguments
    (r"\operatorname{clip}(v, -1, 1)", r"\max(-1, \min(v, 1))"),
    (r"[v - 1]_+^2", r"\max(0, v - 1)^2"),
    (r"\lVert [v]_+ \rVert^2", r"\sum_j \max(0, v_j)^2"),
    (r"\sum_k \operatorname{softmax}_k(u_k^\top v) u_k", r"\sum_k \frac{\exp(u_k^\top v)}{\sum_l \exp(u_l^\top v)} u_k"),
    (r"\Phi(v)", r"\frac12 (1 + \operatorname{erf}(v / \sqrt 2))"),
    (r"\operatorname{GELU}(v)", r"v \odot \Phi(v)"),
    (r"\operatorname{SiLU}'(v)", r"\sigma(v) \odot (1 + v \odot (1 - \sigma(v)))"),
    (r"\operatorname{Mish}(v)", r"v \odot \tanh(\log(1 + e^v))"),
    (r"\operatorname{ELU}(s)", r"\begin{cases} s & s > 0 \\ e^s - 1 & s \leq 0 \end{cases}"),
    (r"\langle v, v, p \rangle", r"\sum_j v_j^2 p_j"),
    (r"\langle A, B \rangle_F", r"\operatorname{tr}(A^\top B)"),
    # lists
    (r"[x; v]", r"\begin{pmatrix} x \\ v \end{pmatrix}"),
    (r"[x, v]", r"\begin{pmatrix} x \\ v \end{pmatrix}"),  # columns, as in W [h, x]
    (r"[A, B]", r"\begin{pmatrix} A & B \end{pmatrix}"),
    (r"\operatorname{Concat}(A, B)", r"[A, B]"),
    (r"(v_1, \dots, v_d)^\top", "v"),
    (r"(v_1, \dots, v_d)", "v"),
    (r"\begin{pmatrix} v_1 \\ \vdots \\ v_d \end{pmatrix}", "v"),
    (r"\begin{pmatrix} v_1 \\ v_2 \\ \vdots \\ v_d \end{pmatrix}", "v"),
    (r"\begin{bmatrix} u_1^\top v \\ \vdots \\ u_K^\top v \end{bmatrix}", r"[u_1, \dots, u_K]^\top v"),
    (r"\begin{pmatrix} v_1 & & 0 \\ & \ddots & \\ 0 & & v_d \end{pmatrix}", r"\operatorname{diag}(v)"),
    (r"\begin{pmatrix} v_1 & \cdots & 0 \\ \vdots & \ddots & \vdots \\ 0 & \cdots & v_d \end{pmatrix}",
     r"\operatorname{diag}(v)"),
    (r"\begin{pmatrix} A_{11} & \cdots & A_{1n} \\ \vdots & \ddots & \vdots \\ A_{n1} & \cdots & A_{nn} \end{pmatrix}",
     "A"),
    # unit columns, lookups, transposes in front, points
    ("b[c]", "b_c"),
    (r"{}^t x v", r"x^\top v"),
    (r"x\, {}^t v", r"x v^\top"),
    (r"\left. f'(t) \right|_{t = v}", "f'(v)"),
    (r"\sigma'(t) \Big|_{t = s} v", r"\sigma'(s) v"),
    # cases
    (r"\begin{cases} s & s > 0 \\ 0 & \text{otherwise} \end{cases}",
     r"\left\{ \begin{array}{ll} s & \text{if } s > 0 \\ 0 & \text{else} \end{array} \right."),
    (r"\begin{cases} s & s > 0 \\ 0 & s \leq 0 \end{cases}",
     r"\left[ \begin{array}{ll} s & s > 0, \\[4pt] 0 & s \leq 0 \end{array} \right."),
    # signs of other worlds
    (r"\mathbb{1}[c = 1]", "[c == 1]"),
    (r"\mathbb{1}[c = 1]", r"\llbracket c = 1 \rrbracket"),
    (r"x \odot v", "x .* v"),
    ("W x", "W @ x"),
    ("W x", "W{}x"),
    (r"x^\top v", r"\langle x, v \rangle"),
    (r"x^\top v", r"\left\langle x, v \right\rangle"),
    (r"x \odot v", r"x \mathbin{\odot} v"),
    (r"\sum_{w=1}^{V} u_w", r"\sum_{w=1}^{|\mathcal{D}|} u_w"),  # the size of a set that nothing declares
    # notes of shapes
    ("W x + b", r"W_{C \times d} x_{d \times 1} + b_{C \times 1}"),
    (r"\delta x^\top", r"\delta x^\top \; (C \times d)"),
    ("A + I", r"A + I_{n \times n}"),
    # remarks in brackets
    (r"W x", r"W x \quad (\text{a column vector})"),
    (r"W x", r"W x (when \ c \neq 1)"),
    (r"\delta x^\top", r"\delta x^\top (\text{since } z = W x + b)"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_two_spellings_are_one_expression(problem: Problem, one: str, other: str) -> None:
    assert agree(problem, one, other)


SHAPES = [
    # text, a word of the message, the place
    (r"\delta x", "inner sizes 1 and d", r"\delta x"),
    (r"x v", "an inner product is written with a transpose", "x v"),
    (r"x \times v", "an inner product is written with a transpose", r"x \times v"),  # plain columns stay an error
    (r"W + A", "cannot be added", "W + A"),
    (r"x \odot \delta", "entry by entry", r"x \odot \delta"),
    (r"\frac{x}{\delta}", "divided", r"\frac{x}{\delta}"),
    (r"\sum_{i=1}^{n} \delta_i", "different sizes", r"\delta_i"),
    (r"x_c", "different sizes", "x_c"),
    (r"W_{oc}", "different sizes", "W_{oc}"),
    (r"\sum_i x_i \delta_i", "different sizes", r"\delta_i"),
    (r"\delta_{d \times 1}", "is noted as a column of length d", r"\delta_{d \times 1}"),
]


@pytest.mark.parametrize(("text", "words", "place"), SHAPES, ids=str)
def test_what_does_not_fit_is_an_error_of_shape(problem: Problem, text: str, words: str, place: str) -> None:
    with pytest.raises(AnswerError) as error:
        read(problem, text)
    assert error.value.code == "shape" and words in error.value.message
    start, end = error.value.span or (0, 0)
    assert text[start:end] == place


UNREADABLE = [
    # text, code, a word of the message, the place
    ("W (x + b", "unreadable", "never closed", "("),
    ("W x)", "unreadable", "nothing opens", ")"),
    (r"\frac{W}{", "unreadable", "never closed", "{"),
    ("W +", "unreadable", "missing at the end", ""),
    (r"W \cdot", "unreadable", "missing at the end", ""),
    ("q x", "unknown-symbol", "q is not declared", "q"),
    (r"\delte x^\top", "unknown-symbol", r"did you mean \delta", r"\delte"),
    ("y_{j}", "unknown-symbol", "The index j", "y_{j}"),
    (r"\sum_{j=1}^{Q} y_j", "unknown-symbol", "not a declared size", "Q"),
    ("x^{q}", "unknown-symbol", "q is not declared", "q"),
    (r"f + 1", "unreadable", "without an argument", "f"),
    (r"H x", "unreadable", "without its argument", "H"),
    (r"\sum A", "unreadable", "no index", r"\sum A"),  # over rows, columns or entries?
    (r"\prod_k u_k", "shape", "Products and extrema", r"\prod_k u_k"),
    (r"\sum_{j \neq q} y_j", "unknown-symbol", "The index q", r"\sum_{j \neq q} y_j"),
    (r"\sum_{i \neq k} x_i", "unknown-symbol", "The index k", r"\sum_{i \neq k} x_i"),  # what is summed uses no k
    (r"\begin{pmatrix} v_1 \\ v_3 \\ \vdots \\ v_d \end{pmatrix}", "unreadable", "dots", ""),
    (r"(v_1, \dots, b_C)", "unreadable", "dots", ""),
    (r"\operatorname{clip}(v, 1)", "unreadable", "clip(x, a, b)", "(v, 1)"),
    (r"\left. \hat{y} \right|_{x = v}", "unexpanded", "not expanded", ""),
    (r"\lVert v \rVert_0", "unreadable", "counts entries", ""),
    (r"y_{C+1}", "index", "outside 1..C", ""),
    (r"\tan^{-1}(s)", "unreadable", "two meanings", r"\tan^{-1}"),
    (r"\begin{tikzpicture} x \end{tikzpicture}", "unreadable", "environment tikzpicture", ""),
    (r"\begin{cases} s \\ 0 \end{cases}", "unreadable", "no condition", r"\begin{cases} s \\ 0 \end{cases}"),
    (r"\nabla J", "unreadable", "needs the variable", "J"),
    (r"\overline{x + v}", "unreadable", "not a letter", r"\overline{x + v}"),
    (r"\frac{1}{0} x", "undefined", "divides by zero", r"\frac{1}{0}"),
    ("A^{17}", "unreadable", "whole powers", "A^{17}"),
    ("ж x", "unreadable", "cyrillic", "ж"),
    ("", "empty", "no answer", ""),
    ("x" * 20_001, "too-long", "at most", ""),
    ("(" * 100 + "x" + ")" * 100, "too-long", "nested", ""),
]


@pytest.mark.parametrize(("text", "code", "words", "place"), UNREADABLE, ids=lambda v: str(v)[:30])
def test_what_is_not_read_says_what_and_where(problem: Problem, text: str, code: str, words: str, place: str) -> None:
    with pytest.raises(AnswerError) as error:
        read(problem, text)
    found = error.value
    assert found.code == code and words in found.message
    if place:
        assert found.span is not None
        assert text[found.span[0] : found.span[1]] == place


def test_tokens_keep_their_places() -> None:
    tokens = tokenize(r"\mathbf{W}\, x^\top \text{ for all } k")
    assert [t.text for t in tokens] == ["{", "W", "}", "x", "^", r"\top", "for all", "k"]
    assert [(t.start, t.end) for t in tokens if t.text in ("W", "x")] == [(8, 9), (13, 14)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (r"\frac{\partial J}{\partial W}", Derivative),
        (r"\frac{d}{dx} J", Derivative),
        (r"\nabla_W J", Derivative),
        (r"\partial J / \partial W", Derivative),
        (r"\left\{ \begin{array}{cc} a & b > 0 \\ c & b < 0 \end{array} \right.", Cases),
        (r"\begin{cases} a & b \\ \begin{cases} c & d \\ e & f \end{cases} & g \end{cases}", Cases),
        ("(a, b)", Group),
        (r"\frac{d - 1}{d + 1} x", Product),  # no operator: what follows d is no variable
    ],
)
def test_forms(text: str, kind: type) -> None:
    assert isinstance(parse(text), kind)


def test_a_tree_can_be_walked() -> None:
    found = [part for part in walk(parse(r"a + \frac{b_{c}}{\sqrt{d}}")) if type(part).__name__ == "Name"]
    assert sorted(part.base for part in found) == ["a", "b", "d"]  # type: ignore[attr-defined]


def test_a_rebound_letter_is_another_index(problem: Problem) -> None:
    """The inner sum binds its own k, and an index that a sum rebinds hides the declared one."""
    assert agree(problem, r"\sum_k s u_k \sum_k u_k^\top v", r"\sum_k s u_k \sum_{j=1}^K u_j^\top v")
    assert agree(problem, r"\sum_{o} e_o", r"\sum_{w} e_w")


def test_lenient_readings_are_noted(problem: Problem) -> None:
    reader = problem.reader()
    reader.read(r"G \cdot X")
    assert any("entry by entry" in note for note in reader.notes)


@pytest.mark.parametrize("text", [*string.ascii_letters, *string.digits])
def test_a_script_of_one_letter_needs_no_parser(text: str) -> None:
    """What is read without a parser is what the parser says, with its place; also where the letter is declared."""
    for size in ("n", text):
        reader = Reader(Scope(sizes={size}, words={"word"}, letters={size}))
        parsed = Parser("", as_tokens((text,), (3, 4)), reader.scope.words, reader.scope.letters).whole()
        assert repr(read_texts(reader, (text,), (3, 4))) == repr(parsed)
        assert repr(read_texts(reader, written(as_tokens((text,), (3, 4))), (0, 9))) == repr(parsed)
