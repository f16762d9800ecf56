"""Names that nothing declares: what they mean by themselves, or an error that names the next step."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from derive.errors import AnswerError, ShapeError, Span
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.reading import indices, refused
from derive.reading.match import scripts_of, split_items
from derive.reading.names import items_of, part, parts_of, prime
from derive.sizes import ONE, Size

if TYPE_CHECKING:
    from derive.reading.reader import Reader


def value(reader: Reader, node: s.Syntax) -> Node:
    """A name that nothing declares: what it means by itself, or an error that names the next step."""
    base, subs, sups = parts_of(node)
    scripted = node if isinstance(node, s.Scripted) else None
    if base in reader.bound:
        return _with_scripts(reader, reader.bound[base], scripted, node.span)
    refused.refuse(base, node.span)
    builtin = _builtin(reader, base, subs, node.span)
    if builtin is not None:
        rest = None if scripted is None else s.Scripted(node.span, scripted.body, (), scripted.sups, scripted.primes)
        return _with_scripts(reader, builtin, rest, node.span)
    if base in reader.scope.sizes or f"{base}_{{{''.join(subs)}}}" in reader.scope.sizes:
        return _size_value(reader, base, subs, scripted, node.span)
    if reader.open_letters and not subs and not sups and (base.isalpha() or base.startswith("\\")) and len(base) < 2:
        return reader.opened.setdefault(base, b.index(base, None))
    raise AnswerError("unknown-symbol", _unknown(reader, base, subs, sups), node.span)


def _with_scripts(reader: Reader, out: Node, node: s.Scripted | None, span: Span) -> Node:
    if node is None:
        return out
    subs, sups = scripts_of(node)
    if subs:
        out = part(reader, out, items_of(node.subs, span), span)
    for sup in sups:
        out = reader.raised(out, sup, span)
    return prime(reader, out, node.primes, span)


def _builtin(reader: Reader, base: str, subs: tuple[str, ...], span: Span) -> Node | None:
    if base == "e":
        return _unit_column(reader, subs, span) if subs else b.constant("e")
    if base == r"\pi" and not subs:
        return b.constant("pi")
    if base == "I":
        size = _literal_size(reader, subs) if subs else reader.fresh_size()
        return b.eye(size) if size is not None else None
    if base == r"\delta" and subs:
        items = split_items(tuple(t for t in subs if t != "="))
        if items is not None and len(items) == 2:
            first, second = (indices.index_of(reader, item, span) for item in items)
            _share_uses(reader, first, second)
            return b.make("index_equal", (first, second))
    return None


def _unit_column(reader: Reader, subs: tuple[str, ...], span: Span) -> Node | None:
    """`\\mathbf{e}_o`: the unit column, as long as the range of its index or as what stands beside it."""
    items = split_items(subs)
    if items is None or len(items) != 1:
        return None
    position = indices.index_of(reader, items[0], span)
    known = [
        over.hi for over in indices.ranges(reader, position) if over.lo == ONE and position.op in ("index", "member")
    ]
    whole = [size for size in known if len(size.terms) == 1]  # an index that ends at n - 1 may count n entries
    return b.onehot(position, whole[0] if whole else reader.fresh_size())


def power_of_square(reader: Reader, node: s.Scripted) -> Node | None:
    """`\\sigma^4` where only `\\sigma^2` is declared: its square."""
    base, subs, sups = parts_of(node)
    if len(sups) != 1 or len(sups[0]) != 1 or not sups[0][0].isdigit() or int(sups[0][0]) % 2:
        return None
    for entity in reader.scope.entities.get(base, []):
        same = tuple(subs) == (entity.pattern.sub or ()) and entity.pattern.sups == (("2",),)
        if same and entity.kind == "value" and entity.node is not None:
            return b.power(entity.node, Fraction(int(sups[0][0]), 2))
    return None


def _share_uses(reader: Reader, first: Node, second: Node) -> None:
    for one, other in ((first, second), (second, first)):
        if other.op == "index":
            for over in list(reader.uses.get(str(other.data[0]), [])):
                indices.note_use(reader, one, over)


def _literal_size(reader: Reader, subs: tuple[str, ...]) -> Size | None:
    from derive.reading.sums import size_of

    try:
        return size_of(reader, indices.read_texts(reader, subs, (0, 0)))
    except (AnswerError, ShapeError):
        return None


def _size_value(reader: Reader, base: str, subs: tuple[str, ...], node: s.Scripted | None, span: Span) -> Node:
    name = base if not subs or (base in reader.scope.sizes and not subs) else f"{base}_{{{''.join(subs)}}}"
    out = b.size_number(Size.of(name))
    rest = None if node is None else s.Scripted(span, node.body, (), node.sups, node.primes)
    return _with_scripts(reader, out, rest, span)


def _unknown(reader: Reader, base: str, subs: tuple[str, ...], sups: list[tuple[str, ...]]) -> str:
    import difflib

    text = base + (f"_{{{' '.join(subs)}}}" if len(subs) > 1 else f"_{subs[0]}" if subs else "")
    text += "".join(f"^{{{' '.join(sup)}}}" for sup in sups)
    keys = [e.key for e in reader.scope.all()]
    near = difflib.get_close_matches(text, keys, n=1, cutoff=0.5) or difflib.get_close_matches(base, keys, n=1)
    hint = f"; did you mean {near[0]}?" if near else f". Declared are {', '.join(sorted(set(keys))[:12])}."
    return f"{text} is not declared{hint}"
