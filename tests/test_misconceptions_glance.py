"""What repaired formulas are worth at a glance is what they are worth when they are read."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from derive.errors import DeriveError
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.grade import grade
from derive.grading.memory import Memory
from derive.latex import syntax as s
from derive.misconceptions import explain
from derive.misconceptions.diagnose import Wrong
from derive.misconceptions.match import Prints
from derive.misconceptions.names import around, glance
from derive.misconceptions.places import Place, mapped
from derive.misconceptions.registry import records
from derive.misconceptions.repairs import repairs_of
from derive.misconceptions.seen import MisfitError, UnsureError

ANSWERS = [
    *((one.problem, one.wrt, one.answer, one.of) for record in records() for one in record.examples),
    ("softmax-regression", "W", r"\frac{1}{2} (y - \hat{y})^T x + \lVert x \rVert^2 W", ""),  # shapes that do not fit
    ("softmax-regression", "b", r"\mathbf{1}^\top (\hat{y} - y) \mathbf{1}", ""),  # lengths that neighbours fix
    ("softmax-regression", "W_{ij}", r"\sum_k (\hat{y}_k - y_k) x_j", ""),
    ("negative-sampling", "v_c", r"\sigma(-u_o^\top v_c) u_o - \sum_{k=1}^K \sigma'(u_k^\top v_c) u_k", ""),
    ("relu-softmax-network", "W", r"((U^\top \delta_2) \odot \mathbb{1}[h > 0]) x", ""),
]
KNOWN_LIMITS = 0.01  # of what is told at a glance: letters of sums without limits, 0 / 0


def wrong_of(monkeypatch: pytest.MonkeyPatch, problem: str, wrt: str, answer: str, of: str) -> tuple[Asked, Wrong]:
    """What the grader asks about a wrong answer."""
    asked: list[tuple[Asked, Wrong]] = []
    monkeypatch.setattr(explain, "diagnose", lambda *given: asked.append(given))
    grade({"problem": problem, "wrt": wrt, "answer": f"{answer} "} | ({"of": of} if of else {}))
    return asked[-1]


def read(wrong: Wrong, syntax: s.Syntax) -> Node | None:
    try:
        return wrong.read(syntax)
    except DeriveError:
        return None


def compared(asked: Asked, wrong: Wrong) -> Counter[str]:
    """How often a glance at a repaired answer tells what reading it tells."""
    prints, out = Prints(asked), Counter[str]()
    view = glance(asked, wrong.syntax, wrong.reader, prints.world, Memory(100))
    dims = None if wrong.node is None else wrong.node.dims
    for repair in repairs_of(around(asked, wrong.syntax, lambda part: read(wrong, part), view, dims, True)):
        node = read(wrong, repair.syntax())
        mark = None if node is None else prints.of(node)
        try:
            seen = view.whole(repair.place, repair.new)
        except UnsureError:
            out["unsure"] += 1
            continue
        except MisfitError:
            out["same" if mark is None else "misfit"] += 1
            continue
        found: Any = prints.of_values(seen.value)
        if mark is None or found is None:
            out["same" if found is None or node is None else "value"] += 1
            continue
        close = np.abs(found - mark).max() <= 1e-7 * np.abs(mark).max()
        out["same" if node is not None and node.dims == seen.dims and close else "value"] += 1
    return out


def test_a_glance_tells_what_reading_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    total = Counter[str]()
    with np.errstate(all="ignore"):
        for answer in ANSWERS:
            total += compared(*wrong_of(monkeypatch, *answer))
    assert total["misfit"] + total["value"] <= KNOWN_LIMITS * total["same"], total
    assert total["unsure"] < 0.2 * total["same"], total


def test_what_does_not_change_keeps_its_identity() -> None:
    x, y, plus = s.Name((0, 1), "x"), s.Name((2, 3), "y"), (1, 1)
    whole = s.Sum((0, 3), ((plus[0], x), (plus[1], s.Group((2, 3), "(", (), (y,)))))
    places = list(Place(whole).within())
    assert [place.part for place in places] == [whole, x, whole.terms[1][1], y]
    changed = places[3].put(s.Name((2, 3), "z"))
    assert isinstance(changed, s.Sum) and changed.terms[0][1] is x
    assert changed == mapped(whole, lambda part: s.Name(part.span, "z") if part is y else part)
    assert mapped(whole, lambda part: part) is whole
    assert places[3].put(y, places[2]) == places[2].part
