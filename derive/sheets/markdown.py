"""Sheets as Markdown with formulas between dollar signs, as notebooks and most viewers show them."""

from __future__ import annotations

from collections.abc import Iterator

from derive.sheets.blocks import (
    Block,
    Code,
    Equation,
    Equations,
    Heading,
    Paragraph,
    Picture,
    Room,
    Sheet,
    Step,
    Table,
)

MARKS = {"confirmed": "✓ ", "doubt": "✗ ", "mistake": "⚠ "}


def markdown(sheet: Sheet) -> str:
    """The text of a Markdown file."""
    parts = [f"# {sheet.title}"] if len(sheet.parts) != 1 or sheet.parts[0].title != sheet.title else []
    parts += [text for block in sheet.blocks() for text in rendered(block, len(parts))]
    return "\n\n".join(parts) + "\n"


def rendered(block: Block, deeper: int = 0) -> Iterator[str]:
    """A block as paragraphs of Markdown; headings `deeper` levels down."""
    if isinstance(block, Heading):
        yield f"{'#' * (block.level + deeper)} {block.text}"
    elif isinstance(block, Paragraph):
        text = f"*{block.text}*" if block.kind == "source" else block.text
        yield MARKS.get(block.kind, "") + text
    elif isinstance(block, Equations):
        yield display(block.rows, block.boxed)
    elif isinstance(block, Step):
        yield from step(block)
    elif isinstance(block, Table):
        yield table(block)
    elif isinstance(block, Code):
        yield f"```{block.language}\n{block.text}\n```"
    elif isinstance(block, Picture):
        yield block.svg if block.svg else f"```\n{block.text}\n```"
    elif isinstance(block, Room):
        yield "\n".join(["&nbsp;\n"] * block.lines)


def step(block: Step) -> Iterator[str]:
    """A numbered step: its title and words, then its equations."""
    title = f" {block.title}:" if block.title else ""
    yield f"**{block.number}.**{title} {block.words}".rstrip(": ")
    yield display(block.rows)


def display(rows: tuple[Equation, ...], boxed: bool = False) -> str:
    """Equations as one displayed formula, aligned at the first equals sign."""
    lines = [line for row in rows for line in aligned(row)]
    body = " \\\\\n".join(lines)
    text = f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"
    return f"$$\n\\boxed{{{text}}}\n$$" if boxed else f"$$\n{text}\n$$"


def aligned(row: Equation) -> Iterator[str]:
    """The lines of one equation: each further member on a line of its own, cases and notes beside."""
    note = rf" && \text{{{_plain(row.note)}}}" if row.note and "$" not in row.note else _shape_note(row.note)
    first, *others = row.members or ("",)
    yield rf"{row.left} &= {first}{note}"
    for member in others:
        yield f"&= {member}"
    for condition, value in row.cases:
        yield rf"&\quad {condition}: \quad {value}"


def _plain(text: str) -> str:
    return text.replace("×", r"$\times$")


def _shape_note(note: str) -> str:
    return rf" && \text{{{note}}}" if note else ""


def table(block: Table) -> str:
    """A table; bars inside formulas are written so that they do not end a cell."""
    rule = ["---:" if k in block.numeric else "---" for k in range(len(block.head))]
    rows = [block.head, tuple(rule), *block.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + 'vert ') for cell in row)} |" for row in rows)
