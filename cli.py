"""The commands: what is asked goes to the engine, what comes back is shown.  No mathematics here."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from rich.console import RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from derive import __version__
from derive.errors import AuthorError, DeriveError
from derive.launch import clean, console, readable, write
from derive.lines import Line, plain, read_lines
from derive.sizes import describe

if TYPE_CHECKING:
    from derive.gradient.derivation import Derivation
    from derive.problem.problem import Problem

ALL_RIGHT, NOT_RIGHT, UNUSABLE, NOT_JUDGED = range(4)
LOOKS = {
    "correct": ("✓", "green"),
    "layout": ("⇄", "yellow"),
    "incorrect": ("✗", "red"),
    "undecided": ("?", "magenta"),
    "unreadable": ("!", "magenta"),
    "skipped": ("·", "dim"),
}
LONGEST, CLOSE = 240, 1e-4


POLICY = click.option(
    "--policy",
    type=click.Choice(("strict", "usual", "lenient")),
    help="How much is read leniently; what is, is always said.  [default: usual]",
)


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

    PROBLEM is the id of a problem in the catalogue or a TOML or JSON file.
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
        write(Text(f"\n{topic}", "bold"), _table(mine))
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
@click.option("--wrt", help="The variable: a symbol, a defined name, an entry, a member.")
@click.option("--of", help="What is differentiated, if not the loss.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead.")
@click.pass_context
def show(ctx: click.Context, problem: str, wrt: str | None, of: str | None, as_json: bool) -> None:
    """Derive the gradients of PROBLEM: forward computation, backward steps, closed forms, checks."""
    from derive.gradient.derivation import derivation
    from derive.problem.load import load

    loaded = load(problem)
    found = derivation(loaded, wrt, of)
    if as_json:
        click.echo(json.dumps(plain(found.as_dict()), indent=1))
    else:
        write(*_derivation(loaded, found))
    ctx.exit(NOT_JUDGED if _doubtful(found) else ALL_RIGHT)


def _derivation(problem: Problem, found: Derivation) -> Iterable[RenderableType]:
    title = Text.assemble(
        (found.title or problem.identifier, "bold"), "\n" if found.source else "", (found.source, "dim")
    )
    yield Panel.fit(title, border_style="dim") if console().is_terminal else title
    yield _heading("Forward")
    yield _equations((step.name, step.definition, step.shape) for step in found.forward)
    if problem.shorthands:
        yield _heading("Names")
        yield _equations((str(n.data[0]), problem.texts[n], describe(n.dims)) for n in problem.shorthands)
    if found.steps:
        yield _heading("Backward")
    for number, step in enumerate(found.steps, 1):
        line = (_math(step.cotangent), " = ", _math(step.expression), (f"   {step.shape}", "dim"))
        yield Text.assemble(f"{number:>3}  ", *line)
        yield _indented(Text(f"{readable(step.name)}: {step.words}", "italic dim"), 5)
    yield _heading("Gradients")
    for one in found.gradients:
        of = one.of or str(problem.loss_symbol.data[0])
        line = (_math(f"∂{of}/∂{one.wrt}"), " = ", _math(one.latex, "bold green"), (f"   {one.shape}", "dim"))
        yield Text.assemble("  ", *line)
        yield _indented(Text("\n".join((one.latex, *filter(None, [one.remark]))), "cyan"), 6)
    yield from (Text(f"\n{remark}", "yellow") for remark in found.remarks)
    yield _confirmation(found)


def _equations(rows: Iterable[tuple[str, str, str]]) -> RenderableType:
    return _table((_math(name), Text("="), _math(latex), Text(shape, "dim")) for name, latex, shape in rows)


def _doubtful(found: Derivation) -> list[str]:
    return [one.wrt for one in found.gradients if not (one.exact and one.numeric_error < CLOSE)]


def _confirmation(found: Derivation) -> Text:
    if doubtful := ", ".join(_doubtful(found)):
        return Text(f"\n✗ Not confirmed by both checks, so not to be trusted: with respect to {doubtful}", "bold red")
    how = " or ".join(sorted({one.exact for one in found.gradients}))
    worst = max((one.numeric_error for one in found.gradients), default=0.0)
    return Text.assemble(
        ("\n✓ ", "bold green"),
        "Confirmed by two independent checks that share no rule with the steps above:\n"
        f"  exact forward-mode differentiation ({how}); central differences (largest relative error {worst:.0e}).",
    )


@commands.command()
@click.argument("problem")
def numpy(problem: str) -> None:
    """Print NumPy source that computes the loss and all gradients of PROBLEM."""
    from derive.gradient.derivation import closed_forms
    from derive.lowering.lower import lower
    from derive.problem.load import load

    loaded = load(problem)
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
@click.option("--layout", type=click.Choice(("shape", "numerator")), help="The layout asked for.")
@POLICY
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON instead.")
@click.pass_context
def check(
    ctx: click.Context, problem: str, answer: str, wrt: str, of: str, layout: str | None, policy: str | None, as_json: bool
) -> None:
    """Judge one ANSWER, in LaTeX, to PROBLEM.  An answer may start with a minus sign."""
    from derive.grading.grade import ask, judge
    from derive.problem.load import load

    loaded = load(problem)
    try:
        asked = ask(loaded, wrt, of, layout)
    except AuthorError as error:
        raise error.at(problem) from None
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
        write(_summary(verdicts, score))
    ctx.exit(_exit_code(verdicts))


def _graded(line: Line, policy: str | None) -> dict[str, Any]:
    from derive.grading.grade import grade as judged
    from derive.grading.grade import reported

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
        write(*_report(found, place, details))


def _report(found: Mapping[str, Any], place: str, details: bool) -> Iterable[RenderableType]:
    icon, colour = LOOKS[found["verdict"]]
    code = "" if found["code"] == found["verdict"] else f" ({found['code']})"
    name = place if found["id"] is None else str(found["id"])
    head = Text.assemble((f"{icon} ", colour), (_short(name), "bold"), "  ", (found["verdict"] + code, colour))
    yield head.append(f"  {clean(found['message'])}")
    if "place" in found["evidence"]:
        yield _indented(Text(clean(found["evidence"]["place"]), "magenta"), 4)
    if rows := list(_facts(found, details)):
        yield _indented(_table(rows))


def _facts(found: Mapping[str, Any], details: bool) -> Iterable[tuple[Text, Text]]:
    """The rows under a verdict: how it was read, what each member of a chain is, the counterexample."""
    if found["read_as"] and (details or found["verdict"] != "correct"):
        yield Text("read as", "dim"), Text(_short(readable(found["read_as"])))
    if "first_wrong" in found and (details or found["first_wrong"] is not None):
        for number, step in enumerate(found["steps"]):
            icon, colour = LOOKS[step["verdict"]]
            yield Text(f"member {number}", "dim"), Text.assemble((f"{icon} ", colour), _short(step["text"].strip()))
    if details and "method" in found["evidence"]:
        yield Text("decided by", "dim"), Text(found["evidence"]["method"])
    example = found["evidence"].get("counterexample")
    if example:
        sizes = {**example.get("sizes", {}), **example.get("indices", {})}
        yield from _settings(sizes, example.get("values", {}), details)
        yield Text("your formula gives", "dim"), Text(_short(json.dumps(example["answer"])), "red")
        yield Text("the derivative is", "dim"), Text(_short(json.dumps(example["derivative"])), "green")


def _settings(sizes: Mapping[str, Any], values: Mapping[str, Any], details: bool) -> Iterable[tuple[Text, Text]]:
    given = [f"{readable(name)} = {json.dumps(value)}" for name, value in values.items()]
    named = ", ".join(f"{readable(name)} = {value}" for name, value in sizes.items())
    if named:
        yield Text("for", "dim"), Text(clean(named))
    if details or len("; ".join(given)) < LONGEST // 2:
        for number, text in enumerate(given):
            yield Text("" if number or named else "for", "dim"), Text(_short(text))


def _summary(verdicts: Counter[str], score: float) -> Text:
    total = sum(verdicts.values())
    if not total:
        return Text("There are no questions in this file.", "yellow")
    parts = Text.assemble("\n", (f"{total} answers: ", "bold"))
    for number, name in enumerate(name for name in LOOKS if verdicts[name]):
        parts.append(", " if number else "").append(f"{verdicts[name]} {name}", LOOKS[name][1])
    return parts.append(f"; score {score:g} of {total}")


def _complain(problem: DeriveError) -> None:
    write(Text.assemble(("error: ", "bold red"), clean(str(problem))), to=sys.stderr)


def _heading(text: str) -> Text:
    return Text(f"\n{text}", "bold underline")


def _table(rows: Iterable[tuple[Text, ...]]) -> Padding:
    table = Table.grid(padding=(0, 3, 0, 0))
    for row in rows:
        table.add_row(*row)
    return _indented(table)


def _indented(part: RenderableType, by: int = 2) -> Padding:
    return Padding(part, (0, 0, 0, by), expand=False)


def _math(latex: str, style: str = "") -> Text:
    return Text(readable(latex), style)


def _short(text: str) -> str:
    text = clean(text).replace("\n", " ")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


if __name__ == "__main__":
    commands(prog_name="cli.py")
