"""What the answers to one question share: values of parts, bounds on what is kept, and that sharing changes no verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from derive.expressions import build as b
from derive.grading import compare as ladder
from derive.grading.asking import ask
from derive.grading.compare import compare
from derive.grading.digits import Careful
from derive.grading.memory import Room
from derive.grading.outcome import Outcome
from derive.grading.reference import reference
from derive.numerics.fields import PRIME, Floating, Modular
from derive.numerics.world import World
from derive.problem.builder import problem_from
from derive.problem.problem import Problem
from derive.sizes import ONE, SCALAR, Range, Size

N, D = Size.of("n"), Size.of("d")


def regression() -> Problem:
    """Softmax regression, with a ReLU in front and a batch size that answers may use."""
    return problem_from(
        {
            "loss": r"J = -y^\top \log \hat{y}",
            "symbols": {"W": "C x d", "x": "d", "y": "C, one-hot", "b": "C"},
            "define": {"h": r"\operatorname{ReLU}(x)", "z": "W h + b", r"\hat{y}": r"\operatorname{softmax}(z)"},
        }
    )


ANSWERS = (
    r"(\hat{y} - y) h^\top",
    r"\hat{y} h^\top - y h^\top",
    r"(y - \hat{y}) h^\top",
    r"(\hat{y} - y) x^\top",
    r"\frac{C}{C} (\hat{y} - y) h^\top",
    r"\operatorname{diag}(\hat{y}) \mathbf{1} h^\top - y h^\top",
    r"(\hat{y} - y) \operatorname{ReLU}(x)^\top",
    r"(\hat{y} - \exp(\log y)) h^\top",
    r"2 (\hat{y} - y) h^\top",
    r"\left(\hat{y} - \frac{y \exp(90 + b^\top b)}{\exp(90 + b^\top b)}\right) h^\top",
    r"\left(\hat{y} - y + 10^{-60} \mathbf{1}\right) h^\top",
)


def judged(answers: tuple[str, ...], apart: bool) -> dict[str, Outcome]:
    """The outcome for each answer; `apart` from all others, or in this order with what the earlier ones have left."""
    problem = regression()
    asked, found = ask(problem, "W"), {}
    for text in answers:
        if apart:
            problem = regression()
            asked = ask(problem, "W")
        reader = problem.reader()
        node = reader.read(text)
        found[text] = compare(asked, node, reader.partial)
    return found


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "in reverse"])
def test_what_earlier_answers_have_left_changes_no_outcome(order: int) -> None:
    assert judged(ANSWERS[::order], apart=False) == judged(ANSWERS, apart=True)


def test_that_digits_were_too_few_is_told_again() -> None:
    x, y = b.symbol("x", SCALAR), b.symbol("y", SCALAR)
    tiny = b.add(x, b.number(10**40))
    field = Careful()
    here = World(field, {}, {x: field.const(1)[None]}, {}, {y: tiny})
    for node in (tiny, b.product(tiny, x), y, b.product(y, x), y):
        field.saturated = False
        here.value(node)
        assert field.saturated, f"{node} uses a sum that lost a term"
    field.saturated = False
    here.value(x)
    assert not field.saturated


def test_sums_over_the_same_index_share_their_parts_and_keep_apart_from_others() -> None:
    a, i = b.symbol("a", (N, ONE)), b.index("i", None)
    entry = b.entry(a, i, b.number(1))
    values = np.arange(1.0, 5.0).reshape(1, 4, 1)
    here = World(Floating(), {"n": 4, "d": 2}, {a: values}, {}, {})
    assert float(here.value(b.sum_over(entry, "i", Range(ONE, N)))[0, 0, 0]) == 10
    assert float(here.value(b.sum_over(b.product(entry, entry), "i", Range(ONE, N)))[0, 0, 0]) == 30
    assert float(here.value(b.sum_over(entry, "i", Range(ONE, D)))[0, 0, 0]) == 3, "another range is another world"


class Hoard:
    """An owner that says what it has let go of."""

    def __init__(self) -> None:
        self.forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1


def test_those_used_longest_ago_let_go_first() -> None:
    room, (first, second, third) = Room(10), (Hoard(), Hoard(), Hoard())
    room.used(first, 4)
    room.used(second, 4)
    room.used(first, 5)
    room.used(third, 4)
    assert [h.forgotten for h in (first, second, third)] == [0, 1, 0]
    assert room.taken == 9
    room.used(third, 20)
    assert (first.forgotten, third.forgotten, room.taken) == (1, 1, 0), "one that is too large by itself lets go, too"


def test_what_is_kept_for_answers_is_counted_and_can_be_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(10**9)
    monkeypatch.setattr(ladder, "_ROOM", room)
    problem = regression()
    asked, before = ask(problem, "W"), 0
    true = asked.closed()
    assert true is not None
    for k in range(2, 12):
        assert compare(asked, b.scale(k, true)).relation == "different"
        assert room.taken > before, "each answer leaves its values"
        before = room.taken
    ref = reference(asked)
    ref.forget()
    ref.keep_in(room)
    assert room.taken < before / 10
    assert compare(asked, b.scale(12, true)).relation == "different"


def wide(rng: np.random.Generator, lead: tuple[int, ...]) -> Any:
    return rng.normal(size=(*lead, 3, 4, 5))


@pytest.mark.parametrize("axis", [-1, -2, -3])
@pytest.mark.parametrize(
    ("lead", "places"),
    [
        ((6,), (6,)),
        ((6,), ()),
        ((1,), (7, 1)),
        ((6,), (7, 1)),
        ((2, 6), (6,)),
        ((1, 6), (7, 1, 1)),
        ((), (6,)),
        ((), ()),
    ],
)
def test_entries_are_taken_as_by_take_along_axis(axis: int, lead: tuple[int, ...], places: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    x = wide(rng, lead) if axis == -3 else wide(rng, lead)[..., 0, :, :]
    where = np.asarray(rng.integers(0, 3, places))
    tail = 3 if axis == -3 else 2
    both = np.broadcast_shapes(lead, places)
    full = np.broadcast_to(x, (*both, *x.shape[-tail:]))
    expected = np.take_along_axis(full, np.broadcast_to(where, both)[(..., *[None] * tail)], axis=axis)
    found = Floating().take(x, where, axis)
    assert np.array_equal(np.broadcast_to(found, expected.shape), expected)


@pytest.mark.parametrize("count", [1, 2, 64, 65, 300])
def test_inverses_of_few_and_of_many(count: int) -> None:
    x = np.random.default_rng(count).integers(1, PRIME, (count, 1), dtype=np.uint64)
    assert (x * Modular().inv(x) % np.uint64(PRIME) == 1).all()
    with_zero = np.concatenate([x, np.zeros((1, 1), dtype=np.uint64)])
    assert (Modular()._inverse(with_zero)[-1] == 0).all()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_determinants_and_inverses_by_minors(n: int) -> None:
    x = np.random.default_rng(n).normal(size=(4, n, n))
    f = Floating()
    assert np.allclose(f.det(x)[:, 0, 0], np.linalg.det(x))
    assert np.allclose(f.inverse(x), np.linalg.inv(x))


def test_a_sum_of_digits_notices_what_is_lost_at_the_bounds() -> None:
    field = Careful()
    one = field.const(1)
    for exponent, lost in ((29, False), (31, True)):
        field.saturated = False
        field.add(one, field.const(10**exponent))
        assert field.saturated is lost, exponent
    for exponent, noise in ((54, False), (56, True)):
        near = field.add(field.mul(one, one), field.mul(field.const(-1), one + field.mp.mpf(10) ** -exponent))
        assert (near[0, 0] == 0) is noise, exponent
