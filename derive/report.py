"""How derivations and verdicts are shown in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from derive.plaintext import readable
from derive.sizes import describe
from derive.terminal import console, heading, indented, math, table
from derive.verdicts import LOOKS, layout_of

if TYPE_CHECKING:
    from derive.gradient.derivation import Derivation, Gradient, SecondDerivative
    from derive.indexform.derivation import IndexForm
    from derive.indexform.wording import Line
    from derive.problem.problem import Problem


def derived(problem: Problem, found: Derivation) -> Iterable[RenderableType]:
    """A whole derivation: forward, backward, gradients, checks."""
    if name := found.title or problem.identifier:
        title = Text.assemble((name, "bold"), "\n" if found.source else "", (found.source, "dim"))
        yield Panel.fit(title, border_style="dim") if console().is_terminal else title
    yield heading("Forward")
    yield _equations((step.name, step.definition, step.shape) for step in found.forward)
    if problem.shorthands:
        yield heading("Names")
        yield _equations((str(n.data[0]), problem.texts[n], describe(n.dims)) for n in problem.shorthands)
    layout = "" if found.layout == "shape" else f", {found.layout} layout"
    if found.steps:
        yield heading("Backward" + layout)
    for number, step in enumerate(found.steps, 1):
        line = (math(step.cotangent), " = ", math(step.expression), (f"   {step.shape}", "dim"))
        yield Text.assemble(f"{number:>3}  ", *line)
        yield indented(Text(f"{readable(step.name)}: {step.words}", "italic dim"), 5)
    yield heading("Gradients" + layout)
    for one in found.gradients:
        of = one.of or str(problem.loss_symbol.data[0])
        line = (math(f"∂{of}/∂{one.wrt}"), " = ", math(one.latex, "bold green"), (f"   {one.shape}", "dim"))
        yield Text.assemble("  ", *line)
        yield indented(Text("\n".join((one.latex, *filter(None, [one.remark]))), "cyan"), 6)
    if found.hessians:
        yield heading("Hessians" + layout)
        yield from _second_derivatives(str(problem.loss_symbol.data[0]), found.hessians)
    yield from (Text(f"\n{remark}", "yellow") for remark in found.remarks)
    yield _confirmation(found)


def _second_derivatives(loss: str, found: Iterable[SecondDerivative]) -> Iterable[RenderableType]:
    """The Hessians; where one is the product with a direction, that is said."""
    for one in found:
        below = f"∂{one.wrt}²" if one.wrt == one.then else f"∂{one.wrt} ∂{one.then}"
        name = f"∂²{loss}/({below})" if " " in below else f"∂²{loss}/{below}"
        if one.direction:
            yield Text.assemble("  H = ", math(name), " has more than two indices; applied to a direction ",
                                math(one.direction), f" of the shape of {readable(one.wrt)}:")  # fmt: skip
            name = f"H[{one.direction}]"
        line = (math(name), " = ", math(one.latex, "bold green"), (f"   {one.shape}", "dim"))
        yield Text.assemble("  ", *line)
        yield indented(Text(one.latex, "cyan"), 6)


def entrywise(found: IndexForm) -> Iterable[RenderableType]:
    """A derivation by entries: the forward lines, each step with its reason, the entry, the matrix."""
    yield heading(f"By entries: {readable(found.entry.left)}")
    yield table((math(line.left), Text("="), math(line.members[0])) for line in found.forward)
    lines = (
        [*found.steps]
        if found.steps and found.steps[-1].members[-1:] == found.entry.members
        else [*found.steps, found.entry]
    )
    for number, line in enumerate(lines, 1):
        yield from _index_line(f"{number:>3}  ", line)
    if found.matrix is not None:
        yield from _index_line(f"{len(lines) + 1:>3}  ", found.matrix)
    yield _agreement(found)


def _index_line(number: str, line: Line) -> Iterable[RenderableType]:
    """One line: the chain of equal forms, each on a line of its own where there are several; words, cases."""
    first, *others = line.members
    left = math(line.left)
    yield Text.assemble(number, left, " = ", math(first))
    for member in others:
        yield indented(Text.assemble("= ", math(member)), len(number) + len(left) + 1)
    for condition, value in line.cases:
        yield indented(Text.assemble(math(condition), ": ", math(value)), len(number) + 2)
    if line.words:
        pieces = line.words.split("$")
        words = "".join(readable(piece) if k % 2 else piece for k, piece in enumerate(pieces))
        yield indented(Text(words, "italic dim"), len(number))


def _agreement(found: IndexForm) -> Text:
    if not found.confirmed:
        return Text("\n✗ The index form is not confirmed, so not to be trusted.", "bold red")
    how = {"the same form": "the same matrix as the backward steps", "equal values": "equal to the backward steps"}
    matrix = how.get(found.agrees, "no matrix form was found")
    return Text.assemble(
        ("\n✓ ", "bold green"), f"The entry is confirmed by forward mode ({found.exact}); assembled it is {matrix}."
    )


def _equations(rows: Iterable[tuple[str, str, str]]) -> RenderableType:
    return table((math(name), Text("="), math(latex), Text(shape, "dim")) for name, latex, shape in rows)


def doubtful(found: Derivation) -> list[str]:
    """The variables whose derivatives are not confirmed by both checks."""
    first = [one.wrt for one in found.gradients if not one.confirmed]
    return [*first, *(f"{one.wrt}, {one.then}" for one in found.hessians if not one.confirmed)]


def _confirmation(found: Derivation) -> Text:
    if names := "; ".join(doubtful(found)):
        return Text(f"\n✗ Not confirmed by both checks, so not to be trusted: with respect to {names}", "bold red")
    everything: list[Gradient | SecondDerivative] = [*found.gradients, *found.hessians]
    how = " or ".join(sorted({one.exact for one in everything}))
    worst = max((one.numeric_error for one in everything), default=0.0)
    return Text.assemble(
        ("\n✓ ", "bold green"),
        "Confirmed by two independent checks that share no rule with the steps above:\n"
        f"  exact forward-mode differentiation ({how}); central differences (largest relative error {worst:.0e}).",
    )


def judged(found: Mapping[str, Any], place: str, details: bool) -> Iterable[RenderableType]:
    """One verdict: its head, its reasons, a counterexample."""
    shown = layout_of(found, place, details)
    yield Text.assemble(*shown.head)
    if shown.place:
        yield indented(Text(shown.place, "magenta"), 4)
    if shown.rows:
        yield indented(table((Text(label, "dim"), Text.assemble(*value)) for label, value in shown.rows))


def summary(verdicts: Counter[str], score: float) -> Text:
    """How many answers have which verdict."""
    total = sum(verdicts.values())
    if not total:
        return Text("There are no questions in this file.", "yellow")
    parts = Text.assemble("\n", (f"{total} answers: ", "bold"))
    for number, name in enumerate(name for name in LOOKS if verdicts[name]):
        parts.append(", " if number else "").append(f"{verdicts[name]} {name}", LOOKS[name][1])
    return parts.append(f"; score {score:g} of {total}")
