"""The fields over which expressions are evaluated.

A value is an array of shape (…, rows, columns); the leading axes hold sample points and bound indices and
broadcast.  Every field has the same few primitives, so an operation's meaning is written once:

- `Floating`: float64, or float32;
- `Modular`: integers modulo the prime 2³² − 5, where exp, log and the like take random values: an identity
  that holds there holds exactly, up to a chance of about 2⁻³² a point;
- `Precise`: 50 decimal digits and more, by mpmath;
- `Dual`: forward-mode differentiation over any of the three.
"""

from __future__ import annotations

from derive.numerics.fields.base import Field, Value
from derive.numerics.fields.dual import Dual, Pair
from derive.numerics.fields.floating import Floating
from derive.numerics.fields.modular import Modular
from derive.numerics.fields.precise import Precise
from derive.numerics.randomness import PRIME

__all__ = ["PRIME", "Dual", "Field", "Floating", "Modular", "Pair", "Precise", "Value"]
