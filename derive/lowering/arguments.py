"""The arguments of a lowered function: what the problem gives, and in what shape it is passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices
from derive.lowering import kernels as k
from derive.lowering.names import Names
from derive.lowering.printer import derivative
from derive.lowering.program import Program
from derive.problem.problem import Problem
from derive.reading.scope import Entity
from derive.sizes import ONE, SCALAR, Range, Size

ORDINALS = {1: "derivative", 2: "second derivative", 3: "third derivative"}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its identifier, its declared name, the sizes of its axes and what it is in words.

    `node` is what it stands for in expressions; `real` tells numbers from positions and functions.
    """

    name: str
    latex: str
    axes: tuple[Size, ...] = ()
    words: str = ""
    node: Node | None = None
    suffix: str = ""
    real: bool = False


def arguments_of(problem: Problem, program: Program, names: Names) -> list[Argument]:
    """What the problem gives, in the order of its declarations; the order of derivatives follows the program."""
    out: list[Argument] = []
    for entity in problem.scope.all():
        if entity.kind == "function":
            out += _functions(entity, program, names)
        elif entity.node is not None and entity.node not in problem.meanings:
            out += _given(entity, entity.node, program, names)
    return out


def _given(entity: Entity, node: Node, program: Program, names: Names) -> Iterator[Argument]:
    name = entity.key
    if entity.kind == "index":
        over = f", {entity.over}" if entity.over else ""
        yield Argument(names.declared(name), name, (), f"an index{over}, counted as in the formulas", node)
    elif entity.kind == "index family":
        members = k.count_of(node.data[2])
        words = f"indices, {node.data[1]}, counted as in the formulas"
        yield Argument(names.declared(name, entity.slots[0]), name, (members,), words, node)
    elif entity.kind == "family":
        yield _family(entity, node, program, names)
    elif entity.kind == "value":
        axes, row = _axes(node), k.rank(node.dims) == 1 and node.dims[0] == ONE
        yield Argument(names.declared(name), name, axes, "", node, "[0]" if row else "", True)


def _axes(node: Node) -> tuple[Size, ...]:
    """The axes of the array for one value: a column has one, a row two."""
    if node.dims == SCALAR:
        return ()
    return node.dims[:1] if node.dims[1] == ONE else node.dims


def _family(entity: Entity, node: Node, program: Program, names: Names) -> Argument:
    over: Range = node.data[2]
    stack = program.stacks.get(node)
    row = stack is not None and node.dims[0] == ONE != node.dims[1]
    axes = (k.count_of(over), *_axes(node))
    words = f"the members for {entity.slots[0]} = {over} along the first axis"
    name = names.declared(entity.key, entity.slots[0])
    return Argument(name, entity.key, axes, words, stack or node, "[:, 0]" if row else "", True)


def _functions(entity: Entity, program: Program, names: Names) -> Iterator[Argument]:
    orders = [int(n.data[1]) for n in all_nodes(program) if n.op == "unspecified" and n.data[0] == entity.key]
    base = names.declared(entity.key)
    yield Argument(base, entity.key, (), "an elementwise function of arrays")
    for order in range(1, max(orders, default=1) + 1):
        wanted = f"d{order if order > 1 else ''}{base}"
        words = f"its {ORDINALS.get(order, f'derivative of order {order}')}"
        yield Argument(names.fresh(wanted), derivative(entity.key, order), (), words)


def all_nodes(program: Program) -> Iterator[Node]:
    """Every node of a program."""
    return k.nodes_in_order(iter((*program.bodies.values(), *program.gradients.values())))


def free_indices_of(program: Program, given: Iterable[Argument], names: Names) -> list[Argument]:
    """Arguments for the indices that gradients leave free, such as the k of ∂J/∂u_k."""
    known = {str(a.node.data[0]) for a in given if a.node is not None and a.node.op == "index"}
    found: dict[str, Node] = {}
    for node in program.gradients.values():
        for name in sorted(free_indices(node) - known):
            found.setdefault(name, b.index(name, None))
    words = "an index that the gradient leaves free"
    return [Argument(names.declared(name), name, (), words, node) for name, node in found.items()]


# ------------------------------------------------------------------------------------------------------ sizes


def measure(size_name: str, arguments: Iterable[Argument]) -> Node | None:
    """How a size follows from the shapes of the arguments; None where it does not."""
    choices: list[tuple[int, int, Node]] = []
    for argument in arguments:
        for axis, size in enumerate(argument.axes):
            terms = dict(size.terms)
            coefficient, constant = terms.pop((size_name,), 0), terms.pop((), 0)
            if coefficient > 0 and not terms:
                data = (argument.name, axis, coefficient, constant)
                choices.append((coefficient, abs(constant), k.kernel("measured", (), SCALAR, data)))
    return min(choices, key=lambda c: c[:2])[2] if choices else None
