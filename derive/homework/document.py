"""From a document to answers: headings, formulas and words in their order, whatever format they were written in.

A formula belongs to the question whose heading, environment, cell or label it stands under.  Of several displays under
one question the last counts (or the last that is boxed); where there are none, the last formula in the text.  Words
such as “where δ = …” behind a formula belong to it.  What belongs to no question is kept as unassigned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from derive.homework.naming import Names

ANNEX = re.compile(r"^[\s,;]*(?:where|with|here|for|if|when|otherwise|else|and where)\b", re.IGNORECASE)
LONGEST_ANNEX = 400


@dataclass(frozen=True, slots=True)
class Event:
    """One part of a document in its order.

    `kind`: heading (with its `level`), display or inline (a formula), prose, open and close (an environment or cell
    that says itself which question it answers: `text` is the name it gives, a `level` the rank of what it holds),
    solution and end (where an answer stands apart from what was asked).
    """

    kind: str
    text: str
    line: int
    level: int = 0
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it was handed in, with the place where it stands.

    `rank` is 2 where it says itself what it answers (an environment, a cell, a label, a column), 1 under a heading, 0
    for words without a formula: of several answers to a question the last of the highest rank counts.
    """

    question: str
    text: str
    place: str
    rank: int = 2
    preamble: str = ""


@dataclass(slots=True)
class Found:
    """What a file holds: answers in their order, what belongs to no question, and what should be said."""

    given: list[Given] = field(default_factory=list)
    unassigned: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Formula:
    text: str
    line: int
    place: str
    display: bool
    solution: bool


@dataclass(slots=True)
class _Region:
    """What stands under one heading, in one environment or in one cell."""

    question: str | None
    place: str
    level: int
    rank: int = 1
    formulas: list[_Formula] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)


class Assembler:
    """Takes the events of one file; `finish` gives its answers."""

    def __init__(self, names: Names, name: str) -> None:
        self.names, self.name = names, name
        self.found = Found()
        self.stack: list[tuple[int, str]] = []
        self.region = _Region(names.only, self._place(1), 0)
        self.regions = [self.region]
        self.outer: list[_Region] = []
        self.solution = 0
        self.last: _Formula | None = None
        self.lead = ""

    def take(self, events: Iterable[Event]) -> None:
        """Go through events; called once a part where a file has several."""
        for event in events:
            getattr(self, f"_{event.kind}")(event)

    def finish(self) -> Found:
        """The answers, once all events are taken."""
        for region in self.regions:
            self._close_region(region)
        answered = {g.question for g in self.found.given}
        for region in self.regions:
            if region.question is not None and region.question not in answered:
                self._words(region)
        return self.found

    # ------------------------------------------------------------------------------------------- events

    def _begin(self, question: str | None, line: int, level: int, rank: int = 1) -> None:
        self.region = _Region(question, self._place(line), level, rank)
        self.regions.append(self.region)
        self.last, self.lead = None, ""

    def _heading(self, event: Event) -> None:
        self.last, self.lead = None, ""
        if self.outer:
            return
        self.stack = [(level, text) for level, text in self.stack if level < event.level]
        question = next((q for label in event.labels if (q := self.names.label(label))), None)
        question = question or self.names.find(event.text, [text for _, text in self.stack])
        self.stack.append((event.level, event.text))
        if question is not None:
            self._begin(question, event.line, event.level)
        elif self.names.only is None and event.level <= self.region.level:
            self._begin(None, event.line, event.level)

    def _open(self, event: Event) -> None:
        question = self.names.label(event.text) or self.names.find(event.text)
        if question is None:
            self.found.notes.append(f"{self._place(event.line)}: there is no question {event.text!r}")
        self.outer.append(self.region)
        self._begin(question, event.line, 99, event.level or 2)

    def _close(self, event: Event) -> None:
        self.region = self.outer.pop()
        self.last, self.lead = None, ""

    def _solution(self, event: Event) -> None:
        self.solution += 1

    def _end(self, event: Event) -> None:
        self.solution -= 1

    def _display(self, event: Event) -> None:
        self._formula(event, True)

    def _inline(self, event: Event) -> None:
        if self.last is not None and ANNEX.match(self.lead):
            self.last.text += f" {self.lead.strip()} {event.text}"
            self.lead = ""
        else:
            self._formula(event, False)

    def _formula(self, event: Event, display: bool) -> None:
        labelled = next((q for label in event.labels if (q := self.names.label(label))), None)
        region = self.region
        if labelled is not None and labelled != region.question:
            region = _Region(labelled, self._place(event.line), 99, 2)
            self.regions.append(region)
        self.last, self.lead = _Formula(event.text, event.line, self._place(event.line), display, self.solution > 0), ""
        region.formulas.append(self.last)

    def _prose(self, event: Event) -> None:
        self.region.prose.append(event.text)
        if re.search(r"\n\s*\n", event.text):
            self.last = None
        self.lead = (self.lead + event.text)[-LONGEST_ANNEX:]

    # ------------------------------------------------------------------------------------------- regions

    def _close_region(self, region: _Region) -> None:
        if region.question is None:
            self.found.unassigned += [(f.place, f.text.strip()) for f in region.formulas]
            return
        solution = [f for f in region.formulas if f.solution]
        candidates = solution or region.formulas
        candidates = [f for f in candidates if f.display] or candidates
        if not candidates:
            return
        boxed = [f for f in candidates if r"\boxed" in f.text]
        chosen = (boxed or candidates)[-1]
        if len(candidates) > 1:
            which = "the last that is boxed" if boxed else "the last"
            lines = ", ".join(str(f.line) for f in candidates)
            note = f"{region.question}: {len(candidates)} formulas in {self.name} (lines {lines}); {which} counts"
            self.found.notes.append(note)
        rank = 2 if chosen.solution else region.rank
        self.found.given.append(Given(region.question, chosen.text.strip(), chosen.place, rank))

    def _words(self, region: _Region) -> None:
        """Text without a formula under a heading: handed on as it stands, since some write no dollars."""
        text = "".join(region.prose).strip()
        if text and region.question:
            self.found.given.append(Given(region.question, text, region.place, 0))

    def _place(self, line: int) -> str:
        return f"{self.name}, line {line}"
