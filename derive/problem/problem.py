"""A problem: a loss as a named forward program, with everything that is declared for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from derive.errors import AnswerError, AuthorError, mark
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.reading.reader import Reader
from derive.reading.scope import Scope
from derive.sizes import Range

NO_VARIABLE = "is not a symbol, a defined name or a part of one"
WHOLE = "is a whole number: there is no derivative with respect to it"
NOT_VARIABLES = {"index": WHOLE, "index_family": WHOLE, "size": WHOLE, "number": WHOLE}
Definition = Node | tuple[str, Range, Node]


class Question(NamedTuple):
    """What is asked: the derivative of `of` (the loss if empty) with respect to `wrt`."""

    wrt: str
    of: str = ""
    layout: str = "shape"
    answer: str = ""


class Target(NamedTuple):
    """A variable: the leaf that it is (part of), how it is reached, and the indices that stay free."""

    text: str
    leaf: Node
    access: Node
    free: tuple[tuple[str, Range], ...]


@dataclass(slots=True)
class Problem:
    """A problem, read and checked.

    `definitions` maps each defined name, in order, to its expression; an indexed one (`z^{(i)}`) to its
    index, range and expression.  `shorthands` are the names that only answers use.
    """

    title: str
    source: str
    loss_text: str
    scope: Scope
    loss: Node
    loss_symbol: Node
    definitions: dict[Node, Definition]
    shorthands: dict[Node, Definition]
    texts: dict[Node, str]
    index_rules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    layout: str = "shape"
    identifier: str = ""
    policy: str = "usual"
    preamble: str = ""

    @property
    def program(self) -> dict[Node, Definition]:
        """The forward computation with the loss as its last name."""
        return {**self.definitions, self.loss_symbol: self.loss}

    @property
    def meanings(self) -> dict[Node, Definition]:
        """Everything that has a definition, for evaluating."""
        return {**self.program, **self.shorthands}

    def reader(self, derive: Any = None) -> Reader:
        """A reader of answers to this problem."""
        return Reader(self.scope, derive=derive)

    def target(self, text: str) -> Target:
        """The variable that a text such as `W`, `w_j`, `W_{ij}`, `u_k`, `z` names."""
        reader = self.reader()
        reader.open_letters = True
        try:
            access = reader.settle(reader.expression(reader.parse(text)))
        except AnswerError as problem:
            raise AuthorError(
                f"the variable cannot be read: {problem.message}", "wrt", mark(text, problem.span)
            ) from None
        leaf = leaf_of(access)
        if leaf in self.shorthands:
            access = self._meaning_of(access)
            if (leaf := leaf_of(access)) is None:
                raise AuthorError(f"{text} is a name for answers only; [define] it to differentiate by it", "wrt")
        if leaf is None:
            opened = access in reader.opened.values()
            raise AuthorError(f"{text} {NO_VARIABLE if opened else NOT_VARIABLES.get(access.op, NO_VARIABLE)}", "wrt")
        free = tuple((name, _one_range(name, reader)) for name in reader.opened)
        return Target(text, leaf, access, free)

    def _meaning_of(self, access: Node) -> Node:
        """A part of a name for answers as what the name stands for."""
        for part in walk(access):
            whole = part.operands[0] if part.op == "member" else part
            meaning = self.shorthands.get(whole)
            if isinstance(meaning, tuple) and part.op == "member":
                letter, _, body = meaning
                return b.substitute(access, {part: b.substitute(body, {b.index(letter, None): part.operands[1]})})
            if meaning is not None and not isinstance(meaning, tuple):
                return b.substitute(access, {part: meaning})
        return access


def leaf_of(access: Node) -> Node | None:
    """The symbol or family that an expression is a part of; None if it is no part of one."""
    if access.op in ("symbol", "family"):
        return access
    if access.op in ("entry", "row", "column", "member", "transpose"):
        return leaf_of(access.operands[0])
    return None


def _one_range(name: str, reader: Reader) -> Range:
    used = reader.uses.get(name, [])
    if not used:
        raise AuthorError(f"the index {name} has no range", "wrt")
    return used[0]
