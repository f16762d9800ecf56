"""The computation graph of a problem: what is computed from what, and how gradients flow back.

A node is a given quantity or a line of the forward computation; an edge is a use.  Backwards each edge carries what
the user passes to what it uses, and a node's gradient is the sum over its edges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.closed import sweep_for
from derive.gradient.pullback import pullback
from derive.gradient.sweep import naming, prepared
from derive.operations.registry import record
from derive.printing.latex import latex
from derive.problem.problem import Problem
from derive.sizes import ONE, SCALAR, Dims


@dataclass(frozen=True, slots=True)
class GraphNode:
    r"""A quantity: its name and definition as LaTeX, its shape in words, what its operation does to gradients.

    `gradient` is \partial J / \partial name in closed form; `value` and `slope` are the numbers of both as text, where
    numbers are given.  `rank` is the column that it stands in, from the left.
    """

    name: str
    definition: str
    shape: str
    role: str
    gradient: str
    rank: int = 0
    value: str = ""
    slope: str = ""

    @property
    def given(self) -> bool:
        """Whether it is given and not computed."""
        return not self.definition


@dataclass(frozen=True, slots=True)
class Edge:
    """A use of one quantity by another; `passed` is what comes back along it, `slope` its number."""

    source: str
    target: str
    passed: str = ""
    slope: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """A computation graph; the last node is the loss."""

    title: str
    loss: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[Edge, ...]

    def node(self, name: str) -> GraphNode:
        """The node of a name."""
        return next(node for node in self.nodes if node.name == name)


@dataclass(frozen=True, slots=True)
class Flow:
    """The expressions of a graph: `leaves` by name, what comes back along each edge, the whole gradients."""

    leaves: dict[str, Node]
    passed: dict[tuple[str, str], Node]
    gradients: dict[str, Node]
    upstream: dict[Node, Node]


def graph_of(problem: Problem) -> tuple[Graph, Flow]:
    """The graph of a problem's loss, with shapes and formulas.  Raises `NoRuleError` where a rule is missing."""
    order = _needed(problem)
    uses = {name: [leaf for leaf in order if leaf in _leaves(body)] for name, body in _bodies(problem, order).items()}
    ranks = _ranks(order, uses)
    flow = _flow(problem, order, uses)
    run = sweep_for(problem, problem.loss_symbol)
    nodes = []
    for leaf in order:
        name = str(leaf.data[0])
        gradient = flow.gradients.get(name)
        shown = latex(run.expanded(gradient), problem.scope) if gradient is not None else "0"
        text = _definition(problem, leaf)
        nodes.append(GraphNode(name, text, _size(leaf.dims), _role(problem, leaf), shown, ranks[leaf]))
    edges = tuple(Edge(source, target, latex(part, problem.scope)) for (source, target), part in flow.passed.items())
    return Graph(problem.title or problem.identifier, str(problem.loss_symbol.data[0]), tuple(nodes), edges), flow


def _size(dims: Dims) -> str:
    """A shape as it stands in a small box: C × d, d, a number."""
    if dims == SCALAR:
        return "a number"
    return str(dims[0]) if dims[1] == ONE else f"{dims[0]} × {dims[1]}"


def _needed(problem: Problem) -> list[Node]:
    """What the loss is computed from, given quantities first, in the order of the computation."""
    wanted, todo = {problem.loss_symbol}, [problem.loss_symbol]
    program = problem.program
    while todo:
        name = todo.pop()
        for leaf in _leaves(_body(program[name])) if name in program else ():
            if leaf not in wanted:
                wanted.add(leaf)
                todo.append(leaf)
    declared = [e.node for e in problem.scope.all() if e.node in wanted and e.node not in program]
    return [*dict.fromkeys(n for n in declared if n is not None), *(name for name in program if name in wanted)]


def _bodies(problem: Problem, order: list[Node]) -> dict[Node, Node]:
    return {name: _body(problem.program[name]) for name in order if name in problem.program}


def _body(definition: Node | tuple[object, object, Node]) -> Node:
    return definition[2] if isinstance(definition, tuple) else definition


def _leaves(body: Node) -> set[Node]:
    return {part for part in walk(body) if part.op in ("symbol", "family")}


def _ranks(order: list[Node], uses: dict[Node, list[Node]]) -> dict[Node, int]:
    """Columns: what is computed stands right of what it uses, what is given just left of its first use."""
    ranks = dict.fromkeys(order, 0)
    for name in order:
        ranks[name] = max((ranks[leaf] + 1 for leaf in uses.get(name, ())), default=0)
    users = {leaf: [name for name in uses if leaf in uses[name]] for leaf in order}
    for leaf in order:
        if leaf not in uses and users[leaf]:
            ranks[leaf] = min(ranks[name] for name in users[leaf]) - 1
    return ranks


def _definition(problem: Problem, leaf: Node) -> str:
    if leaf not in problem.program:
        return ""
    if leaf is problem.loss_symbol:
        from derive.gradient.derivation import forward

        return forward(problem)[-1].definition
    return problem.texts[leaf]


def _role(problem: Problem, leaf: Node) -> str:
    """What the outermost operations of a definition do to the gradient."""
    if leaf not in problem.program:
        return ""
    body = _body(problem.program[leaf])
    value, rest = b.split_number(body)
    return record((rest if value else body).op).role


def _flow(problem: Problem, order: list[Node], uses: dict[Node, list[Node]]) -> Flow:
    """What comes back along each edge, in terms of the gradient of its end."""
    run, names = sweep_for(problem, problem.loss_symbol), naming(problem)
    leaves = {str(leaf.data[0]): leaf for leaf in order}
    loss = str(problem.loss_symbol.data[0])
    upstream = {name: b.symbol(rf"\frac{{\partial {loss}}}{{\partial {name.data[0]}}}", name.dims) for name in uses}
    passed: dict[tuple[str, str], Node] = {}
    for name, used in uses.items():
        definition = problem.program[name]
        if isinstance(definition, tuple) or not used:
            continue
        body = prepared(definition)
        outputs = {meaning: leaf for leaf, meaning in names.forward.items() if leaf is not name}
        if name is not problem.loss_symbol:
            outputs[body] = name
        seed = b.number(1) if name is problem.loss_symbol else upstream[name]
        for leaf, part in pullback(body, seed, outputs).items():
            if leaf in order:
                passed[str(leaf.data[0]), str(name.data[0])] = names.tidy(part)
    for name, used in uses.items():
        for leaf in used:
            passed.setdefault((str(leaf.data[0]), str(name.data[0])), b.zeros(leaf.dims))
    gradients = {str(leaf.data[0]): run.cotangents[leaf] for leaf in order if leaf in run.cotangents}
    gradients[loss] = b.number(1)
    return Flow(leaves, passed, gradients, {upstream[name]: name for name in uses})


def with_numbers(
    graph: Graph, values: dict[str, str], slopes: dict[str, str], passed: dict[tuple[str, str], str]
) -> Graph:
    """The graph with numbers on its nodes and edges."""
    nodes = tuple(replace(n, value=values.get(n.name, ""), slope=slopes.get(n.name, "")) for n in graph.nodes)
    edges = tuple(replace(e, slope=passed.get((e.source, e.target), "")) for e in graph.edges)
    return replace(graph, nodes=nodes, edges=edges)
