"""The blocks of a sheet as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from derive.plaintext import readable
from derive.sheets.blocks import (
    Block,
    Code,
    Equation,
    Equations,
    Heading,
    Paragraph,
    Picture,
    Room,
    Step,
    Table,
    pieces,
)
from derive.sheets.html_math import mathml, terms

MARKS = {"confirmed": "✓", "doubt": "✗", "mistake": "⚠", "remark": ""}
WIDE_SIDE = 46
KEYWORDS = "and as def else elif False for from if import in is lambda None not or return True while".split()
_PYTHON = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<string>\"\"\".*?\"\"\"|\"[^\"\n]*\"|'[^'\n]*')"
    rf"|(?P<keyword>\b(?:{'|'.join(KEYWORDS)})\b)|(?P<number>\b\d[\d.]*(?:e[-+]?\d+)?\b)",
    re.DOTALL,
)


def rendered(block: Block, name: str, deeper: int = 0) -> Iterator[str]:
    """A block as lines of HTML; `name` is its id, headings stand `deeper` levels down."""
    if isinstance(block, Heading):
        level = block.level + deeper
        label = (
            f' aria-label="{escape(readable(block.text.replace("$", "")), quote=True)}"' if "$" in block.text else ""
        )
        yield f'<h{level} id="{name}"{label}>{text(block.text, large=True)}</h{level}>'
    elif isinstance(block, Paragraph):
        yield paragraph(block)
    elif isinstance(block, Equations):
        yield from equations(block.rows, block.boxed)
    elif isinstance(block, Step):
        yield from step(block)
    elif isinstance(block, Table):
        yield from table(block)
    elif isinstance(block, Code):
        yield code(block)
    elif isinstance(block, Picture):
        from derive.sheets.html_walk import picture

        yield from picture(block, name, 3 + deeper)
    elif isinstance(block, Room):
        yield f'<div class="room" style="--lines: {block.lines}"></div>'


def text(words: str, large: bool = False) -> str:
    """Running text with its formulas, `large` ones as displayed."""
    return "".join(_sum(said, large) if formula else escape(said, quote=False) for formula, said in pieces(words))


def _sum(latex: str, large: bool) -> str:
    """A formula; a long sum may be broken between its terms."""
    first, *others = terms(latex)
    return "<wbr>".join([mathml(first, large), *(mathml(other, large, continued=True) for other in others)])


def paragraph(block: Paragraph) -> str:
    """A paragraph; what is confirmed, doubtful or a mistake carries a mark."""
    mark = MARKS.get(block.kind, "")
    sign = f'<span class="mark" aria-hidden="true">{mark}</span> ' if mark else ""
    kind = f' class="{block.kind}"' if block.kind else ""
    return f"<p{kind}>{sign}{text(block.text)}</p>"


def equations(rows: tuple[Equation, ...], boxed: bool = False) -> Iterator[str]:
    """Equations under each other, aligned at the first equals sign, notes at the right."""
    wide = any(_weight(row.left) > WIDE_SIDE for row in rows)
    kinds = ["equations", *(["boxed"] if boxed else []), *(["wide"] if wide else [])]
    yield f'<div class="{" ".join(kinds)}">'
    for row in rows:
        yield from _equation(row)
    yield "</div>"


def _equation(row: Equation) -> Iterator[str]:
    left = mathml(row.left, large=True) if row.left else ""
    yield f'<div class="equation"><div class="left">{left}</div><div class="right">'
    for member in filter(None, row.members):
        yield f'<div class="member">{_sum(f"= {member}", large=True)}</div>'
    for condition, value in row.cases:
        yield f'<div class="member case"><span>{mathml(condition)}:</span> {mathml(value, large=True)}</div>'
    note = f'<div class="note">{text(row.note)}</div>' if row.note else ""
    yield f"</div>{note}</div>"


def _weight(latex: str) -> int:
    """About how wide a formula is."""
    return len(re.sub(r"\\frac\{\\partial [^}]*\}|\\[A-Za-z]+|[{}]", "", latex))


def step(block: Step) -> Iterator[str]:
    """A numbered step: its title and words, then its equations."""
    yield f'<div class="step" role="group" aria-label="Step {block.number}">'
    title = f"<strong>{text(block.title)}:</strong> " if block.title else ""
    number = f'<span class="number">{block.number}</span>'
    said = f"{title}{text(block.words)}".strip()
    yield f'<p class="law">{number} {said}</p>' if said else number
    yield from equations(block.rows)
    yield "</div>"


def table(block: Table) -> Iterator[str]:
    """A table that scrolls inside its own box where it is too wide; the first cell of a row is its head."""
    yield '<div class="scrolling"><table><thead><tr>'
    yield "".join(_cell("th", head, k in block.numeric, ' scope="col"') for k, head in enumerate(block.head))
    yield "</tr></thead><tbody>"
    for first, *others in block.rows:
        cells = [_cell("th", first, 0 in block.numeric, ' scope="row"')]
        cells += [_cell("td", cell, k in block.numeric) for k, cell in enumerate(others, 1)]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def _cell(tag: str, said: str, numeric: bool, scope: str = "") -> str:
    kind = ' class="numeric"' if numeric else ""
    return f"<{tag}{scope}{kind}>{text(said)}</{tag}>"


def code(block: Code) -> str:
    """Source text; Python with its comments, strings, keywords and numbers told apart."""
    shown = _coloured(block.text) if block.language == "python" else escape(block.text, quote=False)
    return f'<pre><code class="language-{escape(block.language)}">{shown}</code></pre>'


def _coloured(source: str) -> str:
    out, at = "", 0
    for found in _PYTHON.finditer(source):
        out += escape(source[at : found.start()], quote=False)
        out += f'<span class="{found.lastgroup}">{escape(found[0], quote=False)}</span>'
        at = found.end()
    return out + escape(source[at:], quote=False)
