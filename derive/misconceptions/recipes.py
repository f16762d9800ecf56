"""How parts go together as their dimensions ask for: found by the reader once, for stand-ins of these dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from derive.errors import AnswerError, ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.grading.memory import Memory
from derive.misconceptions.seen import MisfitError, Seen, UnsureError
from derive.numerics.world import World
from derive.operations.registry import record
from derive.reading.juxtapose import product
from derive.reading.open_sizes import put_size
from derive.reading.reader import Reader
from derive.sizes import Dims, Size


class Recipe(NamedTuple):
    """An expression of stand-ins; None where parts of these dimensions do not go together."""

    node: Node | None
    parts: tuple[Node, ...]


_KNOWN: Memory[Recipe] = Memory(20_000)


def combined(reader: Reader, world: World, kind: str, signs: tuple[str, ...], parts: Sequence[Seen]) -> Seen:
    """Parts put together: a `product` of factors, a `sum` of two terms or a `frac`tion."""
    if len(parts) == 1:
        return parts[0]
    given = tuple([part.dims if part.value is not None else part.node for part in parts])
    node, stand_ins = _recipe(reader, kind, signs, given)
    if node is None:
        raise MisfitError
    if node.is_open:
        raise UnsureError
    values = {one: part.value for one, part in zip(stand_ins, parts, strict=True) if part.value is not None}
    numeric, bound = all(part.numeric for part in parts), any(part.bound for part in parts)
    return Seen(node.dims, _worth(node, values, world), numeric, bound)


def _recipe(reader: Reader, kind: str, signs: tuple[str, ...], given: tuple[Dims | Node | None, ...]) -> Recipe:
    key = (kind, signs, given, reader.policy)
    known = _KNOWN.get(key)
    if known is None:
        known = _KNOWN[key] = _made(reader, kind, signs, given)
    return known


def _made(reader: Reader, kind: str, signs: tuple[str, ...], given: tuple[Dims | Node | None, ...]) -> Recipe:
    if None in given:
        raise UnsureError
    parts = [_opened(k, each) if isinstance(each, Node) else b.symbol(f"#{k}", each) for k, each in enumerate(given)]  # type: ignore[arg-type]
    try:
        if kind == "product":
            out = product(reader, [(sign, part, (0, 0)) for sign, part in zip(signs, parts, strict=True)])
        elif kind == "frac":
            out = reader.quotient(parts[0], parts[1], (0, 0))
        else:
            out = reader.plus(parts[0], parts[1] if signs[1] == "+" else b.negate(parts[1]), (0, 0))
    except (AnswerError, ShapeError):
        return Recipe(None, ())
    return Recipe(out, tuple(parts))


def _opened(k: int, node: Node) -> Node:
    """An expression whose size is open, with a name for that size that no other part has."""
    for name in {name for part in walk(node) for size in part.dims if size.is_open for name in size.names}:
        node = put_size(node, name, Size.of(f"?{name}{k}"))
    return node


def _worth(node: Node, values: Mapping[Node, Any], world: World) -> Any:
    found = values.get(node)
    if found is not None:
        return found
    entry = record(node.op)
    if entry.evaluate is None:
        return world.value(node)  # a number, or ones that repeat a part
    return entry.evaluate(world.f, node.data, *[_worth(o, values, world) for o in node.operands])
