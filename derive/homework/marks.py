"""What an answer is worth: the verdict and the rubric give a share of the points; the same for the same answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derive.homework.document import Given
from derive.homework.model import VERDICTS, Question, Variant

MISSING: Mapping[str, Any] = {
    "verdict": "missing", "code": "missing", "read_as": "", "message": "There is no answer to this question.",
    "evidence": {}, "score": 0.0,
}  # fmt: skip
RIGHT = ("correct", "layout")


@dataclass(frozen=True, slots=True)
class Mark:
    """One student's answer to one question: the verdict on it and what it is worth.

    `carried` is whether an error was carried forward, `remark` what is to be said of that; `credit` is the share of
    the points.
    """

    question: Question
    variant: Variant
    given: Given | None
    verdict: Mapping[str, Any]
    credit: float
    carried: bool = False
    remark: str = ""
    number: int = 0
    key: str = ""

    @property
    def points(self) -> float:
        """The points, to four digits."""
        return round(self.question.points * self.credit, 4)

    @property
    def code(self) -> str:
        """The code of the verdict; `carried` where an error was carried forward."""
        return "carried" if self.carried else str(self.verdict["code"])


@dataclass(frozen=True, slots=True)
class Graded:
    """One student's marks, in the order of the questions, with what was handed in beside the answers."""

    student: str
    marks: tuple[Mark, ...]
    unassigned: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    called: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """All points together."""
        return round(sum(mark.points for mark in self.marks), 4)


def credit(verdict: Mapping[str, Any], shares: Mapping[str, float]) -> float:
    """The share of the points that a rubric gives for a verdict.

    A wrong answer gets what its code is worth, one with several mistakes the product of what they are worth.  A chain
    that is right at its end gets `slip` of that if a member on the way is wrong; one that is wrong at its end at least
    `chain`, times the part of its members that came before the first wrong one.
    """
    name, steps = str(verdict["verdict"]), verdict.get("steps") or ()
    if name == "missing":
        return 0.0
    first = verdict.get("first_wrong")
    share = _near_miss(verdict, shares) if name == "incorrect" else shares[name]
    if name in RIGHT and first is not None and first < len(steps) - 1:
        return share * shares["slip"]
    if name == "incorrect" and first:
        return max(share, shares["chain"] * _right_part(steps, first))
    return share


def _near_miss(verdict: Mapping[str, Any], shares: Mapping[str, float]) -> float:
    """What a wrong answer is worth by its code, and by the codes of further mistakes in it."""
    diagnosis = (verdict.get("evidence") or {}).get("diagnosis") or {}
    share = 1.0
    for code in (str(verdict["code"]), *diagnosis.get("also", ())):
        share *= shares["incorrect"] if code in VERDICTS else shares.get(code, shares["incorrect"])
    return share


def _right_part(steps: Sequence[Mapping[str, Any]], first: int) -> float:
    """Which part of a chain came before its first wrong member.

    Members that say the same count once, and those that only restate the question, or leave derivatives in it,
    do not count.
    """
    worked = [s["read_as"] for s in steps[:first] if s["verdict"] in RIGHT and s["read_as"] and _worked_out(s["text"])]
    wrong = sum(s["verdict"] == "incorrect" for s in steps[first:])
    right = len(dict.fromkeys(worked))
    return right / (right + wrong) if right else 0.0


def _worked_out(text: str) -> bool:
    return r"\partial" not in text and r"\nabla" not in text
