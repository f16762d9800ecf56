"""Verdicts: one question with one answer, judged."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from derive.errors import AnswerError, AuthorError, NoRuleError, mark
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.grading.answer import Member, Written, explained, take_apart, variables_left
from derive.grading.asked import Asked
from derive.grading.asking import ask, content_of, problem_of
from derive.grading.memory import Memory
from derive.grading.outcome import Outcome
from derive.grading.verdict import Verdict, reported
from derive.latex import syntax as s
from derive.printing.latex import latex
from derive.problem.problem import leaf_of
from derive.reading.derivatives import with_free_indices_kept, without_arguments
from derive.reading.reader import Reader
from derive.reading.scope import Scope

SCORES = {"correct": 1.0, "layout": 0.5, "incorrect": 0.0, "undecided": 0.0, "unreadable": 0.0}
MOST_SHOWN = 20_000
SLIP_ON_THE_WAY = 0.75
LONGEST_KEPT = 4000
POLICIES = ("strict", "usual", "lenient")


def grade(question: Mapping[str, Any]) -> Verdict:
    """The verdict on one question of section 2 of the interface.

    The same answer to the same question is judged once, as far as it was among the last few thousand.
    """
    key = _key(question)
    known = _VERDICTS.get(key) if key is not None else None
    if known is None:
        known = _graded(question)
        if key is not None:
            _VERDICTS[key] = known
    return known.called(question.get("id"))


TEXTS = frozenset((str, type(None)))
_VERDICTS: Memory[Verdict] = Memory(20_000)


def _key(question: Mapping[str, Any]) -> Hashable | None:
    """What a verdict depends on; None where that is not made of texts."""
    get = question.get
    problem, answer = get("problem"), get("answer")
    if problem.__class__ is not str:
        if not isinstance(problem, Mapping):
            return None
        problem = content_of(problem)
    if answer.__class__ is not str or len(answer) > LONGEST_KEPT:
        return None
    parts = (get("wrt"), get("of"), get("layout"), get("policy"), get("preamble"))
    if not TEXTS.issuperset(map(type, parts)) or None in question.values():  # a key without a value is an error
        return None
    return problem, parts, answer


def _graded(question: Mapping[str, Any]) -> Verdict:
    identifier = question.get("id")
    for key in ("wrt", "answer"):
        if not isinstance(question.get(key), str):
            return reported(identifier, "bad-line", f"The key {key} is missing or is no text.")
    if not isinstance(question.get("of", ""), str) or question.get("layout", "shape") not in ("shape", "numerator"):
        return reported(identifier, "bad-line", "`of` is a text and `layout` is shape or numerator.")
    if question.get("policy", "usual") not in POLICIES or not isinstance(question.get("preamble", ""), str):
        return reported(identifier, "bad-line", f"`policy` is one of {', '.join(POLICIES)} and `preamble` is a text.")
    try:
        problem = problem_of(question.get("problem"))
        asked = ask(problem, question["wrt"], question.get("of", ""), question.get("layout"))
        asked = asked._replace(
            policy=question.get("policy", asked.policy), preamble=question.get("preamble", asked.preamble)
        )
    except AuthorError as error:
        return reported(identifier, "bad-problem", str(error))
    return judge(identifier, asked, question["answer"])


# ------------------------------------------------------------------------------------------------ judging


class Judged(NamedTuple):
    """The verdict on one member of a chain."""

    verdict: str
    code: str
    read_as: str
    message: str
    evidence: dict[str, Any]


def judge(identifier: Any, asked: Asked, text: str) -> Verdict:
    """The verdict on an answer, member by member where it is a chain."""
    reader = _reader(asked)
    try:
        written = take_apart(reader, text, lambda left: _restates(asked, left))
    except AnswerError as problem:
        return _unreadable(identifier, problem, text)
    scope = explained(reader, written.definitions) if written.definitions else None
    judged = [_judge_member(asked, member, text, scope) for member in written.members]
    judged[:-1] = [_right_by_definition(j) for j in judged[:-1]]
    last = _beside(asked, judged[-1], written, text)
    left_over = variables_left(written.members[-1]) if last.verdict in ("correct", "layout") else []
    if any(_is_variable(asked, wrt) for wrt in left_over):
        message = "The derivative still stands in the answer; work it out."
        last = last._replace(verdict="skipped", code="restated", message=message)
    if last.verdict == "skipped":
        last = last._replace(verdict="unreadable")
    judged[-1] = last
    if len(judged) == 1:
        score = SCORES[last.verdict]
        return Verdict(identifier, last.verdict, score, last.code, last.read_as, last.message, last.evidence)
    return _chain(identifier, written.members, judged, last)


def _is_variable(asked: Asked, wrt: s.Syntax) -> bool:
    """Whether this is the variable of the question, or a part of it."""
    try:
        return leaf_of(_reader(asked).expression(wrt)) is asked.target.leaf
    except AnswerError:
        return False


def _right_by_definition(judged: Judged) -> Judged:
    """A member on the way that only restates the question is right."""
    return judged._replace(verdict="correct") if judged.code == "restated" and judged.evidence.get("whole") else judged


def _beside(asked: Asked, last: Judged, written: Written, text: str) -> Judged:
    """The verdict on the last member, unless another formula beside it says something else."""
    if last.verdict not in ("correct", "layout"):
        return last
    for member in written.alternatives:
        if member.error is not None:
            return _error(member.error, text)
        other = _judge_member(asked, member, text)
        judged = ("correct", "layout", "incorrect", "undecided")
        said = other.verdict in judged and other.code != "shape"
        if other.verdict != last.verdict and (said or written.hedged):
            message = "The answer gives several formulas that differ; which one is meant?"
            return Judged("unreadable", "several-answers", last.read_as, message, {"span": list(member.span)})
    return last


def _chain(identifier: Any, members: tuple[Member, ...], judged: list[Judged], last: Judged) -> Verdict:
    first = next((k for k, j in enumerate(judged) if j.verdict == "incorrect"), None)
    score, message = SCORES[last.verdict], last.message
    if first is not None and first < len(judged) - 1:
        score *= SLIP_ON_THE_WAY
        slip = f"member {first} ({members[first].text.strip()}) is wrong: {judged[first].message}"
        message = f"{message} On the way, {slip}"
    steps = tuple(
        {"text": m.text, "read_as": j.read_as, "verdict": j.verdict} for m, j in zip(members, judged, strict=True)
    )
    return Verdict(identifier, last.verdict, score, last.code, last.read_as, message, last.evidence, steps, first)


def _place(problem: AnswerError, text: str) -> dict[str, Any]:
    """Where in the answer an error is: start and end, and the text with a mark under it."""
    start, end = problem.span or (0, len(text))
    start, end = max(0, min(start, len(text))), max(0, min(end, len(text) + 1))
    return {"span": [start, end], "place": mark(text, (start, end))}


def _unreadable(identifier: Any, problem: AnswerError, text: str) -> Verdict:
    evidence = _place(problem, text)
    return Verdict(identifier, "unreadable", 0.0, problem.code, "", problem.message, evidence)


def _reader(asked: Asked, scope: Scope | None = None) -> Reader:
    """A reader of answers: the free indices of the variable are bound, derivatives have values."""

    def derive(of: Node, wrt: Node) -> Node:
        from derive.gradient.closed import derivative_value

        if _is_asked(asked, of) and leaf_of(wrt) is asked.target.leaf:
            message = "This only restates what is asked: the derivative itself stands in the answer."
            raise AnswerError("restated", message)
        if asked.target.free and leaf_of(wrt) is asked.target.leaf and wrt != asked.target.access:
            raise AnswerError("unexpanded", "This derivative is with respect to another index than the one asked for.")
        return with_free_indices_kept(lambda x, y: derivative_value(asked.problem, x, y), of, wrt)

    reader = asked.problem.reader(derive)
    reader.policy, reader.preamble, reader.scope = asked.policy, asked.preamble, scope or reader.scope
    for name, over in asked.target.free:
        reader.bound[name] = b.index(name, None)
        reader.uses[name] = [over]
    return reader


def _judge_member(asked: Asked, member: Member, text: str, scope: Scope | None = None) -> Judged:
    if member.error is not None or member.syntax is None:
        assert member.error is not None
        return _error(member.error, text)
    if isinstance(member.syntax, s.Words):
        return Judged("skipped", "words", "", "These are words, not a formula.", {"span": list(member.span)})
    if _restates(asked, member.syntax):
        evidence = {"span": list(member.span), "whole": True}
        return Judged("skipped", "restated", "", "This only restates what is asked.", evidence)
    reader, unexpanded = _reader(asked, scope), s.has_derivative(member.syntax)
    node: Node | None = None
    try:
        node = _fitted(reader, asked, reader.expression(member.syntax))
        judged = _compare(asked, node, reader)
    except AnswerError as problem:
        judged = _error(problem, text, unexpanded)
    except NoRuleError as problem:
        return Judged("skipped", "unexpanded", "", str(problem), {})
    if unexpanded and judged.code == "shape":
        return Judged("skipped", "unexpanded", judged.read_as, judged.message, judged.evidence)
    return _with_reason(asked, judged, member.syntax, node, text, scope)


def _with_reason(
    asked: Asked, judged: Judged, syntax: s.Syntax, node: Node | None, text: str, scope: Scope | None
) -> Judged:
    """An incorrect verdict with the mistakes that explain it."""
    if judged.verdict != "incorrect" or judged.code == "undefined":
        return judged
    from derive.misconceptions.diagnose import Wrong
    from derive.misconceptions.explain import explained as why

    def read(part: s.Syntax) -> Node:
        reader = _reader(asked, scope)
        return _fitted(reader, asked, reader.expression(part))

    wrong = Wrong(syntax, node, read, lambda: _reader(asked, scope), scope is not None)
    found = why(asked, wrong, text, (judged.code, judged.message) if judged.code == "shape" else None)
    message = found.message if judged.code == "shape" else found.message + judged.message
    return judged._replace(code=found.code, message=message, evidence={**judged.evidence, **found.evidence})


def _fitted(reader: Reader, asked: Asked, node: Node) -> Node:
    """An answer such as `I` or `\\mathbf{1}`, whose size only the question fixes."""
    if not node.is_open:
        return node
    for dims in (asked.dims, asked.dims[::-1]):
        fitted = reader.fit(node, b.zeros(dims), list(zip(node.dims, dims, strict=True)))[0]
        if fitted.dims == dims:
            return reader.settle(fitted)
    return reader.settle(node)


def _error(problem: AnswerError, text: str, unexpanded: bool = False) -> Judged:
    evidence = _place(problem, text)
    if unexpanded and problem.code == "shape":
        return Judged("skipped", "unexpanded", "", problem.message, evidence)
    if problem.code in ("shape", "index"):
        return Judged("incorrect", "shape", "", problem.message, {"method": "shape", **evidence})
    if problem.code == "undefined":
        return Judged("incorrect", "undefined", "", problem.message, {"method": "undefined", **evidence})
    verdict = "skipped" if problem.code in ("unexpanded", "restated") else "unreadable"
    return Judged(verdict, problem.code, "", problem.message, evidence)


def _restates(asked: Asked, node: s.Syntax) -> bool:
    """Whether a member is just the derivative that is asked for, unexpanded."""
    if isinstance(node, s.Group) and len(node.parts) == 1:
        node = node.parts[0]
    if not isinstance(node, s.Derivative) or node.of is None:
        return False
    reader = asked.problem.reader()
    reader.open_letters = True
    try:
        wrt = reader.expression(node.wrt)
        of = reader.expression(without_arguments(reader, node.of))
    except AnswerError:
        return False
    return _is_asked(asked, of) and wrt == asked.target.access


def _is_asked(asked: Asked, of: Node) -> bool:
    """Whether an expression is what is to be differentiated, by its name or written out."""
    return of == asked.of or (asked.of == asked.problem.loss_symbol and of == asked.problem.loss)


def _compare(asked: Asked, node: Node, reader: Reader) -> Judged:
    read_as = latex(node) if node.count <= MOST_SHOWN else ""
    outcome = _outcome(asked, node, reader)
    remark = "".join(f" Note: {note}." for note in dict.fromkeys(reader.notes))
    evidence: dict[str, Any] = {"method": outcome.method}
    if outcome.relation == "equal":
        return Judged("correct", "correct", read_as, f"Equal to the derivative.{remark}", evidence)
    turned = _outcome(asked, b.transpose(node), reader)
    if turned.relation == "equal" and outcome.relation == "different":
        other = "numerator" if asked.layout == "shape" else "shape"
        meaning = "this is the transpose of the derivative in the layout asked for"
        message = f"Right in the {other} layout: {meaning}.{remark}"
        return Judged("layout", "layout", read_as, message, {"method": turned.method})
    if "unknown" in (outcome.relation, turned.relation):
        outcome = outcome if outcome.relation == "unknown" else turned
        return Judged("undecided", "undecided", read_as, f"{outcome.message} A person must look.{remark}", evidence)
    if outcome.method in ("shape", "undefined"):
        return Judged("incorrect", outcome.method, read_as, outcome.message + remark, evidence)
    evidence["counterexample"] = dict(outcome.counterexample)
    return Judged("incorrect", "different", read_as, remark, evidence)


def _outcome(asked: Asked, node: Node, reader: Reader) -> Outcome:
    """How an answer stands to the derivative: by what is kept of the question, or by the whole ladder."""
    found = asked.kept.outcome(asked, node, reader.partial) if asked.kept is not None else None
    if found is None:
        from derive.grading.compare import compare

        found = compare(asked, node, reader.partial)
    return found
