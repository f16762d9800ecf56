"""The commands: what is asked goes to the engine, what comes back is shown.  No mathematics here."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from rich.text import Text

from derive import __version__
from derive.errors import AuthorError, DeriveError
from derive.lines import Line, plain, read_lines
from derive.report import derived, doubtful, entrywise, judged, summary
from derive.terminal import clean, console, table, write

if TYPE_CHECKING:
    from derive.gradient.derivation import Derivation
    from derive.indexform.derivation import IndexForm
    from derive.problem.problem import Problem

ALL_RIGHT, NOT_RIGHT, UNUSABLE, NOT_JUDGED = range(4)


POLICY = click.option(
    "--policy",
    type=click.Choice(("strict", "usual", "lenient")),
    help="How much is read leniently; what is, is always said.  [default: usual]",
)


LAYOUT = click.option(
    "--layout",
    type=click.Choice(("shape", "numerator")),
    help="The layout: gradients in the shape of their variables, or transposed throughout.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead.")
INDEX = click.option(
    "--index",
    "by_entries",
    is_flag=True,
    help="The index form too: one entry first, with sums and Kronecker deltas.",
)
HESSIAN = click.option("--hessian", is_flag=True, help="The second derivatives of the loss too.")


class Commands(click.Group):
    """A group whose commands end with exit code 2 where a problem cannot be used."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DeriveError as problem:
            _complain(problem)
            ctx.exit(UNUSABLE)


@click.group(
    cls=Commands,
    epilog="Exit codes: 0 all right; 1 some answer is not right; 2 wrong usage, or a problem that cannot be read; "
    "3 some answer could not be read or decided, and none was wrong.",
)
@click.version_option(__version__, prog_name="derive")
def commands() -> None:
    """Derive gradients to their textbook form, check them, and grade LaTeX answers against them.

    PROBLEM is the id of a problem in the catalogue, a TOML or JSON file, or - for standard input.
    """


# ----------------------------------------------------------------------------------------- the catalogue


@commands.command("list")
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead.")
def list_(words: tuple[str, ...], as_json: bool) -> None:
    """Show the catalogue, or what of it has all the WORDS in its id, title, topic or source."""
    rows = [row for row in _catalogue() if all(word.lower() in " ".join(row.values()).lower() for word in words)]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for topic in dict.fromkeys(row["topic"] for row in rows):
        mine = [(Text(row["id"], "cyan"), Text(row["title"])) for row in rows if row["topic"] == topic]
        write(Text(f"\n{topic}", "bold"), table(mine))
    end = "`derive show ID` derives the gradients of one" if rows else "no problem has these words"
    write(Text(f"\n{len(rows)} problems; {end}.", "dim"))


def _catalogue() -> Iterable[dict[str, str]]:
    from derive.problem.load import catalogue, parse_toml

    for identifier, path in sorted(catalogue().items(), key=lambda item: (item[1].parent.name, item[0])):
        try:
            keys = parse_toml(path.read_text(encoding="utf-8"), path.name)
        except AuthorError as problem:
            _complain(problem)
            continue
        title, source, loss = (str(keys.get(key, "")) for key in ("title", "source", "loss"))
        yield {"id": identifier, "title": title, "topic": path.parent.name, "source": source, "loss": loss}


# --------------------------------------------------------------------------------------------- deriving


@commands.command()
@click.argument("problem")
@click.option("--wrt", multiple=True, help="A variable: a symbol, a defined name, an entry, a member. Repeatable.")
@click.option("--of", help="What is differentiated, if not the loss.")
@LAYOUT
@HESSIAN
@INDEX
@AS_JSON
@click.pass_context
def show(ctx: click.Context, /, problem: str, **asked: Any) -> None:
    """Derive the gradients of PROBLEM: forward computation, backward steps, closed forms, checks.

    With --hessian also the Hessian with respect to each --wrt and the mixed second derivatives of each two;
    where a matrix is among the variables, the product with a direction V.
    """
    _show(ctx, _loaded(problem), **asked)


def _show(
    ctx: click.Context,
    loaded: Problem,
    wrt: tuple[str, ...],
    of: str | None,
    layout: str | None,
    hessian: bool,
    by_entries: bool,
    as_json: bool,
) -> None:
    from derive.gradient.derivation import derivation

    if hessian and of:
        raise click.UsageError("--hessian is of the loss: leave out --of")
    found = derivation(loaded, wrt, of, layout, hessian)
    forms = _index_forms(loaded, found) if by_entries else []
    if as_json:
        index = {"index": [asdict(form) for form in forms]} if by_entries else {}
        click.echo(json.dumps(plain(found.as_dict() | index), indent=1))
    else:
        write(*derived(loaded, found), *(line for form in forms for line in entrywise(form)))
    confirmed = not doubtful(found) and all(form.confirmed for form in forms)
    ctx.exit(ALL_RIGHT if confirmed else NOT_JUDGED)


def _index_forms(loaded: Problem, found: Derivation) -> list[IndexForm]:
    from derive.indexform.derivation import index_form

    return [index_form(loaded, one.wrt, one.of, found.layout) for one in found.gradients]


@commands.command(
    context_settings={"ignore_unknown_options": True},
    epilog="\b\n"
    r"""Example:
  derive gradient 'J = -y^\top \log \hat{y}' --wrt W \
    --symbol 'W = C x d' --symbol 'x = d' --symbol 'y = C, one-hot' \
    --define 'z = W x' --define '\hat{y} = \operatorname{softmax}(z)' --name '\delta = \hat{y} - y'""",
)
@click.argument("loss")
@click.option("--symbol", "symbols", multiple=True, metavar="'NAME = SHAPE'", help="What is given, with its shape.")
@click.option("--define", multiple=True, metavar="'NAME = FORMULA'", help="A step of the forward computation.")
@click.option("--name", "names", multiple=True, metavar="'NAME = FORMULA'", help="A name for the result to use.")
@click.option("--wrt", multiple=True, help="A variable; all symbols if left out. Repeatable.")
@click.option("--of", help="What is differentiated, if not the loss: a defined name.")
@LAYOUT
@HESSIAN
@INDEX
@AS_JSON
@click.pass_context
def gradient(
    ctx: click.Context,
    /,
    loss: str,
    symbols: tuple[str, ...],
    define: tuple[str, ...],
    names: tuple[str, ...],
    wrt: tuple[str, ...],
    of: str | None,
    **asked: Any,
) -> None:
    """Derive the gradients of LOSS, a formula in LaTeX, without a file.

    LOSS may be - : then a whole problem, TOML or JSON, is read from standard input. SHAPE is what stands in a
    problem's [symbols]: scalar, d, 1 x d, C x d, 'd, k = 1..K', 'index 1..V', with properties such as one-hot.
    """  # fmt: skip
    from derive.adhoc import from_options, given_names

    if loss == "-" and (symbols or define or names):
        raise click.UsageError(
            "the problem on standard input declares its own symbols and names: leave out the options"
        )
    problem = _loaded("-") if loss == "-" else from_options(loss, symbols, define, names)
    try:
        _show(ctx, problem, wrt=wrt or (() if of else given_names(problem)), of=of, **asked)
    except AuthorError as error:
        raise replace(error, where=f"--{error.where}") if error.where in ("wrt", "of") else error from None


def _loaded(name: str) -> Problem:
    """The problem of the catalogue, of a file or of standard input."""
    if name != "-":
        from derive.problem.load import load

        return load(name)
    from derive.adhoc import from_text

    return from_text(sys.stdin.buffer.read())


@commands.command()
@click.argument("problem")
def numpy(problem: str) -> None:
    """Print NumPy source that computes the loss and all gradients of PROBLEM."""
    from derive.gradient.derivation import closed_forms
    from derive.lowering.lower import lower

    loaded = _loaded(problem)
    source = lower(loaded, closed_forms(loaded)).source
    if console().is_terminal:
        from rich.syntax import Syntax

        text = Syntax(source, "python", background_color="default").highlight(source)
        text.rstrip()
        write(text)
    else:
        click.echo(source.rstrip("\n"))


# ---------------------------------------------------------------------------------------------- grading


@commands.command(context_settings={"ignore_unknown_options": True})
@click.argument("problem")
@click.argument("answer")
@click.option("--wrt", required=True, help="The variable.")
@click.option("--of", default="", help="What is differentiated, if not the loss.")
@LAYOUT
@POLICY
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON instead.")
@click.pass_context
def check(
    ctx: click.Context,
    problem: str,
    answer: str,
    wrt: str,
    of: str,
    layout: str | None,
    policy: str | None,
    as_json: bool,
) -> None:
    """Judge one ANSWER, in LaTeX, to PROBLEM.  An answer may start with a minus sign."""
    from derive.grading.grade import ask, judge

    loaded = _loaded(problem)
    try:
        asked = ask(loaded, wrt, of, layout)
    except AuthorError as error:
        raise error.at("standard input" if problem == "-" else problem) from None
    asked = replace(asked, policy=policy or asked.policy)
    text = answer.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    found = _safely(None, lambda: judge(None, asked, text).as_dict())
    _emit(found, "answer", as_json, details=True)
    ctx.exit(_exit_code([found["verdict"]]))


@commands.command()
@click.argument("file", type=click.File("rb"))
@POLICY
@click.option("--json", "as_json", is_flag=True, help="Print one verdict a line as JSON instead.")
@click.pass_context
def grade(ctx: click.Context, file: BinaryIO, policy: str | None, as_json: bool) -> None:
    """Grade the questions of FILE, one JSON object a line; - reads standard input."""
    verdicts, score = Counter[str](), 0.0
    for line in read_lines(file):
        found = _safely(line.identifier, partial(_graded, line, policy))
        verdicts[found["verdict"]] += 1
        score += found["score"]
        _emit(found, f"line {line.number}", as_json)
    if not as_json:
        write(summary(verdicts, score))
    ctx.exit(_exit_code(verdicts))


def _graded(line: Line, policy: str | None) -> dict[str, Any]:
    from derive.grading.grade import grade as judged
    from derive.grading.verdict import reported

    if line.question is None:
        return reported(line.identifier, "bad-line", line.error, line=line.number).as_dict()
    return judged({"policy": policy, **line.question} if policy else line.question).as_dict()


def _safely(identifier: Any, judge: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A verdict as plain JSON; an error of ours becomes `undecided`, so that the other answers are graded."""
    try:
        found: dict[str, Any] = plain(judge())
    except Exception as problem:
        last = extract_tb(problem.__traceback__)[-1]
        evidence = {"error": type(problem).__name__, "at": f"{Path(last.filename).name}:{last.lineno}"}
        message = "An error inside derive kept this answer from being judged: a person must look."
        found = {"id": identifier, "verdict": "undecided", "score": 0.0, "code": "internal", "read_as": ""}
        found |= {"message": message, "evidence": evidence}
    return found


def _exit_code(verdicts: Iterable[str]) -> int:
    found = set(verdicts)
    if found & {"incorrect", "layout"}:
        return NOT_RIGHT
    return NOT_JUDGED if found & {"undecided", "unreadable"} else ALL_RIGHT


def _emit(found: Mapping[str, Any], place: str, as_json: bool, details: bool = False) -> None:
    """One verdict: a line of JSON, or what a person reads."""
    if as_json:
        click.echo(json.dumps(found))
    else:
        write(*judged(found, place, details))


def _complain(problem: DeriveError) -> None:
    write(Text.assemble(("error: ", "bold red"), clean(str(problem))), to=sys.stderr)


if __name__ == "__main__":
    commands(prog_name="cli.py")
