"""Answers in Jupyter notebooks: nbgrader's cells by `grade_id`, other Markdown cells by headings.  Nothing is run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from derive.homework.document import Assembler, Event, Found
from derive.homework.macros import macros_of
from derive.homework.markdown import events, with_macros
from derive.homework.naming import Names
from derive.homework.needs import needed

LATEX_CELL = "%%latex"


def read_notebook(text: str, names: Names, name: str) -> Found:
    """The answers of a notebook; a file that is none is a note."""
    nbformat = needed("nbformat")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of missing cell ids and the like, which do not matter here
            notebook = nbformat.reads(text, as_version=4)
        cells = list(notebook.cells)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, nbformat.ValidationError) as problem:
        return Found(notes=[f"{name}: this is no notebook that can be read ({type(problem).__name__})"])
    found = Assembler(names, name)
    macros: dict[str, str] = {}
    for number, cell in enumerate(cells, 1):
        source = _source(cell)
        macros |= macros_of(source)
        found.name = f"{name}, cell {number}"
        found.take(_events(cell, source, names))
    return with_macros(found.finish(), macros)


def _source(cell: Any) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _events(cell: Any, source: str, names: Names) -> Iterator[Event]:
    key = _key(cell, names)
    latex = source.startswith(LATEX_CELL)
    if cell.get("cell_type") == "code" and not latex:
        if key and source.strip():
            yield Event("open", key, 1)
            yield Event("prose", source, 1)
            yield Event("close", "", 1)
        return
    inside = events(source.removeprefix(LATEX_CELL), names)
    if key is None:
        yield from inside
        return
    yield Event("open", key, 1)
    yield from (e for e in inside if e.kind not in ("open", "close"))
    yield Event("close", "", 1)


def _key(cell: Any, names: Names) -> str | None:
    """The question of a cell that nbgrader hands out to be answered."""
    marked = cell.get("metadata", {}).get("nbgrader", {})
    if not isinstance(marked, dict) or not (marked.get("solution") or marked.get("grade")):
        return None
    identifier = str(marked.get("grade_id", ""))
    return identifier if names.label(identifier) or names.find(identifier) else None
