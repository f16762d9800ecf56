"""A problem: a loss as a named forward program, with everything that is declared for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from derive.errors import AnswerError, AuthorError, mark
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.latex import syntax as s
from derive.latex.tokens import tokenize
from derive.problem.declare import declare, pattern, take_apart
from derive.reading.match import arguments
from derive.reading.reader import Reader, is_open
from derive.reading.scope import Entity, Pattern, Scope
from derive.rules.fold import fold
from derive.sizes import SCALAR, Range

Definition = Node | tuple[str, Range, Node]
MAX_SYMBOLS = 400


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the derivative of `of` (the loss if empty) with respect to `wrt`."""

    wrt: str
    of: str = ""
    layout: str = "shape"
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Target:
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
        if leaf is None:
            raise AuthorError(f"{text} is not a symbol, a defined name or a part of one", "wrt")
        free = tuple((name, _one_range(name, reader)) for name in reader.opened)
        return Target(text, leaf, access, free)


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


# --------------------------------------------------------------------------------------------- reading one

KEYS = frozenset(("title", "source", "loss", "symbols", "define", "names", "questions", "layout", "id"))


def problem_from(data: Mapping[str, Any], identifier: str = "") -> Problem:
    """A problem from its keys.  Raises `AuthorError` with the key and the place of what is wrong."""
    return _Builder(_checked(data)).build(identifier)


def _checked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise AuthorError("a problem is a table with the keys loss and symbols")
    if not isinstance(data.get("loss"), str) or not data["loss"].strip():
        raise AuthorError("the loss is missing", "loss")
    for key in ("symbols", "define", "names"):
        table = data.get(key, {})
        if not isinstance(table, Mapping):
            raise AuthorError("this is to be a table of names", key)
        if len(table) > MAX_SYMBOLS:
            raise AuthorError(f"{len(table)} entries are too many; at most {MAX_SYMBOLS} are read", key)
    if data.get("layout", "shape") not in ("shape", "numerator"):
        raise AuthorError("the layout is shape or numerator", "layout")
    unknown = sorted(set(map(str, data)) - KEYS)
    if unknown:
        raise AuthorError(f"unknown key; known are {', '.join(sorted(KEYS))}", unknown[0])
    return data


class _Builder:
    """Reads the tables of a problem one after the other."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data, self.scope = data, Scope()
        self.definitions: dict[Node, Definition] = {}
        self.shorthands: dict[Node, Definition] = {}
        self.texts: dict[Node, str] = {}
        self.rules: dict[str, tuple[str, ...]] = {}
        self.seen: dict[Pattern, str] = {}

    def build(self, identifier: str) -> Problem:
        self._symbols(self.data.get("symbols", {}))
        self._know_words(self.data.get("define", {}), self.data.get("names", {}))
        for key, text in self.data.get("define", {}).items():
            self._define("define", str(key), text, self.definitions)
        loss_symbol, loss = self._loss(self.data["loss"])
        for key, text in self.data.get("names", {}).items():
            self._define("names", str(key), text, self.shorthands)
        texts = {**self.texts, loss_symbol: self.data["loss"]}
        return Problem(
            str(self.data.get("title", "")), str(self.data.get("source", "")), self.data["loss"], self.scope, loss,
            loss_symbol, self.definitions, self.shorthands, texts, self.rules, self._questions(),
            self.data.get("layout", "shape"), identifier,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------- symbols

    def _symbols(self, table: Mapping[str, Any]) -> None:
        ordered = sorted(table.items(), key=lambda item: " of " in str(item[1]))
        for key, text in ordered:
            where = f"symbols.'{key}'"
            try:
                entity = declare(self.scope, str(key), text)
                self._once(entity, where)
                rules = take_apart(text).excluded_indices if text.startswith("index") else ()
            except AuthorError as problem:
                raise problem.at(where) from None
            if rules:
                self.rules[str(key)] = rules
            self.scope.add(entity)
            self._sizes(entity)

    def _sizes(self, entity: Entity) -> None:
        node = entity.node
        if node is not None and entity.kind in ("value", "family"):
            self.scope.add_size_names(node.dims[0].names | node.dims[1].names)
        ranges = [entity.over] if entity.over else []
        if entity.kind == "index family" and node is not None:
            ranges.append(node.data[1])
        for over in ranges:
            self.scope.add_size_names(over.lo.names | over.hi.names)

    def _once(self, entity: Entity, where: str) -> None:
        before = self.seen.get(entity.pattern)
        if before is not None:
            raise AuthorError(f"{entity.key} is declared twice (as {before} too)")
        self.seen[entity.pattern] = where

    def _know_words(self, *tables: Mapping[str, Any]) -> None:
        """Names of several letters must be known before the formulas that use them are read."""
        for table in tables:
            for key in table:
                try:
                    base = pattern(str(key)).base
                except AuthorError:
                    continue
                if base.isalpha():
                    (self.scope.words if len(base) > 1 else self.scope.letters).add(base)

    # ------------------------------------------------------------------------------------------- formulas

    def _define(self, table: str, key: str, text: Any, into: dict[Node, Definition]) -> None:
        where = f"{table}.'{key}'"
        if not isinstance(text, str):
            raise AuthorError("a definition is a formula in LaTeX", where)
        try:
            shape = pattern(key)
            entity, definition = _definition(self.scope, key, shape, text, table == "define")
            self._once(entity, where)
        except AuthorError as problem:
            raise problem.at(where) from None
        except AnswerError as problem:
            raise self._located(problem, text, where) from None
        self.scope.add(entity)
        if entity.node is not None and definition is not None:
            into[entity.node] = definition
            self.texts[entity.node] = text
            into[entity.node] = self._called_by_names(definition)

    def _located(self, problem: AnswerError, text: str, where: str) -> AuthorError:
        message = problem.message
        later = [k for t in ("define", "names") for k in self.data.get(t, {}) if f"{k} is not declared" in message]
        if later:
            message += f" ({later[0]} is defined, but not before this line: definitions stand in order, without cycles)"
        return AuthorError(message, where, mark(text, problem.span))

    def _loss(self, text: str) -> tuple[Node, Node]:
        try:
            reader = Reader(self.scope, open_letters=True)
            name, body = _split_loss(reader, text)
            node = reader.settle(reader.expression(body))
            self._free_indices(reader)
        except AnswerError as problem:
            raise self._located(problem, text, "loss") from None
        if node.dims != SCALAR:
            raise AuthorError(f"the loss is {reader.show(node)}; a loss is a number", "loss")
        node = fold(node, self._plain())
        symbol = b.symbol(name or "loss", SCALAR)
        if name:
            shape = pattern(name)
            if shape in self.seen:
                raise AuthorError(f"the loss is called {name}, which is declared already", "loss")
            self.seen[shape] = "loss"
            self.scope.add(Entity("value", name, shape, symbol))
            self.scope.loss_name = shape.base
        return symbol, node

    def _plain(self) -> dict[Node, Node]:
        return {leaf: meaning for leaf, meaning in self.definitions.items() if not isinstance(meaning, tuple)}

    def _called_by_names(self, definition: Definition) -> Definition:
        """A definition in which what has a name already goes by it: the loss of `a` is a function of `a`."""
        if isinstance(definition, tuple):
            return (*definition[:2], fold(definition[2], self._plain()))
        mine = {leaf: meaning for leaf, meaning in self._plain().items() if meaning != definition}
        return fold(definition, mine)

    def _free_indices(self, reader: Reader) -> None:
        """Indices that the loss leaves open, as in σ(x_i), are fixed indices of the problem."""
        for letter, node in reader.opened.items():
            used = reader.uses.get(letter)
            if not used:
                raise AnswerError("unknown-symbol", f"{letter} is not declared.", (0, len(self.data["loss"])))
            self.scope.add(Entity("index", letter, pattern(letter), node, (), used[0]))

    def _questions(self) -> tuple[Question, ...]:
        out: list[Question] = []
        listed = self.data.get("questions", [])
        if not isinstance(listed, list):
            raise AuthorError("questions are written as [[questions]]", "questions")
        for k, row in enumerate(listed):
            where = f"questions[{k}]"
            if not isinstance(row, Mapping) or not isinstance(row.get("wrt"), str):
                raise AuthorError("a question needs the key wrt", where)
            layout = row.get("layout", self.data.get("layout", "shape"))
            out.append(Question(row["wrt"], str(row.get("of", "")), str(layout), str(row.get("answer", ""))))
        return tuple(out)


def _split_loss(reader: Reader, text: str) -> tuple[str, s.Syntax]:
    """The name and the formula of `NAME = formula`."""
    syntax = reader.parse(text)
    if isinstance(syntax, s.Relation):
        if len(syntax.sides) != 2 or syntax.signs != ("=",):
            raise AnswerError("unreadable", "A loss is written NAME = formula.", syntax.span)
        end = next(t.start for t in tokenize(text) if t.text == "=" and t.start >= syntax.sides[0].span[1])
        return text[:end].strip(), syntax.sides[1]
    if text.strip().startswith("="):
        raise AnswerError("unreadable", "The name before the = is missing.", (0, 1))
    return "", syntax


def _definition(scope: Scope, key: str, shape: Pattern, text: str, forward: bool) -> tuple[Entity, Definition | None]:
    """The entity of a definition: a value, an indexed family, or a name to be expanded."""
    trial = Reader(scope, open_letters=True)
    body = trial.parse(text)
    parameters = {argument[0] for argument in arguments((shape.call or ())[1:]) if len(argument) == 1}
    if isinstance(body, s.Relation):
        raise AnswerError("unreadable", "A definition is one formula, without =.", body.span)
    try:
        node = trial.expression(body)
    except AnswerError:
        if shape.call is None:
            raise
        slots = tuple(letter for letter in _letters(shape, scope, None) if letter not in parameters)
        return Entity("macro", key, shape, None, slots, None, "", body), None
    slots = tuple(letter for letter in _letters(shape, scope, trial) if letter not in parameters)
    stray = [letter for letter in trial.opened if letter not in slots]
    if stray and shape.call is None:
        raise AnswerError("unknown-symbol", f"The index {stray[0]} is not declared.", (0, len(text)))
    if shape.call is not None or len(slots) > 1 or (not forward and any(is_open(size) for size in node.dims)):
        return Entity("macro", key, shape, None, slots, None, "", body), None
    if slots:
        return _indexed(scope, key, shape, body, slots[0], trial)
    node = trial.settle(node)
    leaf = b.symbol(key, node.dims, inferred_properties(node))
    return Entity("value", key, shape, leaf), node


def _letters(shape: Pattern, scope: Scope, trial: Reader | None) -> Iterator[str]:
    """The letters of a key that vary: family indices, and those that its formula leaves free."""
    known = scope.index_letters()
    for text in dict.fromkeys(shape.texts):
        fixed = any(e.kind == "index" for e in scope.entities.get(text, []))
        if not fixed and (text in known or (trial is not None and text in trial.opened)):
            yield text


def _indexed(
    scope: Scope, key: str, shape: Pattern, body: s.Syntax, letter: str, trial: Reader
) -> tuple[Entity, Definition | None]:
    used = trial.uses.get(letter, [])
    over = used[0] if used else scope.index_letters().get(letter)
    if over is None:
        return Entity("macro", key, shape, None, (letter,), None, "", body), None
    reader = Reader(scope).bind(letter, b.index(letter, None))
    node = reader.settle(reader.expression(body))
    leaf = b.family(key, node.dims, over, inferred_properties(node), letter)
    return Entity("family", key, shape, leaf, (letter,), over), (letter, over, node)


def inferred_properties(node: Node) -> tuple[str, ...]:
    """What is known of a defined value by its outermost operation."""
    if node.op == "softmax":
        vector = node.dims[0].number == 1 or node.dims[1].number == 1
        return ("distribution", "positive") if vector else ("distribution rows", "positive")
    if node.op in ("sigmoid",):
        return ("positive", "unit interval")
    if node.op == "exp":
        return ("positive",)
    return ()


def symbols_of(problem: Problem) -> list[Node]:
    """All leaves that are given (not defined), in the order of the declarations."""
    return [
        e.node
        for e in problem.scope.all()
        if e.kind in ("value", "family") and e.node and e.node not in problem.meanings
    ]


def names_in(node: Node) -> set[Node]:
    """The symbols and families that an expression uses."""
    return {part for part in walk(node) if part.op in ("symbol", "family")}
