"""A report as a list of parts, written as Markdown or as one HTML page that needs nothing else.

What students wrote is shown as it stands and can do nothing: it is escaped in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from derive.errors import AuthorError


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `tone` (good, half, bad, open) colours it."""

    level: int
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph of plain words; a bold label may stand before it."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula in LaTeX: its source, and (in HTML, if `typeset`) how it looks."""

    label: str
    latex: str
    typeset: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; columns after the first `left` ones are numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1


@dataclass(frozen=True, slots=True)
class Bars:
    """Names with counts, as bars."""

    rows: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of plain texts."""

    texts: Sequence[str]


Part = Heading | Para | Formula | Grid | Bars | Bullets

# ------------------------------------------------------------------------------------------------ Markdown

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~&])")
WIDEST = 40


def markdown(parts: Iterable[Part]) -> str:
    """The parts as Markdown."""
    return "\n".join(_MARKDOWN[type(part)](part) + "\n" for part in parts)  # type: ignore[operator]


def _plain(text: str) -> str:
    """Words in which nothing is Markdown."""
    words = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return re.sub(r"^(\d*)([-+=.)])(?= |$)", r"\1\\\2", words)


def _heading(part: Heading) -> str:
    return f"{'#' * part.level} {_plain(part.text)}"


def _para(part: Para) -> str:
    label = f"**{_plain(part.label)}** " if part.label else ""
    return label + _plain(part.text)


def _formula(part: Formula) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", part.latex)), default=0))
    return f"**{_plain(part.label)}**\n\n{fence}latex\n{part.latex}\n{fence}"


def _grid(part: Grid) -> str:
    rule = ["---" if k < part.left else "---:" for k in range(len(part.head))]
    rows = [[_plain(cell) for cell in row] for row in (part.head, *part.rows)]
    rows.insert(1, rule)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _bars(part: Bars) -> str:
    most = max((count for _, count in part.rows), default=0)
    widths = [max(len(name) for name, _ in part.rows)] if part.rows else [0]
    lines = (f"{n:<{widths[0]}}  {'█' * _width(c, most)}{' ' if c else ''}{c}" for n, c in part.rows)
    return "```text\n" + "\n".join(lines) + "\n```"


def _width(count: int, most: int) -> int:
    return max(1, round(count * WIDEST / most)) if count else 0


def _bullets(part: Bullets) -> str:
    return "\n".join(f"- {_plain(text)}" for text in part.texts)


_MARKDOWN = {Heading: _heading, Para: _para, Formula: _formula, Grid: _grid, Bars: _bars, Bullets: _bullets}

# ---------------------------------------------------------------------------------------------------- HTML

STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --dim: #59636e; --page: #ffffff; --box: #f4f6f8; --line: #d5dbe1;
  --good: #17713a; --half: #875300; --bad: #b3261e; --open: #5b4bb0; --bar: #4a7fc1 }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ec; --dim: #a2abb5; --page: #14181d; --box: #1e242b;
  --line: #39424c; --good: #62d08b; --half: #efb24f; --bad: #ff8f87; --open: #b7a8ff; --bar: #6f9fdb } }
* { box-sizing: border-box }
body { margin: 2rem auto; padding: 0 1rem; max-width: 60rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.25 } h2 { font-size: 1.2rem; margin-top: 2.2rem; padding-top: .8rem;
  border-top: 1px solid var(--line) } h3 { font-size: 1rem }
.good { color: var(--good) } .half { color: var(--half) } .bad { color: var(--bad) } .open { color: var(--open) }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; overflow-x: auto;
  white-space: pre-wrap; margin: .3rem 0 1rem }
code { font: .9rem/1.5 ui-monospace, monospace } .label { color: var(--dim); font-size: .9rem; margin: .8rem 0 0 }
math { font-size: 1.15rem } .math { margin: .2rem 0 .4rem; overflow-x: auto; padding: .2rem 0 }
.wide { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); white-space: nowrap }
th { color: var(--dim); font-weight: 600 } .left { text-align: left }
.bars { margin-bottom: 1rem } .bars td { border: 0; padding: .15rem .8rem .15rem 0 } .bars td:last-child { width: 100% }
.bar { display: inline-block; height: .9rem; background: var(--bar); border-radius: 2px; vertical-align: middle;
  margin-right: .5rem; max-width: 80% }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } }
"""


def html(title: str, parts: Iterable[Part]) -> str:
    """The parts as one HTML page."""
    body = "\n".join(_HTML[type(part)](part) for part in parts)  # type: ignore[operator]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _html_heading(part: Heading) -> str:
    tone = f' class="{part.tone}"' if part.tone else ""
    return f"<h{part.level}{tone}>{escape(part.text)}</h{part.level}>"


def _html_para(part: Para) -> str:
    label = f"<strong>{escape(part.label)}</strong> " if part.label else ""
    return f"<p>{label}{escape(part.text)}</p>"


def _html_formula(part: Formula) -> str:
    shown = mathml(part.latex) if part.typeset else ""
    shown = f'<div class="math">{shown}</div>\n' if shown else ""
    return f'<p class="label">{escape(part.label)}</p>\n{shown}<pre><code>{escape(part.latex)}</code></pre>'


def _html_grid(part: Grid) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        left = (' class="left"' if k < part.left else "" for k in range(len(cells)))
        return "<tr>" + "".join(f"<{tag}{c}>{escape(x)}</{tag}>" for x, c in zip(cells, left, strict=True)) + "</tr>"

    rows = "\n".join(row(cells, "td") for cells in part.rows)
    return (
        f'<div class="wide"><table>\n<thead>{row(part.head, "th")}</thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'
    )


def _html_bars(part: Bars) -> str:
    most = max((count for _, count in part.rows), default=0)
    rows = "\n".join(
        f'<tr><td class="left">{escape(name)}</td><td class="left">'
        f'<span class="bar" style="width: {80 * count / most if most else 0:.1f}%"></span>{count}</td></tr>'
        for name, count in part.rows
    )
    return f'<table class="bars">\n{rows}\n</table>'


def _html_bullets(part: Bullets) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(text)}</li>" for text in part.texts) + "\n</ul>"


_HTML = {
    Heading: _html_heading, Para: _html_para, Formula: _html_formula, Grid: _html_grid, Bars: _html_bars,
    Bullets: _html_bullets,
}  # fmt: skip


def mathml(latex: str) -> str:
    """A formula of ours as MathML; empty where latex2mathml is not installed or cannot show it."""
    try:
        from derive.sheets.html_math import mathml as typeset

        return typeset(latex, large=True)
    except (ModuleNotFoundError, AuthorError):
        return ""
