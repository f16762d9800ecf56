"""Names in a formula: which declared thing is meant, and what its scripts say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.reading import expansion, indices, slices
from derive.reading.match import LINES, TRANSPOSES, Match, match, scripts_of, split_items
from derive.reading.scope import Entity, Scope, normal
from derive.sizes import ONE, SCALAR, Range, Size, describe

if TYPE_CHECKING:
    from derive.reading.reader import Reader

MOST_MATCHED = 1_000


def resolve(reader: Reader, node: s.Syntax, call: s.Group | None) -> Match | None:
    """The declared thing that fits a name best, or None."""
    base, subs, sups = parts_of(node)
    known = reader.scope.entities.get(base, [])
    if not known and not subs:
        return None
    if base in reader.bound and (reader.bound[base].op != "index" or not subs):
        known = [e for e in known if e.pattern.sub or e.pattern.sups or e.pattern.call]
    elif known and (plain := _plain_match(reader.scope, known, base, subs)) is not None:
        return Match(plain.entity, plain.slots, plain.items, tuple(sups), False, plain.score) if sups else plain
    found = [m for e in known if (m := match(e, subs, sups, call))]
    fitting = [m for m in found if _indices_fit(m)]
    letter = base[5:-1] if base.startswith(r"\hat{") else base
    if not fitting and letter.isalpha() and letter.islower() and subs:
        capital = base.replace(letter, letter.upper()) if letter == base else rf"\hat{{{letter.upper()}}}"
        upper = [e for e in reader.scope.entities.get(capital, []) if e.kind == "value"]
        fitting = [m for e in upper if (m := match(e, subs, sups, call)) and len(m.items) == 2]
    found = fitting or found
    if len(found) > 1:
        found = [m for m in found if _range_fits(reader, m)] or found
    return max(found, key=lambda m: m.score) if found else None


def _plain_match(scope: Scope, known: list[Entity], base: str, subs: tuple[str, ...]) -> Match | None:
    """What fits a name if only one thing does, whatever its superscripts and its place are; remembered."""
    key = (base, subs)
    before = scope.matched.get(key)
    if before is None or before[0] is not known or before[1] != len(known):
        found: list[Match] = []
        if not any(e.pattern.sups or e.pattern.call for e in known):
            found = [m for e in known if (m := match(e, subs, [], None))]
        only = found[0] if len(found) == 1 and _indices_fit(found[0]) else None
        if len(scope.matched) > MOST_MATCHED:
            scope.matched.clear()
        before = scope.matched[key] = (known, len(known), only)
    return before[2]


def parts_of(node: s.Syntax) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """The letter, the subscripts as one list of texts, and the superscripts of a name."""
    if isinstance(node, s.Name):
        return node.base, (), []
    if isinstance(node, s.Scripted) and isinstance(node.body, s.Name):
        return (node.body.base, *scripts_of(node))
    return "", (), []


def _range_fits(reader: Reader, found: Match) -> bool:
    """Whether the index in a slot runs where the entity has members; of `u_o`, only the columns have one at o."""
    entity = found.entity
    if entity.over is None or not found.slots or entity.kind not in ("family", "part", "index family"):
        return True
    trial = reader.bind("", b.number(0))
    trial.open_letters = False
    try:
        position = indices.index_of(trial, found.slots[entity.slots[0]], (0, 0))
        indices.check_place(trial, position, entity.over, entity.key, (0, 0))
    except AnswerError as problem:
        return problem.code != "shape"
    return True


def _indices_fit(found: Match) -> bool:
    """Whether the entity can carry as many indices as are left over."""
    entity, count = found.entity, len(found.items)
    if entity.kind in ("index", "index family", "function"):
        return count == 0
    dims = entity.node.dims if entity.node is not None else None
    return count == 0 or dims is None or dims != SCALAR


def is_transpose(reader: Reader, sup: tuple[str, ...]) -> bool:
    """Whether a superscript is a transpose: `T` is one unless it is a declared number."""
    if len(sup) != 1 or sup[0] not in TRANSPOSES:
        return False
    if sup[0] not in ("T", "t"):
        return True
    for entity in reader.scope.entities.get(sup[0], []):
        if entity.pattern.sub is None and entity.node is not None and entity.node.dims == SCALAR:
            return False
    return sup[0] == "T" or sup[0] not in reader.bound


def value(reader: Reader, node: s.Syntax, found: Match, call: s.Group | None) -> Node:
    """The value of a name with its indices and superscripts."""
    entity, span = found.entity, node.span
    if not found.items:
        out = _meaning(reader, found, call, span)
        return out if isinstance(node, s.Name) else _raised(reader, out, found, node, found.sups)
    if entity.kind == "part" and (line := _line_of_matrix(found)):
        assert entity.node is not None
        out, found = part(reader, entity.node, line, span, entity.key), found._replace(items=())
    else:
        out = _meaning(reader, found, call, span)
    turned = [k for k, sup in enumerate(found.sups) if is_transpose(reader, sup)]
    sups = list(found.sups)
    if turned and is_entry(found.items) and ONE not in out.dims:
        out = b.transpose(out)
        del sups[turned[0]]
    if found.items:
        out = part(reader, out, found.items, span, entity.key)
    return _raised(reader, out, found, node, sups)


def _raised(reader: Reader, out: Node, found: Match, node: s.Syntax, sups: Iterable[tuple[str, ...]]) -> Node:
    """A value with the superscripts and primes of its name."""
    for sup in sups:
        out = reader.raised(out, sup, node.span)
    primes = node.primes - found.entity.pattern.primes if isinstance(node, s.Scripted) else 0
    return prime(reader, out, primes, node.span)


def _line_of_matrix(found: Match) -> tuple[tuple[str, ...], ...]:
    r"""The indices of `W_{i\cdot}` where also `W_i` is declared: they are those of the matrix itself."""
    items = (found.slots[found.entity.slots[0]], *found.items)
    return items if len(items) == 2 and any(len(item) == 1 and item[0] in LINES for item in items) else ()


def is_entry(items: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a subscript names one entry of a matrix; a transpose beside it then comes first."""
    return len(items) == 2 and not any(item[0] in LINES for item in items)


def prime(reader: Reader, out: Node, primes: int, span: Span) -> Node:
    """A prime on a value that is no function is a transpose."""
    if primes > 0 and out.dims == SCALAR:
        raise AnswerError("unreadable", "The prime is not understood here: this is no function.", span)
    return b.transpose(out) if primes == 1 else out


def _meaning(reader: Reader, found: Match, call: s.Group | None, span: Span) -> Node:
    entity = found.entity
    if entity.kind == "macro":
        return expansion.expand(reader, found, call, span)
    assert entity.node is not None
    if entity.kind in ("value", "index"):
        return entity.node
    if entity.kind == "function":
        raise AnswerError("unreadable", f"The function {entity.key} stands here without an argument.", span)
    position = indices.index_of(reader, found.slots[entity.slots[0]], span)
    assert entity.over is not None
    indices.check_place(reader, position, entity.over, entity.key, span)
    indices.note_use(reader, position, entity.over)
    if entity.kind == "part":
        return _line(entity, position)
    return b.member(entity.node, position)


def _line(entity: Entity, position: Node) -> Node:
    """A declared column, or a declared row as a column vector."""
    assert entity.node is not None
    if entity.orientation == "column":
        return b.column(entity.node, position)
    return b.transpose(b.row(entity.node, position))


# ------------------------------------------------------------------------------------- rows and entries


def part(reader: Reader, x: Node, items: tuple[tuple[str, ...], ...], span: Span, key: str = "") -> Node:
    """An entry, row or column of a value, by the indices of a subscript."""
    if x.dims == SCALAR:
        raise AnswerError("unknown-symbol", f"{key or 'This number'} has no entries.", span)
    if any(slices.is_slice(item) for item in items):
        return slices.cut(reader, x, items, span)
    rows, columns = x.dims
    if len(items) == 1 and ONE in x.dims:
        along = 0 if columns == ONE else 1
        if items[0][0] in LINES and len(items[0]) == 1:
            return x
        position = _position(reader, items[0], x.dims[along], span, key)
        return b.entry(x, position, b.number(1)) if along == 0 else b.entry(x, b.number(1), position)
    if len(items) == 2:
        lines = [len(i) == 1 and i[0] in LINES for i in items]
        if all(lines):
            return x
        if lines[1]:
            return b.row(x, _position(reader, items[0], rows, span, key))
        if lines[0]:
            return b.column(x, _position(reader, items[1], columns, span, key))
        i, j = (_position(reader, item, size, span, key) for item, size in zip(items, x.dims, strict=True))
        return b.entry(x, i, j)
    if len(items) == 1:
        return _example(reader, x, items[0], span)
    raise AnswerError("unreadable", f"{describe(x.dims).capitalize()} cannot carry {len(items)} indices.", span)


def _position(reader: Reader, texts: tuple[str, ...], size: Size, span: Span, key: str) -> Node:
    position = indices.index_of(reader, texts, span)
    indices.check_place(reader, position, Range(ONE, size), key, span)
    indices.note_use(reader, position, Range(ONE, size))
    number = position.data[0] if position.op == "number" else None
    limit = size.number
    where = indices.as_size(position)
    beyond = (where - size).number if where is not None else None
    if beyond is not None and beyond > 0:
        raise AnswerError("index", f"The position {where} is outside 1..{size}.", span)
    if number is not None and (number < 1 or (limit is not None and number > limit)):
        raise AnswerError("index", f"The position {number} is outside 1..{size}.", span)
    return position


def _example(reader: Reader, x: Node, texts: tuple[str, ...], span: Span) -> Node:
    """One index on a batch matrix: the example of that number, as a column."""
    position = indices.index_of(reader, texts, span)
    known = reader.uses.get(str(position.data[0]), []) if position.op == "index" else []
    if any(r.hi == x.dims[1] for r in known) and not any(r.hi == x.dims[0] for r in known):
        reader.lenient("one index on a matrix is read as the example of that number: a column")
        return b.column(x, position)
    reader.lenient("one index on a matrix is read as the example of that number: a row, as a column")
    indices.note_use(reader, position, Range(ONE, x.dims[0]))
    return b.transpose(b.row(x, position))


def items_of(scripts: tuple[s.Script, ...], span: Span) -> tuple[tuple[str, ...], ...]:
    """The indices in subscripts on a bracket."""
    texts: list[str] = []
    for script in scripts:
        texts.extend(([","] if texts else []) + list(normal(script.tokens)))
    items = split_items(tuple(texts))
    if items is None:
        raise AnswerError("unreadable", "This subscript is not understood.", span)
    return items
