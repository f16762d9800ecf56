"""How an answer was found to stand to the derivative."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """`relation` is equal, different or unknown; `method` the rung that decided."""

    relation: str
    method: str
    message: str = ""
    counterexample: Mapping[str, Any] = MappingProxyType({})
