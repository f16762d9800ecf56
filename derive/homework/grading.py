"""A class graded: equal answers judged once, on all cores, with what is known already not judged again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from derive.homework.marks import MISSING, Graded, Mark, credit
from derive.homework.model import Homework, Question, Variant
from derive.homework.store import Store, key_of
from derive.homework.submissions import Submission
from derive.homework.workers import Outcome, judged

Verdicts = dict[str, Mapping[str, Any]]
Progress = Callable[[str, int, int], None]
WITHOUT_VALUE = ("shape", "undefined")
REASONS = {
    "time": "Judging this answer took {detail}.",
    "crash": "An error inside derive kept this answer from being judged ({detail}).",
    "size": "The answer is {detail}.",
}
CODES = {"time": "time", "crash": "internal", "size": "size"}


def graded(
    homework: Homework,
    submissions: Sequence[Submission],
    store: Store,
    workers: int | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> list[Graded]:
    """All marks, by student.  What `store` knows is not judged again; `progress` is told how far it is."""
    return _Class(homework, submissions, store, workers, progress).grade()


class _Class:
    """One run over a class."""

    def __init__(
        self, homework: Homework, submissions: Sequence[Submission], store: Store, workers: int | None, told: Progress
    ) -> None:
        self.homework, self.submissions, self.store, self.workers, self.told = (
            homework, submissions, store, workers, told
        )  # fmt: skip
        self.contents: dict[int, str] = {}

    def grade(self) -> list[Graded]:
        jobs: dict[str, dict[str, Any]] = {}
        for submission in self.submissions:
            for question in self.homework.questions:
                key, job = self._job(submission, question)
                if job is not None:
                    jobs.setdefault(key, job)
        verdicts = self._judge("answers", jobs)
        marked = {s.student: [self._mark(s, q, verdicts) for q in self.homework.questions] for s in self.submissions}
        carried = {
            (student, k): found
            for student, marks in marked.items()
            for k, mark in enumerate(marks)
            if (found := self._carried(mark, marks)) is not None
        }
        follows = self._judge("errors carried forward", dict(carried.values()))
        for (student, k), (key, _) in carried.items():
            marked[student][k] = self._with_carried(marked[student][k], follows[key])
        done = [
            Graded(s.student, tuple(marked[s.student]), tuple(s.unassigned), tuple(s.notes), s.called)
            for s in self.submissions
        ]
        self.store.answers(_row(one, mark) for one in done for mark in one.marks)
        return done

    # ------------------------------------------------------------------------------------------- judging

    def _variant(self, submission: Submission, question: Question) -> tuple[int, Variant]:
        number = self.homework.variant(question, submission.student)
        return number, question.variants[number]

    def _content(self, variant: Variant) -> str:
        if id(variant) not in self.contents:
            self.contents[id(variant)] = variant.content
        return self.contents[id(variant)]

    def _job(self, submission: Submission, question: Question) -> tuple[str, dict[str, Any] | None]:
        """The key and the job of an answer; no job where there is no answer, or too long a one."""
        given = submission.answers.get(question.id)
        if given is None:
            return "", None
        _, variant = self._variant(submission, question)
        key = key_of("answer", self._content(variant), given.preamble, given.text)
        if len(given.text) + len(given.preamble) > self.homework.limits.characters:
            return key, None
        return key, {"kind": "answer", "question": variant.asked(given.text, given.preamble)}

    def _judge(self, stage: str, jobs: Mapping[str, Mapping[str, Any]]) -> Verdicts:
        """The verdicts on all jobs; read from the store, so that it makes no difference when they were judged."""
        seconds = self.homework.limits.seconds
        known = self.store.known(jobs, seconds)
        todo = [(key, job) for key, job in jobs.items() if key not in known]
        for number, outcome in enumerate(judged(todo, seconds, self.workers)):
            self.told(stage, len(known) + number, len(jobs))
            found = outcome.found if outcome.found is not None else _given_up(outcome)
            self.store.keep(outcome.key, found, None if outcome.found is not None else seconds)
        self.store.commit()
        self.told(stage, len(jobs), len(jobs))
        return dict(self.store.known(jobs, seconds))

    def _mark(self, submission: Submission, question: Question, verdicts: Verdicts) -> Mark:
        number, variant = self._variant(submission, question)
        given = submission.answers.get(question.id)
        key, job = self._job(submission, question)
        verdict = verdicts[key] if job is not None else MISSING
        if given is not None and job is None:
            most, long = self.homework.limits.characters, len(given.text) + len(given.preamble)
            verdict = bounded("size", f"{long:,} characters long; at most {most:,} are read")
        return Mark(question, variant, given, verdict, credit(verdict, question.credit), number=number, key=key)

    # -------------------------------------------------------------------------------- errors carried forward

    def _carried(self, mark: Mark, marks: Iterable[Mark]) -> tuple[str, dict[str, Any]] | None:
        """The job that finds out whether a wrong answer follows from the student's wrong answer to an earlier part."""
        earlier = next((m for m in marks if m.question.id == mark.question.after), None)
        if earlier is None or not (_is_wrong(mark) and _is_wrong(earlier)):
            return None
        parts = [{"wrt": m.variant.wrt, "answer": m.verdict["read_as"]} for m in (earlier, mark)]
        for part, one in zip(parts, (earlier, mark), strict=True):
            if one.variant.layout:
                part["layout"] = one.variant.layout
        key = key_of(
            "carried", self._content(earlier.variant), self._content(mark.variant), *(p["answer"] for p in parts)
        )
        job = {"kind": "carried", "problem": dict(mark.variant.data), "earlier": parts[0], "later": parts[1]}
        return key, job

    def _with_carried(self, mark: Mark, found: Mapping[str, Any]) -> Mark:
        if not found["follows"]:
            return replace(mark, remark=f"No error is carried forward from {mark.question.after}: {found['why']}.")
        share = max(mark.credit, mark.question.credit["carried"])
        remark = f"Wrong, but it follows from the answer to {mark.question.after}; the error is counted there."
        return replace(mark, credit=share, carried=True, remark=remark)


def _is_wrong(mark: Mark) -> bool:
    found = mark.verdict
    return found["verdict"] == "incorrect" and found["code"] not in WITHOUT_VALUE and bool(found["read_as"])


def _given_up(outcome: Outcome) -> dict[str, Any]:
    return bounded(outcome.reason, outcome.detail)


def bounded(reason: str, detail: str) -> dict[str, Any]:
    """The verdict on an answer that went beyond a bound: a person must look."""
    message = f"{REASONS[reason].format(detail=detail)} A person must look."
    return {
        "id": None, "verdict": "undecided", "score": 0.0, "code": CODES[reason], "read_as": "", "message": message,
        "evidence": {}, "follows": False, "why": message,
    }  # fmt: skip


def _row(graded: Graded, mark: Mark) -> tuple[Any, ...]:
    given = mark.given
    place, text = (given.place, given.text) if given is not None else ("", "")
    return (
        graded.student, mark.question.id, mark.number, mark.key, place, text, mark.points, mark.question.points
    )  # fmt: skip
