"""Results for autograders: Gradescope's and PrairieLearn's `results.json`, as their documentation gives the fields.

Sources: gradescope-autograders.readthedocs.io, "Autograder specifications"; docs.prairielearn.com, "External grading".
"""

from __future__ import annotations

import json
from typing import Any

from derive.homework.marks import Graded, Mark
from derive.homework.model import Homework
from derive.homework.page import markdown
from derive.homework.reports import number, student_report, words

MOST_BYTES = 900_000  # PrairieLearn reads at most 1 MB
UNREAD = ("unreadable", "missing")


def gradescope(homework: Homework, graded: Graded) -> dict[str, Any]:
    """The object of Gradescope's `results.json`."""
    tests = [
        {
            "name": _name(mark),
            "name_format": "text",
            "number": str(k),
            "score": mark.points,
            "max_score": mark.question.points,
            "status": "passed" if mark.credit == 1 else "failed",
            "output": _output(mark),
            "output_format": "text",
            "tags": [mark.code],
            "visibility": "visible",
            "extra_data": {"verdict": mark.verdict["verdict"], "code": mark.code},
        }
        for k, mark in enumerate(graded.marks, 1)
    ]
    return {
        "score": graded.points,
        "output": markdown(student_report(homework, graded))[:MOST_BYTES],
        "output_format": "md",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"student": graded.student},
        "tests": tests,
    }


def prairielearn(homework: Homework, graded: Graded) -> dict[str, Any]:
    """The object of PrairieLearn's `results.json`.

    Where nothing could be read, the submission is not gradable, so that no attempt is lost.
    """
    share = graded.points / homework.points if homework.points else 0.0
    gradable = any(m.verdict["verdict"] not in UNREAD for m in graded.marks)
    errors = [f"{m.question.id}: {m.verdict['message']}" for m in graded.marks if m.verdict["verdict"] == "unreadable"]
    tests = [
        {
            "name": _name(mark),
            "description": f"{number(mark.question.points)} points",
            "points": mark.points,
            "max_points": mark.question.points,
            "message": words(mark)[1],
            "output": _output(mark),
        }
        for mark in graded.marks
    ]
    found: dict[str, Any] = {"gradable": gradable, "score": round(min(1.0, share), 6), "tests": tests}
    found["message"] = f"{number(graded.points)} of {number(homework.points)} points"
    found["output"] = "\n".join(graded.notes)
    if not gradable:
        found["format_errors"] = errors or ["There is no answer that could be read."]
    return _small_enough(found)


def _small_enough(found: dict[str, Any]) -> dict[str, Any]:
    """Cut the longest texts until the whole fits."""
    most = 20_000
    while len(json.dumps(found, ensure_ascii=False).encode()) > MOST_BYTES and most > 100:
        most //= 2
        found["output"] = found["output"][:most]
        for test in found["tests"]:
            test["output"] = test["output"][:most]
    return found


def _name(mark: Mark) -> str:
    title = mark.question.title
    return mark.question.id if title == mark.question.id else f"{mark.question.id} {title}"


def _output(mark: Mark) -> str:
    lines = [f"{words(mark)[0]} {words(mark)[1]} ({mark.code})", str(mark.verdict["message"]), mark.remark]
    if mark.verdict["read_as"]:
        lines.append(f"read as: {mark.verdict['read_as']}")
    return "\n".join(line for line in lines if line)
