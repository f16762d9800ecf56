"""Sheets as PDF, through Typst: its source, and its compiler where the extra `pdf` is installed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from derive.errors import AuthorError
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
    pieces,
)
from derive.sheets.numbers import raised
from derive.sheets.typst_math import breakable, quoted, typst_math

if TYPE_CHECKING:
    from typst import Compiler

TEMPLATE = Path(__file__).with_name("sheet.typ")
KINDS = frozenset(("source", "remark", "confirmed", "doubt", "mistake"))
CODE_SIZE, SMALLEST_CODE, CODE_WIDTH = 8.5, 6.0, 745.0
LONG_INLINE = 90
_DARK = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_COLOUR = re.compile(r"(--[a-z-]+):([^;}]*)[;}]")
_FONT = re.compile(r"font:\s*([\d.]+px)[^;}]*;")
_QUESTION = re.compile(r"\d+\. \$[^$]+\$")


def pdf(sheet: Sheet) -> bytes:
    """The PDF of a sheet.  Raises `AuthorError` where Typst is not installed or a formula cannot be set."""
    found, warnings = _compiler().compile_with_warnings(typst(sheet).encode(), format="pdf")
    if warnings:
        raise AuthorError(f"Typst warns: {warnings[0].message}", "PDF")
    assert isinstance(found, bytes)
    return found


@lru_cache(maxsize=1)
def _compiler() -> Compiler:
    """The compiler with the fonts that it brings; none of the machine's, so that a sheet looks the same everywhere."""
    try:
        from typst import Compiler, Fonts
    except ImportError:
        raise AuthorError('a PDF needs the extra "pdf": pip install "derive[pdf]"', "PDF") from None
    return Compiler(font_paths=Fonts(include_system_fonts=False))


@lru_cache(maxsize=1)
def _template() -> str:
    return TEMPLATE.read_text(encoding="utf-8")


def typst(sheet: Sheet) -> str:
    """The Typst source of a sheet, the look included."""
    booklet = len(sheet.parts) > 1
    lines = [_template(), f"#show: template.with(title: {quoted(sheet.title)}, booklet: {str(booklet).lower()})"]
    if booklet:
        lines.append(f"#contents({quoted(sheet.title)})")
    lines += [rendered(block) for block in sheet.blocks()]
    return "\n".join(lines) + "\n"


def rendered(block: Block) -> str:
    """One block as Typst."""
    if isinstance(block, Heading):
        return f"#heading(level: {block.level}, {text(block.text, display=block.level > 2)})"
    if isinstance(block, Paragraph):
        return _paragraph(block)
    if isinstance(block, Equations):
        return f"#equations(boxed: {str(block.boxed).lower()}, {_rows(block.rows)})"
    if isinstance(block, Step):
        title, words = (text(part) if part else "none" for part in (block.title, block.words))
        return f"#step({block.number}, {title}, {words}, {_rows(block.rows)})"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Code):
        longest = max((len(line) for line in block.text.split("\n")), default=1)
        size = max(SMALLEST_CODE, min(CODE_SIZE, CODE_WIDTH / max(longest, 1)))
        return f"#code({size:.2f}pt, raw({quoted(block.text)}, lang: {quoted(block.language)}, block: true))"
    if isinstance(block, Room):
        return f"#room({block.lines})"
    return _picture(block)


def _paragraph(block: Paragraph) -> str:
    if block.kind in KINDS:
        return f"#{block.kind}({text(block.text)})"
    asked = _QUESTION.fullmatch(block.text) is not None
    return f"#block(sticky: {str(asked).lower()}, {text(block.text, display=asked)})"


def text(written: str, display: bool = False) -> str:
    """Running text as content; `display` sets its formulas as large as displayed ones."""
    return f"[{''.join(_inline(is_formula, piece, display) for is_formula, piece in pieces(written))}]"


def _inline(is_formula: bool, piece: str, display: bool) -> str:
    if not is_formula:
        return f"#{quoted(piece)};"
    shown = f"display({typst_math(piece)})" if display else typst_math(piece)
    if len(piece) > LONG_INLINE and len(breakable(piece)) == 1:
        return f"#context shrunk(${shown}$, 15cm);"
    return f"${shown}$"


def _rows(rows: tuple[Equation, ...]) -> str:
    """Equations under each other; a left side that stands above already is not repeated."""
    shown, before = list[str](), ""
    for row in rows:
        shown.append(_row(row, row.left == before and bool(row.left)))
        before = row.left
    return ", ".join(shown)


def _row(row: Equation, continued: bool) -> str:
    left = f"${typst_math(row.left)}$" if row.left and not continued else "none"
    members = ", ".join(f"({_formulas(breakable(member))})" for member in row.members or ("",))
    cases = ", ".join(f"(${typst_math(condition)}$, ${typst_math(value)}$)" for condition, value in row.cases)
    note = text(row.note) if row.note else "none"
    told = f"continued: {str(continued).lower()}, note: {note}, cases: ({cases}{',' * bool(cases)})"
    return f"(left: {left}, members: ({members},), {told})"


def _formulas(parts: tuple[str, ...]) -> str:
    return ", ".join(f"${part}$" for part in parts or ('""',)) + ","


def _table(block: Table) -> str:
    def cells(row: tuple[str, ...]) -> Iterator[str]:
        return (text(raised(cell)) for cell in row)

    rows = _array(_array(cells(row)) for row in block.rows)
    numeric = _array(str(k) for k in block.numeric)
    return f"#sheet-table(numeric: {numeric}, {_array(cells(block.head))}, {rows})"


def _array(parts: Iterable[str]) -> str:
    """An array, which has a comma behind its last part."""
    return f"({''.join(f'{part}, ' for part in parts)})"


def _picture(block: Picture) -> str:
    caption = text(block.caption) if block.caption else "none"
    if block.svg:
        return f"#picture({quoted(printable(block.svg))}, {quoted(block.alternative)}, {caption})"
    return f"#code({CODE_SIZE}pt, raw({quoted(block.text)}, block: true))"


def printable(svg: str) -> str:
    """A picture for paper: its colours written where they are used, none for the dark, and a font that is there."""
    light = _DARK.sub("", svg)
    for name, value in _COLOUR.findall(light):
        light = light.replace(f"var({name})", value.strip())
    return _FONT.sub(r"font-size: \1; font-family: 'New Computer Modern';", light)
