"""The two kinds of error that people see, and nothing else.

An `AuthorError` is about a problem file and names the file, the key and the place; an `AnswerError`
is about a student's answer and is shown as it stands.  Anything else that is raised is our bug.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

Span = tuple[int, int]


class DeriveError(Exception):
    """Base of every error that is meant for a person."""


@dataclass(eq=False)
class AuthorError(DeriveError):
    """A problem that cannot be used: `where` is the file and key, `place` the text with a mark."""

    message: str
    where: str = ""
    place: str = ""

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n{self.place}" if self.place else head

    def at(self, where: str) -> AuthorError:
        """The same error, found inside `where`."""
        return replace(self, where=f"{where}: {self.where}" if self.where else where)


@dataclass(eq=False)
class AnswerError(DeriveError):
    """Text that is not understood: `code` is stable, `span` is the part of the text it is about."""

    code: str
    message: str
    span: Span | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class ShapeError(DeriveError):
    """Operands that do not fit; the reader turns it into an `AnswerError` with a place."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class EvaluationError(DeriveError):
    """A value that cannot be computed within the bounds (size, index out of range, no rule)."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class NoRuleError(DeriveError):
    """An operation that cannot be differentiated, with the reason."""

    operation: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operation} cannot be differentiated: {self.reason}"


def mark(text: str, span: Span | None, width: int = 72) -> str:
    """The line of `text` around `span` with a row of carets under the part that is meant.

    >>> print(mark("W x^T", (2, 5)))
    W x^T
      ^^^
    """
    if span is None:
        return ""
    start, end = span
    left = max(0, min(start - width // 3, len(text) - width))
    line = "".join(c if c.isprintable() else " " for c in text[left : left + width])
    carets = "^" * max(1, min(end, left + width) - start)
    return f"{line}\n{' ' * (start - left)}{carets}"
