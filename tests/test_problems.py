"""The catalogue: every problem loads, its textbook answers are right, and the engine derives and prints them.

The last part holds what a problem that cannot be used is told: the file, the key and the place.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from derive.errors import AuthorError
from derive.gradient.derivation import Derivation, closed_forms, derivation
from derive.grading.grade import grade
from derive.lowering.lower import lower
from derive.problem.load import catalogue, load, load_file
from derive.problem.problem import Question

IDENTIFIERS = sorted(catalogue())
QUESTIONS = [(name, k, q) for name in IDENTIFIERS for k, q in enumerate(load(name).questions)]
each_problem = pytest.mark.parametrize("name", IDENTIFIERS)
each_question = pytest.mark.parametrize(
    ("name", "asked"), [(name, q) for name, _, q in QUESTIONS], ids=[f"{name}-{k}" for name, k, _ in QUESTIONS]
)
NUMERIC = 1e-5


def derived(name: str, asked: Question) -> Derivation:
    return derivation(load(name), asked.wrt, asked.of or None)


@each_problem
def test_a_problem_says_what_it_is(name: str) -> None:
    problem = load(name)
    assert problem.title
    assert problem.source
    assert problem.questions
    assert all(asked.answer for asked in problem.questions)


@each_question
def test_the_textbook_answer_is_right(name: str, asked: Question) -> None:
    question = {"problem": name, "wrt": asked.wrt, "of": asked.of, "layout": asked.layout, "answer": asked.answer}
    found = grade(question)
    assert found.verdict == "correct", found.message


@each_question
def test_the_textbook_answer_is_derived_and_printed(name: str, asked: Question) -> None:
    printed = [one.latex for one in derived(name, asked).gradients if one.layout == asked.layout]
    assert printed == [asked.answer]


@each_question
def test_the_printed_answer_reads_back(name: str, asked: Question) -> None:
    (one,) = derived(name, asked).gradients
    question = {"problem": name, "wrt": asked.wrt, "of": asked.of, "layout": one.layout, "answer": one.latex}
    assert grade(question).verdict == "correct"


@each_question
def test_both_checks_confirm_the_gradient(name: str, asked: Question) -> None:
    (one,) = derived(name, asked).gradients
    assert one.exact
    assert one.numeric_error < NUMERIC


@each_problem
def test_a_problem_is_lowered(name: str) -> None:
    problem = load(name)
    source = lower(problem, closed_forms(problem)).source
    assert "def " in source


def test_ids_are_file_names_that_differ() -> None:
    files = [path for folder in {p.parent.parent for p in catalogue().values()} for path in folder.rglob("*.toml")]
    assert sorted(path.stem for path in files) == IDENTIFIERS


def test_the_example_problem_of_one_s_own(root: Path) -> None:
    path = root / "examples" / "my-problem.toml"
    keys = tomllib.loads(path.read_text(encoding="utf-8"))
    printed = {one.wrt: one.latex for one in derivation(load(str(path))).gradients}
    for question in keys.pop("questions"):
        for answer in (question["answer"], printed[question["wrt"]]):
            found = grade({"problem": keys, "wrt": question["wrt"], "answer": answer})
            assert found.verdict == "correct", found.message


# ------------------------------------------------------------------------------------------------- bad input

GOOD = """
loss = 'J = -y^\\top \\log p'
[symbols]
W = "C x d"
x = "d"
y = "C, one-hot"
[define]
'z' = 'W x'
'p' = '\\operatorname{softmax}(z)'
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


# The text of the file, and what its error names: the key, a part of the message, the part of a formula that is marked.
BAD = {
    "a symbol that is not declared": (changed("'W x'", "'W q'"), "define.'z'", "q is not declared", "q"),
    "a symbol of the loss that is not declared": (changed("\\log p", "\\log r"), "loss", "r is not declared", "r"),
    "unequal sizes": (changed("'W x'", "'W y'"), "define.'z'", "d and C", "W y"),
    "a sum of unequal sizes": (changed("'W x'", "'W x + x'"), "define.'z'", "cannot be added", "W x + x"),
    "a loss that is a vector": (changed("-y^\\top \\log p", "\\log p"), "loss", "a loss is a number", ""),
    "a cycle": (changed("'W x'", "'W x + p'"), "define.'z'", "without cycles", "p"),
    "a name that defines itself": (changed("'W x'", "'W x + z'"), "define.'z'", "z is not declared", "z"),
    "a name defined that is declared": (changed("'z' = 'W x'", "'x' = 'W x'"), "define.'x'", "declared twice", ""),
    "the loss called like a symbol": (changed("'J =", "'x ="), "loss", "declared already", ""),
    "a key that stands twice": (changed('x = "d"', 'x = "d"\nx = "n"'), "", "not TOML", ""),
    "TOML that does not parse": (changed("[symbols]", "[symbols"), "", "line 3", ""),
    "a formula that is cut off": (
        changed("\\operatorname{softmax}(z)", "\\operatorname{softmax}(z"),
        "define.'p'",
        "",
        "(",
    ),
    "a shape that is none": (changed('"C x d"', '"C x d x e"'), "symbols.'W'", "is not a shape", ""),
    "a property that is none": (changed("one-hot", "one-cold"), "symbols.'y'", "one-cold", ""),
    "no loss": (changed("loss = 'J = -y^\\top \\log p'", ""), "loss", "missing", ""),
    "an unknown key": (f"lost = 1\n{GOOD}", "lost", "unknown key", ""),
    "a symbol that is no text": (changed('x = "d"', "x = 3"), "symbols.'x'", "", ""),
    "questions that are no list": (f"{GOOD}\n[questions]\nwrt = 'x'", "questions", "[[questions]]", ""),
    "a question without a variable": (f"{GOOD}\n[[questions]]\nanswer = 'x'", "questions[0]", "wrt", ""),
}


def test_the_good_problem_is_good(tmp_path: Path) -> None:
    path = tmp_path / "good.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_file(path).identifier == "good"


@pytest.mark.parametrize(("text", "key", "message", "marked"), BAD.values(), ids=BAD.keys())
def test_bad_problems_are_told_the_file_the_key_and_the_place(
    text: str, key: str, message: str, marked: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AuthorError) as caught:
        load_file(path)
    told = str(caught.value)
    assert "mine.toml" in told
    assert key in told
    assert message in told
    assert marked in carets(told)


def carets(told: str) -> str:
    """The part of the shown line that stands over the carets; empty where nothing is marked."""
    lines = told.split("\n")
    if len(lines) < 2 or "^" not in lines[-1] or lines[-1].strip("^ "):
        return ""
    start = lines[-1].index("^")
    return lines[-2][start : len(lines[-1])]


UNPARSABLE = {
    "cut-off.json": "{",
    "deep.json": "[" * 50_000,
    "twice.json": '{"loss": "x", "loss": "y"}',
    "list.json": "[1]",
    "digits.json": '{"loss": 1' + "0" * 5000 + "}",
    "deep.toml": "x = " + "[" * 50_000,
    "digits.toml": "x = 1" + "0" * 5000,
}


@pytest.mark.parametrize("name", UNPARSABLE)
def test_files_that_do_not_parse_are_errors_that_name_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(UNPARSABLE[name], encoding="utf-8")
    with pytest.raises(AuthorError) as caught:
        load_file(path)
    assert name in str(caught.value)


@pytest.mark.parametrize("raw", [b"\xff\xfe", None], ids=["not UTF-8", "not there"])
def test_files_that_cannot_be_read(raw: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(AuthorError) as caught:
        load_file(path)
    assert "mine.toml" in str(caught.value)


def test_a_misspelt_id_is_told_the_nearest_one() -> None:
    with pytest.raises(AuthorError, match="did you mean softmax-regression"):
        load("softmax-regresion")
