"""Tall data by some rows at a time, so that they are read from memory once and stay in the cache.

Where all that is as long as the examples are many is computed row by row, and only sums over the rows are used
otherwise, the function is taken apart: one for the sums over some rows, and what is made of the sums of all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from derive.expressions import build as b
from derive.expressions.node import Node, intern_node, walk
from derive.lowering import kernels as k
from derive.lowering.arguments import Argument
from derive.lowering.plan import cheap
from derive.lowering.program import Program
from derive.sizes import ONE, SCALAR, Dims, Size

Kind = int | str  # the axis that is as long as the examples are many; or one of
FREE, SUM, AFTER = "free of them", "sum over them", "made of sums"
BY_ROWS = frozenset(("top", "peak", "others", "error", "softmax", "log_softmax", "log_sum_exp_rows"))
ENTRYWISE = frozenset(("tail", "falling", "cosh_squared", "tanh_slopes"))
NOT_BY_ROWS = frozenset(("cases", "unspecified", "member", "sum", "stacked"))


class UnfitError(Exception):
    """A program that cannot be taken apart by rows."""


@dataclass(frozen=True, slots=True)
class Split:
    """A program taken apart by the rows of its examples, of which there are `count`.

    `tall` are the arguments that are cut, with the axis of their array; `sums`, `filled` and `shared` map new symbols
    to the sums over rows, the results that have rows (with their axis), and what is computed once for all rows.
    `bodies` are the definitions for some rows, `after` is the program that is left, in terms of the new symbols.
    """

    count: Size
    tall: dict[Node, int]
    sums: dict[Node, Node]
    filled: dict[Node, tuple[Node, int]]
    shared: dict[Node, Node]
    bodies: dict[Node, Node]
    after: Program

    @property
    def width(self) -> Size:
        """About how many numbers belong to one row."""
        out = Size(())
        roots = (*self.sums.values(), *(node for node, _ in self.filled.values()), *self.bodies.values())
        for node in k.nodes_in_order(iter(roots)):
            if self.count in node.dims and (node in self.tall or node.op in ("matmul", "outer")):
                length = node.dims[1] if node.dims[0] == self.count else node.dims[0]
                out = out + (length if node in self.tall else length * 3)
        return out

    @property
    def fixed(self) -> Size:
        """About how many numbers are read and written anew for each block."""
        out = Size(())
        for node in self.sums.values():
            out = out + node.dims[0] * node.dims[1] * 2
        return out


def by_rows(program: Program, arguments: Iterable[Argument]) -> Split | None:
    """A program taken apart by rows; `None` where it has no such form or has no examples to speak of."""
    given = list(arguments)
    nodes = k.nodes_in_order(_roots(program))
    counted = frozenset(name for n in nodes if n.op == "size" for name in n.data[0].names)
    for size in dict.fromkeys(s for a in given for s in a.axes if len(s.names) == 1 and s == Size.of(min(s.names))):
        tall = _cut(size, given)
        if not any(k.rank(node.dims) == 2 for node in tall) or not _may_pay(program, size, tall, counted):
            continue
        try:
            split = _Splitter(program, size, tall).split()
        except UnfitError:
            continue
        if _pays(split, program, counted):
            return split
    return None


def _may_pay(program: Program, size: Size, tall: dict[Node, int], counted: frozenset[str]) -> bool:
    """Whether rows look like those of examples, not of a parameter, before anything is taken apart."""
    families = sum(tall.get(stack) == 0 for stack in program.stacks.values())
    return bool(size.names & counted) or families > 1 or (len(tall) > 1 and not any(tall.values()))


def _cut(size: Size, arguments: Iterable[Argument]) -> dict[Node, int]:
    """The arguments that have a row, or a column, for each example; none where others depend on their number."""
    out: dict[Node, int] = {}
    for a in arguments:
        mentioned = [axis for axis, s in enumerate(a.axes) if s.names & size.names]
        if not mentioned:
            continue
        node = a.node
        if node is None or node.op != "symbol" or len(mentioned) > 1 or a.axes[mentioned[0]] != size:
            return {}
        if size not in node.dims or mentioned[0] > 1:
            return {}
        out[node] = mentioned[0]
    return out


def _pays(split: Split, program: Program, counted: frozenset[str]) -> bool:
    """Whether rows are multiplied and then summed, and whether they are those of examples, not of a parameter."""
    inside = list(k.nodes_in_order(iter((*split.sums.values(), *split.bodies.values()))))
    if not split.sums or not any(n.op == "matmul" and split.count in n.dims for n in inside):
        return False
    mean = bool(split.count.names & counted)
    families = sum(split.tall.get(stack) == 0 for stack in program.stacks.values())
    fitted = not split.filled and len(split.tall) > 1 and not any(split.tall.values())
    return mean or families > 1 or fitted


def _roots(program: Program) -> Iterator[Node]:
    return iter((*program.bodies.values(), program.loss, *program.gradients.values()))


class _Splitter:
    """Takes a program apart; raises `UnfitError` where that cannot be done."""

    def __init__(self, program: Program, size: Size, tall: dict[Node, int]) -> None:
        self.program, self.size, self.tall = program, size, tall
        self.kinds: dict[Node, Kind] = {}
        for name, body in program.bodies.items():
            self.kinds[name] = self._learn(body)
        for root in (program.loss, *program.gradients.values()):
            self._learn(root)
        self.shared: dict[Node, Node] = {}
        self.places: dict[Node, Node] = {}

    def _learn(self, root: Node) -> Kind:
        for node in walk(root, self.kinds):
            self.kinds[node] = self._kind(node)
        return self.kinds[root]

    # -------------------------------------------------------------------------------------------------- kinds

    def _kind(self, node: Node) -> Kind:
        long = [axis for axis, size in enumerate(node.dims) if size == self.size]
        if any(size.names & self.size.names and size != self.size for size in node.dims) or len(long) > 1:
            raise UnfitError
        kinds = [self.kinds[o] for o in node.operands]
        if any(isinstance(kind, int) for kind in kinds):
            return self._of_rows(node, kinds, long)
        if long:
            spread = node.op in ("ones", "fill", "rows", "columns") and all(kind == FREE for kind in kinds)
            if not spread and node not in self.tall:
                raise UnfitError
            return long[0]
        sums = kinds.count(SUM)
        if sums and sums == len(kinds) and node.op in ("add", "transpose", "turned"):
            return SUM
        if (
            sums == 1
            and node.op == "product"
            and all(kind == SUM or o.op == "number" for o, kind in zip(node.operands, kinds, strict=True))
        ):
            return SUM
        return FREE if all(kind == FREE for kind in kinds) else AFTER

    def _of_rows(self, node: Node, kinds: list[Kind], long: list[int]) -> Kind:
        """The kind of what is computed from rows."""
        if SUM in kinds or AFTER in kinds:
            raise UnfitError
        first, op = kinds[0], node.op
        if op in ("transpose", "turned") and isinstance(first, int):
            return 1 - first
        if op in ("matmul", "outer"):
            return _of_product(kinds, node.operands)
        if op in ("vdot", "total") and len(set(kinds)) == 1:
            return SUM
        if op in ("row_sums", "column_sums"):
            return SUM if first == (op == "row_sums") else first
        if op in BY_ROWS and first == 0 and node.operands[0].dims[1] != ONE and set(kinds) == {0}:
            return 0
        if op in ("rows", "columns") and first == (op == "rows"):
            return first
        if (op in ENTRYWISE or k.elementwise(node)) and op not in NOT_BY_ROWS and long:
            axes = {kind for kind in kinds if kind != FREE}
            if axes == {long[0]} and all(
                o.dims == SCALAR for o, kind in zip(node.operands, kinds, strict=True) if kind == FREE
            ):
                return long[0]
        raise UnfitError

    # -------------------------------------------------------------------------------------------------- parts

    def split(self) -> Split:
        found, filled = self._parts()
        sums = {b.symbol(f"#sum {n}", node.dims): node for n, node in enumerate(found)}
        outputs = {b.symbol(f"#rows {n}", node.dims): node for n, node in enumerate(filled)}
        inside = {node: self._inside(node) for node in (*found, *filled)}
        bodies = {n: self._inside(body) for n, body in self.program.bodies.items() if self._is_inside(n)}
        used = set(k.nodes_in_order(iter((*inside.values(), *bodies.values()))))
        shared = {symbol: node for symbol, node in self.shared.items() if symbol in used}
        new = {node: symbol for symbol, node in (*sums.items(), *outputs.items())}
        places: dict[Node, Node] = {}
        kept = {n: _replaced(v, new, places) for n, v in self.program.bodies.items() if self.kinds[n] in (FREE, AFTER)}
        gradients = {wrt: _replaced(g, new, places) for wrt, g in self.program.gradients.items()}
        after = Program(kept, _replaced(self.program.loss, new, places), gradients, self.program.stacks)
        return Split(
            self.size,
            self.tall,
            {symbol: inside[node] for symbol, node in sums.items()},
            {symbol: (inside[node], int(self.kinds[node])) for symbol, node in outputs.items()},
            shared,
            bodies,
            after,
        )

    def _is_inside(self, name: Node) -> bool:
        return self.kinds[name] == SUM or isinstance(self.kinds[name], int)

    def _parts(self) -> tuple[list[Node], list[Node]]:
        """The sums that the results are made of, and the results that have rows."""
        sums, filled, seen = dict[Node, None](), dict[Node, None](), set[Node]()
        todo = [*reversed(self.program.gradients.values()), self.program.loss]
        filled |= {g: None for g in self.program.gradients.values() if isinstance(self.kinds[g], int)}
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            if self.kinds[node] == SUM:
                sums[node] = None
            elif self.kinds[node] == AFTER:
                todo += [self.program.bodies[node]] if node in self.program.bodies else reversed(node.operands)
        return list(sums), list(filled)

    def _inside(self, root: Node) -> Node:
        """An expression for some rows: what is computed once for all of them has a name."""
        for node in walk(root, self.places):
            self.places[node] = self._placed(node)
        return self.places[root]

    def _placed(self, node: Node) -> Node:
        if self.kinds[node] != FREE:
            return _again(node, self.places)
        named = node in self.program.bodies or (node.op == "size" and bool(node.data[0].names & self.size.names))
        if named or not (node.operands == () or cheap(node)):
            symbol = b.symbol(f"#shared {len(self.shared)}", node.dims)
            self.shared[symbol] = node
            return symbol
        return _again(node, self.places)


def _of_product(kinds: list[Kind], sides: tuple[Node, ...]) -> Kind:
    """The kind of A B."""
    left, right = kinds
    if left == 0 and right == FREE:
        return 0
    if left == FREE and right == 1:
        return 1
    if left == 1 and right == 0:
        return SUM
    raise UnfitError


def _again(node: Node, places: Mapping[Node, Node]) -> Node:
    """The same operation on operands that are written otherwise."""
    parts = tuple(places[o] for o in node.operands)
    if parts == node.operands:
        return node
    dims: Dims = node.dims
    out = intern_node(node.op, parts, node.data, dims)
    out._free = node._free
    return out


def _replaced(root: Node, new: Mapping[Node, Node], places: dict[Node, Node]) -> Node:
    """An expression with some parts replaced, the outermost first; `places` remembers, for one `new`."""
    for node in walk(root, places):
        places[node] = new.get(node) or _again(node, places)
    return places[root]
