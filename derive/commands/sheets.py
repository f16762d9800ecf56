"""`derive sheet`: derivation sheets as PDF, HTML, TeX, Markdown and notebooks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import click

from derive.commands.deriving import loaded
from derive.errors import AuthorError, DeriveError
from derive.plaintext import counted
from derive.problem.problem import Problem
from derive.sheets.blocks import Part, Sheet
from derive.sheets.content import Wanted, part_of
from derive.sheets.write import ending_of, written

EACH, FEW, TOGETHER = "{id}", 3, 4
ONLY = "wrt="


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made: `each` are names with `{id}`, one file a problem; `whole` hold all problems."""

    wanted: Wanted
    title: str
    each: tuple[str, ...]
    whole: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one problem: its parts, with answers where they are hidden elsewhere, or an error."""

    parts: tuple[Part, ...] = ()
    error: str = ""
    files: int = 0


def sheet(
    problems: Sequence[str],
    output: Sequence[str],
    title: str,
    only: Sequence[str],
    answers: str,
    at: str,
    everything: bool,
) -> None:
    """Write the sheets of some problems, or of the whole catalogue, to every file that is named."""
    if everything == bool(problems):
        raise click.UsageError("name the problems, or ask for --all of the catalogue")
    if everything:
        from derive.problem.files import catalogue

        problems = sorted(catalogue())
    wrong = [text for text in only if not text.startswith(ONLY) or not text.removeprefix(ONLY).strip()]
    if wrong:
        raise click.UsageError(f"--only takes wrt=VARIABLE, not {wrong[0]}")
    for name in output:
        ending_of(name)
    wanted = Wanted(tuple(text.removeprefix(ONLY).strip() for text in only), answers != "hide", at)
    each = tuple(name for name in output if EACH in name)
    order = Order(wanted, title, each, tuple(name for name in output if EACH not in name))
    parts, files = [], 0
    for name, made in zip(problems, _all(problems, order), strict=True):
        if made.error:
            raise AuthorError(made.error, name)
        parts.append(made.parts)
        files += made.files
    files += sum(_whole(parts, problems, order, name) for name in order.whole)
    click.echo(f"{counted(len(problems), 'problem')}, {counted(files, 'file')}.", err=True)


def _all(problems: Sequence[str], order: Order) -> Iterator[Made]:
    """Each problem's parts, on all cores where there are many."""
    if len(problems) <= FEW:
        yield from (_one(name, order) for name in problems)
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(_one, problems, [order] * len(problems), chunksize=TOGETHER)


def _one(name: str, order: Order) -> Made:
    """One problem: what stands on its sheet, and the files of its own."""
    try:
        problem = loaded(name)
        kept = replace(part_of(problem, order.wanted), identifier=problem.identifier or name)
        solved = kept if order.wanted.answers else part_of(problem, replace(order.wanted, answers=True))
        parts = (kept, replace(solved, identifier=kept.identifier))
        files = 0
        for pattern in order.each:
            output = pattern.replace(EACH, Path(kept.identifier).stem)
            files += _write(output, order, (parts,), {kept.identifier: problem})
    except DeriveError as error:
        return Made(error=str(error))
    return Made(parts, files=files)


def _whole(parts: Sequence[tuple[Part, ...]], names: Sequence[str], order: Order, output: str) -> int:
    """A file with all problems, and that of their solutions."""
    problems: dict[str, Problem] = {}
    if ending_of(output) == ".ipynb":
        problems = {kept.identifier: loaded(name) for (kept, _), name in zip(parts, names, strict=True)}
    return _write(output, order, parts, problems)


def _write(output: str, order: Order, parts: Sequence[tuple[Part, ...]], problems: dict[str, Problem]) -> int:
    """Write a sheet, and its solution where the answers are hidden; how many files that is."""
    first, wanted = parts[0][0], order.wanted
    title = order.title or (first.title if len(parts) == 1 else "Derivations")
    _save(Path(output), Sheet(title, tuple(kept for kept, _ in parts)), problems, wanted)
    if wanted.answers:
        return 1
    path = Path(output)
    solution = Sheet(f"{title}: solution", tuple(solved for _, solved in parts))
    _save(path.with_name(f"{path.stem}-solution{path.suffix}"), solution, problems, replace(wanted, answers=True))
    return 2


def _save(path: Path, sheet: Sheet, problems: dict[str, Problem], wanted: Wanted) -> None:
    made = written(sheet, ending_of(path.name), problems, wanted)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made)
    except OSError as error:
        raise AuthorError(f"cannot be written: {error.strerror}", str(path)) from None
