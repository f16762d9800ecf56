"""Macros of an author: what is expanded, and what is refused within bounds."""

from __future__ import annotations

import pytest

from derive.errors import AnswerError
from derive.grading.grade import grade
from derive.latex.tokens import tokenize

EXPANDED = [
    (r"\newcommand{\R}{\mathbb{R}} \R", r"\mathbb{R}"),
    (r"\newcommand{\inner}[2]{#1^\top #2} \inner{u}{v}", r"u^\top v"),
    (r"\newcommand\half{\frac12} \half x", r"\frac12 x"),
    (r"\renewcommand{\vec}[1]{\mathbf{#1}} \vec{w}", "w"),
    (r"\def\a#1{#1 + #1} \a{x}", "x + x"),
    (r"\newcommand{\p}[2][y]{#1 #2} \p{x} \p[z]{x}", "y x z x"),
    (r"\DeclareMathOperator{\soft}{softmax} \soft(z)", r"\operatorname{softmax}(z)"),
    (r"\newcommand{\a}{\b} \newcommand{\b}{x} \a", "x"),
    (r"\newcommand*{\x}[1]{x_{#1}} \x{i} \x j", "x_{i} x_j"),
    (r"\newcommand{\CE}{CE} \CE", "CE"),
]


@pytest.mark.parametrize(("text", "like"), EXPANDED)
def test_expanded(text: str, like: str) -> None:
    assert [t.text for t in tokenize(text) if t.text not in "{}"] == [
        t.text for t in tokenize(like) if t.text not in "{}"
    ]


def test_a_preamble_counts_only_by_its_definitions() -> None:
    preamble = r"\documentclass{article} \newcommand{\yh}{\hat{y}} some words"
    assert [t.text for t in tokenize(r"\yh - y", preamble)] == [t.text for t in tokenize(r"\hat{y} - y")]


REFUSED = [
    (r"\def\a{\a\a}\a", "without end"),
    (r"\newcommand{\a}{\b\b}\newcommand{\b}{\a\a}\a", "without end"),
    (r"\newcommand{\a}[2]{#1 #2} \a{x}", "takes 2 arguments"),
    (r"\newcommand{\a}[1]{#2} \a{x}", "has no argument #2"),
    (r"\newcommand{\a", "ends before it is complete"),
    (r"\newcommand x y", "needs the name of a macro"),
    (r"\let\a\b", "not allowed"),
]


@pytest.mark.parametrize(("text", "part"), REFUSED)
def test_refused(text: str, part: str) -> None:
    with pytest.raises(AnswerError, match=part):
        tokenize(text)


def test_an_answer_with_its_own_macros_is_graded() -> None:
    answer = r"\newcommand{\yh}{\hat{y}} \newcommand{\tp}{^\top} (\yh - y) x\tp"
    assert grade({"id": 1, "problem": "softmax-regression", "wrt": "W", "answer": answer}).verdict == "correct"


def test_the_place_of_an_error_inside_a_macro_is_the_call() -> None:
    answer = r"\newcommand{\yh}{\tilde{q}} \yh - y"
    found = grade({"id": 1, "problem": "softmax-regression", "wrt": "z", "answer": answer})
    start, end = found.evidence["span"]
    assert (found.verdict, answer[start:end]) == ("unreadable", r"\yh")


def test_a_question_may_bring_a_preamble() -> None:
    question = {"id": 1, "problem": "softmax-regression", "wrt": "z", "answer": r"\yh - y"}
    assert grade(question).verdict == "unreadable"
    assert grade({**question, "preamble": r"\newcommand{\yh}{\hat{y}}"}).verdict == "correct"
