"""Sheets as notebooks: what a sheet says as text, its source as cells that run and check its gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from derive.errors import AuthorError, EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.derivation import asked, closed_forms, resolved
from derive.lowering.lower import Lowered, lower
from derive.lowering.source import NAME
from derive.lowering.text import string
from derive.problem.problem import Problem, Question, Target
from derive.reading.scope import Entity, Pattern
from derive.sheets.blocks import Block, Code, Heading, Room, Sheet
from derive.sheets.content import Wanted
from derive.sheets.draws import Sizes, inputs, sizes_of
from derive.sheets.markdown import rendered

MOVED = "moved_loss"
CHECK = '''def central_differences(function, inputs, name, where=..., h=1e-6):
    """The derivative of the loss by an argument, entry by entry; `where` picks a part of it."""
    start = np.array(inputs[name], dtype=float)
    places = np.arange(start.size).reshape(start.shape)[where].ravel()
    found = []
    for place in places:
        sides = []
        for sign in (1, -1):
            moved = start.copy()
            moved.flat[place] += sign * h
            sides.append(function(**{**inputs, name: moved[()]})[0])
        found.append((sides[0] - sides[1]) / (2 * h))
    return np.array(found)


def check(function, inputs, arguments):
    """Compare each gradient with central differences."""
    for variable, (name, where) in arguments.items():
        exact = np.ravel(gradients[variable])
        numeric = central_differences(function, inputs, name, where)
        error = np.max(np.abs(exact - numeric)) / max(1, np.max(np.abs(numeric)))
        print(f"{variable}: largest difference {error:.0e}")
        assert error < 1e-5, f"the gradient with respect to {variable} is wrong"'''


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of text or of Python."""

    kind: str
    text: str


def notebook(sheet: Sheet, problems: Mapping[str, Problem], wanted: Wanted | None = None) -> str:
    """The JSON of a notebook.  `problems` are those of the sheet by their identifiers."""
    try:
        made: Any = import_module("nbformat")
    except ImportError:
        raise AuthorError('a notebook needs the extra "notebook": pip install "derive[notebook]"', "notebook") from None
    book = made.v4.new_notebook(metadata={"language_info": {"name": "python"}})
    book["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, cell in enumerate(cells(sheet, problems, wanted or Wanted()), 1):
        make = made.v4.new_markdown_cell if cell.kind == "markdown" else made.v4.new_code_cell
        book["cells"].append(make(cell.text, id=f"cell-{number}"))
    made.validate(book)
    return str(made.writes(book)) + "\n"


def cells(sheet: Sheet, problems: Mapping[str, Problem], wanted: Wanted) -> Iterator[Cell]:
    """The cells of a sheet: one of text for each section, those of Python behind it."""
    if len(sheet.parts) > 1:
        yield Cell("markdown", f"# {sheet.title}")
    for part in sheet.parts:
        text: list[str] = []
        for block in (Heading(part.title, 1), *part.blocks):
            if text and (isinstance(block, (Heading, Room)) and getattr(block, "level", 2) < 3):
                yield Cell("markdown", "\n\n".join(text))
                text = []
            if isinstance(block, Code) and block.language == "python":
                yield Cell("markdown", "\n\n".join(text))
                yield from _checked(problems[part.identifier], wanted)
                text = []
            else:
                text += _said(block)
        if text:
            yield Cell("markdown", "\n\n".join(text))


def _said(block: Block) -> Iterator[str]:
    return iter(["*Your answer:*"]) if isinstance(block, Room) else rendered(block)


def gradients_of(problem: Problem, wrt: tuple[str, ...]) -> dict[str, Node]:
    """The closed forms of the gradients that a sheet shows."""
    known = closed_forms(problem)
    shown = [question.wrt for question in asked(problem, wrt or None) if not question.of]
    return {one: known[one] if one in known else resolved(problem, Question(one, "", "shape"))[2] for one in shown}


def _checked(problem: Problem, wanted: Wanted) -> Iterator[Cell]:
    """The source, random inputs, and the comparison of each gradient with central differences."""
    forms = gradients_of(problem, wanted.wrt)
    targets = {wrt: problem.target(wrt) for wrt in forms}
    lowered, sizes = lower(problem, forms), sizes_of(problem, targets)
    yield Cell("code", lowered.source.rstrip())
    yield Cell("markdown", "Random inputs of small sizes; each index counts from 1, as in the formulas.")
    yield Cell("code", inputs(lowered, sizes))
    given, inner, left = _arguments(problem, lowered, targets, sizes)
    yield Cell("markdown", "Each gradient against central differences of the loss.")
    yield Cell("code", f"{CHECK}\n\n\ncheck({NAME}, inputs, {_table(given)})")
    if inner:
        yield from _inside(problem, inner, sizes)
    if left:
        yield Cell("markdown", "Not compared here: " + ", ".join(f"${wrt}$" for wrt in left) + ".")


def _table(rows: Mapping[str, tuple[str, tuple[str, ...]]]) -> str:
    lines = [
        f"    {string(wrt)}: ({string(name)}, np.s_[{', '.join(where) or '...'}]),"
        for wrt, (name, where) in rows.items()
    ]
    return "\n".join(["{", *lines, "}"]) if lines else "{}"


def _arguments(
    problem: Problem, lowered: Lowered, targets: Mapping[str, Target], sizes: Sizes
) -> tuple[dict[str, tuple[str, tuple[str, ...]]], dict[str, Target], list[str]]:
    """What is compared: parts of arguments; names that are computed on the way; what has no place in either."""
    given: dict[str, tuple[str, tuple[str, ...]]] = {}
    inner: dict[str, Target] = {}
    left: list[str] = []
    for wrt, target in targets.items():
        key = str(target.leaf.data[0])
        if target.leaf in problem.meanings:
            (
                inner.update({wrt: target})
                if target.leaf in problem.program and target.leaf.op == "symbol"
                else left.append(wrt)
            )
            continue
        given[wrt] = (lowered.names[key], sizes.where(target.access))
    return given, inner, left


def _inside(problem: Problem, inner: Mapping[str, Target], sizes: Sizes) -> Iterator[Cell]:
    """The loss once more with something added to each name on the way: its derivative there, at 0, is the gradient."""
    leaves = list(dict.fromkeys(target.leaf for target in inner.values()))
    moved, shifts = shifted(problem, leaves)
    lowered = lower(moved, {})
    zeros = [
        f"    {string(lowered.names[str(shift.data[0])])}: np.zeros({sizes.of(argument)}),"
        for shift in shifts.values()
        for argument in lowered.described
        if argument.node is shift
    ]
    rows = {
        wrt: (lowered.names[str(shifts[target.leaf].data[0])], sizes.where(target.access))
        for wrt, target in inner.items()
    }
    yield Cell(
        "markdown", "For names that are computed on the way, the same loss with something added to each of them."
    )
    yield Cell("code", lowered.source.rstrip().replace(f"def {NAME}(", f"def {MOVED}("))
    same = [
        f"    {string(a.name)}: inputs[{string(a.name)}]," for a in lowered.described if a.node not in shifts.values()
    ]
    both = "\n".join(["{", *same, *zeros, "}"])
    yield Cell("code", f"check({MOVED}, {both}, {_table(rows)})")


def shifted(problem: Problem, leaves: list[Node]) -> tuple[Problem, dict[Node, Node]]:
    """A problem in which a further quantity is added to the value of each of some defined names."""
    scope, definitions, loss = problem.scope.child(), dict(problem.definitions), problem.loss
    shifts: dict[Node, Node] = {}
    for leaf in leaves:
        key = f"{leaf.data[0]} shift"
        shift = shifts[leaf] = b.symbol(key, leaf.dims)
        scope.add(Entity("value", key, Pattern(key, None, (), None), shift))
        if leaf is problem.loss_symbol:
            loss = b.add(loss, shift)
            continue
        body = definitions[leaf]
        if isinstance(body, tuple):
            raise EvaluationError(f"{leaf.data[0]} is defined member by member")
        definitions[leaf] = b.add(body, shift)
    return replace(problem, scope=scope, definitions=definitions, loss=loss), shifts
