"""The commands: what is asked goes to the engine, what comes back is shown.  No mathematics here.

Each command imports what it needs when it is called (`derive.commands`), so that help and the catalogue are shown
at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from derive import __version__

if TYPE_CHECKING:
    from types import ModuleType

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
        except _errors().DeriveError as problem:
            _complain(problem)
            ctx.exit(UNUSABLE)


def _errors() -> ModuleType:
    """The errors that are meant for people, imported when one has happened."""
    from derive import errors

    return errors


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
    from derive.commands import catalogue

    catalogue.show(words, as_json, _complain)


@commands.group("cache")
def cache_() -> None:
    """What is kept between runs: the catalogue's titles, verdicts, values that answers are compared with.

    DERIVE_CACHE names its folder, or is "off".
    """


@cache_.command()
def clear() -> None:
    """Forget what is kept."""
    from derive import cache

    count = cache.clear()
    click.echo(f"{count} {'entry is' if count == 1 else 'entries are'} forgotten.")


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
    from derive.commands import deriving

    confirmed = deriving.show(deriving.loaded(problem), **asked)
    ctx.exit(ALL_RIGHT if confirmed else NOT_JUDGED)


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
def gradient(ctx: click.Context, /, loss: str, **asked: Any) -> None:
    """Derive the gradients of LOSS, a formula in LaTeX, without a file.

    LOSS may be - : then a whole problem, TOML or JSON, is read from standard input. SHAPE is what stands in a
    problem's [symbols]: scalar, d, 1 x d, C x d, 'd, k = 1..K', 'index 1..V', with properties such as one-hot.
    """  # fmt: skip
    from derive.commands import deriving

    confirmed = deriving.gradient(loss, **asked)
    ctx.exit(ALL_RIGHT if confirmed else NOT_JUDGED)


@commands.command()
@click.argument("problem")
@click.option("--batch", metavar="x,y", help="The names given for each example: the function for a batch of them.")
@click.option("--sum", "summed", is_flag=True, help="Sum the losses of a batch.  [default: their mean]")
def numpy(problem: str, batch: str | None, summed: bool) -> None:
    """Print NumPy source that computes the loss and all gradients of PROBLEM."""
    from derive.commands import deriving

    deriving.numpy(deriving.loaded(problem), batch, summed)


@commands.command()
@click.argument("problems", nargs=-1)
@click.option("--output", "-o", multiple=True, required=True, help="FILE.pdf, .html, .tex, .md or .ipynb. Repeatable.")
@click.option("--title", default="", help="The title.  [default: the problem's]")
@click.option("--only", multiple=True, metavar="wrt=W", help="Only the gradient by W. Repeatable.")
@click.option("--answers", type=click.Choice(("show", "hide")), default="show", help="Hide: exercise and solution.")
@click.option("--at", default="", metavar="a=3,b=1", help="Numbers for the graph, or a TOML file with several inputs.")
@click.option("--all", "everything", is_flag=True, help="All problems of the catalogue.")
def sheet(**asked: Any) -> None:
    """Write the derivation sheet of PROBLEMS; several make a booklet, or a file each where FILE has {id} in it."""
    from derive.commands import sheets

    sheets.sheet(**asked)


@commands.command()
@click.argument("config")
@click.option("--save", metavar="FILE", help="Where the result is written.  [default: CONFIG as .npz, here]")
@click.option("--csv", metavar="FILE", help="Write the losses of all epochs to a CSV file too.")
def train(config: str, save: str | None, csv: str | None) -> None:
    """Train the model that CONFIG, a TOML file, describes, by stochastic gradient descent.

    Its gradients are derived for a mini-batch, and confirmed before the first step.
    """
    from derive.commands import training

    training.train(config, save, csv)


@commands.command()
@click.argument("problem")
@click.option(
    "--at", "numbers", multiple=True, metavar="a=3,x=[1,2]", help="Numbers for all that is given. Repeatable."
)
@click.option("-o", "--out", help="Write an SVG picture to this file.")
@AS_JSON
def graph(problem: str, numbers: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """Show the computation graph of PROBLEM: values forward, gradients backward, with --at in numbers."""
    from derive.commands import deriving, graphing

    graphing.show(deriving.loaded(problem), numbers, out, as_json)


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
    from derive.commands import judging

    verdict = judging.check(problem, answer, (wrt, of, layout, policy), as_json, _safely)
    ctx.exit(_exit_code([verdict]))


@commands.command()
@click.argument("file", type=click.File("rb"))
@click.argument("submissions", nargs=-1, type=click.Path(exists=True))
@POLICY
@click.option("--json", "as_json", is_flag=True, help="Print one verdict a line as JSON instead.")
@click.option("--out", metavar="FOLDER", help="Where the results of a homework are written.")
@click.option("--student", metavar="NAME", help="All SUBMISSIONS are one student's.")
@click.option("--workers", type=click.IntRange(1), help="How many processes judge.  [default: one a core]")
@click.option("--canvas", type=click.Path(exists=True), help="A grade book exported by Canvas, to be filled.")
@click.option("--moodle", type=click.Path(exists=True), help="A grading worksheet of Moodle, to be filled.")
@click.pass_context
def grade(ctx: click.Context, /, file: BinaryIO, policy: str | None, as_json: bool, **homework: Any) -> None:
    """Grade the questions of FILE, one JSON object a line; - reads standard input.

    If FILE is a TOML file it is a homework, and SUBMISSIONS are what was handed in: .tex, Markdown, notebooks, JSON,
    JSONL, CSV, folders of them (a file or a folder in it is one student's) or zip archives. Reports, tables and files
    for platforms are written to --out; a run that was stopped goes on where it was.
    """
    from derive.commands import judging

    ctx.exit(_exit_code(judging.grade(file, policy, as_json, _safely, homework)))


@commands.group()
def homework() -> None:
    """What a homework, a TOML file, needs before it is handed out."""


@homework.command("check")
@click.argument("file", type=click.Path(exists=True))
@click.pass_context
def homework_check(ctx: click.Context, file: str) -> None:
    """Derive every answer of FILE, compare it with what is typed there, and try wrong keys and the test answers."""
    from derive.commands import homework

    ctx.exit(ALL_RIGHT if homework.show_check(file) else NOT_RIGHT)


@homework.command("variants")
@click.argument("file", type=click.Path(exists=True))
@click.argument("students", nargs=-1, required=True)
def homework_variants(file: str, students: tuple[str, ...]) -> None:
    """Tell which variant of each question of FILE each of the STUDENTS gets."""
    from derive.commands import homework

    homework.variants(file, students)


@commands.group()
def export() -> None:
    """Packages for platforms."""


@export.command("gradescope")
@click.argument("file", type=click.Path(exists=True))
@click.option("--out", metavar="ZIP", default="autograder.zip", show_default=True, help="The file to write.")
def export_gradescope(file: str, out: str) -> None:
    """Pack FILE, a homework, and this engine as an autograder for Gradescope."""
    from derive.commands import homework

    homework.export_gradescope(file, out)


def _safely(identifier: Any, judge: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A verdict as plain JSON; an error of ours becomes `undecided`, so that the other answers are graded."""
    from derive.lines import plain

    try:
        found: dict[str, Any] = plain(judge())
    except Exception as problem:
        from pathlib import Path
        from traceback import extract_tb

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


def _complain(problem: Exception) -> None:
    from rich.text import Text

    from derive.plaintext import clean
    from derive.terminal import write

    write(Text.assemble(("error: ", "bold red"), clean(str(problem))), to=sys.stderr)


if __name__ == "__main__":
    commands(prog_name="cli.py")
