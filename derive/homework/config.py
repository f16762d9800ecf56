"""Homework from a TOML file: every key read, every error with the file, the key and its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from derive.errors import AuthorError
from derive.homework.model import DEFAULT_CREDIT, VERDICTS, Case, Homework, Limits, Question, Variant
from derive.homework.table import Table, located
from derive.misconceptions.registry import MOST_SPECIFIC_FIRST
from derive.problem.builder import problem_from
from derive.problem.files import catalogue, parse_json, parse_toml
from derive.problem.load import by_identifier
from derive.problem.problem import Problem

KEYS = ("title", "seed", "policy", "layout", "problem", "rubric", "limits", "questions")
ASKED = ("problem", "wrt", "of", "layout", "policy", "answer")
QUESTION = ("id", "title", "points", *ASKED, "after", "rubric", "tests", "variants")
LAYOUTS, POLICIES = ("shape", "numerator"), ("strict", "usual", "lenient")
MOST_QUESTIONS, MOST_VARIANTS = 500, 200
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:()-]*")
CREDITED = (
    *DEFAULT_CREDIT,
    *(c for c in (*MOST_SPECIFIC_FIRST, "different", "shape", "undefined") if c not in DEFAULT_CREDIT),
)


def read_homework(path: Path) -> Homework:
    """The homework that a file describes.  Raises `AuthorError` with the file, the key and the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise AuthorError(f"the file cannot be read: {problem}", str(path)) from None
    data = parse_toml(text, str(path))
    try:
        return _Reader(path, Table(data)).homework()
    except AuthorError as problem:
        raise located(problem, text, path.name) from None


class _Reader:
    """Reads the tables; what stands at the top is the default of every question."""

    def __init__(self, path: Path, top: Table) -> None:
        self.path, self.top = path, top
        self.problems: dict[str, Mapping[str, Any]] = {}

    def homework(self) -> Homework:
        top = self.top
        top.only(KEYS)
        title = top.text("title", self.path.stem)
        rows = top.tables("questions")
        if not 1 <= len(rows) <= MOST_QUESTIONS:
            raise AuthorError(f"a homework has 1 to {MOST_QUESTIONS} [[questions]], not {len(rows)}", "questions")
        credit = {**DEFAULT_CREDIT, **_credit(top.table("rubric"))}
        questions = tuple(self._question(row, credit) for row in rows)
        self._check_ids(rows, questions)
        limits = top.table("limits")
        limits.only(("seconds", "characters"))
        seconds = limits.number("seconds", "a number of seconds, 1 or more", 1, Limits().seconds)
        characters = limits.whole("characters", Limits().characters)
        return Homework(self.path, title, questions, top.whole("seed", 0), Limits(seconds, characters))

    def _check_ids(self, rows: list[Table], questions: tuple[Question, ...]) -> None:
        seen: dict[str, int] = {}
        for k, (row, question) in enumerate(zip(rows, questions, strict=True)):
            if question.id.lower() in seen:
                raise AuthorError(f"the id {question.id} stands twice", row.at("id"))
            seen[question.id.lower()] = k
            if question.after:
                self._check_after(row, question, questions[:k])

    def _check_after(self, row: Table, question: Question, before: tuple[Question, ...]) -> None:
        earlier = next((q for q in before if q.id == question.after), None)
        if earlier is None:
            known = ", ".join(q.id for q in before) or "none"
            raise AuthorError(f"{question.after} is no earlier question (earlier are: {known})", row.at("after"))
        pairs = [(a, b) for a in question.variants for b in earlier.variants]
        if any(a.data != b.data for a, b in pairs) or len(question.variants) != 1:
            message = f"an error can be carried forward only within one problem; {earlier.id} is about another one"
            raise AuthorError(message, row.at("after"))
        if any(v.of for pair in pairs for v in pair):
            raise AuthorError("an error can be carried forward only between gradients of the loss", row.at("after"))
        name = earlier.variants[0].wrt
        problem = problem_from(earlier.variants[0].data)
        if problem.target(name).access not in problem.definitions:
            message = f"{earlier.id} is to ask for the gradient with respect to a name of [define]; {name} is none"
            raise AuthorError(message, row.at("after"))

    def _question(self, row: Table, credit: Mapping[str, float]) -> Question:
        row.only(QUESTION)
        identifier = row.text("id")
        if not _ID.fullmatch(identifier):
            raise AuthorError(f"{identifier!r} should be a word of letters, digits, - and _", row.at("id"))
        listed = row.tables("variants")
        if len(listed) > MOST_VARIANTS:
            raise AuthorError(f"{len(listed)} variants are too many", row.at("variants"))
        for one in listed:
            one.only(ASKED)
        variants = tuple(self._variant([one, row, self.top]) for one in listed or [row])
        return Question(
            identifier, row.text("title", identifier), row.number("points", "a number, 0 or more", 0, 1.0), variants,
            row.text("after", "") if "after" in row.data else "", {**credit, **_credit(row.table("rubric"))},
            tuple(_case(one) for one in row.tables("tests")),
        )  # fmt: skip

    def _variant(self, tables: list[Table]) -> Variant:
        """What is asked; a key that a variant does not have is that of its question, then that of the homework."""

        def given(key: str) -> Table | None:
            return next((t for t in tables if key in t.data), None)

        home = given("problem")
        if home is None:
            raise AuthorError("an id of the catalogue, a file or a table with loss and symbols is needed",
                              tables[0].at("problem"))  # fmt: skip
        name, data, problem = self._problem(home)
        words = {"layout": LAYOUTS, "policy": POLICIES}
        found = {key: t.one_of(key, words[key]) for key in words if (t := given(key)) is not None}
        for key in ("wrt", "of", "answer"):
            if (t := given(key)) is not None:
                found[key] = t.text(key)
        if "wrt" not in found:
            raise AuthorError("the variable is needed, as in wrt = 'W'", tables[0].at("wrt"))
        _check_names(problem, found, tables[0])
        of, layout = found.get("of", ""), found.get("layout", problem.layout)
        typed = (q.answer for q in problem.questions if (q.wrt, q.of, q.layout) == (found["wrt"], of, layout))
        key = found.get("answer", next(typed, ""))
        return Variant(name, data, found["wrt"], of, found.get("layout", ""), found.get("policy", ""), key)

    def _problem(self, table: Table) -> tuple[str, Mapping[str, Any], Problem]:
        """A problem's name and table: an id of the catalogue, a file beside the homework, or written out."""
        given, where = table.data["problem"], table.at("problem")
        try:
            if isinstance(given, Mapping):
                return str(given.get("title", "")), given, problem_from(given)
            if not isinstance(given, str):
                raise AuthorError("an id of the catalogue, a file or a table is needed")
            if given not in self.problems:
                self.problems[given] = self._read(given)
            return Path(given).stem, self.problems[given], problem_from(self.problems[given])
        except AuthorError as error:
            raise error.at(where) from None

    def _read(self, given: str) -> Mapping[str, Any]:
        path = catalogue().get(given) if not given.endswith((".toml", ".json")) else self.path.parent / given
        if path is None:
            by_identifier(given)  # raises, with the nearest id
            raise AssertionError(given)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise AuthorError(f"the file cannot be read: {problem}") from None
        return parse_json(text, path.name) if path.suffix == ".json" else parse_toml(text, path.name)


def _check_names(problem: Problem, found: Mapping[str, str], table: Table) -> None:
    for key in ("wrt", "of"):
        try:
            if found.get(key):
                problem.target(found[key])
        except AuthorError as error:
            raise AuthorError(error.message, table.at(key), error.place) from None


def _credit(table: Table) -> dict[str, float]:
    """The shares of a rubric: of verdicts, of codes, of chains."""
    out: dict[str, float] = {}
    table.only(CREDITED)
    for key in table.data:
        good = lambda v: v if isinstance(v, (int, float)) and not isinstance(v, bool) and 0 <= v <= 1 else None  # noqa: E731
        out[key] = float(table.read(key, "a share from 0 to 1", good))
    return out


def _case(table: Table) -> Case:
    table.only(("answer", "verdict", "code"))
    verdict = table.read("verdict", f"one of {', '.join(VERDICTS)}", lambda v: v if v in VERDICTS else None)
    return Case(table.text("answer"), verdict, table.text("code", "-").removeprefix("-"))
