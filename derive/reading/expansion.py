"""Names that are put in for what they stand for: with arguments, or with a free index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.reading import indices
from derive.reading.match import Match, arguments, is_parameter
from derive.reading.scope import Entity, normal

if TYPE_CHECKING:
    from derive.reading.reader import Reader

MAX_DEPTH, MAX_EXPANSIONS = 24, 2_000


def expand(reader: Reader, found: Match, call: s.Group | None, span: Span) -> Node:
    """A name with arguments or a free index: its definition with these put in."""
    entity = found.entity
    if reader.depth > MAX_DEPTH or next(reader.expansions) > MAX_EXPANSIONS:
        raise AnswerError("too-long", "The names are nested too deep.", span)
    plain = _inner(reader, entity)
    if entity.pattern.call is not None and not found.called:
        return _without_argument(plain, entity, span)
    inner = plain.bind("", b.number(0))
    for letter, texts in found.slots.items():
        inner = inner.bind(letter, _argument(reader, texts, span))
    given = _given(reader, entity, call) if call is not None and found.called else {}
    inner.bound.update(given)
    inner.depth = plain.depth
    assert entity.body is not None
    out = inner.expression(entity.body)
    if given and call is not None and _same_without(plain, entity, call, out):
        message = f"What {entity.key} is for another argument does not follow from the problem."
        raise AnswerError("unreadable", message, span)
    return out


def _inner(reader: Reader, entity: Entity) -> Reader:
    """A reader for a definition: an index that the problem fixes is that index there, whatever a sum has bound."""
    inner = reader.bind("", b.number(0))
    inner.taken = reader.taken | {str(n.data[0]) for n in reader.bound.values() if n.op == "index"}
    for letter in list(inner.bound):
        if letter not in entity.slots and any(e.kind == "index" for e in reader.scope.entities.get(letter, [])):
            del inner.bound[letter]
    inner.depth = reader.depth + 1
    return inner


def _same_without(plain: Reader, entity: Entity, call: s.Group, out: Node) -> bool:
    """Whether another argument made no difference, because the definition does not mention it."""
    assert entity.pattern.call is not None and entity.body is not None
    if normal(call.tokens) == entity.pattern.call[1:]:
        return False
    plain.open_letters = False
    try:
        return plain.expression(entity.body) == out
    except AnswerError:
        return False


def _without_argument(plain: Reader, entity: Entity, span: Span) -> Node:
    """A name that is declared with an argument and used without: at the argument of its key, if that is declared."""
    assert entity.body is not None
    plain.open_letters = False
    try:
        return plain.expression(entity.body)
    except AnswerError:
        raise AnswerError("unreadable", f"{entity.key} stands here without its argument.", span) from None


def _given(reader: Reader, entity: Entity, call: s.Group) -> dict[str, Node]:
    """What is put in for the single letters among the arguments of a key."""
    assert entity.pattern.call is not None
    wanted = arguments(entity.pattern.call[1:])
    letters = [want[0] if is_parameter(want, entity) else "" for want in wanted]
    if not any(letters):
        return {}
    if call.error is not None:
        raise call.error
    if len(call.parts) != len(wanted):
        raise AnswerError("unreadable", f"{entity.key} takes {len(wanted)} arguments.", call.span)
    return {letter: reader.expression(part) for letter, part in zip(letters, call.parts, strict=True) if letter}


def _argument(reader: Reader, texts: tuple[str, ...], span: Span) -> Node:
    """What a slot holds: an index where it can be read as one, else a value."""
    try:
        return indices.index_of(reader, texts, span)
    except AnswerError:
        return indices.value_of(reader, texts, span)
