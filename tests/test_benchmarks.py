"""The benchmark at its smallest: what it compares is right, and what is missing is said; times are not looked at."""

from __future__ import annotations

import importlib.util

import pytest

from benchmarks import compare, depth, peers
from benchmarks.deriving import report
from benchmarks.losses import LOSSES, Loss


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_the_gradient_is_right_and_in_textbook_form(loss: Loss) -> None:
    found = compare.verdict("derive", loss)
    assert (found["outcome"], found["textbook"]) == ("right", True)


@pytest.mark.parametrize("loss", LOSSES[:2], ids=lambda loss: loss.name)
@pytest.mark.parametrize("engine", ["SymPy, matrices", "SymPy, scalars"])
def test_what_others_can_do_is_granted(engine: str, loss: Loss) -> None:
    assert compare.verdict(engine, loss)["outcome"] == "right"


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not peers.installed("tensorgrad")
    assert compare.verdict("tensorgrad", LOSSES[0]) == {"outcome": "not installed"}


def test_a_report_has_all_tables() -> None:
    one = {
        "depth": {"stages": {str(k): depth.stages(k) for k in (2, 4)}, "scalars": {"1": 0.1}},
        "catalogue": {"calculus": {"problems": 1, "questions": 1, "textbook": 1, "confirmed": 1, "seconds": 0.1}},
        "losses": compare.compared(LOSSES[:1], ("derive",)),
    }
    text = report([one, one])
    assert "| all closed forms |" in text
    assert "| least squares | right, textbook, " in text


@pytest.mark.parametrize(("seconds", "exponent"), [({1: 2.0, 10: 20.0}, 1), ({2: 4.0, 4: 16.0, 8: 64.0}, 2)])
def test_the_exponent_is_that_of_the_power_law(seconds: dict[int, float], exponent: int) -> None:
    assert depth.slope(seconds) == pytest.approx(exponent)
