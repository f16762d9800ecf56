r"""LaTeX formulas as Typst's mathematics: what the engine prints and what authors write.

Commands are translated one by one from the tables of `typst_symbols`; what is in none of them is an error that
names it.  Commas and brackets are escaped, so that Typst takes none of them for its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from derive.errors import AuthorError, mark
from derive.sheets import typst_symbols as t
from derive.sheets.typst_tokens import CLOSING, OPENING, Token, breaks, end, leads, tokens

_SIDED = re.compile(r"(big|Big|bigg|Bigg)[lrm]?$")
MAX_DEPTH = 200


def typst_math(latex: str) -> str:
    r"""A formula in Typst's mathematics.  Raises `AuthorError` for a command that is not known.

    >>> typst_math(r"\delta x^\top"), typst_math(r"\frac{a, b}{2}")
    ('δ attach(x, t: ⊤)', 'frac(a \\, b, 2)')
    """
    return " ".join(breakable(latex))


def breakable(latex: str) -> tuple[str, ...]:
    r"""A formula in pieces, between which a line may end: before a relation, a plus or a minus of its own level.

    >>> breakable(r"a + \left(b + c\right) = d")
    ('a', '+ lr(\\( b + c \\))', '= d')
    """
    translator = Translator(latex)
    pieces = translator.pieces()
    return tuple(" ".join(piece) for piece in pieces if piece)


def quoted(text: str) -> str:
    """Text between quotation marks, as Typst reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Translator:
    """One pass over the tokens of a formula, by recursive descent."""

    def __init__(self, latex: str) -> None:
        self.latex, self.tokens, self.at, self.depth = latex, tokens(latex), 0, 0
        self.breaks: list[int] = []

    # ------------------------------------------------------------------------------------------- sequences

    def pieces(self) -> list[list[str]]:
        """The whole formula, a new piece at each place where a line may break."""
        out: list[list[str]] = [[]]
        level = 0
        while (token := self.peek()) is not None:
            if token.kind == "command" and token.text in t.STYLES:
                out[-1].append(self.until())
                break
            if not level and breaks(token) and out[-1] and not leads(out[-1][-1]):
                out.append([])
                self.breaks.append(token.at)
            if token.text == "|" and token.kind == "sign":
                level += -1 if level % 2 else 1
            level += 2 * (end(token) in OPENING) - 2 * (end(token) in CLOSING)
            out[-1].append(self.scripted())
        return out

    def sources(self) -> list[str]:
        r"""The same pieces in LaTeX.

        >>> Translator(r"\frac{a + b}{c} + d").sources()
        ['\\frac{a + b}{c} ', '+ d']
        """
        self.pieces()
        ends = [0, *self.breaks, len(self.latex)]
        return [self.latex[start:end] for start, end in pairwise(ends)]

    def until(self, *ends: str) -> str:
        """Everything up to one of the ends, which stays."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("This formula is nested too deeply to be set.")
        out: list[str] = []
        while (token := self.peek()) is not None and end(token) not in ends:
            style = t.STYLES.get(token.text) if token.kind == "command" else None
            if style is not None:
                self.at += 1
                out.append(style.format(self.until(*ends)))
            else:
                out.append(self.scripted())
        self.depth -= 1
        return " ".join(part for part in out if part)

    def peek(self) -> Token | None:
        """The next token that is no blank."""
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "blank":
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next(self) -> Token:
        token = self.peek()
        if token is None:
            raise self.fail("This formula ends where something is missing.")
        self.at += 1
        return token

    def expect(self, text: str) -> None:
        if self.next().text != text:
            self.at -= 1
            raise self.fail(f"There should be a {text} here.")

    def fail(self, message: str) -> AuthorError:
        last = self.tokens[min(self.at, len(self.tokens) - 1)] if self.tokens else Token("", "", 0)
        return AuthorError(message, "PDF", mark(self.latex, (last.at, last.at + len(last.text) + 1)))

    # --------------------------------------------------------------------------------------------- scripts

    def scripted(self) -> str:
        """One atom with its scripts and primes."""
        token = self.next()
        if token.kind == "sign" and token.text in "^_'":
            base, self.at = '""', self.at - 1
        else:
            base = self.atom(token)
        if not base:
            return ""
        primes, above, below = 0, list[str](), list[str]()
        while (script := self.peek()) is not None and script.kind == "sign" and script.text in ("^", "_", "'"):
            self.at += 1
            if script.text == "'":
                primes += 1
            else:
                (above if script.text == "^" else below).append(self.argument())
        if token.kind == "command" and token.text in ("underbrace", "overbrace"):
            note = below if token.text == "underbrace" else above
            return f"{base[:-1]}, {note.pop()})" if note else base
        above = [part for part in (f"#math.primes({primes})" if primes else "", *above) if part]
        scripts = (f", t: {' '.join(above)}" if above else "") + (f", b: {' '.join(below)}" if below else "")
        return f"attach({base}{scripts})" if scripts else base

    def argument(self) -> str:
        """What a command takes: a group in braces, or the next token."""
        token = self.next()
        if token.text == "{" and token.kind == "sign":
            inside = self.until("}")
            self.expect("}")
            return inside or '""'
        return self.atom(token) or '""'

    # ----------------------------------------------------------------------------------------------- atoms

    def atom(self, token: Token) -> str:
        text = token.text
        if token.kind == "number":
            return text
        if token.kind == "sign":
            return self.sign(token)
        known = t.GREEK.get(text) or t.BINARY.get(text) or t.RELATIONS.get(text) or t.BIG.get(text)
        if known is not None:
            return known
        if text in t.OPENING or text in t.CLOSING:
            side, sign = ("opening", t.OPENING[text]) if text in t.OPENING else ("closing", t.CLOSING[text])
            return f'class("{side}", {sign})' if sign in ("|", "‖") else sign
        if text in t.FUNCTIONS:
            return f'op("{text}"{", limits: #true" if text in t.WITH_LIMITS else ""})'
        return self.command(token)

    def sign(self, token: Token) -> str:
        text = token.text
        if text == "{":
            inside = self.until("}")
            self.expect("}")
            return f'class("normal", {inside})' if inside else '""'
        if text in "}&":
            raise self.fail(f"A {text} stands here alone.")
        if text == "|":
            return 'class("normal", |)'
        return t.ESCAPED.get(text, text)

    def command(self, token: Token) -> str:
        text = token.text
        if text in t.SILENT:
            return ""
        if text in t.SPACES:
            return t.SPACES[text]
        for table in (t.FONTS, t.ACCENTS, t.WRAPPERS):
            if text in table:
                return table[text].format(self._joined() if table is t.FONTS else self.argument())
        if text in t.TEXTS or text in t.NAMES:
            return self.words(text)
        if text in t.FRACTIONS or text in t.STACKED:
            return (t.FRACTIONS.get(text) or t.STACKED[text]).format(self.argument(), self.argument())
        if text in ("underbrace", "overbrace"):
            return f"{text}({self.argument()})"
        if (sized := _SIDED.match(text)) is not None:
            return f'class("normal", lr(size: #{t.SIZES[sized[1]]}, {self.delimiter()}))'
        special = SPECIAL.get(text)
        if special is None:
            self.at -= 1
            raise self.fail(rf"The command \{text} cannot be set in a PDF.")
        return special(self)

    def _joined(self) -> str:
        """The argument of a font; letters of one word stay together."""
        token = self.peek()
        if token is not None and token.text == "{":
            close = next((k for k in range(self.at, len(self.tokens)) if self.tokens[k].text == "}"), self.at)
            letters = self.tokens[self.at + 1 : close]
            inside = "".join(one.text for one in letters)
            if len(letters) > 1 and inside.isalpha() and all(one.kind == "sign" for one in letters):
                self.at = close + 1
                return quoted(inside)
        return self.argument()

    def words(self, command: str) -> str:
        r"""The words of a \text or the name of an operator, as they stand; formulas between dollars are set."""
        self.expect("{")
        start = self.tokens[self.at].at if self.at < len(self.tokens) else len(self.latex)
        depth = 1
        while depth and self.at < len(self.tokens):
            token = self.tokens[self.at]
            depth += (token.kind == "sign") * ((token.text == "{") - (token.text == "}"))
            self.at += 1
        if depth:
            raise self.fail(rf"The brace after \{command} is never closed.")
        inside = self.latex[start : self.tokens[self.at - 1].at]
        plain = re.sub(r"\\([ ,;:!])", lambda m: "" if m[1] == "!" else " ", inside)
        plain = re.sub(r"\\([&%$#_{}])", r"\1", plain) if "$" not in plain else plain
        pieces = plain.split("$") if plain.count("$") % 2 == 0 else [plain]
        shown = [typst_math(piece) if k % 2 else quoted(piece) for k, piece in enumerate(pieces) if piece]
        table = t.TEXTS if command in t.TEXTS else t.NAMES
        return table[command].format(" ".join(shown) or '""')

    def delimiter(self) -> str:
        r"""What follows \left, \right or \big: nothing for a dot."""
        token = self.next()
        text = token.text
        if token.kind == "sign" and text == ".":
            return ""
        if token.kind == "command" and text == "|":
            return "‖"
        if token.kind == "sign" and text in "<>":
            return "⟨" if text == "<" else "⟩"
        found = t.OPENING.get(text) or t.CLOSING.get(text) or t.BARS.get(text)
        if found is None:
            raise self.fail(f"{text} is no bracket.")
        return found


# -------------------------------------------------------------------------------- commands of more than one part


def _delimited(p: Translator) -> str:
    opening = p.delimiter()
    inside = p.until("\\right")
    p.expect("right")
    closing = p.delimiter()
    return f"lr({' '.join(part for part in (opening, inside, closing) if part)})"


def _root(p: Translator) -> str:
    token = p.peek()
    if token is None or token.text != "[":
        return f"sqrt({p.argument()})"
    p.at += 1
    degree = p.until("]")
    p.expect("]")
    return f"root({degree}, {p.argument()})"


def _substack(p: Translator) -> str:
    p.expect("{")
    lines = [p.until("\\\\", "}")]
    while p.next().text != "}":
        lines.append(p.until("\\\\", "}"))
    return " \\ ".join(lines)


def _negated(p: Translator) -> str:
    sign = p.atom(p.next())
    return t.NEGATED.get(sign, f"cancel({sign})")


def _coloured(p: Translator) -> str:
    p.expect("{")
    start = p.at
    while p.next().text != "}":
        pass
    colour = "".join(token.text for token in p.tokens[start : p.at - 1])
    if colour not in t.COLOURS:
        raise p.fail(f"The colour {colour} is not known here.")
    return f"#text(fill: {t.COLOURS[colour]})[${p.argument()}$]"


def _environment(p: Translator) -> str:
    name = _environment_name(p)
    if name not in t.CASES and name not in t.MATRICES and name not in t.ALIGNED:
        raise p.fail(f"The environment {name} cannot be set in a PDF.")
    if name in ("array", "alignedat"):
        p.argument()
    rows: list[list[str]] = [[]]
    while True:
        rows[-1].append(p.until("&", "\\\\", "\\end"))
        ended = p.next()
        if ended.text == "end":
            break
        if ended.text == "\\":
            rows.append([])
    if _environment_name(p) != name:
        raise p.fail(f"The environment {name} is closed by another name.")
    rows = [row for row in rows if any(row)]
    if name in t.CASES:
        return f"cases({', '.join(' & quad '.join(row) for row in rows)})"
    if name in t.ALIGNED:
        return f"display(mat(delim: #none, row-gap: #0.6em, {'; '.join(' & '.join(row) for row in rows)}))"
    cells = "; ".join(", ".join(cell or '""' for cell in row) for row in rows)
    return f"mat(delim: {t.MATRICES[name]}, {cells})"


def _environment_name(p: Translator) -> str:
    p.expect("{")
    start = p.at
    while p.next().text != "}":
        pass
    return "".join(token.text for token in p.tokens[start : p.at - 1])


SPECIAL: dict[str, Callable[[Translator], str]] = {
    "left": _delimited,
    "middle": lambda p: f"mid({p.delimiter()})",
    "sqrt": _root,
    "substack": _substack,
    "textcolor": _coloured,
    "not": _negated,
    "mid": lambda p: 'class("relation", |)',
    "vert": lambda p: 'class("normal", |)',
    "bmod": lambda p: 'op("mod")',
    "begin": _environment,
}
