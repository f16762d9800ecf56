"""What is declared: names as patterns, and what each stands for.

A key such as `u_k`, `\\hat{y}^{(i)}`, `P(O=w|C=c)` or `H[z]` becomes a pattern: its letter, its scripts and its
argument as tokens, with slots where an index or argument varies.  Answers are matched against patterns,
so that scripts may stand in any order and spelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from derive.errors import AnswerError
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.latex.grammar import FUNCTION_WORDS
from derive.latex.parser import Parser
from derive.latex.tokens import Token, tokenize
from derive.sizes import Range

SPELT, BRACES = ("text", "name"), ("{", "}")


class Pattern(NamedTuple):
    """A key taken apart; `None` for a part that is not there."""

    base: str
    sub: tuple[str, ...] | None
    sups: tuple[tuple[str, ...], ...]
    call: tuple[str, ...] | None
    primes: int = 0

    @property
    def texts(self) -> Iterator[str]:
        """All tokens of scripts and arguments."""
        for part in (self.sub or (), *self.sups, self.call or ()):
            yield from part


class Entity(NamedTuple):
    """What a pattern stands for.

    `kind`: value (a symbol or defined name), family, index, index family, part (a row or column of a
    matrix), function (an unspecified one), macro (a name that is expanded where it is used).
    `slots` are the letters of the pattern that vary.
    """

    kind: str
    key: str
    pattern: Pattern
    node: Node | None = None
    slots: tuple[str, ...] = ()
    over: Range | None = None
    orientation: str = ""
    body: s.Syntax | None = None


class Texts(tuple[str, ...]):
    """Token texts that remember the tokens."""

    tokens: tuple[Token, ...] = ()


def written(tokens: Iterable[Token]) -> Texts:
    """A superscript: its texts in normal form, to compare, and its tokens, to read."""
    listed = tokens if isinstance(tokens, tuple) else tuple(tokens)
    out = Texts(normal(listed))
    out.tokens = listed
    return out


def normal(tokens: Iterable[Token]) -> tuple[str, ...]:
    """Token texts as scripts are compared by: braces only around a script of several tokens, words spelt."""
    listed = tokens if isinstance(tokens, tuple) else tuple(tokens)
    if len(listed) == 1 and listed[0].kind not in SPELT and listed[0].text not in BRACES:
        return (listed[0].text,)
    out: list[str] = []
    kept: list[bool] = []
    for k, token in enumerate(listed):
        if token.text == "{":
            nested = bool(out) and out[-1] in ("_", "^") and k + 2 < len(listed) and listed[k + 2].text != "}"
            kept.append(nested)
            out.extend(["{"] if nested else [])
        elif token.text == "}":
            out.extend(["}"] if kept and kept.pop() else [])
        elif token.kind in SPELT:
            out.extend(c for c in token.text if not c.isspace())
        else:
            out.append(token.text)
    return tuple(out)


def take_key_apart(key: str) -> Pattern:
    """The pattern of a declared key.  Raises `AnswerError` where it is no name."""
    tokens = tokenize(key)
    word = 0
    while word < len(tokens) and tokens[word].kind == "letter":
        word += 1
    letters = "".join(t.text for t in tokens[:word])
    words = {t.text for t in tokens if t.kind == "text"} | ({letters} if word > 1 else set())
    syntax = Parser(key, tokens, words, (r"\Sigma",)).whole()
    call: tuple[str, ...] | None = None
    if isinstance(syntax, s.Product) and len(syntax.factors) == 2:
        (_, head), (_, argument) = syntax.factors
        if isinstance(argument, s.Group):
            syntax, call = head, (argument.opening, *normal(argument.tokens))
    if isinstance(syntax, s.Derivative):
        return Pattern("∂", normal(tokens), (), None)
    if isinstance(syntax, s.Name):
        return Pattern(syntax.base, None, (), call)
    if isinstance(syntax, s.Scripted) and isinstance(syntax.body, s.Name):
        subs = [t for script in syntax.subs for t in normal(script.tokens)]
        sups = tuple(normal(script.tokens) for script in syntax.sups)
        return Pattern(syntax.body.base, tuple(subs) or None, sups, call, syntax.primes)
    raise AnswerError("unreadable", f"{key} is not a name", (0, len(key)))


class Scope:
    """Everything that is declared, by the letter of its pattern; `matched` remembers what names were found to be."""

    __slots__ = ("entities", "letters", "loss_name", "matched", "sizes", "words")

    def __init__(
        self,
        entities: dict[str, list[Entity]] | None = None,
        sizes: set[str] | None = None,
        words: set[str] | None = None,
        letters: set[str] | None = None,
        loss_name: str = "",
    ) -> None:
        self.entities = {} if entities is None else entities
        self.sizes = set() if sizes is None else sizes
        self.words = set() if words is None else words
        self.letters = set() if letters is None else letters
        self.loss_name = loss_name
        self.matched: dict[tuple[str, tuple[str, ...]], Any] = {}

    def add(self, entity: Entity) -> None:
        """Declare one more."""
        base = entity.pattern.base
        self.entities.setdefault(base, []).append(entity)
        if base.isalpha() or base == r"\Sigma":
            (self.words if len(base) > 1 and base.isalpha() else self.letters).add(base)
            if base in FUNCTION_WORDS:
                self.words.add(base)

    def add_size_names(self, names: Iterable[str]) -> None:
        for name in names:
            self.sizes.add(name)
            if len(name) == 1:
                self.letters.add(name)

    def all(self) -> Iterator[Entity]:
        for found in self.entities.values():
            yield from found

    def index_letters(self) -> dict[str, Range | None]:
        """The letters that vary in declared families, columns and rows, with their ranges."""
        out: dict[str, Range | None] = {}
        for entity in self.all():
            if entity.kind in ("family", "index family", "part"):
                for slot in entity.slots:
                    out.setdefault(slot, entity.over)
        return out

    def child(self) -> Scope:
        """A copy that can grow by itself."""
        entities = {base: list(found) for base, found in self.entities.items()}
        return Scope(entities, set(self.sizes), set(self.words), set(self.letters), self.loss_name)
