"""Every law, from its registry: its example, its value, that it comes to an end; and random expressions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import problem_of, value_of

from derive.errors import ShapeError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.expressions.order import same
from derive.numerics.fields import Floating
from derive.rules.driver import rules, simplify
from derive.sizes import ONE, SCALAR, Size

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


def sampled(before: Node, after: Node) -> tuple[np.ndarray, np.ndarray]:
    """Both values at the same points."""
    problem = problem_of(b.make("concat", (before, after), (0,)) if before.dims[1] == ONE else b.add(before, after))
    return value_of(before, Floating(), problem=problem), value_of(after, Floating(), problem=problem)


@pytest.mark.parametrize("name", LAWS)
def test_law_keeps_the_value(name: str) -> None:
    before, after = rules()[name].example()
    if any(part.op == "index" for part in _free(before)):
        pytest.skip("the example has a free index; the law is checked on the catalogue")
    left, right = sampled(before, after)
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


def _free(node: Node) -> list[Node]:
    from derive.expressions.node import free_indices

    return [b.index(name, None) for name in free_indices(node)]


@pytest.mark.parametrize("name", LAWS)
def test_law_has_a_docstring_that_is_the_law(name: str) -> None:
    assert rules()[name].law


A, B = b.symbol("A", (N, M)), b.symbol("B", (N, M))
x, y, z = b.symbol("x", (N, ONE)), b.symbol("y", (N, ONE), ("one-hot",)), b.symbol("z", (M, ONE))
s, t = b.symbol("s", SCALAR), b.symbol("t", SCALAR)
p = b.apply("softmax", x)

UNCHANGED = [
    (b.product(s, b.subtract(b.number(1), s)), "s(1 - s) stays a product"),
    (b.inner(x, b.power(p, -1)), "x and the softmax of x do not cancel"),
    (b.total(b.product(A, z)), "a product of a matrix and a vector has no known total"),
    (b.subtract(b.number(2), b.apply("sigmoid", b.negate(s))), "2 - sigma(-s) is no sigma(s)"),
    (b.subtract(b.number(1), b.apply("sigmoid", s)), "1 - sigma(s) stays as a textbook has it"),
    (b.add(b.product(A, z), x), "terms without a common factor"),
    (b.hadamard(x, b.apply("exp", x)), "an elementwise product without a quotient"),
    (b.product(b.power(b.total(b.apply("exp", A)), -1), b.apply("exp", A)), "a matrix has a softmax by rows"),
    (b.power(b.add(s, t), 2), "a square that is not shorter when multiplied out"),
]  # fmt: skip


@pytest.mark.parametrize("node", [n for n, _ in UNCHANGED], ids=[why for _, why in UNCHANGED])
def test_must_not_change(node: Node) -> None:
    assert simplify(node) is node


def matrices(dims: tuple[Size, Size]) -> st.SearchStrategy[Node]:
    """Random well-shaped expressions of given dimensions."""
    names = {(N, M): [A, B], (N, ONE): [x, y, p], (M, ONE): [z, b.apply("sigmoid", z)], SCALAR: [s, t, b.number(2)]}
    leaf = st.sampled_from(names.get(dims, [b.ones(dims)]))

    def wider(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        two = st.tuples(inner, inner)
        return st.one_of(
            two.map(lambda v: b.add(*v)),
            two.map(lambda v: b.subtract(*v)),
            two.map(lambda v: b.hadamard(*v)),
            inner.map(lambda v: b.apply("sigmoid", v)),
            inner.map(lambda v: b.apply("tanh", v)),
            inner.map(b.negate),
            st.tuples(leaf, st.sampled_from([s, t, b.apply("sigmoid", b.negate(s))])).map(
                lambda v: b.product(v[1], v[0])
            ),
        )

    return st.recursive(leaf, wider, max_leaves=6)


@given(st.one_of(matrices((N, ONE)), matrices(SCALAR), matrices((N, M))), st.booleans())
@settings(max_examples=150, deadline=None)
def test_simplify_keeps_value_and_shape_and_ends(node: Node, inner: bool) -> None:
    if inner and node.dims == (N, ONE):
        node = b.product(b.transpose(x), node)
    out = simplify(node)
    assert out.dims == node.dims
    assert simplify(out) is out
    problem = problem_of(b.total(b.add(b.total(node), b.total(out), s, t)))
    left, right = (value_of(v, Floating(), problem=problem) for v in (node, out))
    np.testing.assert_allclose(left, right, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("operation", [b.add, b.hadamard])
def test_constructors_refuse_what_does_not_fit(operation: object) -> None:
    with pytest.raises(ShapeError, match="a column of length n and a column of length m"):
        operation(x, z)  # type: ignore[operator]


def test_product_names_the_sizes_that_differ() -> None:
    with pytest.raises(ShapeError, match="the inner sizes m and n differ"):
        b.product(A, x)
