"""`derive show`, `derive gradient` and `derive numpy`: what is derived, printed."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import click

from derive.errors import AuthorError
from derive.gradient.derivation import Derivation, derivation
from derive.indexform.derivation import IndexForm, index_form
from derive.lines import plain
from derive.problem.problem import Problem
from derive.report import derived, doubtful, entrywise
from derive.terminal import console, write


def loaded(name: str) -> Problem:
    """The problem of the catalogue, of a file or of standard input."""
    if name != "-":
        from derive.problem.load import load

        return load(name)
    from derive.adhoc import from_text

    return from_text(sys.stdin.buffer.read())


def show(
    problem: Problem,
    wrt: tuple[str, ...],
    of: str | None,
    layout: str | None,
    hessian: bool,
    by_entries: bool,
    as_json: bool,
) -> bool:
    """Print a derivation; whether everything in it is confirmed."""
    if hessian and of:
        raise click.UsageError("--hessian is of the loss: leave out --of")
    found = derivation(problem, wrt, of, layout, hessian)
    forms = _index_forms(problem, found) if by_entries else []
    if as_json:
        index = {"index": [asdict(form) for form in forms]} if by_entries else {}
        click.echo(json.dumps(plain(found.as_dict() | index), indent=1))
    else:
        write(*derived(problem, found), *(line for form in forms for line in entrywise(form)))
    return not doubtful(found) and all(form.confirmed for form in forms)


def _index_forms(problem: Problem, found: Derivation) -> list[IndexForm]:
    return [index_form(problem, one.wrt, one.of, found.layout) for one in found.gradients]


def gradient(
    loss: str,
    symbols: tuple[str, ...],
    define: tuple[str, ...],
    names: tuple[str, ...],
    wrt: tuple[str, ...],
    of: str | None,
    **asked: Any,
) -> bool:
    """Print the derivation of a loss that is given by options; whether everything in it is confirmed."""
    from derive.adhoc import from_options, given_names

    if loss == "-" and (symbols or define or names):
        raise click.UsageError(
            "the problem on standard input declares its own symbols and names: leave out the options"
        )
    problem = loaded("-") if loss == "-" else from_options(loss, symbols, define, names)
    try:
        return show(problem, wrt or (() if of else given_names(problem)), of, **asked)
    except AuthorError as error:
        raise error.found(f"--{error.where}") if error.where in ("wrt", "of") else error from None


def numpy(problem: Problem, batch: str | None, summed: bool) -> None:
    """Print the lowered source of a problem, or of a batch of examples, coloured on a terminal."""
    from derive.lowering.batch import source_of

    source = source_of(problem, batch, summed)
    if console().is_terminal:
        from rich.syntax import Syntax

        text = Syntax(source, "python", background_color="default").highlight(source)
        text.rstrip()
        write(text)
    else:
        click.echo(source.rstrip("\n"))
