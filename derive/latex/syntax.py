"""The syntax tree of a formula: what was written, with places, and no mathematics.

What a juxtaposition or a bracket means is decided later, by the shapes of the declared symbols.
No piece is changed once it is made; `dataclasses.replace` makes a new one.  (They are not declared as frozen, and
share their comparisons, since that is several times as quick to import and to create.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from derive.errors import AnswerError, Span
from derive.latex.tokens import Token


class _Piece:
    """What is the same for all pieces: equal, hashed and shown by their fields."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def _values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self.__match_args__])

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{self.__class__.__name__}({shown})"


@dataclass(slots=True, eq=False, repr=False)
class Syntax(_Piece):
    """Base of all syntax; `span` is the place in the text."""

    span: Span
    holding: ClassVar[tuple[str, ...]] = ()  # the fields that hold syntax, the last one first

    def __init_subclass__(cls) -> None:
        cls.holding = tuple(name for name, kind in reversed(cls.__annotations__.items()) if "Syntax" in kind)


@dataclass(slots=True, eq=False, repr=False)
class Num(Syntax):
    """A number, as it is written."""

    value: Fraction


@dataclass(slots=True, eq=False, repr=False)
class One(Syntax):
    """A bold or blackboard 1: a vector of ones, or an indicator."""


@dataclass(slots=True, eq=False, repr=False)
class Name(Syntax):
    """A letter, a command, an accented letter (`\\hat{y}`) or a word."""

    base: str


@dataclass(slots=True, eq=False, repr=False)
class Words(Syntax):
    """Words that are no formula."""

    text: str


@dataclass(slots=True, eq=False, repr=False)
class Script(_Piece):
    """One sub- or superscript, as tokens."""

    tokens: tuple[Token, ...]
    span: Span

    @property
    def text(self) -> str:
        return " ".join(t.text for t in self.tokens)


@dataclass(slots=True, eq=False, repr=False)
class Scripted(Syntax):
    """Something with scripts, in the order in which they were written."""

    body: Syntax
    subs: tuple[Script, ...]
    sups: tuple[Script, ...]
    primes: int


@dataclass(slots=True, eq=False, repr=False)
class Group(Syntax):
    """A bracket: its parts between commas, or the error that kept it from being read."""

    opening: str
    tokens: tuple[Token, ...]
    parts: tuple[Syntax, ...]
    error: AnswerError | None = None


@dataclass(slots=True, eq=False, repr=False)
class Sum(Syntax):
    """Terms with their signs."""

    terms: tuple[tuple[int, Syntax], ...]


@dataclass(slots=True, eq=False, repr=False)
class Product(Syntax):
    """Factors with the sign before each ("" for juxtaposition; the first has "")."""

    factors: tuple[tuple[str, Syntax], ...]


@dataclass(slots=True, eq=False, repr=False)
class Frac(Syntax):
    """A fraction."""

    above: Syntax
    below: Syntax


@dataclass(slots=True, eq=False, repr=False)
class Root(Syntax):
    """A root; `degree` is None for a square root."""

    body: Syntax
    degree: Syntax | None


@dataclass(slots=True, eq=False, repr=False)
class BigOperator(Syntax):
    """A sum or product sign with its limits and the product that it takes."""

    sign: str
    lower: tuple[Syntax, ...]
    upper: Syntax | None
    body: Syntax


@dataclass(slots=True, eq=False, repr=False)
class Cases(Syntax):
    """Branches with their conditions (empty: otherwise)."""

    branches: tuple[tuple[Syntax, tuple[Syntax, ...]], ...]


@dataclass(slots=True, eq=False, repr=False)
class MatrixLiteral(Syntax):
    """A matrix written out, row by row."""

    rows: tuple[tuple[Syntax, ...], ...]


@dataclass(slots=True, eq=False, repr=False)
class Bars(Syntax):
    """|x| or ‖x‖."""

    sign: str
    body: Syntax


@dataclass(slots=True, eq=False, repr=False)
class Relation(Syntax):
    """a = b, a < b ≤ c, w ∈ V."""

    signs: tuple[str, ...]
    sides: tuple[Syntax, ...]


@dataclass(slots=True, eq=False, repr=False)
class Derivative(Syntax):
    """∂of/∂wrt; `of` is None for a bare operator that has nothing to act on; `tokens` is it as a name."""

    of: Syntax | None
    wrt: Syntax
    operator: bool
    tokens: tuple[Token, ...] = ()


@dataclass(slots=True, eq=False, repr=False)
class At(Syntax):
    """Something evaluated where `condition` holds: `\\left. f \\right|_{x = a}`."""

    body: Syntax
    condition: Syntax


@dataclass(slots=True, eq=False, repr=False)
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
        if found.__class__ is tuple:
            todo.extend(reversed(found))
        elif isinstance(found, Syntax):
            yield found
            for name in found.holding:
                todo.append(getattr(found, name))


def children(node: Syntax) -> Iterator[Syntax]:
    """The pieces of syntax that a piece is made of."""
    todo: list[object] = [getattr(node, name) for name in node.holding]
    while todo:
        found = todo.pop()
        if found.__class__ is tuple:
            todo.extend(reversed(found))
        elif isinstance(found, Syntax):
            yield found


def has_derivative(node: Syntax) -> bool:
    """Whether a derivative stands unexpanded in a formula."""
    return any(isinstance(part, Derivative) for part in walk(node))
