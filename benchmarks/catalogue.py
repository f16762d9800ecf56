"""The whole catalogue: every question derived, compared with its textbook answer and confirmed."""

from __future__ import annotations

import time
from typing import Any

from derive.gradient.derivation import derivation
from derive.problem.files import catalogue
from derive.problem.load import load


def measured() -> dict[str, dict[str, Any]]:
    """Numbers of questions and seconds by topic."""
    out: dict[str, dict[str, Any]] = {}
    for name, path in sorted(catalogue().items()):
        row = out.setdefault(path.parent.name, {"problems": 0, "questions": 0, "textbook": 0, "confirmed": 0})
        started = time.perf_counter()
        problem = load(name)
        found = derivation(problem).gradients
        row["seconds"] = row.get("seconds", 0.0) + time.perf_counter() - started
        answers = {(q.wrt, q.of, q.layout): q.answer for q in problem.questions}
        row["problems"] += 1
        row["questions"] += len(found)
        row["textbook"] += sum(answers.get((g.wrt, g.of, g.layout)) == g.latex for g in found)
        row["confirmed"] += sum(g.confirmed for g in found)
    return out
