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
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.lowering import compiled, runtime, source
from derive.lowering import kernels as k
from derive.lowering.arguments import Argument, all_nodes, arguments_of, free_indices_of, measure
from derive.lowering.inplace import InPlace
from derive.lowering.names import Names
from derive.lowering.plan import Plan, Replacements
from derive.lowering.printer import NodePrinter
from derive.lowering.products import Associate
from derive.lowering.program import Program, program_of
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
        self.temporaries = 0
        self.made = set[Node]()

    def _letter(self, node: Node) -> str:
        for family, stack in self.program.stacks.items():
            if node in (family, stack):
                return str(family.data[4])
        return str(node.data[4]) if node.op == "family" else ""

    def written(self) -> Lowered:
        program = self.program
        keys = tuple(program.gradients)
        result = k.kernel("result", (program.loss, *program.gradients.values()), SCALAR, keys)
        for name in sorted(self.problem.scope.sizes):
            self.printer.size_names[name] = self.names.declared(name)
        planned = self._planned(result)
        symbols = [Symbol(a.name) for a in self.arguments]
        namespace = {"np": np, "math": math, **{name: getattr(runtime, name) for name in source.HELPERS}}
        if self.printer.compiled:
            namespace |= compiled.namespace()
        function = lambdify(
            symbols, (result,), namespace, self.printer, use_imps=False, cse=lambda _: planned, docstring_limit=0
        )
        lines = linecache.getlines(function.__code__.co_filename)
        docstring = source.docstring(self.problem, self.arguments, program)
        function.__doc__, function.__name__ = docstring, source.NAME
        text = source.module(lines, docstring)
        arguments = tuple(a.name for a in self.arguments)
        if self.printer.compiled:
            function = compiled.wrapped(function, self.arguments, keys)
        return Lowered(
            text, function, arguments, self.declared, (str(program.loss.data[0]), *keys), tuple(self.arguments)
        )

    # ------------------------------------------------------------------------------------------- planning

    def _planned(self, result: Node) -> tuple[Replacements, Node]:
        """The assignments of the function body: sizes and dtype, definitions, shared values; and its result."""
        plan = Plan(self.program.bodies, self._name)
        replacements, reduced = plan(result)
        if self.printer.compiled:
            return [*self._sizes_after(replacements, reduced), *replacements], reduced
        inplace = InPlace(self._temporary, self.printer.given)
        assignments, reduced = inplace([(t, v) for t, (_, v) in zip(plan.assigned, replacements, strict=True)], reduced)
        for place, successor in reversed(inplace.succeeded.items()):
            if place in self.made:
                self.printer.called[place] = self.printer.called[successor]
        for _, value in assignments:
            if value is not None:
                self.printer.doprint(value)
        self.printer.doprint(reduced)
        body: Any = [(Symbol(self.printer.called[target]), value) for target, value in assignments]
        return [*self._one_dtype(inplace.used), *self._sizes(), *self._dtype(), *body], reduced

    def _sizes_after(self, replacements: Replacements, reduced: Node) -> Replacements:
        """The sizes that printing all this asks for."""
        for _, value in replacements:
            self.printer.doprint(value)
        self.printer.doprint(reduced)
        return self._sizes()

    def _temporary(self, value: Node, hint: str) -> Node:
        target = b.symbol(f"##{len(self.made)}", value.dims)
        self._name(target, value, hint)
        self.made.add(target)
        return target

    def _one_dtype(self, needed: bool) -> Replacements:
        """Arrays that are written over must have the dtype of what is computed in them."""
        arrays = [a.name for a in self.arguments if a.real and a.axes]
        if not needed or len(arrays) < 2:
            return []
        return [(Symbol(", ".join(arrays)), k.kernel("one_dtype", (), SCALAR, tuple(arrays)))]

    def _name(self, node: Node, value: Node, hint: str) -> str:
        if self.printer.weak(value):
            self.printer.soft.add(node)
        if node in self.program.bodies:
            return self.printer.called[node]
        if hint:
            name = self.names.fresh(hint)
        else:
            self.temporaries += 1
            name = self.names.fresh(f"t{self.temporaries}")
        self.printer.called[node] = name
        return name

    def _sizes(self) -> Replacements:
        """Assignments of the sizes that the body uses; those that no argument tells become arguments."""
        out: Replacements = []
        for name in list(self.printer.sizes_used):
            how, written = measure(name, self.arguments), self.printer.size_names[name]
            if how is None:
                self.arguments.append(Argument(written, name, (), "a size"))
            else:
                out.append((Symbol(written), how))
        return out

    def _dtype(self) -> Replacements:
        if not self.printer.dtype_used:
            return []
        data = tuple(a.name for a in self.arguments if a.real)
        return [(Symbol("dtype"), k.kernel("common_dtype", (), SCALAR, data))]
