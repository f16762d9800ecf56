"""The document of notation: every spelling in it is read, and the file in the repository is what is generated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import value_of

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.notation import PROBLEM, ROWS, document
from derive.numerics.fields import Floating
from derive.problem.builder import problem_from
from derive.sizes import ONE, Range, Size

HOME = problem_from(PROBLEM)
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "notation.md"
PAIRS = [(row.spellings[0], other) for row in ROWS for other in row.spellings]


def read(text: str) -> Node:
    """A formula of the document, with the indices i, j and k fixed."""
    reader = HOME.reader()
    for name, size in (("i", "n"), ("j", "n"), ("k", "K")):
        reader.bound[name] = b.number(2)
        reader.uses[name] = [Range(ONE, Size.of(size))]
    return reader.read(text)


@pytest.mark.parametrize(("plain", "other"), PAIRS)
def test_spellings_of_a_row_mean_the_same(plain: str, other: str) -> None:
    first, second = read(plain), read(other)
    assert first.dims == second.dims
    left, right = (value_of(node, Floating(), problem=HOME) for node in (first, second))
    np.testing.assert_allclose(left, right, rtol=1e-12)


def test_the_document_is_what_the_tables_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document() + "\n", "run python -m derive.notation > docs/notation.md"
