"""Typical mistakes on a sheet: what comes out when one law is broken, and which law that is."""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import count_nodes
from derive.gradient.sweep import naming
from derive.grading.asking import ask
from derive.grading.compare import compare
from derive.misconceptions.broken import broken_derivations
from derive.misconceptions.registry import record
from derive.printing.latex import latex
from derive.problem.problem import Problem, Question
from derive.sheets.blocks import Block, Heading, Paragraph

MOST, MOST_FOR_ONE, LONGEST = 6, 2, 60


def mistakes(problem: Problem, questions: list[Question]) -> Iterator[Block]:
    """Wrong results, each with the law that was broken to get it; every one is shown to differ first."""
    found: list[Block] = []
    seen: set[str] = set()
    for question in questions:
        found += _of_one(problem, question, seen)
        if len(found) >= MOST:
            break
    if found:
        yield Heading("Typical mistakes")
        yield from found[:MOST]


def _of_one(problem: Problem, question: Question, seen: set[str]) -> list[Block]:
    """The mistakes with one variable whose laws are not on the sheet yet."""
    try:
        asked = ask(problem, question.wrt, question.of, question.layout)
    except AuthorError:
        return []
    loss = str(problem.loss_symbol.data[0])
    out: list[Block] = []
    for form in broken_derivations(asked):
        if form.code in seen or len(out) >= MOST_FOR_ONE or count_nodes(form.node) > LONGEST:
            continue
        node = naming(problem).tidy(form.node)
        if node == b.zeros(node.dims) or compare(asked, node).relation != "different":
            continue
        seen.add(form.code)
        left = rf"\frac{{\partial {question.of or loss}}}{{\partial {question.wrt}}}"
        told = record(form.code)
        wrong = rf"${left} \neq {latex(node, problem.scope)}$"
        out.append(Paragraph(f"{wrong}. {told.explanation} What holds: {told.law}.", "mistake"))
    return out
