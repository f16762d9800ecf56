"""Misconceptions: each is found where it was made, two are found together, and nothing is said where nothing explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from derive.grading.grade import grade
from derive.grading.verdict import Verdict
from derive.misconceptions.document import document
from derive.misconceptions.registry import MOST_SPECIFIC_FIRST, Example, Misconception, rank, record, records
from derive.problem.load import by_identifier

Rows = Callable[[str], list[dict[str, Any]]]
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "misconceptions.md"
EXAMPLES = [(one, example) for one in records() for example in one.examples]


def graded(problem: str, wrt: str, answer: str, of: str = "") -> Verdict:
    return grade({"problem": problem, "wrt": wrt, "answer": answer} | ({"of": of} if of else {}))


def codes(found: Verdict) -> tuple[str, ...]:
    """The mistakes that a verdict names."""
    diagnosis = found.evidence.get("diagnosis")
    return (diagnosis["code"], *diagnosis["also"]) if diagnosis else ()


# ------------------------------------------------------------------------------------------------ the registry


def test_the_order_holds_every_code_once() -> None:
    assert sorted(one.code for one in records()) == sorted(MOST_SPECIFIC_FIRST)
    assert [rank(one.code) for one in records()] == list(range(len(MOST_SPECIFIC_FIRST)))


def test_the_document_is_what_the_registry_says() -> None:
    said = "run python -m derive.misconceptions.document > docs/misconceptions.md"
    assert DOCUMENT.read_text(encoding="utf-8") == document() + "\n", said


@pytest.mark.parametrize("one", records(), ids=lambda one: one.code)
def test_a_hint_is_a_question_or_advice_without_a_formula(one: Misconception) -> None:
    assert one.hint.endswith((".", "?")) and one.explanation.endswith(".")
    assert "\\" not in one.hint and "=" not in one.hint
    assert one.examples


@pytest.mark.parametrize(("one", "example"), EXAMPLES, ids=lambda x: getattr(x, "code", getattr(x, "answer", "")))
def test_each_example_is_explained_by_its_misconception(one: Misconception, example: Example) -> None:
    found = graded(example.problem, example.wrt, example.answer, example.of)
    assert found.verdict == "incorrect"
    assert one.code in codes(found), found.message
    assert found.code in ("shape", codes(found)[0])


@pytest.mark.parametrize(("one", "example"), EXAMPLES, ids=lambda x: getattr(x, "code", getattr(x, "answer", "")))
def test_no_message_gives_the_answer_away(one: Misconception, example: Example) -> None:
    found = graded(example.problem, example.wrt, example.answer, example.of)
    asked = [q for q in by_identifier(example.problem).questions if (q.wrt, q.of) == (example.wrt, example.of)]
    shown = found.message + found.evidence["diagnosis"]["hint"]
    assert not [q.answer for q in asked if len(q.answer) > 3 and q.answer in shown]


# ----------------------------------------------------------------------------------------------- combinations


@pytest.mark.parametrize(
    ("problem", "wrt", "answer", "both"),
    [
        ("ridge-regression", "w", r"X^\top (X w - y)", {"factor", "regulariser"}),
        ("softmax-regression", "W", r"- x (\hat{y} - y)^\top", {"sign", "layout"}),
        ("sigmoid-softmax-network", "W_1", r"- W_2^\top \delta_2 x^\top", {"sign", "activation-derivative-missing"}),
        ("sigmoid-softmax-network", "W_1", r"W_2 \delta_2 x^\top", {"transpose-missing", "activation-derivative-missing"}),
        ("quadratic-form", "x", r"-B x", {"sign", "symmetry"}),
    ],
)  # fmt: skip
def test_two_mistakes_are_found_together(problem: str, wrt: str, answer: str, both: set[str]) -> None:
    assert set(codes(graded(problem, wrt, answer))) == both


@pytest.mark.parametrize(
    ("problem", "wrt", "answer"),
    [
        ("softmax-regression", "W", r"\hat{y}^3 x^\top b^\top y"),
        ("softmax-regression", "x", r"\sin(x)"),
        ("least-squares", "w", r"X^\top \exp(r) \lVert w \rVert"),
    ],
)
def test_nothing_is_said_where_nothing_explains(problem: str, wrt: str, answer: str) -> None:
    found = graded(problem, wrt, answer)
    assert (found.verdict, found.code, codes(found)) == ("incorrect", "different", ())
    assert "No known mistake explains it" in found.message


@pytest.mark.parametrize("answer", ["0", r"\delta x^\top", r"\delta x^T + 0"])
def test_what_is_right_or_zero_has_no_diagnosis(answer: str) -> None:
    assert not codes(graded("softmax-regression", "W", answer))


def test_almost_right_stays_almost_right() -> None:
    found = graded("softmax-regression", "W", r"1.0000001 \delta x^\top")
    assert found.verdict == "incorrect"


# ------------------------------------------------------------------------------------------------- the place


@pytest.mark.parametrize(
    ("problem", "wrt", "answer", "part"),
    [
        ("softmax-regression", "W", r"(\hat{y} + y) x^\top", "y"),  # the term with the wrong sign
        ("softmax-regression", "x", r"W (\hat{y} - y)", "W"),  # the factor to be transposed
        ("softmax-regression", "W", r"\frac{\partial L}{\partial W} = 2 \delta x^\top", "2"),
        ("softmax-regression", "W", r"(\hat{y} - y) b^\top", "b^\\top"),
        ("softmax-regression", "W", r"(\hat{y} - y) x^\top + W", "W"),
    ],
)
def test_the_wrong_part_is_marked_when_the_rest_is_right(problem: str, wrt: str, answer: str, part: str) -> None:
    marked = graded(problem, wrt, answer).evidence["wrong_part"]
    start, end = marked["span"]
    assert answer[start:end] == marked["latex"]
    assert part.startswith(marked["latex"]) and answer.rindex(marked["latex"]) == start


def test_the_whole_answer_is_not_marked() -> None:
    assert "wrong_part" not in graded("softmax-regression", "W", r"- \delta x^\top").evidence


def test_shapes_that_fit_in_no_reading_keep_their_code() -> None:
    found = graded("softmax-regression", "x", r"W \delta")
    assert (found.code, codes(found)) == ("shape", ("transpose-missing",))
    assert "counterexample" not in found.evidence
    assert record("transpose-missing").hint in found.message


# ------------------------------------------------------------------------------------------- on many answers

EVERY = 6
FITS: tuple[tuple[str, str, str], ...] = (
    ("chain-step", "*", "the file says only that a later line is wrong, not how it was made"),
    ("shape", "*", "the file says only that the shapes do not fit; what undoes that explains it"),
    ("layout-index", "index", "rows for columns is a wrong index"),
    ("activation-argument", "inner-sign", "the sign of the argument is what is wrong with it"),
    ("activation-argument", "wrong-variable power", "one name for another in the argument; a square inside for one outside"),
    ("activation-argument", "term-wrong factor-wrong", "the term or factor that holds the argument is marked"),
    ("activation-derivative", "indicator-missing", "the derivative of a ReLU or of a case is an indicator"),
    ("activation-derivative", "factor-extra", "a derivative that the loss cancels stands there"),
    ("activation-derivative", "chain inner-sign power", "the derivative of the outer function; σ(-x) for 1 - σ(x); 1 - h for 1 - h²"),
    ("activation-derivative", "term-missing term-extra factor-wrong", "the derivative lost a term, or one factor is not right"),
    ("activation-derivative-missing", "indicator-missing", "the derivative of a ReLU is an indicator"),
    ("activation-derivative-missing", "activation-derivative chain factor-missing", "f for f'; exp left out; a named derivative left out"),
    ("batch-sum", "transpose-missing factor-wrong factor-extra term-wrong", "1 on the wrong side; the part without the sum is marked"),
    ("chain", "activation-derivative-missing activation-derivative", "the link left out is an activation"),
    ("chain", "inner-sign quotient-rule power factor term-wrong", "the inner link of 1/(1 + e^x); 1/g; a power; a coefficient"),
    ("factor", "factor-missing factor-extra power quotient-rule", "a named coefficient, or its power"),
    ("factor", "term-wrong term-missing wrong-variable activation-derivative", "the factor is that of a term, or a name"),
    ("hadamard", "factor-wrong", "an inner product for an elementwise one"),
    ("hadamard-factor", "factor-missing power quotient-rule", "a factor of an elementwise product is missing; x for x²"),
    ("index", "softmax-diagonal term-missing activation-derivative-missing", "how the sum over the other index was lost"),
    ("index", "label-swap term-extra factor-wrong term-wrong", "1 for y_w; a term of w = o kept for all w; the part is marked"),
    ("indicator", "activation-derivative", "the function itself for its derivative"),
    ("indicator-missing", "factor-missing", "an indicator is a factor"),
    ("label-swap", "sign", "y - ŷ for ŷ - y is minus the derivative as well"),
    ("occurrence", "term-missing product-rule quotient-rule symmetry", "the contribution that is missing is a term"),
    ("occurrence", "regulariser factor-missing factor wrong-variable", "the term is the regulariser, or half of two equal ones"),
    ("order", "outer-product hadamard transpose-missing", "an inner product is an outer one in the other order"),
    ("power", "activation-derivative quotient-rule", "1 - h for 1 - h²; 1/v for 1/v²"),
    ("product-rule", "occurrence term-missing", "the other factor is another occurrence"),
    ("quotient-rule", "power term-extra wrong-variable", "1/g for 1/g²; a term or name of the numerator"),
    ("regulariser", "term-extra chain indicator-missing", "a regulariser that does not depend on the variable; sgn(w)"),
    ("sign", "inner-sign", "the sign inside of a function"),
    ("softmax-diagonal", "term-missing term-wrong", "diag(p) lacks a term"),
    ("softmax-jacobian", "chain term-wrong", "the logarithm of a log-softmax; the softmax term is marked"),
    ("term-missing", "symmetry quotient-rule product-rule occurrence", "the term is one side of a product"),
    ("term-missing", "regulariser term-wrong activation-derivative", "it is the regulariser; σ - 1 without its σ"),
    ("transpose", "transpose-missing", "a transpose in the wrong place is missing in the right one"),
    ("transpose-missing", "transpose symmetry", "U^T for U; D + D for D + D^T"),
    ("wrong-variable", "term-missing factor-extra sign factor factor-wrong", "the other gradient is this one with that change"),
)  # fmt: skip


def fits(made: str, found: tuple[str, ...]) -> bool:
    """Whether a diagnosis names how an answer was made, or something that is the same in that answer."""
    named = {code for first, others, _ in FITS if first == made for code in others.split()}
    return made in found or "*" in named or found[0] in named


def test_the_table_names_codes_that_there_are() -> None:
    assert {code for _, others, _ in FITS for code in others.split()} <= {*MOST_SPECIFIC_FIRST, "*"}


def test_what_was_made_is_found(cases: Rows) -> None:
    """At least 85 % of the wrong answers of the catalogue get a fitting diagnosis, fewer than 2 % one that does not."""
    rows = [row for row in cases("catalogue.jsonl") if row["expect"] == "incorrect"][::EVERY]
    found = [(row, codes(grade({k: row[k] for k in ("problem", "wrt", "of", "layout", "answer") if k in row}))) for row in rows]  # fmt: skip
    wrong = Counter((row["code"], "+".join(named)) for row, named in found if named and not fits(row["code"], named))
    explained = sum(bool(named) for _, named in found) - wrong.total()
    assert explained >= 0.85 * len(rows), Counter(row["code"] for row, named in found if not named)
    assert wrong.total() < 0.02 * len(rows), wrong
