"""A second opinion: on scalar formulas our reader and latex2sympy2 must agree; and constructs only it reads."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from derive.grading.grade import grade
from derive.problem.builder import problem_from

pytestmark = pytest.mark.skipif(
    find_spec("latex2sympy2") is None, reason="latex2sympy2 is not installed (it needs Python 3.12 or older)"
)

VALUES = {"x": 0.7, "y": 1.3, "s": 0.4}
# \log is left out: that reader takes it for the logarithm to base 10, we for the natural one.
FORMULAS = [
    "x + y s", "-x^2", "2 x y - s", r"\frac{x}{y}", r"\frac{1}{1 + e^{-x}}", r"\sqrt{x^2 + y^2}", r"e^{x} y",
    r"\ln(x y)", r"\ln(x)", r"\tanh(x)", r"x (1 - x)", r"(x + y)^3", r"\sin(x) \cos(y)", r"\frac{x - y}{x + y}",
    r"\sqrt[3]{x}", r"x^{2} y^{-1}", r"\exp(-x y)", r"x \cdot y", r"x \times y", r"\left(x - \frac{y}{2}\right) s",
    r"\frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}", r"2^{x}", r"\pi x", r"|x - y|", r"x^{y}",
]  # fmt: skip

CHILD = """
import json, sys
from latex2sympy2 import latex2sympy
values = json.loads(sys.argv[1])
out = []
for text in json.loads(sys.stdin.read()):
    e = latex2sympy(text).doit()
    out.append(float(e.subs({s: values[s.name] for s in e.free_symbols if s.name in values}).evalf()))
print(json.dumps(out))
"""


def test_both_readers_agree() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, json.dumps(VALUES)],
        input=json.dumps(FORMULAS), capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    theirs = json.loads(done.stdout)
    ours = [value(text) for text in FORMULAS]
    for text, mine, other in zip(FORMULAS, ours, theirs, strict=True):
        assert mine == pytest.approx(other, rel=1e-12), text


def value(text: str) -> float:
    """A scalar formula at the chosen values, read by our reader."""
    from support import value_of

    from derive.expressions import build as b
    from derive.numerics.fields import Floating
    from derive.sizes import SCALAR

    problem = problem_from({"loss": "x y s", "symbols": dict.fromkeys(VALUES, "scalar")})
    node = b.substitute(
        problem.reader().read(text), {b.symbol(n, SCALAR): b.number(b.Fraction(str(v))) for n, v in VALUES.items()}
    )
    return float(value_of(node, Floating(), points=1, problem=problem)[0, 0, 0])


SQUARE = {"loss": r"J = \frac{1}{2} s^2", "symbols": {"s": "scalar"}}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (r"\int_0^s 1 dt", "correct"),
        (r"\binom{2}{1} \frac{s}{2}", "correct"),
        (r"\int_0^s 2 dt", "incorrect"),
        (r"\int_0^{9^{9^{9}}} 1 dt", "unreadable"),
        (r"\int_0^s W dt", "unreadable"),
    ],
)
def test_constructs_beyond_the_grammar(answer: str, verdict: str) -> None:
    assert grade({"id": 1, "problem": SQUARE, "wrt": "s", "answer": answer}).verdict == verdict


def test_without_the_package_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.reading.scalar_fallback.find_spec", lambda name: None)
    found = grade({"id": 1, "problem": SQUARE, "wrt": "s", "answer": r"\int_0^s 1\, dt"})
    assert (found.verdict, "latex2sympy2" in found.message) == ("unreadable", True)
