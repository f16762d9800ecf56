"""Sums over an index as matrix products.

`lift` gives all values of an expression at once: for a number that depends on the index a column, for a
vector a matrix whose rows are its values.  Then Σ_i a_i = 1ᵀ a, Σ_i s_i v_i = Vᵀ s and Σ_i a_i b_iᵀ = Aᵀ B.
`None` means that there is no such form; the sum then stays a loop over its index.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices
from derive.lowering import kernels as k
from derive.lowering.segments import segments, split
from derive.operations.indexing import block
from derive.sizes import ONE, SCALAR, Range, Size


def vectorise(root: Node, done: dict[Node, Node]) -> Node:
    """An expression with its sums over an index written as products, innermost first; `done` is its memory."""
    return k.rewrite(root, _sum, done)


def _sum(node: Node) -> Node | None:
    if node.op != "sum":
        return None
    body, condition = node.operands
    over: Range = node.data[1]
    lifter = Lifter(str(node.data[0]), over)
    return lifter.total(body if condition == b.number(1) else b.product(condition, body))


class Lifter:
    """Lifts expressions over one index and its range."""

    def __init__(self, name: str, over: Range, index: Node | None = None) -> None:
        self.name, self.over, self.count = name, over, k.count_of(over)
        self.place = k.position(index or b.index(name, None), over)

    def depends(self, node: Node) -> bool:
        return self.name in free_indices(node)

    # ------------------------------------------------------------------------------------------- sums

    def total(self, node: Node) -> Node | None:
        """The sum of an expression over the index."""
        if not self.depends(node):
            return b.product(b.size_number(self.count), node)
        if node.op == "add":
            parts = [self.total(t) for t in node.operands]
            return _all(parts, lambda *known: b.add(*known))
        if node.dims == SCALAR:
            whole = self.lift(node)
            return None if whole is None else b.total(whole)
        scalars, chains = split(node)
        fixed = [s for s in scalars if not self.depends(s)]
        weights = self._weights([s for s in scalars if self.depends(s)])
        if weights is None:
            return None
        inside = self._sum_of_segments(chains, weights)
        return None if inside is None else b.product(*fixed, inside)

    def _weights(self, scalars: list[Node]) -> Node | None:
        parts = [self.lift(s) for s in scalars]
        ones = b.ones((self.count, ONE))
        return _all(parts, lambda *known: b.hadamard(ones, *known))

    def _sum_of_segments(self, parts: list[list[Node]], weights: Node) -> Node | None:
        """Σ s_i A u_i v_iᵀ B = A (Uᵀ (s ∘ V)) B, with what does not depend on the index outside."""
        chain = [f for part in parts for f in part]
        moving = [n for n, f in enumerate(chain) if self.depends(f)]
        if not moving:
            return b.product(b.total(weights), *chain)
        before, after = chain[: moving[0]], chain[moving[-1] + 1 :]
        inside = segments(chain[moving[0] : moving[-1] + 1])
        sides = [self._vectors(part) for part in inside]
        if len(sides) > 2 or any(s is None for s in sides):
            return None
        first = sides[0]
        assert first is not None
        if len(sides) == 2 and sides[1] is not None:
            return b.product(*before, b.transpose(_scaled(weights, first)), sides[1], *after)
        column = inside[0][-1].dims[1] == ONE
        middle = b.product(b.transpose(first), weights) if column else b.product(b.transpose(weights), first)
        return b.product(*before, middle, *after)

    # ------------------------------------------------------------------------------------------ lifting

    def lift(self, node: Node) -> Node | None:
        """All values at once, along rows."""
        if not self.depends(node):
            return self._constant(node)
        if k.rank(node.dims) > 1:
            return None
        rule = _RULES.get(node.op)
        if rule is not None:
            return rule(self, node)
        if not k.elementwise(node):
            return None
        return _all([self.lift(o) for o in node.operands], lambda *known: k.rebuilt(node, known))

    def _constant(self, node: Node) -> Node | None:
        if k.rank(node.dims) > 1:
            return None
        row = node if node.dims[0] == ONE else b.transpose(node)
        return b.product(b.ones((self.count, ONE)), row)

    def product(self, node: Node) -> Node | None:
        scalars, parts = split(node)
        fixed = [s for s in scalars if not self.depends(s)]
        weights = self._weights([s for s in scalars if self.depends(s)])
        if weights is None or len(parts) > 1:
            return None
        if not parts:
            return b.product(*fixed, weights)
        if node.dims == SCALAR:
            inner = self._inner(parts[0])
            return None if inner is None else b.product(*fixed, b.hadamard(weights, inner))
        vectors = self._vectors(parts[0])
        return None if vectors is None else b.product(*fixed, _scaled(weights, vectors))

    def _vectors(self, part: list[Node]) -> Node | None:
        """The values of a column A B v or a row v A B, as rows of a matrix."""
        chain = part if part[0].dims[0] == ONE else [b.transpose(f) for f in reversed(part)]
        if chain[0].dims[0] != ONE or any(self.depends(f) for f in chain[1:]):
            return None
        first = self.lift(chain[0])
        return None if first is None else b.product(first, *chain[1:])

    def _inner(self, part: list[Node]) -> Node | None:
        """The values of a number u A v: (U A) v, V (Aᵀ uᵀ), or the row sums of U A ∘ V."""
        first, last = part[0], part[-1]
        if not any(self.depends(f) for f in part):
            return self._constant(b.product(*part))
        if any(self.depends(f) for f in part[1:-1]):
            return None
        if not self.depends(last):
            left = self.lift(first)
            return None if left is None else b.product(left, *part[1:])
        right = self.lift(last)
        if right is None:
            return None
        if not self.depends(first):
            return b.product(right, *(b.transpose(f) for f in reversed(part[:-1])))
        left = self.lift(first)
        if left is None:
            return None
        both = b.hadamard(b.product(left, *part[1:-1]), right)
        return b.product(both, b.ones((both.dims[1], ONE)))

    # ----------------------------------------------------------------------------------- parts of matrices

    def whole(self, i: Node, size: Size) -> bool:
        """Whether an index expression runs through a whole dimension."""
        return i == self.place and self.count == size

    def positions(self, i: Node) -> Node | None:
        """The values of an index expression as an array of integers."""
        if i == self.place:
            return k.counts(self.count)
        if i.op == "member" and i.operands[0].op == "index_family" and self._is_own(i.operands[1]):
            return i.operands[0] if i.operands[0].data[2] == self.over else None
        if i.op == "member" and i.operands[0].op == "index_family":
            where = self.positions(i.operands[1])
            return None if where is None else b.member(i.operands[0], where)
        return None if self.depends(i) else i

    def run(self, i: Node) -> tuple[Size, Size] | None:
        """Start and end (from 0, the end not included) of the consecutive places that i + c runs through."""
        terms = i.operands if i.op == "add" else (i,)
        rest = [t for t in terms if not self._is_own(t)]
        if len(rest) != len(terms) - 1 or self.over.excluded:
            return None
        shifts = [_constant_size(t) for t in rest]
        if any(s is None for s in shifts):
            return None
        start = self.over.lo - 1
        for shift in shifts:
            start = start + (shift or 0)
        return start, start + self.count

    def _part(self, x: Node, i: Node) -> Node | None:
        """Consecutive rows of a matrix, or all of them."""
        if self.whole(i, x.dims[0]):
            return x
        run = self.run(i)
        return None if run is None else block(x, 0, *run)

    def _is_own(self, i: Node) -> bool:
        return i.op == "index" and i.data[0] == self.name

    def entry(self, node: Node) -> Node | None:
        x, i, j = node.operands
        if self.depends(x):
            return self._entry_of_vector(x, i if x.dims[1] == ONE else j)
        if not self.depends(j) and (part := self._part(x, i)) is not None:
            return b.column(part, j)
        if not self.depends(i) and (part := self._part(b.transpose(x), j)) is not None:
            return b.column(part, i)
        first, second = self.positions(i), self.positions(j)
        if first is None or second is None:
            return None
        return k.pick(x, first, second, (self.count, ONE))

    def _entry_of_vector(self, x: Node, i: Node) -> Node | None:
        vectors, where = self.lift(x), self.positions(i)
        if vectors is None or where is None:
            return None
        if not self.depends(i):
            return b.column(vectors, i)
        return k.pick(vectors, k.counts(self.count), where, (self.count, ONE))

    def line(self, node: Node) -> Node | None:
        x, i = node.operands
        if self.depends(x):
            return None
        turned = x if node.op == "row" else b.transpose(x)
        part = self._part(turned, i)
        if part is not None:
            return part
        where = self.positions(i)
        return None if where is None else k.take(turned, where, (self.count, turned.dims[1]))

    def transpose(self, node: Node) -> Node | None:
        return self.lift(node.operands[0])

    # ------------------------------------------------------------------------------------- numbers, vectors

    def index(self, node: Node) -> Node | None:
        return None if self.over.excluded else k.numbers(self.over, self.count)

    def compare(self, node: Node) -> Node | None:
        first, second = (self.positions(o) for o in node.operands)
        if first is None or second is None:
            return None
        return k.compared(node.op, first, second, (self.count, ONE))

    def onehot(self, node: Node) -> Node | None:
        where = self.positions(node.operands[0])
        return None if where is None else k.kernel("onehots", (where,), (self.count, node.dims[0]), node.data)

    def by_rows(self, node: Node) -> Node | None:
        vectors = self.lift(node.operands[0])
        return None if vectors is None else b.apply(node.op, vectors)

    def sums(self, node: Node) -> Node | None:
        vectors = self.lift(node.operands[0])
        return None if vectors is None else b.product(vectors, b.ones((vectors.dims[1], ONE)))

    def norms(self, node: Node) -> Node | None:
        vectors = self.lift(node.operands[0])
        if vectors is None:
            return None
        squares = b.product(b.power(vectors, 2), b.ones((vectors.dims[1], ONE)))
        return b.power(squares, Fraction(1, 2))

    def log_sums(self, node: Node) -> Node | None:
        vectors = self.lift(node.operands[0])
        return None if vectors is None else k.kernel("log_sum_exp_rows", (vectors,), (self.count, ONE))

    def block(self, node: Node) -> Node | None:
        vectors = self.lift(node.operands[0])
        return None if vectors is None else b.make("block", (vectors,), (1, *node.data[1:]))

    def concat(self, node: Node) -> Node | None:
        return _all([self.lift(o) for o in node.operands], lambda *known: b.make("concat", known, (1,)))


def _constant_size(node: Node) -> Size | None:
    value, rest = b.split_number(node)
    if value.denominator != 1 or rest.op not in ("number", "size"):
        return None
    return (Size.of(1) if rest.op == "number" else Size.of(rest.data[0])) * int(value)


def _all(parts: list[Node | None], join: Callable[..., Node]) -> Node | None:
    known = [p for p in parts if p is not None]
    return join(*known) if len(known) == len(parts) else None


def _scaled(weights: Node, vectors: Node) -> Node:
    """Each row times its weight."""
    if weights.op == "ones":
        return vectors
    return b.hadamard(b.product(weights, b.ones((ONE, vectors.dims[1]))), vectors)


_RULES: dict[str, Callable[[Lifter, Node], Node | None]] = {
    "product": Lifter.product, "entry": Lifter.entry, "row": Lifter.line, "column": Lifter.line,
    "transpose": Lifter.transpose, "index": Lifter.index, "index_equal": Lifter.compare,
    "index_less": Lifter.compare, "onehot": Lifter.onehot, "softmax": Lifter.by_rows,
    "log_softmax": Lifter.by_rows, "total": Lifter.sums, "norm": Lifter.norms, "log_sum_exp": Lifter.log_sums,
    "block": Lifter.block, "concat": Lifter.concat, "sum": lambda self, node: None,
    "member": lambda self, node: None,
}  # fmt: skip
