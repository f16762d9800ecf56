"""A homework: its questions, what each answer is worth, and how far grading may go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

VERDICTS = ("correct", "layout", "incorrect", "undecided", "unreadable")
DEFAULT_CREDIT: Mapping[str, float] = {
    # verdicts
    "correct": 1.0,
    "layout": 0.5,
    "incorrect": 0.0,
    "undecided": 0.0,
    "unreadable": 0.0,
    # near misses: everything but a constant is right
    "sign": 0.5,
    "factor": 0.5,
    # a chain: right at its end, with a slip on the way; wrong at its end, for its right members before the slip
    "slip": 0.75,
    "chain": 0.5,
    # wrong, but what follows from the student's own earlier result
    "carried": 1.0,
}


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which a question is asked: a problem and what is differentiated; `key` is the author's answer."""

    problem: str
    data: Mapping[str, Any]
    wrt: str
    of: str = ""
    layout: str = ""
    policy: str = ""
    key: str = ""

    def asked(self, answer: str, preamble: str = "") -> dict[str, Any]:
        """The question of section 2 of the interface, with an answer."""
        macros = "\n".join(part for part in (str(self.data.get("preamble", "")), preamble) if part)
        optional = {"of": self.of, "layout": self.layout, "policy": self.policy, "preamble": macros}
        return {"problem": self.data, "wrt": self.wrt, "answer": answer} | {k: v for k, v in optional.items() if v}

    @property
    def content(self) -> str:
        """All that a verdict on an answer depends on, but for the answer and the engine."""
        return json.dumps(self.asked(""), sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Case:
    """An answer of the author's with the verdict (and the code, if one is given) that it must get."""

    answer: str
    verdict: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question: a number of points, one or more variants, what is credited."""

    id: str
    title: str
    points: float
    variants: tuple[Variant, ...]
    after: str = ""
    credit: Mapping[str, float] = field(default_factory=lambda: DEFAULT_CREDIT)
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one answer: its seconds and its characters."""

    seconds: float = 30.0
    characters: int = 20_000


@dataclass(frozen=True, slots=True)
class Homework:
    """A homework; `seed` decides which student gets which variant."""

    path: Path
    title: str
    questions: tuple[Question, ...]
    seed: int = 0
    limits: Limits = Limits()

    @property
    def points(self) -> float:
        """What all questions are worth together."""
        return sum(q.points for q in self.questions)

    def variant(self, question: Question, student: str) -> int:
        """Which variant of a question a student gets; the same for the same seed, student and question."""
        digest = sha256(json.dumps([self.seed, student, question.id]).encode()).digest()
        return int.from_bytes(digest[:8], "big") % len(question.variants)
