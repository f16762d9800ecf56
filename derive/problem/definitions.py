"""What a line of `[define]` or `[names]` stands for: a value, an indexed family, or a name to be expanded."""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import AnswerError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.problem.problem import Definition
from derive.reading.match import arguments
from derive.reading.open_sizes import is_open
from derive.reading.reader import Reader
from derive.reading.scope import Entity, Pattern, Scope


def definition_of(scope: Scope, key: str, shape: Pattern, text: str, forward: bool) -> tuple[Entity, Definition | None]:
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
        raise _undeclared(scope, body, slots, stray[0])
    if shape.call is not None or len(slots) > 1 or (not forward and any(is_open(size) for size in node.dims)):
        return Entity("macro", key, shape, None, slots, None, "", body), None
    if slots:
        return _indexed(scope, key, shape, body, slots[0], trial)
    node = trial.settle(node)
    leaf = b.symbol(key, node.dims, inferred_properties(node))
    return Entity("value", key, shape, leaf), node


def _undeclared(scope: Scope, body: s.Syntax, slots: tuple[str, ...], letter: str) -> AnswerError:
    """The error for a letter that nothing declares, with its place."""
    reader = Reader(scope)
    for slot in slots:
        reader = reader.bind(slot, b.index(slot, None))
    try:
        reader.expression(body)
    except AnswerError as problem:
        return problem
    return AnswerError("unknown-symbol", f"The index {letter} is not declared.", body.span)


def _letters(shape: Pattern, scope: Scope, trial: Reader | None) -> Iterator[str]:
    """The letters of a key that vary: family indices, and those that its formula leaves free."""
    known = scope.index_letters()
    sub = shape.sub or ()
    opened = trial.opened if trial is not None else {}
    word = (
        len(sub) > 2
        and all(len(t) == 1 and t.isalpha() for t in sub)
        and not all(t in known or t in opened for t in sub)
    )
    for text in dict.fromkeys(t for t in shape.texts if not (word and t in sub)):
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
    if node.op == "diag":
        return ("symmetric",)
    return ()
