"""Symbols for the examples of the laws."""

from __future__ import annotations

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.sizes import ONE, SCALAR, Range, Size

N, M = Size.of("n"), Size.of("m")


def column(name: str) -> Node:
    """A column of length n."""
    return b.symbol(name, (N, ONE))


def matrix(name: str) -> Node:
    """An n × m matrix."""
    return b.symbol(name, (N, M))


def number(name: str) -> Node:
    """A number."""
    return b.symbol(name, SCALAR)


def index_k() -> Node:
    """An index without a range."""
    return b.index("k", None)


def index_q() -> Node:
    """A fixed index of 1..n."""
    return b.index("q", Range(ONE, N))


def entry_of_x() -> Node:
    """x_k."""
    return b.entry(column("x"), index_k(), b.number(1))


def weight() -> Node:
    """p_k of a vector of length K."""
    return b.entry(b.symbol("p", (Size.of("K"), ONE)), index_k(), b.number(1))


def vectors() -> Node:
    """A family of vectors a_1 … a_K."""
    return b.family("a_k", (N, ONE), Range(ONE, Size.of("K")), (), "k")
