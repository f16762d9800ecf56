"""Logarithms of what exponentials make, seen through names.

log ŷ is a log-softmax where ŷ is defined as a softmax.  `LOGS` says for each operation how its logarithm is
written without the exponentials; `None` means that there is no such form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.sizes import ONE, SCALAR

Log = Callable[["Seen", Node], "Node | None"]
PARTS = frozenset(("entry", "row", "column", "block", "transpose", "pick", "take"))
VANISHING = ("one-hot", "distribution", "binary", "nonnegative", "unit interval")


class Seen:
    """What expressions stand for; `bodies` are the definitions that are known so far."""

    def __init__(self, bodies: Mapping[Node, Node]) -> None:
        self.bodies = bodies

    def view(self, node: Node) -> Node:
        """What a name stands for; an entry of a sigmoid is the sigmoid of an entry."""
        while node in self.bodies:
            node = self.bodies[node]
        if node.op in PARTS:
            inside = self.view(node.operands[0])
            if inside.op in ("sigmoid", "exp"):
                return b.apply(inside.op, k.rebuilt(node, (inside.operands[0], *node.operands[1:])))
        return node

    # -------------------------------------------------------------------------------- logarithms and ratios

    def log(self, node: Node) -> Node | None:
        """The logarithm of an expression that exponentials make, without computing these."""
        seen = self.view(node)
        if seen.op in PARTS:
            inside = self.log(seen.operands[0])
            return None if inside is None else k.rebuilt(seen, (inside, *seen.operands[1:]))
        rule = LOGS.get(seen.op)
        return None if rule is None else rule(self, seen)

    def complement(self, node: Node) -> Node | None:
        """The x of an expression that is 1 − σ(x)."""
        node = self.view(node)
        if node.op != "add" or len(node.operands) != 2:
            return None
        for unit, other in (node.operands, node.operands[::-1]):
            value, rest = b.split_number(other)
            seen = self.view(rest)
            if is_one(unit) and value == -1 and seen.op == "sigmoid":
                return seen.operands[0]
        return None

    def probability(self, node: Node) -> bool:
        """Whether a value comes out of a softmax or sigmoid and may therefore be as small as 0."""
        seen = self.view(node)
        while seen.op in PARTS:
            seen = self.view(seen.operands[0])
        return seen.op in ("softmax", "sigmoid") or self.complement(seen) is not None

    def may_vanish(self, node: Node) -> bool:
        """Whether an entry of a value may be 0 by what is declared of it."""
        while node.op in PARTS:
            node = node.operands[0]
        if node.op == "add":
            return any(self.may_vanish(b.split_number(t)[1]) for t in node.operands)
        properties: tuple[str, ...] = node.data[2] if node.op == "symbol" else ()
        return node not in self.bodies and any(p.startswith(VANISHING) for p in properties)


def is_one(node: Node) -> bool:
    """Whether all entries are 1."""
    if node.op == "product" and node.dims != SCALAR:
        first, *rest = node.operands
        return first.op == "ones" and all(o.op == "ones" and o.dims[0] == ONE for o in rest)
    return node.op == "ones" or node == b.number(1)


def minus(x: Node) -> Node:
    """−x, without turning the signs of a sum."""
    value, rest = b.split_number(x)
    if x.op == "add" and not all(b.split_number(t)[0] < 0 for t in x.operands):
        return b.product(b.number(-1), x)
    return rest if value == -1 else b.negate(x)


def softplus(x: Node) -> Node:
    """log(1 + e^x)."""
    return b.apply("softplus", x)


def matrices(e: Node) -> list[Node]:
    """The factors of a product that are no numbers."""
    return [o for o in e.operands if o.dims != SCALAR]


# --------------------------------------------------------------------------------- logarithms by operation


def _log_of_sum(s: Seen, x: Node) -> Node | None:
    """log(e^a + e^c) = a + softplus(c − a), 1 counting as e^0, and log(1 − σ(x)) = −softplus(x)."""
    inside = s.complement(x)
    if inside is not None:
        return b.negate(softplus(inside))
    terms = [s.view(t) for t in x.operands]
    exponents = [t.operands[0] for t in terms if t.op == "exp"]
    ones = [b.zeros(t.dims) for t in terms if is_one(t)]
    if len(ones) + len(exponents) < len(terms) or not exponents:
        return None
    out, *rest = (*ones, *exponents)
    for e in rest:
        out = b.add(out, softplus(b.subtract(e, out)))
    return out


def _log_of_total(s: Seen, x: Node) -> Node | None:
    r"""log Σ e^x is the log-sum-exp of x"""
    inside = s.view(x.operands[0])
    return b.make("log_sum_exp", (inside.operands[0],)) if inside.op == "exp" else None


def _log_of_power(s: Seen, x: Node) -> Node | None:
    """log x^r = r log x"""
    inside = s.log(x.operands[0])
    return None if inside is None else b.product(b.number(x.data[0]), inside)


def _log_of_product(s: Seen, x: Node) -> Node | None:
    """log(a c) = log a + log c where log a is known, and the same entry by entry; log(e^X 1) by rows"""
    chain = matrices(x)
    if x.op == "product" and len(chain) > 1:
        return _log_of_row_sums(s, x, chain)
    known = {o: s.log(o) for o in x.operands}
    parts = [v for v in known.values() if v is not None]
    rest = [o for o, v in known.items() if v is None]
    if not parts or any(o.op == "number" and o.data[0] <= 0 for o in rest):
        return None
    join = b.hadamard if x.op == "hadamard" else b.product
    parts += [b.apply("log", join(*rest))] if rest else []
    return b.add(*(b.product(p, b.ones(x.dims)) if p.dims != x.dims else p for p in parts))


def _log_of_row_sums(s: Seen, x: Node, chain: list[Node]) -> Node | None:
    """log(e^X 1) and log(1ᵀ e^X), also repeated along rows or columns."""
    at = next((n for n, factor in enumerate(chain) if s.view(factor).op == "exp"), None)
    if at is None or len(chain) < len(x.operands) or any(f.op != "ones" for n, f in enumerate(chain) if n != at):
        return None
    inside, before, after = s.view(chain[at]).operands[0], chain[:at], chain[at + 1 :]
    if not before and after[0].dims[1] == ONE:
        return b.product(_row_sums(inside), *after[1:])
    if not after and before[-1].dims[0] == ONE:
        return b.product(*before[:-1], b.transpose(_row_sums(b.transpose(inside))))
    return None


def _row_sums(x: Node) -> Node:
    return k.kernel("log_sum_exp_rows", (x,), (x.dims[0], ONE))


def _log_of_ratio(s: Seen, x: Node) -> Node | None:
    """log(a / c) = log a − log c"""
    parts = [s.log(o) for o in x.operands]
    if not any(parts):
        return None
    above, below = (p or b.apply("log", o) for p, o in zip(parts, x.operands, strict=True))
    return b.negate(below) if is_one(x.operands[0]) else b.subtract(above, below)


LOGS: dict[str, Log] = {
    "softmax": lambda s, x: b.apply("log_softmax", x.operands[0]),
    "sigmoid": lambda s, x: b.negate(softplus(minus(x.operands[0]))),
    "exp": lambda s, x: x.operands[0],
    "add": _log_of_sum,
    "total": _log_of_total,
    "power": _log_of_power,
    "product": _log_of_product,
    "hadamard": _log_of_product,
    "ratio": _log_of_ratio,
}
