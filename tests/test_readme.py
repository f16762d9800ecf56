"""Everything that README.md and CONTRIBUTING.md show is run here, as it stands there.

Where what is printed has changed on purpose, `python tests/test_readme.py` writes it into both anew.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from derive.grading.grade import grade

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parent.parent
SCREEN = 65  # lines
DOCUMENTS = ("README.md", "CONTRIBUTING.md")


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a language in a document at the top of the project."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sessions(name: str) -> list[tuple[str, str]]:
    """The commands of the console blocks of a document, each with the output shown."""
    found = []
    for block in blocks(name, "console"):
        parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        found += [(command, shown.strip("\n")) for command, _, shown in (part.partition("\n") for part in parts)]
    return found


def write_examples(folder: Path) -> None:
    """The files that the documents show, and the examples, in a folder in which their commands are run."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    for name in DOCUMENTS:
        for text in blocks(name, "toml"):
            (folder / Path(named(text)).name).write_text(text, encoding="utf-8")


def named(block: str) -> str:
    """The file that the first line of a block names."""
    return block.partition("\n")[0].removeprefix("# ").strip()


SHOWN = [session for name in DOCUMENTS for session in sessions(name)]


@pytest.mark.parametrize(("command", "shown"), SHOWN, ids=[command[:40] for command, _ in SHOWN])
def test_a_command_prints_what_is_shown(
    run: Run, command: str, shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_examples(tmp_path)
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    assert program == "derive"
    assert steady(run(*arguments).output) == steady(shown)


def steady(output: str) -> str:
    """Output without what differs from one machine to the next: the last digits of rounding."""
    return re.sub(r"error \d+e-\d+", "error", output).strip("\n")


def test_the_first_screen_shows_a_derivation_a_right_and_a_wrong_answer() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    screen = "\n".join(text.splitlines()[:SCREEN])
    assert all(
        part in screen for part in ("derive show", "✓ answer  correct", "✗ answer  incorrect", "the derivative is")
    )


def test_the_two_shell_commands() -> None:
    """They are run literally by `.ci/run`; here only what they consist of."""
    grading, testing = blocks("README.md", "sh")
    assert "derive grade examples/homework/homework.toml examples/homework/submissions" in grading
    assert "pytest" in testing
    assert all(command.startswith("python3 -m venv .venv && ") for command in (grading, testing))


def test_the_questions_in_json() -> None:
    lines = [line for block in blocks("README.md", "json") for line in block.splitlines()]
    assert [grade(json.loads(line)).verdict for line in lines] == ["correct"] * len(lines)
    assert lines


def test_links_lead_to_files() -> None:
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
        assert [link for link in links if not (ROOT / link).exists()] == []


# ---------------------------------------------------------------------------------------------- contributing


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project in which files may be added."""
    for name in ("derive", "problems", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cli.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def python(checkout: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=checkout, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def added(checkout: Path, language: str) -> list[str]:
    """Write every block of a language to the file that it names; returns the names."""
    texts = {named(block): block for block in blocks("CONTRIBUTING.md", language)}
    for name, text in texts.items():
        assert not (checkout / name).exists()
        (checkout / name).write_text(text, encoding="utf-8")
    return list(texts)


def test_the_problem_that_contributing_adds(checkout: Path) -> None:
    (name,) = added(checkout, "toml")
    answers = {q["wrt"]: q["answer"] for q in tomllib.loads((checkout / name).read_text(encoding="utf-8"))["questions"]}
    shown = json.loads(python(checkout, "cli.py", "show", Path(name).stem, "--json"))
    assert shown["gradients"] == answers


def test_the_operation_that_contributing_adds(checkout: Path) -> None:
    """It is read, typed, derived, checked, printed and lowered by its record alone."""
    added(checkout, "python")
    problem = {"loss": r"J = u^\top \operatorname{arsinh}(W x)", "symbols": {"u": "n", "W": "n x d", "x": "d"}}
    (checkout / "mine.json").write_text(json.dumps(problem), encoding="utf-8")
    shown = json.loads(python(checkout, "cli.py", "show", "mine.json", "--wrt", "u", "--json"))
    assert shown["gradients"] == {"u": r"\operatorname{arsinh}(W x)"}
    answer = r"W^\top \frac{u}{\sqrt{1 + (Wx)^2}}"
    assert "correct" in python(checkout, "cli.py", "check", "mine.json", "--wrt", "x", answer)
    assert "two independent checks" in python(checkout, "cli.py", "show", "mine.json", "--wrt", "W")
    assert "arcsinh" in python(checkout, "cli.py", "numpy", "mine.json")


def test_the_rule_that_contributing_adds(checkout: Path) -> None:
    added(checkout, "python")
    script = """
from derive.rules.driver import rules, simplify
one = rules()["trace_of_transpose"]
before, after = one.example()
print(one.rewrite(before) == after == simplify(before), one.rewrite(after) is None, one.law)
"""
    assert python(checkout, "-c", script).split(maxsplit=2)[:2] == ["True", "True"]


def refresh() -> None:
    """Write what the commands print into the documents."""
    from click.testing import CliRunner

    from derive.launch import commands

    def filled(block: re.Match[str]) -> str:
        asked = re.findall(r"^\$ (.*)$", block[1], re.MULTILINE)
        results = [CliRunner().invoke(commands(), shlex.split(command)[1:], prog_name="derive") for command in asked]
        parts = [f"$ {command}\n{result.output.strip()}\n" for command, result in zip(asked, results, strict=True)]
        return "```console\n" + "\n".join(parts) + "```"

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_examples(Path(folder))
        for name in DOCUMENTS:
            text = (ROOT / name).read_text(encoding="utf-8")
            text = re.sub(r"^```console\n(.*?)^```$", filled, text, flags=re.MULTILINE | re.DOTALL)
            (ROOT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    refresh()
