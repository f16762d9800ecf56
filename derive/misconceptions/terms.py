"""Sums: terms, occurrences, batches, limits; products and quotients of what depends on the variable."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.gradient.pullback import true_law
from derive.latex import syntax as s
from derive.misconceptions.factors import Found, possible, without
from derive.misconceptions.places import put_at
from derive.misconceptions.products import turned
from derive.misconceptions.registry import Example, Pullback, misconception
from derive.misconceptions.repairs import Around
from derive.sizes import SCALAR, Range

PENALISING = frozenset(("product", "hadamard", "power", "norm", "total", "abs", "transpose", "sum", "entry", "trace"))
PRODUCTS = frozenset(("product", "hadamard"))


def moving(node: Node, live: Collection[Node]) -> list[int]:
    """The operands that depend on the variable."""
    return [k for k, o in enumerate(node.operands) if o in live]


def cut(node: Node, k: int) -> Pullback:
    """Nothing passed on to operand number k."""
    return lambda g, out: put_at(true_law(node, g, out), k, None)


def only(node: Node, k: int) -> Pullback:
    """Nothing passed on but to operand number k."""
    return lambda g, out: tuple(p if j == k else None for j, p in enumerate(true_law(node, g, out)))


def scaled(node: Node, k: int, factor: b.Number) -> Pullback:
    """Operand number k with a multiple of what it should get."""

    def wrong(g: Node, out: Node) -> tuple[Node | None, ...]:
        parts = true_law(node, g, out)
        part = parts[k]
        return put_at(parts, k, None if part is None else b.scale(factor, part))

    return wrong


def is_penalty(term: Node, live: Collection[Node]) -> bool:
    """Whether a term of a loss is a regulariser: a given number times something of the variable."""
    scalars = [o for o in term.operands if o.op == "symbol" and o.dims == SCALAR] if term.op == "product" else []
    plain = all(part.op in PENALISING for part in walk(term) if part in live and part.operands)
    return bool(scalars) and plain and any(part.op in ("norm", "total", "power", "product") for part in walk(term))


def _forgotten_terms(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    places = moving(node, live)
    if node.op == "add" and len(places) > 1:
        for k in places:
            if not is_penalty(node.operands[k], live):
                yield cut(node, k)
            if len(places) > 2:
                yield only(node, k)


def _fewer_terms(node: Node) -> Iterator[Node]:
    if node.op == "add":
        yield from (b.add(*node.operands[:k], *node.operands[k + 1 :]) for k in range(len(node.operands)))


misconception(
    "term-missing",
    law=r"$\partial (f + g) = \partial f + \partial g$",
    hint="A term is missing. Count the terms of the loss in which the variable occurs.",
    explanation="One of the terms of a sum was not differentiated, or was lost on the way.",
    examples=(Example("softmax-regression", "b", r"\hat{y}"),),
    broken=_forgotten_terms,
    slips=_fewer_terms,
)


def _drop_terms(part: s.Sum, around: Around) -> Found:
    if len(part.terms) > 1:
        for k, (_, term) in enumerate(part.terms):
            yield s.Sum(part.span, part.terms[:k] + part.terms[k + 1 :]), term.span


misconception(
    "term-extra",
    law=r"$\partial (f + g) = \partial f + \partial g$",
    hint="There is a term too many. Which term of the loss does each of yours come from?",
    explanation="The answer has a term that no term of the loss brings.",
    examples=(Example("softmax-regression", "W", r"(\hat{y} - y) x^\top + W"),),
    repairs=_drop_terms,
    parts=(s.Sum,),
)


misconception(
    "term-wrong",
    law=r"$\partial (f + g) = \partial f + \partial g$",
    hint="One term is not right; the others are. Take the term of the loss that it comes from by itself.",
    explanation="A term of the answer is not what stands there in the derivative; the rest is right.",
    examples=(Example("kl-to-softmax", "q", r"\log \frac{q}{p} + q"),),
)


def _penalty_forgotten(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    if node.op == "add":
        for k in moving(node, live):
            if is_penalty(node.operands[k], live):
                yield from (cut(node, k), scaled(node, k, 2), scaled(node, k, b.Fraction(1, 2)), scaled(node, k, -1))


misconception(
    "regulariser",
    law=r"$\partial (\tfrac{\lambda}{2} \lVert w \rVert^2) = \lambda w$",
    hint="Look at the regulariser by itself: what is its derivative with respect to this variable?",
    explanation="The regulariser was forgotten, doubled or halved, or differentiated wrongly.",
    examples=(Example("ridge-regression", "w", r"2 X^\top (X w - y)"),),
    broken=_penalty_forgotten,
)


def _one_factor(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    places = [k for k in moving(node, live) if not _is_divisor(node.operands[k])]
    if node.op in PRODUCTS and len(places) > 1:
        yield from (cut(node, k) for k in places)
        if len(places) > 2:
            yield from (only(node, k) for k in places)


def _is_divisor(node: Node) -> bool:
    return (node.op == "power" and node.data[0] < 0) or node.op == "inverse"


misconception(
    "product-rule",
    law=r"$\partial (f g) = f\, \partial g + g\, \partial f$",
    hint="Two factors of a product depend on the variable. Does your answer differentiate both?",
    explanation="Only one factor of a product was differentiated.",
    examples=(Example("silu", "x", r"\sigma(x)"),),
    broken=_one_factor,
)


def _one_of_quotient(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    places = moving(node, live)
    if node.op in PRODUCTS and any(_is_divisor(node.operands[k]) for k in places):
        for k in places:
            if len(places) > 1:
                yield cut(node, k)
            if _is_divisor(node.operands[k]):
                yield scaled(node, k, -1)
    if node.op == "power" and node.data[0] < 0:
        yield scaled(node, 0, -1)
        yield lambda g, out: (b.hadamard(g, node),)
        yield lambda g, out: (b.negate(b.hadamard(g, node)),)


misconception(
    "quotient-rule",
    law=r"$\partial (f/g) = (\partial f\, g - f\, \partial g)/g^2$",
    hint="The variable stands in a denominator. Check the sign, the square, and whether numerator and "
    "denominator both move.",
    explanation="Numerator or denominator was not differentiated, or the sign or square of the quotient rule was lost.",
    examples=(Example("softsign", "x", r"\frac{1}{1 + |x|}"),),
    broken=_one_of_quotient,
)
misconception(
    "occurrence",
    law="a name that is used twice receives the sum of both contributions",
    hint="The variable reaches the loss in more than one way. Draw the ways and add up what comes back along each.",
    explanation="The variable, or a name that depends on it, is used several times; a contribution was forgotten.",
    examples=(Example("tied-embeddings", "E", r"\delta h^\top"),),
)


def _no_sum(node: Node) -> Iterator[Node]:
    if node.op == "product":
        summing = [k for k, factor in enumerate(node.operands) if same_ones(factor)]
        yield from possible(partial(without, node, k) for k in summing)
    if node.op == "total":
        yield node.operands[0]
    if node.op == "sum":
        body, name = node.operands[0], str(node.data[0])
        others = sorted(free_indices(body) - {name})
        if name not in free_indices(body):
            yield body
        yield from (b.substitute(body, {b.index(name, None): b.index(other, None)}) for other in others)


def same_ones(node: Node) -> bool:
    """Whether a factor is a vector of ones, which sums or repeats."""
    return node.op == "ones" or (node.op == "transpose" and node.operands[0].op == "ones")


def _repair_sums(part: s.Syntax, around: Around) -> Found:
    if isinstance(part, s.BigOperator) and part.sign == "sum":
        yield part.body, part.span
    if part is around.root and around.found not in (None, around.wanted):
        ones, body = s.One((part.span[0], part.span[0])), s.Group(part.span, "(", (), (part,))
        for factors in ((turned(ones), body), (body, ones), (turned(body), ones), (turned(ones), turned(body))):
            yield s.Product(part.span, tuple(("", f) for f in factors)), part.span


misconception(
    "batch-sum",
    law=r"$z_i = W x_i + b$ for all $i$: $\partial J/\partial b = \sum_i \partial J/\partial z_i$",
    hint="What is used by every example receives the sum over all examples. Does your answer sum, and over "
    "the right index?",
    explanation="A sum over the batch (or over what a bias is added to) is missing, or there is one too many.",
    examples=(Example("linear-layer-batch", "b", "G"),),
    slips=_no_sum,
    repairs=_repair_sums,
)


def _other_limits(node: Node) -> Iterator[Node]:
    if node.op == "sum":
        name, over = str(node.data[0]), node.data[1]
        if isinstance(over, Range):
            for changed in (Range(over.lo + 1, over.hi, over.excluded), Range(over.lo, over.hi - 1, over.excluded)):
                yield b.sum_over(node.operands[0], name, changed, node.operands[1])


def _repair_limits(part: s.BigOperator, around: Around) -> Found:
    if part.upper is not None:
        yield replace(part, upper=None, lower=tuple(_letter(one) for one in part.lower)), part.upper.span
        for step in (1, -1):
            moved = s.Sum(part.upper.span, ((1, part.upper), (step, s.Num(part.upper.span, b.Fraction(1)))))
            yield replace(part, upper=moved), part.upper.span
    for k, lower in enumerate(part.lower):
        if isinstance(lower, s.Relation) and len(lower.sides) == 2 and isinstance(lower.sides[1], s.Num):
            for moved_to in (lower.sides[1].value + 1, lower.sides[1].value - 1):
                sides = (lower.sides[0], s.Num(lower.sides[1].span, moved_to))
                yield replace(part, lower=put_at(part.lower, k, replace(lower, sides=sides))), lower.span


def _letter(lower: s.Syntax) -> s.Syntax:
    return lower.sides[0] if isinstance(lower, s.Relation) and lower.signs == ("=",) else lower


misconception(
    "sum-limits",
    law="a sum over $1 … K$ has $K$ terms",
    hint="Check where the sum starts and where it ends.",
    explanation="A limit of a sum is off, often by one.",
    examples=(
        Example(
            "negative-sampling", "v_c", r"(\sigma(u_o^\top v_c) - 1) u_o + \sum_{k=2}^{K} \sigma(u_k^\top v_c) u_k"
        ),
    ),
    slips=_other_limits,
    repairs=_repair_limits,
    parts=(s.BigOperator,),
)
