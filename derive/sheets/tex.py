"""Sheets as LaTeX for a plain TeX Live: article, amsmath, amssymb, booktabs; nothing that has to be fetched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from textwrap import wrap

from derive.errors import AuthorError
from derive.latex.tokens import UNICODE
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
from derive.sheets.numbers import scientific
from derive.sheets.typst_math import Translator

PREAMBLE = Path(__file__).with_name("sheet.tex")
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''",
}  # fmt: skip
SIGNS = {
    "✓": r"\checkmark", "✗": r"\times", "⚠": "!", "▸": r"\triangleright", "⋮": r"\vdots", "⋯": r"\cdots",
    "ᵀ": r"^{\top}", "←": r"\leftarrow", "ℝ": r"\mathbb{R}", "∥": r"\parallel", "∝": r"\propto", "≈": r"\approx",
    "⟨": r"\langle", "⟩": r"\rangle", "⊘": r"\oslash", "⊕": r"\oplus", "−": "-", "ŷ": r"\hat{y}", "│": "|", "─": "-",
    "▲": r"\triangle", "▼": r"\triangledown", "∼": r"\sim", "ε": r"\varepsilon",
}  # fmt: skip
OVER = {
    "\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0307": r"\dot", "\u0308": r"\ddot", "\u20d7": r"\vec",
}  # fmt: skip
RAISED = {"<super>": "^", "<sub>": "_"}
TEXTUAL = {
    "’": "'",
    "‘": "`",
    "“": "``",
    "”": "''",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "\u00a0": "~",
    "ı": r"\i{}",
}
DIACRITICS = "\u00c0-\u017f"  # what every LaTeX sets by itself
MARKS = {
    "source": r"\sheetsource{%s}", "remark": r"\sheetremark{%s}", "confirmed": r"\sheetconfirmed{%s}",
    "doubt": r"\sheetdoubt{%s}", "mistake": r"\sheetmistake{%s}",
}  # fmt: skip
LINE, BESIDE, BOXED, LONGEST_ROW = 62, 40, 12, 84
CODE_SIZES = ((86, r"\small"), (96, r"\footnotesize"), (108, r"\scriptsize"))


def tex(sheet: Sheet) -> str:
    """The source of a document.  Raises `AuthorError` for a sign that LaTeX has no name for."""
    booklet = len(sheet.parts) > 1
    body = [rf"\title{{{text(sheet.title)}}}", r"\begin{document}"]
    body.append(r"\maketitle" + "\n" + r"\tableofcontents" if booklet else rf"\sheettitle{{{text(sheet.title)}}}")
    for block in sheet.blocks():
        if booklet or not (isinstance(block, Heading) and block.level == 1 and block.text == sheet.title):
            body += rendered(block, booklet)
    body.append(r"\end{document}")
    found = "\n\n".join(body) + "\n"
    return "\n".join([_preamble(), *_declared(found), found])


@lru_cache(maxsize=1)
def _preamble() -> str:
    return PREAMBLE.read_text(encoding="utf-8").rstrip()


def _declared(body: str) -> Iterator[str]:
    """How each letter and sign beyond ASCII is set, in formulas, text and source alike."""
    for char in sorted(set(re.sub(rf"[\x00-\x7f{DIACRITICS}]", "", body)) | ({"ŷ"} & set(body))):
        meaning = _meaning(char)
        if not meaning:
            raise AuthorError(f"the sign {char} (U+{ord(char):04X}) has no name in LaTeX", "TeX")
        yield rf"\DeclareUnicodeCharacter{{{ord(char):04X}}}{{{meaning}}}"


def _meaning(char: str) -> str:
    """How a character is set: as text, as a sign, over the one before it, raised or lowered; "" if it is not known."""
    if char in TEXTUAL:
        return TEXTUAL[char]
    if char in SIGNS or char in UNICODE:
        return rf"\ensuremath{{{SIGNS.get(char) or UNICODE[char]}}}"
    if char in OVER:
        return rf"\llap{{$ {OVER[char]}{{\phantom{{x}}}}$}}"
    kind, *points = unicodedata.decomposition(char).split(" ")
    base = "".join(chr(int(point, 16)) for point in points)
    if kind not in RAISED or not (base.isascii() or base in UNICODE):
        return ""
    return rf"\ensuremath{{{RAISED[kind]}{{{UNICODE.get(base, base)}}}}}"


def text(written: str) -> str:
    """Running text."""
    return "".join(f"${formula(piece)}$" if is_formula else escaped(piece) for is_formula, piece in pieces(written))


def escaped(plain: str) -> str:
    """Plain text with what LaTeX would take for its own written out."""
    return "".join(SPECIAL.get(char, char) for char in plain)


def formula(latex: str) -> str:
    r"""A formula with what a plain LaTeX does not have by another name: amssymb has no \mathbb{1}."""
    return re.sub(r"\\math(?:bb|ds)\s*(?:\{1\}|1)", r"\\sheetone{}", latex)


def rendered(block: Block, booklet: bool = False) -> Iterator[str]:
    """One block as paragraphs of LaTeX."""
    if isinstance(block, Heading):
        command = ("section", "subsection*", "subsubsection*") if booklet else ("section*", "section*", "subsection*")
        written = text(block.text).replace("$", r"$\displaystyle ", 1) if block.level > 2 else text(block.text)
        yield rf"\{command[min(block.level, 3) - 1]}{{{written}}}"
    elif isinstance(block, Paragraph):
        yield MARKS.get(block.kind, "%s") % text(block.text)
    elif isinstance(block, Equations):
        yield _boxed(block.rows) if block.boxed else equations(block.rows)
    elif isinstance(block, Step):
        title = f"{text(block.title)}: " if block.title and block.words else text(block.title)
        if title or block.words:
            yield rf"\sheetstep{{{block.number}}}{{{title}{text(block.words)}}}" + "\n" + equations(block.rows)
        else:
            yield equations(block.rows, rf"\sheetnumber{{{block.number}}}")
    elif isinstance(block, Table):
        yield _table(block)
    elif isinstance(block, Code):
        yield code(block.text)
    elif isinstance(block, Room):
        yield rf"\sheetroom{{{block.lines}}}"
    else:
        yield from _picture(block)


def equations(rows: tuple[Equation, ...], number: str = "") -> str:
    """Equations under each other, aligned at their equals signs, their notes at the margin."""
    lines, before = list[str](), ""
    for row in rows:
        lines += _lines(row, "" if row.left == before else row.left)
        before = row.left
    lines[:1] = [number + line for line in lines[:1]]
    return "\\begin{flalign*}\n" + " \\\\[3pt]\n".join(lines) + "\n\\end{flalign*}"


def _boxed(rows: tuple[Equation, ...]) -> str:
    return "\n".join(
        rf"\begin{{sheetbox}}{equations(rows[k : k + BOXED])}" + "\n" + r"\end{sheetbox}"
        for k in range(0, len(rows), BOXED)
    )


def _lines(row: Equation, left: str) -> Iterator[str]:
    """The lines of one equation; long members are broken, and shrunk where that is not enough."""
    note = rf" & \sheetnote{{{text(row.note)}}}" if row.note else " &"
    start, equal = formula(left), " = {}" if row.left else ""
    for member in row.members:
        first, *others = broken(member)
        below = bool(row.note) and bool(others or _length(row.left) + _length(member) > BESIDE)
        yield f"{start} &{equal}\\sheetfit{{{formula(first)}}}{'' if below else note}"
        for more in others:
            yield rf"&\qquad \sheetfit{{{{}}{formula(more)}}}"
        if below:
            yield f"&{note}"
        start, note = "", " &"
    if not row.members:
        yield f"{start} &{note}"
    for condition, value in row.cases:
        yield rf"&\qquad \sheetfit{{{formula(value)} \quad \text{{if }} {formula(condition)}}}"


def broken(latex: str) -> list[str]:
    """A formula in lines of a length that is likely to have room."""
    lines: list[str] = []
    for piece in Translator(latex).sources():
        if lines and _length(lines[-1]) + _length(piece) <= LINE:
            lines[-1] += piece
        else:
            lines.append(piece)
    return [line.strip() for line in lines] or [""]


def _length(latex: str) -> int:
    """About how many signs wide a formula is: of a fraction only the wider half counts, roughly."""
    plain = re.sub(
        r"\\(?:left|right|frac|partial|mathbf|mathbb|operatorname|hat|bar|tilde|text)(?![A-Za-z])", "", latex
    )
    return len(re.sub(r"[{}\s_^]", "", re.sub(r"\\[A-Za-z]+", "x", plain)))


def _table(block: Table) -> str:
    columns = "".join("r" if k in block.numeric else "l" for k in range(len(block.head)))
    rows = [" & ".join(text(scientific(cell)) for cell in row) + r" \\" for row in block.rows]
    head = " & ".join(rf"\textbf{{{text(cell)}}}" for cell in block.head) + r" \\"
    inside = "\n".join([r"\toprule", head, r"\midrule", *rows, r"\bottomrule"])
    return f"\\sheettable{{\\begin{{tabular}}{{{columns}}}\n{inside}\n\\end{{tabular}}}}"


def code(source: str) -> str:
    """Source text, in a size at which its longest line has room."""
    longest = max((len(line) for line in source.split("\n")), default=0)
    size = next((name for most, name in CODE_SIZES if longest <= most), r"\tiny")
    return f"{{{size}\n\\begin{{verbatim}}\n{source}\n\\end{{verbatim}}}}"


def _picture(block: Picture) -> Iterator[str]:
    """LaTeX by itself shows no SVG: the picture as text, with its caption."""
    if block.text:
        lines = (wrap(line, LONGEST_ROW, subsequent_indent="    ") for line in block.text.split("\n"))
        yield code("\n".join(part for line in lines for part in line))
    if caption := block.caption or block.alternative:
        yield rf"\sheetcaption{{{text(caption)}}}"
