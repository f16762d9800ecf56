"""Signs, constant factors, powers and factors that are missing or too many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial

from derive.errors import ShapeError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.latex.tokens import Token
from derive.misconceptions.places import put_at
from derive.misconceptions.registry import Example, misconception
from derive.misconceptions.repairs import Around
from derive.misconceptions.seen import is_number
from derive.operations.registry import record as operation

Found = Iterator[tuple[s.Syntax, Span]]
SWITCHES = frozenset(("positive", "is_zero", "index_equal", "index_less", "cases", "sign", "onehot"))
EVEN = frozenset(("abs", "is_zero", "relu"))


def is_switch(node: Node) -> bool:
    """Whether a factor is an indicator, perhaps inside of an entry or a diagonal matrix."""
    return node.op in SWITCHES or (node.op in ("entry", "diag", "transpose") and is_switch(node.operands[0]))


def possible(makers: Iterable[Callable[[], Node]]) -> Iterator[Node]:
    """What can be made of several expressions of which some may not fit."""
    for make in makers:
        try:
            yield make()
        except ShapeError:
            continue


def without(node: Node, k: int) -> Node:
    """A product without its factor number k."""
    rest = node.operands[:k] + node.operands[k + 1 :]
    return b.product(*rest) if node.op == "product" else b.hadamard(*rest)


def _flipped_terms(node: Node) -> Iterator[Node]:
    if node.op == "add":
        for k, term in enumerate(node.operands):
            yield b.add(*put_at(node.operands, k, b.negate(term)))
    if node.op == "product" and node.operands[0].op == "number":
        yield b.negate(node)


def _flip_terms(part: s.Sum, around: Around) -> Found:
    if len(part.terms) > 1:
        for k, (sign, term) in enumerate(part.terms):
            yield s.Sum(part.span, put_at(part.terms, k, (-sign, term))), term.span


misconception(
    "sign",
    law=r"$\partial (-f) = -\partial f$",
    hint="A sign is off. Follow the minus signs one by one, from the loss back to the variable.",
    explanation="The answer, or a term of it, has the opposite sign: often the minus of -log, or of a - x, was lost "
    "or kept twice.",
    examples=(
        Example("softmax-regression", "W", r"(y - \hat{y}) x^\top"),
        Example("softmax-regression", "W", r"(\hat{y} + y) x^\top"),
    ),
    slips=_flipped_terms,
    repairs=_flip_terms,
    parts=(s.Sum,),
)


def _negated_arguments(node: Node) -> Iterator[Node]:
    if len(node.operands) == 1 and operation(node.op).by_name and node.op not in EVEN:
        yield b.rebuild(node, (b.negate(node.operands[0]),))


def _negate_arguments(part: s.Syntax, around: Around) -> Found:
    if isinstance(part, s.Product):
        for k, (sign, factor) in enumerate(part.factors):
            head = part.factors[k - 1][1] if k and not sign else None
            if isinstance(factor, s.Group) and len(factor.parts) == 1 and isinstance(head, (s.Name, s.Scripted)):
                inside = s.Sum(factor.parts[0].span, ((-1, factor.parts[0]),))
                yield (
                    replace(part, factors=put_at(part.factors, k, (sign, replace(factor, parts=(inside,))))),
                    factor.span,
                )
    if isinstance(part, s.Scripted) and isinstance(part.body, s.Name) and part.body.base == "e" and part.sups:
        tokens, span = part.sups[0].tokens, part.sups[0].span
        if tokens[0].text == "-":
            changed = tokens[1:]
        elif any(t.text in ("+", "-") for t in tokens):
            return
        else:
            changed = (Token("sign", "-", span[0], span[0]), *tokens)
        if changed:
            yield replace(part, sups=(s.Script(changed, span), *part.sups[1:])), span


misconception(
    "inner-sign",
    law=r"$\sigma(-x) = 1 - \sigma(x)$, not $\sigma(x)$",
    hint="Look at the argument of the function: which sign has it there, and which in the loss?",
    explanation="The minus inside a function was lost or added, as in σ(x) where the loss has σ(-x).",
    examples=(Example("negative-sampling", "u_k", r"\sigma(-u_k^\top v_c) v_c"),),
    slips=_negated_arguments,
    repairs=_negate_arguments,
    parts=(s.Product, s.Scripted),
)


def _other_numbers(node: Node) -> Iterator[Node]:
    if node.op == "product":
        for k, factor in enumerate(node.operands):
            if is_number(factor) and factor != b.number(-1):
                rest = without(node, k)
                yield b.negate(rest) if factor.op == "number" and factor.data[0] < 0 else rest


def _repair_numbers(part: s.Syntax, around: Around) -> Found:
    if isinstance(part, s.Num) and part.value:
        for value in dict.fromkeys((Fraction(1), part.value * 2, part.value / 2)):
            yield s.Num(part.span, value), part.span
    if isinstance(part, s.Sum):
        for k, (sign, term) in enumerate(part.terms):
            for c in (Fraction(2), Fraction(1, 2)):
                scaled = s.Product(term.span, (("", s.Num(term.span, c)), ("", term)))
                yield s.Sum(part.span, put_at(part.terms, k, (sign, scaled))), term.span
    yield from _dropped(part, around, True)


def _dropped(part: s.Syntax, around: Around, numeric: bool) -> Found:
    """Factors and denominators taken away: numbers and sizes, or everything else."""
    if isinstance(part, s.Product):
        for k, (_, factor) in enumerate(part.factors):
            if around.is_number(factor) == numeric:
                rest = part.factors[:k] + part.factors[k + 1 :]
                yield s.Product(part.span, (("", rest[0][1]), *rest[1:])), factor.span
    if isinstance(part, s.Frac) and around.is_number(part.below) == numeric:
        yield part.above, part.below.span


misconception(
    "factor",
    law=r"$\partial (c\,f) = c\,\partial f$",
    hint="A constant factor is off. Check the 2 that a square brings, the numbers in front, and whether the "
    "loss is a sum or a mean.",
    explanation="The answer, or a term of it, is a constant multiple of what is right: a 2, a 1/2, a 1/N, a "
    "coefficient, or the batch mean for the sum.",
    examples=(Example("least-squares", "w", r"2 X^\top r"),),
    slips=_other_numbers,
    repairs=_repair_numbers,
    parts=(s.Num, s.Sum, s.Product, s.Frac),
)


def _other_powers(node: Node) -> Iterator[Node]:
    if node.op == "power":
        exponent: Fraction = node.data[0]
        yield from (b.power(node.operands[0], e) for e in (1, exponent + 1, exponent - 1, -exponent) if e != exponent)


def _repair_powers(part: s.Syntax, around: Around) -> Found:
    if isinstance(part, s.Scripted):
        for k, sup in enumerate(part.sups):
            if len(sup.tokens) == 1 and sup.tokens[0].kind == "number":
                rest = part.sups[:k] + part.sups[k + 1 :]
                plain = not rest and not part.subs and not part.primes
                yield (part.body if plain else replace(part, sups=rest)), sup.span
                for other in [n for n in ("2", "3", "4") if n != sup.tokens[0].text]:
                    token = sup.tokens[0]._replace(text=other)
                    yield replace(part, sups=put_at(part.sups, k, s.Script((token,), sup.span))), sup.span
    if isinstance(part, (s.Name, s.Group, s.Scripted)):
        token = Token("number", "2", part.span[1], part.span[1])
        yield s.merge_scripts(part, (), (s.Script((token,), part.span),), 0, part.span), part.span
    if isinstance(part, s.Bars):
        yield s.Scripted(part.span, part, (), (s.Script((Token("number", "2", *part.span),), part.span),), 0), part.span


misconception(
    "power",
    law=r"$\partial x^n = n x^{n-1}$",
    hint="An exponent is off. Which power stands there before, and which after differentiating?",
    explanation="An exponent is missing, kept or off by one, as in 1 - h for 1 - h².",
    examples=(Example("tanh", "z", r"1 - \tanh(z)"),),
    slips=_other_powers,
    repairs=_repair_powers,
    parts=(s.Name, s.Group, s.Scripted, s.Bars),
)


def _fewer_factors(node: Node) -> Iterator[Node]:
    if node.op in ("product", "hadamard"):
        kept = [k for k, factor in enumerate(node.operands) if not is_number(factor) and not is_switch(factor)]
        yield from possible(partial(without, node, k) for k in kept)
    if node.op == "diag":
        yield b.eye(node.dims[0])


def _drop_factors(part: s.Syntax, around: Around) -> Found:
    yield from _dropped(part, around, False)
    factors = part.factors if isinstance(part, s.Product) else ()
    for k in range(len(factors) - 1):
        if len(factors) > 2:
            rest = factors[:k] + factors[k + 2 :]
            changed = s.Product(part.span, (("", rest[0][1]), *rest[1:]))
            yield changed, (factors[k][1].span[0], factors[k + 1][1].span[1])


misconception(
    "factor-missing",
    law=r"$\partial f(g) = f'(g)\,\partial g$",
    hint="A factor is missing. Name every operation between the loss and the variable: which one leaves no "
    "trace in your answer?",
    explanation="The answer lacks one of the factors of the chain rule, or of a product.",
    examples=(Example("distmult", "h", "r"),),
    slips=_fewer_factors,
)
misconception(
    "factor-extra",
    law=r"$\partial f(g) = f'(g)\,\partial g$",
    hint="There is a factor too many. Which operation between the loss and the variable does each of your "
    "factors come from?",
    explanation="The answer has a factor that no operation of the forward computation brings.",
    examples=(Example("softmax-regression", "b", r"\hat{y} \odot (\hat{y} - y)"),),
    repairs=_drop_factors,
    parts=(s.Product, s.Frac),
)


misconception(
    "factor-wrong",
    law=r"$\partial f(g) = f'(g)\,\partial g$",
    hint="One factor is not the right one; the others are. Which operation of the forward computation does it "
    "belong to?",
    explanation="A factor of the answer is not what stands there in the derivative; the rest is right.",
    examples=(Example("distmult", "h", r"r \odot \exp(r)"),),
)


def without_switches(node: Node) -> Iterator[Node]:
    """Products without one of their indicators."""
    if node.op in ("product", "hadamard"):
        yield from possible(partial(without, node, k) for k, factor in enumerate(node.operands) if is_switch(factor))
