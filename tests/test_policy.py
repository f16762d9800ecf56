"""What is read leniently, by policy; what is, is said in the message."""

from __future__ import annotations

from typing import Any

import pytest

from derive.grading.grade import grade

LAYER = {
    "loss": r"s = u^\top h",
    "symbols": {"W": "n x d", "x": "d", "u": "n"},
    "define": {"z": "W x", "h": r"\tanh(z)"},
}
ROWS = {"loss": r"J = u \sigma(z)^\top", "symbols": {"u": "1 x n", "W": "d x n", "x": "1 x d"}, "define": {"z": "x W"}}

TABLE = [
    # problem, wrt, answer, strict, usual, lenient
    (LAYER, "z", r"u (1 - h^2)", "incorrect", "incorrect", "correct"),
    (LAYER, "z", r"u \odot (1 - h^2)", "correct", "correct", "correct"),
    (LAYER, "z", r"u^\top \circ (1 - h^2)", "incorrect", "layout", "layout"),
    (ROWS, "z", r"u \cdot \sigma'(z)", "incorrect", "correct", "correct"),
    (LAYER, "W", r"u (1 - h^2) x^\top", "incorrect", "incorrect", "correct"),
    (LAYER, "W", r"u (1 + h^2) x^\top", "incorrect", "incorrect", "incorrect"),
    (LAYER, "x", r"W^\top u (1 - h^2)", "incorrect", "incorrect", "incorrect"),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "wrt", "answer", "strict", "usual", "lenient"), TABLE)
def test_policies(problem: dict[str, Any], wrt: str, answer: str, strict: str, usual: str, lenient: str) -> None:
    question = {"id": 1, "problem": problem, "wrt": wrt, "answer": answer}
    found = [grade({**question, "policy": p}) for p in ("strict", "usual", "lenient")]
    assert [v.verdict for v in found] == [strict, usual, lenient]
    assert grade(question).verdict == usual, "usual is the default"


def test_a_lenient_reading_is_said() -> None:
    found = grade({"id": 1, "problem": LAYER, "wrt": "z", "answer": r"u (1 - h^2)", "policy": "lenient"})
    assert "side by side are read as an elementwise product" in found.message
    assert found.read_as == r"u \circ \left(1 - h^2\right)"


def test_a_problem_may_set_the_policy() -> None:
    question = {"id": 1, "problem": {**LAYER, "policy": "lenient"}, "wrt": "z", "answer": r"u (1 - h^2)"}
    assert grade(question).verdict == "correct"
    assert grade({**question, "policy": "strict"}).verdict == "incorrect"


@pytest.mark.parametrize("policy", ["generous", 5, None])
def test_an_unknown_policy_is_reported(policy: Any) -> None:
    found = grade({"id": 1, "problem": LAYER, "wrt": "z", "answer": "u", "policy": policy})
    assert (found.verdict, found.code) == ("unreadable", "bad-line")
