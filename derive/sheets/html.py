"""Sheets as one HTML file that needs nothing else: formulas as MathML, styles and the walk-through's script inside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files

from derive.sheets.blocks import Heading, Part, Sheet
from derive.sheets.html_blocks import rendered, text

LANGUAGE = "en"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def html(sheet: Sheet) -> str:
    """The text of an HTML file.  Raises `AuthorError` for a formula that cannot be shown as MathML."""
    title = sheet.title
    single = len(sheet.parts) == 1 and sheet.parts[0].title == title
    body = [
        '<a class="skip" href="#content">Skip to the content</a>',
        f"<header><h1>{text(title)}</h1></header>",
        *_contents(sheet, single),
        '<main id="content" tabindex="-1">',
        *(line for k, part in enumerate(sheet.parts) for line in _part(part, k, single)),
        "</main>",
    ]
    return "\n".join([
        "<!DOCTYPE html>",
        f'<html lang="{LANGUAGE}">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="generator" content="derive">',
        f"<title>{escape(_plain(title))}</title>",
        f"<style>\n{_asset('sheet.css')}\n{_asset('walk.css')}</style>",
        "</head>",
        "<body>",
        *body,
        f"<script>\n{_asset('sheet.js')}\n{_asset('walk.js')}</script>",
        "</body>",
        "</html>\n",
    ])  # fmt: skip


def _part(part: Part, number: int, single: bool) -> Iterator[str]:
    """One problem: an article under its title, or the whole page."""
    prefix = _name(part, number)
    if not single:
        yield f'<article class="part" id="{prefix}" aria-labelledby="{prefix}-title">'
        yield f'<h2 id="{prefix}-title">{text(part.title)}</h2>'
    for k, block in enumerate(part.blocks):
        yield from rendered(block, f"{prefix}-{k}", 0 if single else 1)
    if not single:
        yield "</article>"


def _contents(sheet: Sheet, single: bool) -> Iterator[str]:
    """The table of contents: the sections of one problem, or the problems of a booklet."""
    if single:
        prefix = _name(sheet.parts[0], 0)
        sections = [
            (f"{prefix}-{k}", block.text)
            for k, block in enumerate(sheet.parts[0].blocks)
            if isinstance(block, Heading) and block.level == 2
        ]
    else:
        sections = [(_name(part, k), part.title) for k, part in enumerate(sheet.parts)]
    if len(sections) < 2:
        return
    yield f'<nav class="contents {"sections" if single else "problems"}" aria-label="Contents">'
    yield "<details open><summary>Contents</summary><ol>"
    yield from (f'<li><a href="#{name}">{text(said)}</a></li>' for name, said in sections)
    yield "</ol></details></nav>"


def _name(part: Part, number: int) -> str:
    """A name for links to a part, the same in every run."""
    slug = _NOT_IN_NAMES.sub("-", (part.identifier or part.title).lower()).strip("-")
    return f"{slug or 'part'}-{number + 1}"


def _plain(title: str) -> str:
    return title.replace("$", "")


@cache
def _asset(name: str) -> str:
    return files("derive.sheets").joinpath("page", name).read_text(encoding="utf-8").strip()
