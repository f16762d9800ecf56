"""Text to tokens: LaTeX as people write it, with what has no meaning taken away.

Tokens keep their place in the text.  Unicode letters and signs become their commands; fonts, sizes, colours,
spacing and alignment are dropped.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from derive.errors import AnswerError
from derive.latex.cleaning import cleaned

MAX_TEXT, MAX_TOKENS = 20_000, 4_000


class Token(NamedTuple):
    """`kind` is letter, number, command, sign, text, name (an \\operatorname), one (a bold 1), opening or closing."""

    kind: str
    text: str
    start: int
    end: int


_new = tuple.__new__  # as `Token(...)`, without a call in between


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
DEFINING = frozenset((r"\newcommand", r"\renewcommand", r"\providecommand", r"\def", r"\DeclareMathOperator"))
_STARRED = DEFINING | {name + "*" for name in DEFINING}

# Every text is cut into such pieces without a rest.
_PIECE = re.compile(
    r"""[\s~]+ | %[^\n]* | \\(?:[A-Za-z]+\*?|.) | (?:\d+(?:\{,\}\d{3})*(?:\.\d+)?|\.\d+)(?:\.(?=\s*[-+]))?
    | [A-Za-z] | ==|\.\*|.""",
    re.VERBOSE | re.DOTALL,
)
# The kind and text of the usual pieces; nothing for those without a meaning.  In programs, == is =, .* is \odot.
_KNOWN: dict[str, tuple[str, str] | tuple[()]] = {
    **{c: ("letter" if c.isalpha() else "number" if c.isdigit() else "sign", c) for c in map(chr, range(33, 127))},
    **{piece: ("command" if len(text) > 1 else "sign", text) for piece, text in SAME.items()},
    **DIRECTED,
    **dict.fromkeys((" ", "\n", "~", "%", "@"), ()),
    "==": ("sign", "="), ".*": ("command", r"\odot"),
}  # fmt: skip


def tokenize(text: str, preamble: str = "") -> list[Token]:
    """The tokens of a formula, macros of the text or its preamble expanded.

    Raises `AnswerError` for what cannot be a formula at all.
    """
    raw = _raw(text)
    before = _raw(preamble) if preamble else []
    texts = [token.text for token in raw]
    if not _STARRED.isdisjoint(texts) or not _STARRED.isdisjoint([token.text for token in before]):
        from derive.latex import macros

        raw = macros.expand(macros.definitions(before) + raw)
        texts = [token.text for token in raw]
    if not raw:
        raise AnswerError("empty", "There is no answer here.", (0, len(text)))
    return cleaned(raw, texts)


def _raw(text: str) -> list[Token]:
    if len(text) > MAX_TEXT and len(text.strip()) > MAX_TEXT:
        message = f"The answer has {len(text.strip())} characters; at most {MAX_TEXT} are read."
        raise AnswerError("too-long", message)
    out: list[Token] = []
    end = 0
    for piece in _PIECE.findall(text):
        at, end = end, end + len(piece)
        known = _KNOWN.get(piece)
        if known:
            out.append(_new(Token, (*known, at, end)))
        elif known is None and piece[0] == "\\" and piece[-1] != "*":
            out.append(_new(Token, ("command", piece, at, end)))
        elif known is None:
            out.extend(_unusual(piece, at, end))
    if len(out) > MAX_TOKENS:
        raise AnswerError("too-long", f"The answer is too long: more than {MAX_TOKENS} signs.")
    return out


def _unusual(piece: str, at: int, end: int) -> list[Token]:
    """A long number, a command with a star, or a character that keyboards lack."""
    first = piece[0]
    if first == "\\":
        name = SAME.get(piece.rstrip("*"), piece)
        return [Token("command" if len(name) > 1 else "sign", name, at, end)]
    if first.isdecimal() or first == ".":
        return [Token("number", piece.rstrip(".").replace("{,}", ""), at, end)]
    if first.isspace() or first in "~%":
        return []
    if not piece.isascii():
        return _from_unicode(piece, at)
    raise AnswerError("unreadable", "There is a control character here.", (at, end))


def _from_unicode(char: str, at: int) -> list[Token]:
    if char in INVISIBLE:
        return []
    import unicodedata

    replacement = UNICODE.get(char) or unicodedata.normalize("NFKC", char)
    if replacement == char or not replacement.isascii():
        name = unicodedata.name(char, "an unknown character")
        raise AnswerError("unreadable", f"The character {name.lower()} is not understood.", (at, at + 1))
    parts = [] if replacement.isspace() else _raw(replacement)
    return [t._replace(start=at, end=at + 1) for t in parts]
