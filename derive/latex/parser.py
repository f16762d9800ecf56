"""Tokens to syntax: a recursive reader with bounded depth.

It knows no symbols but for the multi-letter names that are declared (`dZ`, `Loss`), which it is told.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from derive.errors import AnswerError, Span
from derive.latex import commands, environments
from derive.latex import syntax as s
from derive.latex.grammar import (
    ACCENTS,
    ENDS,
    FUNCTION_WORDS,
    LONG_WORD,
    MAX_DEPTH,
    OPENERS,
    RELATIONS,
    REMARKS,
    TIMES,
    TRAILING,
    is_identifier,
    match_brackets,
)
from derive.latex.tokens import Token, tokenize


class Parser:
    """Reads one formula; `words` are declared names of several letters, `letters` those of one."""

    def __init__(self, text: str, tokens: list[Token], words: Collection[str], letters: Collection[str]) -> None:
        self.text, self.tokens = text, tokens
        self.words, self.letters = words, letters
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
            elif text in ENDS or text in RELATIONS or text in ("+", "-", r"\pm") or self._closing_bar():
                break
            elif self._words_follow():
                break
            elif self._is_remark():
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

    def _words_follow(self) -> bool:
        """Words after a formula ("for k = 1, …", "where …") end it."""
        if self.kind() == "text":
            return not is_identifier(self.tokens[self.at])
        return self.kind() == "letter" and self._word_at(self.at) in REMARKS

    def _word_at(self, k: int) -> str:
        """The word of plain letters that begins at token `k`, unless declared letters could be meant."""
        end = k
        while end < self.end and self.tokens[end].kind == "letter" and (end == k or self._touches(end)):
            end += 1
        word = "".join(t.text for t in self.tokens[k:end])
        declared = word in self.words or (len(word) < LONG_WORD and set(word) & set(self.letters))
        return "" if len(word) < 2 or declared else word

    def _touches(self, k: int) -> bool:
        return self.tokens[k].start == self.tokens[k - 1].end

    def _is_remark(self) -> bool:
        """A bracket of words: "(when w ≠ c)", "(a row vector)"."""
        if self.peek() not in ("(", "[") or self.at not in self.matching:
            return False
        first = self.tokens[self.at + 1]
        if first.kind == "text":
            words = first.text.split()
            return not is_identifier(first) and (len(words) > 1 or words[:1] and words[0].lower() in REMARKS)
        return first.kind == "letter" and self._word_at(self.at + 1).lower() in REMARKS

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
        if not (subs or sups or primes):
            return body
        return merge_scripts(body, tuple(subs), tuple(sups), primes, self.span_from(start))

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
        text, token = self.peek(), self.tokens[self.at]
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
        if kind == "number":
            self.at += 1
            return s.Num((token.start, token.end), Fraction(text))
        if kind == "one":
            self.at += 1
            return s.One((token.start, token.end))
        if kind == "letter":
            return self._letters()
        if kind == "name":
            self.at += 1
            return s.Name((token.start, token.end), text)
        if kind == "text":
            self.at += 1
            return self._text(token)
        if text == "{":
            return self.braces()
        if text in OPENERS and self.peek(1) == r"\begin" and self.at not in self.matching:
            self.at += 1
            return environments.environment(self)
        if text in OPENERS:
            return self._bracket()
        if text in ("|", r"\|"):
            return self._bars()
        if kind == "command":
            return commands.command(self, start)
        if text in ("+", "-"):
            return self._signed_factor()
        raise self.fail(f"Something is missing before {text}." if text in TIMES | ENDS | RELATIONS else self._stray())

    def _text(self, token: Token) -> s.Syntax:
        span = (token.start, token.end)
        return s.Name(span, token.text) if is_identifier(token) else s.Words(span, token.text)

    def _letters(self) -> s.Syntax:
        """The longest declared name, a function word, or one letter."""
        start, run = self.at, 1
        while self.kind(run) == "letter" and self.tokens[start + run].start == self.tokens[start + run - 1].end:
            run += 1
        letters = "".join(t.text for t in self.tokens[start : start + run])
        size = self._name_length(letters)
        word = letters[:size]
        self.at += size
        span = (self.tokens[start].start, self.tokens[start + size - 1].end)
        if size > 1 and word not in self.words and word not in FUNCTION_WORDS:
            return s.Words(span, word)
        return s.Name(span, word)

    def _name_length(self, letters: str) -> int:
        for size in range(len(letters), 1, -1):
            if letters[:size] in self.words:
                return size
        for size in range(len(letters), 1, -1):
            rest = letters[size:]
            if letters[:size] in FUNCTION_WORDS and (not rest or set(rest) <= set(self.letters)):
                return size
        known = set(self.letters) | {w[0] for w in self.words if w in letters}
        return len(letters) if len(letters) >= 3 and not set(letters) <= known else 1

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

    def _bracket(self) -> s.Syntax:
        opening, start = self.peek(), self.at
        close = self.closing()
        inside = tuple(self.tokens[start + 1 : close])
        self.deeper()
        inner = self.within(start + 1, close)
        inner.depth = self.depth
        parts: tuple[s.Syntax, ...] = ()
        error: AnswerError | None = None
        try:
            parts = inner.listing()
        except AnswerError as problem:
            error = problem
            if problem.code == "too-long":
                raise
        self.depth -= 1
        self.at = close + 1
        return s.Group(self.span_from(start), opening, inside, parts, error)

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

    def _bars(self) -> s.Syntax:
        sign, start = self.peek(), self.at
        close = self.matching.get(start)
        if close is None or close <= start or close >= self.end:
            raise self.fail(f"The bar {sign} is never closed.")
        inner = self.within(start + 1, close)
        self.deeper()
        inner.depth = self.depth
        body = inner.whole()
        self.depth -= 1
        self.at = close + 1
        return s.Bars(self.span_from(start), sign, body)

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
        return self.primary()

    def signed_term(self) -> s.Syntax:
        """The product that an operator acts on, with a sign in front of it."""
        start = self.at
        sign = self.signs()
        body = self.term()
        return s.Sum(self.span_from(start), ((-1, body),)) if sign < 0 else body

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


def merge_scripts(
    body: s.Syntax, subs: tuple[s.Script, ...], sups: tuple[s.Script, ...], primes: int, span: Span
) -> s.Syntax:
    """Scripts on something that may carry scripts itself: `{x_1}_j` is `x` with two subscripts."""
    if isinstance(body, s.Scripted) and isinstance(body.body, s.Name):
        return s.Scripted(span, body.body, body.subs + subs, body.sups + sups, body.primes + primes)
    return s.Scripted(span, body, subs, sups, primes)


def parse(text: str, words: Collection[str] = (), letters: Collection[str] = ()) -> s.Syntax:
    """The syntax of a formula that is one expression or relation."""
    return Parser(text, tokenize(text), words, letters).whole()
