"""A class of 1 000 students and 12 questions: graded, then killed ten times at random moments and resumed.

    python benchmarks/homework.py [--students 1000] [--kills 10] [--folder FOLDER]

Right and wrong answers to twelve questions of the catalogue are handed in as LaTeX, Markdown, notebooks and JSON. The
files of results of the disturbed run must be those of the undisturbed one, byte for byte.  Exit code 1 if they are not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from derive.grading.asking import ask
from derive.homework.mutants import mutants
from derive.printing.latex import latex
from derive.problem.load import by_identifier

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = (
    ("softmax-regression", "z"), ("softmax-regression", "W"), ("softmax-regression", "x"),
    ("logistic-regression", "w"), ("logistic-regression", "b"), ("negative-sampling", "v_c"),
    ("negative-sampling", "u_o"), ("max-margin-window", "U"), ("max-margin-window", "x_c"),
    ("sigmoid-softmax-network", "W_1"), ("sigmoid-softmax-network", "x"), ("ridge-regression", "w"),
)  # fmt: skip
AFTER = {"q2": "q1", "q3": "q1"}
SPELLINGS = ("{}", r"\left({}\right)", r"\nabla J = {}", r"\boldsymbol{{ {} }}", "{} .")
RIGHT, MISSING = 0.55, 0.05


def forms(problem: str, wrt: str) -> tuple[list[str], list[str]]:
    """Right and wrong answers to a question."""
    asked = ask(by_identifier(problem), wrt)
    key = asked.closed()
    assert key is not None
    right = [spelling.format(latex(key)) for spelling in SPELLINGS]
    wrong = [latex(mutant) for _, mutant in mutants(key)] + ["0", rf"\left( {latex(key)}", r"q + \foo", "no idea"]
    return right, wrong


def homework() -> str:
    """The homework's file."""
    lines = ['title = "A large class"', ""]
    for number, (problem, wrt) in enumerate(QUESTIONS, 1):
        lines += ["[[questions]]", f'id = "q{number}"', f'problem = "{problem}"', f"wrt = '{wrt}'", "points = 2"]
        lines += [f'after = "{AFTER[f"q{number}"]}"'] if f"q{number}" in AFTER else []
    return "\n".join(lines) + "\n"


def generate(folder: Path, students: int) -> None:
    """The homework and the submissions, the same in every run."""
    rng = random.Random(20_240_901)
    choices = [forms(*question) for question in QUESTIONS]
    (folder / "homework.toml").write_text(homework(), encoding="utf-8")
    handed = folder / "submissions"
    handed.mkdir()
    for k in range(students):
        answers = {}
        for number, (right, wrong) in enumerate(choices, 1):
            if rng.random() >= MISSING:
                answers[f"q{number}"] = rng.choice(right if rng.random() < RIGHT else wrong)
        suffix, text = written(k % 4, answers)
        (handed / f"student-{k:04d}{suffix}").write_text(text, encoding="utf-8")


def written(kind: int, answers: dict[str, str]) -> tuple[str, str]:
    """Answers in one of four formats."""
    if kind == 0:
        parts = (f"\\begin{{answer}}{{{q}}}\n\\[ {text} \\]\n\\end{{answer}}\n" for q, text in answers.items())
        return ".tex", "\\begin{document}\n" + "".join(parts) + "\\end{document}\n"
    if kind == 1:
        return ".md", "".join(f"## Question {q}\n\n$$ {text} $$\n\n" for q, text in answers.items())
    if kind == 2:
        cells = [
            {"cell_type": "markdown", "id": q, "metadata": {}, "source": f"# {q}\n$${text}$$"}
            for q, text in answers.items()
        ]
        return ".ipynb", json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    return ".json", json.dumps(answers)


def start(folder: Path, out: Path) -> subprocess.Popen[bytes]:
    """One run of the command."""
    command = [sys.executable, str(ROOT / "cli.py"), "grade", "homework.toml", "submissions", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)


def finished(folder: Path, out: Path) -> float:
    """The seconds of a run that is left alone."""
    began = time.perf_counter()
    code = start(folder, out).wait()
    if code not in (0, 1, 3):
        raise SystemExit(f"derive grade ended with exit code {code}")
    return time.perf_counter() - began


def contents(out: Path) -> Iterator[tuple[str, str]]:
    """All files of results with the digests of their bytes, and what the base holds of the answers."""
    for path in sorted(out.rglob("*")):
        if path.is_file() and not path.name.startswith("results.sqlite"):
            yield path.relative_to(out).as_posix(), sha256(path.read_bytes()).hexdigest()
    base = sqlite3.connect(out / "results.sqlite")
    for table, key in (("verdicts", "key"), ("answers", "student, question")):
        rows = base.execute(f"select * from {table} order by {key}").fetchall()
        yield table, sha256(repr(rows).encode()).hexdigest()
    base.close()


def main() -> int:
    """Run it all; 0 if both runs left the same bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="derive-class-"))
    folder.mkdir(parents=True, exist_ok=True)
    generate(folder, given.students)
    seconds = finished(folder, folder / "undisturbed")
    expected = dict(contents(folder / "undisturbed"))
    print(f"{given.students} students x {len(QUESTIONS)} questions: {seconds:.1f} s, {len(expected)} files and tables")
    rng = random.Random(7)
    for number in range(1, given.kills + 1):
        run, moment = start(folder, folder / "killed"), rng.uniform(0.2, 0.9 * seconds)
        try:
            run.wait(moment)
            print(f"  {number:>2}: was done after less than {moment:.1f} s")
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
            print(f"  {number:>2}: killed after {moment:.1f} s")
    print(f"resumed: {finished(folder, folder / 'killed'):.1f} s")
    found = dict(contents(folder / "killed"))
    different = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    print("the same, byte for byte" if not different else f"different: {', '.join(different[:10])}")
    print(folder)
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())
