"""Why an answer is wrong: the code, the words for the student and the evidence of a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from derive.grading.asked import Asked
from derive.grading.counterexample import multiple
from derive.grading.reference import reference
from derive.latex import syntax as s
from derive.misconceptions.diagnose import Diagnosis, Wrong, diagnose
from derive.misconceptions.registry import record

CLOSE = 1e-9
UNEXPLAINED = "No known mistake explains it."


@dataclass(frozen=True, slots=True)
class Reason:
    """What a verdict says of a wrong answer."""

    code: str
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)


def differs(asked: Asked, wrong: Wrong, text: str) -> Reason:
    """The reason of an answer that has the right shape and another value."""
    ratio = None if wrong.node is None else multiple(reference(asked), wrong.node)
    if ratio is not None and abs(ratio - 1) < CLOSE:
        return Reason("different", "This is almost the derivative, but not equal to it; see the counterexample.")
    found = _diagnosis(asked, wrong)
    if ratio is not None and abs(ratio + 1) < CLOSE:
        return _reason("sign", "The sign is wrong: this is minus the derivative.", Diagnosis(("sign",)), text)
    number = wrong.node is not None and wrong.node.op == "number"  # any number is a multiple of any other
    if ratio is not None and abs(ratio) > CLOSE and not (number and found is not None):
        message = f"This is {ratio:.6g} times the derivative: a constant factor is wrong."
        return _reason("factor", message, Diagnosis(("factor",), found.span if found else None), text)
    if found is None:
        return Reason("different", f"This differs from the derivative; see the counterexample. {UNEXPLAINED}")
    return _reason(found.codes[0], f"This differs from the derivative. {_hints(found)}", found, text)


def does_not_fit(asked: Asked, wrong: Wrong, text: str, code: str, message: str) -> Reason:
    """The reason of an answer whose shapes fit in no reading: what its shapes are, and the likely mistake."""
    found = _diagnosis(asked, wrong)
    if found is None:
        return Reason(code, message)
    return _reason(code, f"{message} {_hints(found)}", found, text)


def _diagnosis(asked: Asked, wrong: Wrong) -> Diagnosis | None:
    """A diagnosis, unless reading the formula again and again would take long."""
    slow = any(isinstance(part, (s.Derivative, s.External)) for part in s.walk(wrong.syntax))
    return None if slow else diagnose(asked, wrong)


def _hints(found: Diagnosis) -> str:
    hints = [record(code).hint for code in found.codes]
    return hints[0] if len(hints) == 1 else f"Two things are wrong. {hints[0]} {' '.join(hints[1:])}"


def _reason(code: str, message: str, found: Diagnosis, text: str) -> Reason:
    evidence: dict[str, Any] = {"diagnosis": found.as_dict()}
    if found.span is not None and 0 <= found.span[0] < found.span[1] <= len(text):
        start, end = found.span
        evidence["wrong_part"] = {"span": [start, end], "latex": text[start:end]}
        message = f"{message} Look at “{text[start:end].strip()}”."
    return Reason(code, message, evidence)


def explained(asked: Asked, wrong: Wrong, text: str, shape: tuple[str, str] | None = None) -> Reason:
    """Why an answer is wrong; `shape` is the code and the message where its shapes do not fit."""
    return differs(asked, wrong, text) if shape is None else does_not_fit(asked, wrong, text, *shape)
