r"""The lines of an answer and what stands on them: a formula, and what is said about it behind it.

    \begin{aligned} a &= b \quad \text{(chain rule)} \\ &= c, \text{ where } z = W x \end{aligned}

has the lines `a = b` and `= c`, the second with the clause `z = W x`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from derive.latex.grammar import REMARKS, TRANSPARENT, is_identifier, match_brackets
from derive.latex.tokens import Token

SEPARATORS = frozenset(("=", r"\to", r"\Rightarrow", r"\approx"))
CONCLUDING = frozenset(
    "is equals equal gives becomes simplifies so thus hence therefore finally get obtain yields reduces".split()
)
ABOVE = frozenset((r"\overset", r"\underset", r"\stackrel"))
PAUSES = frozenset((",", ";", r"\forall"))
TRAILING = frozenset((".", ",", ";", r"\in", r"\quad", ":", "?", "!"))
LEADING = frozenset((r"\therefore", r"\because", r"\Rightarrow", r"\to", r"\iff", ":", ",", ".", ";", r"\bullet"))
LAYOUT = ABOVE | PAUSES | TRAILING | LEADING | {r"\begin", r"\end", r"\\", "&"}
LEADING_WORDS = frozenset(
    """answer ans result solution gradient derivative final finally therefore thus hence then the this is we get have
    obtain find so that which gives to it and""".split()
)
WORDS = REMARKS | LEADING_WORDS


@dataclass(slots=True, eq=False, repr=False)
class Clause:
    """What follows a comma or words: `opening` is that comma or those words."""

    opening: str
    tokens: list[Token] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Line:
    """A line: its formula, the clauses behind it, and remarks in brackets."""

    main: list[Token]
    clauses: list[Clause]
    remarks: list[Clause] = field(default_factory=list)
    in_clause: bool = False

    @property
    def last(self) -> list[Token]:
        """What is being written: the formula, or the last clause."""
        return self.clauses[-1].tokens if self.in_clause else self.main

    def begin(self, opening: str) -> None:
        """Begin a clause."""
        self.clauses.append(Clause(opening))
        self.in_clause = True

    def add(self, token: Token) -> None:
        """One more token; an equality sign directly behind words goes on with the formula."""
        if token.text in SEPARATORS and not self.last:
            self.in_clause = False
        self.last.append(token)

    def words(self, found: list[Token], following: Token | None) -> None:
        """Words begin a clause, mean "=", lead up to a formula, or stand for one: "= (see the lecture)"."""
        text = _joined(found)
        as_token = found[0]._replace(kind="text", text=text, end=found[-1].end)
        known = set(text.split())
        if not self.main and not self.clauses and following is not None and following.text in ("_", "="):
            self.add(as_token)
        elif known and known & CONCLUDING and known <= CONCLUDING | LEADING_WORDS:
            self.add(as_token._replace(kind="sign", text="="))
        elif self.last and self.last[-1].text in SEPARATORS:
            if following is None or following.text in SEPARATORS:
                self.add(as_token)
        else:
            self.begin(text)


def lines(tokens: list[Token], letters: set[str]) -> list[Line]:
    """The lines of an answer, without aligned environments, alignment marks and braces around the whole."""
    body = without_tail(tokens)
    if _is_plain(body):
        return [Line(body, [])] if body else []
    tokens = without_tail(_without_frames(_plain_equals(tokens)))
    while tokens and tokens[0].text == "{" and match_brackets(tokens).get(0) == len(tokens) - 1:
        tokens = without_tail(tokens[1:-1])
    inside = covered(tokens)
    found: list[list[int]] = [[]]
    k = 0
    while k < len(tokens):
        if tokens[k].text == r"\\" and k not in inside:
            found.append([])
            k = _after_spacing(tokens, k + 1)
        else:
            if tokens[k].text != "&" or k in inside:
                found[-1].append(k)
            k += 1
    return [_line([tokens[k] for k in row], letters) for row in found if row]


def _is_plain(tokens: list[Token]) -> bool:
    """Whether this is one formula, as most answers are: without words, punctuation, lines or frames."""
    if tokens and tokens[0].text == "{":
        return False
    last, touching = -1, list[int]()
    for k, (kind, text, start, end) in enumerate(tokens):
        if kind == "letter":
            if start == last:
                touching.append(k - 1)
            last = end
        elif text in LAYOUT or kind == "text":
            return False
    return not any(_joined(tokens[k : _letters_end(tokens, k)]) in WORDS for k in touching)


def covered(tokens: list[Token], partner: dict[int, int] | None = None) -> set[int]:
    """The numbers of the tokens that stand in a bracket, in braces or in an environment."""
    out: set[int] = set()
    for start, end in (match_brackets(tokens) if partner is None else partner).items():
        if start < end and start not in out:
            out.update(range(start + 1, end))
    texts = [token.text for token in tokens]
    depth = 0
    for k, text in enumerate(texts if r"\begin" in texts else ()):
        depth += text == r"\begin"
        if depth > 0:
            out.add(k)
        depth -= text == r"\end"
    return out


def _plain_equals(tokens: list[Token]) -> list[Token]:
    """The tokens with `\\overset{(a)}{=}` and `:=` as plain equality signs."""
    if all(token.text not in ABOVE and token.text != ":" for token in tokens):
        return tokens
    out: list[Token] = []
    partner = match_brackets(tokens)
    k = 0
    while k < len(tokens):
        close = partner.get(k + 1, 0) if tokens[k].text in ABOVE else 0
        sign = [t for t in tokens[close + 1 : close + 4] if t.text not in ("{", "}")][:1] if close else []
        if sign and sign[0].text in SEPARATORS:
            out.append(sign[0])
            k = close + (4 if tokens[close + 1].text == "{" else 2)
        elif tokens[k].text == ":" and k + 1 < len(tokens) and tokens[k + 1].text == "=":
            k += 1
        else:
            out.append(tokens[k])
            k += 1
    return out


def _without_frames(tokens: list[Token]) -> list[Token]:
    """The tokens without the beginnings and ends of environments that only lay out lines."""
    if all(token.text != r"\begin" and token.text != r"\end" for token in tokens):
        return tokens
    out: list[Token] = []
    tables: list[bool] = []
    k = 0
    while k < len(tokens):
        if tokens[k].text in (r"\begin", r"\end"):
            close = next((j for j in range(k, len(tokens)) if tokens[j].text == "}"), len(tokens) - 1)
            name = "".join(t.text for t in tokens[k + 2 : close])
            if name == "array" and tokens[k].text == r"\begin":
                tables.append(_is_table_of_equations(tokens, close))
            lays_out = name in TRANSPARENT or (name == "array" and tables and tables[-1])
            if name == "array" and tokens[k].text == r"\end" and tables:
                tables.pop()
            if lays_out:
                columns = name == "array" and tokens[k].text == r"\begin" and tokens[close + 1].text == "{"
                k = (match_brackets(tokens).get(close + 1, close) if columns else close) + 1
                continue
        out.append(tokens[k])
        k += 1
    return out


def _is_table_of_equations(tokens: list[Token], start: int) -> bool:
    """Whether an array has a column of equality signs."""
    end = next((j for j in range(start, len(tokens)) if tokens[j].text == r"\end"), len(tokens))
    return any(
        tokens[j].text in SEPARATORS and tokens[j - 1].text in ("&", "}", r"\\") and tokens[j + 1].text == "&"
        for j in range(start + 1, end - 1)
    )


def _after_spacing(tokens: list[Token], k: int) -> int:
    """The position after an optional `[4pt]` behind a line break."""
    if k < len(tokens) and tokens[k].text == "[":
        close = next((j for j in range(k, min(k + 6, len(tokens))) if tokens[j].text == "]"), None)
        if close is not None and any(t.kind == "number" for t in tokens[k:close]):
            return close + 1
    return k


def without_tail(tokens: list[Token]) -> list[Token]:
    """The tokens without punctuation at the end."""
    end = len(tokens)
    while end and tokens[end - 1].text in TRAILING:
        end -= 1
    return tokens[:end]


def _line(tokens: list[Token], letters: set[str]) -> Line:
    tokens = _without_lead(tokens, letters)
    partner = match_brackets(tokens)
    inside = covered(tokens, partner)
    line = Line([], [])
    k = 0
    while k < len(tokens):
        if k in inside:
            line.add(tokens[k])
        elif (end := _words_end(tokens, k, letters)) > k:
            line.words(tokens[k:end], tokens[end] if end < len(tokens) else None)
            k = end - 1
        elif _is_remark(tokens, k, partner, letters):
            aside = _line(tokens[k + 1 : partner[k]], letters)
            line.remarks += [Clause("", aside.main), *aside.clauses, *aside.remarks]
            k = partner[k]
        elif _is_pause(tokens, k):
            line.begin(tokens[k].text)
        else:
            line.add(tokens[k])
        k += 1
    return line


def _is_pause(tokens: list[Token], k: int) -> bool:
    """A comma, a semicolon, "for all", or the end of a sentence."""
    if tokens[k].text in (".", ":"):
        return k + 1 < len(tokens) and tokens[k + 1].start > tokens[k].end
    return tokens[k].text in PAUSES


def _is_remark(tokens: list[Token], k: int, partner: dict[int, int], letters: set[str]) -> bool:
    """A bracket that begins with words: "(chain rule)", "(where δ = …)"."""
    if tokens[k].text not in ("(", "[") or partner.get(k, 0) <= k + 1:
        return False
    first = tokens[k + 1]
    if first.kind == "text":
        found = first.text.lower().split()
        return not is_identifier(first) and (len(found) > 1 or found[0] in REMARKS)
    return _words_end(tokens, k + 1, letters) > k + 1


def _joined(tokens: list[Token]) -> str:
    return "".join(t.text for t in tokens).lower().strip(" .:")


def _words_end(tokens: list[Token], k: int, letters: set[str]) -> int:
    """The token behind the words that begin at `k`; `k` where there are none."""
    if tokens[k].kind == "text" and not is_identifier(tokens[k]):
        return k + 1
    end = _letters_end(tokens, k)
    if end < k + 2:
        return k
    word = _joined(tokens[k:end])
    known = len(word) < 4 and set(word) & letters
    return end if word in REMARKS and not known else k


def _letters_end(tokens: list[Token], k: int) -> int:
    end = k
    while end < len(tokens) and tokens[end].kind == "letter" and (end == k or tokens[end].start == tokens[end - 1].end):
        end += 1
    return end


def _without_lead(tokens: list[Token], letters: set[str]) -> list[Token]:
    """A line without the words that lead up to its formula: "Answer:", "so the gradient is"."""
    k = 0
    while k < len(tokens):
        end = _letters_end(tokens, k)
        word = _joined(tokens[k:end])
        is_word = end - k > 1 and word in LEADING_WORDS and not (len(word) < 4 and set(word) & letters)
        text = tokens[k].text.lower().strip(" :,.").split() if tokens[k].kind == "text" else []
        if is_word:
            k = end
        elif tokens[k].text in LEADING or (text and set(text) <= LEADING_WORDS):
            k += 1
        else:
            break
    return tokens[k:]
