"""Tokens to syntax: a recursive reader with bounded depth.

It knows no symbols but for the multi-letter names that are declared (`dZ`, `Loss`), which it is told.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from functools import lru_cache

from derive.errors import AnswerError, Span
from derive.latex import brackets, commands, environments, scripts, words
from derive.latex import syntax as s
from derive.latex.grammar import (
    BARS,
    ENDS,
    EXTREMA,
    MAX_DEPTH,
    MAX_DIGITS,
    OPENERS,
    PRESCRIPT,
    RELATIONS,
    SCRIPTS,
    STOPS,
    SUMS,
    TIMES,
    TRAILING,
    is_identifier,
    join_bars,
    match_brackets,
)
from derive.latex.tokens import Token, tokenize

BETWEEN = frozenset((",", ";", ":", r"\\", "&", r"\wedge", r"\&"))


class Parser:
    """Reads one formula; `words` are declared names of several letters, `letters` those of one."""

    __slots__ = ("at", "depth", "end", "letters", "matching", "text", "texts", "tokens", "words")

    def __init__(self, text: str, tokens: list[Token], names: Collection[str], letters: Collection[str]) -> None:
        self.text, self.tokens, self.texts = text, tokens, [token.text for token in tokens]
        if "|" in self.texts:
            self.tokens = tokens = join_bars(tokens)
            self.texts = [token.text for token in tokens]
        self.words, self.letters = names, letters
        self.at, self.end, self.depth = 0, len(tokens), 0
        self.matching = match_brackets(tokens)

    # ------------------------------------------------------------------------------------- small helpers

    def peek(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.texts[k] if k < self.end else ""

    def kind(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.tokens[k].kind if k < self.end else ""

    def span_from(self, start: int) -> Span:
        """The place of the tokens from number `start` to here."""
        if start < self.at <= len(self.tokens):
            return (self.tokens[start].start, self.tokens[self.at - 1].end)
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
        part.text, part.words, part.letters = self.text, self.words, self.letters
        part.tokens, part.texts, part.matching = self.tokens, self.texts, self.matching
        part.at, part.end, part.depth = start, end, self.depth
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
        start, first = self.at, self.expression()
        if self.peek() not in RELATIONS:
            return first
        sides, signs = [first], list[str]()
        while self.peek() in RELATIONS:
            signs.append(self.peek())
            self.at += 1
            sides.append(self.expression())
        return s.Relation(self.span_from(start), tuple(signs), tuple(sides))

    def expression(self) -> s.Syntax:
        start = self.at
        self.deeper()
        sign, first = self.signs(), self.term()
        terms = [(sign, first)]
        while self.peek() in SUMS:
            terms.append((self.signs(), self.term()))
        self.depth -= 1
        return first if sign == 1 == len(terms) else s.Sum(self.span_from(start), tuple(terms))

    def signs(self) -> int:
        """The sign in front of a term, 1 or -1."""
        sign = 1
        while (text := self.peek()) == "+" or text == "-":
            sign = -sign if text == "-" else sign
            self.at += 1
        return sign

    def term(self) -> s.Syntax:
        start = self.at
        factors: list[tuple[str, s.Syntax]] = [("", self.factor())]
        while self.at < self.end:
            text = self.texts[self.at]
            if text in TIMES:
                self.at += 1
                factors.append((text, self._signed_factor()))
            elif text in STOPS or (text in BARS and self._closing_bar()) or words.follow(self):
                break
            elif (text == "(" or text == "[") and words.is_remark(self):
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
        return self.matching.get(self.at, self.at) < self.at

    # ------------------------------------------------------------------------------------------ factors

    def factor(self) -> s.Syntax:
        start = self.at
        if start >= self.end:
            raise self.fail("Something is missing at the end.")
        body = self.primary()
        return scripts.behind(self, body, start) if self.peek() in SCRIPTS else body

    def closing(self) -> int:
        """The token that closes the bracket here."""
        close = self.matching.get(self.at)
        if close is None or close >= self.end:
            raise self.fail(f"The bracket {self.peek()} is never closed.")
        return close

    def primary(self) -> s.Syntax:
        start, token = self.at, self.tokens[self.at]
        text, kind = token.text, token.kind
        if kind == "letter":
            return words.letters(self)
        if kind == "number":
            if len(text) > MAX_DIGITS:
                raise self.fail(f"This number has more than {MAX_DIGITS} digits.", "too-long")
            self.at += 1
            return s.Num((token.start, token.end), _value(text))
        if text in EXTREMA and self.peek(1) == "_":
            return commands.big(self, EXTREMA[text])
        if kind == "one":
            self.at += 1
            return s.One((token.start, token.end))
        if kind in ("name", "text"):
            return words.text_token(self, token)
        if text == "{":
            return self.braces()
        if text == PRESCRIPT:
            return scripts.transposed_in_front(self)
        if text in OPENERS and self.peek(1) == r"\begin" and self.at not in self.matching:
            self.at += 1
            return environments.environment(self)
        if text in OPENERS:
            return brackets.bracket(self)
        if text in BARS:
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
        if close == self.at + 2 and self.tokens[inner.at].kind in ("letter", "number"):
            self.at = close + 1
            return inner.primary()
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
            token = self.tokens[self.at]
            if token.text in BETWEEN or (token.kind == "text" and not is_identifier(token)):
                self.at += 1
            else:
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
            first = scripts.single(self)[0]
            return s.Num((first.start, first.end), _value(first.text))
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
        return text != "" and text not in ENDS and text not in RELATIONS and text != "+"


@lru_cache(512)
def _value(digits: str) -> Fraction:
    return Fraction(digits)


def parse(text: str, names: Collection[str] = (), letters: Collection[str] = ()) -> s.Syntax:
    """The syntax of a formula that is one expression or relation."""
    return Parser(text, tokenize(text), names, letters).whole()
