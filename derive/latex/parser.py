"""Tokens to syntax: a recursive reader with bounded depth.

It knows no symbols but for the multi-letter names that are declared (`dZ`, `Loss`), which it is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction

from derive.errors import AnswerError, Span
from derive.latex import syntax as s
from derive.latex.tokens import Token, tokenize

MAX_DEPTH = 60
FUNCTION_WORDS = frozenset(
    """exp log ln tanh sin cos tan cot sec csc sinh cosh arcsin arccos arctan max min softmax sigmoid diag relu ReLU
    tr trace sign sgn det Tanh Softmax Sigmoid softplus erf Diag logsoftmax sqrt vec expit abs norm mean sum
    Tr lse logsumexp LogSumExp LSE sech csch coth step heaviside sigm logistic""".split()
)
ACCENTS = frozenset((r"\hat", r"\bar", r"\tilde", r"\dot", r"\ddot", r"\check", r"\breve", r"\acute"))
CLOSING = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", r"\langle": r"\rangle", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
OPENERS = frozenset(CLOSING) - {"{"}
TIMES = frozenset((r"\cdot", r"\times", "*", r"\odot", r"\circ", r"\otimes", "/", r"\oslash", r"\div"))
RELATIONS = frozenset(("=", "<", ">", r"\leq", r"\geq", r"\neq", r"\in", r"\to", r"\Rightarrow", r"\notin", r"\sim", r"\approx"))
ENDS = frozenset(("}", ")", "]", r"\}", r"\rangle", ",", ";", "&", r"\\", ":", r"\wedge", r"\&", r"\rfloor", r"\rceil", r"\text", "?"))
BIG = {r"\sum": "sum", r"\prod": "prod", r"\Sigma": "sum"}
ENVIRONMENTS = {"cases": "cases", "array": "matrix", "bmatrix": "matrix", "pmatrix": "matrix", "matrix": "matrix",
                "smallmatrix": "matrix", "vmatrix": "matrix", "Bmatrix": "matrix", "dcases": "cases", "rcases": "cases"}  # fmt: skip
TRANSPARENT = frozenset(("aligned", "align", "align*", "split", "gathered", "equation", "equation*", "gather",
                         "gather*", "alignedat", "multline", "multline*", "eqnarray", "eqnarray*", "flalign"))  # fmt: skip
REMARKS = frozenset(
    """when if where for since because with otherwise else assuming given note here using the and or thus hence then
    which that this every each from while unless except provided also only elementwise column row vector matrix scalar
    shape""".split()
)
LONG_WORD = 4
TRAILING = frozenset((".", ",", ";", ":"))
STACKS = frozenset((r"\substack", r"\begin"))
FOREIGN = frozenset((r"\int", r"\lim", r"\binom", r"\iint", r"\oint", r"\dbinom", r"\tbinom"))


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
        sign = self._signs()
        terms.append((sign or 1, self.term()))
        while self.at < self.end and self.peek() in ("+", "-", r"\pm"):
            terms.append((self._signs() or 1, self.term()))
        self.depth -= 1
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        return s.Sum(self.span_from(start), tuple(terms))

    def _signs(self) -> int:
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
                self.at = self._closing() + 1
            else:
                factors.append(("", self.factor()))
        return factors[0][1] if len(factors) == 1 else s.Product(self.span_from(start), tuple(factors))

    def _signed_factor(self) -> s.Syntax:
        start = self.at
        sign = self._signs()
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
                script = self._script()
                if text == "^" and script.tokens and all(t.text == "'" for t in script.tokens):
                    primes += len(script.tokens)
                else:
                    (subs if text == "_" else sups).append(script)
            elif text == "{" and self.peek(1) in ("_", "^"):
                close = self._closing()
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

    def _script(self) -> s.Script:
        start = self.at
        if self.at >= self.end:
            raise self.fail("A script is missing here.")
        if self.peek() == "{":
            close = self._closing()
            inside = self.tokens[self.at + 1 : close]
            self.at = close + 1
            while len(inside) >= 2 and inside[0].text == "{" and self.matching.get(start + 1) == start + len(inside):
                inside, start = inside[1:-1], start + 1
        else:
            inside = self._single_script()
        if not inside:
            raise self.fail("A script is empty here.")
        return s.Script(tuple(inside), (inside[0].start, inside[-1].end))

    def _single_script(self) -> list[Token]:
        """One token; the argument of an accent or \\frac belongs to it."""
        start = self.at
        text, token = self.peek(), self.tokens[self.at]
        self.at += 1
        if text in ACCENTS or text in (r"\frac", r"\sqrt"):
            for _ in range(2 if text == r"\frac" else 1):
                self.at = self._closing() + 1 if self.peek() == "{" else self.at + 1
        if token.kind == "number" and len(token.text) > 1 and token.text[0] != ".":
            self.at = start
            first = token._replace(text=token.text[0], end=token.start + 1)
            self.tokens = [*self.tokens]
            self.tokens[start] = token._replace(text=token.text[1:], start=token.start + 1)
            return [first]
        return self.tokens[start : self.at]

    def _closing(self) -> int:
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
            return self._braces()
        if text in OPENERS and self.peek(1) == r"\begin" and self.at not in self.matching:
            self.at += 1
            return self._environment()
        if text in OPENERS:
            return self._bracket()
        if text in ("|", r"\|"):
            return self._bars()
        if kind == "command":
            return self._command(start)
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

    def _braces(self) -> s.Syntax:
        close = self._closing()
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
        close = self._closing()
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

    # ----------------------------------------------------------------------------------------- commands

    def _command(self, start: int) -> s.Syntax:
        text = self.peek()
        if text == r"\frac":
            return self._fraction()
        if text == r"\sqrt":
            return self._root()
        if text in BIG and (text != r"\Sigma" or self.peek(1) in ("_", "^")) and text not in self.letters:
            return self._big()
        if text == r"\begin":
            return self._environment()
        if text in (r"\underbrace", r"\overbrace", r"\underset", r"\overset", r"\stackrel"):
            return self._decorated()
        if text == r"\nabla":
            return self._nabla()
        if text == r"\partial":
            return self._slanted()
        if text in ACCENTS:
            return self._accent()
        if text == r"\substack":
            self.at += 1
            return self._braces()
        if text in FOREIGN:
            return self._external()
        if text in (r"\end", r"\\"):
            raise self.fail(f"{text} is not expected here.")
        self.at += 1
        return s.Name((self.tokens[start].start, self.tokens[start].end), text)

    def _argument(self) -> s.Syntax:
        """The argument of a command: a group in braces or one token."""
        if self.at >= self.end:
            raise self.fail("An argument is missing here.")
        if self.peek() == "{":
            return self._braces()
        if self.kind() == "number" and len(self.peek()) > 1:
            first = self._single_script()[0]
            return s.Num((first.start, first.end), Fraction(first.text))
        return self.primary()

    def _fraction(self) -> s.Syntax:
        start = self.at
        derivative = self._derivative_fraction()
        if derivative is not None:
            return derivative
        self.at = start + 1
        above = self._argument()
        below = self._argument()
        return s.Frac(self.span_from(start), above, below)

    def _derivative_fraction(self) -> s.Syntax | None:
        """\\frac{∂ J}{∂ x}, or \\frac{∂}{∂ x} with what follows it."""
        start = self.at
        self.at += 1
        if self.peek() != "{":
            return None
        above = (self.at + 1, self._closing())
        self.at = above[1] + 1
        if self.peek() != "{":
            return None
        below = (self.at + 1, self._closing())
        marks = {r"\partial", "d", r"\delta"} - (set(self.letters) - {"d"})
        texts = [self.tokens[k].text if k < e else "" for k, e in (above, below)]
        if texts[0] != texts[1] or texts[0] not in marks or below[1] - below[0] < 2:
            return None
        after = below[1] + 1
        try:
            wrt = self._inside(below[0] + 1, below[1])
            of = self._inside(above[0] + 1, above[1]) if above[1] - above[0] > 1 else None
        except AnswerError:
            return None
        self.at = after
        if of is None:
            of = self.signed_term() if self._something_follows() else None
            return s.Derivative(self.span_from(start), of, wrt, True)
        return s.Derivative(self.span_from(start), of, wrt, False, tuple(self.tokens[start:after]))

    def signed_term(self) -> s.Syntax:
        """The product that an operator acts on, with a sign in front of it."""
        start = self.at
        sign = self._signs()
        body = self.term()
        return s.Sum(self.span_from(start), ((-1, body),)) if sign < 0 else body

    def _inside(self, start: int, end: int) -> s.Syntax:
        inner = self.within(start, end)
        self.deeper()
        inner.depth = self.depth
        out = inner.whole()
        self.depth -= 1
        return out

    def _something_follows(self) -> bool:
        text = self.peek()
        return self.at < self.end and text not in ENDS and text not in RELATIONS and text not in ("+",)

    def _nabla(self) -> s.Syntax:
        start = self.at
        self.at += 1
        if self.peek() != "_":
            raise self.fail(r"\nabla needs the variable as a subscript.")
        self.at += 1
        script = self._script()
        wrt = read_tokens(script.tokens, self)
        of = self.factor() if self._something_follows() and self.peek() != "-" else None
        return s.Derivative(self.span_from(start), of, wrt, False)

    def _slanted(self) -> s.Syntax:
        """∂J/∂W in one line."""
        start = self.at
        self.at += 1
        of = self.factor() if self.peek() != "/" else None
        if isinstance(of, s.Group) and len(of.parts) == 1:
            of = of.parts[0]
        if self.peek() != "/" or self.peek(1) != r"\partial":
            raise self.fail(r"\partial stands alone; a derivative is written \frac{\partial J}{\partial W}.")
        self.at += 2
        wrt = self.factor()
        if of is None:
            of = self.signed_term() if self._something_follows() else None
            return s.Derivative(self.span_from(start), of, wrt, True)
        return s.Derivative(self.span_from(start), of, wrt, False)

    def _root(self) -> s.Syntax:
        start = self.at
        self.at += 1
        degree = None
        if self.peek() == "[":
            close = self._closing()
            degree = self._inside(self.at + 1, close)
            self.at = close + 1
        return s.Root(self.span_from(start), self._argument(), degree)

    def _accent(self) -> s.Syntax:
        """\\hat{y}, \\hat y_o, \\hat{y_o}: the accent belongs to the letter, scripts to the whole."""
        start, accent = self.at, self.peek()
        self.at += 1
        body = self._argument()
        span = self.span_from(start)
        if isinstance(body, s.Name):
            return s.Name(span, f"{accent}{{{body.base}}}")
        if isinstance(body, s.Scripted) and isinstance(body.body, s.Name):
            return replace(body, span=span, body=s.Name(span, f"{accent}{{{body.body.base}}}"))
        raise AnswerError("unreadable", f"{accent} stands over something that is not a letter.", span)

    def _decorated(self) -> s.Syntax:
        """\\underbrace{a}_{b}, \\overset{a}{b}: what is under or over is a remark."""
        command = self.peek()
        self.at += 1
        if command in (r"\underbrace", r"\overbrace"):
            body = self._argument()
            while self.peek() in ("_", "^"):
                self.at += 1
                self._script()
            return body
        close = self._closing() if self.peek() == "{" else self.at
        self.at = close + 1
        return self._argument()

    def _big(self) -> s.Syntax:
        start, sign = self.at, BIG[self.peek()]
        self.at += 1
        lower, upper = tuple[s.Syntax, ...](), None
        while self.peek() in ("_", "^"):
            below = self.peek() == "_"
            self.at += 1
            script = self._script()
            if below:
                lower = _unstack(script.tokens, self)
            else:
                upper = read_tokens(script.tokens, self)
        body = self.signed_term()
        return s.BigOperator(self.span_from(start), sign, lower, upper, body)

    # ------------------------------------------------------------------------------------- environments

    def _environment(self) -> s.Syntax:
        start = self.at
        name, inside = self._environment_name(self.at)
        end = self._environment_end(inside, name)
        close = end + len(self._name_tokens(end))
        kind = ENVIRONMENTS.get(name)
        if kind is None and name not in TRANSPARENT:
            raise self.fail(f"The environment {name} is not understood.")
        if name == "array" and self.tokens[inside].text == "{":
            inside = self.matching.get(inside, inside) + 1
        rows = self._rows(inside, end)
        self.at = close
        span = self.span_from(start)
        if kind == "cases" or (kind == "matrix" and self._looks_like_cases(start, rows)):
            return s.Cases(span, tuple(self._branch(row) for row in rows if row))
        if kind == "matrix":
            literal = s.MatrixLiteral(span, tuple(tuple(self._inside(*cell) for cell in row) for row in rows if row))
            return s.Bars(span, "|", literal) if name == "vmatrix" else literal
        return self._inside(inside, end)

    def _looks_like_cases(self, start: int, rows: list[list[tuple[int, int]]]) -> bool:
        before = self.tokens[start - 1].text if start else ""
        return before in OPENERS and start - 1 not in self.matching and all(len(r) == 2 for r in rows if r)

    def _name_tokens(self, at: int) -> list[Token]:
        close = self.matching.get(at + 1, at + 1)
        return self.tokens[at : close + 1]

    def _environment_name(self, at: int) -> tuple[str, int]:
        close = self.matching.get(at + 1)
        if close is None:
            raise self.fail(r"\begin needs the name of an environment.")
        return "".join(t.text for t in self.tokens[at + 2 : close]), close + 1

    def _environment_end(self, at: int, name: str) -> int:
        depth = 1
        while at < self.end:
            text = self.tokens[at].text
            depth += (text == r"\begin") - (text == r"\end")
            if not depth:
                return at
            at += 1
        raise self.fail(f"The environment {name} is never closed.")

    def _rows(self, start: int, end: int) -> list[list[tuple[int, int]]]:
        """The cells of each row, as ranges of tokens."""
        rows: list[list[tuple[int, int]]] = [[]]
        at = cell = start
        while at <= end:
            text = self.tokens[at].text if at < end else r"\\"
            if at < end and text in ("{", "(", "[", r"\{") and at in self.matching and self.matching[at] < end:
                at = self.matching[at] + 1
                continue
            if text in ("&", r"\\"):
                if at > cell:
                    rows[-1].append((cell, at))
                cell = at + 1
                if text == r"\\":
                    if at + 1 < end and self.tokens[at + 1].text == "[" and at + 1 in self.matching:
                        cell = self.matching[at + 1] + 1
                    rows.append([])
            at = max(at + 1, cell if text in ("&", r"\\") else 0)
        return rows

    def _branch(self, row: list[tuple[int, int]]) -> tuple[s.Syntax, tuple[s.Syntax, ...]]:
        """One line of cases: the formula and its conditions."""
        first = self.within(*row[0])
        body = first.expression()
        conditions = first.listing() if first.at < first.end else ()
        if len(row) > 1:
            conditions = (*conditions, *self.within(*row[1]).listing())
        return body, tuple(c for c in conditions if not isinstance(c, s.Words))

    def _external(self) -> s.Syntax:
        """The rest of the product as text, for the reader of scalar constructs."""
        start = self.at
        while self.at < self.end and self.peek() not in RELATIONS and self.peek() not in ENDS:
            if self.peek() in CLOSING and self.at in self.matching:
                self.at = self.matching[self.at]
            self.at += 1
        span = self.span_from(start)
        return s.External(span, self.text[span[0] : span[1]])


def is_identifier(token: Token) -> bool:
    """Whether a text token is a name (`\\text{diag}`) rather than words."""
    return token.text.isalpha() and (token.text in FUNCTION_WORDS or len(token.text) <= 1)


def match_brackets(tokens: list[Token]) -> dict[int, int]:
    """Each bracket's partner, by token number; bars pair up at equal depth."""
    out: dict[int, int] = {}
    stack: list[tuple[int, str]] = []
    closers = set(CLOSING.values())
    for k, token in enumerate(tokens):
        text = token.text
        if text in ("|", r"\|"):
            pending = bool(stack) and stack[-1][1] == text
            if pending and token.kind != "opening" and (token.kind == "closing" or _may_close(tokens, k)):
                out[stack[-1][0]], out[k] = k, stack[-1][0]
                stack.pop()
            elif token.kind == "opening" or (token.kind != "closing" and not pending and _may_open(tokens, k)):
                stack.append((k, text))
        elif text in CLOSING:
            stack.append((k, text))
        elif text in closers:
            while stack and stack[-1][1] in ("|", r"\|"):
                stack.pop()
            mixed = stack and {CLOSING[stack[-1][1]], text} <= {")", "]"}
            if stack and (CLOSING[stack[-1][1]] == text or mixed):
                out[stack[-1][0]], out[k] = k, stack[-1][0]
                stack.pop()
    return out


def _may_open(tokens: list[Token], k: int) -> bool:
    return k + 1 < len(tokens) and tokens[k + 1].text not in (*ENDS, *RELATIONS)


def _may_close(tokens: list[Token], k: int) -> bool:
    if k >= 2 and tokens[k - 1].text == "*" and tokens[k - 2].text in ("^", "_"):
        return True
    return tokens[k - 1].text not in (*TIMES, "+", "-", "_", "^", "(", "{", *RELATIONS)


def _unstack(tokens: tuple[Token, ...], like: Parser) -> tuple[s.Syntax, ...]:
    """The conditions under a sum sign, those of a \\substack, a subarray or an \\atop one after the other."""
    if tokens and tokens[0].text in STACKS and tokens[-1].text == "}":
        tokens = tokens[2:-1] if tokens[0].text == r"\substack" else _inside_subarray(tokens)
    flat = [t._replace(text=r"\\") if t.text == r"\atop" else t for t in tokens]
    return _sub_parser(tuple(flat), like).listing()


def _inside_subarray(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """What stands between `\\begin{subarray}{c}` and its end."""
    ends = [k for k, t in enumerate(tokens) if t.text == "}"]
    last = max(k for k, t in enumerate(tokens) if t.text == r"\end") if any(t.text == r"\end" for t in tokens) else 0
    start = ends[1] if len(ends) > 1 and tokens[ends[0] + 1].text == "{" else ends[0]
    return tokens[start + 1 : last]


def _sub_parser(tokens: tuple[Token, ...], like: Parser) -> Parser:
    part = Parser(like.text, list(tokens), like.words, like.letters)
    part.depth = like.depth + 1
    if part.depth > MAX_DEPTH:
        raise like.fail(f"The formula is nested more than {MAX_DEPTH} deep.", "too-long")
    return part


def read_tokens(tokens: tuple[Token, ...], like: Parser) -> s.Syntax:
    """The syntax of a script."""
    return _sub_parser(tokens, like).whole()


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
