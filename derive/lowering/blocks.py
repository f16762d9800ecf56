"""A program that is taken apart by rows, as two functions: sums over some rows, and the loop that calls it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sympy import Symbol

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.arguments import Argument
from derive.lowering.arithmetic import FLAGS
from derive.lowering.body import Body
from derive.lowering.names import identifier
from derive.lowering.plan import Replacements
from derive.lowering.printer import NodePrinter
from derive.lowering.rows import Split
from derive.lowering.source import INNER as NAME
from derive.sizes import SCALAR, Size

Write = Callable[[str, list[str], Replacements, Node, NodePrinter], None]


class Blocks:
    """The function for some rows, written with `write`, and the assignments of a body that calls it."""

    def __init__(self, split: Split, body: Body) -> None:
        self.split, self.body, self.names = split, body, body.names
        self.start, self.step, self.part = (self.names.fresh(n) for n in ("start", "step", "part"))
        called = body.printer.called
        for node in split.sums:
            called[node] = self.names.fresh(self._hint(node))
            body.made.add(node)
        for node in split.filled:
            called[node] = self.names.fresh(self._hint(node))
        self.cut = {a.name: split.tall[a.node] for a in body.arguments if a.node is not None and a.node in split.tall}
        self.passed: list[str] = []

    def _hint(self, symbol: Node) -> str:
        """The name of a part, by the gradient that it is."""
        for wrt, gradient in self.split.after.gradients.items():
            core = gradient.operands[-1] if gradient.op == "product" else gradient
            core = core.operands[0] if core.op == "transpose" else core
            if core is symbol:
                return f"{'grad' if symbol in self.split.filled else 'sum'}_{identifier(wrt)}"
        return "total"

    # --------------------------------------------------------------------------------------------- for some rows

    @property
    def first(self) -> dict[Node, Node]:
        """What is computed once for all rows, by its symbol."""
        return {s: node for s, node in self.split.shared.items() if not _plain_size(node)}

    def written(self, write: Write) -> None:
        """Write the function for some rows."""
        split, outer = self.split, self.body.printer
        printer = NodePrinter(self.names, dict(outer.called), outer.functions, outer.given)
        printer.compiled, printer.indices, printer.soft = outer.compiled, outer.indices, set(outer.soft)
        printer.size_names = outer.size_names | {min(split.count.names): self.names.fresh("count")}
        arguments = list(self.body.arguments) + self._shared(printer)
        body = Body(self.names, printer, arguments, split.bodies)
        values = (*split.sums.values(), *(node for node, _ in split.filled.values()))
        keys = tuple(outer.called[s] for s in (*split.sums, *split.filled))
        before, after, reduced = body.planned(k.kernel("parts", values, SCALAR, keys[1:]))
        planned = [*before, *after]
        count = len(split.sums)
        result = k.kernel("parts", reduced.operands[:count], SCALAR, ())
        for symbol, value in zip(split.filled, reduced.operands[count:], strict=True):
            if printer.compiled:
                planned.append((Symbol(f"{outer.called[symbol]}[...]"), value))
            else:
                _put(planned, printer.called.get(value, ""), value, outer.called[symbol])
        headed = body.headed(planned, result)
        self.body.writes_over |= body.writes_over
        text = "\n".join(printer.doprint(v) for v in (*(v for _, v in headed), result) if v is not None)
        self.passed = [a.name for a in arguments if _stands_in(a.name, text)]
        self.passed += [a.name for a in body.arguments[len(arguments) :]]
        self.passed += [outer.called[s] for s in split.filled]
        write(NAME, self.passed, headed, result, printer)

    def _shared(self, printer: NodePrinter) -> list[Argument]:
        """Arguments for what is computed once for all rows."""
        outer, out = self.body.printer, list[Argument]()
        for symbol, node in self.split.shared.items():
            if _plain_size(node):
                outer.called[symbol] = str(outer.size(node.data[0]))
            if outer.weak(node) or symbol in outer.soft:
                printer.soft.add(symbol)
            printer.called[symbol] = outer.called[symbol]
            if all(a.name != outer.called[symbol] for a in self.body.arguments):
                out.append(Argument(outer.called[symbol], ""))
        return out

    # ------------------------------------------------------------------------------------------------- for all rows

    def loop(self) -> Replacements:
        """The sums over all rows, added up block by block."""
        printer, split = self.body.printer, self.split
        count = printer.size(split.count)
        rows = f"rows_at_once({count}, {printer.size(split.width)}, {printer.size(split.fixed)})"
        sums = [printer.called[s] for s in split.sums]
        lines = [
            f"{NAME}({self._arguments('', self.step)})",
            f"    for {self.start} in range({self.step}, {count}, {self.step}):",
            f"        {self.part} = {NAME}({self._arguments(self.start, f'{self.start} + {self.step}')})",
            *(f"        {name} += {self.part}[{n}]" for n, name in enumerate(sums)),
        ]
        target = ", ".join(sums) + ("," if len(sums) == 1 else "")
        room = [
            (printer.called[s], f"np.empty({printer.shape(s.dims)}, dtype={printer.dtype})") for s in self.split.filled
        ]
        assigned = [*room, (self.step, rows), (target, "\n".join(lines))]
        return [(Symbol(name), _text(text)) for name, text in assigned]

    def _arguments(self, first: str, last: str) -> str:
        axes = self.cut | {self.body.printer.called[s]: axis for s, axis in self._filled_axes()}
        cuts = ("", ":, ")
        return ", ".join(f"{n}[{cuts[axes[n]]}{first}:{last}]" if n in axes else n for n in self.passed)

    def _filled_axes(self) -> Iterator[tuple[Node, int]]:
        for symbol, (_, axis) in self.split.filled.items():
            yield symbol, axis if k.rank(symbol.dims) == 2 else 0


def _put(body: Replacements, name: str, value: Node, where: str) -> None:
    """Let the last step of a value write to an array, or copy it there."""
    for n in range(len(body) - 1, -1, -1):
        target, step = body[n]
        if str(target) == name and step is not None:
            onto = _onto(step, where)
            if onto is None:
                break
            body[n] = (target, onto)
            return
    onto = _onto(value, where)
    body.append((Symbol(f"{where}[...]"), value) if onto is None else (Symbol(where), onto))


def _onto(step: Node, where: str) -> Node | None:
    """One call of a NumPy function that writes to an array; `None` where that is not the form of a value."""
    if step.op == "into":
        return k.kernel("onto", step.operands, step.dims, (str(step.data[0]), where))
    if step.op == "matmul" and k.rank(step.dims) == 2:
        return k.kernel("product_into", step.operands, step.dims, (where,))
    factors = step.operands if step.op == "hadamard" else ()
    if len(factors) != 2 or any(b.base_and_exponent(o)[1] < 0 or o.op in FLAGS for o in factors):
        return None
    return k.kernel("onto", factors, step.dims, ("multiply", where))


def _plain_size(node: Node) -> bool:
    """Whether a number is a size that has a name."""
    return node.op == "size" and node.data[0] == Size.of(min(node.data[0].names))


def _text(text: str) -> Node:
    return k.kernel("text", (), SCALAR, (text,))


def _stands_in(name: str, text: str) -> bool:
    return re.search(rf"(?<![.\w]){re.escape(name)}\b", text) is not None
