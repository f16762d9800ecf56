"""Tables for spreadsheets and grade books: CSV without formulas; files of Canvas and Moodle, filled.

What a platform exported is kept as it is, row by row; only the columns for the grade and the comment are filled.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from derive.errors import AuthorError
from derive.homework.files import MAX_TABLE, decoded
from derive.homework.marks import Graded
from derive.homework.model import Homework
from derive.homework.reports import number, words

_FORMULA = re.compile(r"^[=+\-@\t\r\n\uFF0B\uFF0D\uFF1D\uFF20]")
_HARMLESS = re.compile(r"-|[-+]?\d+(?:[.,]\d+)?")
CANVAS_ID = ("ID", "SIS User ID", "SIS Login ID", "Integration ID")
MOST_NAMED = 20
MOODLE_NEEDED = ("Identifier", "Grade")


def safe(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula: a quote goes before a sign that begins one.

    >>> safe("=1+1"), safe("-2.5"), safe("-x"), safe("W^T")
    ("'=1+1", '-2.5', "'-x", 'W^T')
    """
    return f"'{cell}" if _FORMULA.match(cell) and not _HARMLESS.fullmatch(cell) else cell


def written(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([safe(str(cell)) for cell in row] for row in rows)
    return out.getvalue()


def grades(homework: Homework, graded: Sequence[Graded]) -> str:
    """One row a student: all points, then the points, verdict and code of each question."""
    head = ["student", "points", "of"]
    for question in homework.questions:
        head += [question.id, f"{question.id} verdict", f"{question.id} code", f"{question.id} answer"]
    rows = [head]
    for one in graded:
        row = [one.student, number(one.points), number(homework.points)]
        for mark in one.marks:
            answer = mark.given.text if mark.given is not None else ""
            row += [number(mark.points), str(mark.verdict["verdict"]), mark.code, answer]
        rows.append(row)
    return written(rows)


# ---------------------------------------------------------------------------------------------- platforms


@dataclass(frozen=True, slots=True)
class Filled:
    """A platform's file with its columns filled, and what should be said about it."""

    text: str
    notes: tuple[str, ...]


def canvas(path: Path, homework: Homework, graded: Sequence[Graded]) -> Filled:
    """A grade book exported by Canvas with the assignment's column filled.

    The column is the one whose name (without the number in brackets) is the homework's title, or the only assignment.
    Students are found by ID, SIS user ID, SIS login ID or name.
    """
    rows = _table(path, ("Student", "ID"))
    head = rows[0]
    column = _canvas_column(path, rows, homework)
    possible = next((row for row in rows[1:4] if row and row[0].strip().lower() == "points possible"), None)
    most = _number(_at(possible, column)) if possible is not None else None
    known = _by_name(graded)
    notes, used = [], set[str]()
    for row in rows[1:]:
        if row is possible or not row or not _at(row, head.index("ID")):
            continue
        names = [_at(row, head.index(name)) for name in CANVAS_ID if name in head] + _persons(_at(row, 0))
        found = _one_of(names, known)
        if found is not None:
            row += [""] * (column + 1 - len(row))
            row[column] = number(_scaled(found.points, homework.points, most))
            used.add(found.student)
    if most is not None and abs(most - homework.points) > 1e-9:
        notes.append(f"points are scaled from {number(homework.points)} to the {number(most)} of {head[column]!r}")
    return Filled(written(rows), (*notes, *_not_found(graded, used, path)))


def _canvas_column(path: Path, rows: list[list[str]], homework: Homework) -> int:
    head = rows[0]
    assignments = [k for k, name in enumerate(head) if re.fullmatch(r".*\(\d+\)\s*", name)]
    named = [k for k in assignments if re.sub(r"\s*\(\d+\)\s*$", "", head[k]).strip() == homework.title]
    chosen = named or assignments
    if len(chosen) != 1:
        have = ", ".join(repr(head[k]) for k in assignments) or "none"
        raise AuthorError(f"no column is called {homework.title!r}; the assignments in it are {have}", str(path))
    return chosen[0]


def moodle(path: Path, homework: Homework, graded: Sequence[Graded]) -> Filled:
    """A grading worksheet of Moodle with grades and feedback filled in.

    Students are found by identifier, email address (or what stands before its @) or full name.
    """
    rows = _table(path, MOODLE_NEEDED)
    head = rows[0]
    place = {name: head.index(name) for name in head}
    known, used, notes = _by_name(graded), set[str](), list[str]()
    for row in rows[1:]:
        row += [""] * (len(head) - len(row))
        email = _at(row, place.get("Email address"))
        names = [_at(row, place["Identifier"]), email, email.partition("@")[0], _at(row, place.get("Full name"))]
        found = _one_of(names, known)
        if found is None:
            continue
        used.add(found.student)
        if _at(row, place.get("Grade can be changed"), "Yes").strip().lower() in ("no", "nein"):
            notes.append(f"the grade of {found.student} cannot be changed in Moodle; it is left as it is")
            continue
        most = _number(_at(row, place.get("Maximum Grade")))
        row[place["Grade"]] = number(_scaled(found.points, homework.points, most))
        if "Feedback comments" in place:
            row[place["Feedback comments"]] = feedback(found)
    return Filled(written(rows), (*notes, *_not_found(graded, used, path)))


def feedback(graded: Graded) -> str:
    """A few lines for a comment in HTML."""
    lines = [
        f"{m.question.id}: {number(m.points)} of {number(m.question.points)}: {words(m)[1]}. {m.verdict['message']}"
        for m in graded.marks
    ]
    return "<br>".join(escape(line, quote=False) for line in lines)


def _table(path: Path, needed: Sequence[str]) -> list[list[str]]:
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise AuthorError(f"the file cannot be read: {problem}", str(path)) from None
    if len(content) > MAX_TABLE:
        raise AuthorError(f"the file is longer than {MAX_TABLE:,} bytes", str(path))
    text, _ = decoded(content)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as problem:
        raise AuthorError(f"this is no CSV: {problem}", str(path)) from None
    if rows:
        rows[0] = [cell.strip() for cell in rows[0]]
    missing = [name for name in needed if not rows or name not in rows[0]]
    if missing:
        raise AuthorError(f"the column {missing[0]!r} is missing; export the file from the platform anew", str(path))
    return rows


def _at(row: Sequence[str] | None, place: int | None, default: str = "") -> str:
    return row[place].strip() if row is not None and place is not None and place < len(row) else default


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 0 < value < 1e9 else None


def _scaled(points: float, out_of: float, most: float | None) -> float:
    return points if most is None or not out_of else round(points * most / out_of, 4)


def _by_name(graded: Sequence[Graded]) -> Mapping[str, Graded | None]:
    """Students by all their names; a name of two is none."""
    out: dict[str, Graded | None] = {}
    for one in graded:
        for name in {_plain(n) for n in (one.student, *one.called)}:
            out[name] = one if name not in out else None
    return out


def _plain(name: str) -> str:
    return re.sub(r"[^\w@.]+", " ", name.lower()).strip()


def _persons(name: str) -> list[str]:
    """`Lovelace, Ada` also as `Ada Lovelace` and, as Canvas names files, `lovelaceada`."""
    last, comma, first = (part.strip() for part in name.partition(","))
    if not comma:
        *given, family = name.split() or [""]
        return [name, f"{family}{''.join(given)}"]
    return [name, f"{first} {last}", f"{last}{first}".replace(" ", "")]


def _one_of(names: Iterable[str], known: Mapping[str, Graded | None]) -> Graded | None:
    for name in names:
        if name and (found := known.get(_plain(name))) is not None:
            return found
    return None


def _not_found(graded: Sequence[Graded], used: set[str], path: Path) -> list[str]:
    missing = [g.student for g in graded if g.student not in used]
    names = ", ".join(missing[:MOST_NAMED]) + (", …" if len(missing) > MOST_NAMED else "")
    return [f"not in {path.name} ({len(missing)} of {len(graded)} students): {names}"] if missing else []
