"""Where the letters of a sum or product sign hold: which letters it binds, and how far its body reaches."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import replace

from derive.latex import syntax as s

TURNED = {"<": ">", ">": "<", r"\leq": r"\geq", r"\geq": r"\leq", r"\neq": r"\neq"}
Known = Callable[[str], bool]


def bound_letters(node: s.BigOperator) -> set[str]:
    """The letters that the limits of a sum name first."""
    first = (part.sides[0] if isinstance(part, s.Relation) else part for part in node.lower)
    return {letter for part in first for letter in letters_of(part)}


def letters_of(node: s.Syntax) -> list[str]:
    """The letters of `i` or `(i, j)`."""
    parts = node.parts if isinstance(node, s.Group) else (node,)
    found = [part.base for part in parts if isinstance(part, s.Name)]
    return found if len(found) == len(parts) else []


def turned_round(part: s.Relation, is_known: Known) -> s.Relation:
    """`k < j` with a letter k that has a meaning and a j that has none as `j > k`: it is j that runs."""
    if len(part.sides) != 2 or part.signs[0] not in TURNED:
        return part
    first, second = (letters_of(side) for side in part.sides)
    if len(first) != 1 or len(second) != 1 or not is_known(first[0]) or is_known(second[0]):
        return part
    return s.Relation(part.span, (TURNED[part.signs[0]],), (part.sides[1], part.sides[0]))


def ends_before(node: s.BigOperator, letters: Set[str], is_known: Known) -> tuple[tuple[str, s.Syntax], ...] | None:
    r"""`\prod_{i<k} x_i \prod_{j>k} x_j` and `\prod_{j<i} x_j y` as two factors: the second does not use the index."""
    factors = node.body.factors if isinstance(node.body, s.Product) else ()
    used = [_uses(part, letters, is_known) for _, part in factors]
    for k, (_, factor) in enumerate(factors[1:], 1):
        ends = isinstance(factor, s.BigOperator) or (node.sign == "prod" and any(used[:k]))
        if ends and not any(used[k:]):
            body = factors[0][1] if k == 1 else s.Product(node.body.span, factors[:k])
            return ("", replace(node, body=body)), *factors[k:]
    return None


def _uses(node: s.Syntax, letters: Set[str], is_known: Known) -> bool:
    """Whether letters stand in a piece of syntax and no sign in it binds them."""
    if isinstance(node, s.BigOperator):
        known: Known = lambda letter: letter in letters or is_known(letter)  # noqa: E731
        limits = tuple(turned_round(p, known) if isinstance(p, s.Relation) else p for p in node.lower)
        inside = letters - bound_letters(replace(node, lower=limits))
    else:
        inside = letters
    own = {node.base} if isinstance(node, s.Name) else set()
    if isinstance(node, s.Scripted):
        own |= {token.text for script in (*node.subs, *node.sups) for token in script.tokens}
    return bool(own & inside) or any(_uses(part, inside, is_known) for part in s.children(node))
