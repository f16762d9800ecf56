"""Answers as people write them: clutter, words, left-hand sides, chains, names explained on the spot; and hostile input.

The formulas are made for these tests; the files of other people's answers are only read, where they are there.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from derive.grading.grade import grade
from derive.grading.verdict import Verdict

SOFTMAX: dict[str, Any] = {
    "loss": r"J = -y^\top \log \hat{y}",
    "symbols": {"W": "C x d", "x": "d", "b": "C", "y": "C, one-hot"},
    "define": {"z": "W x + b", r"\hat{y}": r"\operatorname{softmax}(z)"},
    "names": {r"\delta": r"\hat{y} - y"},
}
PLAIN = {key: value for key, value in SOFTMAX.items() if key != "names"}
WORDS: dict[str, Any] = {
    "loss": r"J = -\log \hat{y}_o",
    "symbols": {"U": "d x V", "v_c": "d", "o": "index 1..V", "u_w": "column w of U", "y": "V, one-hot at o"},
    "define": {r"\hat{y}": r"\operatorname{softmax}(U^\top v_c)"},
    "names": {"P(O=w|C=c)": r"\hat{y}_w"},
}
SAMPLES: dict[str, Any] = {
    "loss": r"J = -\log \sigma(u_o^\top v_c) - \sum_{k=1}^{K} \log \sigma(-u_k^\top v_c)",
    "symbols": {"u_o": "d", "v_c": "d", "u_k": "d, k = 1..K"},
}
NETWORK: dict[str, Any] = {
    "loss": r"J = \frac{1}{2} \|\hat{y} - y\|^2",
    "symbols": {
        "W_1": "H x D", "b_1": "H", "W_2": "C x H", "b_2": "C", "x": "D", "y": "C", "f": "elementwise function",
    },
    "define": {"z_1": "W_1 x + b_1", "h": "f(z_1)", r"\hat{y}": "W_2 h + b_2"},
    "names": {r"\delta_2": r"\hat{y} - y"},
}  # fmt: skip
BATCH: dict[str, Any] = {
    "loss": r"J = -\sum_{i=1}^{N} \sum_{k=1}^{C} Y_{ik} \log \hat{Y}_{ik}",
    "symbols": {"X": "N x D", "W": "D x C", "b": "1 x C", "Y": "N x C, one-hot rows"},
    "define": {"Z": "X W + b", r"\hat{Y}": r"\operatorname{softmax}(Z)"},
}
PROBLEMS = {"softmax": SOFTMAX, "plain": PLAIN, "words": WORDS, "samples": SAMPLES, "network": NETWORK, "batch": BATCH}
Row = tuple[str, str, str]


def graded(row: Row, **more: Any) -> Verdict:
    name, wrt, answer = row
    return grade({"problem": PROBLEMS[name], "wrt": wrt, "answer": answer, **more})


RIGHT: list[Row] = [
    # clutter
    ("softmax", "W", r"$$\boxed{\frac{\partial J}{\partial W} = \delta\, x^{\mathsf{T}}.}$$"),
    ("softmax", "W", r"\boxed{\left(\hat{y} - y\right) x^\top,}"),
    ("softmax", "W", r"\large \color{blue}{\delta x^T} \tag{1}"),
    (
        "softmax",
        "W",
        r"\begin{align*} \nabla_W J &= (\hat{y} - y) x^\top \\[4pt] &= \boxed{\delta x^\top} \end{align*}",
    ),
    ("softmax", "x", r"\textcolor{red}{W^\top} (\hat{\mathbf y} - \mathbf y)"),
    ("softmax", "W", r"\begin{array}{rcl} \nabla_W J & = & (\hat{y} - y) x^\top \\ & = & \delta x^\top \end{array}"),
    ("softmax", "W", r"\nabla_W J \overset{(a)}{=} (\hat{y} - y) x^\top \stackrel{(b)}{=} \delta x^\top"),
    ("softmax", "W", r"\nabla_W J \mathrel{:=} \delta x^\top \blacksquare"),
    ("softmax", "z", r"\hat{y} - y \quad (C \times 1)"),
    ("softmax", "z", r"\underbrace{\hat{y} - y}_{C \times 1}"),
    ("softmax", "W", r"The gradient is $\delta x^\top$."),
    # words
    ("softmax", "W", r"\text{Answer: } \delta x^\top"),
    ("softmax", "W", r"\text{The gradient is } \delta x^\top \text{, as shown in class.}"),
    ("softmax", "W", r"\therefore \nabla_W J = \delta x^\top"),
    ("softmax", "W", r"\nabla_W J \text{ is } \delta x^\top"),
    ("softmax", "W", r"\delta x^\top \quad (\text{an outer product})"),
    ("softmax", "W", r"\delta x^\top, \quad \text{where } \hat{y} \text{ is the prediction}"),
    ("samples", "u_k", r"\sigma(u_k^\top v_c) v_c, \quad k = 1, \dots, K"),
    ("samples", "u_k", r"\sigma(u_k^\top v_c) v_c \quad \forall k \in \{1, \ldots, K\}"),
    ("samples", "u_k", r"-(\sigma(-u_k^\top v_c) - 1) v_c \text{ for all } k"),
    ("words", "v_c", r"U (\hat{y} - y) \in \mathbb{R}^d"),
    # left-hand sides
    ("softmax", "W", r"dW = \delta x^\top"),  # d is a size as well
    ("softmax", "W", r"dJ/dW = \delta x^\top"),
    ("softmax", "W", r"\frac{dJ}{dW} = \delta x^\top"),
    ("softmax", "W", r"\nabla_W J(W, b) = \delta x^\top"),
    (
        "softmax",
        "W",
        r"\frac{\partial J}{\partial W} = \frac{\partial J}{\partial z} \frac{\partial z}{\partial W} = \delta x^\top",
    ),
    ("softmax", "z", r"\delta_z = \hat{y} - y"),
    ("softmax", "W", r"\mathrm{grad}_W J = \delta x^\top"),
    # names that the answer explains
    ("plain", "W", r"\delta x^\top \text{ where } \delta = \hat{y} - y"),
    ("plain", "W", r"\delta x^\top, \ \delta = \hat{y} - y"),
    ("plain", "W", r"\begin{aligned} \delta &= \hat{y} - y \\ \nabla_W J &= \delta x^\top \end{aligned}"),
    ("plain", "W", r"\nabla_W J = \delta x^\top \text{ with } \delta = \frac{\partial J}{\partial z} = \hat{y} - y"),
    ("plain", "W", r"\text{Let } e = \hat{y} - y. \text{ Then } \nabla_W J = e x^\top."),  # e, unless it is explained
    ("plain", "W", r"\text{Setting } g := \hat{y} - y: \; \nabla_W J = g x^\top"),
    ("plain", "W", r"\delta x^\top \; (\text{where } \delta = \hat{y} - y)"),
    ("softmax", "W", r"\nabla_W J = \hat{y} x^\top - y x^\top \text{, hence } \nabla_W J = \delta x^\top"),
    ("softmax", "W", r"\nabla_W J = (\hat{y} - y) x^\top \text{ (chain rule) } = \delta x^\top"),
    ("plain", "W_{ij}", r"\delta_i x_j \text{ with } \delta_i = \hat{y}_i - y_i"),
    ("network", "W_1", r"\delta_1 x^\top, \quad \delta_1 = f'(z_1) \odot (W_2^\top \delta_2)"),
    (
        "plain",
        "W",
        r"\nabla_b J = \hat{y} - y, \quad \nabla_W J = (\hat{y} - y) x^\top",
    ),  # the one that is asked counts
    # cases, also in words
    ("words", "u_w", r"\begin{cases} (\hat{y}_o - 1) v_c & w = o \\ \hat{y}_w v_c & \text{otherwise} \end{cases}"),
    (
        "words",
        "u_w",
        r"\left[ \begin{array}{ll} (\hat{y}_w - 1) v_c & w = o \\ \hat{y}_w v_c & w \neq o \end{array} \right.",
    ),
    ("words", "u_w", r"(\hat{y}_w - 1) v_c \text{ if } w = o, \ \hat{y}_w v_c \text{ otherwise}"),
    ("words", "u_w", r"(\hat{y}_w - 1) v_c \text{ if } w = o \text{ else } \hat{y}_w v_c"),
    ("words", "u_o", r"(\hat{y}_{w=o} - 1) v_c"),
    # words of the field
    ("words", "v_c", r"-u_o + \sum_{x=1}^{V} P(O=x|C=c) u_x"),
    ("words", "v_c", r"-u_o + \frac{\sum_w \exp(u_w^\top v_c) u_w}{\sum_w \exp(u_w^\top v_c)}"),
    (
        "samples",
        "v_c",
        r"-\left[1 - \sigma\left(u_o^T v_c\right)\right] u_o + \sum_k \left[1 - \sigma(-u_k^T v_c)\right] u_k",
    ),
    ("network", "W_1", r"\operatorname{diag}(f'(z_1)) W_2^\top \delta_2 x^\top"),
    ("network", "W_1", r"f'(z_1) \odot W_2^\top \delta_2 x^\top"),  # the only grouping that fits
    ("network", "b_1", r"W_2^\top \delta_2 * f'(z_1)"),
    ("batch", "b", r"\sum_{i=1}^{N} (\hat{Y}_{i,:} - Y_{i,:})"),
    ("batch", "b", r"\mathbf{1}^\top (\hat{Y} - Y)"),
    ("batch", "W", r"\sum_i X_{i:}^\top (\hat{Y}_{i:} - Y_{i:})"),
    ("plain", "b", r"softmax(Wx + b) - y"),
    ("plain", "x", r"W'(\hat{y} - y)"),
    ("plain", "W", r"(\hat{y} - y) \otimes x"),
]


@pytest.mark.parametrize("row", RIGHT, ids=str)
def test_right_answers_are_read(row: Row) -> None:
    found = graded(row)
    assert found.verdict == "correct", found.message


OTHERS: list[tuple[Row, str, str]] = [
    # answer, verdict, code
    (("softmax", "W", r"x \delta^\top"), "layout", "layout"),
    (("softmax", "W", r"\frac{1}{2} \mathbf{1} \delta^\top"), "incorrect", "shape"),
    (("softmax", "W", r"-\delta x^\top"), "incorrect", "sign"),
    (("softmax", "W", r"2 \delta x^\top"), "incorrect", "factor"),
    (("softmax", "W", r"\delta x"), "incorrect", "shape"),
    (("softmax", "W_{ij}", r"\delta_j x_i"), "incorrect", "shape"),  # the index of a row where one of a column belongs
    (("softmax", "W", "0"), "incorrect", "different"),
    (("batch", "b", r"(\hat{Y} - Y)^\top \mathbf{1}"), "layout", "layout"),
    # not understood, each with a reason of its own
    (("softmax", "W", r"\delta x^\top + q"), "unreadable", "unknown-symbol"),
    (("softmax", "W", r"\delta_i x_j"), "unreadable", "unknown-symbol"),  # W is asked for, not an entry
    (("softmax", "W", r"\frac{\partial J}{\partial W}"), "unreadable", "restated"),
    (("softmax", "W", r"\nabla_W J = \text{see above}"), "unreadable", "words"),
    (("softmax", "W", r"\text{I do not know}"), "unreadable", "words"),
    (("softmax", "W", ""), "unreadable", "empty"),
    (("softmax", "W", r"\delta x^\top)"), "unreadable", "unbalanced"),
    (("softmax", "W", r"\delta x^\top \text{ or } -\delta x^\top"), "unreadable", "several-answers"),
    (("softmax", "W", r"\delta x^\top \; (\text{or } -\delta x^\top)"), "unreadable", "several-answers"),
    (("softmax", "W", r"\delta x^\top. \; -\delta x^\top"), "unreadable", "several-answers"),
    (("softmax", "W", r"\delta x^\top \text{ up to the sign}"), "unreadable", "unreadable"),
    (("softmax", "W", r"\delta x^\top \; (\text{where } \delta = y - \hat{y})"), "incorrect", "sign"),
    (("softmax", "W", r"[\delta x^\top, x \delta^\top]"), "unreadable", "unreadable"),
    (("softmax", "W", r"\delta x^\top \neq 0"), "unreadable", "unreadable"),
    (("softmax", "W", r"\delta x^\top \text{ times } 2"), "unreadable", "unreadable"),
]


@pytest.mark.parametrize(("row", "verdict", "code"), OTHERS, ids=str)
def test_every_other_verdict_has_its_code(row: Row, verdict: str, code: str) -> None:
    found = graded(row)
    assert (found.verdict, found.code) == (verdict, code), found.message
    assert found.message.endswith((".", "?"))
    if verdict == "unreadable":
        start, end = found.evidence["span"]
        assert 0 <= start <= end <= len(row[2]) + 1


CHAINS: list[tuple[Row, str, list[str], int | None]] = [
    # answer, verdict, verdicts of the members, the first wrong one
    (("softmax", "W", r"\nabla_W J = (\hat{y} - y) x^\top = \delta x^\top"), "correct", ["correct", "correct"], None),
    (("softmax", "W", r"\nabla_W J = (y - \hat{y}) x^\top = \delta x^\top"), "correct", ["incorrect", "correct"], 0),
    (("softmax", "W", r"\nabla_W J = \delta x^\top = x \delta^\top"), "layout", ["correct", "layout"], None),
    (("softmax", "W", r"\delta x^\top = -\delta x^\top"), "incorrect", ["correct", "incorrect"], 1),
    (
        (
            "softmax",
            "W",
            r"\begin{aligned} \nabla_W J &= \delta \frac{\partial z}{\partial W} \\ &= \delta x^\top \end{aligned}",
        ),
        "correct",
        ["skipped", "correct"],
        None,
    ),
    (
        ("softmax", "W", r"\nabla_W J = \text{(chain rule)} = \delta x^\top = \hat{y} x^\top"),
        "incorrect",
        ["skipped", "correct", "incorrect"],
        2,
    ),
    (
        ("softmax", "z", r"\frac{\partial J}{\partial z} = \frac{\partial J}{\partial z} = \delta"),
        "correct",
        ["correct", "correct"],
        None,
    ),
    (
        ("words", "v_c", r"\sum_{w=1}^{V} \hat{y}_w u_w - u_o = U \hat{y} - u_o"),
        "correct",
        ["correct", "correct"],
        None,
    ),
]


@pytest.mark.parametrize(("row", "verdict", "steps", "first"), CHAINS, ids=str)
def test_chains_are_graded_member_by_member(row: Row, verdict: str, steps: list[str], first: int | None) -> None:
    found = graded(row)
    assert found.verdict == verdict
    assert [step["verdict"] for step in found.steps or ()] == steps
    assert found.first_wrong == first
    if first is not None and verdict == "correct":
        assert 0 < found.score < 1 and f"member {first}" in found.message


def test_an_equality_in_a_subscript_or_in_words_separates_nothing() -> None:
    found = graded(("words", "u_o", r"(\hat{y}_{w=o} - 1) v_c \text{ for } w = o"))
    assert found.verdict == "correct" and found.steps is None


def test_the_numerator_layout_turns_the_verdicts() -> None:
    assert graded(("softmax", "W", r"x \delta^\top"), layout="numerator").verdict == "correct"
    assert graded(("softmax", "W", r"\delta x^\top"), layout="numerator").verdict == "layout"


def test_a_jacobian_is_asked_with_of() -> None:
    row = ("softmax", "z", r"\operatorname{diag}(\hat{y}) - \hat{y} \hat{y}^\top")
    assert graded(row, of=r"\hat{y}").verdict == "correct"
    assert graded(("softmax", "z", r"\hat{y} \odot (1 - \hat{y})"), of=r"\hat{y}").verdict == "incorrect"


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"wrt": "W"},
        {"wrt": 3, "answer": "W"},
        {"problem": SOFTMAX, "wrt": "W", "answer": ["W"]},
        {"problem": SOFTMAX, "wrt": "W", "answer": "W", "layout": "sideways"},
        {"problem": 7, "wrt": "W", "answer": "W"},
        {"problem": "no such problem", "wrt": "W", "answer": "W"},
        {"problem": {"loss": "J = q"}, "wrt": "q", "answer": "1"},
        {"problem": SOFTMAX, "wrt": r"\frac{", "answer": "1"},
        {"problem": SOFTMAX, "wrt": "W + b", "answer": "1"},
    ],
    ids=str,
)
def test_what_is_no_question_is_reported(question: dict[str, Any]) -> None:
    found = grade(question)
    assert found.verdict == "unreadable" and found.code in ("bad-line", "bad-problem") and found.message


HANGING = 30.0  # seconds
HOSTILE = [
    "(" * 5_000,
    "{" * 500 + "x" + "}" * 500,
    r"\frac{1}{" * 300 + "x",
    r"\sqrt" * 2_000,
    "x^" * 3_000 + "2",
    "x_" * 3_000,
    r"\sum_{i=1}^{9999999999} x_i",
    r"\sum_i " * 40 + "x_i",
    "9" * 9_000,
    "10^{10^{10^{10}}}",
    r"(1 + \delta^\top \delta)^{100000}",
    r"\left" * 1_000,
    r"\begin{cases}" * 300,
    r"\begin{aligned}" * 200 + "x" + r"\end{aligned}" * 200,
    "|" * 2_001,
    r"\|" * 999,
    "= " * 1_000,
    "x = " * 400 + "x",
    r"\\" * 3_000,
    "&" * 3_000,
    "a" * 19_000,
    "__import__('os').system('touch CANARY')",
    r"\input{/etc/passwd}",
    r"\def\a{\a\a}\a",
    "\x00\x07",
    "﷽" * 50,
    "\u202e x",
    r"\text{" + "where x = y, " * 300 + "}",
    ", ".join(f"a_{k} = a_{k - 1} + a_{k - 1}" for k in range(2, 60)),
    r"\delta x^\top \text{ where } \delta = \delta + \delta",
    r"a x^\top, a = b b, b = c c, c = e e, e = g g, g = h h, h = j j, j = k k",
    r"\delta x^\top + ((((10^{64})^{64})^{64})^{64})^{64} W",
    r"\nabla_x" * 900,
    r"\sum_i" * 900 + "x_i",
    r"\partial" * 1_500,
    r"\hat" * 1_500 + "y",
    "-" * 3_900 + "x",
    "-(" * 1_500,
    r"x^\top x \cdot" * 700 + "x",
    "x + " * 1_900 + "x",
    r"\operatorname{diag}" * 300 + "(x)",
    r"\det(W W^\top)^{-1} \delta x^\top",
]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda text: text[:20])
def test_hostile_answers_cost_a_bounded_amount(answer: str) -> None:
    start = time.perf_counter()
    found = graded(("softmax", "W", answer))
    assert time.perf_counter() - start < HANGING, "unbounded work, not a matter of speed"
    assert found.verdict in ("unreadable", "undecided", "incorrect") and found.message
    json.dumps(found.as_dict())
