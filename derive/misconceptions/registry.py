"""The registry of misconceptions: one record each, made of the laws that a student may have broken.

A record says in up to three ways how its mistake shows, and everything else follows from that:

- `broken(node, live)` yields wrong vector-Jacobian products of an operation of the forward computation; deriving
  with one of them gives a wrong form.  `live` holds what depends on the variable.
- `slips(node)` yields what a part of the right closed form may have become by a slip of the pen.
- `repairs(part, around)` yields what a part of the student's formula has to become for the slip to be undone, and
  the place of the slip; it is asked about the kinds of `parts` only.

Their order in `MOST_SPECIFIC_FIRST` decides where several explain an answer.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from derive.errors import Span
from derive.expressions.node import Node
from derive.latex import syntax as s

if TYPE_CHECKING:
    from derive.misconceptions.repairs import Around

Pullback = Callable[[Node, Node], tuple[Node | None, ...]]
Broken = Callable[[Node, Collection[Node]], Iterable[Pullback]]
Slips = Callable[[Node], Iterable[Node]]
Repairs = Callable[[Any, "Around"], Iterable[tuple[s.Syntax, Span]]]


@dataclass(frozen=True, slots=True)
class Example:
    """A wrong answer to a problem of the catalogue that the misconception leads to."""

    problem: str
    wrt: str
    answer: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Misconception:
    """One mistake.

    `law` is what holds and was broken; `hint` is for the student and never holds the answer; `explanation` is for
    the teacher.  `code` is stable.
    """

    code: str
    law: str
    hint: str
    explanation: str
    examples: tuple[Example, ...]
    broken: Broken = lambda node, live: ()
    slips: Slips = lambda node: ()
    repairs: Repairs | None = None
    parts: tuple[type[s.Syntax], ...] = (s.Syntax,)


FILES = ("factors", "products", "activations", "terms", "variables")
MOST_SPECIFIC_FIRST = (
    "sign",
    "factor",
    "layout",
    "softmax-diagonal",
    "softmax-jacobian",
    "label-swap",
    "indicator-missing",
    "activation-derivative-missing",
    "activation-derivative",
    "activation-argument",
    "symmetry",
    "regulariser",
    "batch-sum",
    "sum-limits",
    "outer-product",
    "transpose-missing",
    "transpose",
    "order",
    "hadamard",
    "index",
    "quotient-rule",
    "power",
    "inverse",
    "occurrence",
    "product-rule",
    "chain",
    "positive-formula",
    "term-missing",
    "inner-sign",
    "wrong-variable",
    "term-extra",
    "factor-missing",
    "factor-extra",
    "term-wrong",
    "factor-wrong",
    "diagonal",
    "special-case",
)
_RECORDS: dict[str, Misconception] = {}


def misconception(code: str, **fields: object) -> Misconception:
    """Register a record."""
    if code in _RECORDS or code not in MOST_SPECIFIC_FIRST:
        raise ValueError(f"the misconception {code} is defined twice or has no place in the order")
    _RECORDS[code] = Misconception(code, **fields)  # type: ignore[arg-type]
    return _RECORDS[code]


def records() -> tuple[Misconception, ...]:
    """All records, the most specific first."""
    if len(_RECORDS) < len(MOST_SPECIFIC_FIRST):
        for name in FILES:
            importlib.import_module(f"derive.misconceptions.{name}")
    return tuple(_RECORDS[code] for code in MOST_SPECIFIC_FIRST)


def record(code: str) -> Misconception:
    """The record of a code."""
    records()
    return _RECORDS[code]


def rank(code: str) -> int:
    """How specific an explanation is: 0 is the most specific."""
    return MOST_SPECIFIC_FIRST.index(code)
