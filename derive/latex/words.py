"""Letters that stand together: a declared name, a function, a product, or plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.latex import syntax as s
from derive.latex.grammar import FUNCTION_WORDS, LONG_WORD, REMARKS, is_identifier
from derive.latex.tokens import Token

if TYPE_CHECKING:
    from derive.latex.parser import Parser


def follow(p: Parser) -> bool:
    """Words after a formula ("for k = 1, …", "where …") end it."""
    token = p.tokens[p.at]
    if token.kind == "letter":
        return p.at + 1 < p.end and _touches(p, p.at + 1) and _word_at(p, p.at) in REMARKS
    return token.kind == "text" and not is_identifier(token) and token.text not in p.words


def _word_at(p: Parser, k: int) -> str:
    """The word of plain letters that begins at token `k`, unless declared letters could be meant."""
    end = k
    while end < p.end and p.tokens[end].kind == "letter" and (end == k or _touches(p, end)):
        end += 1
    word = "".join(t.text for t in p.tokens[k:end])
    declared = word in p.words or (len(word) < LONG_WORD and set(word) & set(p.letters))
    return "" if len(word) < 2 or declared else word


def _touches(p: Parser, k: int) -> bool:
    return p.tokens[k].start == p.tokens[k - 1].end


def is_remark(p: Parser) -> bool:
    """A bracket of words: "(when w ≠ c)", "(a row vector)"."""
    if p.at not in p.matching:
        return False
    first = p.tokens[p.at + 1]
    if first.kind == "text":
        found = first.text.split()
        return not is_identifier(first) and (len(found) > 1 or found[0].lower() in REMARKS)
    return first.kind == "letter" and _word_at(p, p.at + 1).lower() in REMARKS


def text_token(p: Parser, token: Token) -> s.Syntax:
    """A text token: a name, or words."""
    p.at += 1
    span = (token.start, token.end)
    known = token.kind == "name" or token.text in p.words or is_identifier(token)
    return s.Name(span, token.text) if known else s.Words(span, token.text)


def letters(p: Parser) -> s.Syntax:
    """The longest declared name, a function word, or one letter."""
    start, end = p.at, p.at + 1
    while end < p.end and p.tokens[end].kind == "letter" and _touches(p, end):
        end += 1
    word = "".join([t.text for t in p.tokens[start:end]]) if end > start + 1 else p.tokens[start].text
    size = _name_length(p, word) if end > start + 1 else 1
    word = word[:size]
    p.at += size
    span = (p.tokens[start].start, p.tokens[start + size - 1].end)
    if size > 1 and word not in p.words and word not in FUNCTION_WORDS:
        return s.Words(span, word)
    return s.Name(span, word)


def _name_length(p: Parser, letters: str) -> int:
    for size in range(len(letters), 1, -1):
        if letters[:size] in p.words:
            return size
    for size in range(len(letters), 1, -1):
        if letters[:size] in FUNCTION_WORDS and set(letters[size:]).issubset(p.letters):
            return size
    if len(letters) < 3:
        return 1
    known = set(p.letters) | {w[0] for w in p.words if w in letters}
    return 1 if known.issuperset(letters) else len(letters)
