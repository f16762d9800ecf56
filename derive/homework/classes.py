"""The report for the class: table, distribution, mistakes, hard questions, and what a person must look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from derive.homework.marks import Graded, Mark
from derive.homework.model import Homework, Question
from derive.homework.page import Bars, Bullets, Grid, Heading, Para, Part
from derive.homework.reports import number, words

BINS, MOST_LISTED = 10, 500
RIGHT = ("correct",)
OPEN = ("undecided", "unreadable")


def class_report(homework: Homework, graded: Sequence[Graded]) -> Iterator[Part]:
    """The parts of the report for the class."""
    yield Heading(1, homework.title)
    if not graded:
        yield Para("Nobody has handed anything in.")
        return
    mean = sum(g.points for g in graded) / len(graded)
    middle = sorted(g.points for g in graded)[len(graded) // 2]
    yield Para(
        f"{len(graded)} students, {number(homework.points)} points; mean {mean:.2f}, median {number(middle)}, "
        f"best {number(max(g.points for g in graded))}."
    )
    yield Heading(2, "Distribution")
    yield Bars(distribution(homework, graded))
    yield Heading(2, "Questions, hardest first")
    yield _questions(homework, graded)
    yield from _mistakes(homework, graded)
    yield from _to_look_at(graded)
    yield Heading(2, "Students")
    yield _students(homework, graded)
    yield from _left_over(graded)


def distribution(homework: Homework, graded: Sequence[Graded]) -> list[tuple[str, int]]:
    """How many students have how many points, in tenths of what there is."""
    counts = [0] * BINS
    for one in graded:
        share = one.points / homework.points if homework.points else 0.0
        counts[min(BINS - 1, int(share * BINS + 1e-9))] += 1
    edges = [homework.points * k / BINS for k in range(BINS + 1)]
    names = [f"{number(a)} to {number(b)}" for a, b in pairwise(edges)]
    return list(zip(names, counts, strict=True))


def marks_of(question: Question, graded: Sequence[Graded]) -> list[Mark]:
    """All marks of a question."""
    return [m for g in graded for m in g.marks if m.question.id == question.id]


def _questions(homework: Homework, graded: Sequence[Graded]) -> Grid:
    rows = []
    for place, question in enumerate(homework.questions):
        marks = marks_of(question, graded)
        found = Counter(str(m.verdict["verdict"]) for m in marks)
        mean = sum(m.credit for m in marks) / len(marks)
        counts = [found["correct"], found["layout"], found["incorrect"], sum(found[v] for v in OPEN), found["missing"]]
        rows.append((mean, place, [question.id, f"{100 * mean:.0f} %", *map(str, counts)]))
    head = ("Question", "Mean", "correct", "layout", "incorrect", "open", "missing")
    return Grid(head, [row for _, _, row in sorted(rows)])


def mistakes(graded: Sequence[Graded]) -> Counter[tuple[str, str]]:
    """How often which code was found in which question, among answers that are not right."""
    marks = (m for g in graded for m in g.marks)
    return Counter(
        (str(m.verdict["code"]), m.question.id) for m in marks if m.verdict["verdict"] not in (*RIGHT, "missing")
    )


def _mistakes(homework: Homework, graded: Sequence[Graded]) -> Iterator[Part]:
    found = mistakes(graded)
    total = Counter[str]()
    for (code, _), count in found.items():
        total[code] += count
    yield Heading(2, "Mistakes")
    if not total:
        yield Para("There are none.")
        return
    ordered = sorted(total, key=lambda code: (-total[code], code))
    yield Bars([(code, total[code]) for code in ordered])
    rows = [[code, *(str(found[code, q.id] or "") for q in homework.questions), str(total[code])] for code in ordered]
    yield Grid(("Code", *(q.id for q in homework.questions), "all"), rows)
    explained = dict(_explanations(graded))
    if explained:
        yield Bullets([f"{code}: {explained[code]}" for code in ordered if code in explained])


def _explanations(graded: Sequence[Graded]) -> Iterator[tuple[str, str]]:
    """What a code means, for the teacher, where the verdicts tell it."""
    for mark in (m for g in graded for m in g.marks):
        found = (mark.verdict.get("evidence") or {}).get("diagnosis")
        if isinstance(found, Mapping) and found.get("explanation"):
            yield str(mark.verdict["code"]), str(found["explanation"])


def _to_look_at(graded: Sequence[Graded]) -> Iterator[Part]:
    """What neither was shown right nor shown wrong."""
    rows = [
        (g.student, m.question.id, str(m.verdict["verdict"]), str(m.verdict["message"])[:200])
        for g in graded
        for m in g.marks
        if m.verdict["verdict"] in OPEN
    ]
    if rows:
        yield Heading(2, "A person must look")
        yield Grid(("Student", "Question", "Verdict", "Why"), rows[:MOST_LISTED], 4)
        if len(rows) > MOST_LISTED:
            yield Para(f"… and {len(rows) - MOST_LISTED} more; grades.csv has all.")


def _students(homework: Homework, graded: Sequence[Graded]) -> Grid:
    head = (
        "Student",
        *(f"{q.id} ({number(q.points)})" for q in homework.questions),
        f"all ({number(homework.points)})",
    )
    rows = [[g.student, *(f"{words(m)[0]} {number(m.points)}" for m in g.marks), number(g.points)] for g in graded]
    return Grid(head, rows)


def _left_over(graded: Sequence[Graded]) -> Iterator[Part]:
    left = [
        f"{g.student}: {place}" + (f": {' '.join(text.split())[:160]}" if text else "")
        for g in graded
        for place, text in g.unassigned
    ]
    if left:
        yield Heading(2, "What belongs to no question")
        yield Bullets(left[:MOST_LISTED])
        if len(left) > MOST_LISTED:
            yield Para(f"… and {len(left) - MOST_LISTED} more; the students' reports have all.")
    notes = [f"{g.student}: {note}" for g in graded for note in g.notes]
    if notes:
        yield Heading(2, "Remarks")
        yield Bullets(notes[:MOST_LISTED])
        if len(notes) > MOST_LISTED:
            yield Para(f"… and {len(notes) - MOST_LISTED} more; the students' reports have all.")
