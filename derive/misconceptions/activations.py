"""Derivatives of functions that act entry by entry, and of the softmax."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.pullback import true_law
from derive.latex import syntax as s
from derive.misconceptions.factors import Found, without, without_switches
from derive.misconceptions.places import mapped, put_at
from derive.misconceptions.registry import Example, Pullback, misconception
from derive.misconceptions.repairs import Around, Named
from derive.operations.registry import record as operation
from derive.sizes import SCALAR

OUTER = frozenset(("exp", "log", "norm", "log_sum_exp", "power", "log_softmax"))
STEPS = frozenset(("positive", "is_zero", "sign", "transpose"))
GATES = frozenset(("relu", "maximum", "minimum", "abs", "cases", "largest", "smallest"))


def is_activation(node: Node) -> bool:
    """Whether an operation is an elementwise function of one argument."""
    entry = operation(node.op)
    plain = len(node.operands) == 1 and entry.elementwise and entry.vjp is not None
    return plain and node.op not in (*OUTER, *GATES, *STEPS)


def passed_on(node: Node) -> Pullback:
    """The gradient handed on as if the function were not there."""
    return lambda g, out: (g if g.dims == node.operands[0].dims else b.product(g, b.ones(node.operands[0].dims)),)


def times(node: Node, derivative: Node) -> Pullback:
    """The gradient times a derivative that is not the right one."""
    return lambda g, out: (b.hadamard(g, derivative),)


def _no_derivative(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    if is_activation(node):
        yield passed_on(node)


misconception(
    "activation-derivative-missing",
    law=r"$h = f(z) \;\Rightarrow\; \partial J/\partial z = \partial J/\partial h \odot f'(z)$",
    hint="Between the loss and the variable there is an activation function. Where is its derivative in your answer?",
    explanation="The gradient was passed through an activation without its derivative.",
    examples=(Example("sigmoid-softmax-network", "W_1", r"W_2^\top \delta_2 x^\top"),),
    broken=_no_derivative,
)


def _wrong_derivatives(node: Node) -> Iterator[Node]:
    out, x, one = node, node.operands[0], b.number(1)
    yield b.power(out, 2) if node.op == "tanh" else b.subtract(one, out)
    yield from (out, b.hadamard(out, b.subtract(one, out)), b.subtract(one, b.power(out, 2)))
    if node.op == "unspecified":
        yield b.unspecified(str(node.data[0]), int(node.data[1]) + 2, x)


def _another_derivative(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    if is_activation(node) or node.op == "relu":
        yield from (times(node, d) for d in _wrong_derivatives(node))
    if node.op in ("maximum", "minimum"):
        for k in [k for k, o in enumerate(node.operands) if o in live]:
            for derivative in (node, node.operands[k]):
                yield lambda g, out, k=k, d=derivative: tuple(  # type: ignore[misc]
                    b.hadamard(g, d) if j == k else None for j in range(len(node.operands))
                )


def _repair_primes(part: s.Syntax, around: Around) -> Found:
    head = part.body if isinstance(part, s.Scripted) and not part.primes else part
    if isinstance(head, s.Name) and head.base in around.functions:
        yield s.merge_scripts(part, (), (), 1, part.span), part.span


misconception(
    "activation-derivative",
    law=r"$\sigma' = \sigma (1 - \sigma), \tanh' = 1 - \tanh^2$",
    hint="The derivative of the activation is not the right one. Which function is it, and what is its derivative?",
    explanation="The derivative of another activation was used, or the function itself for its derivative.",
    examples=(Example("sigmoid-softmax-network", "W_1", r"(W_2^\top \delta_2 \odot h) x^\top"),),
    broken=_another_derivative,
    repairs=_repair_primes,
    parts=(s.Name, s.Scripted),
)


def _at_wrong_argument(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    if is_activation(node):
        x = node.operands[0]
        if x.dims == node.dims:
            again = b.rebuild(node, (node,))
            yield lambda g, out: operation(node.op).vjp(g, again, node)  # type: ignore[misc]
            if not operation(node.op).needs_data:
                yield lambda g, out: operation(node.op).vjp(g, x, x)  # type: ignore[misc]
                yield lambda g, out: operation(node.op).vjp(g, again, x)  # type: ignore[misc]


def _argument_for_value(part: s.Product, around: Around) -> Found:
    """In the argument of a function a name for another one that is a function of it, or of which it is one."""
    for k, (dot, argument) in enumerate(part.factors):
        if not (k and not dot and isinstance(argument, s.Group)):
            continue
        for one, two in around.activated:
            for here, other in ((one, two), (two, one)):
                changed = _renamed(argument, here, other, around)
                if changed is not argument:
                    yield s.Product(part.span, put_at(part.factors, k, (dot, changed))), argument.span


def _renamed(argument: s.Syntax, name: Named, other: Named, around: Around) -> s.Syntax:
    def change(part: s.Syntax) -> s.Syntax:
        is_name = isinstance(part, (s.Name, s.Scripted)) and around.value(part) is name.node
        return other.syntax if is_name else part

    return mapped(argument, change)


def _plain_argument(node: Node) -> Iterator[Node]:
    """A function of c x as the same function of x."""
    if is_activation(node) and node.operands[0].op == "product":
        x = node.operands[0]
        for k, factor in enumerate(x.operands):
            if factor.dims == SCALAR:
                yield b.rebuild(node, (without(x, k),))


misconception(
    "activation-argument",
    law="$h = f(z)$: the derivative is $f'$ at $z$, not at $h$",
    hint="At which argument is the derivative of the activation taken: before the activation or after it?",
    explanation="The derivative of an activation was taken at its output, or written in terms of its input as if "
    "that were the output.",
    examples=(Example("sigmoid-softmax-network", "W_1", r"(W_2^\top \delta_2 \odot \sigma'(h)) x^\top"),),
    broken=_at_wrong_argument,
    slips=_plain_argument,
    repairs=_argument_for_value,
    parts=(s.Product,),
)


def _open_gates(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    if node.op in ("relu", "abs"):
        yield passed_on(node)
    if node.op in ("maximum", "minimum"):
        yield lambda g, out: tuple(g for _ in node.operands)
    if node.op == "cases":
        moving = [k for k, o in enumerate(node.operands) if k % 2 and o in live]
        for kept in moving:
            yield _only(kept, len(node.operands))


def _only(kept: int, count: int) -> Pullback:
    return lambda g, out: tuple(g if k == kept else None for k in range(count))


misconception(
    "indicator-missing",
    law=r"$\partial \max(0, m) = \mathbb{1}[m > 0]\, \partial m$",
    hint="Is the gradient the same everywhere? Think of where the maximum, the margin or the case switches.",
    explanation="The indicator of a margin, a ReLU or a case was forgotten.",
    examples=(Example("relu-softmax-network", "W", r"U^\top (\hat{y} - y) x^\top"),),
    broken=_open_gates,
    slips=without_switches,
)


def _outer_forgotten(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    x = node.operands[0]
    if node.op in OUTER and node.op != "log_softmax":
        yield passed_on(node)
    if node.op == "power":
        exponent = node.data[0]
        yield lambda g, out: (b.hadamard(g, b.power(x, exponent - 1)),)
        yield lambda g, out: (b.hadamard(b.number(exponent), g),)
        yield lambda g, out: (b.hadamard(g, node),)
    if node.op in ("log", "exp"):
        yield times(node, node if node.op == "log" else b.power(node, -1))
        yield times(node, b.power(x, -1) if node.op == "exp" else x)
    if node.op == "norm":
        yield lambda g, out: (b.product(g, node, b.ones(x.dims)),)
        yield lambda g, out: (b.product(g, b.number(2), x),)
        yield lambda g, out: (b.product(g, b.power(node, -1), b.ones(x.dims)),)
    if node.op == "log_sum_exp":
        yield lambda g, out: (b.product(g, b.apply("exp", x)),)
        yield lambda g, out: (b.product(g, b.power(b.total(b.apply("exp", x)), -1), b.ones(x.dims)),)
        yield lambda g, out: (b.product(g, b.power(b.total(b.apply("exp", x)), -1), x),)
    if is_activation(node) or node.op in OUTER:
        yield from _inner_forgotten(node)


def _inner_forgotten(node: Node) -> Iterator[Pullback]:
    """The derivative of the outer function only: what is inside was taken for the variable."""
    x = node.operands[0]
    factors = [f for f in x.operands if f.dims == SCALAR] if x.op == "product" else []
    for factor in factors:
        yield lambda g, out, factor=factor: tuple(  # type: ignore[misc]
            None if p is None else b.product(p, b.power(factor, -1)) for p in true_law(node, g, out)
        )


def _without_function(node: Node) -> Iterator[Node]:
    if len(node.operands) == 1 and operation(node.op).by_name:
        yield node.operands[0]


misconception(
    "chain",
    law=r"$\partial f(g(x)) = f'(g(x))\, \partial g(x)$",
    hint="One link of the chain rule is missing. Take the loss apart from the outside in: each function "
    "brings its own derivative.",
    explanation="The derivative of an outer or an inner function (a logarithm, an exponential, a norm, a power) was "
    "forgotten.",
    examples=(Example("log-sum-exp", "z", r"\exp(z)"),),
    broken=_outer_forgotten,
    slips=_without_function,
)


def _diagonal_softmax(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    if node.op == "softmax":
        slope = b.hadamard(node, b.subtract(b.number(1), node))
        yield times(node, slope)
    if node.op == "log_softmax":
        p = b.apply("softmax", node.operands[0])
        yield times(node, b.subtract(b.number(1), p))


misconception(
    "softmax-diagonal",
    law=r"$\partial p/\partial z = \operatorname{diag}(p) - p p^\top$",
    hint="Every output of a softmax depends on every input. What stands beside the diagonal of its Jacobian?",
    explanation="The Jacobian of the softmax was taken as diagonal, p (1 - p), as for a sigmoid.",
    examples=(Example("softmax-vector-product", "z", r"\delta \odot p \odot (1 - p)"),),
    broken=_diagonal_softmax,
)


def _no_softmax(node: Node, live: Collection[Node]) -> Iterator[Pullback]:
    if node.op in ("softmax", "log_softmax"):
        yield passed_on(node)
    if node.op == "log_softmax":
        p = b.apply("softmax", node.operands[0])
        yield lambda g, out: true_law(p, g, p)
        yield lambda g, out: (b.hadamard(g, b.power(p, -1)),)
    if node.op == "softmax":
        yield lambda g, out: (b.subtract(b.hadamard(node, g), b.product(b.inner(node, g), b.ones(node.dims))),)
        yield lambda g, out: (b.subtract(g, b.product(b.inner(node, g), b.ones(node.dims))),)


misconception(
    "softmax-jacobian",
    law=r"$\partial p/\partial z = \operatorname{diag}(p) - p p^\top$",
    hint="The softmax lies between the loss and the variable. Where is its Jacobian in your answer?",
    explanation="The Jacobian of the softmax, or a part of it, was left out.",
    examples=(Example("softmax-regression", "z", r"- y \oslash \hat{y}"),),
    broken=_no_softmax,
)
