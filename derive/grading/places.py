"""Where answers are evaluated: a field at sample points, with what is kept there for all answers to a question."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.expressions.node import Node
from derive.grading.limits import CLEARLY, NEGLIGIBLE
from derive.numerics.fields import Field, Floating, Modular
from derive.numerics.sampling import Sample
from derive.numerics.world import World


class Place:
    """A field at sample points, the true values there, and the world in which answers are evaluated."""

    __slots__ = ("_margin", "_text", "drawn", "field", "shown", "true", "unsure", "world")

    def __init__(self, field: Field, drawn: Sample) -> None:
        self.field, self.drawn = field, drawn
        self.world: World | None = None
        self.true: Any = None
        self.unsure = False
        self.shown: tuple[dict[Node, Any], dict[str, Any], Any] | None = None
        self._margin: Any = None
        self._text: bytes | None = None

    def settle(self, true: Any) -> None:
        """Set the true values; whether the field has noticed that its digits were too few is kept with them."""
        self.true, self.unsure = true, self.field.saturated
        if isinstance(self.field, Modular):
            self._text = true.tobytes()
        elif isinstance(self.field, Floating) and np.isfinite(true).all():
            self._margin = np.maximum(CLEARLY * np.abs(true), NEGLIGIBLE)

    def agrees(self, given: Any) -> bool:
        """Whether values have the shape of the true ones and are equal to them, in floating point but for rounding.

        Where this is false they may still be: at points where there is no true value, or by broadcasting.
        """
        if given.shape != self.true.shape:
            return False
        if self._text is not None:
            return bool(given.tobytes() == self._text)
        if self._margin is None:
            return False
        return bool(np.count_nonzero(np.abs(given - self.true) <= self._margin) == given.size)

    def forget(self) -> None:
        """Let go of the world and of all that was evaluated in it."""
        self.world = None

    @property
    def entries(self) -> int:
        """The number of entries of all that was evaluated here."""
        return self.world.entries if self.world is not None else 0
