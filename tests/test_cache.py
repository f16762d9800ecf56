"""The cache: what is asked again is shown at once, nothing in it can be stale, and nothing depends on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from derive import cache
from derive.launch import commands

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("sympy", "numpy", "mpmath", "rich")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    return tmp_path


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/*") if path.is_file()]


def test_what_was_written_is_read(folder: Path) -> None:
    key = cache.key_of("a", 1, None)
    assert cache.read("things", key) is None
    cache.write("things", key, {"x": [1, None, "é"]})
    assert cache.read("things", key) == {"x": [1, None, "é"]}
    assert cache.read("things", cache.key_of("a", 2, None)) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace("1", "2"),
        lambda text: "\x00" * len(text),
        lambda text: text + "x",
    ],
    ids=["cut off", "empty", "changed", "zeros", "longer"],
)
def test_a_damaged_entry_is_none(folder: Path, damage: object) -> None:
    assert callable(damage)
    key = cache.key_of("a")
    cache.write("things", key, [1, 2, 3])
    path = folder / "things" / key
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert cache.read("things", key) is None
    cache.write("things", key, [1, 2, 3])
    assert cache.read("things", key) == [1, 2, 3]


def test_a_change_of_the_engine_changes_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.key_of("a")
    assert cache.key_of("a") == before
    monkeypatch.setattr(cache, "engine", lambda: "another")
    assert cache.key_of("a") != before


def test_many_writers_leave_one_whole_entry(folder: Path) -> None:
    key = cache.key_of("a")
    values = [[k] * 2000 for k in range(8)]
    threads = [Thread(target=cache.write, args=("things", key, value)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.read("things", key) in values
    assert entries(folder) == [folder / "things" / key]


def test_a_folder_that_cannot_be_written_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv(cache.VARIABLE, str(blocked))
    cache.write("things", cache.key_of("a"), 1)
    assert cache.read("things", cache.key_of("a")) is None
    assert cache.clear() == 0


def test_switched_off_it_keeps_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(cache.VARIABLE, "off")
    cache.write("things", cache.key_of("a"), 1)
    assert cache.folder() is None
    assert not list(tmp_path.rglob("*"))


def test_clearing_leaves_other_files_alone(folder: Path) -> None:
    cache.write("things", cache.key_of("a"), 1)
    mine = folder / "things" / "notes.txt"
    mine.write_text("mine")
    shown = CliRunner().invoke(commands(), ["cache", "clear"])
    assert shown.output == "1 entry is forgotten.\n"
    assert entries(folder) == [mine]


# ------------------------------------------------------------------------------------------------ commands


def run(*arguments: str, folder: Path) -> tuple[str, int, set[str]]:
    """What a command prints, its exit code, and which of the heavy libraries it imported."""
    program = (
        "import sys\n"
        "from derive.launch import commands\n"
        "try:\n"
        "    commands()(prog_name='derive')\n"
        "finally:\n"
        f"    print(*[m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)\n"
    )
    plain = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "TTY_COMPATIBLE")}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**plain, cache.VARIABLE: str(folder), "PYTHONIOENCODING": "utf-8"},
        capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False,
    )  # fmt: skip
    return done.stdout, done.returncode, set(done.stderr.split("\n")[-2].split())


QUESTION = ("check", "softmax-regression", "--wrt", "W")
ASKED_AGAIN = [("--help",), ("list",), ("list", "softmax"), (*QUESTION, r"\delta x^\top"), (*QUESTION, "x y")]


@pytest.mark.parametrize("arguments", ASKED_AGAIN, ids=" ".join)
def test_what_is_asked_again_is_the_same_and_needs_no_engine(arguments: tuple[str, ...], tmp_path: Path) -> None:
    first = run(*arguments, folder=tmp_path)
    again = run(*arguments, folder=tmp_path)
    assert again[:2] == first[:2]
    assert again[2] == set()


def test_a_first_answer_needs_no_sympy(tmp_path: Path) -> None:
    text, code, imported = run(*QUESTION, r"(\hat{y} - y) x^\top", folder=tmp_path)
    assert (code, "sympy" in imported, text[:1]) == (0, False, "✓")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(r"-(y - \hat{y}) x^\top", "✓"), (r"\left(\hat{y} x^T - y x^T\right)", "✓"), (r"(\hat{y} - ", "!"), ("q x", "!")],
)
def test_a_question_asked_before_needs_no_arrays(answer: str, verdict: str, tmp_path: Path) -> None:
    """The first answer fills the cache; others to the same question are read, and right ones told, by themselves."""
    first = run(*QUESTION, r"(y - \hat{y}) x^\top", folder=tmp_path)
    then = run(*QUESTION, answer, folder=tmp_path)
    assert (first[0][:1], then[0][:1]) == ("✗", verdict)
    assert then[2] == set()


def test_a_wrong_answer_is_explained_whether_or_not_the_question_is_known(tmp_path: Path) -> None:
    wrong = (*QUESTION, r"x (\hat{y} - y)^\top + W")
    alone = run(*wrong, folder=tmp_path / "empty")
    run(*QUESTION, r"\delta x^\top", folder=tmp_path / "filled")
    assert run(*wrong, folder=tmp_path / "filled")[:2] == alone[:2]


def test_a_damaged_question_is_judged_anew(tmp_path: Path) -> None:
    run(*QUESTION, r"\delta x^\top", folder=tmp_path)
    (kept,) = (tmp_path / "questions").iterdir()
    kept.write_text(kept.read_text(encoding="utf-8").replace("0", "1"), encoding="utf-8")
    text, code, imported = run(*QUESTION, r"(\hat{y} - y) x^\top", folder=tmp_path)
    assert (text[:1], code, "numpy" in imported) == ("✓", 0, True)


def test_a_changed_problem_is_judged_anew(folder: Path) -> None:
    problem = folder / "mine.toml"
    verdicts = []
    for factor in ("2", "3"):
        problem.write_text(f"loss = 'J = {factor} w^\\top x'\n[symbols]\nw = 'd'\nx = 'd'\n", encoding="utf-8")
        asked = ["check", str(problem), "--wrt", "w", "2 x", "--json"]
        verdicts.append(json.loads(CliRunner().invoke(commands(), asked).stdout)["verdict"])
    assert verdicts == ["correct", "incorrect"]


def test_the_questions_of_one_problem_are_kept_apart(folder: Path) -> None:
    found = {}
    for more in ((), ("--layout", "numerator"), ("--of", r"\hat{y}"), ("--policy", "strict")):
        asked = [*QUESTION[:3], "b", r"\delta", "--json", *more]
        found[more] = json.loads(CliRunner().invoke(commands(), asked).stdout)["verdict"]
    assert found[()] == "correct"
    assert found["--layout", "numerator"] == "layout"
    assert found["--of", r"\hat{y}"] == "incorrect"
