"""A verdict: what is said of one answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What section 3 of the interface prints."""

    id: Any
    verdict: str
    score: float
    code: str
    read_as: str
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    steps: tuple[dict[str, Any], ...] | None = None
    first_wrong: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The object of one line of output."""
        out: dict[str, Any] = {
            "id": self.id, "verdict": self.verdict, "score": self.score, "code": self.code, "read_as": self.read_as,
            "message": self.message, "evidence": self.evidence,
        }  # fmt: skip
        if self.steps is not None:
            out |= {"steps": list(self.steps), "first_wrong": self.first_wrong}
        return out

    def called(self, identifier: Any) -> Verdict:
        """The same verdict on a question of another id."""
        if self.id is identifier:
            return self
        out = object.__new__(Verdict)
        for name in Verdict.__slots__:
            object.__setattr__(out, name, identifier if name == "id" else getattr(self, name))
        return out

    def _repr_markdown_(self) -> str:
        """How a notebook shows it."""
        read = f"\n\nread as ${self.read_as}$" if self.read_as else ""
        place = f"\n\n```\n{self.evidence['place']}\n```" if self.evidence.get("place") else ""
        return f"**{self.verdict}** ({self.code}) {self.message}{read}{place}"


def reported(identifier: Any, code: str, message: str, **evidence: Any) -> Verdict:
    """The verdict for what could not even be judged."""
    return Verdict(identifier, "unreadable", 0.0, code, "", message, dict(evidence))
