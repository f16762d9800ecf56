"""Sizes of vectors and matrices: polynomials with integer coefficients in size names.

`5 d` and `d + d + d + d + d` are the same size, `d` and `n` are different ones: sizes are compared as
polynomials, never by value.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from derive.errors import EvaluationError

Monomial = tuple[str, ...]
Terms = tuple[tuple[Monomial, int], ...]
OPEN = "?"


class Size:
    """A size such as `d`, `5 d` or `2 m + 1`: sorted pairs of a monomial and its coefficient.

    Equal sizes are the same object.  `is_open` says that a size is still to be chosen: that of a vector of ones
    before its neighbours have fixed it.
    """

    __slots__ = ("__weakref__", "is_open", "terms")

    terms: Terms
    is_open: bool
    _known: ClassVar[WeakValueDictionary[Terms, Size]] = WeakValueDictionary()
    _lock: ClassVar[Any] = allocate_lock()

    def __new__(cls, terms: Terms) -> Size:
        found = cls._known.get(terms)
        if found is None:
            with cls._lock:
                found = cls._known.get(terms)
                if found is None:
                    found = cls._known[terms] = object.__new__(cls)
                    found.terms = terms
                    found.is_open = (
                        len(terms) == len(terms[0][0]) == 1 and terms[0][0][0][0] == OPEN if terms else False
                    )
        return found

    def __reduce__(self) -> Any:
        return Size, (self.terms,)

    def __repr__(self) -> str:
        return f"Size({self})"

    @staticmethod
    def of(value: int | str | Size) -> Size:
        """The size that a number or a name stands for."""
        if isinstance(value, Size):
            return value
        if isinstance(value, str):
            return Size((((value,), 1),))
        return Size((((), value),)) if value else Size(())

    @property
    def number(self) -> int | None:
        """The value, if it is a plain number."""
        if not self.terms:
            return 0
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    @property
    def names(self) -> set[str]:
        """The size names that occur."""
        return {name for monomial, _ in self.terms for name in monomial}

    def __add__(self, other: Size | int) -> Size:
        return _collect([*self.terms, *Size.of(other).terms])

    def __sub__(self, other: Size | int) -> Size:
        return self + Size.of(other) * -1

    def __mul__(self, other: Size | int) -> Size:
        right = Size.of(other).terms
        return _collect((tuple(sorted(m + n)), a * b) for m, a in self.terms for n, b in right)

    def value(self, sizes: Mapping[str, int]) -> int:
        """The number that this size has when its names have the given values."""
        total = 0
        for monomial, coefficient in self.terms:
            for name in monomial:
                if name not in sizes:
                    raise EvaluationError(f"the size {name} has no value")
                coefficient *= sizes[name]
            total += coefficient
        return total

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        parts: list[str] = []
        for monomial, coefficient in sorted(self.terms, key=lambda t: (-len(t[0]), t)):
            body = " ".join(monomial)
            size = abs(coefficient)
            text = body if body and size == 1 else f"{size} {body}".strip()
            sign = ("-" if coefficient < 0 else "") if not parts else (" - " if coefficient < 0 else " + ")
            parts.append(sign + text)
        return "".join(parts)


def _collect(pairs: Iterable[tuple[Monomial, int]]) -> Size:
    found: dict[Monomial, int] = {}
    for monomial, coefficient in pairs:
        found[monomial] = found.get(monomial, 0) + coefficient
    return Size(tuple(sorted((m, c) for m, c in found.items() if c)))


ONE = Size.of(1)
Dims = tuple[Size, Size]
SCALAR: Dims = (ONE, ONE)


class Range:
    """The values lo..hi of an index, both included, without the excluded ones."""

    __slots__ = ("excluded", "hi", "lo")

    def __init__(self, lo: Size, hi: Size, excluded: tuple[Size, ...] = ()) -> None:
        self.lo, self.hi, self.excluded = lo, hi, excluded

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Range):
            return NotImplemented
        return (self.lo, self.hi, self.excluded) == (other.lo, other.hi, other.excluded)

    def __hash__(self) -> int:
        return hash((self.lo, self.hi, self.excluded))

    def __repr__(self) -> str:
        return f"Range({self})"

    def values(self, sizes: Mapping[str, int]) -> list[int]:
        """All values, when the size names have the given values."""
        left_out = {e.value(sizes) for e in self.excluded}
        span = range(self.lo.value(sizes), self.hi.value(sizes) + 1)
        if len(span) > 10_000:
            raise EvaluationError(f"a range of {len(span)} values is too long")
        return [v for v in span if v not in left_out]

    def covers(self, other: Range) -> bool:
        """Whether it holds every value of `other`, as far as that can be said for all sizes."""
        if self.excluded and set(self.excluded) - set(other.excluded):
            return False
        return self.lo == other.lo and self.hi == other.hi

    def __str__(self) -> str:
        tail = "".join(f", not {e}" for e in self.excluded)
        return f"{self.lo}..{self.hi}{tail}"


def describe(dims: Dims) -> str:
    """Dimensions in words: a number, a column in R^d, a row of length d, C x d.

    >>> describe((Size.of("d"), ONE))
    'a column of length d'
    """
    rows, columns = dims
    if dims == SCALAR:
        return "a number"
    if columns == ONE:
        return f"a column of length {rows}"
    if rows == ONE:
        return f"a row of length {columns}"
    article = "an" if str(rows)[0] in "aefhilmnorsxAEFHILMNORSX8" else "a"
    return f"{article} {rows} × {columns} matrix"
