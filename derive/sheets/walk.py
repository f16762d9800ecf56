"""The walk through a computation graph: forward node by node, then backward edge by edge, with numbers if given."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from derive.errors import AuthorError
from derive.expressions.node import walk
from derive.graph.model import Edge, Flow, Graph, GraphNode, graph_of
from derive.graph.numbers import at, parse
from derive.graph.svg import described, svg
from derive.graph.text import rows as text_rows
from derive.operations.registry import record
from derive.problem.problem import Problem
from derive.sheets.blocks import Block, Equation, Heading, Paragraph, Picture, Scene, Table, Walk

FORWARD, BACKWARD = "forward", "backward"
TALL, MOST_NODES, COMPARED = 4, 40, 3
KEYS = {"ask", "common", "points", "labels"}


@dataclass(frozen=True, slots=True)
class Inputs:
    """Values for what a problem gives, one set for each name; `labels` are words for rows and for indices."""

    points: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ask: str = ""


def inputs(text: str) -> Inputs:
    """Inputs from `a=3, x=[1, 2]` or from a TOML file with `[common]`, `[points]` and `[labels]`.

    Raises `AuthorError` for what is neither, and for a file that cannot be read.
    """
    if not text.strip():
        return Inputs()
    return _from_file(Path(text)) if text.endswith(".toml") else Inputs({text: parse(text)})


def _from_file(path: Path) -> Inputs:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AuthorError(f"cannot be read: {error}", str(path)) from None
    if unknown := set(data) - KEYS:
        raise AuthorError(f"unknown key {min(unknown)}; known are {', '.join(sorted(KEYS))}", str(path))
    points, common, labels = (data.get(key, {}) for key in ("points", "common", "labels"))
    for key, table in (("points", points), ("common", common), ("labels", labels)):
        if not isinstance(table, dict):
            raise AuthorError("this is not a table", f"{path}: {key}")
    for name, values in points.items():
        if not isinstance(values, dict):
            raise AuthorError("this is not a table of values", f"{path}: points.{name}")
    for name, texts in labels.items():
        if not isinstance(texts, list):
            raise AuthorError("this is not a list of words", f"{path}: labels.{name}")
    if not points:
        raise AuthorError('no inputs are given: write [points] with "NAME" = {x = 1, ...}', str(path))
    words = {name: tuple(map(str, texts)) for name, texts in labels.items()}
    return Inputs({name: common | values for name, values in points.items()}, words, str(data.get("ask", "")))


def graph_blocks(problem: Problem, given: Inputs) -> Iterator[Block]:
    """The picture of the graph and, where there are several inputs, what is the same at the first few of them.

    Raises `AuthorError` for inputs that do not fit the problem.
    """
    graph, _ = graph_of(problem)
    if len(graph.nodes) > MOST_NODES and not given.points:
        return
    yield Heading("Computation graph")
    yield picture(problem, given)
    if len(given.points) > 1:
        yield from comparison(problem, given, tuple(given.points)[:COMPARED])


def picture(problem: Problem, given: Inputs | None = None) -> Picture:
    """The graph with its walks: one for each input, or one with shapes and formulas.

    Raises `NoRuleError` where a rule is missing, `AuthorError` for inputs that do not fit the problem.
    """
    given = given or Inputs()
    graph, flow = graph_of(problem)
    walked = [_walk(problem, graph, flow, name, values, given.labels) for name, values in given.points.items()]
    numbered = [graph for graph, _ in walked] or [graph]
    walks = [one for _, one in walked] or [Walk("", svg(graph), tuple(scenes(graph, laws(problem, graph, flow))))]
    text = "\n".join("   ".join(row) for row in text_rows(numbered[0]))
    caption = "Values go from left to right; gradients come back along the same edges."
    return Picture(walks[0].svg, described(numbered[0]), text, caption, tuple(walks), given.ask)


def _walk(
    problem: Problem,
    graph: Graph,
    flow: Flow,
    name: str,
    values: Mapping[str, Any],
    labels: Mapping[str, tuple[str, ...]],
) -> tuple[Graph, Walk]:
    numbered = at(problem, graph, flow, values)
    fixed = {key: value for key, value in values.items() if key not in flow.leaves}
    return numbered, Walk(name, svg(numbered), tuple(scenes(numbered, laws(problem, graph, flow), fixed, labels)))


# ------------------------------------------------------------------------------------------------------ scenes


def laws(problem: Problem, graph: Graph, flow: Flow) -> dict[tuple[str, str], str]:
    """What happens to a gradient along each edge, in words: the laws of the operations between its ends."""
    return {(edge.source, edge.target): _law(problem, flow, edge) for edge in graph.edges}


def _law(problem: Problem, flow: Flow, edge: Edge) -> str:
    definition = problem.program[flow.leaves[edge.target]]
    body = definition[2] if isinstance(definition, tuple) else definition
    within, between = {flow.leaves[edge.source]}, list[str]()
    for part in walk(body):
        if any(operand in within for operand in part.operands):
            within.add(part)
            between.append(record(part.op).words)
    words = dict.fromkeys(said for said in reversed(between) if said)
    return "; ".join(words)


def scenes(
    graph: Graph,
    rules: Mapping[tuple[str, str], str],
    fixed: Mapping[str, Any] | None = None,
    labels: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterator[Scene]:
    """The scenes of a graph: what is given, each computed node, then each gradient from the loss back.

    `rules` say for each edge what happens along it, `fixed` are the indices and sizes with their values.
    """
    yield _given(graph, fixed or {}, labels or {})
    for number, node in enumerate(graph.nodes):
        if not node.given:
            yield _computed(graph, number, node)
    order = sorted(range(len(graph.nodes)), key=lambda k: (-graph.nodes[k].rank, not graph.nodes[k].given))
    for number in order:
        yield from _received(graph, rules, number, graph.nodes[number])


def _given(graph: Graph, fixed: Mapping[str, Any], labels: Mapping[str, tuple[str, ...]]) -> Scene:
    """The quantities that everything else is computed from."""
    numbers = [k for k, node in enumerate(graph.nodes) if node.given]
    rows = [_valued(graph.nodes[k]) for k in numbers]
    for name, value in fixed.items():
        words = labels.get(name, ())
        note = f"“{words[value - 1]}”" if isinstance(value, int) and 0 < value <= len(words) else ""
        rows.append(Equation(name, (str(value),), note))
    said = ["This is given."]
    for name, words in labels.items():
        if name not in fixed and any(node.name == name for node in graph.nodes):
            listed = ", ".join(f"{k} “{word}”" for k, word in enumerate(words, 1))
            said.append(f"The rows of ${name}$ are: {listed}.")
    return Scene(FORWARD, "What is given", " ".join(said), tuple(rows), tuple(numbers))


def _valued(node: GraphNode) -> Equation:
    """A quantity with its number, or with its shape alone."""
    number = typeset(node.value, node.shape, "blue")
    return Equation(node.name, (number,) if number else (), _shape(node))


def _shape(node: GraphNode) -> str:
    """The shape as a formula: what it is a member of."""
    if node.shape == "a number":
        return node.shape
    size = node.shape.replace("×", r"\times")
    return rf"$\in \mathbb{{R}}^{{{size}}}$"


def _computed(graph: Graph, number: int, node: GraphNode) -> Scene:
    """A node and the edges that lead to it."""
    edges = [k for k, edge in enumerate(graph.edges) if edge.target == node.name]
    used = {graph.edges[k].source for k in edges}
    sources = [one for one in graph.nodes if one.name in used]
    value = typeset(node.value, node.shape, "blue")
    rows = [Equation(node.name, (node.definition, *([value] if value else [])), _shape(node))]
    rows += [_valued(source) for source in sources if source.value]
    words = f"It uses {_listed([f'${source.name}$' for source in sources])}." if sources else ""
    return Scene(FORWARD, f"${node.name}$", words, tuple(rows), (number,), tuple(edges))


def _received(graph: Graph, rules: Mapping[tuple[str, str], str], number: int, node: GraphNode) -> Iterator[Scene]:
    """What a node receives along each of its edges, then their sum."""
    left = rf"\frac{{\partial {graph.loss}}}{{\partial {node.name}}}"
    title = f"${left}$"
    edges = [k for k, edge in enumerate(graph.edges) if edge.source == node.name]
    slope = typeset(node.slope, node.shape, "red")
    total = Equation(left, tuple(dict.fromkeys((node.gradient, *([slope] if slope else [])))), _shape(node))
    if not edges:
        yield Scene(BACKWARD, title, "The gradient of the loss by itself: here it begins.", (total,), (number,))
        return
    several = len(edges) > 1
    parts = [_passed(graph.edges[k], left, node, several) for k in edges]
    if not several:
        words = _through(graph, rules, graph.edges[edges[0]])
        yield Scene(BACKWARD, title, words, (*_joined(parts[0], total),), (number,), tuple(edges))
        return
    for k, part in zip(edges, parts, strict=True):
        words = _through(graph, rules, graph.edges[k])
        yield Scene(BACKWARD, f"{title} along ${graph.edges[k].target}$", words, (part,), (), (k,))
    users = _listed([f"${graph.edges[k].target}$" for k in edges])
    words = f"${node.name}$ is used by {users}: what comes back from them adds up."
    yield Scene(BACKWARD, title, words, (total,), (number,), tuple(edges))


def _passed(edge: Edge, left: str, node: GraphNode, several: bool) -> Equation:
    """What comes back along an edge."""
    slope = typeset(edge.slope, node.shape, "red")
    side = rf"{left}\Big|_{{{edge.target}}}" if several else left
    return Equation(side, (edge.passed, *([slope] if slope else [])), _shape(node))


def _joined(part: Equation, total: Equation) -> Iterator[Equation]:
    """One equation where a single edge brings the whole gradient."""
    yield Equation(total.left, tuple(dict.fromkeys((part.members[0], *total.members))), total.note)


def _through(graph: Graph, rules: Mapping[tuple[str, str], str], edge: Edge) -> str:
    user = graph.node(edge.target)
    law = rules[edge.source, edge.target]
    said = f" {law[0].upper()}{law[1:]}." if law else ""
    return f"Back through ${user.name} = {user.definition}$.{said}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# ----------------------------------------------------------------------------------------------------- numbers

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?|nan|-?inf")
_WORDS = {"nan": r"\text{undefined}", "inf": r"\infty", "-inf": r"-\infty"}


def typeset(text: str, shape: str, colour: str = "") -> str:
    r"""A number or array as the graph writes it, as LaTeX; nothing for one that is too large to be shown.

    >>> typeset("[1, -0.5]", "d", "blue")
    '\\textcolor{blue}{\\begin{bmatrix} 1 \\\\ -0.5 \\end{bmatrix}}'
    """
    rows = [_NUMBER.findall(row) for row in text.strip("[]").split("], [")]
    if not text or " × " in text or "[[[" in text:
        return ""
    if not text.startswith("["):
        body = _number(text)
    else:
        column = len(rows) == 1 and not shape.startswith("1 ×")
        tall = column and len(rows[0]) > TALL
        if column and not tall:
            rows = [[entry] for entry in rows[0]]
        inner = r" \\ ".join(" & ".join(map(_number, row)) for row in rows)
        body = rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}" + (r"^\top" if tall else "")
    return rf"\textcolor{{{colour}}}{{{body}}}" if colour else body


def _number(text: str) -> str:
    if text in _WORDS:
        return _WORDS[text]
    digits, e, power = text.partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if e else digits


# -------------------------------------------------------------------------------------------------- comparison


def comparison(problem: Problem, given: Inputs, names: tuple[str, ...]) -> Iterator[Block]:
    """What is computed at several inputs side by side, and in words what is the same as at the first of them."""
    graph, flow = graph_of(problem)
    graphs = [at(problem, graph, flow, given.points[name]) for name in names]
    rows: dict[str, list[str]] = {}
    for node in graph.nodes:
        if not node.given:
            rows[f"${node.name}$"] = [_cell(one.node(node.name).value, node) for one in graphs]
    for node in reversed(graph.nodes):
        if node.name != graph.loss:
            left = rf"$\frac{{\partial {graph.loss}}}{{\partial {node.name}}}$"
            rows[left] = [_cell(one.node(node.name).slope, node) for one in graphs]
    yield Heading("The same at other inputs", 3)
    for k, name in enumerate(names[1:], 1):
        yield Paragraph(f"“{name}” against “{names[0]}”: {_agreement(rows, k)}.")
    yield Table(("quantity", *(f"“{name}”" for name in names)), tuple((left, *cells) for left, cells in rows.items()))


def _agreement(rows: Mapping[str, list[str]], k: int) -> str:
    """What is the same at an input as at the first, or what is not, whichever is shorter to say."""
    same = [left for left, cells in rows.items() if cells[k] == cells[0]]
    other = [left for left in rows if left not in same]
    if not same or not other:
        return "everything is the same" if same else "everything is different"
    if len(other) <= len(same):
        return f"everything is the same but {_listed(other)}"
    return f"everything is different but {_listed(same)}"


def _cell(text: str, node: GraphNode) -> str:
    formula = typeset(text, node.shape)
    return f"${formula}$" if formula else text
