"""Laws that keep values finite and exact where exponentials overflow or vanish.

A rule takes an expression and what names stand for; its docstring is its law, and `None` means that it does
not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import differences
from derive.lowering import kernels as k
from derive.lowering.lift import Lifter
from derive.lowering.logarithms import Seen, is_one, matrices, minus
from derive.sizes import ONE, SCALAR, Range

Rule = Callable[[Seen, Node], "Node | None"]


class Stable:
    """Applies the laws to expressions whose definitions are `bodies`."""

    def __init__(self, bodies: dict[Node, Node]) -> None:
        self.seen = Seen(bodies)
        self.done, self.written_out = dict[Node, Node](), dict[Node, Node]()

    def __call__(self, node: Node) -> Node:
        return k.rewrite(k.rewrite(node, written_out_tanh, self.written_out), self._law, self.done)

    def _law(self, node: Node) -> Node | None:
        for rule in RULES.get(node.op, ()):
            out = rule(self.seen, node)
            if out is not None and out is not node:
                return out
        return None


def stable_log(s: Seen, e: Node) -> Node | None:
    """log softmax(x), log σ(x), log Σ e^x, log(1 + e^x) without their exponentials"""
    return s.log(e.operands[0])


def written_out_tanh(e: Node) -> Node | None:
    """(e^x − e^−x) / (e^x + e^−x) = tanh x"""
    if e.op not in ("product", "hadamard"):
        return None
    below = {o.operands[0]: o for o in e.operands if o.op == "power" and o.data[0] == -1}
    for top in e.operands:
        exps = [t.operands[0] for t in top.operands if t.op == "exp"] if top.op == "add" else []
        for x in exps:
            rising, falling = b.apply("exp", x), b.apply("exp", b.negate(x))
            under = below.get(b.add(rising, falling)) or below.get(b.add(falling, rising))
            if top in (b.subtract(rising, falling), b.add(b.negate(falling), rising)) and under is not None:
                rest = [o for o in e.operands if o is not top and o is not under]
                join = b.hadamard if e.op == "hadamard" else b.product
                return join(*rest, b.apply("tanh", x))
    return None


def power_of_exponentials(s: Seen, e: Node) -> Node | None:
    """(1 + e^x)⁻¹ = σ(−x); x^r = e^{r log x} for a sum x of exponentials and r < 0; a safe 1 / p"""
    base, exponent = b.base_and_exponent(e)
    if base.op == "exp":
        return b.apply("exp", b.product(b.number(exponent), base.operands[0]))
    if exponent == -1 and s.probability(base):
        return k.kernel("ratio", (b.ones(base.dims), accurate(s, base)), base.dims)
    if exponent >= 0 or s.view(base).op not in ("add", "total", "product"):
        return None
    inside = s.log(base)
    if inside is None:
        return None
    if inside.op == "softplus" and exponent == -1:
        return b.apply("sigmoid", minus(inside.operands[0]))
    return b.apply("exp", b.product(b.number(exponent), inside))


def product_of_exponentials(s: Seen, e: Node) -> Node | None:
    """e^a e^c = e^{a + c}, e^x σ(−x) = σ(x), and e^a (e^c + e^d) = e^{a + c} + e^{a + d}"""
    own = [o for o in e.operands if e.op == "hadamard" or o.dims == SCALAR or len(matrices(e)) == 1]
    exps = [o for o in own if o.op == "exp"]
    exps += [o for o in own if exps and o.op != "exp" and s.view(o).op == "exp"]
    if not exps:
        return None
    join = b.hadamard if e.op == "hadamard" else b.product
    rest = [o for o in e.operands if o not in exps]
    if len(exps) > 1:
        arguments = [s.view(x).operands[0] for x in exps]
        dims = next((x.dims for x in arguments if x.dims != SCALAR), SCALAR)
        together = b.add(*(b.product(x, b.ones(dims)) if x.dims != dims else x for x in arguments))
        return join(*rest, b.apply("exp", together))
    x = exps[0].operands[0]
    for other in rest:
        left = [o for o in rest if o is not other]
        if other.op == "sigmoid" and other.operands[0] == minus(x):
            return join(*left, b.apply("sigmoid", x))
        if other.op == "add" and all(b.split_number(t)[1].op == "exp" for t in other.operands) and other in own:
            return join(*left, b.add(*(join(exps[0], t) for t in other.operands)))
    return None


def exp_of_difference(s: Seen, e: Node) -> Node | None:
    """e^{x − log Σ e^x} = softmax(x)"""
    for value, x, rest in _log_sums(e.operands[0]):
        if value == -1 and rest == x:
            return b.apply("softmax", x)
    return None


def _log_sums(e: Node) -> Iterator[tuple[b.Number, Node, Node]]:
    """The terms c log Σ e^x of a sum: c, x and what the other terms add up to."""
    for term in e.operands if e.op == "add" else ():
        value, rest = b.split_number(term)
        sums = rest.operands[0] if rest.op == "product" and rest.operands[-1].op == "ones" else rest
        if sums.op in ("log_sum_exp", "log_sum_exp_rows"):
            yield value, sums.operands[0], b.add(*(t for t in e.operands if t is not term))


def entry_of_log_softmax(s: Seen, e: Node) -> Node | None:
    """x_i − log Σ e^x is entry i of log softmax(x), also where x_i is written out, as u_iᵀ v"""
    for value, x, rest in _log_sums(e):
        part = b.scale(-1 / Fraction(value), rest) if value else rest
        for i in k.nodes_in_order(iter((part,))):
            if i.op == "index" and x.dims[1] == ONE and e.dims == SCALAR == rest.dims:
                whole = Lifter(str(i.data[0]), Range(ONE, x.dims[0]), i).lift(part)
                if whole is not None and whole == x:
                    return b.scale(-value, b.entry(b.apply("log_softmax", x), i, b.number(1)))
    return None


def trace_of_product(s: Seen, e: Node) -> Node | None:
    """tr(A B) = Σ Aᵀ ∘ B"""
    body = e.operands[0]
    chain = matrices(body) if body.op == "product" else []
    if len(chain) < 2:
        return None
    scalars = [o for o in body.operands if o.dims == SCALAR]
    return b.product(*scalars, b.total(b.hadamard(b.transpose(chain[0]), b.product(*chain[1:]))))


def product_with_ones(s: Seen, e: Node) -> Node | None:
    """1ᵀ x = Σ x"""
    chain = matrices(e)
    if e.dims != SCALAR or len(chain) != 2 or not any(f.op == "ones" for f in chain):
        return None
    inside = chain[1] if chain[0].op == "ones" else chain[0]
    return b.product(*(o for o in e.operands if o.dims == SCALAR), b.total(inside))


def zero_times_log(s: Seen, e: Node) -> Node | None:
    """x log y is 0 where x is 0, also where y is 0"""
    if e.op == "product" and matrices(e):
        return _inner_with_log(s, e)
    for log in e.operands:
        terms = log.operands if log.op == "add" else (log,)
        logs = [b.split_number(t) for t in terms]
        for x in e.operands:
            if x is log or not any(_vanishes_with(s, x, t) for _, t in logs):
                continue
            join = b.hadamard if e.op == "hadamard" else b.product
            rest = [o for o in e.operands if o is not x and o is not log]
            parts = (_times(join, s, x, value, t) for value, t in logs)
            return join(*rest, b.add(*parts))
    return None


def _vanishes_with(s: Seen, x: Node, term: Node) -> bool:
    return term.op == "log" and term.dims == x.dims and (x == term.operands[0] or s.may_vanish(x))


def _times(join: Callable[..., Node], s: Seen, x: Node, value: b.Number, t: Node) -> Node:
    if _vanishes_with(s, x, t):
        return b.product(b.number(value), k.kernel("xlogy", (x, t.operands[0]), x.dims))
    return b.product(b.number(value), join(x, t))


def _inner_with_log(s: Seen, e: Node) -> Node | None:
    chain = matrices(e)
    if e.dims != SCALAR or len(chain) != 2:
        return None
    left, right = b.transpose(chain[0]), chain[1]
    both = zero_times_log(s, b.hadamard(left, right)) if {"log", "add"} & {left.op, right.op} else None
    if both is None:
        return None
    return b.product(*(o for o in e.operands if o.dims == SCALAR), b.total(both))


def safe_quotient(s: Seen, e: Node) -> Node | None:
    """x / p is 0 where x is 0, also for a probability p that has become 0"""
    below = [o for o in e.operands if o.op == "ratio" and is_one(o.operands[0])]
    if not below:
        return None
    whole, join = below[0].dims, b.hadamard if e.op == "hadamard" else b.product
    below = [o for o in below if o.dims == whole]
    above = [o for o in e.operands if o.dims == whole and o not in below and o.op != "number"]
    rest = [o for o in e.operands if o.dims != whole or o.op == "number"]
    if len(above) + len(below) < 2:
        return None
    parted = _partial_fractions(s, [o.operands[1] for o in below], above)
    if parted is not None:
        return join(*rest, parted)
    top = join(*above) if above else b.ones(whole)
    return join(*rest, k.kernel("ratio", (top, join(*(o.operands[1] for o in below))), whole))


def accurate(s: Seen, p: Node) -> Node:
    """1 − σ(x) as σ(−x), which does not cancel."""
    inside = s.complement(p)
    return p if inside is None else b.apply("sigmoid", minus(inside))


def _partial_fractions(s: Seen, below: list[Node], above: list[Node]) -> Node | None:
    """(c p + d (1 − p)) / (p (1 − p)) = c / (1 − p) + d / p"""
    if len(below) != 2:
        return None
    for p, other in (below, below[::-1]):
        if other != accurate(s, b.subtract(b.ones(p.dims), p)):
            continue
        for top in above:
            parts = [_without_factor(t, p, other) for t in top.operands] if top.op == "add" else [None]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts):
                return b.hadamard(*(o for o in above if o is not top), b.add(*known))
    return None


def _without_factor(term: Node, p: Node, other: Node) -> Node | None:
    """c p / (p (1 − p)) = c / (1 − p), and the same for 1 − p"""
    value, rest = b.split_number(term)
    factors = list(rest.operands) if rest.op in ("hadamard", "product") else [rest]
    for factor, below in ((p, other), (other, p)):
        if factor in factors:
            above = b.hadamard(b.ones(p.dims), *(f for f in factors if f != factor))
            return b.scale(value, k.kernel("ratio", (above, below), p.dims))
    return None


RULES: dict[str, tuple[Rule, ...]] = {
    "log": (stable_log,),
    "power": (power_of_exponentials,),
    "product": (product_with_ones, product_of_exponentials, zero_times_log, safe_quotient),
    "hadamard": (product_of_exponentials, zero_times_log, safe_quotient, differences.sigmoid_pair),
    "exp": (exp_of_difference,),
    "add": (
        differences.sigmoid_complement, differences.sigmoid_slope, differences.tanh_slope, differences.sigmoid_error,
        differences.softmax_error, entry_of_log_softmax,
    ),
    "trace": (trace_of_product,),
}  # fmt: skip
