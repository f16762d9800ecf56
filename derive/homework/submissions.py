"""What each student handed in, from all files together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path, PurePosixPath

from derive.homework.document import Found, Given
from derive.homework.files import FORMATS, Handed, decoded, handed_in
from derive.homework.macros import macros_of
from derive.homework.markdown import read_markdown
from derive.homework.model import Homework
from derive.homework.naming import Names
from derive.homework.notebook import read_notebook
from derive.homework.records import read_csv, read_json, read_jsonl
from derive.homework.tex import read_tex

_CANVAS = re.compile(r"^(?P<name>[^_]+?)(?:_LATE)?_(?P<id>\d+)_\d+_.+$")
_MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_\w*$")
TABLES = ("json", "jsonl", "csv")
SHOWN = 200


@dataclass(slots=True)
class Submission:
    """One student's answers by question; what belongs to none; what should be said.

    `called` are further names by which a grade book may know the student.
    """

    student: str
    answers: dict[str, Given] = field(default_factory=dict)
    unassigned: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    called: tuple[str, ...] = ()


def read_submissions(homework: Homework, paths: Sequence[Path], student: str = "") -> list[Submission]:
    """The submissions of files, folders and archives, by student.

    In a folder or an archive a file or a folder is one student's; `student` says that all is of one.
    Raises `AuthorError` for a path that cannot be used at all.
    """
    names = Names(homework)
    found: dict[str, list[Found]] = {}
    called: dict[str, tuple[str, ...]] = {}
    for path in paths:
        for owner, files in groupby(handed_in(path), key=lambda f: _owner(f.path)):
            whose = student or owner
            if not student:
                whose, called[whose] = called_of(owner)[0], called_of(owner)
            parts = _read(list(files), names, whose)
            for name, part in (parts if _is_table(path) else _own(parts, whose)).items():
                found.setdefault(student or name, []).append(part)
    done = [_together(name, parts, called.get(name, ()), homework) for name, parts in found.items()]
    return sorted(done, key=lambda s: s.student)


def _is_table(path: Path) -> bool:
    """Whether a file was given by itself, as a teacher's table of many students."""
    return path.is_file() and path.suffix.lower() != ".zip"


def _own(parts: dict[str, Found], owner: str) -> dict[str, Found]:
    """What is a student's own: a record in a student's file that names somebody else answers nothing."""
    own = parts.pop(owner, None) or Found()
    for name, part in parts.items():
        places = ", ".join(dict.fromkeys(g.place for g in part.given)) or "no answers"
        own.notes.append(f"answers of {name!r} stand in the submission of {owner!r} ({places}); they are not graded")
        own.unassigned += [(g.place, g.text) for g in part.given] + part.unassigned
    return {owner: own}


def _owner(path: PurePosixPath) -> str:
    return path.parts[0] if len(path.parts) > 1 else path.stem


def called_of(owner: str) -> tuple[str, ...]:
    """The names in the name of a file as learning platforms hand them out: Canvas, Moodle.

    >>> called_of("lovelaceada_4711_98765_homework"), called_of("Ada Lovelace_123_assignsubmission_file_")
    (('lovelaceada', '4711'), ('Ada Lovelace', 'Participant 123', '123'))
    """
    if (found := _MOODLE.match(owner)) is not None:
        return found["name"], f"Participant {found['id']}", found["id"]
    if (found := _CANVAS.match(owner)) is not None:
        return found["name"], found["id"]
    return (owner,)


def _read(files: list[Handed], names: Names, owner: str) -> dict[str, Found]:
    """The files of one student (or a table of many), each read by its format."""
    out: dict[str, Found] = {owner: Found()}
    texts: list[tuple[str, str, str]] = []
    for one in files:
        if one.error:
            out[owner].notes.append(f"{one.path}: {one.error}")
            out[owner].unassigned.append((str(one.path), ""))
        elif one.content or one.path.suffix.lower() in FORMATS:
            text, note = decoded(one.content)
            out[owner].notes += [f"{one.path}: {note}"] if note else []
            texts.append((FORMATS[one.path.suffix.lower()], str(one.path), text))
    macros: dict[str, str] = {}
    for kind, _, text in texts:
        macros |= macros_of(text) if kind == "tex" else {}
    for kind, name, text in texts:
        for student, part in _one(kind, text, names, name, owner, macros).items():
            _add(out.setdefault(student, Found()), part)
    if len(out) > 1 and not any((out[owner].given, out[owner].unassigned, out[owner].notes)):
        del out[owner]  # a table, whose file is named after no student
    return out


def _add(into: Found, part: Found) -> None:
    into.given += part.given
    into.unassigned += part.unassigned
    into.notes += part.notes


def _one(
    kind: str, text: str, names: Names, name: str, owner: str, macros: dict[str, str]
) -> Mapping[str, Found]:  # fmt: skip
    if kind == "tex":
        return {owner: read_tex(text, names, name, macros)}
    if kind in TABLES:
        return {"json": read_json, "jsonl": read_jsonl, "csv": read_csv}[kind](text, names, name, owner)
    return {owner: (read_notebook if kind == "notebook" else read_markdown)(text, names, name)}


def _together(student: str, parts: Iterable[Found], called: tuple[str, ...], homework: Homework) -> Submission:
    """One submission of all parts: of several answers to a question the last of the highest rank counts."""
    whole = Found()
    for part in parts:
        _add(whole, part)
    unassigned = [(_clean(place), _clean(text)) for place, text in whole.unassigned]
    out = Submission(_clean(student), unassigned=unassigned, notes=[_clean(n) for n in whole.notes], called=called)
    several: dict[tuple[str, str], list[str]] = {}
    for question in homework.questions:
        given = [g for g in whole.given if g.question == question.id]
        given = [replace(g, text=_clean(g.text), place=_clean(g.place), preamble=_clean(g.preamble)) for g in given]
        if not given:
            continue
        best = [g for g in given if g.rank == max(g.rank for g in given)]
        out.answers[question.id] = best[-1]
        if len(given) > 1:
            places = "; ".join(dict.fromkeys(g.place for g in given))
            several.setdefault((places, best[-1].place), []).append(question.id)
    for (places, chosen), ids in several.items():
        out.notes.append(f"{', '.join(ids)}: answered more than once ({places}); what stands in {chosen} counts")
    return out


def _clean(text: str) -> str:
    """Text that every file can hold: halves of surrogate pairs are replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
