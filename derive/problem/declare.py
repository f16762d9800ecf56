"""What stands in `[symbols]`: a shape or a kind, with properties, a range and exclusions in any order."""

from __future__ import annotations

import re
from typing import NamedTuple

from derive.errors import AnswerError, AuthorError, mark
from derive.expressions import build as b
from derive.latex import syntax as s
from derive.latex.parser import Parser
from derive.latex.tokens import tokenize
from derive.reading.match import scripts_of
from derive.reading.scope import Entity, Pattern, Scope, take_key_apart
from derive.sizes import ONE, SCALAR, Dims, Range, Size

PROPERTIES = frozenset(
    ("one-hot", "distribution", "binary", "sign", "positive", "unit interval", "symmetric", "positive definite",
     "integer", "one-hot rows", "one-hot columns", "distribution rows", "distribution columns", "nonnegative")
)  # fmt: skip
_PART = re.compile(r"^(column|row)\s+(.+?)\s+of\s+(.+)$")
_BETWEEN = re.compile(r"\s+x\s+|\s*×\s*|\s*\\times\s*")
_RANGE = re.compile(r"^(.*?)\s*=\s*(.+?)\s*\.\.\s*(.+)$")
_EXCLUDED = re.compile(r"^(.*?)\s*(?:\\neq|\\ne|!=|≠)\s*(.+)$")


class Spec(NamedTuple):
    """A declaration taken apart."""

    shape: str
    properties: tuple[str, ...] = ()
    letter: str = ""
    over: Range | None = None
    excluded_indices: tuple[str, ...] = ()


def size(text: str) -> Size:
    """A size as it is written: `d`, `5 d`, `2 m + 1`, `n_{l-1}`."""
    try:
        tokens = tokenize(text)
        words = set(re.findall(r"(?<![\\A-Za-z])[A-Za-z]{2,}", text))
        return _size(Parser(text, tokens, words, ()).whole())
    except AnswerError as problem:
        raise AuthorError(f"“{text}” is not a size: {problem.message}", place=mark(text, problem.span)) from None


def _size(node: s.Syntax) -> Size:
    if isinstance(node, s.Num) and node.value.denominator == 1:
        return Size.of(int(node.value))
    if isinstance(node, s.Name):
        return Size.of(node.base)
    if isinstance(node, s.Scripted) and isinstance(node.body, s.Name):
        subs, sups = scripts_of(node)
        name = node.body.base + (f"_{{{''.join(subs)}}}" if subs else "")
        return Size.of(name + "".join(f"^{{{''.join(sup)}}}" for sup in sups))
    if isinstance(node, s.Sum):
        total = Size.of(0)
        for sign, part in node.terms:
            total = total + _size(part) * sign
        return total
    if isinstance(node, s.Product) and all(sign in ("", "*", r"\cdot") for sign, _ in node.factors):
        out = ONE
        for _, part in node.factors:
            out = out * _size(part)
        return out
    if isinstance(node, s.Group) and len(node.parts) == 1:
        return _size(node.parts[0])
    raise AnswerError("unreadable", "only names, numbers, + and products are sizes", node.span)


def dims(text: str) -> Dims:
    """A shape: `scalar`, `d`, `1 x d`, `C x d`."""
    if text == "scalar":
        return SCALAR
    parts = _BETWEEN.split(text.strip())
    if len(parts) > 2 or not all(parts):
        raise AuthorError(f"“{text}” is not a shape; a shape is scalar, d, 1 x d or C x d")
    sizes = [size(part) for part in parts]
    for one in sizes:
        if one.number is not None and not 1 <= one.number <= 400:
            raise AuthorError(f"the size {one} is not between 1 and 400")
    return sizes[0], sizes[1] if len(sizes) > 1 else ONE


def take_apart(text: str) -> Spec:
    """The parts of a declaration."""
    first, *rest = [part.strip() for part in _commas(text)]
    properties, letter, over, excluded, others = list[str](), "", None, list[Size](), list[str]()
    for part in rest:
        if (found := _RANGE.match(part)) is not None:
            letter, over = found[1].strip(), Range(size(found[2]), size(found[3]))
        elif (found := _EXCLUDED.match(part)) is not None:
            excluded.append(size(found[2]))
        elif part.startswith("not "):
            others.append(part[4:].strip())
        elif part in PROPERTIES or part.startswith("one-hot at "):
            properties.append(part)
        else:
            raise AuthorError(
                f"“{part}” is neither a property nor a range; properties are {', '.join(sorted(PROPERTIES))}"
            )
    if over is not None:
        over = Range(over.lo, over.hi, tuple(excluded))
    return Spec(first, tuple(properties), letter, over, tuple(others))


def _commas(text: str) -> list[str]:
    parts, depth, last = list[str](), 0, 0
    for k, char in enumerate(text):
        depth += (char in "{(") - (char in "})")
        if char == "," and not depth:
            parts.append(text[last:k])
            last = k + 1
    return [*parts, text[last:]]


def pattern(key: str) -> Pattern:
    """The pattern of a key; an `AuthorError` where it is no name."""
    try:
        return take_key_apart(key)
    except AnswerError as problem:
        raise AuthorError(f"the name cannot be read: {problem.message}", place=mark(key, problem.span)) from None


def declare(scope: Scope, key: str, text: str) -> Entity:
    """The entity that one line of `[symbols]` declares."""
    if not isinstance(text, str) or not text.strip():
        raise AuthorError("a declaration is a text such as 'C x d' or 'scalar, positive'")
    shape = pattern(key)
    text = text.strip()
    if text == "elementwise function":
        return Entity("function", key, shape)
    spec = take_apart(text)
    if spec.shape.startswith("index"):
        return _index(key, shape, spec)
    if (found := _PART.match(spec.shape)) is not None:
        return _part(scope, key, shape, found[1], found[2].strip(), found[3].strip())
    size_of_each = dims(spec.shape)
    if spec.over is None:
        return Entity("value", key, shape, b.symbol(key, size_of_each, spec.properties))
    _check_letter(shape, spec.letter, key)
    node = b.family(key, size_of_each, spec.over, spec.properties, spec.letter)
    return Entity("family", key, shape, node, (spec.letter,), spec.over)


def _check_letter(shape: Pattern, letter: str, key: str) -> None:
    if letter not in list(shape.texts):
        raise AuthorError(f"the range is for {letter}, which does not stand in the name {key}")


def _index(key: str, shape: Pattern, spec: Spec) -> Entity:
    found = re.match(r"^index\s+(.+?)\s*\.\.\s*(.+)$", spec.shape)
    if found is None:
        raise AuthorError(f"“{spec.shape}” should be index 1..V")
    over = Range(size(found[1]), size(found[2]))
    if over.lo.number is not None and over.hi.number is not None and over.hi.number < over.lo.number:
        raise AuthorError(f"the index runs over {over}, which is empty")
    if spec.over is None:
        return Entity("index", key, shape, b.index(key, over), (), over)
    _check_letter(shape, spec.letter, key)
    return Entity(
        "index family", key, shape, b.index_family(key, over, spec.over, spec.letter), (spec.letter,), spec.over
    )


def _part(scope: Scope, key: str, shape: Pattern, kind: str, letter: str, matrix: str) -> Entity:
    wanted = pattern(matrix)
    for entity in scope.entities.get(wanted.base, []):
        if entity.pattern == wanted and entity.kind == "value" and entity.node is not None:
            _check_letter(shape, letter, key)
            length = entity.node.dims[1 if kind == "column" else 0]
            return Entity("part", key, shape, entity.node, (letter,), Range(ONE, length), kind)
    raise AuthorError(f"{matrix} is not declared (yet), so {key} cannot be a {kind} of it")
