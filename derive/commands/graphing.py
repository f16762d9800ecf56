"""`derive graph`: the computation graph of a problem, as rows of text or as a picture."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.text import Text

from derive.errors import AuthorError
from derive.graph.model import graph_of
from derive.graph.numbers import at, parse
from derive.graph.svg import svg
from derive.graph.text import HEAD, HEAD_WITHOUT, rows
from derive.problem.problem import Problem
from derive.terminal import table, write

COLOURS = ("bold", "", "blue", "red", "dim")


def show(problem: Problem, numbers: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """Print the graph, or write its picture to a file.  Raises `AuthorError` for numbers that do not fit."""
    graph, flow = graph_of(problem)
    if numbers:
        graph = at(problem, graph, flow, parse(",".join(numbers)))
    if out is not None:
        try:
            Path(out).write_text(svg(graph) + "\n", encoding="utf-8")
        except OSError as error:
            raise AuthorError(f"the picture cannot be written: {error}", out) from None
    elif as_json:
        click.echo(json.dumps(asdict(graph), indent=1))
    else:
        head = tuple(Text(name, "dim") for name in (HEAD if numbers else HEAD_WITHOUT))
        body = (tuple(Text(cell, style) for cell, style in zip(row, COLOURS, strict=True)) for row in rows(graph))
        write(Text(graph.title or "Computation graph", "bold"), table((head, *body)))
