"""Equality up to the order of terms and commuting factors and the names of bound indices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from derive.expressions.build import index, make, substitute, transpose
from derive.expressions.node import Node, landings, walk
from derive.sizes import SCALAR


class Key:
    """What is hashed once, and compared by identity before it is compared by content."""

    __slots__ = ("content", "hash")

    def __init__(self, content: Hashable) -> None:
        self.content, self.hash = content, hash(content)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Key) and self.hash == other.hash and self.content == other.content


_KEYS: dict[Node, Key] = {}
_DEPTHS: dict[Node, int] = {}


def order_free(node: Node) -> Key:
    """A key that equal expressions share when they differ only in order or in the names of bound indices."""
    known = _KEYS.get(node)
    if known is not None:
        return known
    if len(_KEYS) > 50_000:
        _KEYS.clear()
        _DEPTHS.clear()
    for part in landings(node, _KEYS):
        _remembered(part)
    return _remembered(node)


def _remembered(node: Node) -> Key:
    if node not in _KEYS:
        _KEYS[node] = Key(_key(node))
    return _KEYS[node]


def _key(node: Node) -> Hashable:
    if node.op == "sum":
        plain = f"#{_depth(node)}"
        parts = [substitute(o, {index(str(node.data[0]), None): index(plain, None)}) for o in node.operands]
        return node.op, tuple(_remembered(p) for p in parts), node.data[1]
    keys = [_remembered(o) for o in node.operands]
    if node.op in ("add", "hadamard", "index_equal", "maximum", "minimum"):
        return node.op, frozenset(Counter(keys).items())
    if node.op == "product":
        scalars = [p for p, o in zip(keys, node.operands, strict=True) if o.dims == SCALAR]
        chain = tuple(p for p, o in zip(keys, node.operands, strict=True) if o.dims != SCALAR)
        if chain and node.dims == SCALAR:
            inner = _inner([o for o in node.operands if o.dims != SCALAR], chain)
            return (node.op, frozenset(Counter([*scalars, Key(inner)]).items()), ()) if scalars else inner
        return node.op, frozenset(Counter(scalars).items()), chain
    return node.op, node.data, tuple(keys), node.dims


def _inner(factors: list[Node], chain: tuple[Key, ...]) -> Hashable:
    """A key of an inner product; x^T (y ∘ z) is the sum over the entries of x ∘ y ∘ z, whichever stands apart."""
    if len(factors) == 2 and factors[0].dims[0] == factors[1].dims[1] == SCALAR[0]:
        sides = [transpose(factors[0]), factors[1]]
        entries = [f for side in sides for f in (side.operands if side.op == "hadamard" else (side,))]
        return "inner", frozenset(Counter(map(_remembered, entries)).items())
    return "inner", frozenset((chain, tuple(_remembered(transpose(f)) for f in reversed(factors))))


def _depth(node: Node) -> int:
    """How many sums are nested in an expression."""
    if node not in _DEPTHS:
        _DEPTHS[node] = max((_depth(o) for o in node.operands), default=0) + (node.op == "sum")
    return _DEPTHS[node]


def same(a: Node, c: Node) -> bool:
    """Equality up to order and the names of bound indices."""
    return a is c or order_free(a) == order_free(c)


def renamed(node: Node, name: str) -> Node:
    """A sum with its index called by another name."""
    found = {part for o in node.operands for part in walk(o) if part.op == "index" and part.data[0] == node.data[0]}
    mapping = dict.fromkeys(found, index(name, None))
    parts = tuple(substitute(o, mapping) if mapping else o for o in node.operands)
    return make("sum", parts, (name, *node.data[1:]))
