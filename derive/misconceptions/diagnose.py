"""What explains a wrong answer: one broken law or slip, else two, else nothing.

The wrong forms of a question are made once.  A student's formula, as it is and with one slip undone, is looked up
among them by its values; what is found is confirmed by the ladder that compares answers, so that a diagnosis is
never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, takewhile
from typing import Any

import numpy as np

from derive.errors import AnswerError, DeriveError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.latex import syntax as s
from derive.misconceptions.match import ALIKE, Print, Prints, confirmed, multiple_of, plain_ratio
from derive.misconceptions.names import around, glance
from derive.misconceptions.question import Question, question_of
from derive.misconceptions.registry import rank, record
from derive.misconceptions.repairs import MOST_SECOND, Read, Repair, repairs_of
from derive.misconceptions.seen import MisfitError, Seen, UnsureError
from derive.misconceptions.special import special_case
from derive.misconceptions.together import WHOLES, together
from derive.reading.reader import Reader
from derive.sizes import Dims

MOST_TRIED, LONGEST_ANSWER = 6, 400
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
    """A wrong answer: its syntax, its value unless its shapes do not fit, how formulas in its place are read, a
    reader of their parts, and whether the answer brings names of its own."""

    syntax: s.Syntax
    node: Node | None
    read: Read
    reader: Callable[[], Reader]
    own_names: bool = False

    def read_or_none(self, part: s.Syntax) -> Node | None:
        """The expression of a formula in the place of the answer; None where it has none."""
        try:
            return self.read(part)
        except (AnswerError, DeriveError, RecursionError):
            return None


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


def diagnose(asked: Asked, wrong: Wrong) -> Diagnosis | None:
    """What explains a wrong answer; None if nothing does.  It never raises for what an answer holds."""
    if wrong.node is not None and wrong.node.count > LONGEST_ANSWER:
        return None
    if wrong.node is not None and (wrong.node.op == "zeros" or wrong.node == b.number(0)):
        return None
    if sum(1 for _ in s.walk(wrong.syntax)) > LONGEST_ANSWER:
        return None
    question = question_of(asked)
    if question is None or question.right is None:
        return None
    with np.errstate(all="ignore"):
        return _Search(asked, question, wrong).best()


class _Repaired:
    """A repair with what it makes of the answer: the values, or the expression where these could not be told."""

    __slots__ = ("mark", "node", "number", "repair", "seen")

    def __init__(self, number: int, repair: Repair, seen: Seen | None) -> None:
        self.number, self.repair, self.seen = number, repair, seen
        self.node: Node | None = None
        self.mark: Print | None = None


class _Search:
    """One answer, looked up as it is and with slips undone."""

    def __init__(self, asked: Asked, question: Question, wrong: Wrong) -> None:
        self.question, self.asked, self.wrong = question, question.asked, wrong
        self.prints = Prints(self.asked)
        self.loose = wrong.node is None or wrong.node.dims != self.asked.dims
        names = question.names(asked, wrong.own_names)
        self.glance = glance(asked, wrong.syntax, wrong.reader, self.prints.world, names)
        dims = None if wrong.node is None else wrong.node.dims
        self.around = around(self.asked, wrong.syntax, wrong.read_or_none, self.glance, dims, self.loose)
        self.right = question.closed
        self.number = wrong.node is not None and wrong.node.op == "number"  # any other is a multiple of it
        self.numbers = count()
        self.repaired: list[_Repaired] = []
        self.tried: dict[Node, int] = {}  # the number of the first repair that leads to an expression
        self.readings = MOST_READ // sum(1 for _ in s.walk(wrong.syntax))

    def best(self) -> Diagnosis | None:
        """The plainest explanation that is confirmed."""
        multiples = [m for m in self._as_it_is(1) if m.codes in (("sign",), ("factor",)) and m.form is self.right]
        whole = self._first(multiples)
        if whole is not None:
            return Diagnosis(whole.codes, self._place_of(whole))
        self.repaired = repaired = [] if self.number else list(self._repaired(repairs_of(self.around)))
        one = [*self._as_it_is(1), *(m for r in repaired for m in self._of_repaired(r, 1))]
        found = self._first(one)
        if found is None:
            special = None if self.wrong.node is None else special_case(self.asked, self.wrong.node)
            if special is not None:
                return Diagnosis((special,))
            two = [*self._as_it_is(2), *(m for r in repaired for m in self._of_repaired(r, 2))]
            found = self._first([m for m in two if not m.replaced])
            if not self.number:
                found = found or self._first(list(self._twice())) or self._first([m for m in two if m.replaced])
        if found is None:
            return None
        spans = [m.span for m in one if m.span is not None and m.span != self.wrong.syntax.span]
        return Diagnosis(found.codes, found.span if found.span in spans else next(iter(spans), None))

    def _place_of(self, whole: _Match) -> Span | None:
        """The place of a factor that is all that is wrong."""
        for repaired in self._repaired(repairs_of(self.around, frozenset(whole.codes))):
            if any(m.form is self.right for m in self._of_repaired(repaired, 1)):
                return repaired.repair.span
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

    # ------------------------------------------------------------------------------------------- repairs

    def _repaired(self, repairs: Iterable[Repair]) -> Iterator[_Repaired]:
        """What repairs make of the answer, as far as it is told by a glance or by reading it."""
        for number, repair in zip(self.numbers, repairs, strict=False):
            try:
                seen = self.glance.whole(repair.place, repair.new)
            except MisfitError:
                continue
            except UnsureError:
                repaired = _Repaired(number, repair, None)
                self._read_anew(repaired)
                if repaired.node is not None:
                    yield repaired
                continue
            if seen.dims == self.right.dims or seen.dims in self.question.tables:
                yield _Repaired(number, repair, seen)

    def _read_anew(self, repaired: _Repaired) -> None:
        """Read a repaired answer, unless it has no meaning or that of an earlier one."""
        repaired.seen = None
        if self.readings <= 0:
            return
        self.readings -= 1
        node = self.wrong.read_or_none(repaired.repair.syntax())
        if node is None or node is self.wrong.node or self.tried.get(node, repaired.number) < repaired.number:
            return
        self.tried[node] = repaired.number
        repaired.node = node

    def _of_repaired(self, repaired: _Repaired, count: int) -> Iterator[_Match]:
        """The explanations of exactly `count` mistakes, that of the repair counted."""
        if repaired.seen is not None and self._is_worth_reading(repaired, repaired.seen, count):
            if count > 1:
                self._read_earlier(repaired)
            self._read_anew(repaired)
        if repaired.node is not None and self.tried[repaired.node] == repaired.number:
            yield from self._looked_up(repaired.node, repaired.repair, count)

    def _is_worth_reading(self, repaired: _Repaired, seen: Seen, count: int) -> bool:
        """Whether the values of a repaired answer are those of an explanation."""
        if count == 1 and not self.question.may_be_right(seen.dims, seen.value):
            return False
        mark = self._mark(repaired)
        return any(self._matches(seen.dims, mark, (repaired.repair.code,), count))

    def _mark(self, repaired: _Repaired) -> Print | None:
        if repaired.mark is None and repaired.seen is not None:
            repaired.mark = self.prints.of_values(repaired.seen.value)
        return repaired.mark

    def _read_earlier(self, repaired: _Repaired) -> None:
        """Read earlier repairs with the same values: what makes the same expression goes by the first of them."""
        mark = self._mark(repaired)
        if mark is None:
            return
        for earlier in takewhile(lambda other: other is not repaired, self.repaired):
            if earlier.seen is not None and repaired.seen is not None and earlier.seen.dims == repaired.seen.dims:
                other = self._mark(earlier)
                if other is not None and np.abs(mark - other).max() <= ALIKE * np.abs(mark).max():
                    self._read_anew(earlier)

    # ------------------------------------------------------------------------------------------- looking up

    def _looked_up(self, node: Node, repair: Repair | None, count: int) -> Iterator[_Match]:
        """The explanations of exactly `count` mistakes, that of the repair counted."""
        before = (repair.code,) if repair else ()
        for codes, form, ratio in self._matches(node.dims, self.prints.of(node), before, count):
            yield _Match(codes, node, form, ratio, repair.span if repair else None)

    def _matches(
        self, dims: Dims, mark: Print | None, before: tuple[str, ...], count: int
    ) -> Iterator[tuple[tuple[str, ...], Node, Fraction]]:
        """The forms of which something with this fingerprint may be a plain multiple, with `count` codes."""
        if mark is None:
            return
        candidates: list[tuple[str, Node, float]] = []
        if dims == self.right.dims and (ratio := multiple_of(mark, self.question.right)) is not None:
            candidates.append((RIGHT, self.right, ratio))
        table = self.question.tables.get(dims)
        if table is not None and count > len(before):
            candidates += [(form.code, form.node, ratio) for form, ratio in table.alike(mark)]
        for code, form, ratio in candidates:
            plain = plain_ratio(ratio)
            if plain is None or (self.number and abs(plain) != 1):
                continue
            scale = () if plain == 1 else ("sign",) if plain == -1 else ("factor",)
            codes = together((*before, *([code] if code else []), *scale))
            if codes and len(before) + bool(code) + len(scale) == count:
                yield codes, form, plain

    def _twice(self) -> Iterator[_Match]:
        """Two slips in the placing of factors, both undone in the text."""
        pairs = 0
        for first in repairs_of(self.around, PLACED, MOST_SECOND // 8):
            inner = around(self.asked, first.syntax(), self.wrong.read_or_none, self.glance)
            for second in repairs_of(inner, PLACED, MOST_SECOND // 8):
                pairs += 1
                if pairs > MOST_SECOND:
                    return
                for repaired in self._repaired((second,)):
                    for match in self._of_repaired(repaired, 1):
                        if match.form is self.right and match.ratio == 1:
                            codes = tuple(sorted({first.code, second.code}, key=rank))
                            yield _Match(codes, match.node, self.right, Fraction(1))
