"""What must never be accepted, though it is nearly right; and what must not be rejected for its unusual spelling.

Each row is a problem, a variable and an answer; the odd rows say why.  `NEVER` may be undecided where a person
could not tell either, but must not be accepted; `WRONG` must be called wrong; `RIGHT` must be called right.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from derive.expressions import build as b
from derive.grading.digits import has_tall_numbers
from derive.grading.grade import grade
from derive.sizes import SCALAR

SOFTMAX = {
    "loss": r"J = -y^\top \log \hat{y}",
    "define": {"z": "W x + b", r"\hat{y}": r"\operatorname{softmax}(z)"},
    "names": {r"\delta": r"\hat{y} - y"},
}
LINEAR = {"W": "C x d", "x": "d", "b": "C"}
PROBLEMS: dict[str, dict[str, Any]] = {
    "square": {
        "loss": r"J = \frac{1}{2} s^2",
        "symbols": {
            "s": "scalar",
            "t": "scalar",
            "k": "scalar, integer",
            "p": "scalar, positive",
            "q": "scalar, unit interval",
        },
    },
    "dot": {"loss": r"J = a^\top x", "symbols": {"a": "d", "x": "d"}},
    "half norm": {"loss": r"J = \frac{1}{2} x^\top x", "symbols": {"x": "d"}},
    "quadratic": {"loss": r"J = \frac{1}{2} x^\top A x", "symbols": {"A": "d x d", "x": "d"}},
    "symmetric": {"loss": r"J = \frac{1}{2} x^\top A x", "symbols": {"A": "d x d, symmetric", "x": "d"}},
    "softmax": {**SOFTMAX, "symbols": {**LINEAR, "y": "C, one-hot"}},
    "softmax, any distribution": {**SOFTMAX, "symbols": {**LINEAR, "y": "C, distribution"}},
    "softmax, any y": {**SOFTMAX, "symbols": {**LINEAR, "y": "C"}},
    "words": {
        "loss": r"J = -\log \hat{y}_o",
        "symbols": {"U": "d x V", "v": "d", "o": "index 1..V", "u_w": "column w of U", "y": "V, one-hot at o"},
        "define": {r"\hat{y}": r"\operatorname{softmax}(U^\top v)"},
    },
    "sampled words": {
        "loss": r"J = -\log \sigma(u_o^\top v) - \sum_{s=1}^{K} \log \sigma(-u_{w_s}^\top v)",
        "symbols": {"U": "d x V", "u_w": "column w of U", "v": "d", "o": "index 1..V", "w_s": "index 1..V, s = 1..K"},
    },
    "relu": {
        "loss": r"J = u^\top h",
        "symbols": {"u": "m", "W": "m x d", "x": "d"},
        "define": {"z": "W x", "h": r"\max(0, z)"},
    },
    "hinge": {
        "loss": r"J = \max(0, 1 - s + s_c)",
        "symbols": {"u": "m", "x": "m", "x_c": "m"},
        "define": {"s": r"u^\top x", "s_c": r"u^\top x_c"},
    },
    "large logits": {
        "loss": r"J = -y^\top \log p",
        "symbols": {"x": "d", "W": "n x d", "b": "n", "V": "C x n", "y": "C, one-hot"},
        "define": {"z": "W x + b", "h": "z^3", "p": r"\operatorname{softmax}(V h)"},
    },
    "huber": {
        "loss": r"J = \sum_{i=1}^{n} \begin{cases} \frac{1}{2} r_i^2 & |r_i| \leq 1 \\ |r_i| - \frac{1}{2} & |r_i| > 1 \end{cases}",
        "symbols": {"X": "n x d", "x_i": "row i of X", "w": "d", "y": "n"},
        "define": {"r": "X w - y"},
    },
    "mean square": {
        "loss": r"J = \frac{1}{N} \sum_{i=1}^{N} (w^\top x_i - y_i)^2",
        "symbols": {"w": "d", "X": "N x d", "x_i": "row i of X", "y": "N"},
    },
    "labels": {
        "loss": r"J = y^\top x",
        "symbols": {"x": "n", "y": "n, binary"},
        "define": {"m": r"\mathbf{1}^\top y"},
    },
    "step": {"loss": r"J = \max(0, s)", "symbols": {"s": "scalar"}},
    "modulus": {"loss": "J = |s|", "symbols": {"s": "scalar"}},
    "logistic": {
        "loss": r"J = -y \log \sigma(w^\top x) - (1 - y) \log(1 - \sigma(w^\top x))",
        "symbols": {"w": "d", "x": "d", "y": "scalar, binary"},
    },
    "square matrix": {"loss": r"J = \frac{1}{2} \|W x\|^2", "symbols": {"W": "n x n", "x": "n"}},
    "pairs": {"loss": r"J = \sum_{i<j} x_i x_j", "symbols": {"x": "n"}},
    "pairs, summed twice": {"loss": r"J = \sum_{i=1}^n \sum_{i<j} x_i x_j", "symbols": {"x": "n"}},
    "repulsion": {"loss": r"J = \sum_{i<j} \frac{1}{(x_i - x_j)^2}", "symbols": {"x": "n"}},
    "product": {"loss": r"J = \prod_i x_i", "symbols": {"x": "n"}},
    "total": {"loss": r"J = \sum_i x_i", "symbols": {"x": "n"}},
    "neighbours": {"loss": r"J = \sum_{t=1}^{T-1} x_t x_{t+1}", "symbols": {"x": "T"}},
    "weighted norm": {"loss": r"J = \|x\|_A^2", "symbols": {"A": "n x n", "x": "n"}},
    "weights": {"loss": r"J = \sum_{t=1}^n t s^{t-1} x_t", "symbols": {"x": "n", "s": "scalar", "t": "scalar"}},
    "rendering": {
        "loss": r"J = \sum_{i=1}^n \prod_{j<i} (1 - x_j) y_i",
        "symbols": {"x": "n", "y": "n"},
    },
    "normalised": {"loss": r"J = y^\top x", "symbols": {"x": "n", "y": "n, distribution"}},
    "tiny": {
        "loss": r"J = \frac{1}{2} z^2",
        "symbols": {"s": "scalar", "t": "scalar"},
        "define": {"e": "10^{-45}", "z": "s + e t"},
        "names": {"r": "s + e t", "q": "s"},
    },
    "roots": {"loss": r"J = g \sqrt{x - 3} \sqrt{x - 5}", "symbols": {"x": "scalar, positive", "g": "scalar"}},
}

Row = tuple[str, str, str]

WRONG: list[Row] = [
    # factors close to 1
    ("square", "s", "1.00005 s"),
    ("square", "s", r"(1 + 10^{-9}) s"),
    ("square", "s", r"s + 10^{-30}"),
    ("square", "s", r"s \cdot 0.99999999999999999999"),
    ("softmax", "W", r"\delta x^\top + 10^{-15} W"),
    ("square", "s", r"\frac{s^2 + 10^{-20}}{s}"),
    # right for some signs only
    ("square", "s", r"\max(0, s)"),
    ("square", "s", r"|s|"),
    ("square", "s", r"\sqrt{s^2}"),
    ("dot", "x", r"|a|"),
    ("dot", "x", r"\sqrt{a \odot a}"),
    ("square", "s", r"s \cdot 1[s < 100]"),
    ("modulus", "s", "1"),
    ("softmax", "W", r"(\min(\hat{y}, 0.999) - y) x^\top"),
    # smooth functions for steps
    ("step", "s", r"\sigma(50 s)"),
    ("step", "s", r"\sigma(10^9 s)"),
    ("modulus", "s", r"\tanh(10^8 s)"),
    ("relu", "W", r"(u \odot \sigma(1000 z)) x^\top"),
    # right for one size only
    ("half norm", "x", "(d - 1) x"),
    ("half norm", "x", r"\frac{d}{2} x"),
    ("half norm", "x", r"\frac{2}{d} x"),
    ("half norm", "x", r"(1 + (d - 2)(d - 3)(d - 4)) x"),
    ("half norm", "x", r"(1 + (d - 2)(d - 3)(d - 4)(d - 5)(d - 6)(d - 7)(d - 8)) x"),
    ("half norm", "x_i", r"x_i + i (i - 1)(i - 2)(i - 3)(i - 4)(i - 5)(i - 6)"),
    ("labels", "x", r"y + \mathbf{1} (m - 1)(m - 2)(m - 3)(m - 4)(m - 5)(m - 6) m"),  # with n small, m is smaller
    ("mean square", "w", r"\frac{2}{d} X^\top (X w - y)"),
    ("mean square", "w", r"X^\top (X w - y)"),
    # right for whole numbers that happen to be drawn only
    ("square", "s", "s + k (k - 1)(k + 1)(k - 2)(k + 2)(k - 3)(k + 3)"),
    ("square", "s", "s + 1[k > 4]"),
    ("square", "s", "s + 1[k = 7]"),
    # right for one-hot targets, though any distribution is allowed; right for distributions, though any y is
    ("softmax, any distribution", "z", r"\hat{y} (y^\top y) - y"),
    ("softmax, any distribution", "z", r"\hat{y} - y \odot y"),
    ("softmax, any y", "z", r"\hat{y} - y"),
    # right when two indices differ, or when they are equal, only
    ("words", "u_w", r"\hat{y}_w v"),
    ("words", "u_w", r"(\hat{y}_w - 1) v"),
    ("sampled words", "u_o", r"(\sigma(u_o^\top v) - 1) v"),
    ("sampled words", "u_{w_s}", r"\sigma(u_{w_s}^\top v) v"),
    ("words", "u_w", r"(\hat{y}_w - y_w + 1[w = o + 1] 1[o = 3]) v"),
    # right for symmetric matrices only
    ("quadratic", "x", "A x"),
    ("quadratic", "x", r"A^\top x"),
    ("square matrix", "W", r"x x^\top W"),
    ("square matrix", "W_{ij}", r"x_i \sum_k W_{jk} x_k"),
    # right for even sizes, up to some size, from some size on
    ("total", "x_k", r"\frac{1 + (-1)^n}{2}"),
    ("total", "x_k", r"\frac{1 + \cos(\pi n)}{2}"),
    ("total", "x_k", r"1 + \sum_{i=1}^{n-9} 1"),
    ("total", "x_k", r"\frac{\min(n, 3)}{3}"),
    # the letter that runs
    ("pairs", "x_k", r"\sum_{k<j} x_j"),
    ("pairs", "x_k", r"\sum_{i \leq k} x_i + \sum_{k<j} x_j"),
    ("repulsion", "x_k", r"-2 \sum_{j<k} \frac{1}{(x_k - x_j)^3}"),
    ("product", "x_k", r"\prod_{i \leq k} x_i \prod_{j>k} x_j"),
    ("product", "x_k", r"\prod_{i<k} x_i \prod_{i<j} x_j"),
    ("neighbours", "x", "(x_{1:T-1}; 0) + (0; x_{2:T})"),
    ("half norm", "x", r"\operatorname{diag}(x_1^2, \ldots, x_d^2) \mathbf{1}"),
    ("pairs", "x_k", r"\sum_{j=1, k<j}^n x_j"),
    ("total", "x_k", r"\mathbf{e}_1"),  # a unit column is not a number, however long it is
    ("total", "x_k", r"1 + \mathbf{e}_{k+1}"),
    ("total", "x_k", r"1 \mathbf{e}_{k+1}^n"),
    ("total", "x_k", r"1 + \sum_{x \leq i} x_i"),  # a condition on a vector
    ("weights", "x_k", "t s^{t-1}"),  # t is bound by the sum, and another t is declared
    # a branch left out
    ("hinge", "u", "x_c - x"),
    ("relu", "W", r"u x^\top"),
    ("huber", "w", r"X^\top r"),
    ("relu", "W", r"(u \odot 1[z < 10^4] \odot 1[z > 0]) x^\top"),
    ("softmax", "W", r"\delta x^\top = 2 \delta x^\top"),
]

NEVER: list[Row] = [
    # what follows the comma is no remark but the rest of something else
    ("half norm", "x", r"x, -1, 1)^{n-1}"),
    ("half norm", "x", "x + x " + "".join(f"(d - {k})" for k in range(2, 30))),
    ("labels", "x", r"y + \mathbf{1} " + "".join(rf"(\sum_i y_i - {k})" for k in range(30))),
    # thin branches
    ("square", "s", "s + 1[0.2 < s] 1[s < 0.2001]"),
    ("square", "s", "s + 1[0.2 < s] 1[s < 0.2001] 1[0.3 < t] 1[t < 0.3001]"),
    ("square", "s", "s + 1[0.2 < s] 1[s < 0.2001] 1[0.3 < t] 1[t < 0.3001] 1[p > 0.4] 1[p < 0.4001]"),
    ("square", "s", r"s + 10^9 \max(0, s - 0.2) \max(0, 0.2001 - s)"),
    ("square", "s", r"s + 1[s t > 0.2] 1[s t < 0.2001]"),
    ("square", "s", r"\begin{cases} s & s > 0.2001 \\ s & s < 0.2 \\ 5 & \text{otherwise} \end{cases}"),
    ("square", "s", r"s + 1[s^2 < 10^{-20}]"),
    ("relu", "W", r"(u \odot 1[z > -10^{-9}]) x^\top"),
    ("relu", "W", r"(u \odot 1[z \odot (z - 0.2) \odot (z - 0.2001) > 0]) x^\top"),
    ("hinge", "u", r"1[s - s_c < 1.0000001] (x_c - x)"),
    ("step", "s", r"1[s > 10^{-15}]"),
    ("softmax", "W", r"(\max(\hat{y}, 10^{-30}) - y) x^\top"),
    # branches that no point reaches
    ("square", "s", r"s \cdot 1[t < 100]"),
    ("square", "s", "s + 1[p > 1000]"),
    ("square", "s", "s + 1[q > 0.999]"),
    ("square", "s", r"s + \max(0, |s| - 10^5)"),
    ("square", "s", r"s + \max(0, p - 100)"),
    ("half norm", "x", "x + 1[d > 50]"),
    ("half norm", "x", "x + x 1[d = 17]"),
    ("dot", "x_i", "a_i + 1[i = 13]"),
    ("dot", "x_i", "a_i + 1[i > 9]"),
    ("logistic", "w", r"(\sigma(w^\top x) - y) x + 1[y = 2] x"),
    # at size 1 only
    ("total", "x_k", r"\frac{\min(n, 2)}{2}"),
    ("total", "x_k", r"1 + \sum_{i=1}^{n-900} 1"),
    ("total", "x_k", r"\max_{1 \leq i \leq n-4} 1"),
    ("total", "x_k", r"\max_{i=1}^{0} x_i"),
    # too small for digits
    ("tiny", "t", "e s"),
    ("tiny", "s", "s"),
    ("tiny", "s", "q"),
    ("square", "s", r"s (1 + 10^{-50})"),
    ("square", "s", r"s (1 + e^{-50} e^{-50})"),
    ("square", "s", r"s \sigma(100)"),
    ("square", "s", r"s \tanh(50)"),
    ("square", "s", r"s \cos(10^{-40})"),
    ("square", "s", r"s^{1 + 10^{-50}}"),
    ("square", "s", r"s + e^{-10^5 s^2 - 1000}"),
    ("modulus", "s", r"\frac{s}{\sqrt{s^2 + 10^{-60}}}"),
    # without a value where the derivative has one, or the other way round
    ("square", "s", r"\sqrt{s} \sqrt{s}"),
    ("square", "s", r"s + 0 \log(-1)"),
    ("square", "s", r"s + \log(s) - \log(s)"),
    ("roots", "g", r"\sqrt{(x - 3)(x - 5)}"),
    # positions that are there for some sizes only
    ("dot", "x_i", r"\sum_{k=1}^{3} 1[k = i] a_k"),
    ("mean square", "w", r"\frac{2}{N} \sum_{i=1}^{2} (w^\top x_i - y_i) x_i"),
    # nothing worked out
    ("softmax", "W", r"\nabla_W J"),
    ("softmax", "W", r"2 \nabla_W J - \nabla_W J"),
    ("softmax", "W", r"\left(\frac{\partial J}{\partial W^\top}\right)^\top"),
    ("softmax", "W", r"\frac{\partial}{\partial W} \left(-y^\top \log \operatorname{softmax}(W x + b)\right)"),
    # two answers for one
    ("softmax", "W", r"\delta x^\top \text{ or } x \delta^\top"),
    ("softmax", "W", r"\delta x^\top, -\delta x^\top"),
    ("softmax", "W", r"\pm \delta x^\top"),
    ("softmax", "W", r"\delta x^\top \text{ times } 2"),
    ("softmax", "W", r"\delta x^\top \text{ transposed}"),
    ("softmax", "W", r"\begin{cases} \delta x^\top \\ -\delta x^\top \end{cases}"),
    # a name explained otherwise than the problem does
    ("softmax", "W", r"\delta x^\top \text{ where } \delta = y - \hat{y}"),
]

RIGHT: list[Row] = [
    ("square", "s", r"\max(0, s) - \max(0, -s)"),
    ("square", "s", "s + 1[s = 0]"),  # equal but for a set of measure zero
    ("square", "s", r"s (-1)^{2 k}"),  # k is whole
    ("square", "s", r"|s| \operatorname{sign}(s)"),
    ("large logits", "h", r"V^\top (p - y)"),  # where p overflows, floating point and 75 digits both miss p - y
    ("dot", "x", r"\frac{d}{d} a"),
    ("dot", "x_i", r"a_i 1[i \geq 1]"),
    ("dot", "x_i", r"\sum_k 1[k = i] a_k"),
    ("symmetric", "x", r"A^\top x"),
    ("quadratic", "x", r"\frac{A + A^\top}{2} x"),
    ("softmax", "z", r"\hat{y} (y^\top y) - y"),  # y is one-hot
    ("softmax", "z", r"\hat{y} - y \odot y"),
    ("softmax, any y", "z", r"(\mathbf{1}^\top y) \hat{y} - y"),
    ("softmax", "W", r"(\max(\hat{y}, 0) - |y|) x^\top"),  # a softmax is positive
    ("softmax", "z", r"\frac{e^{z - z_1}}{\mathbf{1}^\top e^{z - z_1}} - y"),  # softmax does not change with a shift
    ("words", "u_w", r"(\hat{y}_w - \delta_{wo}) v"),
    ("words", "u_w", r"(\hat{y}_w - y_w) v"),
    ("words", "u_o", r"(\hat{y}_o - 1) v"),
    ("sampled words", "u_o", r"(\sigma(u_o^\top v) - 1) v + \sum_{s : w_s = o} \sigma(u_o^\top v) v"),
    (
        "sampled words",
        "u_{w_s}",
        r"\sum_{k : w_k = w_s} \sigma(u_{w_s}^\top v) v + 1[w_s = o] (\sigma(u_o^\top v) - 1) v",
    ),
    ("relu", "W", r"(u \odot 1[z \geq 0]) x^\top"),
    ("relu", "W", r"(u \odot 1[h > 0]) x^\top"),
    ("relu", "W", r"(u \odot 1[h \neq 0]) x^\top"),
    ("relu", "W", r"(u \odot 1[3 z > 0] \odot 1[h > 0]) x^\top"),
    ("relu", "W", r"(u \odot \operatorname{sign}(h)) x^\top"),
    ("relu", "W", r"\left(u \odot \frac{1 + \operatorname{sign}(z)}{2}\right) x^\top"),
    ("relu", "W", r"(u \odot h \oslash z) x^\top"),
    ("relu", "W_{ij}", r"u_i 1\left[\sum_k W_{ik} x_k > 0\right] x_j"),
    ("hinge", "u", "1[J > 0] (x_c - x)"),
    ("hinge", "u", r"1[u^\top (x - x_c) < 1] (x_c - x)"),
    ("hinge", "u", r"\begin{cases} x_c - x & s - s_c < 1 \\ 0 & s - s_c \geq 1 \end{cases}"),
    ("huber", "w", r"\sum_i \max(-1, \min(1, r_i)) x_i"),  # branches of other expressions that meet at the same places
    ("huber", "w", r"X^\top \left(\frac{|r + 1| - |r - 1|}{2}\right)"),
    ("huber", "w", r"\sum_{i : |r_i| \leq 1} r_i x_i + \sum_{i : |r_i| > 1} \operatorname{sign}(r_i) x_i"),
    ("step", "s", r"\frac{s + |s|}{2 s}"),
    ("step", "s", r"\frac{\max(0, s)}{s}"),
    ("modulus", "s", r"\frac{s}{|s|}"),
    ("modulus", "s", r"\frac{s}{\sqrt{s^2}}"),
    ("modulus", "s", r"2 \cdot 1[s > 0] - 1"),
    ("pairs", "x_k", r"\sum_{i<k} x_i + \sum_{k<j} x_j"),  # k is asked for, so it is j that runs
    ("pairs, summed twice", "x_k", r"\sum_{i \neq k} x_i"),
    ("pairs, summed twice", "x_k", r"\sum_{k \neq j} x_j"),
    ("pairs", "x_k", r"\sum_{j=1, k \neq j}^n x_j"),
    ("weights", "x_k", "k s^{k-1}"),
    ("rendering", "y_k", r"\prod_{j<k} (1 - x_j)"),  # what does not use its index stands behind a product sign
    ("neighbours", "x", r"\sum_{t=1}^{T-1} (x_{t+1} \mathbf{e}_t + x_t \mathbf{e}_{t+1})"),
    ("repulsion", "x_k", r"-2 \sum_{j \neq k} \frac{1}{(x_k - x_j)^3}"),  # no value where j is k, which does not count
    ("product", "x_k", r"\prod_{i<k} x_i \prod_{j>k} x_j"),  # a product sign ends before another one
    ("product", "x_k", r"\prod_{i=1}^{k-1} x_i \prod_{i=k+1}^n x_i"),
    ("total", "x_k", r"\prod_{i=1}^{0} x_i"),
    ("total", "x_k", r"\prod_{i=1}^{n-9} 1"),
    ("total", "x_k", r"\cos(2 \pi n)"),
    ("tiny", "s", "r"),
    ("neighbours", "x", "(0; x_{1:T-1}) + (x_{2:T}; 0)"),
    ("weighted norm", "x", r"(A + A^\top) x"),  # which has a value where the norm itself has none
    ("half norm", "x", r"\operatorname{diag}(x_1, \ldots, x_d) \mathbf{1}"),
    ("logistic", "w", r"(\sigma(w^\top x) - y^2) x"),  # y is 0 or 1
    ("logistic", "w", r"(\sigma(w^\top x) - 1[y > 0.5]) x"),
    ("logistic", "w", r"\begin{cases} -\sigma(-w^\top x) x & y = 1 \\ \sigma(w^\top x) x & y = 0 \end{cases}"),
]


def verdict(row: Row) -> tuple[str, str]:
    name, wrt, answer = row
    found = grade({"problem": PROBLEMS[name], "wrt": wrt, "answer": answer})
    return found.verdict, found.message


@pytest.mark.parametrize("row", WRONG, ids=str)
def test_wrong_answers_are_called_wrong(row: Row) -> None:
    assert verdict(row)[0] == "incorrect", verdict(row)


@pytest.mark.parametrize("row", NEVER, ids=str)
def test_near_misses_are_not_accepted(row: Row) -> None:
    assert verdict(row)[0] not in ("correct", "layout"), verdict(row)


@pytest.mark.parametrize("row", RIGHT, ids=str)
def test_right_answers_in_other_words(row: Row) -> None:
    assert verdict(row)[0] == "correct", verdict(row)


def test_a_difference_is_shown_at_a_point() -> None:
    found = grade({"problem": PROBLEMS["dot"], "wrt": "x", "answer": "2 a"})
    shown = found.evidence["counterexample"]
    assert found.code == "factor" and shown["sizes"]["d"] == len(shown["derivative"]) == len(shown["values"]["a"])
    assert shown["answer"] == pytest.approx([2 * v for v in shown["derivative"]], rel=1e-4)


def test_what_leaves_the_real_numbers_everywhere_is_wrong() -> None:
    found = grade({"problem": PROBLEMS["square"], "wrt": "s", "answer": r"s \sqrt{-1}^2"})
    assert (found.verdict, found.code) == ("incorrect", "undefined")


def test_one_entry_with_many_digits_decides_as_all_of_them_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large derivative only an entry that differs is evaluated again: here of every derivative."""
    monkeypatch.setattr("derive.grading.reference.LARGE", 0)
    for name, wrt, answer in WRONG[:24]:
        found = grade(
            {"problem": {**PROBLEMS[name], "title": "each derivative is large"}, "wrt": wrt, "answer": answer}
        )
        assert found.verdict == "incorrect", (name, wrt, answer)


def test_a_verdict_that_is_kept_is_that_of_the_same_question() -> None:
    """A key that is given without a value is a bad line, whatever was asked before."""
    plain = {"problem": PROBLEMS["dot"], "wrt": "x", "answer": "a + 0"}
    for key in ("of", "layout", "policy", "preamble"):
        assert grade(plain).verdict == "correct"
        assert grade({**plain, key: None}).code == "bad-line"
        assert grade(plain).verdict == "correct"


def test_what_an_answer_leaves_in_a_world_does_not_decide_the_next() -> None:
    """Digits that are too few are noticed again where a name's value is known already."""
    found = [grade({"problem": PROBLEMS["tiny"], "wrt": "t", "answer": f"e s + {k} r - {k} r"}) for k in (1, 2, 3)]
    assert {v.verdict for v in found} == {"undecided"}


def test_a_distribution_sums_to_one_in_all_digits() -> None:
    """The entries are drawn in floating point, where their sum misses 1 in the sixteenth digit."""
    found = grade({"problem": PROBLEMS["normalised"], "wrt": "x", "answer": r"\frac{y}{\|y\|_1}"})
    assert found.verdict != "incorrect"


@pytest.mark.parametrize("value", [10**16, -(10**16), Fraction(1, 10**16), Fraction(10**16 + 1, 3)])
def test_tall_numbers_are_noticed(value: Fraction | int) -> None:
    """Whole numbers are kept as ints, others as fractions: both are looked at."""
    x = b.symbol("x", SCALAR)
    assert has_tall_numbers(b.add(x, b.number(value)))
    assert not has_tall_numbers(b.add(x, b.number(10**6)))
