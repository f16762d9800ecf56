"""The report for a student: every answer with its verdict, the reason, and the smallest example that shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from derive.homework.marks import Graded, Mark
from derive.homework.model import Homework, Variant
from derive.homework.page import Bullets, Formula, Grid, Heading, Para, Part

WORDS = {
    "correct": ("✓", "correct", "good"), "layout": ("⇄", "right in the other layout", "half"),
    "incorrect": ("✗", "not correct", "bad"), "undecided": ("?", "not decided: a person will look", "open"),
    "unreadable": ("!", "could not be read", "open"), "missing": ("–", "no answer", "bad"),
}  # fmt: skip
LONGEST_VALUES = 700


def number(value: float) -> str:
    """A number of points, without digits that say nothing.

    >>> number(2.0), number(0.75), number(1 / 3)
    ('2', '0.75', '0.3333')
    """
    return f"{value:.4f}".rstrip("0").rstrip(".")


def words(mark: Mark) -> tuple[str, str, str]:
    """The sign, the words and the tone for a mark."""
    sign, said, tone = WORDS[str(mark.verdict["verdict"])]
    return ("→", "follows from your earlier answer", "half") if mark.carried else (sign, said, tone)


def asked(variant: Variant) -> str:
    """What a question asks for, in words."""
    of = variant.of or "the loss"
    layout = ", in numerator layout" if variant.layout == "numerator" else ""
    about = f" ({variant.problem})" if variant.problem else ""
    return f"the derivative of {of} with respect to {variant.wrt}{layout}{about}"


def student_report(homework: Homework, graded: Graded) -> Iterator[Part]:
    """The parts of one student's report."""
    yield Heading(1, f"{homework.title} — {graded.student}")
    yield Para(f"{number(graded.points)} of {number(homework.points)}", "Points:")
    rows = [
        (m.question.id, f"{words(m)[0]} {words(m)[1]}", f"{number(m.points)} of {number(m.question.points)}")
        for m in graded.marks
    ]
    yield Grid(("Question", "Result", "Points"), rows, 2)
    for mark in graded.marks:
        yield from _answer(mark)
    if graded.unassigned:
        yield Heading(2, "What belongs to no question")
        yield Para("This was found in what you handed in and was not graded, since it stands under no question:")
        yield Bullets([f"{place}: {_cut(text)}" if text else place for place, text in graded.unassigned])
    if graded.notes:
        yield Heading(2, "Remarks")
        yield Bullets(list(graded.notes))


def _cut(text: str, most: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]} …"


def _answer(mark: Mark) -> Iterator[Part]:
    sign, said, tone = words(mark)
    title = "" if mark.question.title == mark.question.id else f" · {mark.question.title}"
    points = f"{number(mark.points)} of {number(mark.question.points)}"
    yield Heading(2, f"{mark.question.id}{title} — {sign} {said} ({points})", tone)
    yield Para(asked(mark.variant), "Asked:")
    verdict = mark.verdict
    if mark.given is not None:
        yield Formula(f"Your answer ({mark.given.place})", mark.given.text)
    if verdict["read_as"]:
        yield Formula("It was read as", str(verdict["read_as"]), typeset=True)
    yield Para(str(verdict["message"]))
    if mark.remark:
        yield Para(mark.remark)
    evidence = verdict.get("evidence") or {}
    if evidence.get("place"):
        yield Formula("The place", str(evidence["place"]))
    if isinstance(part := evidence.get("wrong_part"), Mapping) and part.get("latex"):
        yield Formula("The part that is wrong", str(part["latex"]), typeset=True)
    if verdict.get("steps"):
        yield from _members(verdict)
    if isinstance(evidence.get("counterexample"), Mapping):
        yield from _example(evidence["counterexample"])


def _members(verdict: Mapping[str, Any]) -> Iterator[Part]:
    rows = [(str(k), _cut(s["text"], 120), s["verdict"]) for k, s in enumerate(verdict["steps"])]
    yield Para("Your answer is a chain; each member claims to be the derivative:")
    yield Grid(("Member", "Formula", "Verdict"), rows, 3)


def _example(example: Mapping[str, Any]) -> Iterator[Part]:
    """The counterexample, so that it can be checked by hand."""
    sizes = {**example.get("sizes", {}), **example.get("indices", {})}
    given = ", ".join(f"{name} = {value}" for name, value in sizes.items())
    values = "; ".join(f"{name} = {json.dumps(value)}" for name, value in example.get("values", {}).items())
    yield Para("You can check it with these numbers:")
    if given or values:
        yield Formula("For", "\n".join(part for part in (given, _cut(values, LONGEST_VALUES)) if part))
    rows = [
        ("your formula gives", _cut(json.dumps(example["answer"]))),
        ("the derivative is", _cut(json.dumps(example["derivative"]))),
    ]
    yield Grid(("", "value"), rows, 2)
