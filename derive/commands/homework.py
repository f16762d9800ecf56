"""`derive grade HOMEWORK.toml`, `derive homework` and `derive export`: homework graded, checked and packed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import RenderableType
from rich.text import Text

from derive.errors import AuthorError
from derive.homework.check import Checked, check
from derive.homework.config import read_homework
from derive.homework.grading import Progress, graded
from derive.homework.marks import Graded
from derive.homework.model import Homework
from derive.homework.reports import asked, number
from derive.homework.results import BASE, VERDICTS, write_results
from derive.homework.store import Store
from derive.homework.submissions import Submission, read_submissions
from derive.plaintext import clean, readable, short
from derive.terminal import console, heading, indented, table, write
from derive.verdicts import LOOKS

MOST_SHOWN = 60


def grade(
    file: Path,
    policy: str | None,
    as_json: bool,
    submissions: Sequence[str],
    out: str | None,
    student: str | None,
    workers: int | None,
    canvas: str | None,
    moodle: str | None,
) -> Iterable[str]:
    """Grade submissions, write the results, and show an overview (or the verdicts); the verdicts that there were."""
    if not submissions or not out:
        raise click.UsageError("a homework needs submissions (files, folders, zip archives) and --out FOLDER")
    if policy:
        raise click.UsageError('the policy of a homework stands in its file: policy = "lenient"')
    homework, folder = read_homework(file), Path(out)
    platforms = [Path(path) if path else None for path in (canvas, moodle)]
    handed = read_submissions(homework, [Path(path) for path in submissions], student or "")
    found, notes = _graded(homework, handed, folder, workers, *platforms)
    if as_json:
        click.echo((folder / VERDICTS).read_text(encoding="utf-8"), nl=False)
    else:
        write(*_overview(homework, found, notes, folder))
    return {str(m.verdict["verdict"]) for g in found for m in g.marks if m.verdict["verdict"] != "missing"}


def _graded(
    homework: Homework,
    submissions: Sequence[Submission],
    out: Path,
    workers: int | None,
    canvas: Path | None,
    moodle: Path | None,
) -> tuple[list[Graded], list[str]]:
    """The marks, and what should be said of the files that were written."""
    if not submissions:
        raise AuthorError("nothing was handed in there")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise AuthorError(f"the folder cannot be made: {problem}", str(out)) from None
    with Store(out / BASE) as store, _progress() as told:
        found = graded(homework, submissions, store, workers, told)
        return found, write_results(out, homework, found, store, canvas, moodle)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on standard error while answers are judged; nothing where that is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = console(sys.stderr)
    bar = Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal)
    tasks: dict[str, int] = {}

    def told(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total)
        bar.update(tasks[stage], completed=done)  # type: ignore[arg-type]

    with bar:
        yield told


def _overview(homework: Homework, found: Sequence[Graded], notes: Sequence[str], out: Path) -> Iterator[RenderableType]:
    yield heading(homework.title)
    rows = []
    for one in found[:MOST_SHOWN]:
        signs = Text(" ").join(_sign(str(m.verdict["verdict"]), m.carried) for m in one.marks)
        points = f"{number(one.points)} of {number(homework.points)}"
        points += f"   {len(one.unassigned)} unassigned" if one.unassigned else ""
        rows.append((Text(short(one.student), "bold"), signs, Text(points)))
    yield table(rows)
    if len(found) > MOST_SHOWN:
        yield Text(f"  … and {len(found) - MOST_SHOWN} more students", "dim")
    counts = Counter(str(m.verdict["verdict"]) for g in found for m in g.marks)
    parts = ", ".join(f"{counts[name]} {name}" for name in (*LOOKS, "missing") if counts[name])
    mean = sum(g.points for g in found) / len(found)
    yield Text(f"\n{len(found)} students, mean {mean:.2f} of {number(homework.points)} points; answers: {parts}")
    for note in notes:
        yield Text(f"  {clean(note)}", "yellow")
    yield Text(f"Reports, tables and files for platforms are in {clean(str(out))}")


def _sign(verdict: str, carried: bool) -> Text:
    if carried:
        return Text("→", "yellow")
    sign, colour = LOOKS.get(verdict, ("–", "dim"))
    return Text(sign, colour)


def show_check(file: str) -> bool:
    """Print what the key's check finds, question by question; whether everything is as it should be."""
    homework = read_homework(Path(file))
    write(heading(homework.title))
    good = True
    for one in check(homework):
        write(*_checked(one))
        good = good and one.good
    last = "The key is sound." if good else "Something is off: see the lines with ✗."
    write(Text(f"\n{last}", "bold green" if good else "bold red"))
    return good


def _checked(one: Checked) -> Iterator[RenderableType]:
    variant = f", variant {one.number + 1}" if len(one.question.variants) > 1 else ""
    yield Text.assemble("\n", (f"{one.question.id}{variant}", "bold"), f"  {clean(asked(one.variant))}")
    if one.answer:
        yield indented(Text.assemble((readable(one.answer), "green"), "   ", (one.answer, "cyan")))
    for line in one.lines:
        sign = ("✓ ", "green") if line.good else ("✗ ", "bold red")
        yield indented(Text.assemble(sign, f"{short(readable(line.what))}: ", short(line.found)))


def variants(file: str, students: Sequence[str]) -> None:
    """Print which variant of each question each student gets."""
    homework = read_homework(Path(file))
    several = [q for q in homework.questions if len(q.variants) > 1]
    if not several:
        write(Text("No question has variants."))
    for student in students:
        for question in several:
            chosen = homework.variant(question, student)
            said = f"{student}  {question.id}  variant {chosen + 1}  {asked(question.variants[chosen])}"
            write(Text(clean(said), no_wrap=True))


def export_gradescope(file: str, out: str) -> None:
    """Write the autograder's zip."""
    from derive.homework.autograder import autograder

    homework = read_homework(Path(file))
    content = autograder(homework)
    try:
        Path(out).write_bytes(content)
    except OSError as problem:
        raise AuthorError(f"the file cannot be written: {problem}", out) from None
    click.echo(f"{out}: {len(content):,} bytes; upload it as the autograder of {homework.title!r}")
