"""How parts of a formula are written: what a bracket does, what may belong together."""

from __future__ import annotations

from collections.abc import Hashable

from derive.latex import syntax as s
from derive.reading.names import is_transpose
from derive.reading.reader import Reader
from derive.reading.shape_notes import TIMES

BRACKETS = frozenset("([{")
Factors = tuple[tuple[str, s.Syntax], ...]


def spelling(part: s.Syntax) -> Hashable:
    """How a name is written, wherever it stands; None for what is no name."""
    if isinstance(part, s.Name):
        return part.base
    if isinstance(part, s.Scripted) and isinstance(part.body, s.Name):
        scripts = [tuple([tuple([t.text for t in one.tokens]) for one in each]) for each in (part.subs, part.sups)]
        return part.body.base, *scripts, part.primes
    return None


def is_grouping(part: s.Syntax) -> bool:
    """Whether a part is a bracket that only groups."""
    if not isinstance(part, s.Group) or len(part.parts) != 1 or part.error is not None:
        return False
    return part.opening in BRACKETS and not isinstance(part.parts[0], s.Relation)


def is_turned(node: s.Scripted, reader: Reader) -> bool:
    """Whether the scripts are one transpose."""
    if node.subs or node.primes or len(node.sups) != 1:
        return False
    tokens = node.sups[0].tokens
    return len(tokens) == 1 and is_transpose(reader, (tokens[0].text,))


def head_of(part: s.Syntax) -> s.Syntax:
    """A part without its scripts."""
    return part.body if isinstance(part, s.Scripted) else part


def following(factors: Factors, k: int) -> s.Syntax | None:
    """The factor right behind factor number k, with no sign between."""
    return factors[k + 1][1] if k + 1 < len(factors) and not factors[k + 1][0] else None


def is_bracket(part: s.Syntax | None) -> bool:
    """Whether a part is a bracket, perhaps with scripts."""
    return part is not None and isinstance(head_of(part), s.Group)


def looks_up(part: s.Syntax | None) -> bool:
    """Whether a bracket may hold indices, as in `E[w]`."""
    head = None if part is None else head_of(part)
    return isinstance(head, s.Group) and head.opening == "["


def may_be_note(factor: s.Syntax) -> bool:
    """Whether a bracket may note a shape, as in `(C \\times d)`."""
    inner = factor.parts[0] if isinstance(factor, s.Group) and len(factor.parts) == 1 else None
    return isinstance(inner, s.Product) and len(inner.factors) == 2 and inner.factors[1][0] in TIMES


def may_take(new: s.Syntax, factors: Factors, k: int) -> bool:
    """Whether something new in the place of factor number k may take the bracket behind it."""
    return isinstance(head_of(new), (s.Name, s.One, s.Num)) and looks_up(following(factors, k))
