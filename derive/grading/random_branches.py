"""Modular fields in which the signs that choose branches are random: what holds there holds on every branch.

`Multilinear` lets an indicator be any number, not only 0 or 1: an identity between expressions that are linear in
each indicator holds on all branches if it holds there, however narrow a branch is.  In `Coins` an indicator is a
random 0 or 1, so that 1[z > 0]² = 1[z > 0]; there a branch on which k indicators meet is seen once in 2ᵏ points.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.numerics.fields import Modular
from derive.numerics.randomness import CERTAIN, PRIME


class Coins(Modular):
    """Indicators are 0 or 1 at random, with the true value for whole numbers of at most 40 in size."""

    def _drawn(self, size: Any) -> Any:
        return self._atom("sign", size) & np.uint64(1)

    def positive(self, x: Any) -> Any:
        mirrored = x > PRIME // 2
        size = np.where(mirrored, self.neg(x), x)
        plus = np.where(size <= CERTAIN, np.uint64(1), self._drawn(size))
        other = (np.uint64(1) + self.neg(plus)) % PRIME
        return np.where(x == 0, np.uint64(0), np.where(mirrored, other, plus))


class Multilinear(Coins):
    """Indicators are random numbers."""

    def _drawn(self, size: Any) -> Any:
        return self._atom("sign", size)
