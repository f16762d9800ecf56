"""Everything that README.md and CONTRIBUTING.md show is run here, as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from derive.grading.grade import grade

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parent.parent
SCREEN = 60  # lines


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


SHOWN = [*sessions("README.md"), *sessions("CONTRIBUTING.md")]


@pytest.mark.parametrize(("command", "shown"), SHOWN, ids=[command[:40] for command, _ in SHOWN])
def test_a_command_prints_what_is_shown(
    run: Run, command: str, shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for number, text in enumerate(blocks("CONTRIBUTING.md", "toml")):
        (tmp_path / f"example-{number}.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    assert program == "derive"
    assert run(*arguments).output.strip("\n") == shown


def test_the_first_screen_shows_a_derivation_a_right_and_a_wrong_answer() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    screen = "\n".join(text.splitlines()[:SCREEN])
    assert all(part in screen for part in ("derive show", "✓ answer  correct", "✗ answer  incorrect", "the derivative is"))


def test_the_two_shell_commands() -> None:
    """They are run literally by `.ci/run`; here only what they consist of."""
    grading, testing = blocks("README.md", "sh")
    assert "derive grade examples/homework.jsonl" in grading
    assert "pytest" in testing
    assert all(command.startswith("python3 -m venv .venv && ") for command in (grading, testing))


def test_the_questions_in_json() -> None:
    lines = [line for block in blocks("README.md", "json") for line in block.splitlines()]
    assert [grade(json.loads(line)).verdict for line in lines] == ["correct"] * len(lines)
    assert lines


def test_links_lead_to_files() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
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
    """Write every block whose first line names its file; returns the names."""
    names = []
    for block in blocks("CONTRIBUTING.md", language):
        first, _, rest = block.partition("\n")
        name = first.removeprefix("# ").strip()
        assert not (checkout / name).exists()
        (checkout / name).write_text(rest, encoding="utf-8")
        names.append(name)
    return names


def test_the_operation_the_rule_and_the_problem_that_contributing_adds(checkout: Path) -> None:
    assert len(added(checkout, "python")) == 2
    (problem,) = added(checkout, "toml")
    for question in (ROOT / "CONTRIBUTING.md", problem):
        assert question
    identifier = Path(problem).stem
    shown = json.loads(python(checkout, "cli.py", "show", identifier, "--json"))
    assert shown["gradients"]
