"""Wrong keys made of a right one, each of which a grader must refuse."""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.printing.latex import latex
from derive.rules.parts import chain_of
from derive.sizes import SCALAR

MOST = 12


def mutants(key: Node) -> Iterator[tuple[str, Node]]:
    """What was done to a key, and what came out: at most a dozen, all different and of some shape."""
    seen = {key}
    for name, mutant in _all(key):
        if mutant is not None and mutant not in seen and len(seen) <= MOST:
            seen.add(mutant)
            yield name, mutant


def _all(key: Node) -> Iterator[tuple[str, Node | None]]:
    yield "the sign changed", b.negate(key)
    yield "twice the key", b.scale(2, key)
    if key.dims != SCALAR:
        yield "transposed", b.transpose(key)
    yield "a little off", b.scale(b.Fraction(100001, 100000), key)
    terms = key.operands if key.op == "add" else ()
    for k in range(len(terms)):
        name = latex(terms[k])
        yield f"without the term {name}", b.add(*(t for j, t in enumerate(terms) if j != k))
        yield (
            f"the sign of the term {name} changed",
            b.add(*(b.negate(t) if j == k else t for j, t in enumerate(terms))),
        )
    yield from _factors(key)


def _factors(key: Node) -> Iterator[tuple[str, Node | None]]:
    """A product with a factor left out or transposed, or two of them exchanged."""
    if key.op != "product":
        return
    chain = list(chain_of(key))
    numbers = [f for f in key.operands if f not in chain]
    for k in range(len(numbers)):
        yield f"without the factor {latex(numbers[k])}", _product(*numbers[:k], *numbers[k + 1 :], *chain)
    for k, factor in enumerate(chain):
        name = latex(factor)
        yield f"without the factor {name}", _product(*numbers, *chain[:k], *chain[k + 1 :])
        yield f"the factor {name} transposed", _product(*numbers, *chain[:k], b.transpose(factor), *chain[k + 1 :])
        if k:
            swapped = [*chain[: k - 1], factor, chain[k - 1], *chain[k + 1 :]]
            yield f"the factors {latex(chain[k - 1])} and {name} exchanged", _product(*numbers, *swapped)


def _product(*factors: Node) -> Node | None:
    """A product; None where the shapes do not fit."""
    try:
        return b.product(*factors) if factors else None
    except ShapeError:
        return None
