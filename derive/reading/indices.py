"""Index expressions: what stands in a subscript."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.latex import syntax as s
from derive.latex.parser import Parser
from derive.reading import names
from derive.reading.match import as_tokens
from derive.reading.scope import Texts
from derive.sizes import Range, Size

if TYPE_CHECKING:
    from derive.reading.reader import Reader


def read_texts(reader: Reader, texts: tuple[str, ...], span: Span) -> s.Syntax:
    """The syntax of script texts."""
    if len(texts) == 1 and len(texts[0]) == 1 and texts[0].isascii() and texts[0].isalnum():
        return _single(texts[0], (texts.tokens[0].start, texts.tokens[-1].end) if isinstance(texts, Texts) else span)
    tokens = list(texts.tokens) if isinstance(texts, Texts) else as_tokens(texts, span)
    return Parser("", tokens, reader.scope.words, reader.scope.letters).whole()


def _single(text: str, span: Span) -> s.Syntax:
    """One letter or digit, for which no parser is needed."""
    return s.Name(span, text) if text.isalpha() else s.Num(span, Fraction(int(text)))


def value_of(reader: Reader, texts: tuple[str, ...], span: Span) -> Node:
    """The value of an exponent."""
    return reader.expression(read_texts(reader, texts, span))


def index_of(reader: Reader, texts: tuple[str, ...], span: Span) -> Node:
    """The index expression that script texts stand for."""
    return index(reader, read_texts(reader, texts, span))


def index(reader: Reader, node: s.Syntax) -> Node:
    """The index expression that a piece of syntax stands for.  Raises `AnswerError` if it is none."""
    if isinstance(node, s.Num):
        if node.value.denominator != 1:
            raise AnswerError("unreadable", "A position must be a whole number.", node.span)
        return b.number(node.value)
    if isinstance(node, s.Name):
        return _letter(reader, node)
    if isinstance(node, s.Scripted):
        return _scripted(reader, node)
    if isinstance(node, s.Sum):
        return b.add(*(b.scale(sign, index(reader, part)) for sign, part in node.terms))
    if isinstance(node, s.Product) and all(sign in ("", r"\cdot") for sign, _ in node.factors):
        return b.product(*(index(reader, part) for _, part in node.factors))
    if isinstance(node, s.Group) and len(node.parts) == 1 and node.error is None:
        return index(reader, node.parts[0])
    if isinstance(node, s.Relation) and len(node.sides) == 2 and node.signs[0] in ("=", r"\neq"):
        return index(reader, node.sides[1 if node.signs[0] == "=" else 0])
    raise AnswerError("unreadable", "This is not an index.", node.span)


def _letter(reader: Reader, node: s.Name) -> Node:
    letter = node.base
    if letter in reader.bound:
        return reader.bound[letter]
    for entity in reader.scope.entities.get(letter, []):
        if entity.kind == "index" and entity.pattern.sub is None and not entity.pattern.sups:
            assert entity.node is not None
            return entity.node
    if letter in reader.scope.sizes:
        return b.size_number(Size.of(letter))
    if reader.open_letters and letter not in reader.scope.entities:
        return reader.opened.setdefault(letter, b.index(letter, None))
    if reader.open_letters and all(e.kind not in ("index",) for e in reader.scope.entities[letter]):
        return reader.opened.setdefault(letter, b.index(letter, None))
    raise AnswerError("unknown-symbol", f"The index {letter} is neither declared nor bound by a sum.", node.span)


def _scripted(reader: Reader, node: s.Scripted) -> Node:
    """A fixed index with scripts (`y_i`), or a member of a family of indices (`w_s`, `w_{t+j}`)."""
    found = names.resolve(reader, node, None)
    if found is None or found.entity.kind not in ("index", "index family") or found.items or found.sups:
        raise AnswerError("unknown-symbol", "This is not a declared index.", node.span)
    entity = found.entity
    assert entity.node is not None
    if entity.kind == "index":
        return entity.node
    position = index_of(reader, found.slots[entity.slots[0]], node.span)
    note_use(reader, position, entity.over)
    return b.member(entity.node, position)


def is_position(node: Node) -> bool:
    """Whether an expression is made of indices and whole numbers only."""
    if node.op == "member":
        return node.operands[0].op == "index_family"
    return node.op in ("index", "size", "number") or (
        node.op in ("add", "product") and all(is_position(part) for part in node.operands)
    )


def check_place(reader: Reader, position: Node, over: Range, key: str, span: Span) -> None:
    """An index must not stand where another size is counted, as far as the names of the sizes tell."""
    wanted = over.lo.names | over.hi.names
    known = ranges(reader, position)
    names = {name for r in known for name in r.lo.names | r.hi.names}
    if wanted and names and wanted.isdisjoint(names):
        letter = position.data[0] if position.op == "index" else "This index"
        place = f"the place where it stands (in {key})" if key else "the place where it stands"
        message = f"{letter} runs over {known[0]}, but {place} runs over {over}: these are different sizes."
        raise AnswerError("shape", message, span)


def ranges(reader: Reader, position: Node) -> list[Range]:
    """The ranges of the indices in an index expression, where they are declared or known."""
    if position.op == "member":
        return [position.operands[0].data[1]]
    if position.op == "size":
        return [Range(position.data[0], position.data[0])]
    if position.op != "index":
        return [r for part in position.operands for r in ranges(reader, part)]
    declared = position.data[1]
    known = reader.uses.get(str(position.data[0]), [])[:1]
    return [declared] if isinstance(declared, Range) else known


def note_use(reader: Reader, position: Node, over: Range | None) -> None:
    """Remember that an index is used where it runs over a range."""
    if position.op == "index" and over is not None:
        reader.uses.setdefault(str(position.data[0]), []).append(over)


def is_known(reader: Reader, letter: str) -> bool:
    """Whether a letter has a meaning where it stands: as an index, a number, a size or a bound letter."""
    declared = any(e.kind in ("index", "value") for e in reader.scope.entities.get(letter, []) if e.pattern.sub is None)
    return declared or any(letter in known for known in (reader.bound, reader.scope.sizes, reader.opened))


def names_an_index(reader: Reader, node: s.Syntax) -> bool:
    """Whether a piece of syntax is an index expression that uses a declared or bound index."""
    trial = reader.bind("", b.number(0))
    trial.open_letters = False
    try:
        found = index(trial, node)
    except AnswerError:
        return False
    return is_position(found) and any(part.op in ("index", "index_family") for part in walk(found))


def as_size(node: Node) -> Size | None:
    """A position made of sizes and numbers only, such as n + 1."""
    if node.op == "number":
        return Size.of(int(node.data[0]))
    if node.op == "size":
        found: Size = node.data[0]
        return found
    parts = [as_size(part) for part in node.operands]
    if node.op not in ("add", "product") or any(part is None for part in parts):
        return None
    total, *rest = (part for part in parts if part is not None)
    for part in rest:
        total = total + part if node.op == "add" else total * part
    return total
