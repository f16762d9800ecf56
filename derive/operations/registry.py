"""The registry: one record per operation, and the functions that look records up.

A record says everything that the program knows about an operation: its shape rule, its meaning over
any field (`evaluate`), its vector-Jacobian product, how it is printed and lowered, and an example from
which its tests are made.  Adding an operation means adding a record in one file of this folder.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Hashable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from derive.errors import ShapeError
from derive.sizes import Dims, describe

if TYPE_CHECKING:
    from derive.expressions.node import Node

ShapeRule = Callable[..., Dims]
Evaluate = Callable[..., Any]
VectorJacobianProduct = Callable[..., tuple["Node | None", ...]]


class Operation(NamedTuple):
    """What is known of one operation.

    `dims(data, *operand_dims)` gives the dimensions and raises `ShapeError`.
    `evaluate(f, data, *values)` is the meaning over a field `f` (see `derive.numerics.fields`);
    leaves and what binds or uses an index have `within(world, node)` instead.
    `vjp(g, out, *operands)` gives the cotangent of each operand, or None where there is none.
    `entry(w, node, i, j)` writes entry (i, j) with explicit sums (see `derive.indexform`); what acts entry by
    entry needs none.
    `words` say what a step backwards does, `role` in two or three of them what a node of a graph does to gradients.
    `by_name` says that formulas may apply it as `\\operatorname{name}(x)`.
    `latex(printer, node)` and `numpy(printer, node)` print; `level` is the binding strength.
    """

    name: str
    meaning: str
    dims: ShapeRule
    evaluate: Evaluate | None = None
    within: Evaluate | None = None
    vjp: VectorJacobianProduct | None = None
    entry: Callable[..., Node] | None = None
    latex: Callable[[Any, Node], str] | None = None
    numpy: Callable[[Any, Node], str] | None = None
    level: int = 100
    words: str = ""
    role: str = ""
    elementwise: bool = False
    kink: str = ""
    needs_data: bool = False
    by_name: bool = False
    refuses: str = ""
    example: Callable[[], Node] | None = None


_RECORDS: dict[str, Operation] = {}


def define(name: str, meaning: str, **fields: Any) -> Operation:
    """Register the record of an operation."""
    if name in _RECORDS:
        raise ValueError(f"the operation {name} is defined twice")
    _RECORDS[name] = Operation(name, meaning, **fields)
    return _RECORDS[name]


def record(name: str) -> Operation:
    """The record of an operation."""
    if name not in _RECORDS:
        _load()
    return _RECORDS[name]


def known(name: str) -> Operation | None:
    """The record of an operation, None where there is none of that name."""
    if name not in _RECORDS:
        _load()
    return _RECORDS.get(name)


def records() -> dict[str, Operation]:
    """All records by name."""
    _load()
    return dict(_RECORDS)


@cache
def _load() -> None:
    package = importlib.import_module("derive.operations")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"derive.operations.{module.name}")


def same_dims(data: tuple[Hashable, ...], first: Dims, *rest: Dims) -> Dims:
    """The shape rule of what acts entry by entry."""
    if any(dims != first for dims in rest):
        raise ShapeError(f"{', '.join(describe(dims) for dims in (first, *rest))}: entry by entry these do not fit")
    return first
