"""Every sheet of the catalogue, in every format: set without a warning, run, read back; with the time it takes.

`python -m benchmarks.sheets` takes all problems, `python -m benchmarks.sheets ID …` some of them.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.readback import read_back
from derive.errors import DeriveError
from derive.problem.files import catalogue
from derive.problem.load import load
from derive.sheets.blocks import Sheet
from derive.sheets.content import Wanted, part_of
from derive.sheets.write import ENDINGS, written

CHUNK = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One problem: seconds for its contents and each format, formulas compared and parsed, what is wrong."""

    name: str
    seconds: dict[str, float]
    equal: int
    parsed: int
    wrong: tuple[str, ...]
    limits: int = 0


def row(name: str) -> Row:
    """The sheets of one problem, checked."""
    seconds, wrong, started = dict[str, float](), list[str](), time.perf_counter()
    problem = load(name)
    part = part_of(problem)
    seconds["contents"] = time.perf_counter() - started
    sheet, problems = Sheet(part.title, (part,)), {part.identifier: problem}
    for ending in ENDINGS:
        started = time.perf_counter()
        try:
            made = written(sheet, ending, problems, Wanted())
        except DeriveError as error:
            wrong.append(f"{ending}: {error}")
            continue
        seconds[ending] = time.perf_counter() - started
        wrong += [f"{ending}: {text}" for text in _failing(json.loads(made))] if ending == ".ipynb" else []
    back = read_back(problem, part, bool(problem.questions) and all(q.layout == "numerator" for q in problem.questions))
    return Row(name, seconds, back.equal, back.parsed, (*wrong, *back.wrong), len(back.limits))


def run_cells(book: dict[str, Any]) -> dict[str, Any]:
    """The names that the cells of a notebook define, run one after the other."""
    names: dict[str, Any] = {}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    return names


def _failing(book: dict[str, Any]) -> Iterator[str]:
    try:
        run_cells(book)
    except (ArithmeticError, AssertionError, LookupError, NameError, TypeError, ValueError) as error:
        yield f"{type(error).__name__}: {error}"


def main(names: Sequence[str]) -> int:
    """Print what is wrong and how long each format takes; the number of sheets with something wrong."""
    started, names = time.perf_counter(), names or sorted(catalogue())
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(row, names, chunksize=CHUNK))
    for one in rows:
        for text in one.wrong:
            print(f"{one.name}: {text}")
    print(f"{len(rows)} sheets in {time.perf_counter() - started:.1f} s on {os.cpu_count()} cores")
    equal, parsed, limits = (sum(getattr(r, key) for r in rows) for key in ("equal", "parsed", "limits"))
    print(f"{equal} formulas have the value that they claim, {parsed} are parsed, {limits} are not read yet")
    for kind in ("contents", *ENDINGS):
        taken = [r.seconds[kind] for r in rows if kind in r.seconds]
        print(f"{kind:>9}: {sum(taken):6.1f} s, {1000 * max(taken, default=0):.0f} ms at most")
    return sum(bool(r.wrong) for r in rows)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
