"""What a sheet is made of: blocks that know nothing of paper or screens.

Text is written with formulas between dollar signs (`the gradient $\\delta x^\\top$`); formulas are LaTeX as the engine
prints it.  Every output is a small renderer over these blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is a problem's title, 2 a section, 3 a part of one."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text.  `kind` is "" or "source", "remark", "confirmed", "doubt", "mistake"."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Equation:
    """left = members[0] = members[1] = …; `note` is the shape or the reason, `cases` are condition and value."""

    left: str
    members: tuple[str, ...]
    note: str = ""
    cases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Equations:
    """Equations under each other, aligned at their first `=`; boxed where they are the result."""

    rows: tuple[Equation, ...]
    boxed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A numbered step: what it is about, its rule in words, its equations."""

    number: int
    title: str
    words: str
    rows: tuple[Equation, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a head; `numeric` columns are aligned to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """Source text."""

    text: str
    language: str = "python"


@dataclass(frozen=True, slots=True)
class Scene:
    """A moment of a walk through a picture: which of its nodes and edges light up, and what is computed there."""

    phase: str  # "forward" or "backward"
    title: str
    words: str
    rows: tuple[Equation, ...]
    nodes: tuple[int, ...] = ()
    edges: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through a picture with the numbers of one input; without a name where there are no numbers."""

    name: str
    svg: str
    scenes: tuple[Scene, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG picture, with what it shows in words and as plain text for where there are no pictures.

    `walks` go through it scene by scene, one for each input; `ask` says what the inputs are.
    """

    svg: str
    alternative: str
    text: str = ""
    caption: str = ""
    walks: tuple[Walk, ...] = ()
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """Room to write an answer, in lines."""

    lines: int = 6


Block = Heading | Paragraph | Equations | Step | Table | Code | Picture | Room


@dataclass(frozen=True, slots=True)
class Part:
    """One problem of a sheet."""

    identifier: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole sheet: a title and one part for each problem."""

    title: str
    parts: tuple[Part, ...]

    def blocks(self) -> Iterator[Block]:
        """All blocks, each problem under its heading."""
        for part in self.parts:
            yield Heading(part.title, 1)
            yield from part.blocks


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    r"""The pieces of a text: whether it is a formula, and what it says.

    >>> list(pieces(r"of $z_k$ only one"))
    [(False, 'of '), (True, 'z_k'), (False, ' only one')]
    """
    for k, piece in enumerate(text.split("$")):
        if piece:
            yield bool(k % 2), piece


def formulas(block: Block) -> Iterator[str]:
    """Every formula of a block."""
    if isinstance(block, (Equations, Step)):
        for row in block.rows:
            yield from (row.left, *row.members, *(part for case in row.cases for part in case))
            yield from (piece for is_formula, piece in pieces(row.note) if is_formula)
    texts: tuple[str, ...] = ()
    if isinstance(block, (Heading, Paragraph)):
        texts = (block.text,)
    elif isinstance(block, Step):
        texts = (block.title, block.words)
    elif isinstance(block, Table):
        texts = (*block.head, *(cell for row in block.rows for cell in row))
    for text in texts:
        yield from (piece for is_formula, piece in pieces(text) if is_formula)
