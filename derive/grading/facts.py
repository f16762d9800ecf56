"""What an answer's form tells of how it has to be tried; nothing is evaluated here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from derive.expressions.leaves import properties_of
from derive.expressions.node import Node, heads_of, walk
from derive.grading.branches import COMPARING, Meanings, Test, is_discrete, leaves
from derive.sizes import ONE, SCALAR, Range

WAVES = frozenset(("general_power", "sin", "cos"))
COUNTING = heads_of("size", "index")
POSITIONAL = heads_of("size", "index", "member", "sum", "entry", "row", "column", *COMPARING)


def reach(answer: Node) -> int:
    """The largest whole number in the limits of an answer's sums: where it begins to sum may depend on it."""
    limits = [
        edge for node in walk(answer) if node.op == "sum" for edge in (node.data[1].lo, node.data[1].hi) if edge.names
    ]
    return max((abs(c) for edge in limits for monomial, c in edge.terms if not monomial), default=0)


def oscillates(answer: Node) -> bool:
    """Whether sizes or indices stand in an exponent or under a sine, as in (-1)^n."""
    waves = (part for node in walk(answer) if node.op in WAVES for part in node.operands)
    return any(part.op in ("size", "index") for wave in waves for part in walk(wave))


def polynomial_degree(answer: Node, meanings: Meanings, known: dict[Node, int] | None = None) -> int:
    """How often sizes, labels and indices as numbers stand in an answer: a bound for its degree in them.

    A polynomial such as (n - 2)(n - 3)(n - 4) vanishes for as many sizes as its degree, and one in the number of
    ones among n labels for every n that is smaller; so many sizes have to be tried.  `known` are those of parts.
    """
    counts = {} if known is None else known
    for node in walk(answer, counts):
        own = int(node.op == "size" or (node.op in ("symbol", "family") and is_label(node, meanings)))
        if node.op in ("add", "product", "power"):
            own += sum(o.op == "index" for o in node.operands)
        inner = sum(counts[o] for o in node.operands)
        times = abs(node.data[0].numerator) if node.op == "power" else 1
        counts[node] = own + inner * times
    return counts[answer]


def is_label(name: Node, meanings: Meanings) -> bool:
    """Whether a quantity is made of labels or whole numbers, of which there may be many."""
    given = leaves(meanings, name)
    return bool(given) and is_discrete(meanings, name) and any(leaf.dims != SCALAR for leaf in given)


def digest(answer: Node) -> bytes:
    """A number for an expression, the same in every run."""
    place: dict[int, int] = {}
    out = hashlib.sha256()
    for k, node in enumerate(walk(answer)):
        place[id(node)] = k
        out.update(f"{node.op}{node.data}{[place[id(o)] for o in node.operands]};".encode())
    return out.digest()


def uses_positions(answer: Node, tests: Iterable[Test], known: dict[Node, bool] | None = None) -> bool:
    """Whether an answer's meaning depends on sizes, fixed positions, whole numbers or comparisons of indices."""
    flags = {} if known is None else known
    for root in (answer, *(t.operand for t in tests)):
        for node in walk(root, flags):
            flags[node] = is_positional(node) or any(flags[o] for o in node.operands)
        if flags[root]:
            return True
    return False


def is_positional(node: Node) -> bool:
    """Whether an operation itself does, one of `POSITIONAL` or a name."""
    if node.op in ("size", "index", "member") or node.op in COMPARING:
        return node.op != "index" or node.data[1] is not None
    if node.op == "sum":
        over = node.data[1]
        return isinstance(over, Range) and (over.lo != ONE or any(not m for m, _ in over.hi.terms))
    if node.op in ("entry", "row", "column"):
        lengths = node.operands[0].dims[1:] if node.op == "column" else node.operands[0].dims
        pairs = zip(node.operands[1:], lengths, strict=False)
        return any(o.op in ("number", "add") for o, length in pairs if length != ONE)
    return node.op in ("symbol", "family") and "integer" in properties_of(node)
