"""What explains a wrong answer: one broken law or slip, else two, else nothing.

The wrong forms of a question are made once.  A student's formula, as it is and with one slip undone, is looked up
among them by its values; what is found is confirmed by the ladder that compares answers, so that a diagnosis is
never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

from derive.errors import AnswerError, DeriveError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.memory import Memory
from derive.latex import syntax as s
from derive.misconceptions.broken import Form, broken_derivations
from derive.misconceptions.match import Prints, Table, confirmed, multiple_of, plain_ratio
from derive.misconceptions.names import around
from derive.misconceptions.others import other_derivatives, other_labels, other_sizes
from derive.misconceptions.registry import rank, record
from derive.misconceptions.repairs import MOST_SECOND, Read, Repair, repairs_of
from derive.misconceptions.slips import slips_in
from derive.misconceptions.special import special_case
from derive.sizes import Dims

MOST_TRIED, LONGEST_ANSWER, LONGEST_CLOSED = 6, 400, 1500
MOST_READ = 18_000  # parts of formulas
PLACED = frozenset(("transpose-missing", "transpose", "order", "outer-product"))
RIGHT = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The mistakes that explain an answer, the plainest first, and the place of the wrong part if it is known."""

    codes: tuple[str, ...]
    span: Span | None = None

    def as_dict(self) -> dict[str, Any]:
        """What stands in the evidence of a verdict."""
        first = record(self.codes[0])
        return {"code": first.code, "hint": first.hint, "explanation": first.explanation, "also": list(self.codes[1:])}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong answer: its syntax, its value unless its shapes do not fit, and how its parts are read."""

    syntax: s.Syntax
    node: Node | None
    read: Read


@dataclass(frozen=True, slots=True)
class _Match:
    """A possible explanation: the codes, the expression that equals a multiple of a form, and where."""

    codes: tuple[str, ...]
    node: Node
    form: Node
    ratio: Fraction
    span: Span | None = None

    @property
    def order(self) -> tuple[int, ...]:
        return (len(self.codes), *(rank(code) for code in self.codes))

    @property
    def replaced(self) -> bool:
        """Whether it says no more than that one part is wrong."""
        return self.codes[0] in WHOLES


ALWAYS_POSSIBLE = frozenset(("term-extra", "factor-extra"))
REPLACED = {
    "term-extra": ("term-wrong", ("term-missing", "occurrence", "product-rule", "quotient-rule", "symmetry")),
    "factor-extra": ("factor-wrong", ("factor-missing",)),
}
WHOLES = frozenset(whole for whole, _ in REPLACED.values())
BESIDE = frozenset(("sign", "factor", "transpose-missing", "transpose", "order", "layout"))


def together(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Mistakes that explain an answer together, the plainest first; none where they would explain anything.

    What is too much in one place and missing in the same one is wrong there.
    """
    found = tuple(sorted(dict.fromkeys(codes), key=rank))
    if len(found) < len(codes):
        return ()
    extra = next((code for code in found if code in ALWAYS_POSSIBLE), None)
    if extra is None or len(found) == 1:
        return found
    other = next(code for code in found if code is not extra)
    whole, missing = REPLACED[extra]
    if other in missing:
        return (whole,)
    if other == "regulariser" and extra == "term-extra":
        return (other,)
    return found if other in BESIDE else ()


class _Question:
    """The wrong forms of one question, by shape; `closed` is the right one."""

    def __init__(self, asked: Asked, closed: Node) -> None:
        self.asked, self.closed = asked, closed
        prints = Prints(asked)
        self.right = prints.of(closed)
        self.tables: dict[Dims, Table] = {}
        self._seen: dict[tuple[str, bytes], None] = {}
        others = (other_sizes(asked, closed), other_labels(asked, closed), other_derivatives(asked))
        for form in chain(broken_derivations(asked), slips_in(asked, closed), *others):
            self._keep(form, prints)
        self._seen.clear()

    def _keep(self, form: Form, prints: Prints) -> None:
        mark = prints.of(form.node)
        if mark is None:
            return
        if self.right is not None and form.node.dims == self.closed.dims:
            ratio = multiple_of(mark, self.right)
            if ratio is not None and abs(ratio - 1) < 1e-7:
                return
        key = (form.code, mark.round(9).tobytes())
        if key not in self._seen:
            self._seen[key] = None
            self.tables.setdefault(form.node.dims, Table()).add(form, mark)


_QUESTIONS: Memory[tuple[Asked, _Question | None]] = Memory(128)


def _question(asked: Asked) -> _Question | None:
    key = (id(asked.problem), asked.of, asked.target.access, asked.layout)
    known = _QUESTIONS.get(key)
    if known is None or known[0].problem is not asked.problem:
        closed = asked.closed()
        usable = closed is not None and closed.count <= LONGEST_CLOSED
        known = (asked, _Question(asked, closed) if usable and closed is not None else None)
        _QUESTIONS[key] = known
    return known[1]


def diagnose(asked: Asked, wrong: Wrong) -> Diagnosis | None:
    """What explains a wrong answer; None if nothing does.  It never raises for what an answer holds."""
    if wrong.node is not None and wrong.node.count > LONGEST_ANSWER:
        return None
    if wrong.node is not None and (wrong.node.op == "zeros" or wrong.node == b.number(0)):
        return None
    if sum(1 for _ in s.walk(wrong.syntax)) > LONGEST_ANSWER:
        return None
    question = _question(asked)
    if question is None or question.right is None:
        return None
    return _Search(question, wrong).best()


class _Search:
    """One answer, looked up as it is and with slips undone."""

    def __init__(self, question: _Question, wrong: Wrong) -> None:
        self.question, self.asked, self.wrong = question, question.asked, wrong
        self.prints = Prints(self.asked)
        self.loose = wrong.node is None or wrong.node.dims != self.asked.dims
        self.around = around(self.asked, wrong.syntax, self._read, self.loose)
        self.right = question.closed
        self.number = wrong.node is not None and wrong.node.op == "number"  # any other is a multiple of it
        self.tried: set[Node] = set()
        self.readings = MOST_READ // sum(1 for _ in s.walk(wrong.syntax))

    def _read(self, part: s.Syntax) -> Node | None:
        try:
            return self.wrong.read(part)
        except (AnswerError, DeriveError, RecursionError):
            return None

    def best(self) -> Diagnosis | None:
        """The plainest explanation that is confirmed."""
        multiples = [m for m in self._as_it_is(1) if m.codes in (("sign",), ("factor",)) and m.form is self.right]
        whole = self._first(multiples)
        if whole is not None:
            return Diagnosis(whole.codes, self._place_of(whole))
        repaired = list(self._repaired())
        one = [*self._as_it_is(1), *(m for r, node in repaired for m in self._looked_up(node, r, 1))]
        found = self._first(one)
        if found is None:
            special = None if self.wrong.node is None else special_case(self.asked, self.wrong.node)
            if special is not None:
                return Diagnosis((special,))
            two = [*self._as_it_is(2), *(m for r, node in repaired for m in self._looked_up(node, r, 2))]
            found = self._first([m for m in two if not m.replaced])
            if not self.number:
                found = found or self._first(list(self._twice())) or self._first([m for m in two if m.replaced])
        if found is None:
            return None
        spans = [m.span for m in one if m.span is not None and m.span != self.wrong.syntax.span]
        return Diagnosis(found.codes, found.span if found.span in spans else next(iter(spans), None))

    def _place_of(self, whole: _Match) -> Span | None:
        """The place of a factor that is all that is wrong."""
        for repair in repairs_of(self.around, frozenset(whole.codes)):
            if (node := self._read(repair.syntax)) is not None and any(
                m.form is self.right for m in self._looked_up(node, repair, 1)
            ):
                return repair.span
        return None

    def _first(self, matches: list[_Match]) -> _Match | None:
        for match in sorted(matches, key=lambda m: m.order)[:MOST_TRIED]:
            if confirmed(self.asked, match.node, match.form, match.ratio):
                return match
        return None

    def _as_it_is(self, count: int) -> Iterator[_Match]:
        node = self.wrong.node
        if node is None:
            return
        yield from self._looked_up(node, None, count)
        if node.dims == self.asked.dims[::-1] and node.dims != self.asked.dims:
            for match in self._looked_up(b.transpose(node), None, count - 1):
                yield _Match((*match.codes, "layout"), match.node, match.form, match.ratio)

    def _repaired(self) -> Iterator[tuple[Repair, Node]]:
        for repair in () if self.number else repairs_of(self.around):
            if self.readings <= 0:
                return
            self.readings -= 1
            node = self._read(repair.syntax)
            if node is not None and node is not self.wrong.node and node not in self.tried:
                self.tried.add(node)
                yield repair, node

    def _looked_up(self, node: Node, repair: Repair | None, count: int) -> Iterator[_Match]:
        """The explanations of exactly `count` mistakes, that of the repair counted."""
        mark = self.prints.of(node)
        if mark is None:
            return
        before = (repair.code,) if repair else ()
        span = repair.span if repair else None
        candidates: list[tuple[str, Node, float]] = []
        if node.dims == self.question.closed.dims and (ratio := multiple_of(mark, self.question.right)) is not None:
            candidates.append((RIGHT, self.question.closed, ratio))
        table = self.question.tables.get(node.dims)
        if table is not None and count > len(before):
            candidates += [(form.code, form.node, ratio) for form, ratio in table.alike(mark)]
        for code, form, ratio in candidates:
            plain = plain_ratio(ratio)
            if plain is None or (self.number and abs(plain) != 1):
                continue
            scale = () if plain == 1 else ("sign",) if plain == -1 else ("factor",)
            codes = together((*before, *([code] if code else []), *scale))
            if codes and len(before) + bool(code) + len(scale) == count:
                yield _Match(codes, node, form, plain, span)

    def _twice(self) -> Iterator[_Match]:
        """Two slips in the placing of factors, both undone in the text."""
        count = 0
        for first in repairs_of(self.around, PLACED, MOST_SECOND // 8):
            inner = around(self.asked, first.syntax, self._read)
            for second in repairs_of(inner, PLACED, MOST_SECOND // 8):
                count += 1
                if count > MOST_SECOND or self.readings <= 0:
                    return
                self.readings -= 1
                node = self._read(second.syntax)
                if node is None or node in self.tried:
                    continue
                self.tried.add(node)
                mark = self.prints.of(node)
                if mark is None or node.dims != self.question.closed.dims:
                    continue
                ratio = multiple_of(mark, self.question.right)
                if ratio is not None and plain_ratio(ratio) == 1:
                    codes = tuple(sorted({first.code, second.code}, key=rank))
                    yield _Match(codes, node, self.question.closed, Fraction(1))
