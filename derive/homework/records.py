"""Answers in tables: JSON, JSONL, and CSV as a form exports it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from derive.errors import AuthorError
from derive.homework.document import Found, Given
from derive.homework.naming import Names
from derive.lines import nesting, parse
from derive.problem.files import parse_json

STUDENT = ("student", "student id", "student_id", "id", "username", "user", "login", "email address", "email", "e-mail",
           "matriculation", "matrikelnummer", "netid", "sis user id", "name", "full name", "your name")  # fmt: skip
PERIPHERAL = (
    "timestamp",
    "score",
    "section",
    "submission time",
    "date",
    "last name",
    "first name",
    "surname",
    *STUDENT,
)
MAX_NESTING = 64
ByStudent = dict[str, Found]


def read_jsonl(text: str, names: Names, name: str, owner: str) -> ByStudent:
    """One record a line: `{"student": …, "question": …, "answer": …}`, or `{"student": …, "answers": {…}}`."""
    out: ByStudent = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                _record(parse(line.encode()), names, f"{name}, line {number}", owner, out)
            except ValueError as problem:
                found = out.setdefault(owner, Found())
                found.notes.append(f"{name}, line {number}: {problem}")
                found.unassigned.append((f"{name}, line {number}", line[:2000]))
    return out


def read_json(text: str, names: Names, name: str, owner: str) -> ByStudent:
    """A record as in JSONL, a list of them, or the answers of many students by their ids."""
    out: ByStudent = {}
    try:
        if text.count("{") + text.count("[") > MAX_NESTING and nesting(text) > MAX_NESTING:
            raise AuthorError(f"nested deeper than {MAX_NESTING} levels")
        data: Any = parse_json(text, name)
    except AuthorError as problem:
        return {owner: Found(notes=[str(problem)], unassigned=[(name, text[:2000])])}
    listed = data if isinstance(data, list) else [data]
    by_student = isinstance(data, Mapping) and data and all(isinstance(v, Mapping) for v in data.values())
    if by_student and "answers" not in data:
        listed = [{"student": student, "answers": answers} for student, answers in data.items()]
    for number, record in enumerate(listed, 1):
        _record(record, names, f"{name}, record {number}" if len(listed) > 1 else name, owner, out)
    return out


def _record(record: Any, names: Names, place: str, owner: str, out: ByStudent) -> None:
    """One record of JSON: whose it is, and the answers in it."""
    if not isinstance(record, Mapping):
        found = out.setdefault(owner, Found())
        found.notes.append(f"{place}: this is no record {{…}}")
        found.unassigned.append((place, json.dumps(record, ensure_ascii=False)[:2000]))
        return
    student = next((str(record[k]) for k in ("student", "username", "user", "email") if record.get(k)), owner)
    found = out.setdefault(student, Found())
    for key, answer in _answers(record):
        question = names.column(key)
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        if not isinstance(answer, str) and answer is not None:
            found.notes.append(f"{place}: the answer to {key} is no text")
        if not text.strip() or answer is None:
            continue
        if question is None:
            found.unassigned.append((f"{place}, {key}", text))
        else:
            found.given.append(Given(question, text, place, 2, str(record.get("preamble", ""))))


def _answers(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(record.get("answers"), Mapping):
        yield from ((str(k), v) for k, v in record["answers"].items())
    elif "answer" in record:
        yield str(record.get("question", record.get("id", ""))), record["answer"]
    else:
        rest = {"student", "username", "user", "email", "preamble"}
        yield from ((str(k), v) for k, v in record.items() if k not in rest)


def read_csv(text: str, names: Names, name: str, owner: str) -> ByStudent:
    """One row a student; the columns are the questions.  Columns that are no question are reported."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), _dialect(text)))
    except csv.Error as problem:
        return {owner: Found(notes=[f"{name}: this is no CSV ({problem})"], unassigned=[(name, text[:2000])])}
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return {}
    header, out = [cell.strip() for cell in rows[0]], dict[str, Found]()
    questions = {k: names.column(cell) for k, cell in enumerate(header)}
    whose = _student_column(header, questions)
    for number, row in enumerate(rows[1:], 2):
        student = row[whose].strip() if whose is not None and whose < len(row) else ""
        student = student or (f"{owner} row {number}" if whose is not None or len(rows) > 2 else owner)
        found = out.setdefault(student, Found())
        for k, cell in enumerate(row):
            column = header[k] if k < len(header) else ""
            if k != whose:
                _cell(found, f"{name}, row {number}", column, questions.get(k), cell)
    return out


def _cell(found: Found, place: str, column: str, question: str | None, cell: str) -> None:
    if not cell.strip():
        return
    if question is not None:
        found.given.append(Given(question, cell.strip(), place))
    elif column.lower() not in PERIPHERAL:
        found.unassigned.append((f"{place}, column {column!r}", cell.strip()))


def _student_column(header: list[str], questions: Mapping[int, str | None]) -> int | None:
    lowered = [cell.lower() for cell in header]
    for name in STUDENT:
        if name in lowered and questions[lowered.index(name)] is None:
            return lowered.index(name)
    return None


def _dialect(text: str) -> type[csv.Dialect]:
    """Comma, semicolon or tab: what the header has most of."""
    first = text.lstrip().partition("\n")[0]
    mark = max(",;\t", key=first.count)

    class Found(csv.excel):
        delimiter = mark
        strict = False

    return Found
