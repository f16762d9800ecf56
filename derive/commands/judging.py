"""`derive check` and `derive grade`: answers judged, printed.

What `check` found is kept in the cache under the problem's text and the question: asked again, it is shown without
importing the engine.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from derive import cache
from derive.problem.files import catalogue

if TYPE_CHECKING:
    from derive.problem.problem import Problem

Found = dict[str, Any]
Safely = Callable[[Any, Callable[[], Found]], Found]


def check(
    problem: str,
    answer: str,
    question: tuple[str, str, str | None, str | None],
    as_json: bool,
    safely: Safely,
) -> str:
    """Print the verdict on one answer; the verdict.  `question` is the variable, `of`, the layout, the policy."""
    text = answer.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    path = _path(problem)
    key = path and cache.key_of("check", path.name, path.read_bytes().hex(), *question, text)
    found = cache.read("verdicts", key) if key else None
    if not isinstance(found, dict):
        found = safely(None, _question(problem, path, text, question))
        if key and found["code"] != "internal":
            cache.write("verdicts", key, found)
    emit(found, "answer", as_json, details=True)
    return str(found["verdict"])


def _path(problem: str) -> Path | None:
    """The file that a problem stands in, if it can be read; None for standard input."""
    path = catalogue().get(problem) or Path(problem)
    return path if problem != "-" and path.is_file() else None


def _question(
    problem: str, path: Path | None, text: str, question: tuple[str, str, str | None, str | None]
) -> Callable[[], Found]:
    """The question, read; an `AuthorError` where it cannot be asked."""
    from derive.errors import AuthorError
    from derive.grading.asking import ask
    from derive.grading.grade import judge
    from derive.grading.kept import Kept

    wrt, of, layout, policy = question
    home = _loaded(problem)
    try:
        asked = ask(home, wrt, of, layout)
    except AuthorError as error:
        raise error.at("standard input" if problem == "-" else problem) from None
    key = path and cache.key_of("question", path.name, path.read_bytes().hex(), wrt, of, layout)
    found = cache.read("questions", key) if key else None
    kept = Kept(found) if found else None
    asked = asked._replace(policy=policy or asked.policy, kept=kept)

    def judged() -> Found:
        verdict = judge(None, asked, text).as_dict()
        if key and found is None and cache.folder() is not None and verdict["verdict"] != "unreadable":
            from derive.grading.keeping import keep

            cache.write("questions", key, keep(asked))
        return verdict

    return judged


def _loaded(problem: str) -> Problem:
    if problem == "-":
        from derive.commands.deriving import loaded

        return loaded(problem)
    from derive.problem.load import load

    return load(problem)


def grade(
    file: BinaryIO, policy: str | None, as_json: bool, safely: Safely, homework: Mapping[str, Any]
) -> Iterable[str]:
    """Print the verdicts on the lines of a file; the verdicts that there were.  A TOML file is a homework."""
    if str(getattr(file, "name", "")).endswith(".toml"):
        from derive.commands import homework as whole

        return whole.grade(Path(file.name), policy, as_json, **homework)
    if given := [name for name, value in homework.items() if value]:
        raise click.UsageError(f"{given[0]} belongs to a homework: FILE is then a .toml file")
    from derive.lines import read_lines

    verdicts, score = Counter[str](), 0.0
    for line in read_lines(file):
        found = safely(line.identifier, partial(_graded, line, policy))
        verdicts[found["verdict"]] += 1
        score += found["score"]
        emit(found, f"line {line.number}", as_json)
    if not as_json:
        from derive.report import summary
        from derive.terminal import write

        write(summary(verdicts, score))
    return verdicts


def _graded(line: Any, policy: str | None) -> Found:
    from derive.grading.grade import grade as judged
    from derive.grading.verdict import reported

    if line.question is None:
        return reported(line.identifier, "bad-line", line.error, line=line.number).as_dict()
    return judged({"policy": policy, **line.question} if policy else line.question).as_dict()


def emit(found: Mapping[str, Any], place: str, as_json: bool, details: bool = False) -> None:
    """One verdict: a line of JSON, or what a person reads."""
    if as_json:
        click.echo(json.dumps(found))
    elif _coloured():
        from derive.report import judged
        from derive.terminal import write

        write(*judged(found, place, details))
    else:
        from derive.plaintext import printed
        from derive.verdicts import layout_of, plain

        printed(plain(layout_of(found, place, details)))


def _coloured() -> bool:
    """Whether standard output shows colours, for which a library is imported."""
    return sys.stdout.isatty() or any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))
