r"""Answers in LaTeX files: `\begin{answer}{q1}`, labels, section headings; macros of the author's own.

The structure is found by pylatexenc, which tolerates what does not balance; nothing is executed or included.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from derive.homework.document import Assembler, Event, Found
from derive.homework.macros import macros_of, used_by
from derive.homework.naming import Names
from derive.homework.needs import needed

LEVELS = {name: k for k, name in enumerate(
    ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph"), 1)}  # fmt: skip
DISPLAYS = frozenset(
    "equation align gather multline eqnarray displaymath flalign alignat dmath IEEEeqnarray math".split()
)
ANSWERS = frozenset("answer solution".split())
BOLD = frozenset("textbf textsc emph underline".split())
IGNORED = frozenset("verbatim lstlisting minted comment".split())
MOST_REPAIRS, MOST_REPAIRED = 20, 400_000
_STARTS = re.compile(
    r"\\(?:part|chapter|(?:sub)*section|(?:sub)?paragraph)\*?\s*\{|\\(?:begin|end)\s*\{(?:answer|solution)\}"
)
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
_LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
_SILENT = re.compile(r"\\(?:label|ref|eqref|tag)\s*\{[^{}]*\}|\\(?:nonumber|notag|centering|noindent|qedhere)\b")


def read_tex(text: str, names: Names, name: str, macros: dict[str, str] | None = None) -> Found:
    """The answers of a LaTeX file; `macros` are those of the student's other files."""
    known = {**(macros or {}), **macros_of(text)}
    found = Assembler(names, name)
    try:
        walker = _Walker(text)
        found.found.notes += [f"{name}: {note}" for note in walker.notes]
        found.take(walker.events())
    except RecursionError:
        found.found.notes.append(f"{name}: nested too deep; not read")
        found.found.unassigned.append((name, text[:2000]))
    done = found.finish()
    done.given = [replace(g, preamble=used_by(g.text, known)) for g in done.given]
    return done


class _Walker:
    """Goes through the nodes of a file and tells what stands there."""

    def __init__(self, text: str) -> None:
        latex = needed("pylatexenc.latexwalker")
        self.text, self.latex, self.notes = text, latex, list[str]()
        for _ in range(max(1, min(MOST_REPAIRS, MOST_REPAIRED // (1 + len(text))))):
            self.starts = [0] + [m.end() for m in re.finditer("\n", self.text)]
            self.nodes = latex.LatexWalker(self.text, tolerant_parsing=True).get_latex_nodes()[0]
            if not self._closed(self.nodes):
                break

    def _closed(self, nodes: list[Any]) -> bool:
        """Close the first formula that runs on into a heading or out of its environment; whether there was one."""
        for node in nodes:
            opening = self._opens(node)
            if opening is None:
                if self._closed(list(getattr(node, "nodelist", None) or ())):
                    return True
            elif (begins := _STARTS.search(self.text, node.pos + 1, node.pos + node.len)) is not None:
                line = self._line(node)
                self.notes.append(f"line {line}: {opening[0]} is never closed; it ends where the next part begins")
                self.text = f"{self.text[: begins.start()]}{opening[1]} {self.text[begins.start() :]}"
                return True
        return False

    def _opens(self, node: Any) -> tuple[str, str] | None:
        """What opens and what closes a formula; None for anything else."""
        kind = type(node).__name__
        if kind == "LatexMathNode":
            return node.delimiters[0], node.delimiters[1]
        if kind == "LatexEnvironmentNode" and self._name(node) in DISPLAYS:
            return rf"\begin{{{node.environmentname}}}", rf"\end{{{node.environmentname}}}"
        return None

    def events(self) -> Iterator[Event]:
        """What stands in the document, or in the whole file where there is none."""
        body = next((n for n in self.nodes if self._name(n) == "document"), None)
        yield from self._through(self.nodes if body is None else body.nodelist)

    def _name(self, node: Any) -> str:
        found = getattr(node, "environmentname", None) or getattr(node, "macroname", None) or ""
        return str(found).rstrip("*")

    def _line(self, node: Any) -> int:
        return bisect_right(self.starts, node.pos)

    def _source(self, nodes: list[Any]) -> str:
        if not nodes:
            return ""
        return self.text[nodes[0].pos : nodes[-1].pos + nodes[-1].len]

    def _through(self, nodes: list[Any]) -> Iterator[Event]:
        index = 0
        while index < len(nodes):
            node = nodes[index]
            index += 1
            kind = type(node).__name__
            if kind == "LatexMacroNode":
                behind = nodes[index : index + 2]
                yield from self._macro(node, behind)
            elif kind == "LatexEnvironmentNode":
                yield from self._environment(node)
            elif kind == "LatexMathNode":
                shown = node.displaytype == "display"
                yield self._formula(node, "display" if shown else "inline")
            elif kind == "LatexGroupNode":
                yield from self._through(node.nodelist)
            elif kind != "LatexCommentNode":
                yield Event("prose", self._verbatim(node), self._line(node))

    def _verbatim(self, node: Any) -> str:
        return self.text[node.pos : node.pos + node.len]

    def _macro(self, node: Any, behind: list[Any]) -> Iterator[Event]:
        name, line = self._name(node), self._line(node)
        parts = [a for a in (node.nodeargd.argnlist if node.nodeargd else ()) or () if a is not None]
        runs_on = _STARTS.search(self.text, node.pos + 1, node.pos + node.len)
        if runs_on is not None:  # a brace of it is never closed
            if name in LEVELS:
                yield Event("heading", self.text[parts[-1].pos + 1 : runs_on.start()], line, LEVELS[name])
            yield from (e for part in parts for e in self._through(list(getattr(part, "nodelist", None) or ())))
        elif name in LEVELS:
            labels = tuple(m[1] for n in behind for m in [_LABEL.match(self._verbatim(n))] if m)
            yield Event("heading", self._inner(parts[-1]) if parts else "", line, LEVELS[name], labels)
        elif name == "item" and parts:
            yield Event("heading", self._inner(parts[-1]), line, len(LEVELS) + 2)
        elif name in BOLD and parts and self._begins_line(node):
            yield Event("heading", self._inner(parts[-1]), line, len(LEVELS) + 1)
        elif name not in ("label", "newcommand", "renewcommand", "providecommand"):
            yield Event("prose", self._verbatim(node), line)

    def _begins_line(self, node: Any) -> bool:
        return not self.text[self.starts[self._line(node) - 1] : node.pos].strip()

    def _inner(self, node: Any) -> str:
        text = self._verbatim(node)
        return text[1:-1] if text[:1] in "{[" else text

    def _environment(self, node: Any) -> Iterator[Event]:
        name, line = self._name(node), self._line(node)
        if name in DISPLAYS:
            yield self._formula(node, "inline" if name == "math" else "display")
        elif name in ANSWERS:
            key, nodes = self._key_of(node)
            yield Event("open", key, line) if key else Event("solution", "", line)
            yield from self._through(nodes)
            yield Event("close" if key else "end", "", line)
        elif name in IGNORED:
            yield Event("prose", self._verbatim(node), line)
        else:
            yield from self._through(node.nodelist)

    def _key_of(self, node: Any) -> tuple[str, list[Any]]:
        """The name behind `\\begin{answer}`, in braces or brackets, and what follows it."""
        nodes = list(node.nodelist)
        if not nodes:
            return "", nodes
        first = nodes[0]
        touching = first.pos == node.pos + len(rf"\begin{{{node.environmentname}}}")
        if type(first).__name__ == "LatexGroupNode" and touching:
            return self._inner(first).strip(), nodes[1:]
        bracket = re.match(r"\[([^\[\]\n]*)\]", self._verbatim(first)) if touching else None
        if bracket is None:
            return "", nodes
        rest = self.latex.LatexCharsNode(
            parsing_state=first.parsing_state, chars=first.chars[bracket.end() :],
            pos=first.pos + bracket.end(), len=first.len - bracket.end(),
        )  # fmt: skip
        return bracket[1].strip(), [rest, *nodes[1:]]

    def _formula(self, node: Any, kind: str) -> Event:
        source = self._verbatim(node)
        labels = tuple(_LABEL.findall(source))
        return Event(kind, _SILENT.sub("", _COMMENT.sub(r"\1", source)).strip(), self._line(node), 0, labels)
