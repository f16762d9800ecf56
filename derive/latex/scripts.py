"""Subscripts, superscripts and primes behind a factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.latex import syntax as s
from derive.latex.grammar import ACCENTS, EVALUATED, SCRIPTS
from derive.latex.tokens import Token

if TYPE_CHECKING:
    from derive.latex.parser import Parser

NO_SCRIPTS = frozenset(("}", ")", "]", "&", r"\\", r"\}"))
EVALUATIONS = frozenset((EVALUATED, "|"))


def behind(p: Parser, body: s.Syntax, start: int) -> s.Syntax:
    """A factor with the scripts and primes behind it."""
    subs, sups, primes = list[s.Script](), list[s.Script](), 0
    while (text := p.peek()) in SCRIPTS:
        if text == "_" or text == "^":
            p.at += 1
            if p.peek() == "{" and p.peek(1) == "}":
                p.at += 2
                continue
            found = script(p)
            if text == "_":
                subs.append(found)
            elif found.tokens[0].text == "'" and all(t.text == "'" for t in found.tokens):
                primes += len(found.tokens)
            else:
                sups.append(found)
        elif text == "'":
            primes += 1
            p.at += 1
        elif text == "{" and p.peek(1) in ("_", "^"):
            close = p.closing()
            inner = p.within(p.at + 1, close)
            more = behind(inner, body, start)
            assert isinstance(more, s.Scripted)
            subs, sups, primes = [*subs, *more.subs], [*sups, *more.sups], primes + more.primes
            p.at = close + 1
        else:
            break
    if subs or sups or primes:
        body = s.merge_scripts(body, tuple(subs), tuple(sups), primes, p.span_from(start))
    return evaluated(p, body, start) if text in EVALUATIONS else body


def script(p: Parser) -> s.Script:
    """One script, in braces or a single token."""
    start = p.at
    if p.at >= p.end:
        raise p.fail("A script is missing here.")
    if p.peek() == "{":
        close = p.closing()
        inside = p.tokens[p.at + 1 : close]
        p.at = close + 1
        while len(inside) >= 2 and inside[0].text == "{" and p.matching.get(start + 1) == start + len(inside):
            inside, start = inside[1:-1], start + 1
    else:
        inside = single(p)
    if not inside:
        raise p.fail("A script is empty here.")
    return s.Script(tuple(inside), (inside[0].start, inside[-1].end))


def single(p: Parser) -> list[Token]:
    """One token; the argument of an accent or \\frac belongs to it."""
    start = p.at
    text, token = p.peek(), p.tokens[start]
    if text in NO_SCRIPTS:
        raise p.fail("A script is missing here.")
    p.at += 1
    if text in ACCENTS or text in (r"\frac", r"\sqrt"):
        for _ in range(2 if text == r"\frac" else 1):
            p.at = p.closing() + 1 if p.peek() == "{" else p.at + 1
    if token.kind == "number" and len(token.text) > 1 and token.text[0] != ".":
        p.at = start
        first = token._replace(text=token.text[0], end=token.start + 1)
        rest = token._replace(text=token.text[1:], start=token.start + 1)
        p.tokens = [*p.tokens[:start], rest, *p.tokens[start + 1 :]]
        p.texts = [*p.texts[:start], rest.text, *p.texts[start + 1 :]]
        return [first]
    return p.tokens[start : p.at]


def transposed_in_front(p: Parser) -> s.Syntax:
    """`{}^t A`, the transpose as it is written in French."""
    start = p.at
    p.at += 1
    transpose = script(p)
    return s.merge_scripts(p.factor(), (), (transpose,), 0, p.span_from(start))


def evaluated(p: Parser, body: s.Syntax, start: int) -> s.Syntax:
    """A factor, evaluated where the `|_{x = a}` behind it says."""
    if p.peek() not in (EVALUATED, "|") or p.peek(1) != "_" or p.at in p.matching:
        return body
    p.at += 2
    condition = p.part(script(p).tokens).whole()
    return s.At(p.span_from(start), body, condition)
