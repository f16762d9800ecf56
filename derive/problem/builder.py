"""Problems from tables: every key read, every error with its key and place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.errors import AnswerError, AuthorError, mark
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.latex.tokens import tokenize
from derive.problem.declare import declare, pattern, take_apart
from derive.problem.definitions import definition_of
from derive.problem.problem import Definition, Problem, Question
from derive.reading.reach import bound_letters
from derive.reading.reader import Reader
from derive.reading.scope import Entity, Pattern, Scope
from derive.rules.fold import fold
from derive.sizes import SCALAR

USED_OUTSIDE = (
    "The sum over {0} ends before the next + or -, but {0} is used outside of it too: put all that is summed in "
    "brackets, or declare {0} as an index if it is fixed."
)
MAX_SYMBOLS = 1_000
KEYS = frozenset("title source loss symbols define names questions layout id policy preamble".split())


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
    if data.get("policy", "usual") not in ("strict", "usual", "lenient"):
        raise AuthorError("the policy is strict, usual or lenient", "policy")
    if not isinstance(data.get("preamble", ""), str):
        raise AuthorError("the preamble is a text of macro definitions", "preamble")
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
            self.data.get("layout", "shape"), identifier, self.data.get("policy", "usual"),
            self.data.get("preamble", ""),
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
            entity, definition = definition_of(self.scope, key, shape, text, table == "define")
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
            fixed = _subscripts(name)
            reader.opened.update({letter: b.index(letter, None) for letter in fixed})
            node = reader.settle(reader.expression(body))
            for letter in fixed - set(reader.uses):
                reader.opened.pop(letter, None)
            self._free_indices(reader, body, fixed)
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

    def _free_indices(self, reader: Reader, body: s.Syntax, fixed: set[str]) -> None:
        """Indices that the loss leaves open, as in σ(x_i), are fixed indices of the problem."""
        sums = [part for part in s.walk(body) if isinstance(part, s.BigOperator)]
        for letter, node in reader.opened.items():
            spans = [one.span for one in sums if letter in bound_letters(one)]
            spans += [reader.joined[letter]] if letter in reader.joined else []
            if spans and letter not in fixed:
                raise AnswerError("unknown-symbol", USED_OUTSIDE.format(letter), spans[0])
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


def _subscripts(name: str) -> set[str]:
    """The letters of a name such as `\\ell_i` or `L_{i,j}`, which are fixed in its formula."""
    texts = (pattern(name).sub or ()) if name else ()
    words = len(texts) > 1 and "," not in texts
    return set() if words else {t for t in texts if len(t) == 1 and t.islower()}


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
