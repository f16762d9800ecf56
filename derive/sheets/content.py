"""What stands on a sheet: the model, the forward and the backward pass, the results, their checks, the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from derive.errors import NoRuleError
from derive.expressions.node import Node, walk
from derive.gradient.derivation import CLOSE, Derivation, asked, closed_forms, derivation, resolved
from derive.gradient.local import local_rule
from derive.gradient.sweep import Step as Swept
from derive.gradient.sweep import sweep
from derive.indexform.derivation import IndexForm, index_form
from derive.indexform.wording import Line
from derive.lowering.lower import lower
from derive.numerics.curve import Curve, error_curve
from derive.printing.latex import latex
from derive.problem.problem import Problem, Question
from derive.reading.scope import Entity
from derive.sheets.blocks import (
    Block,
    Code,
    Equation,
    Equations,
    Heading,
    Paragraph,
    Part,
    Room,
    Step,
    Table,
)
from derive.sheets.mistakes import mistakes
from derive.sheets.walk import graph_blocks, inputs
from derive.sizes import SCALAR, Dims

LAYOUTS = {
    "shape": "Shape convention: a gradient has the shape of its variable.",
    "numerator": "Numerator layout: rows follow what is differentiated, columns the variable; gradients are rows.",
}
KINDS = {"value": "", "family": "family", "index": "index", "index family": "indices", "function": "function"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sheet is to show: the variables (all questions if empty), the answers, and numbers at `at`.

    `at` is written as for `derive graph`, or names a TOML file with several inputs.
    """

    wrt: tuple[str, ...] = ()
    answers: bool = True
    at: str = ""


def part_of(problem: Problem, wanted: Wanted | None = None) -> Part:
    """The sheet of one problem.  Raises `AuthorError` for a variable that is none, `NoRuleError` without a rule."""
    wanted = wanted or Wanted()
    found = derivation(problem, wanted.wrt or None)
    title = found.title or problem.identifier or "Derivation"
    blocks: list[Block] = [Paragraph(found.source, "source")] if found.source else []
    blocks += _model(problem)
    blocks += _forward(problem, found)
    if len(problem.program) > 1 and wanted.answers:  # the picture shows the gradients
        blocks += graph_blocks(problem, inputs(wanted.at))
    if not wanted.answers:
        return Part(problem.identifier, title, (*blocks, *_exercises(problem, found)))
    blocks += _backward(problem, found)
    blocks += _results(found)
    blocks += _shapes(problem, found)
    blocks += _by_entries(problem, found)
    blocks += mistakes(problem, _questions(problem, found))
    blocks += _numeric(problem, found)
    blocks += _source(problem, found)
    return Part(problem.identifier, title, tuple(blocks))


# ------------------------------------------------------------------------------------------------ the model


def _model(problem: Problem) -> Iterator[Block]:
    """What is given, with shapes and properties; names that answers may use."""
    yield Heading("Model")
    given = [e for e in problem.scope.all() if e.node not in problem.meanings and e.kind in KINDS]
    rows = [(f"${entity.key}$", _shape(entity), ", ".join(_properties(entity))) for entity in given]
    yield Table(("symbol", "shape", "what is known of it"), tuple(rows))
    if problem.shorthands:
        names = [Equation(str(n.data[0]), (problem.texts[n],), _dims(n.dims)) for n in problem.shorthands]
        yield Paragraph("Names that results may use:")
        yield Equations(tuple(names))


def _shape(entity: Entity) -> str:
    if entity.kind == "function":
        return "applied entry by entry"
    if entity.kind in ("index", "index family"):
        return f"an index, ${entity.over.lo} \\leq {entity.key} \\leq {entity.over.hi}$" if entity.over else "an index"
    shape = _dims(entity.node.dims) if entity.node is not None else ""
    return f"{shape}, ${entity.slots[0]} = {entity.over.lo}, \\dots, {entity.over.hi}$" if entity.over else shape


def _dims(dims: Dims) -> str:
    """A shape as a formula between dollar signs."""
    if dims == SCALAR:
        return "a number"
    rows, columns = (str(size) for size in dims)
    if columns == "1":
        return rf"$\mathbb{{R}}^{{{rows}}}$"
    return rf"$\mathbb{{R}}^{{{rows} \times {columns}}}$"


def _properties(entity: Entity) -> tuple[str, ...]:
    node = entity.node
    if node is None or node.op not in ("symbol", "family"):
        return ()
    known = node.data[2] if node.op == "symbol" else node.data[3]
    return tuple(str(name) for name in known)


def _forward(problem: Problem, found: Derivation) -> Iterator[Block]:
    yield Heading("Forward computation")
    shapes = {str(n.data[0]): n.dims for n in (*problem.definitions, problem.loss_symbol)}
    rows = (Equation(line.name, (line.definition,), _dims(shapes[line.name])) for line in found.forward)
    yield Equations(tuple(rows))


def _exercises(problem: Problem, found: Derivation) -> Iterator[Block]:
    """The questions, each with room to write."""
    yield Heading("Derive")
    loss = str(problem.loss_symbol.data[0])
    for number, one in enumerate(found.gradients, 1):
        yield Paragraph(rf"{number}. $\frac{{\partial {one.of or loss}}}{{\partial {one.wrt}}}$")
        yield Room()


# --------------------------------------------------------------------------------------------- backward pass


def _backward(problem: Problem, found: Derivation) -> Iterator[Block]:
    """Each step with its rule in words and in symbols, the local Jacobian, the cotangent's name and shape."""
    if not found.steps:
        return
    yield Heading("Backward pass")
    swept = {str(step.variable.data[0]): step for step in sweep(problem).steps}
    for number, step in enumerate(found.steps, 1):
        rows = [*_rules(problem, swept[step.name])] if found.layout == "shape" else []
        rows.append(Equation(step.cotangent, (step.expression,), step.shape))
        yield Step(number, f"${step.name}$", step.words, tuple(rows))


def _rules(problem: Problem, step: Swept) -> Iterator[Equation]:
    """What a variable receives from each name that uses it."""
    loss = str(problem.loss_symbol.data[0])
    for user in step.users:
        try:
            rule = local_rule(problem, step.variable, user)
        except NoRuleError:
            continue
        if rule is None or user is problem.loss_symbol:
            continue
        if rule.jacobian:
            left = rf"\frac{{\partial {rule.user}}}{{\partial {rule.variable}}}"
            yield Equation(left, (rule.jacobian,), f"the local Jacobian, {rule.shape}")
        through = rf"\Big|_{{{rule.user}}}" if len(step.users) > 1 else ""
        left = rf"\frac{{\partial {loss}}}{{\partial {rule.variable}}}{through}"
        yield Equation(left, (rule.product,), f"through ${rule.user}$")


def _results(found: Derivation) -> Iterator[Block]:
    yield Heading("Result")
    yield Paragraph(LAYOUTS[found.layout])
    loss = found.forward[-1].name
    left = ((rf"\frac{{\partial {one.of or loss}}}{{\partial {one.wrt}}}", one) for one in found.gradients)
    yield Equations(tuple(Equation(name, (one.latex,), one.shape) for name, one in left), boxed=True)
    yield from (Paragraph(f"{remark}", "remark") for remark in found.remarks)
    doubtful = [one.wrt for one in found.gradients if not one.confirmed]
    if doubtful:
        yield Paragraph("Not confirmed by both checks: " + ", ".join(f"${name}$" for name in doubtful), "doubt")
    else:
        worst = max((one.numeric_error for one in found.gradients), default=0.0)
        yield Paragraph(
            "Confirmed by exact forward-mode differentiation, which shares no rule with these steps, and by central "
            f"differences (largest relative error {worst:.0e}).",
            "confirmed",
        )


def _shapes(problem: Problem, found: Derivation) -> Iterator[Block]:
    """The shape of every product of matrices in the results."""
    rows: dict[tuple[str, str, str], None] = {}
    for question in _questions(problem, found):
        _, _, closed = resolved(problem, question)
        for part in walk(closed):
            factors = [f for f in part.operands if f.dims != SCALAR] if part.op == "product" else []
            if len(factors) > 1:
                rows[_product_shapes(problem, part, factors)] = None
    if rows:
        yield Heading("Shapes")
        yield Table(("product", "shapes", "result"), tuple(rows))


def _product_shapes(problem: Problem, part: Node, factors: list[Node]) -> tuple[str, str, str]:
    sizes = [rf"({f.dims[0]} \times {f.dims[1]})" for f in factors]
    text = latex(part, problem.scope)
    return f"${text}$", f"${' '.join(sizes)}$", rf"${part.dims[0]} \times {part.dims[1]}$"


def _questions(problem: Problem, found: Derivation) -> list[Question]:
    return [Question(one.wrt, one.of, one.layout) for one in found.gradients]


# -------------------------------------------------------------------------------------------------- by entries


def _by_entries(problem: Problem, found: Derivation) -> Iterator[Block]:
    """The second derivation: by explicit sums and Kronecker deltas."""
    yield Heading("By entries")
    yield Paragraph(
        "The same once more with explicit sums: one entry first, which terms contain it, then the matrix. "
        "What was found above is not repeated."
    )
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for question in _questions(problem, found):
        try:
            form = index_form(problem, question.wrt, question.of, question.layout)
        except NoRuleError as refused:
            yield Paragraph(f"${question.wrt}$: {refused.operation} has no index form here.", "remark")
            continue
        yield Heading(f"${form.entry.left}$", 3)
        yield from _index_blocks(form, seen)


def _index_blocks(form: IndexForm, seen: set[tuple[str, tuple[str, ...]]]) -> Iterator[Block]:
    """The lines of one index form that have not been seen yet."""

    def unseen(lines: Iterable[Line]) -> list[Line]:
        out = [line for line in lines if (line.left, line.members) not in seen]
        seen.update((line.left, line.members) for line in out)
        return out

    if forward := unseen(form.forward):
        yield Equations(tuple(Equation(line.left, line.members) for line in forward))
    last = form.steps[-1].members[-1:] if form.steps else ()
    lines = [*form.steps] if last == form.entry.members else [*form.steps, form.entry]
    for number, line in enumerate([*unseen(lines), *([form.matrix] if form.matrix else [])], 1):
        yield Step(number, "", line.words, (_row(line),))
    agreement = {"the same form": "the matrix of the backward pass", "equal values": "equal to it"}
    if form.confirmed:
        said = agreement.get(form.agrees, "no matrix form was found")
        yield Paragraph(f"Confirmed by forward mode; assembled it is {said}.", "confirmed")
    else:
        yield Paragraph("This index form is not confirmed.", "doubt")


def _row(line: Line) -> Equation:
    return Equation(line.left, line.members, "", line.cases)


# -------------------------------------------------------------------------------------------- numbers and source


def _numeric(problem: Problem, found: Derivation) -> Iterator[Block]:
    """The closed forms against central differences, for steps that become shorter and shorter."""
    curves: list[tuple[str, Curve]] = []
    for question in _questions(problem, found):
        if not question.of and question.layout == "shape":
            _, target, closed = resolved(problem, question)
            curve = error_curve(problem, target, closed)
            curves += [(question.wrt, curve)] if curve is not None else []
    if not curves:
        return
    yield Heading("Numeric check")
    yield Paragraph(
        "One directional derivative for each variable: the closed form against "
        r"$\frac{J(x + h) - J(x - h)}{2 h}$ at the same point. The error falls as $h^2$ until rounding takes over."
    )
    head = ("step", *(f"${name}$" for name, _ in curves))
    lines = [("closed form", *(f"{curve.analytic:.10g}" for _, curve in curves))]
    for k, one in enumerate(curves[0][1].measured):
        lines.append((f"{one.step:.0e}", *(f"{curve.measured[k].error:.1e}" for _, curve in curves)))
    yield Table(head, tuple(lines), tuple(range(1, len(head))))


def _source(problem: Problem, found: Derivation) -> Iterator[Block]:
    everything = {question.wrt: question for question in asked(problem) if not question.of}
    shown = {one.wrt for one in found.gradients if not one.of}
    if not shown:
        return
    forms = {wrt: form for wrt, form in closed_forms(problem).items() if wrt in shown and wrt in everything}
    for one in shown - set(forms):
        forms[one] = resolved(problem, Question(one, "", "shape"))[2]
    yield Heading("NumPy")
    yield Code(lower(problem, forms).source.rstrip())


__all__ = ["CLOSE", "Wanted", "part_of"]
