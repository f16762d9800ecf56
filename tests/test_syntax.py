"""Text to tokens, lines and syntax: the short ways that most formulas take give what the long ways give."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import AnswerError
from derive.grading.clauses import Clause, Line, lines
from derive.latex import cleaning, syntax
from derive.latex.parser import parse
from derive.latex.tokens import Token, tokenize

PIECE = re.compile(r"\\[A-Za-z]*|.", re.DOTALL)
PIECES = r"""x W ^\top ^T _i _{ij} ' ( ) [ ] { } \left( \right) \left| \right| \left. | || \| + - = \cdot \odot / , ; : . ? 2 12 1.5 .5
\hat{y} \hat \frac{1}{2} \frac12 \sum_i \sqrt{x} \mathbf{1} \mathbf \operatorname{diag} \text{so} \text{diag} \boxed{x} \tag{1}
\, \quad \& & \\ \begin{aligned} \end{aligned} \overset{a}{=} \to \in \forall exp for so then if or where {} {}^t {x} %x ~ · ŷ ²
\partial \therefore \ldots == .* @ \lVert \rVert \phantom{x} \color{red} \$ $""".split()
FORMULAS = st.lists(st.sampled_from([*PIECES, " ", "\n"]), min_size=1, max_size=12).map("".join)


def tokens_of(text: str) -> list[Token]:
    try:
        return tokenize(text)
    except AnswerError:
        return []


def shown(found: list[Line]) -> list[object]:
    def clauses(given: list[Clause]) -> list[object]:
        return [(clause.opening, clause.tokens) for clause in given]

    return [(line.main, clauses(line.clauses), clauses(line.remarks)) for line in found]


@given(FORMULAS)
def test_tokens_are_cleaned_the_short_way_as_the_long_way(text: str) -> None:
    short = tokens_of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cleaning, "CLEANED", cleaning.CLEANED.union(PIECE.findall(text)))
        assert tokens_of(text) == short


@given(FORMULAS)
def test_lines_are_found_the_short_way_as_the_long_way(text: str) -> None:
    tokens = tokens_of(text)
    short = shown(lines(tokens, {"x", "W"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("derive.grading.clauses._is_plain", lambda tokens: False)
        assert shown(lines(tokens, {"x", "W"})) == short


@given(FORMULAS)
def test_tokens_keep_their_place(text: str) -> None:
    found = tokens_of(text)
    assert all(0 <= token.start < token.end <= len(text) for token in found)
    assert [token.start for token in found] == sorted(token.start for token in found)


UNUSUAL = [
    ("x % y\n z", ["x", "z"], "a comment"),
    ("x %\n z", ["x", "z"], "a comment without words"),
    ("2. - x", ["2", "-", "x"], "a number with a dot behind it"),
    ("1{,}000", ["1000"], "thousands"),
    (r"\dfrac*", [r"\frac"], "a star behind another name of a command"),
    (r"\frac*", [r"\frac*"], "a star behind a command"),
    (r"x \* y", ["x", r"\*", "y"], "an escaped star"),
    (r"x .* y == z @ w", ["x", r"\odot", "y", "=", "z", "w"], "signs of programs"),
    ("x²ᵀ", ["x", "^", "2", "^", "T"], "raised characters"),
    ("½ŷ", [r"\frac", "{", "1", "}", "{", "2", "}", r"\hat", "{", "y", "}"], "characters that stand for several"),
    ("x\u200b~\ty", ["x", "y"], "what is not seen"),
    ("x \\", ["x", "\\"], "a backslash at the end"),
    (r"\left\{ x \right.", [r"\{", "x"], "a bracket that is not there"),
    ("x.", ["x", "."], "a full stop"),
]


@pytest.mark.parametrize(("text", "texts", "why"), UNUSUAL)
def test_unusual_pieces(text: str, texts: list[str], why: str) -> None:
    assert [token.text for token in tokenize(text)] == texts, why


def test_a_control_character_is_refused() -> None:
    with pytest.raises(AnswerError, match="control character"):
        tokenize("x \x07 y")


def test_pieces_of_syntax_are_values() -> None:
    one, other = parse(r"\frac{a_i}{b'}"), parse(r"\frac{a_i}{b'}")
    assert one == other
    assert hash(one) == hash(other)
    assert one != parse(r"\frac{a_i}{b}")
    assert isinstance(one, syntax.Frac)
    assert replace(one, above=one.below) != one
    assert repr(syntax.Name((0, 1), "x")) == "Name(span=(0, 1), base='x')"


def test_a_walk_goes_in_the_order_of_the_text() -> None:
    tree = parse(
        r"a \left(b, c\right) + \sum_{i=1}^n \sqrt[3]{d} \frac{\partial J}{\partial W} = \begin{cases} e & f > g \\ h \end{cases}"
    )
    names = [part.base for part in syntax.walk(tree) if isinstance(part, syntax.Name)]
    assert names == ["a", "b", "c", "i", "n", "d", "J", "W", "e", "f", "g", "h"]
    assert [type(part).__name__ for part in syntax.children(tree)] == ["Sum", "Cases"]
