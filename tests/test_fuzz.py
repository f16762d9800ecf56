"""Random formulas: spelling never changes a value, what is printed is read back, nonsense never breaks the grader."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st
from support import value_of

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.grading.asking import ask
from derive.grading.grade import judge
from derive.numerics.fields import Floating
from derive.operations.registry import records
from derive.printing.latex import latex
from derive.problem.builder import problem_from
from derive.sizes import ONE, Range, Size

SYMBOLS = {
    "W": "n x m", "V": "n x m", "A": "n x n", "x": "m", "q": "m", "a": "n", r"\delta": "n", "s": "scalar", r"\lambda": "scalar",
    "u_k": "m, k = 1..K",
}  # fmt: skip
HOME = problem_from(
    {"loss": r"a^\top (W + V) (x + q) s \lambda + \delta^\top A a + \sum_k u_k^\top x", "symbols": SYMBOLS}
)
KINDS = {"scalar": (), "m": ("m",), "n": ("n",), "nm": ("n", "m"), "nn": ("n", "n")}
VERDICTS = {"correct", "layout", "incorrect", "undecided", "unreadable", "skipped"}


class Phrase(NamedTuple):
    """A formula as somebody writes it, its value by plain NumPy, and how strongly it binds."""

    text: str
    value: np.ndarray
    level: int


SUM, ENTRYWISE, PRODUCT, ATOM = range(4)
LEAVES = {name: value_of(HOME.reader().read(name), Floating(), problem=HOME) for name in SYMBOLS if name != "u_k"}
MEMBERS = value_of(HOME.reader().read(r"\sum_k u_k"), Floating(), problem=HOME)
OF_KIND = {"scalar": ["s", r"\lambda"], "m": ["x", "q"], "n": ["a", r"\delta"], "nm": ["W", "V"], "nn": ["A"]}
FONTS = ("{0}", "{0}", r"\mathbf{{{0}}}", r"\boldsymbol{{{0}}}", "{{{0}}}", r"\bm{{{0}}}", r"\textcolor{{blue}}{{{0}}}")
BRACKETS = ("({0})", r"\left({0}\right)", r"\big( {0} \big)", "[{0}]", r"\left[ {0} \right]")
TRANSPOSES = (r"^\top", "^T", r"^{{\top}}", r"^{\mathsf T}", r"^{\intercal}", "^{T}")
FUNCTIONS: dict[str, tuple[tuple[str, ...], Callable[[np.ndarray], np.ndarray]]] = {
    "sigma": ((r"\sigma", r"\operatorname{sigmoid}", r"\mathrm{sigmoid}"), lambda v: 1 / (1 + np.exp(-v))),
    "tanh": ((r"\tanh", r"\operatorname{tanh}", r"\text{tanh}"), np.tanh),
    "exp": ((r"\exp", r"\mathrm{exp}"), np.exp),
    "sigma'": ((r"\sigma'", r"\sigma^{\prime}"), lambda v: np.exp(-v) / (1 + np.exp(-v)) ** 2),
    "relu": ((r"\operatorname{ReLU}", r"\mathrm{relu}"), lambda v: np.maximum(v, 0)),
}


def turned(value: np.ndarray) -> np.ndarray:
    return np.swapaxes(value, -1, -2)


class Writer:
    """Draws formulas of a kind, with a spelling for everything in them."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def pick(self, items: tuple[str, ...] | list[str]) -> str:
        return self.draw(st.sampled_from(items))

    def at(self, level: int, phrase: Phrase) -> str:
        """The text of a phrase, in brackets where it binds too weakly."""
        return phrase.text if phrase.level >= level else self.pick(BRACKETS).format(phrase.text)

    def write(self, kind: str, depth: int) -> Phrase:
        ways = [self.leaf]
        if depth:
            ways += [self.sum, self.scaled, self.function, getattr(self, f"_{kind}"), self.entrywise]
        phrase = self.draw(st.sampled_from(ways))(kind, depth - 1)
        assume(np.abs(phrase.value).max() > 1e-9)  # a zero is printed without its shape
        return phrase

    def leaf(self, kind: str, depth: int) -> Phrase:
        name = self.pick(OF_KIND[kind])
        return Phrase(self.pick(FONTS).format(name), LEAVES[name], ATOM)

    def sum(self, kind: str, depth: int) -> Phrase:
        left, right = self.write(kind, depth), self.write(kind, depth)
        if np.array_equal(left.value, right.value) or self.draw(st.booleans()):
            return Phrase(f"{left.text} + {self.at(ENTRYWISE, right)}", left.value + right.value, SUM)
        return Phrase(f"{left.text} - {self.at(ENTRYWISE, right)}", left.value - right.value, SUM)

    def scaled(self, kind: str, depth: int) -> Phrase:
        right = self.write(kind, depth)
        text = self.at(PRODUCT, right)
        form, factor = self.draw(st.sampled_from((
            ("-{0}", -1.0), (r"2 \cdot {0}", 2.0), (r"\frac{{1}}{{2}} {0}", 0.5), (r"\frac12 \, {0}", 0.5), (r"\lambda {0}", 0.0),
            (r"\frac{{{0}}}{{3}}", 1 / 3), (r"0.25 \times {0}", 0.25),
        )))  # fmt: skip
        if form.startswith(r"\frac12") and text[:1].isdigit():
            form = r"\frac12 \cdot {0}"
        if form.startswith("-"):
            return Phrase(form.format(text), factor * right.value, SUM)
        return Phrase(form.format(text), (factor or LEAVES[r"\lambda"]) * right.value, PRODUCT)

    def function(self, kind: str, depth: int) -> Phrase:
        spellings, meaning = FUNCTIONS[self.pick(list(FUNCTIONS))]
        inner = self.write(kind, depth)
        assume(np.abs(inner.value).max() < 30)
        text = self.pick(BRACKETS[:3]).format(inner.text)
        return Phrase(self.pick(spellings) + text, meaning(inner.value), ATOM)

    def entrywise(self, kind: str, depth: int) -> Phrase:
        if kind == "scalar":
            return self.quotient(kind, depth)
        left, right = self.write(kind, depth), self.write(kind, depth)
        sign = self.pick((r"\odot", r"\circ", "⊙"))
        text = f"{self.at(ENTRYWISE, left)} {sign} {self.at(PRODUCT, right)}"
        return Phrase(text, left.value * right.value, ENTRYWISE)

    def quotient(self, kind: str, depth: int) -> Phrase:
        above, below = self.write(kind, depth), self.write(kind, depth)
        form = self.pick((r"\frac{{{0}}}{{1 + ({1})^2}}", r"\dfrac{{{0}}}{{1+{{({1})}}^{{2}}}}"))
        return Phrase(form.format(above.text, below.text), above.value / (1 + below.value**2), PRODUCT)

    def product(self, left: Phrase, right: Phrase, value: np.ndarray) -> Phrase:
        sign = self.pick((" ", r" \, ", r" \cdot ", r" \times "))
        return Phrase(f"{self.at(PRODUCT, left)}{sign}{self.at(ATOM, right)}", value, PRODUCT)

    def transposed(self, phrase: Phrase) -> str:
        bare = phrase.text.isalpha() and phrase.level == ATOM
        return (phrase.text if bare else self.pick(BRACKETS[:3]).format(phrase.text)) + self.pick(TRANSPOSES)

    def _n(self, kind: str, depth: int) -> Phrase:
        shape, other = self.draw(st.sampled_from((("nm", "m"), ("nn", "n"))))
        left, right = self.write(shape, depth), self.write(other, depth)
        return self.product(left, right, left.value @ right.value)

    def _m(self, kind: str, depth: int) -> Phrase:
        if self.draw(st.booleans()):
            return Phrase(
                self.pick((r"\sum_{k=1}^{K} u_k", r"\sum_k {u_k}", r"\sum\limits_{k=1}^K \mathbf{u}_k")), MEMBERS, SUM
            )
        left, right = self.write("nm", depth), self.write("n", depth)
        return Phrase(f"{self.transposed(left)} {self.at(ATOM, right)}", turned(left.value) @ right.value, PRODUCT)

    def _nm(self, kind: str, depth: int) -> Phrase:
        left, right = self.write("n", depth), self.write("m", depth)
        return Phrase(f"{self.at(PRODUCT, left)} {self.transposed(right)}", left.value @ turned(right.value), PRODUCT)

    def _nn(self, kind: str, depth: int) -> Phrase:
        if self.draw(st.booleans()):
            inner = self.write("n", depth)
            value = inner.value * np.eye(inner.value.shape[-2])
            return Phrase(
                rf"{self.pick((chr(92) + 'operatorname{diag}', chr(92) + 'text{diag}'))}({inner.text})", value, ATOM
            )
        inner = self.write("nn", depth)
        return Phrase(self.transposed(inner), turned(inner.value), ATOM)

    def _scalar(self, kind: str, depth: int) -> Phrase:
        shape = self.pick(["n", "m"])
        left, right = self.write(shape, depth), self.write(shape, depth)
        norm = (left.value**2).sum(axis=-2, keepdims=True)
        inner = (left.value * right.value).sum(axis=-2, keepdims=True)
        number = self.draw(st.integers(0, 3))
        if number == 0:
            return Phrase(rf"\lVert {left.text} \rVert^2", norm, ATOM)
        if number == 1:
            return Phrase(rf"||{left.text}||_2^2", norm, ATOM)
        if number == 2:
            return Phrase(rf"\sum_{{j=1}}^{{{shape}}} ({left.text})_j ({right.text})_j", inner, SUM)
        return Phrase(f"{self.transposed(left)} {self.at(ATOM, right)}", inner, PRODUCT)


@st.composite
def phrases(draw: st.DrawFn) -> Phrase:
    return Writer(draw).write(draw(st.sampled_from(list(KINDS))), 3)


@settings(max_examples=400, deadline=None)
@given(phrases())
def test_formulas_have_the_value_that_numpy_gives(phrase: Phrase) -> None:
    node = HOME.reader().read(phrase.text)
    np.testing.assert_allclose(value_of(node, Floating(), problem=HOME), phrase.value, rtol=1e-9, atol=1e-9)


@settings(max_examples=400, deadline=None)
@given(phrases())
def test_what_is_printed_is_read_back(phrase: Phrase) -> None:
    node = HOME.reader().read(phrase.text)
    again = HOME.reader().read(latex(node, HOME.scope))
    assert again.dims == node.dims
    values = (value_of(n, Floating(), problem=HOME) for n in (again, node))
    np.testing.assert_allclose(*values, rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------------------------- printer and reader

AT_I, AT_K = b.index("i", Range(ONE, Size.of("n"))), b.index("k", Range(ONE, Size.of("K")))
READ, FIRST = HOME.reader().read, b.number(1)
FAMILY = next(e.node for e in HOME.scope.all() if e.kind == "family" and e.node is not None)
ENTRIES = [
    b.entry(READ("a"), AT_I, FIRST),
    b.entry(READ("W x"), AT_I, FIRST),
    b.entry(READ("W"), AT_I, FIRST),
    b.entry(READ("A"), AT_I, AT_I),
]
MEMBER = b.product(b.transpose(b.member(FAMILY, AT_K)), READ("x"))
OTHERS = [READ("s"), b.number(2), b.constant("pi"), b.size_number(Size.of("n")), READ(r"a^\top \delta"), MEMBER]
ONE_NUMBER: dict[str, Callable[[Node], Node]] = {
    **{
        name: lambda e, name=name: b.apply(name, e)
        for name, op in records().items()
        if op.by_name and op.elementwise and not op.refuses
    },
    "negate": b.negate,
    "half": lambda e: b.product(b.number(Fraction(1, 2)), e),
    "square": lambda e: b.power(e, 2),
    "reciprocal": lambda e: b.power(b.add(FIRST, b.power(e, 2)), -1),
    "log": lambda e: b.apply("log", b.add(FIRST, b.power(e, 2))),
    "over i": lambda e: b.sum_over(e, "i", Range(ONE, Size.of("n"))),
    "over k": lambda e: b.sum_over(e, "k", Range(ONE, Size.of("K"))),
}
TWO_NUMBERS: list[Callable[[Node, Node], Node]] = [
    b.add,
    b.subtract,
    b.product,
    lambda a, c: b.divide(a, b.apply("exp", c)),
    lambda a, c: b.make("maximum", (a, c)),
]


def built() -> st.SearchStrategy[Node]:
    """Numbers with entries, members and sums, made without the reader; what is left free is summed over."""
    return st.recursive(
        st.sampled_from([*ENTRIES, *OTHERS]),
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(TWO_NUMBERS), inner, inner).map(lambda t: t[0](t[1], t[2])),
            st.tuples(st.sampled_from(list(ONE_NUMBER.values())), inner).map(lambda t: t[0](t[1])),
        ),
        max_leaves=6,
    ).map(lambda e: ONE_NUMBER["over k"](ONE_NUMBER["over i"](e)))


@settings(max_examples=400, deadline=None)
@given(built())
def test_sums_and_entries_are_read_back(node: Node) -> None:
    text = latex(node, HOME.scope)
    note(text)
    again = HOME.reader().read(text)
    values = [value_of(n, Floating(), problem=HOME) for n in (again, node)]
    np.testing.assert_allclose(*values, rtol=1e-8, atol=1e-9, equal_nan=True)


# ----------------------------------------------------------------------------------------------- nonsense

PIECES = (
    "W", "x", r"\delta", "s", "u_k", "a_i", "1", "0.5", "9", "+", "-", "=", r"\cdot", r"\odot", "^", "_", "{", "}", "(", ")", "[", "]", "|",
    "||", r"\|", "'", ",", "&", r"\\", r"^\top", r"\frac", r"\sqrt", r"\sum", r"\sum_{k=1}^{K}", r"\prod_i", r"\left(", r"\right)", r"\left",
    r"\right.", r"\begin{cases}", r"\end{cases}", r"\begin{pmatrix}", r"\end{pmatrix}", r"\sigma", r"\tanh", r"\exp", r"\log", r"\max",
    r"\mathbf", r"\text", r"\text{if }", r"\hat", r"\partial", r"\frac{\partial J}{\partial W}", r"\nabla_x J", r"\mathbb{1}", "<", ">",
    r"\neq", r"\infty", r"\newcommand", r"\def\a{\a\a}", r"\a", r"\operatorname", "\x00", "\ud800", "\u202e", "é", "²", "$", "%", "#1", "\n",
)  # fmt: skip
ASKED = ask(HOME, "x", "", None)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(("", " ")))
def test_nonsense_gets_a_verdict(pieces: list[str], between: str) -> None:
    verdict = judge(None, ASKED, between.join(pieces)).as_dict()
    assert verdict["verdict"] in VERDICTS
    assert verdict["message"] or verdict["verdict"] == "correct"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert judge(None, ASKED, text).as_dict()["verdict"] in VERDICTS - {"correct", "layout"}
