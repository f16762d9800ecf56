"""What parts of a formula are worth at the sample points, or why that cannot be told."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.expressions.node import Node
from derive.sizes import Dims

NUMERIC = frozenset(("number", "size"))


class MisfitError(Exception):
    """A formula whose shapes do not fit, or which has no value."""


class UnsureError(Exception):
    """A formula that has to be read for its value to be known."""


class Seen:
    """What a part is worth: its dimensions and its values; the expression, where it has been read.

    `numeric` says that it is made of numbers and sizes, `bound` that it depends on an index that a sum around it
    binds.  A vector of ones whose length its neighbours have to fix has an expression and no values.
    """

    __slots__ = ("bound", "dims", "node", "numeric", "value")

    def __init__(self, dims: Dims, value: Any, numeric: bool, bound: bool, node: Node | None = None) -> None:
        self.dims, self.value, self.numeric, self.bound, self.node = dims, value, numeric, bound, node

    def values(self) -> Any:
        """The values: an array whose last two axes are rows and columns."""
        if self.value is None:
            raise UnsureError
        return self.value

    def turned(self) -> Seen:
        """The transpose."""
        return Seen(self.dims[::-1], np.swapaxes(self.values(), -1, -2), self.numeric, self.bound)

    def negative(self) -> Seen:
        """Minus the same."""
        return Seen(self.dims, -self.values(), self.numeric, self.bound)


Known = Seen | MisfitError | UnsureError
# Kept, and so never raised themselves: with a traceback they would keep all that is around it.
MISFIT, UNSURE = MisfitError(), UnsureError()


def kept(problem: Exception) -> Known:
    """A problem as it is kept."""
    return UNSURE if isinstance(problem, UnsureError) else MISFIT


def seen(known: Known) -> Seen:
    """What a part is worth; its problem is raised."""
    if isinstance(known, Seen):
        return known
    raise type(known)


def is_number(node: Node) -> bool:
    """Whether an expression is made of numbers and sizes only."""
    return node.op in NUMERIC or (node.op in ("power", "product", "add") and all(is_number(o) for o in node.operands))
