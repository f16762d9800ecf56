"""Text to tokens: LaTeX as people write it, with what has no meaning taken away.

Tokens keep their place in the text.  Fonts, sizes, colours, spacing and alignment are dropped here; unicode
letters and signs become their commands.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from derive.errors import AnswerError

MAX_TEXT, MAX_TOKENS = 20_000, 4_000


class Token(NamedTuple):
    """`kind` is letter, number, command, sign, text, name (an \\operatorname), one (a bold 1), opening or closing."""

    kind: str
    text: str
    start: int
    end: int


UNICODE = {
    "·": r"\cdot", "×": r"\times", "–": "-", "−": "-", "—": "-", "⊙": r"\odot", "∘": r"\circ", "⊗": r"\otimes",
    "∂": r"\partial", "∇": r"\nabla", "∑": r"\sum", "Σ": r"\Sigma", "∏": r"\prod", "√": r"\sqrt", "∞": r"\infty",
    "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "∈": r"\in", "→": r"\to", "⇒": r"\Rightarrow", "ℓ": r"\ell",
    "′": "'", "’": "'", "ᵀ": "^T", "⊤": r"^\top", "²": "^2", "³": "^3", "⁻": "^-", "∗": "*", "⋅": r"\cdot",
    "‖": r"\|", "ŷ": r"\hat{y}", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta",
    "ε": r"\epsilon", "ϵ": r"\epsilon", "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "κ": r"\kappa",
    "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma",
    "τ": r"\tau", "φ": r"\phi", "ϕ": r"\phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "Δ": r"\Delta",
    "Θ": r"\Theta", "Λ": r"\Lambda", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega", "Γ": r"\Gamma",
    "𝟙": r"\mathbb{1}", "½": r"\frac{1}{2}", "…": r"\ldots", "≔": "=", "≡": "=", "\u00a0": " ",
}  # fmt: skip
INVISIBLE = set("\u200b\u200c\u200d\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u00ad")
SAME = {
    r"\intercal": r"\top", r"\le": r"\leq", r"\leqslant": r"\leq", r"\ge": r"\geq", r"\geqslant": r"\geq",
    r"\ne": r"\neq", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\Vert": r"\|", r"\vert": "|", r"\mid": "|",
    r"\dfrac": r"\frac", r"\tfrac": r"\frac",
    r"\cfrac": r"\frac", r"\ast": "*", r"\prime": "'", r"\part": r"\partial", r"\widehat": r"\hat",
    r"\overline": r"\bar", r"\widetilde": r"\tilde", r"\lbrack": "[", r"\rbrack": "]", r"\colon": ":",
    r"\bullet": r"\cdot", r"\centerdot": r"\cdot", r"\gets": r"\to", r"\rightarrow": r"\to", r"\lt": "<",
    r"\gt": ">", r"\varepsilon": r"\epsilon", r"\land": r"\wedge", r"\sb": "_", r"\sp": "^", r"\coloneqq": "=",
    r"\equiv": "=", r"\Longrightarrow": r"\Rightarrow", r"\implies": r"\Rightarrow", r"\star": "*",
    r"\newline": "\\\\", r"\linebreak": "\\\\", r"\llbracket": "[", r"\rrbracket": "]", r"\triangleq": "=",
    r"\doteq": "=", r"\diagdown": r"\oslash",
    **dict.fromkeys((r"\dots", r"\dotsc", r"\dotsb", r"\hdots", r"\cdots"), r"\ldots"),
    r"\hslash": r"\hbar", r"\bigodot": r"\odot", r"\bigcirc": r"\circ", r"\And": r"\wedge",
    r"\dag": "*", r"\tau": r"\tau",
}  # fmt: skip
DIRECTED = {
    r"\lVert": ("opening", r"\|"),
    r"\rVert": ("closing", r"\|"),
    r"\lvert": ("opening", "|"),
    r"\rvert": ("closing", "|"),
}
DROPPED = set(
    r"""\left \right \big \Big \bigg \Bigg \bigl \bigr \Bigl \Bigr \biggl \biggr \Biggl \Biggr \bigm \middle
    \, \; \! \: \> \quad \qquad \displaystyle \textstyle \scriptstyle \limits \nolimits \normalsize \large \Large
    \small \footnotesize \tiny \huge \nonumber \notag \hfill \hline \rm \bf \it \cal \sf \tt \bfseries \boldmath
    \mathstrut \strut \allowbreak \noindent \centering \null \relax \qed \displaylimits \LARGE \Huge \scriptsize
    \blacksquare \square \Box \checkmark \qedsymbol \par \smallskip \medskip \bigskip
    \ignorespaces \mathopen \mathclose \normalfont \itshape \underline""".split()
)
FONTS = set(
    r"""\mathbf \boldsymbol \bm \pmb \mathrm \mathit \mathsf \mathtt \mathcal \mathscr \mathfrak \mathnormal \textbf
    \textit \textrm \textsf \texttt \bold \vec \mathbb \symbf \symup \emph \mbox \uline
    \mathop \operatorname* \operatorname \text \textnormal \tn \phantom
    \bb \mathds \cancel \vectorsym \overrightarrow \textup \vphantom""".split()
)
BOLD = {r"\mathbf", r"\boldsymbol", r"\bm", r"\pmb", r"\mathbb", r"\textbf", r"\bold", r"\symbf", r"\bb", r"\mathds"}
WORDS_INSIDE = {r"\text", r"\textrm", r"\mbox", r"\operatorname", r"\operatorname*", r"\mathrm", r"\textnormal",
                r"\textit", r"\textsf", r"\texttt", r"\mathit", r"\mathsf", r"\textbf", r"\emph", r"\mathop",
                r"\hbox", r"\mathtt", r"\textup"}  # fmt: skip
TEXT = {r"\text", r"\textrm", r"\mbox", r"\textnormal", r"\textit", r"\emph"}
SWALLOWED = set(
    r"""\tag \label \color \vspace \hspace \phantom \vphantom \ref \eqref \footnote \tag* \hphantom \rule \mathchoice
    \vskip \hskip \intertext""".split()
)
ARGUMENT_THEN_BODY = {r"\textcolor", r"\colorbox", r"\fcolorbox", r"\scalebox", r"\raisebox", r"\class", r"\href"}
FRAMES = set(
    r"""\boxed \fbox \framebox \mathclap \ensuremath \smash \mathrlap \mathllap \hbox \mathbin \mathrel
    \mathord""".split()
)
TAKES_BRACES = {"_", "^", "}", "]", r"\frac", r"\sqrt", r"\hat", r"\bar", r"\tilde", r"\dot", r"\substack", r"\begin"}
SIGNS = {"==": "=", ".*": r"\odot", "@": ""}  # as in programs
FORBIDDEN = set(
    r"""\def \let \write \input \include \newcommand \renewcommand \immediate \catcode \csname \expandafter \openout
    \openin \read \loop \uppercase \lowercase \special \directlua \newenvironment \edef \gdef \xdef \futurelet
    \providecommand \DeclareMathOperator \everymath \jobname \message \usepackage \require""".split()
)

_LEX = re.compile(
    r"""(?P<space>[\s~]+) | (?P<comment>%[^\n]*) | (?P<command>\\(?:[A-Za-z]+\*?|.))
    | (?P<number>\d+(?:\{,\}\d{3})*(?:\.\d+)?|\.\d+)(?:\.(?=\s*[-+]))? | (?P<letter>[A-Za-z]) | (?P<sign>==|\.\*|.)""",
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str, preamble: str = "") -> list[Token]:
    """The tokens of a formula, macros of the text or its preamble expanded.

    Raises `AnswerError` for what cannot be a formula at all.
    """
    from derive.latex import macros

    raw = _raw(text)
    before = _raw(preamble) if preamble else []
    if any(token.text.rstrip("*") in macros.DEFINING for token in (*before, *raw)):
        raw = macros.expand(macros.definitions(before) + raw)
    if not raw:
        raise AnswerError("empty", "There is no answer here.", (0, len(text)))
    return _Cleaner(raw).run()


def _raw(text: str) -> list[Token]:
    if len(text.strip()) > MAX_TEXT:
        message = f"The answer has {len(text.strip())} characters; at most {MAX_TEXT} are read."
        raise AnswerError("too-long", message)
    out: list[Token] = []
    at, end = 0, len(text)
    while at < end and text[at].isspace():
        at += 1
    stripped = len(text.rstrip())
    while at < stripped:
        found = _LEX.match(text, at)
        assert found is not None
        kind = str(found.lastgroup)
        piece = found[kind]
        if piece in SIGNS:
            out.extend(t._replace(start=at, end=found.end()) for t in _raw(SIGNS[piece]))
        elif kind == "sign" and not piece.isascii():
            out.extend(_from_unicode(piece, at))
        elif kind == "sign" and not piece.isprintable():
            raise AnswerError("unreadable", "There is a control character here.", (at, at + 1))
        elif kind == "command":
            side, name = DIRECTED.get(piece, ("command", SAME.get(piece.rstrip("*"), piece)))
            out.append(Token(side, name, at, found.end()))
        elif kind not in ("space", "comment"):
            out.append(Token(kind, piece.replace("{,}", ""), at, found.end()))
        at = found.end()
        if len(out) > MAX_TOKENS:
            raise AnswerError("too-long", f"The answer is too long: more than {MAX_TOKENS} signs.")
    return [_resign(t) for t in out]


def _resign(token: Token) -> Token:
    if token.kind == "command" and len(token.text) == 1:
        return token._replace(kind="letter" if token.text.isalpha() else "sign")
    return token


def _from_unicode(char: str, at: int) -> list[Token]:
    if char in INVISIBLE:
        return []
    replacement = UNICODE.get(char) or unicodedata.normalize("NFKC", char)
    if replacement == char or not replacement.isascii():
        name = unicodedata.name(char, "an unknown character")
        raise AnswerError("unreadable", f"The character {name.lower()} is not understood.", (at, at + 1))
    parts = [] if replacement.isspace() else _raw(replacement)
    return [t._replace(start=at, end=at + 1) for t in parts]


class _Cleaner:
    """One pass over the raw tokens that drops what only changes the look."""

    def __init__(self, raw: list[Token]) -> None:
        self.raw, self.at, self.out = _with_evaluations(raw), 0, list[Token]()
        self.invisible = set[int]()

    def run(self) -> list[Token]:
        while self.at < len(self.raw):
            if self.at in self.invisible:
                self.at += 1
            else:
                self._step()
        return self.out

    def _step(self) -> None:
        token = self._directed(self.raw[self.at])
        text = token.text
        if text == "{" and self._transposes():
            self.out.append(token._replace(text="{}^"))
            self.at += 3
        elif text == "{" and self._encloses_nothing():
            self.at += 2
        elif token.kind != "command":
            if not (text == "$" or (text == "." and self._delimiter_dot())):
                self.out.append(token)
            self.at += 1
        elif text in FORBIDDEN:
            raise AnswerError("unreadable", f"{text} is not allowed in an answer.", (token.start, token.end))
        elif text in DROPPED or text in ("\\ ", "\\\n", "\\(", "\\)", "\\[", "\\]", "\\-", "\\/"):
            self.at += 1
        elif text in SWALLOWED:
            self.at = self._after_argument(self.at + 1)
        elif text in ARGUMENT_THEN_BODY:
            self.at = self._after_argument(self.at + 1)
            self._frame()
        elif text in FRAMES:
            self.at += 1
            self._frame()
        elif text in FONTS:
            self._font(token)
        else:
            self.out.append(token)
            self.at += 1

    def _directed(self, token: Token) -> Token:
        """A bar after `\\left` or `\\right` is known to open or to close."""
        before = self.raw[self.at - 1].text if self.at else ""
        sides = {r"\left": "opening", r"\right": "closing", r"\bigl": "opening", r"\bigr": "closing"}
        bar = token.text in ("|", r"\|") and token.kind in ("sign", "command")
        return token._replace(kind=sides[before]) if bar and before in sides else token

    def _encloses_nothing(self) -> bool:
        """`{}` that only keeps things apart; behind a command or a script it is an argument."""
        after = [t.text for t in self.raw[self.at + 1 : self.at + 3]]
        before = self.out[-1].text if self.out else ""
        return after[:1] == ["}"] and (before not in TAKES_BRACES or (before == "}" and after[1:] in (["_"], ["^"])))

    def _transposes(self) -> bool:
        """`{}^t` with a small t, which is written in front of what it transposes."""
        after = [t.text for t in self.raw[self.at + 1 : self.at + 7] if t.text not in FONTS]
        return after[:2] == ["}", "^"] and [t for t in after[2:] if t != "{"][:1] == ["t"]

    def _delimiter_dot(self) -> bool:
        before = self.raw[self.at - 1].text if self.at else ""
        return before in (r"\left", r"\right", r"\middle")

    def _after_argument(self, at: int) -> int:
        """The position after one argument, in braces, brackets or a single token."""
        while at < len(self.raw) and self.raw[at].text == "[":
            while at < len(self.raw) and self.raw[at].text != "]":
                at += 1
            at += 1
        if at < len(self.raw) and self.raw[at].text == "{":
            return _closing(self.raw, at) + 1
        return min(at + 1, len(self.raw))

    def _frame(self) -> None:
        """The braces of a box or colour enclose nothing that is seen, unless a script or argument needs them."""
        close = _closing(self.raw, self.at) if self.at < len(self.raw) and self.raw[self.at].text == "{" else 0
        before = self.out[-1].text if self.out else ""
        after = self.raw[close + 1].text if close + 1 < len(self.raw) else ""
        if close and close < len(self.raw) and before not in TAKES_BRACES and after not in ("_", "^", "'"):
            self.invisible |= {self.at, close}

    def _font(self, token: Token) -> None:
        """A font command: a bold 1 becomes `one`, words become one token, other things lose the font."""
        at = self.at + 1
        braced = at < len(self.raw) and self.raw[at].text == "{"
        close = _closing(self.raw, at) if braced else at + 1
        inside = self.raw[at + 1 : close] if braced else self.raw[at:close]
        name = token.text
        ones = name in BOLD and [t.text for t in inside] in (["1"], ["1", "1"])
        if ones or (name in (r"\mathbb", r"\mathds", r"\bb") and [t.text for t in inside] == ["I"]):
            self.out.append(Token("one", "1", token.start, inside[0].end))
            self.at = close + braced
        elif name in WORDS_INSIDE and braced and _is_words(inside):
            self._words(token, inside, close + 1)
        else:
            self.at += 1
            if braced and name in BOLD:
                self._bold_ones(at + 1, close)
            if name in TEXT:
                self._frame()

    def _bold_ones(self, start: int, end: int) -> None:
        """A 1 with scripts among other bold letters (`\\mathbf{1_n^T q}`) is a vector of ones."""
        depth = 0
        for k in range(start, min(end, len(self.raw) - 1)):
            token = self.raw[k]
            depth += (token.text == "{") - (token.text == "}")
            scripted = self.raw[k + 1].text in ("_", "^") and self.raw[k - 1].text not in ("_", "^")
            if token.kind == "number" and token.text == "1" and scripted and not depth:
                self.raw[k] = token._replace(kind="one")

    def _words(self, token: Token, inside: list[Token], after: int) -> None:
        end = self.raw[after - 1].end if after <= len(self.raw) else token.end
        joined, last = "", inside[0].start if inside else 0
        for part in inside:
            joined += (" " if part.start > last and joined else "") + part.text.lstrip("\\")
            last = part.end
        if joined.strip():
            kind = "name" if token.text.startswith(r"\operatorname") and joined.isalpha() else "text"
            self.out.append(Token(kind, joined.strip(), token.start, end))
        self.at = after


def _with_evaluations(raw: list[Token]) -> list[Token]:
    """`\\left. f \\right|_{x = a}` with f in a bracket, so that it is known how far the bar reaches."""
    out, opened = list(raw), list[int]()
    for k, token in enumerate(raw):
        if token.text == r"\left":
            opened.append(k)
        elif token.text == r"\right" and opened:
            start = opened.pop()
            bar = [t.text for t in raw[k + 1 : k + 3]] == ["|", "_"]
            if bar and raw[start + 1].text == ".":
                out[start + 1] = raw[start + 1]._replace(kind="sign", text="(")
                out[k] = raw[k]._replace(kind="sign", text=")")
                out[k + 1] = raw[k + 1]._replace(kind="command", text=r"\evaluated")
    return out


def _is_words(inside: list[Token]) -> bool:
    letters = sum(t.kind == "letter" for t in inside)
    return all(t.kind == "letter" or t.text in "-,.;:?!()'" or t.kind == "number" for t in inside) and (
        letters >= 2 or not inside
    )


def _closing(tokens: list[Token], at: int) -> int:
    """The position of the brace that closes the one at `at` (or the end)."""
    depth = 0
    for k in range(at, len(tokens)):
        if tokens[k].text == "{":
            depth += 1
        elif tokens[k].text == "}":
            depth -= 1
            if not depth:
                return k
    return len(tokens)
