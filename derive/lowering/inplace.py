"""Matrices that are needed no more are written over: `np.add(Z, b, out=Z)`.

A fresh matrix costs more than what is computed in it.  The assignments of a function are taken apart until each
entry-by-entry operation on a matrix stands alone, sums of entries move up to where their matrix is first known,
and what follows the last use of a matrix that the function has made itself is computed in its place.  Arguments,
results, what may share memory with them, and vectors are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, intern_node, walk
from derive.lowering import kernels as k
from derive.lowering.names import identifier
from derive.lowering.plan import BINDING, VALUES
from derive.sizes import SCALAR

Assignment = tuple[Node, Node]
Step = tuple[Node, Node | None]  # a name with None is given up
VIEWS = frozenset(("transpose", "block", "row", "column", "symbol", "family", "member", "cases", "unspecified"))
BROADCAST = frozenset(("fill", "rows", "columns"))
SUMS = frozenset(("vdot", "total", "row_sums", "column_sums"))
FLAGS = frozenset(("positive", "is_zero"))
FRESH = frozenset(
    ("made", "matmul", "outer", "take", "error", "softmax", "log_softmax", "falling", "tail", "cosh_squared",
     "tanh_slopes", "at")
)  # fmt: skip
UNARY = {"exp": "exp", "tanh": "tanh", "log": "log", "abs": "abs", "log1p": "log1p", "sin": "sin", "cos": "cos"}


def is_matrix(node: Node) -> bool:
    """Whether a value is an array with two axes."""
    return k.rank(node.dims) == 2


def into(function: str, target: Node, *others: Node) -> Node:
    """What a NumPy function gives, written over its first matrix."""
    return k.kernel("into", (target, *others), target.dims, (function,))


@dataclass(slots=True)
class InPlace:
    """Rewrites assignments; `name` makes the symbol of a new one, `given` are the arguments.

    Afterwards `used` tells if anything is written over, and `succeeded` by which name a new one is written over.
    """

    name: Callable[[Node, str], Node]
    given: frozenset[Node]
    used: bool = False
    succeeded: dict[Node, Node] = field(default_factory=dict)
    out: list[Assignment] = field(default_factory=list)

    def __call__(self, assignments: list[Assignment], result: Node) -> tuple[list[Step], Node]:
        """The steps and the result."""
        for target, value in assignments:
            flat = self._flat(value)
            self.out.append((target, flat))
        parts = tuple(map(self._result, result.operands, ("", *map(str, result.data[:-1]))))
        result = intern_node(result.op, parts, result.data, result.dims)
        ordered = _sums_first(self.out)
        return list(self._written_over(ordered, result)), result

    # ------------------------------------------------------------------------------------------ taken apart

    def _flat(self, node: Node) -> Node:
        """The value with matrices that are computed inside of it named."""
        if not node.operands or node.op in BINDING or node.op in ("cases", "made"):
            return node
        if k.dots_rows(node):
            both = node.operands[0]
            return k.rebuilt(node, (k.rebuilt(both, tuple(self._flat(o) for o in both.operands)),))
        count = VALUES.get(node.op, len(node.operands))
        whole = k.elementwise(node) and is_matrix(node)
        divides = node.op in ("hadamard", "scaled")
        parts = tuple(self._part(o, whole, divides) for o in node.operands[:count]) + node.operands[count:]
        if parts == node.operands:
            return node
        out = intern_node(node.op, parts, node.data, node.dims)
        out._free = free_indices(node)
        return out

    def _part(self, node: Node, inside_matrix: bool, divides: bool = False) -> Node:
        base, exponent = b.base_and_exponent(node)
        if divides and exponent == -1 and is_matrix(node):
            return b.power(self._part(base, True), exponent)
        value, rest = b.split_number(node)
        if value == -1 and inside_matrix:
            return b.product(b.number(-1), self._part(rest, True))
        flat = self._flat(node)
        if flat.operands and not free_indices(flat):
            if (
                is_matrix(flat)
                and flat.op not in FLAGS
                and _makes_its_own(flat)
                and (inside_matrix or k.elementwise(flat))
            ):
                return self._named(flat)
            if flat.op in SUMS and _matrices_of(flat) - self.given:
                return self._named(flat)
        return flat

    def _result(self, node: Node, key: str) -> Node:
        flat = self._flat(node)
        if flat.op in SUMS and _matrices_of(flat) - self.given:
            return self._named(flat, key and f"sum_{identifier(key)}")
        several = flat.operands and k.elementwise(flat) and is_matrix(flat) and flat.op not in BROADCAST
        return self._named(flat, f"grad_{identifier(key)}") if several and not free_indices(flat) else flat

    def _named(self, node: Node, hint: str = "") -> Node:
        target = self.name(node, hint)
        self.out.append((target, node))
        return target

    # ---------------------------------------------------------------------------------------- written over

    def _written_over(self, assignments: list[Assignment], result: Node) -> Iterator[Step]:
        last = {n: len(assignments) for n in walk(result)}
        for at in range(len(assignments) - 1, -1, -1):
            for node in walk(assignments[at][1]):
                last.setdefault(node, at)
        shared = _sharing(assignments)
        mine = dict[Node, None]()
        for at, (target, value) in enumerate(assignments):
            free = {n: None for n in mine if last.get(n) == at and n not in shared}
            steps = _steps(value, free, target)
            if is_matrix(target) and _makes_its_own(value):
                mine[target] = None
            if steps:
                self.used = True
                self.succeeded[_place(steps[0])] = target
            for step in steps or [value]:
                yield target, step
            for node in [n for n in free if n not in self.succeeded]:
                yield node, None


def _makes_its_own(node: Node) -> bool:
    """Whether a value is an array that nothing else refers to."""
    if node.op in FRESH:
        return True
    return k.elementwise(node) and node.op not in VIEWS and node.op not in BROADCAST


def _matrices_of(node: Node) -> set[Node]:
    return {o for o in node.operands if is_matrix(o) and not o.operands}


def _sharing(assignments: list[Assignment]) -> set[Node]:
    """The names whose memory another name, or a function that is given, may refer to."""
    out = set[Node]()
    for target, value in assignments:
        if value.op in VIEWS:
            out |= {target, *walk(value)}
        for node in walk(value):
            if node.op in ("unspecified", *BINDING):
                out.update(walk(node))
    return out


def _sums_first(assignments: list[Assignment]) -> list[Assignment]:
    """Sums of entries as early as what they sum is known."""
    out: list[Assignment] = []
    for target, value in assignments:
        place = len(out)
        if value.op in SUMS:
            needed = set(walk(value))
            place = next((n + 1 for n in range(len(out) - 1, -1, -1) if out[n][0] in needed), 0)
        out.insert(place, (target, value))
    return out


# --------------------------------------------------------------------------------------------------- steps


def _steps(value: Node, free: Container[Node], target: Node) -> list[Node] | None:
    """The steps of a value, each written over the matrix before it; None where the value stays as it is."""
    if not is_matrix(value):
        return None
    if value.op == "add":
        return _steps_of_sum(value, free, target)
    if value.op in ("product", "hadamard", "scaled", "pair"):
        return _steps_of_product(value, free, target)
    first = value.operands[0] if value.operands else value
    if first not in free or any(first in set(walk(o)) for o in value.operands[1:]):
        return None
    if value.op in UNARY:
        return [into(UNARY[value.op], first)]
    if value.op == "relu":
        return [into("maximum", first, b.number(0))]
    if value.op == "shifted":
        return [into("subtract", first, value.operands[1])]
    if value.op == "power" and value.data[0] in (2, -1):
        return [into("multiply", first, first) if value.data[0] == 2 else into("reciprocal", first)]
    if value.op == "error":
        return [k.kernel("error", value.operands, value.dims, (True,))]
    return None


def _place(step: Node) -> Node:
    """The matrix that a step writes over."""
    return step.operands[int(step.data[1]) if step.op == "into" and len(step.data) > 2 else 0]


def _steps_of_sum(value: Node, free: Container[Node], target: Node) -> list[Node] | None:
    terms = [(b.split_number(t), t) for t in value.operands]
    own = next((t for (v, rest), t in terms if rest in free and abs(v) == 1 and _once(rest, value)), None)
    if own is None:
        return None
    (sign, matrix), others = b.split_number(own), [t for _, t in terms if t is not own]
    steps: list[Node] = []
    if sign < 0:
        first = next((t for t in others if b.split_number(t)[0] > 0), None)
        if first is None:
            return None
        others = [t for t in others if t is not first]
        steps.append(k.kernel("into", (first, matrix), value.dims, ("subtract", 1)))
    for term in others:
        factor, rest = b.split_number(term)
        function = "subtract" if factor == -1 else "add"
        steps.append(into(function, target if steps else matrix, rest if factor == -1 else term))
    return steps


def _steps_of_product(value: Node, free: Container[Node], target: Node) -> list[Node] | None:
    factors = list(value.operands)
    if value.op not in ("hadamard", "pair"):
        factors = [f for o in factors for f in (o.operands if o.op in ("hadamard", "product") else (o,))]
    own = next((f for f in factors if f in free and _once(f, value)), None)
    if own is None:
        return None
    scalars = [f for f in factors if f.dims == SCALAR]
    others = [f for f in factors if f.dims != SCALAR and f is not own]
    if scalars:
        others.append(b.product(*scalars))
    steps: list[Node] = []
    for other in others:
        base, exponent = b.base_and_exponent(other)
        divides = exponent < 0
        by = b.power(base, -exponent) if divides else other
        steps.append(into("divide" if divides else "multiply", target if steps else own, by))
    return steps


def _once(matrix: Node, value: Node) -> bool:
    """Whether a matrix stands in a value at one place only, so that no later step needs it as it was."""
    count, todo = 0, [value]
    while todo:
        node = todo.pop()
        count += node is matrix
        todo.extend(node.operands)
    return count == 1
