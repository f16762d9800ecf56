"""What is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from derive.expressions.node import Node
from derive.problem.problem import Problem, Target
from derive.sizes import SCALAR, Dims

if TYPE_CHECKING:
    from derive.grading.kept import Kept


class Asked(NamedTuple):
    """What is asked: the derivative of `of` with respect to `target`, in a layout.

    `kept` is what an earlier run has kept of this question, if any.
    """

    problem: Problem
    of: Node
    target: Target
    layout: str = "shape"
    closed: Callable[[], Node | None] = lambda: None
    policy: str = "usual"
    preamble: str = ""
    kept: Kept | None = None

    @property
    def dims(self) -> Dims:
        """The dimensions of a right answer."""
        if self.of.dims == SCALAR:
            rows, columns = self.target.access.dims
        else:
            one, other = self.of.dims, self.target.access.dims
            rows, columns = one[0] * one[1], other[0] * other[1]
        return (columns, rows) if self.layout == "numerator" else (rows, columns)

    def __hash__(self) -> int:
        return hash((id(self.problem), self.of, self.target.access, self.layout))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Asked):
            return NotImplemented
        mine = (self.of, self.target.access, self.layout)
        return self.problem is other.problem and mine == (other.of, other.target.access, other.layout)
