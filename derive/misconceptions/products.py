"""Matrix products: transposes, the order of factors, inner for outer, elementwise for matrix."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.pullback import true_law
from derive.latex import syntax as s
from derive.latex.tokens import Token
from derive.misconceptions.factors import Found, possible
from derive.misconceptions.places import put_at
from derive.misconceptions.registry import Example, Pullback, misconception
from derive.misconceptions.repairs import Around
from derive.reading.match import TRANSPOSES
from derive.sizes import ONE, SCALAR

misconception(
    "layout",
    law="the gradient has the shape of its variable, or of its transpose: one convention throughout",
    hint="Your answer is in the other layout: compare its shape with the shape that the derivative is asked in.",
    explanation="The transpose of what is asked: numerator layout for the shape convention, or the other way round.",
    examples=(Example("softmax-regression", "W", r"- x (\hat{y} - y)^\top"),),
)


def turned(part: s.Syntax) -> s.Syntax:
    """A piece of syntax transposed: with a transpose more or less."""
    if isinstance(part, s.Scripted):
        for k, sup in enumerate(part.sups):
            if len(sup.tokens) == 1 and sup.tokens[0].text in TRANSPOSES:
                return _without_sup(part, k)
    if isinstance(part, s.Group) and len(part.parts) == 1 and _has_transpose(part.parts[0]):
        return turned(part.parts[0])
    end = part.span[1]
    script = s.Script((Token("command", r"\top", end, end),), part.span)
    if isinstance(part, (s.Name, s.Scripted, s.Group, s.One)):
        return s.merge_scripts(part, (), (script,), 0, part.span)
    return s.Scripted(part.span, s.Group(part.span, "(", (), (part,)), (), (script,), 0)


def _has_transpose(part: s.Syntax) -> bool:
    return isinstance(part, s.Scripted) and any(
        len(sup.tokens) == 1 and sup.tokens[0].text in TRANSPOSES for sup in part.sups
    )


def _without_sup(part: s.Scripted, k: int) -> s.Syntax:
    sups = part.sups[:k] + part.sups[k + 1 :]
    return part.body if not (sups or part.subs or part.primes) else replace(part, sups=sups)


def _without_transpose(node: Node) -> Iterator[Node]:
    if node.op == "transpose":
        yield node.operands[0]


def _add_transposes(part: s.Syntax, around: Around) -> Found:
    plain = isinstance(part, (s.Name, s.Scripted, s.Group)) and not _has_transpose(part)
    if plain and around.dims(part) != SCALAR:
        yield turned(part), part.span
    factors = part.factors if isinstance(part, s.Product) else ()
    for start in range(len(factors)):
        for end in range(start + 2, len(factors) + 1):
            if start or end < len(factors):
                inside = s.Product(
                    (factors[start][1].span[0], factors[end - 1][1].span[1]),
                    (("", factors[start][1]), *factors[start + 1 : end]),
                )
                whole = (*factors[:start], (factors[start][0], turned(inside)), *factors[end:])
                yield s.Product(part.span, whole), inside.span


misconception(
    "transpose-missing",
    law=r"$y = A x \;\Rightarrow\; \partial J/\partial x = A^\top\, \partial J/\partial y$",
    hint="A transpose is missing. Write the sizes under every factor: neighbouring ones must agree, and the "
    "outer ones give the variable's shape.",
    explanation="Going backwards through a product the other factor is transposed; here it was not.",
    examples=(Example("softmax-regression", "x", r"W (\hat{y} - y)"),),
    slips=_without_transpose,
    repairs=_add_transposes,
    parts=(s.Name, s.Scripted, s.Group, s.Product),
)


def _with_transpose(node: Node) -> Iterator[Node]:
    if node.op == "product":
        plain = [k for k, factor in enumerate(node.operands) if factor.dims != SCALAR and factor.op != "transpose"]
        turned_at = (put_at(node.operands, k, b.transpose(node.operands[k])) for k in plain)
        yield from possible(partial(b.product, *factors) for factors in turned_at)


def _drop_transposes(part: s.Syntax, around: Around) -> Found:
    if _has_transpose(part):
        yield turned(part), part.span


misconception(
    "transpose",
    law=r"$y = A x \;\Rightarrow\; \partial J/\partial x = A^\top\, \partial J/\partial y$",
    hint="A transpose is in the wrong place. Write the sizes under every factor and see which one does not fit.",
    explanation="A factor is transposed that should not be.",
    examples=(Example("deep-linear-network", "W_3", r"e (W_2^\top W_1 x)^\top"),),
    slips=_with_transpose,
    repairs=_drop_transposes,
    parts=(s.Scripted,),
)


def _swapped(node: Node) -> Iterator[Node]:
    if node.op == "product":
        places = [k for k, factor in enumerate(node.operands) if factor.dims != SCALAR]
        swapped = (put_at(put_at(node.operands, i, node.operands[j]), j, node.operands[i]) for i, j in pairwise(places))
        yield from possible(partial(b.product, *factors) for factors in swapped)


def _swap_factors(part: s.Product, around: Around) -> Found:
    factors = part.factors
    for i in range(len(factors)):
        for j in range(i + 1, len(factors)):
            (dot_i, one), (dot_j, two) = factors[i], factors[j]
            swapped = put_at(put_at(factors, i, (dot_i, two)), j, (dot_j, one))
            yield s.Product(part.span, swapped), (one.span[0], two.span[1])
    for k in range(1, len(factors)):
        rotated = (*factors[k:], *factors[:k])
        if len(factors) > 2:
            yield s.Product(part.span, (("", rotated[0][1]), *rotated[1:])), part.span


misconception(
    "order",
    law="$A B$ is not $B A$",
    hint="The factors stand in the wrong order. Write the sizes under every factor: neighbouring ones must agree.",
    explanation="The factors are right, their order in the matrix product is not.",
    examples=(Example("linear-layer-batch", "W", r"G X^\top"),),
    slips=_swapped,
    repairs=_swap_factors,
    parts=(s.Product,),
)


def _make_outer(part: s.Product, around: Around) -> Found:
    """A row times a column as the outer product of the two, in both orders."""
    for k, ((dot, one), (_, two)) in enumerate(pairwise(part.factors)):
        row, column = around.dims(one), around.dims(two)
        if row is None or column is None or SCALAR in (row, column) or (row[0], column[1]) != (ONE, ONE):
            continue
        for left, right in ((turned(one), turned(two)), (two, one)):
            pair = ((dot, left), ("", right))
            yield s.Product(part.span, (*part.factors[:k], *pair, *part.factors[k + 2 :])), (one.span[0], two.span[1])


misconception(
    "outer-product",
    law=r"$\partial (\delta^\top W x)/\partial W = \delta x^\top$",
    hint="A row times a column is a number; the gradient of a matrix has an entry for each row and each column of it.",
    explanation="An inner product, a row times a column, stands where the outer product belongs.",
    examples=(Example("softmax-regression", "W", r"(\hat{y} - y)^\top x"),),
    repairs=_make_outer,
    parts=(s.Product,),
)


def _other_product(node: Node) -> Iterator[Node]:
    if node.op == "hadamard":
        yield b.product(*node.operands)
    if node.op == "product":
        yield b.hadamard(*node.operands)


def _exchange_products(part: s.Product, around: Around) -> Found:
    for k, (dot, factor) in enumerate(part.factors):
        if k:
            other = "" if dot in (r"\odot", r"\circ") else r"\odot"
            changed = put_at(part.factors, k, (other, factor))
            yield s.Product(part.span, changed), factor.span
            if _has_transpose(part.factors[k - 1][1]) and other:
                before = (part.factors[k - 1][0], turned(part.factors[k - 1][1]))
                yield s.Product(part.span, put_at(changed, k - 1, before)), part.factors[k - 1][1].span


misconception(
    "hadamard",
    law=r"$a \odot b$ is not $a b$",
    hint="Elementwise product or matrix product? What acts entry by entry going forwards acts entry by entry "
    "going backwards.",
    explanation="An elementwise product and a matrix product were exchanged.",
    examples=(Example("distmult", "h", "r t"),),
    slips=_other_product,
    repairs=_exchange_products,
    parts=(s.Product,),
)


def _inverses(node: Node) -> Iterator[Node]:
    if node.op == "inverse":
        yield from (node.operands[0], b.transpose(node.operands[0]))


misconception(
    "inverse",
    law=r"$\partial \det X = \det X\, X^{-\top}$",
    hint="Is the matrix inverted here, or only transposed?",
    explanation="The inverse was forgotten or took the place of the transpose.",
    examples=(Example("determinant-of-matrix", "X", r"\det(X) X^\top"),),
    slips=_inverses,
)


def _make_diagonal(part: s.Syntax, around: Around) -> Found:
    dims = around.found if part is around.root else None
    if dims is not None and ONE in dims and around.wanted == (dims[0] * dims[1],) * 2:
        diag = s.Name((part.span[0], part.span[0]), "diag")
        yield s.Product(part.span, (("", diag), ("", s.Group(part.span, "(", (), (part,))))), part.span


misconception(
    "diagonal",
    law=r"$\partial f(x)/\partial x = \operatorname{diag}(f'(x))$ for $f$ entry by entry",
    hint="A Jacobian has an entry for each output and each input. What shape has your answer?",
    explanation="The elementwise derivative stands for the diagonal Jacobian.",
    examples=(Example("elementwise-tanh", "x", "1 - z^2", "z"),),
    repairs=_make_diagonal,
)


def same_variable(node: Node) -> Node:
    """A factor without its transpose."""
    return node.operands[0] if node.op == "transpose" else node


def _one_side(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    """A product in which the variable stands twice, differentiated as if the other side were the same."""
    moving = [k for k, o in enumerate(node.operands) if o in live]
    if node.op not in ("product", "hadamard") or len({same_variable(node.operands[k]) for k in moving}) >= len(moving):
        return
    for kept in moving:
        for factor in (2, 1):

            def wrong(g: Node, out: Node, kept: int = kept, factor: int = factor) -> tuple[Node | None, ...]:
                parts = true_law(node, g, out)
                return tuple(b.scale(factor, p) if k == kept and p is not None else None for k, p in enumerate(parts))

            yield wrong


misconception(
    "symmetry",
    law=r"$\partial (x^\top A x) = (A + A^\top) x$",
    hint="The variable stands twice in this product. Are the two contributions really equal?",
    explanation="x^T A x was differentiated as if A were symmetric, or one of its two sides was forgotten.",
    examples=(Example("quadratic-form", "x", "2 B x"),),
    broken=_one_side,
)
