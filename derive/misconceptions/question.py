"""The wrong forms of a question, with their fingerprints: what answers are looked up in."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from derive.expressions.node import Node
from derive.grading.asked import Asked
from derive.grading.memory import Memory
from derive.misconceptions.broken import Form, broken_derivations
from derive.misconceptions.match import Prints, Table, multiple_of
from derive.misconceptions.others import other_derivatives, other_labels, other_sizes
from derive.misconceptions.seen import Known
from derive.misconceptions.slips import slips_in
from derive.sizes import Dims

LONGEST_CLOSED, MOST_QUESTIONS, MOST_NAMES = 1500, 512, 200


class Question:
    """The wrong forms of one question, by shape; `closed` is the right one."""

    def __init__(self, asked: Asked, closed: Node) -> None:
        self.asked, self.closed = asked, closed
        prints = Prints(asked)
        self.right = prints.of(closed)
        self.last, self.size = _last_of(prints, closed) if self.right is not None else (0.0, 0.0)
        self.tables: dict[Dims, Table] = {}
        self.worth: dict[str, Memory[Known]] = {}
        self._seen: dict[tuple[str, bytes], None] = {}
        others = (other_sizes(asked, closed), other_labels(asked, closed), other_derivatives(asked))
        for form in chain(broken_derivations(asked), slips_in(asked, closed), *others):
            self._keep(form, prints)
        self._seen.clear()

    def may_be_right(self, dims: Dims, value: Any) -> bool:
        """Whether values are those of the derivative, as one of them tells."""
        true = self.last
        return dims == self.closed.dims and not abs(value.item(-1) - true) > 1e-6 * self.size

    def names(self, asked: Asked, own: bool) -> Memory[Known]:
        """What names are worth: shared by the answers that are read alike and bring no names of their `own`."""
        if own or asked.preamble != self.asked.preamble:
            return Memory(MOST_NAMES)
        return self.worth.setdefault(asked.policy, Memory(MOST_NAMES))

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


def _last_of(prints: Prints, closed: Node) -> tuple[float, float]:
    """The last of the values of the derivative, and the largest of all."""
    value = prints.world.value(closed)
    return float(value.item(-1)), float(np.abs(value).max())


_QUESTIONS: Memory[tuple[Asked, Question | None]] = Memory(MOST_QUESTIONS)


def question_of(asked: Asked) -> Question | None:
    """The wrong forms of a question, made once; None where its closed form is missing or too long."""
    key = (id(asked.problem), asked.of, asked.target.access, asked.layout)
    known = _QUESTIONS.get(key)
    if known is None or known[0].problem is not asked.problem:
        closed = asked.closed()
        usable = closed is not None and closed.count <= LONGEST_CLOSED
        known = (asked, Question(asked, closed) if usable and closed is not None else None)
        _QUESTIONS[key] = known
    return known[1]
