"""Commands: fractions, roots, derivatives, accents, sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from derive.errors import AnswerError
from derive.latex import environments, scripts
from derive.latex import syntax as s
from derive.latex.grammar import ACCENTS, BIG, CLOSING, ENDS, FOREIGN, RELATIONS, STACKS, TIMES
from derive.latex.tokens import Token

if TYPE_CHECKING:
    from derive.latex.parser import Parser

MARKS = frozenset((r"\partial", "d", r"\delta"))
SIGNS = frozenset(("+", "-", "^", "_", *TIMES))


def command(p: Parser, start: int) -> s.Syntax:
    """What begins with a command: a fraction, a sum, an accent, a name."""
    text = p.peek()
    if text in READERS:
        return READERS[text](p)
    if text in BIG and (text != r"\Sigma" or p.peek(1) in ("_", "^")) and text not in p.letters:
        return big(p, BIG[text])
    if text == r"\substack":
        p.at += 1
        return p.braces()
    if text in (r"\end", r"\\"):
        raise p.fail(f"{text} is not expected here.")
    p.at += 1
    return s.Name((p.tokens[start].start, p.tokens[start].end), text)


def _fraction(p: Parser) -> s.Syntax:
    start = p.at
    derivative = _derivative_fraction(p)
    if derivative is not None:
        return derivative
    p.at = start + 1
    above = p.argument()
    below = p.argument()
    return s.Frac(p.span_from(start), above, below)


def _derivative_fraction(p: Parser) -> s.Syntax | None:
    """\\frac{∂ J}{∂ x}, or \\frac{∂}{∂ x} with what follows it."""
    start = p.at
    p.at += 1
    if p.peek() != "{":
        return None
    above = (p.at + 1, p.closing())
    p.at = above[1] + 1
    if p.peek() != "{":
        return None
    below = (p.at + 1, p.closing())
    mark = p.texts[above[0]]
    if mark not in MARKS or mark != p.texts[below[0]] or below[1] - below[0] < 2 or (mark != "d" and mark in p.letters):
        return None
    if mark == "d" and any(p.tokens[k + 1].text in SIGNS for k, end in (above, below) if k + 1 < end):
        return None
    after = below[1] + 1
    try:
        wrt = p.inside(below[0] + 1, below[1])
        of = p.inside(above[0] + 1, above[1]) if above[1] - above[0] > 1 else None
    except AnswerError:
        return None
    p.at = after
    if of is None:
        of = p.signed_term() if p.something_follows() else None
        return s.Derivative(p.span_from(start), of, wrt, True)
    return s.Derivative(p.span_from(start), of, wrt, False, tuple(p.tokens[start:after]))


def _nabla(p: Parser) -> s.Syntax:
    start = p.at
    p.at += 1
    if p.peek() != "_":
        raise p.fail(r"\nabla needs the variable as a subscript.")
    p.at += 1
    script = scripts.script(p)
    wrt = p.part(script.tokens).whole()
    of = p.operand() if p.something_follows() and p.peek() != "-" else None
    return s.Derivative(p.span_from(start), of, wrt, False)


def _slanted(p: Parser) -> s.Syntax:
    """∂J/∂W in one line."""
    start = p.at
    p.at += 1
    of = p.operand() if p.peek() != "/" else None
    if isinstance(of, s.Group) and len(of.parts) == 1:
        of = of.parts[0]
    if p.peek() != "/" or p.peek(1) != r"\partial":
        raise p.fail(r"\partial stands alone; a derivative is written \frac{\partial J}{\partial W}.")
    p.at += 2
    wrt = p.factor()
    if of is None:
        of = p.signed_term() if p.something_follows() else None
        return s.Derivative(p.span_from(start), of, wrt, True)
    return s.Derivative(p.span_from(start), of, wrt, False)


def _root(p: Parser) -> s.Syntax:
    start = p.at
    p.at += 1
    degree = None
    if p.peek() == "[":
        close = p.closing()
        degree = p.inside(p.at + 1, close)
        p.at = close + 1
    return s.Root(p.span_from(start), p.argument(), degree)


def _accent(p: Parser) -> s.Syntax:
    """\\hat{y}, \\hat y_o, \\hat{y_o}: the accent belongs to the letter, scripts to the whole."""
    start, accent = p.at, p.peek()
    p.at += 1
    body = p.argument()
    span = p.span_from(start)
    if isinstance(body, s.Name):
        return s.Name(span, f"{accent}{{{body.base}}}")
    if isinstance(body, s.Scripted) and isinstance(body.body, s.Name):
        return replace(body, span=span, body=s.Name(span, f"{accent}{{{body.body.base}}}"))
    raise AnswerError("unreadable", f"{accent} stands over something that is not a letter.", span)


def _decorated(p: Parser) -> s.Syntax:
    """\\underbrace{a}_{b}, \\overset{a}{b}: what is under or over is a remark."""
    command = p.peek()
    p.at += 1
    if command in (r"\underbrace", r"\overbrace"):
        body = p.argument()
        while p.peek() in ("_", "^"):
            p.at += 1
            scripts.script(p)
        return body
    close = p.closing() if p.peek() == "{" else p.at
    p.at = close + 1
    return p.argument()


def big(p: Parser, sign: str) -> s.Syntax:
    """A sum, product or extremum over an index, with what it takes."""
    start = p.at
    p.at += 1
    lower, upper = tuple[s.Syntax, ...](), None
    while p.peek() in ("_", "^"):
        below = p.peek() == "_"
        p.at += 1
        script = scripts.script(p)
        if below:
            lower = _unstack(script.tokens, p)
        else:
            upper = p.part(script.tokens).whole()
    body = p.signed_term()
    return s.BigOperator(p.span_from(start), sign, lower, upper, body)


def _external(p: Parser) -> s.Syntax:
    """The rest of the product as text, for the reader of scalar constructs."""
    start = p.at
    while p.at < p.end and p.peek() not in RELATIONS and p.peek() not in ENDS:
        if p.peek() in CLOSING and p.at in p.matching:
            p.at = p.matching[p.at]
        p.at += 1
    span = p.span_from(start)
    return s.External(span, p.text[span[0] : span[1]])


def _unstack(tokens: tuple[Token, ...], like: Parser) -> tuple[s.Syntax, ...]:
    """The conditions under a sum sign, those of a \\substack, a subarray or an \\atop one after the other."""
    if tokens and tokens[0].text in STACKS and tokens[-1].text == "}":
        tokens = tokens[2:-1] if tokens[0].text == r"\substack" else _inside_subarray(tokens)
    flat = [t._replace(text=r"\\") if t.text == r"\atop" else t for t in tokens]
    return like.part(tuple(flat)).listing()


def _inside_subarray(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """What stands between `\\begin{subarray}{c}` and its end."""
    ends = [k for k, t in enumerate(tokens) if t.text == "}"]
    last = max(k for k, t in enumerate(tokens) if t.text == r"\end") if any(t.text == r"\end" for t in tokens) else 0
    start = ends[1] if len(ends) > 1 and tokens[ends[0] + 1].text == "{" else ends[0]
    return tokens[start + 1 : last]


READERS: dict[str, Callable[[Parser], s.Syntax]] = {
    r"\frac": _fraction,
    r"\sqrt": _root,
    r"\begin": environments.environment,
    r"\nabla": _nabla,
    r"\partial": _slanted,
    **dict.fromkeys((r"\underbrace", r"\overbrace", r"\underset", r"\overset", r"\stackrel"), _decorated),
    **dict.fromkeys(ACCENTS, _accent),
    **dict.fromkeys(FOREIGN, _external),
}
