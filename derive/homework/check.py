"""The key checked before anybody is graded by it.

Every answer is derived and confirmed; what the author typed must be equal to it; wrong keys made of it must be refused;
the author's own test answers must get the verdicts that stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from derive.errors import DeriveError
from derive.expressions.node import Node
from derive.gradient.derivation import derivation
from derive.grading import grade
from derive.grading.asked import Asked
from derive.grading.asking import ask
from derive.grading.reference import reference
from derive.homework.carried import carried_form
from derive.homework.model import Homework, Question, Variant
from derive.homework.mutants import mutants
from derive.printing.latex import latex
from derive.problem.builder import problem_from
from derive.problem.problem import Problem

CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: whether it is as it should be, what it is, and what was found."""

    good: bool
    what: str
    found: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One variant of a question: its derived answer and all that was looked at."""

    question: Question
    variant: Variant
    number: int
    answer: str
    lines: tuple[Line, ...]

    @property
    def good(self) -> bool:
        """Whether everything is as it should be."""
        return all(line.good for line in self.lines)


def check(homework: Homework) -> Iterator[Checked]:
    """Every variant of every question, one after the other."""
    by_id = {question.id: question for question in homework.questions}
    for question in homework.questions:
        for number, variant in enumerate(question.variants):
            earlier = by_id[question.after].variants[0] if question.after else None
            yield _checked(question, number, variant, earlier)


def _checked(question: Question, number: int, variant: Variant, earlier: Variant | None) -> Checked:
    problem = problem_from(variant.data)
    answer = ""
    try:
        found = derivation(problem, variant.wrt, variant.of or None, variant.layout or None).gradients[0]
        answer = found.latex
        lines = [_confirmed(found.confirmed, found.exact, found.numeric_error)]
        asked = ask(problem, variant.wrt, variant.of, variant.layout or None)
        lines += [_typed(variant, answer), *_refused(variant, asked)]
        if earlier is not None:
            lines.append(_carried(problem, asked, earlier))
    except DeriveError as error:
        lines = [Line(False, "derived", str(error))]
    lines += [_case(question, variant, k) for k in range(len(question.cases))]
    return Checked(question, variant, number, answer, tuple(lines))


def _confirmed(confirmed: bool, exact: str, error: float) -> Line:
    if confirmed:
        return Line(True, "derived", f"confirmed {exact} and by central differences (error {error:.0e})")
    return Line(False, "derived", "not confirmed by both checks, so not to be trusted")


def _typed(variant: Variant, answer: str) -> Line:
    if not variant.key:
        return Line(True, "key", "none is typed; the derived one is used")
    if variant.key == answer:
        return Line(True, "key", "as derived")
    found = grade.grade(variant.asked(variant.key))
    good = found.verdict == "correct"
    return Line(good, f"key {variant.key}", "equal to the derived one" if good else f"{found.verdict}: {found.message}")


# -------------------------------------------------------------------------------------------- wrong keys


def _refused(variant: Variant, asked: Asked) -> Iterator[Line]:
    """Each wrong key with its verdict; one that is equal to the key after all is no wrong key."""
    key = asked.closed()
    if key is None:
        yield Line(False, "wrong keys", "there is no closed form of which any could be made")
        return
    for name, mutant in mutants(key):
        text = latex(mutant)
        found = grade.grade(variant.asked(text))
        allowed = ("layout", "incorrect", "unreadable") if name == "transposed" else ("incorrect", "unreadable")
        if found.verdict in allowed or (found.verdict == "layout" and _equal(asked, mutant, True)):
            yield Line(True, name, f"refused ({found.code})")
        elif found.verdict == "correct" and _equal(asked, mutant, text == "0"):  # 0 is the zero of the shape asked for
            yield Line(True, name, "equal to the key here")
        else:
            yield Line(False, name, f"{found.verdict}: {text}")


def _equal(asked: Asked, mutant: Node, turned: bool) -> bool:
    """Whether a mutant (turned) has the derivative's values at all sample points, by plain evaluation."""
    ref = reference(asked)
    for (field, drawn), true in zip(ref.worlds("floating"), ref.values("floating"), strict=True):
        given = ref.answers(mutant, field, drawn)
        given = np.swapaxes(given, -1, -2) if turned else given
        if given.shape[-2:] != true.shape[-2:]:
            return False
        there = np.isfinite(given) & np.isfinite(true)
        if np.any(there & (np.abs(given - true) > CLOSE * np.maximum(1.0, np.abs(true)))):
            return False
    return True


# ------------------------------------------------------------------------------------------ what else there is


def _carried(problem: Problem, then: Asked, earlier: Variant) -> Line:
    """Whether an error in the earlier question can be carried into this one at all."""
    first = ask(problem, earlier.wrt, "", earlier.layout or None)
    what = f"after the gradient with respect to {earlier.wrt}"
    if carried_form(first, then) is None:
        return Line(False, what, "the answer does not go through it, so no error can be carried forward")
    return Line(True, what, "errors are carried forward")


def _case(question: Question, variant: Variant, number: int) -> Line:
    case = question.cases[number]
    found = grade.grade(variant.asked(case.answer))
    good = found.verdict == case.verdict and case.code in ("", found.code)
    wanted = case.verdict + (f" ({case.code})" if case.code else "")
    got = found.verdict + (f" ({found.code})" if found.code != found.verdict else "")
    return Line(good, f"test {case.answer}", got if good else f"{got}, not {wanted}: {found.message}")
