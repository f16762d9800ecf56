"""Which question a heading, a label or a column means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from derive.homework.model import Homework

_WORDS = re.compile(
    r"\b(?:questions?|problems?|exercises?|tasks?|parts?|answers?|solutions?|sub|aufgabe|teil|frage|lösung|to|of|for|no|number)\b"
)
_LABEL = re.compile(r"^(?:sec|eq|eqn|ans|answer|sol|q|question|prob|problem|ex|subsec)[:.]")
_TITLE_END = re.compile(r"[:.–—]\s")


class Names:
    """The questions of a homework by what people call them: `q1a`, `Question 1 (a)`, `1a`, the title."""

    def __init__(self, homework: Homework) -> None:
        self.ids = [q.id for q in homework.questions]
        self.exact: dict[str, str | None] = {}
        for question in homework.questions:
            self._know(question.id.lower(), question.id)
        for question in homework.questions:
            for name in dict.fromkeys((normal(question.id), normal(question.title))):
                if name and self.exact.get(name) != question.id:
                    self._know(name, question.id)

    def _know(self, name: str, identifier: str) -> None:
        self.exact[name] = identifier if name not in self.exact else None  # two questions: ambiguous

    @property
    def only(self) -> str | None:
        """The one question of a homework that has but one."""
        return self.ids[0] if len(self.ids) == 1 else None

    def find(self, text: str, parents: Sequence[str] = ()) -> str | None:
        """The question that a heading means, perhaps together with the headings above it; None if there is none."""
        text = text.strip()
        for candidate in (text, _TITLE_END.split(text, maxsplit=1)[0]):
            for name in (candidate.lower(), normal(candidate)):
                if found := self.exact.get(name):
                    return found
        words = [w for w in re.split(r"[\s,;:()\[\]{}]+", text.lower()) if w]
        mentioned = {i for i in self.ids if i.lower() in words and not i.isdigit()}
        if len(mentioned) == 1:
            return mentioned.pop()
        short = normal(_TITLE_END.split(text, maxsplit=1)[0])
        return self.find(normal(parents[-1]) + short, parents[:-1]) if parents and short else None

    def label(self, text: str) -> str | None:
        """The question that a \\label means: `q1`, `eq:q1`, `sec:q1`."""
        text = text.strip()
        return self.exact.get(text.lower()) or self.exact.get(_LABEL.sub("", text.lower()))

    def column(self, text: str) -> str | None:
        """The question that a column or a key means: its id, or a name with the id in brackets."""
        return self.find(text) or next(iter(_bracketed(self, text)), None)


def _bracketed(names: Names, text: str) -> Iterable[str]:
    for inner in re.findall(r"[\[(]([^\])]+)[\])]", text):
        if found := names.exact.get(inner.strip().lower()):
            yield found


def normal(text: str) -> str:
    """A name without words such as “Question”, without signs, in small letters.

    >>> normal("Question 1 (a)"), normal("q1a"), normal("Problem 2:"), normal("Part b.")
    ('1a', '1a', '2', 'b')
    """
    text = re.sub(r"\\[A-Za-z]+\*?", " ", text.lower())
    text = re.sub(r"[\W_]+", "", _WORDS.sub(" ", text))
    return text.removeprefix("q") if re.fullmatch(r"q\d+\w*", text) else text
