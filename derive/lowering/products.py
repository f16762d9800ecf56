"""Matrix products in the order that costs least, with sums, broadcasts and scalings in their own forms.

After this pass a product has at most one factor that is no number, and every other matrix product is of two
factors: `matmul`, `outer`, or the sum over rows or columns that a product with ones is.
"""

from __future__ import annotations

from functools import lru_cache

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.segments import segments
from derive.sizes import ONE, SCALAR, Size

GUESS = 60


class Associate:
    """Rewrites the products of expressions; `given` are the symbols that are arguments."""

    def __init__(self, given: frozenset[Node]) -> None:
        self.given = given
        self.done: dict[Node, Node] = {}

    def __call__(self, node: Node) -> Node:
        return k.rewrite(node, self._form, self.done)

    def _form(self, node: Node) -> Node | None:
        if node.op in ("product", "hadamard") and (turned := _signs_turned(node)) is not None:
            return turned
        if node.op == "product":
            return self._product(node)
        if node.op == "total":
            return total(node)
        if node.op == "add":
            return _outers_together(node) or b.add(*map(_sign_out, node.operands))
        if node.op in ("ones", "zeros") and k.rank(node.dims):
            return k.fill(b.number(node.op == "ones"), node.dims)
        if node.op in ("row", "column", "entry") and node.operands[0].op == "transpose":
            return _of_transpose(node)
        return _pushed(node) if node.op in ("fill", "rows", "columns") else None

    def _product(self, node: Node) -> Node | None:
        scalars = [o for o in node.operands if o.dims == SCALAR]
        matrices = [o for o in node.operands if o.dims != SCALAR]
        if len(matrices) == 1 and matrices[0].op not in ("ones", "fill"):
            return _scaled_alone(scalars, matrices[0])
        chain = [part for o in matrices for part in _ones_apart(o)]
        if not chain:
            return None
        parts = [_unfilled(p) for p in segments(chain)]
        scalars += [tree(p) for p in parts if (p[0].dims[0], p[-1].dims[1]) == SCALAR]
        sides = [p for p in parts if (p[0].dims[0], p[-1].dims[1]) != SCALAR]
        factor = b.product(*scalars)
        if not sides:
            return factor
        if len(sides) == 2:
            return self._outer(factor, tree(sides[0]), tree(sides[1]))
        return scaled(factor, tree(sides[0]))

    def _outer(self, factor: Node, left: Node, right: Node) -> Node:
        """s a bᵀ, the number put to the side that is computed."""
        if left.op == right.op == "fill":
            return k.fill(b.product(factor, left.operands[0], right.operands[0]), (left.dims[0], right.dims[1]))
        if left.op == "fill":
            return k.rows(scaled(b.product(factor, left.operands[0]), right), left.dims[0])
        if right.op == "fill":
            return k.columns(scaled(b.product(factor, right.operands[0]), left), right.dims[1])
        if self._is_given(left) and not self._is_given(right):
            return k.outer(left, scaled(factor, right))
        return k.outer(scaled(factor, left), right)

    def _is_given(self, x: Node) -> bool:
        return x in self.given or (x.op == "transpose" and x.operands[0] in self.given)


def _outers_together(node: Node) -> Node | None:
    """a bᵀ − c dᵀ = [a, −c] [b, d]ᵀ"""
    lefts, rights, rest = list[Node](), list[Node](), list[Node]()
    for term in node.operands:
        last = term.operands[-1] if term.op == "product" else term
        scalars = term.operands[:-1] if term.op == "product" else ()
        if last.op == "outer" and all(o.dims == SCALAR for o in scalars):
            lefts.append(b.transpose(scaled(b.product(*scalars), last.operands[0])))
            rights.append(last.operands[1])
        else:
            rest.append(term)
    return b.add(k.matmul(b.transpose(k.lines(lefts)), k.lines(rights)), *rest) if len(lefts) > 1 else None


def _sign_out(node: Node) -> Node:
    """A term of a sum with its minus in front, where it costs nothing."""
    if node.op in ("outer", "rows", "columns"):
        first = node.operands[0]
        if b.split_number(first)[0] < 0:
            return b.product(b.number(-1), k.rebuilt(node, (b.negate(first), *node.operands[1:])))
    return node


def _signs_turned(node: Node) -> Node | None:
    """−(−a − c) = a + c"""
    if b.split_number(node)[0] >= 0:
        return None
    for factor in node.operands:
        if factor.op == "add" and all(b.split_number(t)[0] < 0 for t in factor.operands):
            rest = [b.negate(o) if o.op == "number" else o for o in node.operands if o is not factor]
            return b.product(*rest, b.negate(factor))
    return None


def _ones_apart(node: Node) -> list[Node]:
    """A matrix of equal entries as a column times a row."""
    if node.op in ("ones", "fill") and k.rank(node.dims) == 2:
        value = node.operands[0] if node.operands else b.number(1)
        return [k.fill(value, (node.dims[0], ONE)), k.fill(b.number(1), (ONE, node.dims[1]))]
    if node.op == "rows":
        return [k.fill(b.number(1), (node.dims[0], ONE)), node.operands[0]]
    if node.op == "columns":
        return [node.operands[0], k.fill(b.number(1), (ONE, node.dims[1]))]
    return [k.fill(b.number(1), node.dims)] if node.op == "ones" else [node]


def _unfilled(part: list[Node]) -> list[Node]:
    return [k.fill(b.number(1), f.dims) if f.op == "ones" else f for f in part]


def _scaled_alone(scalars: list[Node], x: Node) -> Node | None:
    """A product of numbers and one matrix, where there is a better form for it."""
    if scalars == [b.number(-1)] or not scalars:
        return None
    if x.op in ("rows", "columns", "outer") or _lines(x):
        return scaled(b.product(*scalars), x)
    repeated = [o for o in x.operands if o.op in ("rows", "columns")] if x.op == "hadamard" else []
    if repeated:
        return b.hadamard(scaled(b.product(*scalars), repeated[0]), *(o for o in x.operands if o is not repeated[0]))
    out = scaled(b.product(*scalars), x)
    return out if out.op == "scaled" else None


def scaled(factor: Node, x: Node) -> Node:
    """s A; a number that is computed from several is one value, which others may share."""
    if factor == b.number(1):
        return x
    if x.op in ("fill", "rows", "columns"):
        return k.rebuilt(x, (scaled(factor, x.operands[0]),))
    if x.op == "outer":
        return k.outer(scaled(factor, x.operands[0]), x.operands[1])
    if lines := _lines(x):
        return k.matmul(b.transpose(k.lines([scaled(factor, o) for o in lines])), x.operands[1])
    several = factor.op == "product" and sum(o.op not in ("number", "power") for o in factor.operands) > 1
    if x.dims != SCALAR and several:
        return k.kernel("scaled", (factor, x), x.dims)
    return b.product(factor, x)


def _lines(x: Node) -> tuple[Node, ...]:
    """The vectors on the left of a sum of a few outer products."""
    left = x.operands[0] if x.op == "matmul" else x
    return left.operands[0].operands if left.op == "transpose" and left.operands[0].op == "lines" else ()


def _of_transpose(node: Node) -> Node:
    """Row i of Aᵀ is column i of A."""
    x, i = node.operands[0].operands[0], node.operands[1]
    if node.op == "entry":
        return b.entry(x, node.operands[2], i)
    return b.transpose(b.column(x, i) if node.op == "row" else b.row(x, i))


def _pushed(node: Node) -> Node | None:
    """A broadcast of a broadcast is one broadcast."""
    inside = node.operands[0]
    return k.fill(inside.operands[0], node.dims) if inside.op == "fill" else None


# -------------------------------------------------------------------------------------------- sums of entries


def total(node: Node) -> Node | None:
    """Σ a ∘ c as an inner product; sums of sums and of broadcasts as one sum."""
    body = node.operands[0]
    if body.op == "hadamard":
        return _dot(body.operands[0], b.hadamard(*body.operands[1:]))
    if body.op == "power" and body.data[0] == 2:
        return _dot(body.operands[0], body.operands[0])
    if body.op in ("row_sums", "column_sums", "transpose"):
        return b.total(body.operands[0])
    if body.op == "fill":
        return b.product(body.operands[0], b.size_number(body.dims[0] * body.dims[1]))
    if body.op in ("rows", "columns"):
        count = body.dims[0] if body.op == "rows" else body.dims[1]
        return b.product(b.size_number(count), b.total(body.operands[0]))
    return None


def _dot(a: Node, c: Node) -> Node:
    if k.rank(a.dims) == 2:
        return _matrix_dot(a, c)
    row, column = (a, c) if a.dims[0] == ONE else (b.transpose(a), c)
    return k.matmul(row, column if column.dims[1] == ONE else b.transpose(column))


def _matrix_dot(a: Node, c: Node) -> Node:
    """⟨A, C⟩, where ⟨A, C + u 1ᵀ⟩ = ⟨A, C⟩ + (A 1)ᵀ u needs no matrix for u 1ᵀ."""
    if a.op == "add" and c.op != "add":
        a, c = c, a
    terms = c.operands if c.op == "add" else (c,)
    repeated = [t for t in terms if b.split_number(t)[1].op == "columns"]
    if not repeated or len(repeated) == len(terms):
        return k.vdot(a, c)
    parts = [k.vdot(a, b.add(*(t for t in terms if t not in repeated)))]
    for t in repeated:
        value, columns = b.split_number(t)
        parts.append(b.product(b.number(value), _dot(_row_sums(a), columns.operands[0])))
    return b.add(*parts)


# ------------------------------------------------------------------------------------------ order of products


def tree(chain: list[Node]) -> Node:
    """A chain as products of two, in the cheapest order by the sizes that are guessed."""
    if len(chain) == 1:
        return chain[0]
    cut = best_cut((*(guess(f.dims[0]) for f in chain), guess(chain[-1].dims[1])))[1]
    return pair(tree(chain[:cut]), tree(chain[cut:]))


def guess(size: Size) -> int:
    """A size by a guess of what its names stand for."""
    return max(size.value(dict.fromkeys(size.names, GUESS)), 1)


@lru_cache(maxsize=4096)
def best_cut(sizes: tuple[int, ...]) -> tuple[int, int]:
    """The least number of multiplications for a chain, and after which factor its last product cuts it."""
    count = len(sizes) - 1
    if count == 1:
        return 0, 1
    costs = (
        (best_cut(sizes[: c + 1])[0] + best_cut(sizes[c:])[0] + sizes[0] * sizes[c] * sizes[-1], -c)
        for c in range(1, count)
    )
    cost, cut = min(costs)
    return cost, -cut


def pair(a: Node, c: Node) -> Node:
    """A C, where one of both may be a vector of ones, a unit vector or a diagonal matrix."""
    if a.op == "fill" and a.dims[0] == ONE:
        return scaled(a.operands[0], b.total(c) if c.dims[1] == ONE else k.column_sums(c))
    if c.op == "fill" and c.dims[1] == ONE:
        return scaled(c.operands[0], b.total(a) if a.dims[0] == ONE else _row_sums(a))
    if a.op == "diag":
        return b.hadamard(_beside(a.operands[0], c.dims[1]), c)
    if c.op == "diag":
        return b.hadamard(a, _above(b.transpose(c.operands[0]), a.dims[0]))
    if c.op == "onehot":
        return b.column(a, c.operands[0]) if a.dims[0] != ONE else b.entry(a, b.number(1), c.operands[0])
    if a.op == "transpose" and a.operands[0].op == "onehot":
        place = a.operands[0].operands[0]
        return b.row(c, place) if c.dims[1] != ONE else b.entry(c, place, b.number(1))
    return k.matmul(a, c)


def _row_sums(x: Node) -> Node:
    return b.transpose(k.column_sums(x.operands[0])) if x.op == "transpose" else k.row_sums(x)


def _beside(x: Node, count: Size) -> Node:
    return x if count == ONE else k.columns(x, count)


def _above(x: Node, count: Size) -> Node:
    return x if count == ONE else k.rows(x, count)
