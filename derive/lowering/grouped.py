"""Families that belong to the examples of a batch: flat, with the example that each member belongs to.

The sum over the members of example i is a sum over all members that belong to i: Σ_t [r_t = i] f_t.  Summed over
the examples, the sums change places and the indicator picks: Σ_i a_i Σ_t [r_t = i] f_t = Σ_t a_{r_t} f_t; left
as it is, it is row i of Σ_t e_{r_t} f_tᵀ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.lowering import kernels as k
from derive.problem.declare import pattern
from derive.problem.problem import Definition, Problem
from derive.reading.scope import Entity, Pattern
from derive.sizes import ONE, SCALAR, Range, Size

OWNERS, PLACES, TOTALS = "r g o p q a".split(), "t j l k h v".split(), "T M P Q R S".split()


class Groups:
    """The flat families of a batch; called with an expression, it writes sums over their members flat."""

    def __init__(self, letter: str, examples: Range, used: set[str]) -> None:
        self.letter, self.examples, self.used = letter, examples, set(used)
        self.sizes: set[str] = set()
        self.flats: dict[Node, Node] = {}
        self.named: dict[str, Node] = {}
        self.places: dict[Range, tuple[str, Node]] = {}
        self.found: list[Entity] = []

    def entities(self) -> Iterator[Entity]:
        """What is declared for them: the flat families, and the owners of their members."""
        yield from self.found

    def flat(self, name: str, entity: Entity, node: Node) -> Node:
        """The flat family of one that is given for each example."""
        if k.rank(node.dims) > 1:
            raise AuthorError(
                f"the members of {name} are matrices: only numbers, vectors and indices are stacked", "over"
            )
        of_indices = node.op == "index_family"
        members: Range = node.data[2]
        place, owner = self._place(members)
        over: Range = owner.data[2]
        key = _relettered(entity.key, entity.slots[0], place)
        if of_indices:
            flat = b.index_family(key, node.data[1], over, place)
        else:
            flat = b.family(key, node.dims, over, node.data[3], place)
        self.found.append(Entity(entity.kind, key, pattern(key), flat, (place,), over))
        self.flats[node] = flat
        self.named[name] = flat
        return flat

    def owner_key(self, flat: Node) -> str:
        """The name of the indices that say which example a member belongs to."""
        return next(str(o.data[0]) for place, o in self.places.values() if o.data[2] == flat.data[2])

    def _place(self, members: Range) -> tuple[str, Node]:
        """The letter that runs through all members of all examples, and the family of their owners."""
        if members not in self.places:
            place, owner = (next(c for c in letters if c not in self.used) for letters in (PLACES, OWNERS))
            self.used |= {place, owner}
            total = next(c for c in TOTALS if c not in self.used)
            self.used.add(total)
            self.sizes.add(total)
            over = Range(Size.of(1), Size.of(total))
            family = b.index_family(f"{owner}_{place}", self.examples, over, place)
            self.places[members] = place, family
            self.found.append(
                Entity("index family", f"{owner}_{place}", pattern(f"{owner}_{place}"), family, (place,), over)
            )
        return self.places[members]

    # -------------------------------------------------------------------------------------------- sums

    def __call__(self, node: Node) -> Node:
        """An expression with the sums over members of one example as sums over the members that belong to it."""
        if not self.flats:
            return node
        out = k.rewrite(node, self._sum, {})
        left = self.used_in(out)
        if left:
            message = f"{left} is used outside of a sum over all its members, which has no form for a batch"
            raise AuthorError(message, "over")
        return out

    def used_in(self, node: Node) -> str:
        """A family of an example that an expression uses as it was given; "" where there is none."""
        return next((str(part.data[0]) for part in walk(node) if part in self.flats), "") if self.flats else ""

    def _sum(self, node: Node) -> Node | None:
        if node.op != "sum":
            return None
        name, over = str(node.data[0]), node.data[1]
        body, condition = node.operands
        mine = b.index(name, None)
        uses = [p for root in (body, condition) for p in walk(root) if p.op == "member" and p.operands[0] in self.flats]
        own = [p for p in uses if p.operands[1] == mine]
        if not own:
            return None
        family = own[0].operands[0]
        if any(p.operands[0].data[2] != over for p in own) or condition != b.number(1):
            raise AuthorError(f"a sum over some members of {family.data[0]} has no form for a batch", "over")
        place, owner = self._place(over)
        t = b.index(place, None)
        flat = b.substitute(body, {p: b.member(self.flats[p.operands[0]], t) for p in own})
        if name in free_indices(flat):
            raise AuthorError(
                f"{name} runs through {family.data[0]} and through what all examples share: no form for a batch",
                "over",
            )
        belongs = b.make("index_equal", (b.member(owner, t), b.index(self.letter, None)))
        return b.sum_over(b.product(belongs, flat), place, owner.data[2])


def _relettered(key: str, old: str, new: str) -> str:
    from derive.printing.subscripts import fill_key

    return fill_key(key, old, new)


# ------------------------------------------------------------------------------------------- sums that pick


def flattened(node: Node) -> Node:
    r"""\sum_i a_i \sum_t \mathbb{1}\{r_t = i\} f_t = \sum_t a_{r_t} f_t, wherever it applies."""
    return k.rewrite(node, _picked, {})


def _picked(node: Node) -> Node | None:
    if node.op != "sum" or node.operands[1] != b.number(1):
        return None
    name, over, body = str(node.data[0]), node.data[1], node.operands[0]
    if body.op == "add":
        return b.add(*(b.sum_over(term, name, over) for term in body.operands))
    factors = body.operands if body.op == "product" else (body,)
    spread = next((at for at, f in enumerate(factors) if f.op == "add" and _spreads(f)), None)
    if spread is not None:
        terms = (b.product(*factors[:spread], term, *factors[spread + 1 :]) for term in factors[spread].operands)
        return b.add(*(b.sum_over(term, name, over) for term in terms))
    for at, factor in enumerate(factors):
        opened = _opened(factor, {name: over})
        if opened is None or opened.place != b.index(name, None):
            continue
        if any(opened.letter in free_indices(f) for f in factors if f is not factor):
            continue
        whole = b.product(*factors[:at], opened.rest, *factors[at + 1 :])
        return b.sum_over(b.substitute(whole, {opened.place: opened.owner}), opened.letter, opened.over)
    return None


def _spreads(node: Node) -> bool:
    """Whether a sum over the examples is to be taken term by term: of matrices, and where an indicator picks."""
    parts = [part for term in node.operands for part in (term.operands if term.op == "product" else (term,))]
    return k.rank(node.dims) > 1 or any(part.op == "index_equal" for part in parts)


def _without_diagonal(node: Node) -> Node | None:
    r"""u^\top \operatorname{diag}(v) = (u \circ v)^\top and \operatorname{diag}(v) u = v \circ u"""
    if node.op != "product":
        return None
    factors = node.operands
    for at, factor in enumerate(factors):
        if factor.op != "diag":
            continue
        inside = factor.operands[0]
        if at and factors[at - 1].dims == (ONE, factor.dims[0]):
            return b.product(*factors[: at - 1], b.hadamard(factors[at - 1], b.transpose(inside)), *factors[at + 1 :])
        if at + 1 < len(factors) and factors[at + 1].dims == (factor.dims[1], ONE):
            return b.product(*factors[:at], b.hadamard(inside, factors[at + 1]), *factors[at + 2 :])
    return None


@dataclass(frozen=True, slots=True)
class _Opened:
    """Σ_t [r_t = i] f_t: the owner r_t, the place i, the rest f_t, the letter t with its range."""

    owner: Node
    place: Node
    rest: Node
    letter: str
    over: Range


def _opened(node: Node, ranges: Mapping[str, Range]) -> _Opened | None:
    """A sum over the members that belong to a place, whose letter has one of some ranges."""
    if node.op != "sum" or node.operands[1] != b.number(1):
        return None
    body, letter = node.operands[0], str(node.data[0])
    factors = body.operands if body.op == "product" else (body,)
    for factor in factors:
        if factor.op != "index_equal":
            continue
        for owner, place in (factor.operands, factor.operands[::-1]):
            belongs = owner.op == "member" and owner.operands[1] == b.index(letter, None)
            if belongs and letter not in free_indices(place) and _range(place, ranges) == owner.operands[0].data[1]:
                rest = b.product(b.number(1), *(f for f in factors if f is not factor))
                return _Opened(owner, place, rest, letter, node.data[1])
    return None


def _range(place: Node, ranges: Mapping[str, Range]) -> Range | None:
    """The values that an index can have."""
    if place.op == "member" and place.operands[0].op == "index_family":
        found: Range = place.operands[0].data[1]
        return found
    return ranges.get(str(place.data[0])) if place.op == "index" else None


# ------------------------------------------------------------------------------------------------- lowering


def taken_in_turn(problem: Problem, gradients: Mapping[str, Node]) -> tuple[Problem, dict[str, Node]]:
    """A problem and gradients with the same values, in a form that has no loops when it is lowered.

    Gradients with respect to a family become names for all their members.
    """
    turn = _Turn(problem)
    out = {wrt: turn.gradient(wrt, gradient) for wrt, gradient in gradients.items()}
    flat = replace(problem, scope=turn.scope, definitions=turn.definitions, loss=turn.loss, shorthands=turn.shorthands)
    return flat, out


class _Turn:
    """Turns definitions, loss and gradients; what needs a name of its own gets one."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.scope, self.named = problem, problem.scope.child(), 0
        entities = [e for e in problem.scope.all() if e.kind == "index" and e.node is not None]
        self.fixed = {str(e.node.data[0]) for e in entities if e.node is not None}
        self.definitions = self._table(problem.definitions)
        self.shorthands = self._table(problem.shorthands)
        self.loss = self._body(problem.loss, self.definitions, {})

    def _table(self, table: Mapping[Node, Definition]) -> dict[Node, Definition]:
        out: dict[Node, Definition] = {}
        for name, definition in table.items():
            if isinstance(definition, tuple):
                letter, over, body = definition
                out[name] = (letter, over, self._body(body, out, {letter: over}))
            else:
                out[name] = self._body(definition, out, {})
        return out

    def gradient(self, wrt: str, gradient: Node) -> Node:
        """The gradient, or the name of the gradients with respect to all members of a family."""
        target = self.problem.target(wrt)
        if not target.free:
            return self._body(gradient, self.shorthands, {})
        (letter, over), *more = target.free
        if more or target.access.op != "member":
            raise AuthorError(f"{wrt} is a part of a variable: name the whole of it", "wrt")
        key = rf"\nabla {wrt}"
        name = b.family(key, gradient.dims, over, (), letter)
        self.shorthands[name] = (letter, over, self._body(gradient, self.shorthands, {letter: over}))
        self.scope.add(Entity("family", key, Pattern(key, None, (), None), name, (letter,), over))
        return b.symbol(key, (k.count_of(over), gradient.dims[0] * gradient.dims[1]))

    def _body(self, node: Node, into: dict[Node, Definition], ranges: dict[str, Range]) -> Node:
        """An expression in which sums pick, and those that are left are rows of matrices with names."""
        flat = flattened(k.rewrite(node, _without_diagonal, {}))
        ranges = ranges | {str(part.data[0]): part.data[1] for part in walk(flat) if part.op == "sum"}
        return k.rewrite(flat, lambda part: self._row(part, into, ranges), {})

    def _row(self, node: Node, into: dict[Node, Definition], ranges: dict[str, Range]) -> Node | None:
        """Σ_t [r_t = i] f_t as row i of a matrix with a name of its own."""
        opened = _opened(node, ranges)
        if opened is None or k.rank(node.dims) > 1:
            return None
        place, rest = opened.place, b.substitute(opened.rest, {opened.place: opened.owner})
        if free_indices(rest) - self.fixed - {opened.letter}:
            return None
        over: Range = opened.owner.operands[0].data[1]
        turned = rest if rest.dims[0] == ONE else b.transpose(rest)
        self.named += 1
        body = b.sum_over(b.product(b.onehot(opened.owner, k.count_of(over)), turned), opened.letter, opened.over)
        name = b.symbol(rf"\Sigma_{{{self.named}}}", body.dims)
        into[name] = body
        where = k.position(place, over)
        if node.dims == SCALAR:
            return b.entry(name, where, b.number(1))
        row = b.row(name, where)
        return row if node.dims[0] == ONE else b.transpose(row)
