"""The files of results, written so that a killed run leaves none half written, and the same for the same marks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from derive.errors import AuthorError
from derive.homework import tables
from derive.homework.classes import class_report
from derive.homework.marks import Graded
from derive.homework.model import Homework
from derive.homework.page import html, markdown
from derive.homework.platforms import gradescope, prairielearn
from derive.homework.reports import student_report
from derive.homework.store import Store

BASE, VERDICTS = "results.sqlite", "verdicts.jsonl"
RESERVED = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)$")


def write_results(
    folder: Path,
    homework: Homework,
    graded: Sequence[Graded],
    store: Store,
    canvas: Path | None = None,
    moodle: Path | None = None,
) -> list[str]:
    """Write all files of results, remove those of an earlier run that are gone; what should be said about them."""
    notes: list[str] = []
    files = dict(_files(homework, graded))
    for name, path, fill in (("canvas.csv", canvas, tables.canvas), ("moodle.csv", moodle, tables.moodle)):
        if path is not None:
            filled = fill(path, homework, graded)
            files[name] = filled.text
            notes += [f"{name}: {note}" for note in filled.notes]
    gone = store.written(files)
    try:
        for name, text in files.items():
            _write(folder / name, text)
        for name in gone:
            (folder / name).unlink(missing_ok=True)
    except OSError as problem:
        raise AuthorError(f"the results cannot be written: {problem}", str(folder)) from None
    store.forget(gone)
    return notes


def _files(homework: Homework, graded: Sequence[Graded]) -> Iterator[tuple[str, str]]:
    overview = list(class_report(homework, graded))
    yield "class.md", markdown(overview)
    yield "class.html", html(homework.title, overview)
    yield "grades.csv", tables.grades(homework, graded)
    yield VERDICTS, "".join(_verdicts(graded))
    for one, name in zip(graded, file_names([g.student for g in graded]), strict=True):
        parts = list(student_report(homework, one))
        yield f"students/{name}.md", markdown(parts)
        yield f"students/{name}.html", html(f"{homework.title} — {one.student}", parts)
        yield f"gradescope/{name}.json", _json(gradescope(homework, one))
        yield f"prairielearn/{name}.json", _json(prairielearn(homework, one))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _verdicts(graded: Sequence[Graded]) -> Iterator[str]:
    """The verdicts of section 3 of the interface, with the student, the question and the points."""
    for one in graded:
        for mark in one.marks:
            found = {k: v for k, v in mark.verdict.items() if k not in ("id", "follows", "why")}
            place = mark.given.place if mark.given is not None else ""
            head = {"id": f"{one.student}/{mark.question.id}", "student": one.student, "question": mark.question.id}
            more = {"points": mark.points, "of": mark.question.points, "carried": mark.carried, "place": place}
            yield json.dumps({**head, **found, **more}, ensure_ascii=False) + "\n"


def file_names(students: Sequence[str]) -> list[str]:
    """Names for files, different on every system: letters, digits and a few signs, and a number where that is not all.

    >>> file_names(["ada", "../ada", "Ada"])
    ['ada', 'ada-60088279', 'Ada-99a563ab']
    """
    taken: set[str] = set()
    out = []
    for student in students:
        plain = unicodedata.normalize("NFC", student)
        name = re.sub(r"[^\w@.+-]+", "-", plain)[:80].strip(".-") or "student"
        if name != student or name.lower() in taken or RESERVED.match(name.lower().partition(".")[0]):
            name = f"{name}-{sha256(student.encode()).hexdigest()[:8]}"
        taken.add(name.lower())
        out.append(name)
    return out


def _write(path: Path, text: str) -> None:
    content = text.encode("utf-8", "replace")
    with contextlib.suppress(OSError):
        if path.read_bytes() == content:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
