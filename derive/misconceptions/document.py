"""The registry of misconceptions as a document for teachers: `python -m derive.misconceptions.document`."""

from __future__ import annotations

from collections.abc import Iterator

from derive.misconceptions.registry import Misconception, records

HEAD = """# Misconceptions

What a wrong answer may be explained by, the most specific first. Each entry is a law that was broken or a slip of the
pen. The wrong forms follow for every problem: by deriving it with that law broken, by making that slip in the closed
form, or by undoing it in the student's formula. An explanation is only given when it is confirmed by the same ladder
that grades answers; combinations of two are tried after all single ones. If nothing explains an answer, its code is
`different`; if its shapes fit in no reading, its code is `shape`, and the likely mistake stands in the evidence.

The `code` of a verdict is stable; the wording is not."""


def document() -> str:
    """The whole document."""
    return "\n".join((HEAD, *(line for one in records() for line in _entry(one))))


def _entry(one: Misconception) -> Iterator[str]:
    yield f"\n## {one.code}\n"
    yield f"- Law: {one.law}"
    yield f"- For the teacher: {one.explanation}"
    yield f"- Hint for the student: {one.hint}"
    for example in one.examples:
        of = f" of `{example.of}`" if example.of else ""
        yield f"- Example: `{example.answer}` for the derivative{of} by `{example.wrt}` in `{example.problem}`"


if __name__ == "__main__":
    print(document())
