"""The body of one function: which values get a name, in what order, and what is written over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Symbol

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.arguments import Argument, measure
from derive.lowering.inplace import Assignment, InPlace, Step
from derive.lowering.names import Names
from derive.lowering.plan import Plan, Replacements
from derive.lowering.printer import NodePrinter
from derive.sizes import SCALAR

MADE = b.symbol("#made", SCALAR)


class Body:
    """One function body: its names, its arguments, its printer, and the definitions that it may use."""

    def __init__(
        self, names: Names, printer: NodePrinter, arguments: list[Argument], bodies: Mapping[Node, Node]
    ) -> None:
        self.names, self.printer, self.arguments, self.bodies = names, printer, arguments, dict(bodies)
        self.made = set[Node]()
        self.writes_over = False

    def planned(
        self, result: Node, first: Mapping[Node, Node] | None = None, made: Sequence[Node] = ()
    ) -> tuple[Replacements, Replacements, Node]:
        """The assignments that the values `first` need, those of a result, and the result.

        `first` maps symbols to values; `made` are arrays that are there once `first` is, and may be written over.
        """
        wanted = first or {}
        plan = Plan(self.bodies, self.name)
        replacements, reduced = plan(result, tuple(wanted.values()))
        own: list[Assignment] = [(t, v) for t, (_, v) in zip(plan.assigned, replacements, strict=True)]
        ahead, rest = own[: plan.ahead], own[plan.ahead :]
        for symbol, value in zip(wanted, plan.first, strict=True):
            if value in self.printer.called:
                self.printer.called[symbol] = self.printer.called[value]
            else:
                self.name(symbol, value, "")
                ahead.append((symbol, value))
        steps: list[Step] = [*ahead, (MADE, k.kernel("made", (), SCALAR)), *rest]
        if not self.printer.compiled:
            steps, reduced = self._in_place(ahead, rest, reduced, (*plan.first, *wanted), made)
        body = [(Symbol(self.printer.called.get(target, "")), value) for target, value in steps]
        at = next(n for n, (_, value) in enumerate(steps) if value is not None and value.op == "made")
        after: Any = [pair for pair in body[at:] if pair[1] is None or pair[1].op != "made"]
        before: Any = body[:at]
        return before, after, reduced

    def _in_place(
        self, ahead: list[Assignment], rest: list[Assignment], result: Node, read: Sequence[Node], made: Sequence[Node]
    ) -> tuple[list[Step], Node]:
        inplace = InPlace(self._temporary, self.printer.given)
        there = [(MADE, k.kernel("made", tuple(read), SCALAR))]
        there += [(node, k.kernel("made", (), node.dims, (str(node.data[0]),))) for node in made]
        steps, result = inplace([*ahead, *there, *rest], result)
        for place, successor in reversed(inplace.succeeded.items()):
            if place in self.made:
                self.printer.called[place] = self.printer.called[successor]
        self.writes_over |= inplace.used
        return steps, result

    def _temporary(self, value: Node, hint: str) -> Node:
        target = b.symbol(f"##{len(self.made)}", value.dims)
        self.name(target, value, hint)
        self.made.add(target)
        return target

    def name(self, node: Node, value: Node, hint: str) -> str:
        """The identifier of a value, new unless it is a definition."""
        if self.printer.weak(value):
            self.printer.soft.add(node)
        if node in self.bodies:
            return self.printer.called[node]
        name = self.names.fresh(hint) if hint else self.names.temporary()
        self.printer.called[node] = name
        return name

    # ------------------------------------------------------------------------------------------ what stands first

    def headed(self, body: Replacements, result: Node, convert: bool = False) -> Replacements:
        """The assignments after those of sizes and dtype that printing them asks for."""
        for _, value in body:
            if value is not None:
                self.printer.doprint(value)
        self.printer.doprint(result)
        return [*self._one_dtype(convert), *self._sizes(), *self._dtype(), *body]

    def _one_dtype(self, needed: bool) -> Replacements:
        """Arrays that are written over must have the dtype of what is computed in them."""
        arrays = [a.name for a in self.arguments if a.real and a.axes]
        if not needed or len(arrays) < 2 or self.printer.compiled:
            return []
        return [(Symbol(", ".join(arrays)), k.kernel("one_dtype", (), SCALAR, tuple(arrays)))]

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
