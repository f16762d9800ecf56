"""Submissions read: every format, tables of what is found where; archives that are refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import AuthorError
from derive.homework import files, needs
from derive.homework.config import read_homework
from derive.homework.files import decoded, handed_in
from derive.homework.macros import macros_of, used_by
from derive.homework.markdown import read_markdown
from derive.homework.model import Homework
from derive.homework.naming import Names
from derive.homework.notebook import read_notebook
from derive.homework.submissions import Submission, read_submissions
from derive.homework.tex import read_tex

QUESTIONS = """
problem = "softmax-regression"
[[questions]]
id = "q1"
wrt = "z"
[[questions]]
id = "q2"
wrt = "W"
[[questions]]
id = "q3a"
wrt = "b"
title = "The bias"
"""


@pytest.fixture
def homework(tmp_path: Path) -> Homework:
    path = tmp_path / "homework.toml"
    path.write_text(QUESTIONS, encoding="utf-8")
    return read_homework(path)


@pytest.fixture
def names(homework: Homework) -> Names:
    return Names(homework)


# -------------------------------------------------------------------------------------------- names

CALLED: list[tuple[str, tuple[str, ...], str | None]] = [
    ("q1", (), "q1"),
    ("Q1", (), "q1"),
    ("Question q1", (), "q1"),
    ("Question 1", (), "q1"),
    ("1.", (), "q1"),
    ("Problem 2: the weights", (), "q2"),
    ("Answer to q2", (), "q2"),
    ("3 (a)", (), "q3a"),
    ("Part (a)", ("Exercise 3",), "q3a"),
    ("The bias", (), "q3a"),
    ("Question 4", (), None),
    ("q11", (), None),  # not q1 with something behind it
    ("Introduction", (), None),
    ("q1 and q2", (), None),  # two are none
    ("", (), None),
]


@pytest.mark.parametrize(("text", "parents", "question"), CALLED)
def test_what_a_heading_means(names: Names, text: str, parents: tuple[str, ...], question: str | None) -> None:
    assert names.find(text, parents) == question


@pytest.mark.parametrize(("text", "question"), [("q1", "q1"), ("eq:q2", "q2"), ("sec:Q1", "q1"), ("fig:q1", None)])
def test_what_a_label_means(names: Names, text: str, question: str | None) -> None:
    assert names.label(text) == question


# ---------------------------------------------------------------------------------- LaTeX and Markdown

Rows = list[tuple[str, str, dict[str, str], int]]
TEX: Rows = [
    ("an environment", r"\begin{answer}{q1} \[ a \] \end{answer}", {"q1": r"\[ a \]"}, 0),
    ("brackets", r"\begin{answer}[q1] $a$ \end{answer}", {"q1": "$a$"}, 0),
    ("no formula: the words", r"\begin{answer}{q1} a + b \end{answer}", {"q1": "a + b"}, 0),
    ("a heading", r"\section*{Question 1} $$a$$", {"q1": "$$a$$"}, 0),
    ("headings below one another", r"\section{3} \subsection{(a)} $$a$$", {"q3a": "$$a$$"}, 0),
    ("a heading that is no question ends one", r"\section{q1} $$a$$ \section{More} $$b$$", {"q1": "$$a$$"}, 1),
    ("one below it does not", r"\section{q1} $$a$$ \subsection{Result} $$b$$", {"q1": "$$b$$"}, 0),
    ("a label", r"\begin{equation} a \label{eq:q2} \end{equation}", {"q2": r"\begin{equation} a  \end{equation}"}, 0),
    ("a label at a heading", r"\section{Logits}\label{q1} $$a$$", {"q1": "$$a$$"}, 0),
    ("a label goes before a heading", r"\section{q1} \[ a \label{q2} \] \[ b \]", {"q1": r"\[ b \]", "q2": r"\[ a  \]"}, 0),
    ("the last display counts", r"\section{q1} \[ a \] \[ b \] and $c$", {"q1": r"\[ b \]"}, 0),
    ("or the last that is boxed", r"\section{q1} \[ \boxed{a} \] \[ b \]", {"q1": r"\[ \boxed{a} \]"}, 0),
    ("the last inline one without displays", r"\section{q1} $a$ so $b$", {"q1": "$b$"}, 0),
    ("where-clauses belong to it", r"\section{q1} \[ a \] where $a = b$", {"q1": r"\[ a \] where $a = b$"}, 0),
    ("a solution stands apart from what was asked", r"\section{q1} \[ J \] \begin{solution} $a$ \end{solution}", {"q1": "$a$"}, 0),
    ("an environment goes before a heading", r"\section{q1} \[ b \] \begin{answer}{q1} $a$ \end{answer} \[ c \]", {"q1": "$a$"}, 0),
    ("an item", r"\begin{itemize} \item[q1] $a$ \item[q2] $b$ \end{itemize}", {"q1": "$a$", "q2": "$b$"}, 0),
    ("bold at the start of a line", "\\textbf{Question 1}\n$a$", {"q1": "$a$"}, 0),
    ("comments are no text", "\\section{q1} \\[ a % b\n \\]\n% \\[ c \\]\n", {"q1": "\\[ a \n \\]"}, 0),
    ("an escaped percent sign is", r"\section{q1} $a \% b$", {"q1": r"$a \% b$"}, 0),
    ("what is verbatim is no formula", "\\section{q1} $a$ \\begin{verbatim} $b$ \\end{verbatim}", {"q1": "$a$"}, 0),
    ("only the document", r"$x$ \begin{document} \section{q1} $a$ \end{document} $y$", {"q1": "$a$"}, 0),
    ("an unknown name", r"\begin{answer}{q9} $a$ \end{answer}", {}, 1),
    ("nothing", "", {}, 0),
    ("braces that do not balance", r"\section{q1} { \[ a \] }} \section{q2} $b$", {"q1": r"\[ a \]", "q2": "$b$"}, 0),
    ("an open environment", r"\section{q1} \begin{align} a \section{q2} $b$", {"q1": r"\begin{align} a \end{align}", "q2": "$b$"}, 0),
    ("an open display", r"\section{q1} \[ a \section{q2} \[ b \]", {"q1": r"\[ a \]", "q2": r"\[ b \]"}, 0),
    ("an open dollar", r"\begin{answer}{q1} $ a \end{answer} \begin{answer}{q2} $b$ \end{answer}", {"q1": "$ a $", "q2": "$b$"}, 0),
    ("an open heading", r"\section{q1 \[ a \] \section{q2} $b$", {"q1": r"\[ a \]", "q2": "$b$"}, 0),
    ("an end of nothing", r"\section{q1} \end{align} $a$ \section{q2} $b$", {"q1": "$a$", "q2": "$b$"}, 0),
]  # fmt: skip
MARKDOWN: Rows = [
    ("a heading", "# q1\n$$a$$\n", {"q1": "$$ a $$"}, 0),
    ("below one another", "# Problem 3\n## (a)\n$$a$$\n", {"q3a": "$$ a $$"}, 0),
    ("brackets", "# q1\n\\[ a \\\\[4pt] b \\]\n", {"q1": r"$$ a \\[4pt] b $$"}, 0),
    ("parentheses", "# q1\nSo \\(a\\).\n", {"q1": "$a$"}, 0),
    ("a fence", "# q1\n```math\na\n```\n", {"q1": "$$ a $$"}, 0),
    ("code is none", "# q1\n$a$\n```python\n$b$\n```\n", {"q1": "$a$"}, 0),
    ("an environment", "# q1\n\n\\begin{align}\na &= b\n\\end{align}\n", {"q1": "\\begin{align}\na &= b\n\\end{align}"}, 0),
    ("a list with names", "- q1: $a$\n- q2: $b$\n- q7: $c$\n", {"q1": "$a$", "q2": "$b$"}, 1),
    ("bold names", "**Question 1**\n\n$$a$$\n", {"q1": "$$ a $$"}, 0),
    ("where-clauses", "# q1\n$$a$$\n\nwhere $a = b$.\n", {"q1": "$$ a $$ where $a = b$"}, 0),
    ("the last counts", "# q1\n$$a$$\n\n# q2\n$b$\n\n# q1\n$$c$$\n", {"q1": "$$ c $$", "q2": "$b$"}, 0),
    ("before any heading", "$$a$$\n", {}, 1),
    ("no dollars", "# q1\nW^T x\n", {"q1": "W^T x"}, 0),
]  # fmt: skip


def chosen(submission: Submission) -> dict[str, str]:
    return {question: one.text for question, one in submission.answers.items()}


@pytest.fixture
def handed(homework: Homework, tmp_path: Path) -> Callable[[dict[str, str | bytes]], list[Submission]]:
    """The submissions of a folder of files."""

    def read(content: dict[str, str | bytes]) -> list[Submission]:
        top = tmp_path / "handed"
        for name, text in content.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_submissions(homework, [top])

    return read


Handed = Callable[[dict[str, str | bytes]], list[Submission]]


@pytest.mark.parametrize(("_why", "text", "answers", "unassigned"), TEX, ids=[row[0] for row in TEX])
def test_tex(handed: Handed, _why: str, text: str, answers: dict[str, str], unassigned: int) -> None:
    (found,) = handed({"ada.tex": text})
    assert chosen(found) == answers
    assert len(found.unassigned) == unassigned


@pytest.mark.parametrize(("_why", "text", "answers", "unassigned"), MARKDOWN, ids=[row[0] for row in MARKDOWN])
def test_markdown(handed: Handed, _why: str, text: str, answers: dict[str, str], unassigned: int) -> None:
    (found,) = handed({"ada.md": text})
    assert chosen(found) == answers
    assert len(found.unassigned) == unassigned


def test_the_places_and_what_counts_are_said(handed: Handed) -> None:
    (found,) = handed({"ada.tex": "\n\\section{q1}\n\\[ a \\]\n\n\\[ b \\]\n"})
    assert found.answers["q1"].place == "ada.tex, line 5"
    assert found.notes == ["q1: 2 formulas in ada.tex (lines 3, 5); the last counts"]


def test_the_only_question_needs_no_heading(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text('[[questions]]\nid = "only"\nproblem = "softmax-regression"\nwrt = "x"\n', encoding="utf-8")
    found = read_markdown("The answer is $a$.", Names(read_homework(path)), "ada.md")
    assert [(g.question, g.text) for g in found.given] == [("only", "$a$")]


# ------------------------------------------------------------------------------------------------ macros


def test_only_the_macros_that_are_used_go_with_an_answer(names: Names) -> None:
    text = r"""\newcommand{\a}{\b} \newcommand*{\b}[1][x]{#1} \def\c{z} \DeclareMathOperator{\sm}{softmax}
    \newcommand{\open}{ \section{q1} \[ \a + \sm \]"""
    (found,) = read_tex(text, names, "ada.tex").given
    assert found.preamble.split("\n") == [
        r"\newcommand{\a}{\b}",
        r"\newcommand*{\b}[1][x]{#1}",
        r"\DeclareMathOperator{\sm}{softmax}",
    ]


def test_macros_that_use_each_other_end() -> None:
    macros = macros_of(r"\def\a{\b} \def\b{\a}")
    assert used_by(r"\a", macros).count("\\def") == 2


# --------------------------------------------------------------------------------------------- notebooks


def notebook(*cells: tuple[str, str, dict[str, Any]]) -> str:
    listed = [
        {"cell_type": kind, "id": f"c{k}", "metadata": {"nbgrader": marked} if marked else {}, "source": source}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for k, (kind, source, marked) in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": listed})


def marked(identifier: str, **more: Any) -> dict[str, Any]:
    return {"schema_version": 3, "grade": True, "solution": True, "grade_id": identifier, "points": 1, **more}


def test_notebooks(names: Names) -> None:
    text = notebook(
        ("markdown", "# Homework\n$$J$$", {}),
        ("markdown", "$$a$$", marked("q1")),
        ("markdown", "$$x$$", marked("q2", solution=False, grade=False)),
        ("markdown", "## q2\nthen", {}),
        ("code", "import os; os.abort()", {}),
        ("markdown", "$$b$$", {}),
        ("code", "%%latex\n\\def\\unused{}\n$$c$$", marked("q3a")),
    )
    found = read_notebook(text, names, "ada.ipynb")
    assert [(g.question, g.text, g.place) for g in found.given] == [
        ("q1", "$$ a $$", "ada.ipynb, cell 2, line 1"),
        ("q2", "$$ b $$", "ada.ipynb, cell 6, line 1"),
        ("q3a", "$$ c $$", "ada.ipynb, cell 7, line 3"),
    ]
    assert len(found.unassigned) == 2


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", "nope", '{"nbformat": 4, "cells": 3}', '{"nbformat": 99}', "[" * 5000]
)
def test_what_is_no_notebook_is_said(names: Names, text: str) -> None:
    found = read_notebook(text, names, "ada.ipynb")
    assert not found.given
    assert "no notebook" in found.notes[0]


# ------------------------------------------------------------------------------------------------ tables


def given_alone(homework: Homework, tmp_path: Path, name: str, text: str) -> dict[str, dict[str, str]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return {s.student: chosen(s) for s in read_submissions(homework, [path])}


TABLES = [
    ("a.jsonl", '{"student": "ada", "question": "q1", "answer": "x"}\n\n{"student": "ben", "answers": {"Question 2": "y"}}',
     {"ada": {"q1": "x"}, "ben": {"q2": "y"}}),
    ("ada.jsonl", '{"question": "q1", "answer": "x"}\n{"question": "q1", "answer": "y"}', {"ada": {"q1": "y"}}),
    ("ada.json", '{"q1": "x", "q2": ""}', {"ada": {"q1": "x"}}),
    ("all.json", '{"ada": {"q1": "x"}, "ben": {"q1": "y"}}', {"ada": {"q1": "x"}, "ben": {"q1": "y"}}),
    ("all.json", '[{"student": "ada", "q1": "x"}]', {"ada": {"q1": "x"}}),
    ("form.csv", "Email,q1,Your answer to [q2]\nada@x.org,-x,y\n", {"ada@x.org": {"q1": "-x", "q2": "y"}}),
    ("form.csv", "\ufeffstudent;q1;Question 2\nada;x;\"y; z\"\n", {"ada": {"q1": "x", "q2": "y; z"}}),
    ("form.csv", "student\tq1\nada\tx\nada\ty\n", {"ada": {"q1": "y"}}),
    ("ada.csv", "q1,q2\nx,y\n", {"ada": {"q1": "x", "q2": "y"}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), TABLES)
def test_tables(homework: Homework, tmp_path: Path, name: str, text: str, expected: dict[str, dict[str, str]]) -> None:
    assert given_alone(homework, tmp_path, name, text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", "{"), ("a.jsonl", "[1]"), ("a.json", "{"), ("a.json", "[1, 2]"), ("a.json", "[" * 100_000),
        ("a.json", '{"q9": "x"}'), ("a.csv", 'student,q9\na,"x'), ("a.json", '{"q1": "x", "q1": "y"}'),
    ],
)  # fmt: skip
def test_nothing_is_lost_in_silence(homework: Homework, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    (found,) = read_submissions(homework, [path])
    assert not found.answers
    assert found.unassigned


def test_nobody_hands_in_for_somebody_else(handed: Handed) -> None:
    found = {s.student: s for s in handed({"mallory.jsonl": '{"student": "ben", "q1": "0"}', "ben.md": "# q1\n$a$"})}
    assert chosen(found["ben"]) == {"q1": "$a$"}
    assert chosen(found["mallory"]) == {}
    assert "'ben'" in found["mallory"].notes[0]


# ------------------------------------------------------------------------------------- folders, archives


def test_a_folder(handed: Handed) -> None:
    found = handed(
        {
            "ada.tex": r"\section{q1} $\v$",
            "ben/macros.tex": r"\newcommand{\v}{y}",
            "ben/sub/main.tex": r"\input{macros} \section{q1} $\v$",
            "ben/notes.md": "# q2\n$x$",
            "lovelaceada_4711_99_hw.md": "# q1\n$a$",
            "Grace Hopper_12_assignsubmission_file_/hw.md": "# q1\n$b$",
            "cyd.pdf": b"%PDF",
            "dan/main.log": "nothing",
            ".hidden/x.md": "# q1\n$a$",
        }
    )
    assert [s.student for s in found] == ["Grace Hopper", "ada", "ben", "cyd", "dan", "lovelaceada"]
    by_name = {s.student: s for s in found}
    assert chosen(by_name["ben"]) == {"q1": r"$\v$", "q2": "$x$"}
    assert by_name["ben"].answers["q1"].preamble == r"\newcommand{\v}{y}"
    assert by_name["lovelaceada"].called == ("lovelaceada", "4711")
    assert by_name["cyd"].unassigned == [("cyd.pdf", "")]
    assert ".pdf is not read" in by_name["cyd"].notes[0]


def test_links_are_not_followed(handed: Handed, tmp_path: Path) -> None:
    (tmp_path / "handed").mkdir()
    (tmp_path / "secret.md").write_text("# q1\n$a$", encoding="utf-8")
    (tmp_path / "handed" / "eve.md").symlink_to(tmp_path / "secret.md")
    (found,) = handed({})
    assert not found.answers
    assert "link" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "text", "remark"),
    [
        ("# ŷ".encode(), "# ŷ", False),
        ("# ŷ".encode("utf-8-sig"), "# ŷ", False),
        ("# ŷ".encode("utf-16"), "# ŷ", False),
        ("größer\r\nx".encode("cp1252"), "größer\nx", True),
    ],
)
def test_encodings(content: bytes, text: str, remark: bool) -> None:
    found, note = decoded(content)
    assert (found, bool(note)) == (text, remark)


def archive(path: Path, entries: dict[str, bytes], mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            out.writestr(entry, content)
    return path


def test_an_archive(homework: Homework, tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", {"main.md": b"# q2\n$b$"}).read_bytes()
    content = {"ada.md": b"# q1\n$a$", "ben/x.md": b"# q1\n$c$", "cyd.zip": inner, "__MACOSX/ada.md": b"# q2\n$x$"}
    found = read_submissions(homework, [archive(tmp_path / "all.zip", content)])
    assert {s.student: chosen(s) for s in found} == {"ada": {"q1": "$a$"}, "ben": {"q1": "$c$"}, "cyd": {"q2": "$b$"}}


@pytest.mark.parametrize("name", ["../ada.md", "a/../../ada.md", "/etc/ada.md", "C:/ada.md", "a\\..\\..\\ada.md"])
def test_a_name_that_leads_out_of_an_archive_is_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "all.zip", {"ben.md": b"x", name: b"x"})
    with pytest.raises(AuthorError, match=r"leads out of the archive"):
        list(handed_in(path))


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuthorError, match=r"is a link"):
        list(handed_in(archive(tmp_path / "all.zip", {"ada.md": b"/etc/passwd"}, 0o120777)))


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "all.zip", {"ada.md": b"0" * (files.MAX_FILE - 1), "ben.md": b"# q1"})
    found = {str(f.path): f for f in handed_in(path)}
    assert "compressed more than" in found["ada.md"].error
    assert found["ben.md"].content == b"# q1"
    monkeypatch.setattr(files, "MAX_ENTRIES", 1)
    monkeypatch.setattr(files._Budget.__init__, "__defaults__", (1, files.MAX_TOTAL))
    with pytest.raises(AuthorError, match="more than 1 files"):
        list(handed_in(path))


def test_what_an_archive_says_of_its_sizes_is_not_believed(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    raw = bytearray(archive(tmp_path / "all.zip", {"ada.md": content}).read_bytes())
    at = raw.rfind(b"PK\x01\x02")
    raw[at + 24 : at + 28] = (10).to_bytes(4, "little")  # the size in the directory
    (tmp_path / "all.zip").write_bytes(raw)
    (found,) = handed_in(tmp_path / "all.zip")
    assert found.error or len(found.content) <= 10


def test_archives_are_nested_only_so_deep(tmp_path: Path) -> None:
    inner = b"# q1\n$a$"
    for k in range(6):
        inner = archive(tmp_path / f"{k}.zip", {"a.zip" if k else "a.md": inner}).read_bytes()
    found = list(handed_in(tmp_path / "5.zip"))
    assert [f.content for f in found] == [b""]
    assert found[0].error


@given(st.binary(max_size=400))
def test_any_bytes_can_be_handed_in_as_an_archive(content: bytes) -> None:
    for data in (content, b"PK\x05\x06" + content):
        for one in files._inner_zip(data, files.PurePosixPath("a.zip"), "a.zip", files._Budget(), 1):
            assert one.error


READERS = {"tex": read_tex, "markdown": read_markdown, "notebook": read_notebook}
PIECES = [
    r"\section{q1}", r"\begin{answer}{q2}", r"\end{answer}", "$", "$$", r"\[", r"\]", "{", "}", r"\label{q1}", "# q1\n",
    "```math\n", "```\n", "where ", "a", "\n\n", r"\begin{align}", r"\end{align}", "%", "\\", r"\item[q1]", "**q1**",
    r"\newcommand{\a}{", r"\def\a", "[", "]", "é", "\0", "- q1: ",
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_text_can_be_read(reader: str, pieces: list[str]) -> None:
    from derive.homework.model import Question, Variant

    questions = tuple(Question(q, q, 1.0, (Variant("", {}, "x"),)) for q in ("q1", "q2"))
    found = READERS[reader]("".join(pieces), Names(Homework(Path("h.toml"), "h", questions)), "ada")
    assert all(g.question in ("q1", "q2") for g in found.given)


def test_deep_and_long_texts_are_read(handed: Handed) -> None:
    found = handed({"ada.tex": "{" * 20_000, "ben.tex": r"\def\a{" * 20_000, "cyd.md": "> " * 2_000 + "$a$"})
    assert len(found) == 3


def test_a_missing_package_is_named(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(needs, "import_module", missing)
    with pytest.raises(AuthorError, match=r"pylatexenc.*derive\[homework\]"):
        read_tex("a", names, "ada.tex")


def test_an_archive_in_memory_only(tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as out:
        out.writestr("ada.md", "x")
    (tmp_path / "all.zip").write_bytes(data.getvalue())
    list(handed_in(tmp_path / "all.zip"))
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "all.zip"}
