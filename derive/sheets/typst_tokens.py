"""The tokens of a formula that is to be set, and where its lines may end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from derive.latex.tokens import UNICODE
from derive.sheets import typst_symbols as t

_LEX = re.compile(r"(\s+)|(\\(?:[A-Za-z]+\*?|.))|(\d+(?:\.\d+)?|\.\d+)|(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """A command without its backslash, a number, a character, or blanks."""

    kind: str
    text: str
    at: int


def tokens(latex: str) -> list[Token]:
    """The tokens of a formula; letters and signs of Unicode become their commands."""
    out: list[Token] = []
    for found in _LEX.finditer(latex):
        blank, command, number, sign = found.groups()
        if sign and sign in UNICODE and not sign.isascii():
            out += [Token(token.kind, token.text, found.start()) for token in tokens(UNICODE[sign])]
        elif blank is not None:
            out.append(Token("blank", " ", found.start()))
        elif command is not None:
            out.append(Token("command", command[1:], found.start()))
        else:
            out.append(Token("number" if number else "sign", number or sign, found.start()))
    return out


OPENING = frozenset(("(", "[", "\\{", "\\langle", "\\lvert", "\\lVert"))
CLOSING = frozenset((")", "]", "\\}", "\\rangle", "\\rvert", "\\rVert"))


_BEFORE_SIGN = frozenset((*t.RELATIONS.values(), *t.BINARY.values(), *"=<>+−", "\\(", "\\[", "\\{"))


def end(token: Token) -> str:
    """A token as it is written."""
    return f"\\{token.text}" if token.kind == "command" else token.text


def breaks(token: Token) -> bool:
    """Whether a line may end before this."""
    if token.kind == "sign":
        return token.text in "+-=<>"
    return token.kind == "command" and (token.text in t.RELATIONS or token.text in ("pm", "mp"))


def leads(text: str) -> bool:
    """Whether a plus or minus after this is a sign of its own."""
    return text.split(" ")[-1] in _BEFORE_SIGN
