"""Names for what stands inside a softmax: p = softmax(W x) is p = softmax(z) with z = W x, as it is taught."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.problem.problem import Definition, Problem

LETTERS = "zasuqvgm"
HEADS = ("softmax", "log_softmax", "log_sum_exp")


def with_logits(problem: Problem) -> tuple[dict[Node, Definition], dict[Node, Node]]:
    """The forward computation with a name for each softmax's argument that has none, and these names."""
    program: dict[Node, Definition] = {}
    own: dict[Node, Node] = {}
    for name, definition in problem.program.items():
        if isinstance(definition, tuple):
            program[name] = definition
            continue
        for part in walk(definition):
            if part.op in HEADS and part.operands[0].op != "symbol" and not free_indices(part.operands[0]):
                argument = part.operands[0]
                symbol = next((known for known, meaning in own.items() if meaning is argument), None)
                symbol = symbol or _fresh(problem, own, argument)
                if symbol is not None and symbol not in own:
                    own[symbol] = program[symbol] = argument
        mapping = {meaning: symbol for symbol, meaning in own.items()}
        program[name] = b.substitute(definition, mapping) if mapping else definition
    return program, own


def _fresh(problem: Problem, own: dict[Node, Node], argument: Node) -> Node | None:
    used = set(problem.scope.entities) | problem.scope.sizes | {str(name.data[0]) for name in own}
    letter = next((one for one in LETTERS if one not in used), None)
    return None if letter is None else b.symbol(letter, argument.dims)
