"""Letters for indices: fresh ones, and where in a formula an index may stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.problem.problem import Problem
from derive.sizes import ONE, Range, Size

POOL = "ijklmpqrstuvabcdefgh"


def fresh(taken: Iterable[str]) -> str:
    """A letter that is not taken."""
    used = set(taken)
    letters: tuple[str, ...] = (*POOL, *(f"{one}'" for one in POOL), *(f"{one}''" for one in POOL))
    for letter in letters:
        if letter not in used:
            return letter
    raise AssertionError("sums are nested deeper than there are letters")


def declared(problem: Problem) -> frozenset[str]:
    """The letters that a problem uses for something else."""
    scope = problem.scope
    names = {entity.pattern.base for entity in scope.all()} | scope.sizes | set(scope.index_letters())
    return frozenset(names)


def position(size: Size, letter: str) -> Node:
    """A free index over a dimension; the number 1 where there is nothing to choose."""
    return b.number(1) if size == ONE else b.index(letter, Range(ONE, size))


def bound(node: Node) -> Node:
    """The same index as a sum binds it."""
    return b.index(str(node.data[0]), None) if node.op == "index" else node


def places(node: Node) -> dict[Node, set[Size]]:
    """Each index that picks an entry, with the sizes that it runs over."""
    out: dict[Node, set[Size]] = {}
    for part in walk(node):
        if part.op == "entry":
            for where, size in zip(part.operands[1:], part.operands[0].dims, strict=True):
                out.setdefault(where, set()).add(size)
        elif part.op == "index_equal":
            for one, other in (part.operands, part.operands[::-1]):
                out.setdefault(one, set()).update(out.get(other, set()))
    return out


def positions(of: Node, found: dict[Node, set[Size]]) -> Iterator[tuple[Node, Node]]:
    """The pairs of indices at which a matrix may have been written out."""
    one = [b.number(1)]
    rows, columns = (one if size == ONE else [p for p, sizes in found.items() if size in sizes] for size in of.dims)
    yield from ((i, j) for i in rows for j in columns)


def apart(root: Node, avoid: frozenset[str], taken: Iterable[str]) -> Node:
    """The same expression with no sum over a letter of `avoid`; what they are called instead is not `taken`."""
    done: dict[Node, Node] = {}
    used = {*avoid, *taken, *(str(p.data[0]) for p in walk(root) if p.op in ("index", "sum"))}
    for node in walk(root):
        parts = tuple(done[operand] for operand in node.operands)
        out = node if parts == node.operands else b.rebuild(node, parts)
        if out.op == "sum" and out.data[0] in avoid:
            letter = fresh(used)
            swap = {b.index(str(out.data[0]), None): b.index(letter, None)}
            out = b.make("sum", tuple(b.substitute(o, swap) for o in out.operands), (letter, out.data[1]))
        done[node] = out
    return done[root]
