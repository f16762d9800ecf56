"""Nodes and sizes: equal content is the same object, numbers are exact, and what is known of a node is right."""

from __future__ import annotations

import pickle
from fractions import Fraction
from threading import Thread

import pytest

from derive.expressions import build as b
from derive.expressions import node as nodes
from derive.expressions.node import Node, heads_of, walk
from derive.printing.latex import latex
from derive.sizes import ONE, SCALAR, Range, Size

N, X = Size.of("n"), b.symbol("x", (Size.of("n"), ONE))
S = b.symbol("s", SCALAR)


def test_equal_sizes_are_one_object() -> None:
    assert Size.of("n") is N
    assert N + N is N * 2 is Size(((("n",), 2),))
    assert N - N is Size.of(0)
    assert pickle.loads(pickle.dumps(N * N + 1)) is N * N + 1
    assert Range(ONE, N) == Range(ONE, N) != Range(ONE, N, (ONE,))
    assert len({Range(ONE, N), Range(ONE, N)}) == 1


@pytest.mark.parametrize(("size", "is_open"), [("?1", True), ("n", False), (1, False), (0, False)])
def test_which_sizes_are_open(size: str | int, is_open: bool) -> None:
    assert Size.of(size).is_open == is_open
    assert not (Size.of(size) + N).is_open  # only a size by itself can be chosen


NUMBERS = [
    ("whole", b.number(Fraction(4, 2)), 2),
    ("a power below", b.power(b.number(2), -3), Fraction(1, 8)),
    ("a power of a fraction", b.power(b.number(Fraction(2, 3)), -2), Fraction(9, 4)),
    ("a quotient", b.divide(b.number(1), b.number(3)), Fraction(1, 3)),
    ("a sum of fractions", b.add(b.number(Fraction(1, 2)), b.number(Fraction(3, 2))), 2),
    ("a large quotient", b.divide(b.number(10**40 + 1), b.number(7)), Fraction(10**40 + 1, 7)),
    ("a truth value", b.number(True), 1),
]


@pytest.mark.parametrize(("node", "value"), [row[1:] for row in NUMBERS], ids=[row[0] for row in NUMBERS])
def test_numbers_are_exact(node: Node, value: int | Fraction) -> None:
    (kept,) = node.data
    assert kept == value
    assert type(kept) is (int if Fraction(value).denominator == 1 else Fraction)


POWERS = [
    ("one base", (S, S), b.power(S, 2)),
    ("what cancels", (S, b.power(S, -1)), b.number(1)),
    ("roots stay apart", (b.power(S, Fraction(1, 2)), b.power(S, Fraction(1, 2))), None),
    ("nothing to join", (b.number(2), S, b.symbol("t", SCALAR), b.number(3)), None),
]


@pytest.mark.parametrize(("factors", "joined"), [row[1:] for row in POWERS], ids=[row[0] for row in POWERS])
def test_powers_of_one_base_are_joined(factors: tuple[Node, ...], joined: Node | None) -> None:
    product = b.product(*factors)
    assert product is joined if joined is not None else product.op == "product"


def _deep() -> Node:
    return b.sum_over(b.product(b.index("k", None), b.inner(X, b.apply("exp", X))), "k", Range(ONE, N))


def test_what_is_known_of_a_node() -> None:
    whole = _deep()
    assert all(whole.heads & heads_of(part.op) for part in walk(whole))
    assert not whole.heads & heads_of("log", "maximum")
    assert not whole.is_open
    open_size = Size.of("?1")
    inside = b.inner(b.ones((open_size, ONE)), b.apply("exp", b.zeros((open_size, ONE))))
    assert inside.dims == SCALAR
    assert inside.is_open


def test_old_nodes_stay_one_object_while_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "YOUNG", 8)
    kept = _deep()
    for k in range(40):
        b.power(S, k + 2)
    assert _deep() is kept
    assert len(nodes._INTERNED.young) <= 9


def test_memory_does_not_grow_with_the_number_of_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "YOUNG", 64)
    b.power(S, 5_000)
    before = len(nodes._INTERNED.old)
    for k in range(2_000):
        b.power(S, k + 10_000)
    assert len(nodes._INTERNED.old) <= before + 64


def test_threads_make_the_same_nodes() -> None:
    found: list[list[Node]] = []

    def make() -> None:
        found.append([b.power(b.symbol(f"thread_{k}", SCALAR), 2) for k in range(300)])

    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(a is c for row in found for a, c in zip(row, found[0], strict=True))


def test_a_text_that_is_kept_depends_on_nothing_but_the_node() -> None:
    """A sum whose letter stands free outside is printed with another one there, and with its own alone."""
    inside = b.sum_over(b.index("k", None), "k", Range(ONE, N))
    assert latex(inside) == r"\sum_{k=1}^{n} k"
    assert latex(b.product(b.index("k", None), inside)) == r"k \sum_{i=1}^{n} i"
    assert latex(inside) == r"\sum_{k=1}^{n} k"
