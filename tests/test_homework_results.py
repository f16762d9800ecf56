"""Result files: each against its format's published fields; cells and pages that can do nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from derive.errors import AuthorError
from derive.homework import autograder, platforms, tables
from derive.homework.config import read_homework
from derive.homework.document import Given
from derive.homework.marks import MISSING, Graded, Mark
from derive.homework.model import DEFAULT_CREDIT, Homework, Question, Variant
from derive.homework.page import Bars, Bullets, Formula, Grid, Heading, Para, html, markdown
from derive.homework.results import file_names
from derive.homework.tables import safe

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "homework"
EVIL = '=cmd|" /C calc"!A0 </code><script>alert(1)</script> `` ``` | [x](javascript:alert(1)) <!-- -->'

VARIANT = Variant("softmax", {"loss": "x"}, "W")
QUESTIONS = (Question("q1", "First", 2.0, (VARIANT,)), Question("q2", "q2", 4.0, (VARIANT,)))
HOMEWORK = Homework(Path("homework.toml"), "Homework 1", QUESTIONS)


def verdict(name: str, code: str, message: str = "Said.", **more: Any) -> dict[str, Any]:
    return {"verdict": name, "code": code, "read_as": "x", "message": message, "evidence": {}, "score": 0.0, **more}


def student(name: str, *found: tuple[dict[str, Any], float], called: tuple[str, ...] = (), answer: str = "x") -> Graded:
    marks = tuple(
        Mark(q, VARIANT, None if v is MISSING else Given(q.id, answer, f"{name}.md, line 1"), v, share)
        for q, (v, share) in zip(QUESTIONS, found, strict=True)
    )
    return Graded(name, marks, (), (), called)


CORRECT, WRONG, UNREAD = (
    verdict("correct", "correct"),
    verdict("incorrect", "sign"),
    verdict("unreadable", "unreadable"),
)
ADA = student("ada", (CORRECT, 1.0), (CORRECT, 1.0), called=("ada", "101"))
BEN = student("ben", (WRONG, 0.5), (dict(MISSING), 0.0))
ZED = student("zed", (UNREAD, 0.0), (dict(MISSING), 0.0))

# ------------------------------------------------------------------------------------------- cells

CELLS = [
    ("=1+1", "'=1+1"), ("+x", "'+x"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"),
    ("\n=1", "'\n=1"), ("＝1", "'＝1"), ("-2.5", "-2.5"), ("+3", "+3"), ("-", "-"), ("-2+3", "'-2+3"), ("", ""),
    ("x = y", "x = y"), ("    Points Possible", "    Points Possible"), ("W^T", "W^T"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "shown"), CELLS)
def test_no_cell_is_a_formula(cell: str, shown: str) -> None:
    assert safe(cell) == shown


@given(st.text(max_size=30))
def test_no_text_is_a_formula_in_any_table(text: str) -> None:
    read = next(csv.reader(io.StringIO(tables.written([[text, "x"]]), newline="")))
    plain = read[0].replace(",", ".").lstrip("+-").replace(".", "", 1)
    assert not read[0].startswith(("=", "+", "-", "@", "\t", "\r")) or plain.isdecimal() or read[0] == "-"


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_grades(tmp_path: Path) -> None:
    evil = student("=evil", (CORRECT, 1.0), (WRONG, 0.5), answer=EVIL)
    found = rows(tables.grades(HOMEWORK, [ADA, evil]))
    assert found[0][:7] == ["student", "points", "of", "q1", "q1 verdict", "q1 code", "q1 answer"]
    assert found[1][:6] == ["ada", "6", "6", "2", "correct", "correct"]
    assert found[2][0] == "'=evil"
    assert found[2][6] == f"'{EVIL}"


# ------------------------------------------------------------------------------------------ platforms

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (8841),Homework 2 (8842),Final Score
    Points Possible,,,,,12,5,(read only)
"Adams, Ada",101,s1,adams@x.org,S1,,1,9
"Bell, Ben",102,s2,ben,S1,3,2,9
"=Nobody",103,s3,nobody,S1,7,3,9
"""


def test_canvas(tmp_path: Path) -> None:
    path = tmp_path / "canvas.csv"
    path.write_text(CANVAS, encoding="utf-8-sig")
    filled = tables.canvas(path, HOMEWORK, [ADA, BEN, ZED])
    before, after = rows(CANVAS), rows(filled.text)
    assert after[0] == before[0]  # Student, ID, SIS User ID, SIS Login ID, Section, Name (id)
    assert after[1] == before[1]
    assert [row[5] for row in after[2:]] == ["12", "2", "7"]  # scaled to 12; whoever is not there keeps what he had
    assert [row[:5] + row[6:] for row in after[:4]] == [row[:5] + row[6:] for row in before[:4]]
    assert after[4][0] == "'=Nobody"
    assert any("scaled" in note for note in filled.notes)
    assert any("zed" in note for note in filled.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CANVAS.replace("Homework 1", "Exam"), "no column is called 'Homework 1'"),
        (CANVAS.replace("Student,ID", "Name,Number"), "'Student' is missing"),
        ("", "is missing"),
    ],
)
def test_a_grade_book_that_does_not_fit_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "canvas.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AuthorError, match=said):
        tables.canvas(path, HOMEWORK, [ADA])


MOODLE_HEAD = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),"
    "Last modified (grade),Feedback comments"
)
MOODLE = f"""{MOODLE_HEAD}
Participant 1,Ada Adams,ada@x.org,Submitted,,3.00,Yes,-,-,
Participant 2,Ben,b@x.org,Submitted,1.00,6.00,Yes,-,-,old
Participant 3,Zed,zed@x.org,Submitted,2.00,6.00,No,-,-,
"""


def test_moodle(tmp_path: Path) -> None:
    path = tmp_path / "moodle.csv"
    path.write_text(MOODLE, encoding="utf-8")
    filled = tables.moodle(path, HOMEWORK, [ADA, BEN, ZED])
    after = [dict(zip(MOODLE_HEAD.split(","), row, strict=True)) for row in rows(filled.text)[1:]]
    assert ",".join(rows(filled.text)[0]) == MOODLE_HEAD
    assert [row["Grade"] for row in after] == ["3", "1", "2.00"]
    assert after[0]["Feedback comments"].startswith("q1: 2 of 2: correct.")
    assert "<br>" in after[0]["Feedback comments"]
    assert [row["Last modified (grade)"] for row in after] == ["-"] * 3
    assert any("cannot be changed" in note for note in filled.notes)


def test_feedback_is_escaped() -> None:
    assert "<script>" not in tables.feedback(student("a", (verdict("correct", "correct", EVIL), 1.0), (WRONG, 0.0)))


GRADESCOPE = set(
    "score execution_time output output_format test_output_format visibility stdout_visibility extra_data tests".split()
)
GRADESCOPE_TEST = set(
    "score max_score status name name_format number output output_format tags visibility extra_data".split()
)
FORMATS, VISIBLE = (
    {"text", "html", "simple_format", "md", "ansi"},
    {"hidden", "after_due_date", "after_published", "visible"},
)


@pytest.mark.parametrize("graded", [ADA, BEN, ZED], ids=lambda g: g.student)
def test_gradescope(graded: Graded) -> None:
    found = json.loads(json.dumps(platforms.gradescope(HOMEWORK, graded), allow_nan=False))
    assert set(found) <= GRADESCOPE
    assert found["score"] == graded.points
    assert {found["output_format"], found["test_output_format"]} <= FORMATS
    assert {found["visibility"], found["stdout_visibility"]} <= VISIBLE
    for test in found["tests"]:
        assert set(test) <= GRADESCOPE_TEST
        assert 0 <= test["score"] <= test["max_score"]
        assert test["status"] in ("passed", "failed")
        assert {test["name_format"], test["output_format"]} <= FORMATS
        assert test["visibility"] in VISIBLE
        assert all(isinstance(test[key], str) for key in ("name", "number", "output"))
        assert all(isinstance(tag, str) for tag in test["tags"])
    assert found["score"] == pytest.approx(sum(test["score"] for test in found["tests"]))


@pytest.mark.parametrize(("graded", "gradable", "score"), [(ADA, True, 1.0), (BEN, True, 1 / 6), (ZED, False, 0.0)])
def test_prairielearn(graded: Graded, gradable: bool, score: float) -> None:
    found = json.loads(json.dumps(platforms.prairielearn(HOMEWORK, graded), allow_nan=False))
    assert set(found) <= {"score", "gradable", "format_errors", "message", "output", "tests"}
    assert found["gradable"] is gradable
    assert bool(found.get("format_errors")) is not gradable
    assert found["score"] == pytest.approx(score, abs=1e-6)
    for test in found["tests"]:
        assert set(test) <= {"name", "description", "points", "max_points", "message", "output"}
        assert 0 <= test["points"] <= test["max_points"]


def test_prairielearn_reads_at_most_a_megabyte() -> None:
    long = verdict("incorrect", "sign", "ŷ" * 600_000)
    found = platforms.prairielearn(HOMEWORK, student("a", (long, 0.0), (long, 0.0)))
    assert len(json.dumps(found).encode()) < 10**6


# ----------------------------------------------------------------------------------------------- pages

PARTS = [
    Heading(1, EVIL), Heading(2, "1. two", "bad"), Para(EVIL, EVIL), Formula(EVIL, EVIL + "\n`````"),
    Formula("read as", r"\left(\hat{y} - y\right) x^\top", True), Grid(("a", EVIL), [(EVIL, "1")]), Bars([(EVIL, 3)]), Bars([]),
    Bullets([EVIL, "- x", "1. y"]),
]  # fmt: skip
VOID = {"meta", "br"}


class Tags(HTMLParser):
    """The tags of a page, and whether they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(page: str) -> Tags:
    found = Tags()
    found.feed(page)
    found.close()
    assert not found.open
    return found


def test_a_page_is_whole_and_needs_nothing_else() -> None:
    page = html(EVIL, PARTS)
    found = tags(page)
    assert page.startswith("<!DOCTYPE html>")
    assert not found.seen & {"script", "link", "img", "iframe", "a"}
    assert not {a for a in found.attributes if a.startswith("on") or a in ("src", "href")}
    assert "prefers-color-scheme: dark" in page
    assert "<math" in page
    assert page.count("&lt;script&gt;") == page.lower().count("script&gt;alert(1)")


def test_markdown_shows_what_was_written_and_does_nothing() -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(markdown(PARTS))
    found = tags(rendered)
    assert not found.seen & {"script", "a", "img"}
    assert found.seen >= {"h1", "h2", "table", "pre", "ul"}


def test_a_table_in_markdown_keeps_its_columns() -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(markdown([Grid(("a", "b"), [("x | y", "1")])]))
    assert rendered.count("<td>") + rendered.count('<td style="text-align:right">') == 2
    assert "x | y" in rendered


NAMES = ["ada", "Ada", "../ada", "a/b", "con", "ŷ", "", "x" * 300, ".", "a:b", "ada@x.org", "nul.txt"]


def test_names_of_files_are_safe_and_different() -> None:
    found = file_names(NAMES)
    assert found[0] == "ada"
    assert found[10] == "ada@x.org"
    assert len({name.lower() for name in found}) == len(NAMES)
    assert all(name and len(name) < 120 and not set(name) & set('/\\:*?"<>|') and name[0] != "." for name in found)


# ------------------------------------------------------------------------------------------- autograder


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "autograder.zip"
    path.write_bytes(autograder.autograder(read_homework(EXAMPLE / "homework.toml")))
    return path


def test_the_autograder_has_what_gradescope_needs(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert modes["run_autograder"] & 0o111 and modes["setup.sh"] & 0o111
        assert archive.read("run_autograder").startswith(b"#!/usr/bin/env bash\n")
        assert set(modes) == {"setup.sh", "run_autograder", "homework.toml", "ridge.toml", autograder.WHEEL}


def test_the_autograder_is_the_same_each_time(packed: Path) -> None:
    assert autograder.autograder(read_homework(EXAMPLE / "homework.toml")) == packed.read_bytes()


def test_a_problem_file_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "homework"
    folder.mkdir()
    (tmp_path / "ridge.toml").write_text((EXAMPLE / "ridge.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "homework.toml").write_text(
        "[[questions]]\nid = 'q'\nwrt = 'w'\nproblem = '../ridge.toml'\n", encoding="utf-8"
    )
    with pytest.raises(AuthorError, match="must lie beside"):
        autograder.autograder(read_homework(folder / "homework.toml"))


def test_the_wheel_is_one(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        archive.extract(autograder.WHEEL, tmp_path)
    with zipfile.ZipFile(tmp_path / autograder.WHEEL) as wheel:
        names = wheel.namelist()
        info = next(name.split("/")[0] for name in names if ".dist-info/" in name)
        assert {f"{info}/{part}" for part in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")} <= set(names)
        assert {"derive/cli.py", "derive/problems/softmax/softmax-regression.toml", "derive/__init__.py"} <= set(names)
        assert not [name for name in names if "__pycache__" in name or name.startswith(("tests", "problems"))]
        metadata = wheel.read(f"{info}/METADATA").decode()
        assert "Requires-Dist: sympy" in metadata
        assert "extra == 'homework'" in metadata
        listed = {line.rsplit(",", 2)[0] for line in wheel.read(f"{info}/RECORD").decode().splitlines()}
        assert listed == set(names)


def test_run_autograder_writes_the_result(packed: Path, tmp_path: Path) -> None:
    """With the wheel unpacked in the place where setup.sh would have installed it."""
    source, engine = tmp_path / "source", tmp_path / "engine"
    zipfile.ZipFile(packed).extractall(source)
    zipfile.ZipFile(source / autograder.WHEEL).extractall(engine)
    program = tmp_path / "derive" / "bin" / "derive"
    program.parent.mkdir(parents=True)
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{engine}" exec "{sys.executable}" -P -m derive "$@"\n', encoding="utf-8"
    )
    for path in (program, source / "run_autograder"):
        path.chmod(0o755)
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "hw.md").write_text("# q1\n$$\\hat{y} - y$$\n", encoding="utf-8")
    environment = {**os.environ, "AUTOGRADER_ROOT": str(tmp_path)}
    run = [str(source / "run_autograder")]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8"))
    assert found["score"] == 2
    assert set(found) <= GRADESCOPE


def test_the_command(run: Run, tmp_path: Path) -> None:
    result = run("export", "gradescope", str(EXAMPLE / "homework.toml"), "--out", str(tmp_path / "a.zip"))
    assert result.exit_code == 0
    assert zipfile.is_zipfile(tmp_path / "a.zip")


# ------------------------------------------------------------------------------------------- the manual

MANUAL = (ROOT / "docs" / "homework.md").read_text(encoding="utf-8")


def test_the_manual_tells_the_rubric() -> None:
    table = MANUAL.split("## What an answer is worth")[1].split("##")[0]
    shown = dict(re.findall(r"^\| `([a-z]+)` \| ([\d.]+) \|", table, re.MULTILINE))
    assert {key: float(share) for key, share in shown.items()} == dict(DEFAULT_CREDIT)


def test_the_file_in_the_manual_is_read_and_its_key_is_sound(run: Run, tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)
    (tmp_path / "homework.toml").write_text(text, encoding="utf-8")
    assert run("homework", "check", str(tmp_path / "homework.toml")).exit_code == 0


def test_the_commands_in_the_manual_are_there(run: Run) -> None:
    for line in re.findall(r"^derive (.*)$", MANUAL, re.MULTILINE):
        words = line.split()
        depth = 1 if words[0] == "grade" else 2
        assert run(*words[:depth], "--help").exit_code == 0
        assert all((ROOT / word).exists() for word in words if word.startswith("examples/"))
