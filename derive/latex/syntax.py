"""The syntax tree of a formula: what was written, with places, and no mathematics.

What a juxtaposition or a bracket means is decided later, by the shapes of the declared symbols.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction

from derive.errors import AnswerError, Span
from derive.latex.tokens import Token


@dataclass(frozen=True, slots=True)
class Syntax:
    """Base of all syntax; `span` is the place in the text."""

    span: Span


@dataclass(frozen=True, slots=True)
class Num(Syntax):
    """A number, as it is written."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class One(Syntax):
    """A bold or blackboard 1: a vector of ones, or an indicator."""


@dataclass(frozen=True, slots=True)
class Name(Syntax):
    """A letter, a command, an accented letter (`\\hat{y}`) or a word."""

    base: str


@dataclass(frozen=True, slots=True)
class Words(Syntax):
    """Words that are no formula."""

    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """One sub- or superscript, as tokens."""

    tokens: tuple[Token, ...]
    span: Span

    @property
    def text(self) -> str:
        return " ".join(t.text for t in self.tokens)


@dataclass(frozen=True, slots=True)
class Scripted(Syntax):
    """Something with scripts, in the order in which they were written."""

    body: Syntax
    subs: tuple[Script, ...]
    sups: tuple[Script, ...]
    primes: int


@dataclass(frozen=True, slots=True)
class Group(Syntax):
    """A bracket: its parts between commas, or the error that kept it from being read."""

    opening: str
    tokens: tuple[Token, ...]
    parts: tuple[Syntax, ...]
    error: AnswerError | None = None


@dataclass(frozen=True, slots=True)
class Sum(Syntax):
    """Terms with their signs."""

    terms: tuple[tuple[int, Syntax], ...]


@dataclass(frozen=True, slots=True)
class Product(Syntax):
    """Factors with the sign before each ("" for juxtaposition; the first has "")."""

    factors: tuple[tuple[str, Syntax], ...]


@dataclass(frozen=True, slots=True)
class Frac(Syntax):
    """A fraction."""

    above: Syntax
    below: Syntax


@dataclass(frozen=True, slots=True)
class Root(Syntax):
    """A root; `degree` is None for a square root."""

    body: Syntax
    degree: Syntax | None


@dataclass(frozen=True, slots=True)
class BigOperator(Syntax):
    """A sum or product sign with its limits and the product that it takes."""

    sign: str
    lower: tuple[Syntax, ...]
    upper: Syntax | None
    body: Syntax


@dataclass(frozen=True, slots=True)
class Cases(Syntax):
    """Branches with their conditions (empty: otherwise)."""

    branches: tuple[tuple[Syntax, tuple[Syntax, ...]], ...]


@dataclass(frozen=True, slots=True)
class MatrixLiteral(Syntax):
    """A matrix written out, row by row."""

    rows: tuple[tuple[Syntax, ...], ...]


@dataclass(frozen=True, slots=True)
class Bars(Syntax):
    """|x| or ‖x‖."""

    sign: str
    body: Syntax


@dataclass(frozen=True, slots=True)
class Relation(Syntax):
    """a = b, a < b ≤ c, w ∈ V."""

    signs: tuple[str, ...]
    sides: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Derivative(Syntax):
    """∂of/∂wrt; `of` is None for a bare operator that has nothing to act on; `tokens` is it as a name."""

    of: Syntax | None
    wrt: Syntax
    operator: bool
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class At(Syntax):
    """Something evaluated where `condition` holds: `\\left. f \\right|_{x = a}`."""

    body: Syntax
    condition: Syntax


@dataclass(frozen=True, slots=True)
class External(Syntax):
    """A scalar construct that this grammar does not know (an integral, a limit, a binomial): its text."""

    text: str


def merge_scripts(body: Syntax, subs: tuple[Script, ...], sups: tuple[Script, ...], primes: int, span: Span) -> Syntax:
    """Scripts on something that may carry scripts itself: `{x_1}_j` is `x` with two subscripts."""
    if isinstance(body, Scripted) and isinstance(body.body, Name):
        return Scripted(span, body.body, body.subs + subs, body.sups + sups, body.primes + primes)
    return Scripted(span, body, subs, sups, primes)


def walk(node: Syntax) -> Iterator[Syntax]:
    """Every piece of syntax in a formula, the formula itself first."""
    todo: list[object] = [node]
    while todo:
        found = todo.pop()
        if isinstance(found, tuple):
            todo.extend(reversed(found))
        elif isinstance(found, Syntax):
            yield found
            todo.extend(getattr(found, f.name) for f in reversed(fields(found)))


def children(node: Syntax) -> Iterator[Syntax]:
    """The pieces of syntax that a piece is made of."""
    todo: list[object] = [getattr(node, f.name) for f in reversed(fields(node))]
    while todo:
        found = todo.pop()
        if isinstance(found, tuple):
            todo.extend(reversed(found))
        elif isinstance(found, Syntax):
            yield found


def has_derivative(node: Syntax) -> bool:
    """Whether a derivative stands unexpanded in a formula."""
    return any(isinstance(part, Derivative) for part in walk(node))
