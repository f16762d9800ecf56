"""Every law, from its registry, in many contexts; random expressions: value, shape, a settled form, any presentation."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import problem_of, value_of

from derive.errors import ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node, free_indices
from derive.expressions.order import same
from derive.numerics.fields import Floating
from derive.printing.latex import latex
from derive.rules import driver
from derive.rules.driver import rules, simplify
from derive.sizes import ONE, SCALAR, Dims, Range, Size

N, M = Size.of("n"), Size.of("m")
LAWS = sorted(rules())


@pytest.mark.parametrize("name", LAWS)
def test_example(name: str) -> None:
    law = rules()[name]
    before, after = law.example()
    found = law.rewrite(before)
    assert found is not None, "the law does not apply to its own example"
    assert same(found, after) or same(simplify(found), simplify(after))
    assert found.dims == before.dims, "a law keeps the shape"


@pytest.mark.parametrize("name", LAWS)
def test_law_has_a_docstring_that_is_the_law(name: str) -> None:
    assert rules()[name].law


A, B = b.symbol("A", (N, M)), b.symbol("B", (N, M))
x, y, z = b.symbol("x", (N, ONE)), b.symbol("y", (N, ONE), ("one-hot",)), b.symbol("z", (M, ONE))
s, t = b.symbol("s", SCALAR), b.symbol("t", SCALAR)
p = b.apply("softmax", x)
C, S = b.symbol("C", (N, N)), b.symbol("S", (N, N), ("symmetric",))

UNCHANGED = [
    (b.product(s, b.subtract(b.number(1), s)), "s(1 - s) stays a product"),
    (b.inner(x, b.power(p, -1)), "x and the softmax of x do not cancel"),
    (b.total(b.product(A, z)), "a product of a matrix and a vector has no known total"),
    (b.subtract(b.number(2), b.apply("sigmoid", b.negate(s))), "2 - sigma(-s) is no sigma(s)"),
    (b.subtract(b.number(1), b.apply("sigmoid", s)), "1 - sigma(s) stays as a textbook has it"),
    (b.add(b.product(A, z), x), "terms without a common factor"),
    (b.hadamard(x, b.apply("exp", x)), "an elementwise product without a quotient"),
    (b.product(b.power(b.total(b.apply("exp", A)), -1), b.apply("exp", A)), "a matrix has a softmax by rows"),
    (b.apply("positive", b.product(s, t)), "a factor whose sign is not known"),
    (b.add(b.product(b.apply("positive", s), t), b.subtract(b.number(1), b.apply("positive", t))), "two conditions"),
    (b.apply("positive", b.add(b.number(1), b.make("maximum", (s, t)))), "neither side of max is fixed"),
    (b.transpose(b.make("inverse", (C,))), "the inverse of a matrix that is not symmetric"),
    (b.product(b.make("inverse", (b.product(C, S),)), S), "(C S)^-1 S: the wrong end for cancelling"),
    (b.product(C, b.make("inverse", (b.product(C, S),))), "C (C S)^-1: the wrong end for cancelling"),
    (b.power(x, 2), "x^2 of a vector that is not binary"),
    (b.power(b.apply("abs", s), 3), "an odd power of |s|"),
    (b.product(b.apply("abs", s), b.apply("sign", t)), "|s| sign(t)"),
    (b.add(b.product(C, x), b.product(b.transpose(C), y), x), "C x + C^T y of two vectors"),
    (b.power(b.add(s, t), 2), "a square that is not shorter when multiplied out"),
]  # fmt: skip


@pytest.mark.parametrize("node", [n for n, _ in UNCHANGED], ids=[why for _, why in UNCHANGED])
def test_must_not_change(node: Node) -> None:
    assert simplify(node) is node


FIRED: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def counted() -> Iterator[None]:
    """Counts how often each law fires in the tests of this module."""
    plain, driver._once = driver._once, _counting
    driver._DONE.clear()
    yield
    driver._once = plain


def _counting(node: Node) -> Node | None:
    for one in driver._HEADS.get(node.op, ()):
        changed = one.rewrite(node)
        if changed is not None and changed != node:
            FIRED[one.name] += 1
            return changed
    return None


def beside(node: Node, name: str) -> Node:
    """A symbol of the same shape."""
    return b.symbol(f"?{name}", node.dims)


def contexts(node: Node) -> list[Node]:
    """An expression as a part of others: a term, a factor, an argument, a side of a product."""
    other, s, t = beside(node, "a"), b.symbol("?s", SCALAR), b.symbol("?t", SCALAR)
    left, right = b.symbol("?u", (ONE, node.dims[0])), b.symbol("?v", (node.dims[1], ONE))
    return [
        node,
        b.add(other, b.scale(-2, node)),
        b.hadamard(node, other),
        b.product(b.add(s, t), node),
        b.add(b.product(s, node), b.product(t, s, other)),
        b.transpose(node),
        b.apply("tanh", node),
        b.product(left, node, right),
        b.product(s, b.total(b.hadamard(node, node))),
    ]


def shuffled(node: Node, rng: random.Random) -> Node:
    """The same expression with the terms of sums, factors of elementwise and scalar products in another order."""
    parts = [shuffled(o, rng) for o in node.operands]
    if node.op in ("add", "hadamard"):
        rng.shuffle(parts)
    if node.op == "product":
        scalars, chain = [p for p in parts if p.dims == SCALAR], [p for p in parts if p.dims != SCALAR]
        rng.shuffle(scalars)
        parts = [*scalars, *chain]
    return b.rebuild(node, tuple(parts)) if parts else node


def ranged(node: Node) -> Node:
    """An expression in which every free index has a range, so that it has a value."""
    free = {b.index(name, None): b.index(name, Range(ONE, N)) for name in free_indices(node)}
    return b.substitute(node, free) if free else node


def agree(before: Node, after: Node) -> None:
    """Both have the same shape and the same value at random points."""
    assert before.dims == after.dims
    both = [ranged(b.total(node)) for node in (before, after)]
    problem = problem_of(b.add(*both, b.symbol("?one", SCALAR)))
    left, right = (value_of(node, Floating(), problem=problem) for node in both)
    np.testing.assert_allclose(left, right, rtol=1e-7, atol=1e-9)


def canonical(whole: Node, out: Node, rng: random.Random) -> None:
    """`out` is the form of `whole`: equal, settled, and found from any presentation."""
    assert simplify(out) is out
    agree(whole, out)
    again = simplify(shuffled(whole, rng))
    assert same(again, out), f"{latex(again)} | {latex(out)}"


@pytest.mark.parametrize("name", LAWS)
@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=4, derandomize=True)
def test_every_law_in_context(name: str, rng: random.Random) -> None:
    """Value and shape are kept, a second pass changes nothing, the order of presentation does not matter."""
    before, _ = rules()[name].example()
    driver._DONE.clear()
    fired = FIRED[name]
    for whole in contexts(before):
        out = simplify(whole)
        canonical(whole, out, rng)
    assert FIRED[name] > fired, "other laws leave nothing for this one"


m, c = b.symbol("m", (N, ONE), ("binary",)), b.symbol("c", SCALAR, ("positive",))
LEAVES = {(N, N): [C, S, b.eye(N)], (N, ONE): [x, y, m], SCALAR: [s, t, c, b.number(2)]}
FUNCTIONS = ["sigmoid", "tanh", "exp", "abs", "sign", "positive", "relu", "sin", "softplus"]


def expressions(dims: Dims, depth: int) -> st.SearchStrategy[Node]:
    """Random well-shaped expressions of given dimensions."""
    leaf = st.sampled_from(LEAVES[dims])
    if depth == 0:
        return leaf
    inner = st.deferred(lambda: expressions(dims, depth - 1))
    number = st.deferred(lambda: expressions(SCALAR, depth - 1))
    ways = [
        leaf,
        st.tuples(inner, inner).map(lambda v: b.add(*v)),
        st.tuples(inner, inner).map(lambda v: b.subtract(*v)),
        st.tuples(inner, inner).map(lambda v: b.hadamard(*v)),
        st.tuples(inner, st.sampled_from(FUNCTIONS)).map(lambda v: b.apply(v[1], v[0])),
        st.tuples(number, inner).map(lambda v: b.product(*v)),
        st.tuples(inner, st.sampled_from([Fraction(v) for v in (-2, -1, 2, 0.5)])).map(lambda v: b.scale(v[1], v[0])),
        st.tuples(inner, inner).map(lambda v: b.divide(v[0], b.add(b.number(1), b.apply("exp", v[1])))),
        inner.map(lambda v: b.power(v, 2)),
    ]
    if dims == SCALAR:
        column = st.deferred(lambda: expressions((N, ONE), depth - 1))
        ways += [st.tuples(column, column).map(lambda v: b.inner(*v)), column.map(b.total)]
        ways += [column.map(lambda v: b.make("norm", (b.add(v, b.ones(v.dims)),)))]
    elif dims == (N, ONE):
        square = st.deferred(lambda: expressions((N, N), depth - 1))
        ways += [st.tuples(square, inner).map(lambda v: b.product(*v)), inner.map(lambda v: b.apply("softmax", v))]
        ways += [st.tuples(inner, inner).map(lambda v: b.product(b.diag(v[0]), v[1]))]
    elif dims == (N, N):
        column = st.deferred(lambda: expressions((N, ONE), depth - 1))
        ways += [column.map(b.diag), st.tuples(column, column).map(lambda v: b.product(v[0], b.transpose(v[1])))]
        ways += [inner.map(b.transpose), st.tuples(inner, inner).map(lambda v: b.product(*v))]
    return st.one_of(ways)


@given(st.one_of([expressions(dims, 3) for dims in ((N, ONE), SCALAR, (N, N))]), st.randoms(use_true_random=False))
@settings(max_examples=300, derandomize=True)
def test_random_expressions(node: Node, rng: random.Random) -> None:
    canonical(node, simplify(node), rng)


@pytest.mark.parametrize("operation", [b.add, b.hadamard])
def test_constructors_refuse_what_does_not_fit(operation: object) -> None:
    with pytest.raises(ShapeError, match="a column of length n and a column of length m"):
        operation(x, z)  # type: ignore[operator]


def test_product_names_the_sizes_that_differ() -> None:
    with pytest.raises(ShapeError, match="the inner sizes m and n differ"):
        b.product(A, x)
