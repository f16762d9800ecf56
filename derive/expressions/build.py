"""Constructors: the only way to make expressions.

Each checks the shapes of its operands and applies the laws that hold always and cost nothing: sums and
products are flat, like terms are collected, numbers stand in front, transposes stand at the leaves,
powers of one base are one power.  What is a matter of taste (factoring, textbook order) is not done
here but in `derive.rules`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from fractions import Fraction

from derive.errors import ShapeError
from derive.expressions.node import Node, free_indices, intern_node
from derive.operations.registry import record
from derive.sizes import ONE, SCALAR, Dims, Range, Size, describe

Number = int | Fraction


def make(op: str, operands: tuple[Node, ...], data: tuple[Hashable, ...] = ()) -> Node:
    """A node as it stands; the operation's shape rule checks the operands."""
    dims = record(op).dims(data, *(o.dims for o in operands))
    return intern_node(op, operands, data, dims)


# ---------------------------------------------------------------------------------------------- leaves


def number(value: Number) -> Node:
    """An exact number."""
    return intern_node("number", (), (Fraction(value),), SCALAR)


def constant(name: str) -> Node:
    """A constant of mathematics: `pi` or `e`."""
    return intern_node("constant", (), (name,), SCALAR)


def size_number(size: Size) -> Node:
    """A size used as a number."""
    return number(size.number) if size.number is not None else intern_node("size", (), (size,), SCALAR)


def symbol(name: str, dims: Dims, properties: Iterable[str] = ()) -> Node:
    """A given quantity, or a name that the problem defines."""
    return intern_node("symbol", (), (name, dims, tuple(sorted(properties))), dims)


def family(name: str, dims: Dims, over: Range, properties: Iterable[str] = (), letter: str = "") -> Node:
    """A family u_1 … u_K of vectors, matrices or numbers; `letter` is what varies in its name."""
    return intern_node("family", (), (name, dims, over, tuple(sorted(properties)), letter), dims)


def index(name: str, over: Range | None) -> Node:
    """A free or bound index."""
    return intern_node("index", (), (name, over), SCALAR)


def index_family(name: str, over: Range, members: Range, letter: str = "") -> Node:
    """A family of fixed indices, such as the positions w_1 … w_K of sampled words."""
    return intern_node("index_family", (), (name, over, members, letter), SCALAR)


def ones(dims: Dims) -> Node:
    """A matrix of ones; the number 1 if it is 1 × 1."""
    return number(1) if dims == SCALAR else intern_node("ones", (), (dims,), dims)


def zeros(dims: Dims) -> Node:
    """A matrix of zeros; the number 0 if it is 1 × 1."""
    return number(0) if dims == SCALAR else intern_node("zeros", (), (dims,), dims)


def eye(size: Size) -> Node:
    """The identity matrix."""
    return number(1) if size == ONE else intern_node("eye", (), (size,), (size, size))


def onehot(position: Node, length: Size) -> Node:
    """The unit column with a one at `position`."""
    return intern_node("onehot", (position,), (length,), (length, ONE))


# ------------------------------------------------------------------------------------------------ sums


def add(*terms: Node) -> Node:
    """A + B: terms of equal dimensions; a number is added to each entry of a matrix."""
    dims = _common(terms, "added")
    collected: dict[Node, Fraction] = {}
    for term in terms:
        for factor, rest in _terms(term, dims):
            collected[rest] = collected.get(rest, Fraction(0)) + factor
    parts = [scale(c, rest) for rest, c in collected.items() if c]
    if not parts:
        return zeros(dims)
    return parts[0] if len(parts) == 1 else intern_node("add", tuple(parts), (), dims)


def _terms(term: Node, dims: Dims) -> Iterable[tuple[Fraction, Node]]:
    if term.op == "add":
        for part in term.operands:
            yield from _terms(part, dims)
        return
    factor, rest = split_number(term)
    if factor:
        yield factor, (product(rest, ones(dims)) if rest.dims != dims else rest)


def _common(terms: tuple[Node, ...], verb: str) -> Dims:
    full = [t.dims for t in terms if t.dims != SCALAR] or [SCALAR]
    for other in full[1:]:
        if other != full[0]:
            raise ShapeError(f"{describe(full[0])} and {describe(other)} cannot be {verb}")
    return full[0]


def split_number(node: Node) -> tuple[Fraction, Node]:
    """The numeric factor of a term and the rest of it."""
    if node.op == "number":
        return node.data[0], number(1)  # type: ignore[return-value]
    if node.op == "zeros":
        return Fraction(0), node
    if node.op == "product" and node.operands[0].op == "number":
        rest = node.operands[1:]
        value: Fraction = node.operands[0].data[0]  # type: ignore[assignment]
        return value, rest[0] if len(rest) == 1 else intern_node("product", rest, (), node.dims)
    return Fraction(1), node


def scale(factor: Number, node: Node) -> Node:
    """c A for a number c."""
    if factor == 1:
        return node
    if node.op == "add":
        return add(*(scale(factor, t) for t in node.operands))
    own, rest = split_number(node)
    own *= factor
    if not own:
        return zeros(node.dims)
    if rest.op == "number":
        return number(own)
    if own == 1:
        return rest
    operands = (number(own), *(rest.operands if rest.op == "product" else (rest,)))
    return intern_node("product", operands, (), node.dims)


def negate(node: Node) -> Node:
    """-A."""
    return scale(-1, node)


def subtract(a: Node, b: Node) -> Node:
    """A - B."""
    return add(a, negate(b))


# -------------------------------------------------------------------------------------------- products


def product(*factors: Node) -> Node:
    """A B C: the matrix product; factors that are numbers commute and stand in front."""
    value, scalars, chain = Fraction(1), list[Node](), list[Node]()
    for factor in factors:
        value *= _take_apart(factor, scalars, chain)
    dims = _chain_dims(chain)
    if not value or any(c.op == "zeros" for c in chain):
        return zeros(dims)
    chain = [c for c in chain if c.op != "eye"] or chain[:1]
    value, scalars = _collect_powers(value, scalars)
    operands = (*([number(value)] if value != 1 else []), *scalars, *chain)
    if not operands:
        return number(1)
    return operands[0] if len(operands) == 1 else intern_node("product", operands, (), dims)


def _take_apart(factor: Node, scalars: list[Node], chain: list[Node]) -> Fraction:
    if factor.op == "number":
        return factor.data[0]  # type: ignore[return-value]
    if factor.op != "product":
        (scalars if factor.dims == SCALAR else chain).append(factor)
        return Fraction(1)
    value, inner = Fraction(1), list[Node]()
    for part in factor.operands:
        if part.op == "number":
            value *= part.data[0]  # type: ignore[operator]
        elif part.dims == SCALAR:
            scalars.append(part)
        else:
            inner.append(part)
    if factor.dims == SCALAR and inner:
        scalars.append(intern_node("product", tuple(inner), (), SCALAR))
    else:
        chain.extend(inner)
    return value


def _chain_dims(chain: list[Node]) -> Dims:
    for left, right in zip(chain, chain[1:], strict=False):
        if left.dims[1] != right.dims[0]:
            raise ShapeError(
                f"{describe(left.dims)} times {describe(right.dims)}: the inner sizes "
                f"{left.dims[1]} and {right.dims[0]} differ"
            )
    return (chain[0].dims[0], chain[-1].dims[1]) if chain else SCALAR


def _collect_powers(value: Fraction, scalars: list[Node]) -> tuple[Fraction, list[Node]]:
    out = list[Node]()
    for part in _joined_powers(scalars):
        if part.op == "number":
            value *= part.data[0]  # type: ignore[operator]
        else:
            out.append(part)
    return value, out


def _joined_powers(factors: Iterable[Node]) -> list[Node]:
    """Factors with the powers of one base put together, but √x √x left: it has no value for x < 0."""
    whole, parts = dict[Node, Fraction](), dict[Node, list[Fraction]]()
    for factor in factors:
        base, exponent = base_and_exponent(factor)
        whole.setdefault(base, Fraction(0))
        if exponent.denominator == 1:
            whole[base] += exponent
        else:
            parts.setdefault(base, []).append(exponent)
    out = list[Node]()
    for base, exponent in whole.items():
        fractions = parts.get(base, [])
        total_exponent = exponent + sum(fractions)
        if fractions and total_exponent.denominator == 1 and not known_positive(base):
            fractions = [sum(fractions[:-1], Fraction(0)), fractions[-1]] if len(fractions) > 2 else fractions
            out += [power(base, e) for e in (exponent, *fractions) if e]
        elif total_exponent or not fractions:
            out.append(power(base, total_exponent))
    return out


def known_positive(node: Node) -> bool:
    """Whether a value is positive by what is declared of it or by what it is."""
    if node.op == "symbol":
        return bool({"positive", "unit interval"} & set(node.data[2]))  # type: ignore[call-overload]
    if node.op in ("exp", "softmax", "sigmoid", "size"):
        return True
    if node.op == "number":
        return node.data[0] > 0  # type: ignore[operator, no-any-return]
    if node.op in ("add", "product", "hadamard", "total"):
        return all(known_positive(o) for o in node.operands)
    return node.op in ("entry", "transpose", "power") and known_positive(node.operands[0])


def base_and_exponent(node: Node) -> tuple[Node, Fraction]:
    """The base and the exponent of a power; (x, 1) for anything else."""
    if node.op == "power":
        return node.operands[0], node.data[0]  # type: ignore[return-value]
    return node, Fraction(1)


def hadamard(*factors: Node) -> Node:
    """A ∘ B: the product entry by entry; numbers among the factors scale."""
    dims = _common(factors, "multiplied entry by entry")
    if dims == SCALAR:
        return product(*factors)
    outer = list[Node]()
    parts = _joined_powers([part for factor in factors for part in _elementwise_parts(factor, outer)])
    if any(p.op == "zeros" for p in parts):
        return zeros(dims)
    parts = [p for p in parts if p.op != "ones"] or [ones(dims)]
    whole = parts[0] if len(parts) == 1 else intern_node("hadamard", tuple(parts), (), dims)
    return product(*outer, whole)


def _elementwise_parts(factor: Node, outer: list[Node]) -> Iterable[Node]:
    if factor.dims == SCALAR:
        outer.append(factor)
        return
    if factor.op == "product":
        inner = [p for p in factor.operands if p.dims != SCALAR]
        outer.extend(p for p in factor.operands if p.dims == SCALAR)
        factor = inner[0] if len(inner) == 1 else intern_node("product", tuple(inner), (), factor.dims)
    if factor.op == "hadamard":
        yield from factor.operands
    else:
        yield factor


def divide(a: Node, b: Node) -> Node:
    """A ⊘ B: the quotient entry by entry."""
    return hadamard(a, power(b, -1))


def power(base: Node, exponent: Number) -> Node:
    """A raised to a fixed exponent, entry by entry."""
    exponent = Fraction(exponent)
    if exponent == 0:
        return ones(base.dims)
    if exponent == 1 or base.op == "ones":
        return base
    whole = exponent.denominator == 1
    if base.op == "number":
        value: Fraction = base.data[0]  # type: ignore[assignment]
        if whole and abs(exponent) <= 64 and (value or exponent > 0):
            return number(value ** int(exponent))
        if value == 1:
            return base
    if base.op == "power" and whole:
        inner: Fraction = base.data[0]  # type: ignore[assignment]
        if inner.denominator == 1 or (inner * exponent).denominator != 1 or known_positive(base.operands[0]):
            return power(base.operands[0], inner * exponent)
    if whole and base.dims == SCALAR and base.op == "product" and not _has_chain(base):
        return product(*(power(f, exponent) for f in base.operands))
    if whole and base.op == "hadamard":
        return hadamard(*(power(f, exponent) for f in base.operands))
    if whole and base.op == "product" and base.dims != SCALAR and len(_matrices(base)) == 1:
        return product(*(power(f, exponent) for f in base.operands))
    if base.op == "zeros" and exponent > 0:
        return base
    return intern_node("power", (base,), (exponent,), base.dims)


def _matrices(node: Node) -> list[Node]:
    return [o for o in node.operands if o.dims != SCALAR]


def _has_chain(node: Node) -> bool:
    return bool(_matrices(node))


# ------------------------------------------------------------------------------------------- structure


def transpose(node: Node) -> Node:
    """Aᵀ; transposes are moved to the leaves."""
    if node.dims == SCALAR:
        return node
    turned = (node.dims[1], node.dims[0])
    if node.op == "transpose":
        return node.operands[0]
    if node.op in ("add", "hadamard") and all(_turns_for_free(o) for o in node.operands):
        parts = tuple(transpose(o) for o in node.operands)
        return add(*parts) if node.op == "add" else hadamard(*parts)
    if node.op == "product":
        scalars = [o for o in node.operands if o.dims == SCALAR]
        return product(*scalars, *(transpose(o) for o in reversed(_matrices(node))))
    if node.op == "power":
        return power(transpose(node.operands[0]), node.data[0])  # type: ignore[arg-type]
    if node.op in ("ones", "zeros"):
        return ones(turned) if node.op == "ones" else zeros(turned)
    if node.op in ("eye", "diag"):
        return node
    if node.op == "symbol" and {"symmetric", "positive definite"} & set(node.data[2]):  # type: ignore[call-overload]
        return node
    return intern_node("transpose", (node,), (), turned)


def _turns_for_free(node: Node) -> bool:
    """Whether a term is a transpose itself, so that transposing it makes it plainer."""
    last = split_number(node)[1]
    if last.op == "product" and len(_matrices(last)) > 1:
        return True
    while last.op == "product" and len(_matrices(last)) == 1:
        last = _matrices(last)[0]
    return last.op in ("transpose", "ones", "eye", "diag") or (last.op == "power" and last.operands[0].op == "transpose")


def inner(a: Node, b: Node) -> Node:
    """aᵀb of two columns; the sum of all entries of A ∘ B for matrices."""
    if a.dims != b.dims:
        raise ShapeError(f"{describe(a.dims)} and {describe(b.dims)} have no inner product")
    if a.dims[1] == ONE:
        return product(transpose(a), b)
    if a.dims[0] == ONE:
        return product(a, transpose(b))
    return total(hadamard(a, b))


def total(node: Node) -> Node:
    """The sum of all entries."""
    if node.dims == SCALAR:
        return node
    if node.op == "ones":
        return product(size_number(node.dims[0]), size_number(node.dims[1]))
    if node.op == "product":
        scalars = [o for o in node.operands if o.dims == SCALAR]
        if scalars:
            rest = product(*_matrices(node))
            return product(*scalars, total(rest))
    return make("total", (node,))


def broadcast(node: Node, dims: Dims) -> Node:
    """A number, column or row repeated to the dimensions `dims`."""
    if node.dims == dims:
        return node
    if node.dims == SCALAR:
        return product(node, ones(dims))
    if node.dims == (dims[0], ONE):
        return product(node, ones((ONE, dims[1])))
    if node.dims == (ONE, dims[1]):
        return product(ones((dims[0], ONE)), node)
    raise ShapeError(f"{describe(node.dims)} cannot be repeated to {describe(dims)}")


def diag(node: Node) -> Node:
    """The diagonal matrix of a column or row; the column of the diagonal of a matrix."""
    if node.dims == SCALAR:
        return node
    if node.op == "ones" and ONE in node.dims:
        return eye(node.dims[0] * node.dims[1])
    if ONE in node.dims:
        return make("diag", (node if node.dims[1] == ONE else transpose(node),))
    return make("diagonal", (node,))


def apply(name: str, node: Node) -> Node:
    """An elementwise function, by the name of its operation."""
    return make(name, (node,))


def unspecified(name: str, order: int, node: Node) -> Node:
    """The derivative of the given order of an unspecified elementwise function, at `node`."""
    return make("unspecified", (node,), (name, order))


# --------------------------------------------------------------------------------------------- indexing


def entry(x: Node, i: Node, j: Node) -> Node:
    """x_{ij}."""
    if x.dims == SCALAR:
        return x
    return make("entry", (x, i, j))


def column(x: Node, j: Node) -> Node:
    """Column j of a matrix, as a column."""
    return x if x.dims[1] == ONE else make("column", (x, j))


def row(x: Node, i: Node) -> Node:
    """Row i of a matrix, as a row."""
    return x if x.dims[0] == ONE else make("row", (x, i))


def member(of: Node, i: Node) -> Node:
    """Member i of a family."""
    return make("member", (of, i))


def sum_over(body: Node, name: str, over: Range, condition: Node | None = None) -> Node:
    """The sum of `body` over the values of the index `name` for which the condition holds."""
    if body.op == "zeros" or body == number(0):
        return body
    return make("sum", (body, condition or number(1)), (name, over))


def substitute(root: Node, mapping: dict[Node, Node]) -> Node:
    """`root` with nodes replaced; what contains them is rebuilt by the constructors."""
    done: dict[Node, Node] = dict(mapping)
    indices = {str(k.data[0]) for k in mapping if k.op == "index"}
    arriving = frozenset().union(*(free_indices(v) for v in mapping.values())) if indices else frozenset()

    def visit(node: Node) -> Node:
        if node in done:
            return done[node]
        if node.op == "sum" and node.data[0] in indices:
            inner = {k: v for k, v in mapping.items() if k.data[:1] != node.data[:1] or k.op != "index"}
            done[node] = substitute(node, inner) if inner else node
            return done[node]
        if node.op == "sum" and node.data[0] in arriving:
            return visit(_renamed(node, arriving))
        parts = tuple(visit(o) for o in node.operands)
        done[node] = node if parts == node.operands else rebuild(node, parts)
        return done[node]

    return visit(root)


def _renamed(node: Node, taken: frozenset[str]) -> Node:
    """A sum with another name for its index, so that nothing put into it is captured."""
    old = str(node.data[0])
    used = taken | free_indices(node.operands[0]) | free_indices(node.operands[1])
    fresh = next(n for n in ("i", "j", "k", "l", "p", "q", "r", "s", "t", f"{old}'", f"{old}''") if n not in used)
    parts = tuple(substitute(o, {index(old, None): index(fresh, None)}) for o in node.operands)
    return make("sum", parts, (fresh, *node.data[1:]))


_CONSTRUCTORS = {
    "add": add, "product": product, "hadamard": hadamard, "transpose": transpose, "total": total,
    "diag": diag, "entry": entry, "column": column, "row": row,
}  # fmt: skip


def rebuild(node: Node, operands: tuple[Node, ...]) -> Node:
    """The same operation on other operands."""
    if node.op == "power":
        return power(operands[0], node.data[0])  # type: ignore[arg-type]
    constructor = _CONSTRUCTORS.get(node.op)
    return constructor(*operands) if constructor else make(node.op, operands, node.data)
