"""Lowering: one NumPy function for the loss and all gradients of a problem.

The passes stand in `lowered`; then `sympy.lambdify` writes the function with our printer and our
common-subexpression pass.
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Symbol, lambdify

from derive.errors import EvaluationError
from derive.expressions.node import Node, walk
from derive.lowering import compiled, runtime, source
from derive.lowering import kernels as k
from derive.lowering.arguments import Argument, all_nodes, arguments_of, free_indices_of
from derive.lowering.blocks import Blocks
from derive.lowering.body import Body
from derive.lowering.names import Names
from derive.lowering.plan import Replacements
from derive.lowering.printer import NodePrinter
from derive.lowering.products import Associate
from derive.lowering.program import Program, program_of
from derive.lowering.rows import Split, by_rows
from derive.lowering.scaling import Scales
from derive.lowering.share import Shared, Signs, Turned
from derive.lowering.stable import Stable
from derive.problem.problem import Problem
from derive.sizes import SCALAR


@dataclass(frozen=True, slots=True)
class Lowered:
    """A lowered problem.

    `function(*arguments)` gives the loss and a dictionary of gradients by variable; `source` is the text of
    a module with that function.  `arguments` are the identifiers in the order of the call, `names` maps each
    declared name to its identifier, `returns` are the loss's name and the variables, `described` tells of each
    argument its shape and what it stands for.
    """

    source: str
    function: Callable[..., tuple[Any, dict[str, Any]]]
    arguments: tuple[str, ...]
    names: dict[str, str]
    returns: tuple[str, ...]
    described: tuple[Argument, ...] = ()


def lower(problem: Problem, gradients: Mapping[str, Node], compiler: str = "") -> Lowered:
    """The function that computes the loss of a problem and gradients given as closed forms.

    A number is passed as a scalar, a column as a 1-D array, a row of length n as an array of shape (1, n), a
    family along a first axis, an index counted as in the formulas, an unspecified function f as f and df.
    Each gradient has the shape of its variable; a free index of one (`u_k`) is a further argument.
    With `compiler="numba"` the function is compiled at its first call, and `source` is what is compiled.
    Raises `EvaluationError` for what has no NumPy form, or where numba is not installed or cannot compile it.
    """
    if compiler not in ("", "numba"):
        raise EvaluationError(f"there is no compiler {compiler!r}; it may be 'numba', or left out")
    program = lowered(program_of(problem, gradients))
    return _Function(problem, program, compiler == "numba").written()


def lowered(program: Program) -> Program:
    """The program in its final form: stable, with shared exponentials, products of two."""
    program = program.mapped(Signs(_used(program)))
    bodies: dict[Node, Node] = {}
    stable = Stable(bodies)
    for name, body in program.bodies.items():
        bodies[name] = stable(body)
    program = Program(bodies, program.loss, {wrt: stable(g) for wrt, g in program.gradients.items()}, program.stacks)
    given = frozenset(n for n in all_nodes(program) if n.op == "symbol" and n not in bodies)
    program = program.mapped(Turned(_used(program)))
    for change in (Shared(_used(program)), Associate(given)):
        program = program.mapped(change)
    roots = [program.loss, *program.bodies.values(), *program.gradients.values()]
    kept = frozenset((*program.bodies, *program.bodies.values(), *program.gradients.values()))
    return program.mapped(Scales(iter(roots), given, kept))


def _used(program: Program) -> Iterator[Node]:
    """What the results are computed from: the loss, the gradients, and the definitions that they use."""
    todo, seen, visited = [*reversed(program.gradients.values()), program.loss], dict[Node, None](), set[Node]()
    while todo:
        root = todo.pop()
        for node in walk(root, visited):
            visited.add(node)
            if node in program.bodies and node not in seen:
                seen[node] = None
                todo.append(program.bodies[node])
        seen[root] = None
    return iter(tuple(seen))


class _Function:
    """One function: its names, its arguments and what `lambdify` writes."""

    def __init__(self, problem: Problem, program: Program, compiles: bool) -> None:
        self.problem, self.program, self.names = problem, program, Names()
        self.arguments = arguments_of(problem, program, self.names)
        self.arguments += free_indices_of(program, self.arguments, self.names)
        self.declared = {a.latex: a.name for a in self.arguments}
        called = {a.node: a.name + a.suffix for a in self.arguments if a.node is not None and a.node.op != "index"}
        for node in program.bodies:
            called[node] = self.declared[str(node.data[0])] = self.names.declared(str(node.data[0]), self._letter(node))
        functions = {a.latex: a.name for a in self.arguments if a.node is None}
        given = frozenset(a.node for a in self.arguments if a.node is not None)
        self.printer = NodePrinter(self.names, called, functions, given)
        self.printer.compiled = compiles
        for a in self.arguments:
            if a.node is not None and a.node.op == "index":
                self.printer.indices[str(a.node.data[0])] = a.name
        self.inner: list[str] = []
        self.namespace = {"np": np, "math": math, **{name: getattr(runtime, name) for name in source.HELPERS}}
        if compiles:
            self.namespace |= compiled.namespace()

    def _letter(self, node: Node) -> str:
        for family, stack in self.program.stacks.items():
            if node in (family, stack):
                return str(family.data[4])
        return str(node.data[4]) if node.op == "family" else ""

    def written(self) -> Lowered:
        program = self.program
        keys = tuple(program.gradients)
        for name in sorted(self.problem.scope.sizes):
            self.printer.size_names[name] = self.names.declared(name)
        split = by_rows(program, self.arguments)
        planned, result = self._whole() if split is None else self._by_rows(split)
        function, lines = self._function([a.name for a in self.arguments], planned, result, self.printer)
        docstring = source.docstring(self.problem, self.arguments, program)
        function.__doc__, function.__name__ = docstring, source.NAME
        text = source.module(lines, docstring, self.inner)
        arguments = tuple(a.name for a in self.arguments)
        if self.printer.compiled:
            function = compiled.wrapped(function, self.arguments, keys)
        return Lowered(
            text, function, arguments, self.declared, (str(program.loss.data[0]), *keys), tuple(self.arguments)
        )

    def _whole(self) -> tuple[Replacements, Node]:
        """The assignments of the function body and its result."""
        body = Body(self.names, self.printer, self.arguments, self.program.bodies)
        before, after, result = body.planned(_result(self.program))
        return body.headed([*before, *after], result, body.writes_over), result

    def _by_rows(self, split: Split) -> tuple[Replacements, Node]:
        """The same by rows; the function for some of them is written first."""
        body = Body(self.names, self.printer, self.arguments, split.after.bodies)
        blocks = Blocks(split, body)
        before, after, result = body.planned(_result(split.after), blocks.first, tuple(split.sums))
        blocks.written(self._write_inner)
        whole = [*before, *blocks.loop(), *after]
        return body.headed(whole, result, body.writes_over or bool(split.filled)), result

    def _write_inner(self, name: str, arguments: list[str], body: Replacements, result: Node, own: NodePrinter) -> None:
        function, self.inner = self._function(arguments, body, result, own)
        self.namespace[name] = compiled.compiled(function) if own.compiled else function

    def _function(
        self, arguments: list[str], body: Replacements, result: Node, printer: NodePrinter
    ) -> tuple[Any, list[str]]:
        """A function and the lines of its source, as `lambdify` writes them."""
        symbols = [Symbol(name) for name in arguments]
        function = lambdify(
            symbols, (result,), self.namespace, printer, use_imps=False, cse=lambda _: (body, result), docstring_limit=0
        )
        return function, linecache.getlines(function.__code__.co_filename)


def _result(program: Program) -> Node:
    return k.kernel("result", (program.loss, *program.gradients.values()), SCALAR, tuple(program.gradients))
