"""What only changes the look, taken away from the tokens: fonts, sizes, colours, frames, spacing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from derive.errors import AnswerError

if TYPE_CHECKING:
    from derive.latex.tokens import Token

SIDES = {r"\left": "opening", r"\right": "closing", r"\bigl": "opening", r"\bigr": "closing"}
DROPPED = {"\\ ", "\\\n", "\\(", "\\)", "\\[", "\\]", "\\-", "\\/"} | set(
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
FORBIDDEN = set(
    r"""\def \let \write \input \include \newcommand \renewcommand \immediate \catcode \csname \expandafter \openout
    \openin \read \loop \uppercase \lowercase \special \directlua \newenvironment \edef \gdef \xdef \futurelet
    \providecommand \DeclareMathOperator \everymath \jobname \message \usepackage \require""".split()
)


def cleaned(raw: list[Token], texts: list[str]) -> list[Token]:
    """The tokens that mean something; `texts` are those of the raw tokens."""
    dropping = not DROPPED.isdisjoint(texts)
    if not CLEANED.isdisjoint(texts) or (dropping and "." in texts) or "{ }" in " ".join(texts):
        return Cleaner(_with_evaluations(raw) if "|" in texts else raw).run()
    return [token for token in raw if token.text not in DROPPED] if dropping else raw


class Cleaner:
    """One pass over the raw tokens that drops what only changes the look."""

    def __init__(self, raw: list[Token]) -> None:
        self.raw, self.at = raw, 0
        self.out: list[Token] = []
        self.invisible = set[int]()

    def run(self) -> list[Token]:
        raw, out, end = self.raw, self.out, len(self.raw)
        while self.at < end:
            token = raw[self.at]
            step = STEPS.get(token.text)
            if step is None:
                out.append(token)
                self.at += 1
            else:
                step(self, token)
        return out

    def brace(self, token: Token) -> None:
        """A brace is kept unless the pair encloses nothing; `{}^t` is one token."""
        following = self.raw[self.at + 1].text if self.at + 1 < len(self.raw) else ""
        if self.at in self.invisible:
            self.at += 1
        elif following != "}" and following not in FONTS:
            self.out.append(token)
            self.at += 1
        elif self._transposes():
            self.out.append(token._replace(text="{}^"))
            self.at += 3
        elif self._encloses_nothing():
            self.at += 2
        else:
            self.out.append(token)
            self.at += 1

    def closing_brace(self, token: Token) -> None:
        """A closing brace is kept unless it belongs to a frame."""
        if self.at not in self.invisible:
            self.out.append(token)
        self.at += 1

    def bar(self, token: Token) -> None:
        """A bar after `\\left` or `\\right` is known to open or to close."""
        before = self.raw[self.at - 1].text if self.at else ""
        directed = token.kind in ("sign", "command") and before in SIDES
        self.out.append(token._replace(kind=SIDES[before]) if directed else token)
        self.at += 1

    def dot(self, token: Token) -> None:
        """A dot after `\\left` stands for a bracket that is not there."""
        before = self.raw[self.at - 1].text if self.at else ""
        if before not in (r"\left", r"\right", r"\middle"):
            self.out.append(token)
        self.at += 1

    def drop(self, token: Token) -> None:
        """What only changes the look is left out."""
        self.at += 1

    def swallow(self, token: Token) -> None:
        """A label or a distance is left out with its argument."""
        self.at = self._after_argument(self.at + 1)

    def colour(self, token: Token) -> None:
        """A colour is left out; what has it stays."""
        self.at = self._after_argument(self.at + 1)
        self._frame()

    def frame(self, token: Token) -> None:
        """A frame is left out; what it encloses stays."""
        self.at += 1
        self._frame()

    def refuse(self, token: Token) -> None:
        """Commands that could do anything are refused."""
        raise AnswerError("unreadable", f"{token.text} is not allowed in an answer.", (token.start, token.end))

    def _encloses_nothing(self) -> bool:
        """`{}` that only keeps things apart; behind a command or a script it is an argument."""
        after = [t.text for t in self.raw[self.at + 1 : self.at + 3]]
        before = self.out[-1].text if self.out else ""
        return after[:1] == ["}"] and (before not in TAKES_BRACES or (before == "}" and after[1:] in (["_"], ["^"])))

    def _transposes(self) -> bool:
        """`{}^t` with a small t, which is written in front of what it transposes."""
        after = [t.text for t in self.raw[self.at + 1 : self.at + 7] if t.text not in FONTS]
        return after[:2] == ["}", "^"] and [t for t in after[2:] if t != "{"][:1] == ["t"]

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

    def font(self, token: Token) -> None:
        """A font command: a bold 1 becomes `one`, words become one token, other things lose the font."""
        at = self.at + 1
        braced = at < len(self.raw) and self.raw[at].text == "{"
        close = _closing(self.raw, at) if braced else at + 1
        inside = self.raw[at + 1 : close] if braced else self.raw[at:close]
        name = token.text
        ones = name in BOLD and [t.text for t in inside] in (["1"], ["1", "1"])
        if ones or (name in (r"\mathbb", r"\mathds", r"\bb") and [t.text for t in inside] == ["I"]):
            self.out.append(token._replace(kind="one", text="1", end=inside[0].end))
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
            self.out.append(token._replace(kind=kind, text=joined.strip(), end=end))
        self.at = after


STEPS: dict[str, Callable[[Cleaner, Token], None]] = {
    **dict.fromkeys(FONTS, Cleaner.font),
    **dict.fromkeys(FRAMES, Cleaner.frame),
    **dict.fromkeys(ARGUMENT_THEN_BODY, Cleaner.colour),
    **dict.fromkeys(SWALLOWED, Cleaner.swallow),
    **dict.fromkeys((*DROPPED, "$"), Cleaner.drop),
    **dict.fromkeys(FORBIDDEN, Cleaner.refuse),
    "{": Cleaner.brace,
    "}": Cleaner.closing_brace,
    "|": Cleaner.bar,
    r"\|": Cleaner.bar,
    ".": Cleaner.dot,
}
CLEANED = frozenset(STEPS) - DROPPED - {"{", "}", "."}


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
