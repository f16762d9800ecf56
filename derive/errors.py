"""The two kinds of error that people see, and nothing else.

An `AuthorError` is about a problem file and names the file, the key and the place; an `AnswerError`
is about a student's answer and is shown as it stands.  Anything else that is raised is our bug.
"""

from __future__ import annotations

Span = tuple[int, int]


class DeriveError(Exception):
    """Base of every error that is meant for a person."""


class AuthorError(DeriveError):
    """A problem that cannot be used: `where` is the file and key, `place` the text with a mark."""

    def __init__(self, message: str, where: str = "", place: str = "") -> None:
        super().__init__(message, where, place)
        self.message, self.where, self.place = message, where, place

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n{self.place}" if self.place else head

    def at(self, where: str) -> AuthorError:
        """The same error, found inside `where`."""
        return self.found(f"{where}: {self.where}" if self.where else where)

    def found(self, where: str) -> AuthorError:
        """The same error, said to be somewhere else."""
        return AuthorError(self.message, where, self.place)


class AnswerError(DeriveError):
    """Text that is not understood: `code` is stable, `span` is the part of the text it is about."""

    def __init__(self, code: str, message: str, span: Span | None = None) -> None:
        super().__init__(code, message, span)
        self.code, self.message, self.span = code, message, span

    def __str__(self) -> str:
        return self.message


class ShapeError(DeriveError):
    """Operands that do not fit; the reader turns it into an `AnswerError` with a place."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class EvaluationError(DeriveError):
    """A value that cannot be computed within the bounds (size, index out of range, no rule)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class NoRuleError(DeriveError):
    """An operation that cannot be differentiated, with the reason."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(operation, reason)
        self.operation, self.reason = operation, reason

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
