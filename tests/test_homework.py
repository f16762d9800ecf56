"""Homework graded: what answers are worth, errors carried forward, runs that are killed, workers that die."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from derive.errors import AuthorError
from derive.homework import store as kept
from derive.homework import workers
from derive.homework.config import read_homework
from derive.homework.grading import graded
from derive.homework.marks import Graded, Mark, credit
from derive.homework.model import DEFAULT_CREDIT, Homework
from derive.homework.store import Store, key_of
from derive.homework.submissions import read_submissions
from derive.homework.workers import judged

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "homework"
TWO_PARTS = """
title = "Two parts"
problem = "softmax-regression"
[[questions]]
id = "q1"
wrt = "z"
[[questions]]
id = "q2"
wrt = "W"
points = 3
after = "q1"
"""


def homework_of(folder: Path, text: str) -> Homework:
    path = folder / "homework.toml"
    path.write_text(text, encoding="utf-8")
    return read_homework(path)


def marks(folder: Path, text: str, answers: dict[str, dict[str, str]], name: str = "base") -> dict[str, Graded]:
    """What students' answers are worth."""
    homework = homework_of(folder, text)
    handed = folder / "answers.json"
    handed.write_text(json.dumps(answers), encoding="utf-8")
    with Store(folder / f"{name}.sqlite") as store:
        return {g.student: g for g in graded(homework, read_submissions(homework, [handed]), store, 1)}


# ----------------------------------------------------------------------------------------- the file

WRONG_FILES = [
    ("title = 3\n[[questions]]", "title", 1, "a text"),
    ("titel = 'a'", "titel", 1, "did you mean title"),
    ("title = 'a'", "questions", 0, "1 to 500"),
    ("[[questions]]\nwrt = 'x'", "questions[0].id", 1, "needed"),
    ("[[questions]]\nid = 'q1'\nproblem = 'sigmoid'\nwrt = 'nothing'", "questions[0].wrt", 4, "nothing"),
    ("[[questions]]\nid = 'q1'\nproblem = 'sigmoyd'\nwrt = 'x'", "questions[0].problem", 3, "did you mean sigmoid"),
    ("[[questions]]\nid = 'q1'\nproblem = 'gone.toml'\nwrt = 'x'", "questions[0].problem", 3, "cannot be read"),
    ("[[questions]]\nid = 'q 1'\nproblem = 'sigmoid'\nwrt = 'x'", "questions[0].id", 2, "a word"),
    ("[rubric]\nlayout = 2\n[[questions]]\nid = 'a'", "rubric.layout", 2, "from 0 to 1"),
    ("policy = 'kind'\n[[questions]]\nid = 'a'\nproblem = 'sigmoid'\nwrt = 'z'", "policy", 1, "strict"),
    ("[limits]\nseconds = 0\n[[questions]]\nid = 'a'\nproblem = 'sigmoid'\nwrt = 'z'", "limits.seconds", 2, "1 or more"),
    (TWO_PARTS.replace("after = \"q1\"", "after = \"q9\""), "questions[1].after", 11, "no earlier question"),
    (TWO_PARTS.replace('wrt = "z"', 'wrt = "W"'), "questions[1].after", 11, "a name of [define]"),
    (TWO_PARTS.replace('id = "q2"', 'id = "Q1"'), "questions[1].id", 8, "stands twice"),
    (TWO_PARTS + "[[questions.tests]]\nanswer = 'x'\nverdict = 'good'", "questions[1].tests[0].verdict", 14, "one of"),
    ("[rubric]\nsing = 1\n[[questions]]\nid = 'a'", "rubric.sing", 2, "did you mean sign?"),
    (TWO_PARTS + "[questions.rubric]\nsign = true", "questions[1].rubric.sign", 13, "a share"),
    ("[[questions]]\nid = 'a'\nwrt = 'x'\nproblem = { loss = 'f = \\foo x', symbols = { x = 'scalar' } }", "questions[0].problem", 4, "loss"),
    ("a = ", "", 0, "not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key", "line", "said"), WRONG_FILES, ids=[row[1] or "toml" for row in WRONG_FILES])
def test_an_error_names_the_file_the_key_and_the_place(
    tmp_path: Path, text: str, key: str, line: int, said: str
) -> None:
    with pytest.raises(AuthorError) as caught:
        homework_of(tmp_path, text)
    message = str(caught.value)
    assert "homework.toml" in message
    assert f"homework.toml:{line}: {key}" in message if line else key in message
    assert said in message


# ------------------------------------------------------------------------------------------- the rubric


def chain(*verdicts: str, texts: str = "abcdef") -> list[dict[str, str]]:
    return [{"verdict": v, "read_as": t, "text": t} for v, t in zip(verdicts, texts, strict=False)]


CREDITS: list[tuple[str, str, list[dict[str, str]], int | None, float]] = [
    ("correct", "correct", [], None, 1.0),
    ("layout", "layout", [], None, 0.5),
    ("incorrect", "sign", [], None, 0.5),
    ("incorrect", "no-code-of-the-rubric", [], None, 0.0),
    ("undecided", "undecided", [], None, 0.0),
    ("unreadable", "sign", [], None, 0.0),  # a code of the rubric counts for wrong answers only
    ("missing", "missing", [], None, 0.0),
    ("correct", "correct", chain("correct", "correct"), None, 1.0),
    ("correct", "correct", chain("incorrect", "correct"), 0, 0.75),
    ("layout", "layout", chain("incorrect", "layout"), 0, 0.375),
    ("incorrect", "different", chain("correct", "incorrect"), 1, 0.25),
    ("incorrect", "different", chain("correct", "correct", "correct", "incorrect"), 3, 0.375),
    ("incorrect", "different", chain("correct", "incorrect", "incorrect"), 1, 1 / 6),
    ("incorrect", "different", chain("incorrect", "correct", "incorrect"), 0, 0.0),
    ("incorrect", "sign", chain("correct", "incorrect"), 1, 0.5),  # the better of both
    ("incorrect", "different", chain("correct", "correct", "incorrect", texts="aab"), 2, 0.25),  # said twice
    ("incorrect", "different", chain("correct", "incorrect", texts=["\\nabla J", "b"]), 1, 0.0),  # type: ignore[arg-type]
    ("incorrect", "different", [{"verdict": "correct", "read_as": "", "text": "x"}, *chain("incorrect")], 1, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("verdict", "code", "steps", "first", "share"), CREDITS)
def test_what_a_verdict_is_worth(
    verdict: str, code: str, steps: list[dict[str, str]], first: int | None, share: float
) -> None:
    found: dict[str, Any] = {"verdict": verdict, "code": code, "steps": steps, "first_wrong": first}
    assert credit(found, DEFAULT_CREDIT) == pytest.approx(share)


COMBINED = [(["factor"], 0.25), (["order"], 0.0), ([], 0.5)]


@pytest.mark.parametrize(("also", "share"), COMBINED)
def test_several_mistakes_are_no_near_miss(also: list[str], share: float) -> None:
    found = {"verdict": "incorrect", "code": "sign", "evidence": {"diagnosis": {"code": "sign", "also": also}}}
    assert credit(found, DEFAULT_CREDIT) == share


def test_a_wrong_answer_in_the_other_layout_is_wrong() -> None:
    assert credit({"verdict": "incorrect", "code": "layout", "evidence": {}}, DEFAULT_CREDIT) == 0.0


def test_a_question_overrides_the_rubric(tmp_path: Path) -> None:
    text = "[rubric]\nsign = 0.25\nlayout = 1.0\n" + TWO_PARTS.replace("title", "#", 1)
    text = text.replace('problem = "softmax-regression"\n', "").replace(
        "[[questions]]", '[[questions]]\nproblem = "softmax-regression"'
    )
    text += "[questions.rubric]\nlayout = 0.125\n"
    found = homework_of(tmp_path, text)
    assert [(q.credit["sign"], q.credit["layout"], q.credit["factor"]) for q in found.questions] == [
        (0.25, 1.0, 0.5),
        (0.25, 0.125, 0.5),
    ]


def test_variants_are_drawn_by_the_seed(tmp_path: Path) -> None:
    rows = "".join(f"[[questions.variants]]\nwrt = '{wrt}'\n" for wrt in "Wxb")
    text = f"seed = 5\n[[questions]]\nid = 'q'\nproblem = 'softmax-regression'\n{rows}"
    first = homework_of(tmp_path, text)
    chosen = [first.variant(first.questions[0], f"student-{k}") for k in range(300)]
    assert {chosen.count(k) > 60 for k in range(3)} == {True}
    other = homework_of(tmp_path, text.replace("5", "6", 1))
    assert chosen == [first.variant(first.questions[0], f"student-{k}") for k in range(300)]
    assert chosen != [other.variant(other.questions[0], f"student-{k}") for k in range(300)]
    assert [v.wrt for v in first.questions[0].variants] == ["W", "x", "b"]


# ------------------------------------------------------------------------------- errors carried forward

CARRIED = [
    ("a wrong sign", r"y - \hat{y}", r"(y - \hat{y}) x^\top", True),
    ("a wrong factor", r"3 (\hat{y} - y)", r"3 (\hat{y} - y) x^\top", True),
    ("another function", r"\hat{y} \circ (\hat{y} - y)", r"(\hat{y} \circ \hat{y} - \hat{y} \circ y) x^\top", True),
    ("the next error is its own", r"y - \hat{y}", r"2 (y - \hat{y}) x^\top", False),
    ("transposed", r"y - \hat{y}", r"x (y - \hat{y})^\top", False),
    ("zero earns nothing", "0", "0", False),
    ("nor does a constant", r"\mathbf{1}", r"\mathbf{1} x^\top", False),
    ("nor what lacks a variable of the derivative", r"\hat{y}", r"\hat{y} x^\top", False),
    ("nor one that only seems to have it", r"\hat{y} + 0 y", r"\hat{y} x^\top", False),
    ("nor one that cancels", r"\hat{y} + y - y", r"\hat{y} x^\top", False),
    ("nor a wrong shape", r"(\hat{y} - y) x^\top", r"(\hat{y} - y) x^\top x^\top", False),
    ("nor nothing", "", r"(y - \hat{y}) x^\top", False),
]  # fmt: skip


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Graded]:
    answers = {why: {"q1": first, "q2": then} for why, first, then, _ in CARRIED}
    return marks(tmp_path_factory.mktemp("carried"), TWO_PARTS, answers)


@pytest.mark.parametrize(("why", "_first", "_then", "holds"), CARRIED, ids=[row[0] for row in CARRIED])
def test_errors_are_carried_forward(carried: dict[str, Graded], why: str, _first: str, _then: str, holds: bool) -> None:
    mark = carried[why].marks[1]
    assert mark.carried == holds
    assert mark.points == 3.0 if holds else mark.points < 3.0
    assert mark.verdict["verdict"] != "correct"  # the verdict itself stays what it is


SHARED = """
[[questions]]
id = "q1"
wrt = "z"
problem = "ridge"
[[questions]]
id = "q2"
wrt = "w"
after = "q1"
problem = "ridge"
"""
RIDGE = "{ loss = 'J = \\frac{1}{2} z^\\top z + \\lambda w^\\top w', symbols = { X = 'n x d', w = 'd', y = 'n', '\\lambda' = 'scalar' }, define = { z = 'X w - y' } }"


def test_what_does_not_go_through_the_earlier_part_is_kept(tmp_path: Path) -> None:
    text = SHARED.replace('"ridge"', RIDGE)
    answers = {
        "kept": {"q1": "2 z", "q2": r"2 X^\top z + 2 \lambda w"},
        "lost": {"q1": "2 z", "q2": r"2 X^\top z"},
        "doubled": {"q1": "2 z", "q2": r"2 X^\top z + 4 \lambda w"},
    }
    found = marks(tmp_path, text, answers)
    assert {name: one.marks[1].carried for name, one in found.items()} == {
        "kept": True,
        "lost": False,
        "doubled": False,
    }


def test_numerator_layout_is_carried_too(tmp_path: Path) -> None:
    answers = {"a": {"q1": r"(y - \hat{y})^\top", "q2": r"x (y - \hat{y})^\top"}}
    assert marks(tmp_path, "layout = 'numerator'\n" + TWO_PARTS, answers)["a"].marks[1].carried


def test_a_homework_may_give_less_for_what_follows(tmp_path: Path) -> None:
    answers = {"a": {"q1": r"y - \hat{y}", "q2": r"(y - \hat{y}) x^\top"}}
    assert marks(tmp_path, TWO_PARTS + "[questions.rubric]\ncarried = 0.75\n", answers)["a"].marks[1].points == 2.25


# ------------------------------------------------------------------------------------------- resuming


def count_judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that are judged from here on."""
    seen: list[str] = []
    true = Store.keep

    def keep(self: Store, key: str, verdict: Any, seconds: float | None = None) -> None:
        seen.append(key)
        true(self, key, verdict, seconds)

    monkeypatch.setattr(Store, "keep", keep)
    return seen


def test_equal_answers_are_judged_once_and_what_is_known_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = count_judged(monkeypatch)
    answers = {name: {"q1": r"\hat{y} - y", "q2": r"\delta x^\top"} for name in "abcd"}
    first = marks(tmp_path, TWO_PARTS, answers)
    assert len(seen) == 2
    assert marks(tmp_path, TWO_PARTS, answers) == first
    assert len(seen) == 2
    changed = TWO_PARTS.replace('wrt = "W"', 'wrt = "W"\npolicy = "strict"')
    marks(tmp_path, changed, answers)
    assert len(seen) == 3  # only what the changed question touches
    marks(tmp_path, changed.replace("points = 3", "points = 5"), answers)
    assert len(seen) == 3
    monkeypatch.setattr(kept, "_engine", lambda: "another engine")
    marks(tmp_path, changed, answers)
    assert len(seen) == 5


def test_the_key_has_all_that_a_verdict_depends_on(tmp_path: Path) -> None:
    questions = homework_of(tmp_path, TWO_PARTS).questions
    contents = [q.variants[0].content for q in questions]
    keys = {
        key_of("answer", *parts) for parts in ((contents[0], "", "a"), (contents[1], "", "a"), (contents[0], "m", "a"))
    }
    assert len(keys) == 3


def exports(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("results.sqlite")
    }


def command(out: Path, *more: str) -> list[str]:
    handed = [str(EXAMPLE / name) for name in ("submissions", "form.csv", "late.zip")]
    return [
        sys.executable,
        str(ROOT / "cli.py"),
        "grade",
        str(EXAMPLE / "homework.toml"),
        *handed,
        "--out",
        str(out),
        *more,
    ]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, float]:
    """An undisturbed run over the example: its folder, what it printed, its seconds."""
    out, began = tmp_path_factory.mktemp("example") / "out", time.monotonic()
    platforms = ("--canvas", str(EXAMPLE / "canvas.csv"), "--moodle", str(EXAMPLE / "moodle.csv"))
    done = subprocess.run(command(out, *platforms), capture_output=True, check=False, encoding="utf-8")
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    return out, done.stdout, time.monotonic() - began


def test_a_killed_run_resumes_and_gives_the_same_bytes(tmp_path: Path, example: tuple[Path, str, float]) -> None:
    whole, _, seconds = example
    rng = random.Random(3)
    platforms = ("--canvas", str(EXAMPLE / "canvas.csv"), "--moodle", str(EXAMPLE / "moodle.csv"))
    for _ in range(2):
        run = subprocess.Popen(command(tmp_path, "--workers", "1", *platforms), stdout=subprocess.DEVNULL)
        try:
            run.wait(rng.uniform(0.3, 1.0) * seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
    done = subprocess.run(command(tmp_path, "--workers", "3", *platforms), stdout=subprocess.DEVNULL, check=False)
    assert done.returncode == 1
    assert exports(tmp_path) == exports(whole)


def test_files_of_students_who_are_gone_are_removed(run: Run, tmp_path: Path) -> None:
    homework_of(tmp_path, TWO_PARTS)
    handed, out = tmp_path / "handed", tmp_path / "out"
    handed.mkdir()
    out.mkdir()
    (out / "mine.txt").write_text("kept", encoding="utf-8")
    for name in ("ada", "ben"):
        (handed / f"{name}.md").write_text("# q1\n$$\\delta$$\n", encoding="utf-8")
    arguments = ("grade", str(tmp_path / "homework.toml"), str(handed), "--out", str(out), "--workers", "1")
    run(*arguments)
    assert (out / "students" / "ben.html").is_file()
    (handed / "ben.md").unlink()
    run(*arguments)
    assert sorted(p.name for p in (out / "students").iterdir()) == ["ada.html", "ada.md"]
    assert (out / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_a_results_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.sqlite").write_bytes(b"something else" * 100)
    with pytest.raises(AuthorError, match="no results file"):
        Store(tmp_path / "results.sqlite")


def test_the_base_is_written_ahead(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite"):
        other = sqlite3.connect(tmp_path / "results.sqlite")
        assert other.execute("pragma journal_mode").fetchone() == ("wal",)
        other.close()


# -------------------------------------------------------------------------------------------- workers


def job(answer: str, **more: Any) -> dict[str, Any]:
    return {"kind": "answer", "question": {"problem": "softmax-regression", "wrt": "z", "answer": answer}, **more}


def misbehaving(pipe: Any) -> None:
    """A worker that does what its jobs say."""
    pipe.send(("ready", None))
    while True:
        what = pipe.recv()["do"]
        if what == "hang":
            time.sleep(600)
        if what == "die":
            os._exit(3)
        pipe.send(("done", {"did": what}))


def test_what_hangs_or_dies_costs_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "serve", misbehaving)
    jobs = [(f"{k} {do}", {"do": do}) for k, do in enumerate(["a", "hang", "b", "die", "c", "hang", "die", "d"])]
    found = {o.key: o for o in judged(jobs, 1.5, 2)}
    assert set(found) == {key for key, _ in jobs}
    assert {o.reason for o in found.values() if "hang" in o.key} == {"time"}
    assert {(o.reason, o.detail) for o in found.values() if "die" in o.key} == {("crash", "exit code 3")}
    assert all(o.found for o in found.values() if o.key[2:] in "abcd")


def test_an_error_of_ours_is_named_and_costs_one_answer() -> None:
    jobs = [("good", job(r"\delta")), ("bad", {"kind": "answer"}), ("also good", job("y"))]
    found = {o.key: o for o in judged(jobs, 60, 1)}
    assert found["good"].found is not None and found["good"].found["verdict"] == "correct"
    assert found["also good"].found is not None and found["also good"].found["verdict"] == "incorrect"
    assert (found["bad"].found, found["bad"].reason) == (None, "crash")
    assert "KeyError at judging.py:" in found["bad"].detail


def test_bounds_make_answers_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[limits]\ncharacters = 100\nseconds = 1\n" + TWO_PARTS.replace("title", "#", 1)
    text = text.replace('problem = "softmax-regression"\n', "").replace(
        "[[questions]]", '[[questions]]\nproblem = "softmax-regression"'
    )
    found = marks(tmp_path, text, {"a": {"q1": "x" * 200, "q2": r"\delta x^\top"}})["a"].marks
    assert (found[0].verdict["verdict"], found[0].code) == ("undecided", "size")
    assert "200 characters" in found[0].verdict["message"]
    assert found[1].code == "correct"


def test_an_answer_that_ran_out_of_time_is_judged_again_with_more(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        store.keep("k", {"verdict": "undecided"}, 10.0)
        assert store.known(["k"], 10.0)
        assert not store.known(["k"], 11.0)


def test_the_result_does_not_depend_on_workers_or_order(tmp_path: Path) -> None:
    homework = read_homework(EXAMPLE / "homework.toml")
    handed = read_submissions(homework, [EXAMPLE / "submissions"])
    found: list[list[list[Mark]]] = []
    for count in (1, 3):
        with Store(tmp_path / f"{count}.sqlite") as store:
            turned = handed if count == 1 else handed[::-1]
            done = {g.student: g for g in graded(homework, turned, store, count)}
        found.append([list(done[s.student].marks) for s in handed])
    assert found[0] == found[1]


# ------------------------------------------------------------------------------------------ the commands


def test_the_example(example: tuple[Path, str, float]) -> None:
    out, printed, _ = example
    assert "17 students" in printed
    verdicts = [json.loads(line) for line in (out / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {v["verdict"] for v in verdicts} == {"correct", "layout", "incorrect", "unreadable", "missing"}
    assert [v["id"] for v in verdicts if v["carried"]] == ["ben/q2", "quinn/q2"]
    points = {v["student"]: 0.0 for v in verdicts}
    for v in verdicts:
        points[v["student"]] += v["points"]
    expected = {"ada": 13.0, "kim": 7.0, "max": 0.0, "nora": 13.0, "ivan": 3.0}
    assert {name: points[name] for name in expected} == expected


def test_results_of_the_example(example: tuple[Path, str, float]) -> None:
    """All files of a run are there, and every one is whole."""
    out = example[0]
    students = {path.stem for path in (out / "students").glob("*.html")}
    assert len(students) == 17
    for folder, suffix in (("students", ".md"), ("gradescope", ".json"), ("prairielearn", ".json")):
        assert {path.stem for path in (out / folder).glob(f"*{suffix}")} == students
    assert {path.name for path in out.glob("*.*")} == {
        "results.sqlite", "class.md", "class.html", "grades.csv", "verdicts.jsonl", "canvas.csv", "moodle.csv",
    }  # fmt: skip
    overview = (out / "class.md").read_text(encoding="utf-8")
    for part in ("Distribution", "Questions, hardest first", "Mistakes", "A person must look", "Students", "Remarks"):
        assert f"## {part}" in overview


def test_verdicts_as_json(run: Run, tmp_path: Path) -> None:
    homework_of(tmp_path, TWO_PARTS)
    (tmp_path / "ada.md").write_text("# q1\n$$\\delta$$\n# q2\n$$\\delta x^T$$", encoding="utf-8")
    out = str(tmp_path / "out")
    result = run("grade", str(tmp_path / "homework.toml"), str(tmp_path / "ada.md"), "--out", out, "--json")
    assert result.exit_code == 0
    assert [json.loads(line)["id"] for line in result.output.splitlines()] == ["ada/q1", "ada/q2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["HOMEWORK"], "--out"), (["HOMEWORK", "HANDED"], "--out"), (["HOMEWORK", "HANDED", "--out", "HANDED"], "cannot be made"),
        (["HOMEWORK", "HANDED", "--out", "OUT", "--policy", "strict"], "policy"), (["LINES", "HANDED"], "belongs to a homework"),
        (["HOMEWORK", "EMPTY", "--out", "OUT"], "nothing was handed in"),
    ],
)  # fmt: skip
def test_wrong_usage(run: Run, tmp_path: Path, arguments: list[str], said: str) -> None:
    homework_of(tmp_path, TWO_PARTS)
    (tmp_path / "ada.md").write_text("# q1\n$a$", encoding="utf-8")
    (tmp_path / "lines.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    names = {"HOMEWORK": "homework.toml", "HANDED": "ada.md", "LINES": "lines.jsonl", "OUT": "out", "EMPTY": "empty"}
    result = run("grade", *(str(tmp_path / names[a]) if a in names else a for a in arguments))
    assert result.exit_code == 2
    assert said in result.output


def test_the_key_of_the_example_is_sound(run: Run) -> None:
    result = run("homework", "check", str(EXAMPLE / "homework.toml"))
    assert result.exit_code == 0
    assert "The key is sound." in result.output


OFF = [
    ("a wrong key", 'answer = \'\\delta\'\n', "✗ key δ: incorrect"),
    ("a test answer with another verdict", "[[questions.tests]]\nanswer = '\\delta x^\\top'\nverdict = 'layout'\n", "✗ test δ xᵀ: correct, not layout"),
    ("with another code", "[[questions.tests]]\nanswer = '-\\delta x^\\top'\nverdict = 'incorrect'\ncode = 'factor'\n", "incorrect (sign), not incorrect (factor)"),
]  # fmt: skip


@pytest.mark.parametrize(("_why", "line", "said"), OFF, ids=[row[0] for row in OFF])
def test_a_key_that_is_off_is_found(run: Run, tmp_path: Path, _why: str, line: str, said: str) -> None:
    homework_of(tmp_path, TWO_PARTS + line)
    result = run("homework", "check", str(tmp_path / "homework.toml"))
    assert result.exit_code == 1
    assert said in result.output


def test_a_part_that_does_not_go_through_the_earlier_one_is_found(run: Run, tmp_path: Path) -> None:
    text = TWO_PARTS.replace('wrt = "W"', "wrt = 'y'")
    homework_of(tmp_path, text)
    result = run("homework", "check", str(tmp_path / "homework.toml"))
    assert result.exit_code == 1
    assert "does not go through it" in result.output


def test_wrong_keys_are_shown_being_refused(run: Run, tmp_path: Path) -> None:
    homework_of(tmp_path, TWO_PARTS)
    output = run("homework", "check", str(tmp_path / "homework.toml")).output
    for what in (
        "the sign changed: refused (sign)",
        "transposed: refused (layout)",
        "without the factor δ: refused (shape)",
    ):
        assert what in output


def test_a_key_that_is_zero_has_wrong_keys_that_are_equal_to_it(run: Run, tmp_path: Path) -> None:
    homework_of(tmp_path, "[[questions]]\nid = 'q'\nproblem = 'embedding-table-fixed-rows'\nwrt = 'E_{3\\cdot}'\n")
    result = run("homework", "check", str(tmp_path / "homework.toml"))
    assert result.exit_code == 0
    assert "transposed: equal to the key here" in result.output


def test_variants_are_told(run: Run) -> None:
    result = run("homework", "variants", str(EXAMPLE / "homework.toml"), "ada", "ben")
    assert [line.split("  ")[:3] for line in result.output.splitlines()] == [
        ["ada", "q6", "variant 2"],
        ["ben", "q6", "variant 1"],
    ]
