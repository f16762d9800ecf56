"""One job of grading: an answer judged, or a later answer held against an earlier one; plain data in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.grading.grade import grade
from derive.grading.memory import Memory
from derive.homework.carried import follows
from derive.lines import plain
from derive.problem.builder import problem_from
from derive.problem.problem import Problem

Job = Mapping[str, Any]
Found = dict[str, Any]


_PROBLEMS: Memory[Problem] = Memory(64)


def run(job: Job) -> Found:
    """The verdict on a job's question; of a job `carried` whether its answer follows, and why (not)."""
    if job["kind"] == "answer":
        found: Found = plain(grade(job["question"]).as_dict())
        return found
    key = repr(job["problem"])
    problem = _PROBLEMS.get(key)
    if problem is None:
        problem = _PROBLEMS[key] = problem_from(job["problem"])
    holds, why = follows(problem, job["earlier"], job["later"])
    return {"follows": holds, "why": why}
