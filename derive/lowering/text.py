"""Pieces of Python source: texts that know how tightly they bind, numbers and strings."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

ADD, TERM, MATMUL, MUL, FACTOR, POW, ATOM = 10, 15, 19, 20, 21, 30, 100


class Code(str):
    """Source of an expression with the level of its outermost operator; plain strings are atoms."""

    __slots__ = ("level",)
    level: int

    def __new__(cls, text: str, level: int = ATOM) -> Code:
        self = super().__new__(cls, text)
        self.level = level
        return self


def bound(text: str, level: int) -> Code:
    """A piece of source for a place that binds at `level`: in parentheses where it needs them."""
    code = text if isinstance(text, Code) else Code(text)
    return code if code.level >= level else Code(f"({code})")


def number(value: Fraction | int) -> Code:
    """A number as Python writes it: an integer, an exact decimal or a quotient."""
    if value < 0:
        positive = number(-value)
        return Code(f"-{bound(positive, MUL)}", TERM)
    if value.denominator == 1:
        return Code(_integer(value.numerator))
    if value.denominator in (2, 4, 8, 16, 32) and value.numerator < 10**6:
        return Code(repr(float(value)))
    return Code(f"{_integer(value.numerator)} / {_integer(value.denominator)}", MUL)


def _integer(value: int) -> str:
    if value < 10**15:
        return str(value)
    return repr(float(value)) if value < 10**308 else "np.inf"


def string(text: str) -> str:
    """A string literal, raw where its backslashes allow that."""
    plain = all(" " <= c <= "~" for c in text) and '"' not in text and not text.endswith("\\")
    if plain and "\\" in text:
        return f'r"{text}"'
    return f'"{text}"' if plain else ascii(text)


def joined(terms: Sequence[str]) -> Code:
    """A sum of terms, each bound as a term; one that is added stands first."""
    texts = [str(bound(t, TERM)) for t in terms]
    first = next((t for t in texts if not t.startswith("-")), texts[0])
    at = texts.index(first)
    out = first
    for t in (*texts[:at], *texts[at + 1 :]):
        out += f" - {t[1:]}" if t.startswith("-") else f" + {t}"
    return Code(out, ADD if len(texts) > 1 else TERM if out.startswith("-") else MUL)


def quotient(negative: bool, above: Sequence[str], below: Sequence[str]) -> Code:
    """A product of factors over a product of factors."""
    if len(above) == 1 and not below:
        inside = bound(above[0], MUL if negative else 0)
        return Code(f"-{inside}", TERM) if negative else inside
    first, *rest = above or ["1"]
    text = " * ".join([bound(first, MUL if rest else MATMUL), *(bound(t, FACTOR) for t in rest)])
    if len(below) == 1:
        text += f" / {bound(below[0], FACTOR)}"
    elif below:
        text += f" / ({' * '.join([bound(below[0], MUL), *(bound(t, FACTOR) for t in below[1:])])})"
    return Code(f"-{text}", TERM) if negative else Code(text, MUL)
