"""How many answers are graded in a second: `python -m benchmarks.grading [FILE]`.

FILE has a question with an answer in each line, as `derive grade` reads it; without it the catalogue's questions are
asked, with right and wrong answers made of the closed forms.  First every question is warmed up with a right and a
wrong answer of its own; then each answer of FILE is graded once, which is what is timed: none has been seen before.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.grading.asking import ask, problem_of
from derive.grading.grade import grade
from derive.grading.reference import reference
from derive.homework.mutants import mutants
from derive.printing.latex import latex
from derive.problem.files import catalogue
from derive.problem.load import load

MILLION = 1e6
QUESTION = ("problem", "wrt", "of", "layout", "policy", "preamble")
SPELLINGS = ("{}", r"\left( {} \right)", r"\nabla = {}")


def main() -> None:
    """Grade all, and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", nargs="?", type=Path, help="questions with answers, JSON lines")
    options.add_argument("--repeats", type=int, default=200_000, help="how often known answers are graded again")
    given = options.parse_args()
    questions = read(given.file) if given.file else made_up()
    warm_up(questions)
    times, again = timed(questions), repeated(questions, given.repeats)
    print(table(times, again))
    found = [f"{resident():.0f} MB after these"]
    for stage in (1, 2):
        graded = more(questions[::4], stage)
        found.append(f"{resident():.0f} MB after {stage * graded:,} others")
    print(f"\nThe most memory in use: {', '.join(found)}.")


def read(file: Path) -> list[dict[str, Any]]:
    """The questions of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def made_up() -> list[dict[str, Any]]:
    """Right and wrong answers to every question of the catalogue."""
    found = []
    for name in sorted(catalogue()):
        for asked in load(name).questions:
            question = {"problem": name, "wrt": asked.wrt, "of": asked.of, "layout": asked.layout}
            closed = ask(load(name), asked.wrt, asked.of, asked.layout).closed()
            right = [spelling.format(text) for text in (asked.answer,) for spelling in SPELLINGS]
            wrong = [latex(mutant) for _, mutant in mutants(closed)] if closed is not None else []
            found += [{**question, "answer": answer} for answer in (*right, *wrong)]
    return found


def warm_up(questions: Iterable[Mapping[str, Any]]) -> None:
    """Let the references of all questions be made, and two answers graded that are not among those to be timed."""
    seen = set[str]()
    for question in questions:
        part = {key: question[key] for key in QUESTION if key in question}
        if (key := repr(part)) in seen:
            continue
        seen.add(key)
        asked = ask(problem_of(part["problem"]), part["wrt"], part.get("of", ""), part.get("layout"))
        with suppress(EvaluationError):  # where a root or a quotient has no value modulo a prime
            reference(asked).values("modular")
        closed = asked.closed()
        if closed is not None:
            for factor in (1, 7):
                grade({**part, "answer": rf"\left[\;{latex(b.scale(factor, closed))}\;\right]"})


def timed(questions: Iterable[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Seconds for each answer, by what is said of it."""
    found: dict[str, list[float]] = defaultdict(list)
    for question in questions:
        start = time.process_time()
        verdict = grade(question)
        found[verdict.verdict].append(time.process_time() - start)
    return found


def repeated(questions: Sequence[Mapping[str, Any]], count: int) -> float:
    """Seconds for an answer that was graded before."""
    few = questions[:1000]
    for question in few:
        grade(question)
    start = time.process_time()
    for k in range(count):
        grade(few[k % len(few)])
    return (time.process_time() - start) / count


def more(questions: Sequence[Mapping[str, Any]], stage: int) -> int:
    """Grade answers that are all new, more of them than any memory holds; their number."""
    rounds = 25_000 // len(questions)
    for k in range(rounds):
        for question in questions:
            grade({**question, "answer": f"{question['answer']} {stage * rounds + k}"})
    return rounds * len(questions)


def resident() -> float:
    """The most memory that was used so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(times: Mapping[str, list[float]], again: float) -> str:
    """The table in Markdown."""
    everything = [t for found in times.values() for t in found]
    rows = [*sorted(times.items()), ("all", everything)]
    lines = ["| verdict | answers | median µs | mean µs | a second |", "| --- | --- | --- | --- | --- |"]
    for name, found in rows:
        mean = sum(found) / len(found)
        lines.append(
            f"| {name} | {len(found):,} | {MILLION * median(found):,.0f} | {MILLION * mean:,.0f} | {1 / mean:,.0f} |"
        )
    return "\n".join([*lines, f"| graded before | | | {MILLION * again:.2f} | {1 / again:,.0f} |"])


if __name__ == "__main__":
    main()
