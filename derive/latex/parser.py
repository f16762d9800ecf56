"""Tokens to syntax: a recursive reader with bounded depth.

It knows no symbols but for the multi-letter names that are declared (`dZ`, `Loss`), which it is told.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from derive.errors import AnswerError, Span
from derive.latex import brackets, commands, environments, words
from derive.latex import syntax as s
from derive.latex.grammar import (
    ACCENTS,
    ENDS,
    EXTREMA,
    MAX_DEPTH,
    MAX_DIGITS,
    OPENERS,
    PRESCRIPT,
    RELATIONS,
    TIMES,
    TRAILING,
    is_identifier,
    join_bars,
    match_brackets,
)
from derive.latex.tokens import Token, tokenize


class Parser:
    """Reads one formula; `words` are declared names of several letters, `letters` those of one."""

    def __init__(self, text: str, tokens: list[Token], names: Collection[str], letters: Collection[str]) -> None:
        self.text, self.tokens = text, (tokens := join_bars(tokens))
        self.words, self.letters = names, letters
        self.at, self.end, self.depth = 0, len(tokens), 0
        self.matching = match_brackets(tokens)

    # ------------------------------------------------------------------------------------- small helpers

    def peek(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.tokens[k].text if k < self.end else ""

    def kind(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.tokens[k].kind if k < self.end else ""

    def span_from(self, start: int) -> Span:
        """The place of the tokens from number `start` to here."""
        if not self.tokens:
            return (0, len(self.text))
        last = max(start, min(self.at, len(self.tokens)) - 1)
        first = min(start, len(self.tokens) - 1)
        return (self.tokens[first].start, self.tokens[min(last, len(self.tokens) - 1)].end)

    def fail(self, message: str, code: str = "unreadable") -> AnswerError:
        k = min(self.at, len(self.tokens) - 1)
        span = (self.tokens[k].start, self.tokens[k].end) if self.tokens else (0, len(self.text))
        if self.at >= self.end and self.tokens:
            span = (self.tokens[k].end, self.tokens[k].end + 1)
        return AnswerError(code, message, span)

    def within(self, start: int, end: int) -> Parser:
        """A reader of the tokens start … end - 1."""
        part = object.__new__(Parser)
        part.text, part.tokens, part.words, part.letters = self.text, self.tokens, self.words, self.letters
        part.at, part.end, part.depth, part.matching = start, end, self.depth, self.matching
        return part

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"The formula is nested more than {MAX_DEPTH} deep.", "too-long")

    # -------------------------------------------------------------------------------------- expressions

    def whole(self) -> s.Syntax:
        """Everything up to the end, as one expression or relation."""
        out = self.relation()
        if self.at < self.end:
            raise self.fail(self._stray())
        return out

    def part(self, tokens: tuple[Token, ...]) -> Parser:
        """A reader of the tokens of a script."""
        inner = Parser(self.text, list(tokens), self.words, self.letters)
        inner.depth = self.depth + 1
        if inner.depth > MAX_DEPTH:
            raise self.fail(f"The formula is nested more than {MAX_DEPTH} deep.", "too-long")
        return inner

    def _stray(self) -> str:
        text = self.peek()
        if text in (")", "]", r"\}", "}"):
            return f"There is a closing {text} that nothing opens."
        return f"{text} is not understood here."

    def relation(self) -> s.Syntax:
        start = self.at
        sides, signs = [self.expression()], list[str]()
        while self.peek() in RELATIONS and self.at < self.end:
            signs.append(self.peek())
            self.at += 1
            sides.append(self.expression())
        return s.Relation(self.span_from(start), tuple(signs), tuple(sides)) if signs else sides[0]

    def expression(self) -> s.Syntax:
        start = self.at
        self.deeper()
        terms: list[tuple[int, s.Syntax]] = []
        sign = self.signs()
        terms.append((sign or 1, self.term()))
        while self.at < self.end and self.peek() in ("+", "-", r"\pm"):
            terms.append((self.signs() or 1, self.term()))
        self.depth -= 1
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        return s.Sum(self.span_from(start), tuple(terms))

    def signs(self) -> int:
        sign = 0
        while self.at < self.end and self.peek() in ("+", "-"):
            sign = (sign or 1) * (-1 if self.peek() == "-" else 1)
            self.at += 1
        return sign

    def term(self) -> s.Syntax:
        start = self.at
        factors: list[tuple[str, s.Syntax]] = [("", self.factor())]
        while self.at < self.end:
            text = self.peek()
            if text in TIMES and self.kind() in ("command", "sign"):
                self.at += 1
                factors.append((text, self._signed_factor()))
            elif text in {*ENDS, *RELATIONS, "+", "-", r"\pm"} or self._closing_bar() or words.follow(self):
                break
            elif words.is_remark(self):
                self.at = self.closing() + 1
            else:
                factors.append(("", self.factor()))
        return factors[0][1] if len(factors) == 1 else s.Product(self.span_from(start), tuple(factors))

    def _signed_factor(self) -> s.Syntax:
        start = self.at
        sign = self.signs()
        body = self.factor()
        return s.Sum(self.span_from(start), ((-1, body),)) if sign < 0 else body

    def _closing_bar(self) -> bool:
        return self.peek() in ("|", r"\|") and self.matching.get(self.at, self.at) < self.at

    # ------------------------------------------------------------------------------------------ factors

    def factor(self) -> s.Syntax:
        start = self.at
        if self.at >= self.end:
            raise self.fail("Something is missing at the end.")
        body = self.primary()
        return self.scripts(body, start)

    def scripts(self, body: s.Syntax, start: int) -> s.Syntax:
        subs, sups, primes = list[s.Script](), list[s.Script](), 0
        while self.at < self.end:
            text = self.peek()
            if text == "'":
                primes += 1
                self.at += 1
            elif text in ("_", "^"):
                self.at += 1
                if self.peek() == "{" and self.peek(1) == "}":
                    self.at += 2
                    continue
                script = self.script()
                if text == "^" and script.tokens and all(t.text == "'" for t in script.tokens):
                    primes += len(script.tokens)
                else:
                    (subs if text == "_" else sups).append(script)
            elif text == "{" and self.peek(1) in ("_", "^"):
                close = self.closing()
                inner = self.within(self.at + 1, close)
                more = inner.scripts(body, start)
                assert isinstance(more, s.Scripted)
                subs, sups, primes = [*subs, *more.subs], [*sups, *more.sups], primes + more.primes
                self.at = close + 1
            else:
                break
        if subs or sups or primes:
            body = s.merge_scripts(body, tuple(subs), tuple(sups), primes, self.span_from(start))
        return brackets.evaluated(self, body, start)

    def script(self) -> s.Script:
        """One script, in braces or a single token."""
        start = self.at
        if self.at >= self.end:
            raise self.fail("A script is missing here.")
        if self.peek() == "{":
            close = self.closing()
            inside = self.tokens[self.at + 1 : close]
            self.at = close + 1
            while len(inside) >= 2 and inside[0].text == "{" and self.matching.get(start + 1) == start + len(inside):
                inside, start = inside[1:-1], start + 1
        else:
            inside = self.single_script()
        if not inside:
            raise self.fail("A script is empty here.")
        return s.Script(tuple(inside), (inside[0].start, inside[-1].end))

    def single_script(self) -> list[Token]:
        """One token; the argument of an accent or \\frac belongs to it."""
        start = self.at
        text, token = self.peek(), self.tokens[start]
        if text in ("}", ")", "]", "&", r"\\", r"\}"):
            raise self.fail("A script is missing here.")
        self.at += 1
        if text in ACCENTS or text in (r"\frac", r"\sqrt"):
            for _ in range(2 if text == r"\frac" else 1):
                self.at = self.closing() + 1 if self.peek() == "{" else self.at + 1
        if token.kind == "number" and len(token.text) > 1 and token.text[0] != ".":
            self.at = start
            first = token._replace(text=token.text[0], end=token.start + 1)
            self.tokens = [*self.tokens]
            self.tokens[start] = token._replace(text=token.text[1:], start=token.start + 1)
            return [first]
        return self.tokens[start : self.at]

    def closing(self) -> int:
        """The token that closes the bracket here."""
        close = self.matching.get(self.at)
        if close is None or close >= self.end:
            raise self.fail(f"The bracket {self.peek()} is never closed.")
        return close

    def primary(self) -> s.Syntax:
        start, token = self.at, self.tokens[self.at]
        text, kind = token.text, token.kind
        if text in EXTREMA and self.peek(1) == "_":
            return commands.big(self, EXTREMA[text])
        if kind == "number":
            if len(text) > MAX_DIGITS:
                raise self.fail(f"This number has more than {MAX_DIGITS} digits.", "too-long")
            self.at += 1
            return s.Num((token.start, token.end), Fraction(text))
        if kind == "one":
            self.at += 1
            return s.One((token.start, token.end))
        if kind == "letter":
            return words.letters(self)
        if kind in ("name", "text"):
            return words.text_token(self, token)
        if text == "{":
            return self.braces()
        if text == PRESCRIPT:
            return brackets.transposed_in_front(self)
        if text in OPENERS and self.peek(1) == r"\begin" and self.at not in self.matching:
            self.at += 1
            return environments.environment(self)
        if text in OPENERS:
            return brackets.bracket(self)
        if text in ("|", r"\|"):
            return brackets.bars(self)
        if kind == "command":
            return commands.command(self, start)
        if text in ("+", "-"):
            return self._signed_factor()
        raise self.fail(f"Something is missing before {text}." if text in TIMES | ENDS | RELATIONS else self._stray())

    def braces(self) -> s.Syntax:
        """What stands in braces, without punctuation at its end."""
        close = self.closing()
        inner = self.within(self.at + 1, close)
        while inner.end > inner.at and self.tokens[inner.end - 1].text in TRAILING:
            inner.end -= 1
        if inner.at == inner.end:
            raise self.fail("There is nothing between these braces.", "empty")
        self.deeper()
        inner.depth = self.depth
        body = inner.whole()
        self.depth -= 1
        self.at = close + 1
        return body

    def listing(self) -> tuple[s.Syntax, ...]:
        """Relations between commas, colons, line ends or "and"."""
        parts = list[s.Syntax]()
        while self.at < self.end:
            if self.peek() in (",", ";", ":", r"\\", "&", r"\wedge", r"\&"):
                self.at += 1
                continue
            if self.kind() == "text" and not is_identifier(self.tokens[self.at]):
                self.at += 1
                continue
            parts.append(self.relation())
        return tuple(parts)

    # ------------------------------------------------------------------------- for the readers of commands

    def argument(self) -> s.Syntax:
        """The argument of a command: a group in braces or one token."""
        if self.at >= self.end:
            raise self.fail("An argument is missing here.")
        if self.peek() == "{":
            return self.braces()
        if self.kind() == "number" and len(self.peek()) > 1:
            first = self.single_script()[0]
            return s.Num((first.start, first.end), Fraction(first.text))
        self.deeper()
        out = self.primary()
        self.depth -= 1
        return out

    def signed_term(self) -> s.Syntax:
        """The product that an operator acts on, with a sign in front of it."""
        start = self.at
        self.deeper()
        sign = self.signs()
        body = self.term()
        self.depth -= 1
        return s.Sum(self.span_from(start), ((-1, body),)) if sign < 0 else body

    def operand(self) -> s.Syntax:
        """The one factor that an operator acts on."""
        self.deeper()
        out = self.factor()
        self.depth -= 1
        return out

    def inside(self, start: int, end: int) -> s.Syntax:
        """The expression or relation that tokens start … end - 1 are."""
        inner = self.within(start, end)
        self.deeper()
        inner.depth = self.depth
        out = inner.whole()
        self.depth -= 1
        return out

    def something_follows(self) -> bool:
        """Whether a factor comes next."""
        text = self.peek()
        return self.at < self.end and text not in ENDS and text not in RELATIONS and text not in ("+",)


def parse(text: str, names: Collection[str] = (), letters: Collection[str] = ()) -> s.Syntax:
    """The syntax of a formula that is one expression or relation."""
    return Parser(text, tokenize(text), names, letters).whole()
