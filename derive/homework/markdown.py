"""Answers in Markdown: headings, formulas between dollars or in fenced blocks; macros of the author's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from derive.homework.document import Assembler, Event, Found
from derive.homework.macros import macros_of, used_by
from derive.homework.naming import Names
from derive.homework.needs import needed

FORMULAS = frozenset("math latex tex".split())
_BRACKETS = re.compile(r"(?<!\\)\\([()\[\]])")
_STARTS = re.compile(r"^\s*(?:\*\*|__)?([^*_$:]{1,40}?)(?:\*\*|__)?\s*[:.)]\s*(?:\*\*|__)?\s*$")
_LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
_SILENT = re.compile(r"\\label\s*\{[^{}]*\}|\\(?:nonumber|notag)\b")


def read_markdown(text: str, names: Names, name: str) -> Found:
    """The answers of a Markdown file."""
    found = Assembler(names, name)
    found.take(events(text, names))
    return with_macros(found.finish(), macros_of(text))


def with_macros(found: Found, macros: dict[str, str]) -> Found:
    """The same, each answer with the macros that it uses."""
    found.given = [replace(g, preamble=used_by(g.text, macros)) for g in found.given]
    return found


def events(text: str, names: Names, first: int = 1) -> Iterator[Event]:
    """What stands in a text whose first line has the number `first`."""
    parser = needed("markdown_it").MarkdownIt("commonmark").enable("table")
    needed("mdit_py_plugins.dollarmath").dollarmath_plugin(parser, double_inline=True)
    needed("mdit_py_plugins.amsmath").amsmath_plugin(parser)
    level, heading = 0, False
    for token in parser.parse(_with_dollars(text)):
        line = first + (token.map[0] if token.map else 0)
        if token.type == "heading_open":
            level, heading = int(token.tag[1:]), True
        elif token.type == "heading_close":
            heading = False
        elif token.type == "inline":
            if heading:
                yield Event("heading", _plain(token), line, level)
            else:
                yield from _paragraph(token, names, line)
        elif token.type in ("math_block", "math_block_label", "amsmath"):
            yield _formula(token.content, line, token.type)
        elif token.type == "fence":
            kind = token.info.strip().split(" ")[0].lower()
            yield _formula(token.content, line, kind) if kind in FORMULAS else Event("prose", token.content, line)
        elif token.type in ("code_block", "html_block"):
            yield Event("prose", token.content, line)


def _formula(text: str, line: int, kind: str) -> Event:
    labels = tuple(_LABEL.findall(text))
    text = _SILENT.sub("", text).strip()
    bare = kind != "amsmath" and not text.startswith((r"\begin{align", r"\begin{equation", r"\begin{gather", "$"))
    return Event("display", f"$$ {text} $$" if bare else text, line, 0, labels)


def _paragraph(token: Any, names: Names, line: int) -> Iterator[Event]:
    """The parts of a paragraph; one that begins with the name of a question, as in `q1: $…$`, answers it."""
    parts = list(_parts(token, line))
    first = _STARTS.match(parts[0].text) if parts and parts[0].kind == "prose" else None
    named = names.find(first[1]) if first else None
    if named is not None and len(parts) > 1:
        yield Event("open", named, line, 1)  # it ranks as a heading does
        yield from parts[1:]
        yield Event("close", "", line)
    elif _is_bold(token) and names.find(_plain(token)) is not None:
        yield Event("heading", _plain(token), line, 9)
    else:
        yield from parts
        yield Event("prose", "\n\n", line)


def _parts(token: Any, line: int) -> Iterator[Event]:
    words = ""
    for child in token.children or ():
        if child.type in ("math_inline", "math_inline_double"):
            if words:
                yield Event("prose", words, line)
                words = ""
            double = child.type == "math_inline_double"
            yield _formula(child.content, line, "") if double else Event("inline", f"${child.content}$", line)
        elif child.type in ("softbreak", "hardbreak"):
            words, line = words + "\n", line + 1
        else:
            words += child.content
    if words:
        yield Event("prose", words, line)


def _plain(token: Any) -> str:
    return "".join(child.content for child in token.children or ()).strip()


def _is_bold(token: Any) -> bool:
    kinds = [child.type for child in token.children or () if child.type != "text" or child.content.strip(" :.")]
    return len(kinds) >= 2 and kinds[0] == "strong_open" and kinds[-1] == "strong_close"


def _with_dollars(text: str) -> str:
    r"""`\( … \)` and `\[ … \]` as dollars; `\\[4pt]` is left alone, and so is code."""
    signs = {"(": "$", ")": "$", "[": "$$", "]": "$$"}
    pieces = re.split(r"(^```.*?^```|`[^`\n]*`)", text, flags=re.MULTILINE | re.DOTALL)
    pieces[::2] = [_BRACKETS.sub(lambda m: signs[m[1]], piece) for piece in pieces[::2]]
    return "".join(pieces)
