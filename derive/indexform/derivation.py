"""The index form: one entry first, with explicit sums and Kronecker deltas, then the matrix.

∂J/∂W_ij is found as a lecture on the blackboard finds it.  Every line of the forward computation is written for
one entry; the chain rule sums over all entries that the variable can change; a Kronecker delta says which of
them it does change; what is left is recognised as the entry of a matrix.  The result is compared with the closed
form of the reverse sweep and, like it, with forward-mode differentiation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from derive.errors import AuthorError, NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node, count_nodes, walk
from derive.expressions.order import same
from derive.gradient.closed import derivative
from derive.gradient.sweep import naming
from derive.indexform.assembly import assemble
from derive.indexform.entries import Writer, delta
from derive.indexform.letters import apart, bound, declared, fresh, position
from derive.indexform.logits import with_logits
from derive.indexform.names import Names
from derive.indexform.partials import UNIT, Place, partial
from derive.indexform.placing import reached, rows_first, shifted, summed
from derive.indexform.wording import Line, Wording
from derive.numerics import check
from derive.operations.indexing import block
from derive.problem.problem import Definition, Problem, Target
from derive.sizes import ONE, SCALAR, Range, Size, describe

LONG, LONGEST = 60, 4000

SAME_FORM, EQUAL_VALUES = "the same form", "equal values"
Free = tuple[tuple[str, Range], ...]


@dataclass(frozen=True, slots=True)
class IndexForm:
    """A derivation by entries: the forward lines, the steps, one entry of the result, the whole of it.

    `agrees` tells how the matrix agrees with the closed form: "the same form", "equal values", or "" if it does
    not; `exact` how the entry was confirmed by forward mode ("" if it was not).
    """

    wrt: str
    of: str
    forward: tuple[Line, ...]
    steps: tuple[Line, ...]
    entry: Line
    matrix: Line | None
    agrees: str
    exact: str
    shape: str

    @property
    def confirmed(self) -> bool:
        """Whether both checks hold: forward mode for the entry, the closed form for the matrix, where there is one."""
        return bool(self.exact and (self.agrees or self.matrix is None))


@dataclass(slots=True)
class Cotangent:
    """What one entry of a name receives, in terms of the place's letters."""

    place: Place
    value: Node
    symbol: Node | None = None

    def at(self, member: Node | None, i: Node, j: Node) -> Node:
        """The same at another place."""
        pairs = zip((self.place.member, self.place.i, self.place.j), (member, i, j), strict=True)
        mapping = {old: new for old, new in pairs if old is not None and new is not None and old.op == "index"}
        return b.substitute(self.value, mapping)


@dataclass(slots=True)
class _State:
    cotangents: dict[Node, Cotangent] = field(default_factory=dict)
    received: dict[Node, list[Node]] = field(default_factory=dict)
    own: dict[Node, Node] = field(default_factory=dict)
    steps: list[Line] = field(default_factory=list)


def index_form(problem: Problem, wrt: str, of: str = "", layout: str = "shape") -> IndexForm:
    """The derivation by entries of ∂of/∂wrt (of the loss, if `of` is empty).

    Raises `AuthorError` for what is no variable, `NoRuleError` where an entry cannot be written with sums.
    """
    return _Deriver(problem, wrt, of, layout).run()


class _Deriver:
    def __init__(self, problem: Problem, wrt: str, of: str, layout: str) -> None:
        self.problem, self.layout = problem, layout
        self.target = problem.target(wrt)
        self.of_text = of
        head = problem.target(of) if of else None
        self.of = head.access if head is not None else problem.loss_symbol
        self.given_free = head.free if head is not None else ()
        if self.of.dims != SCALAR and (ONE not in self.of.dims or ONE not in self.target.access.dims):
            raise AuthorError("a Jacobian is of a vector with respect to a vector", "of")
        self.letters = declared(problem)
        self.place, self.free = self._place_of(self.target, frozenset())
        self.head, self.head_free = self._place_of(head, self.place.letters)
        self.taken = self.letters | self.place.letters | self.head.letters
        self.program, self.logits = with_logits(problem)
        self.taken |= {str(name.data[0]) for name in self.logits}
        self.names = Names(problem, self.program, self.taken)
        self.words = Wording(problem, self.of, self.head)
        self.state = _State()

    # --------------------------------------------------------------------------------------------- places

    def _named_place(self, name: Node, taken: frozenset[str] = frozenset()) -> Place:
        """The place under which a name's cotangent is kept: its letters differ from those of what is differentiated."""
        taken = taken | self.head.letters
        i, j = self._axes(name, taken)
        member = None
        if name.op == "family":
            letter = str(name.data[-1])
            used = taken | {str(p.data[0]) for p in (i, j) if p.op == "index"}
            member = b.index(letter if letter not in taken else fresh(self.letters | used), name.data[2])
        return Place(name, member, i, j)

    def _place_of(self, target: Target | None, others: frozenset[str]) -> tuple[Place, Free]:
        """One entry of a target (of the loss, if None), and the indices that stay free in it."""
        if target is None:
            return Place(self.problem.loss_symbol, None, UNIT, UNIT), ()
        free = dict(target.free)
        ranged = {b.index(name, None): b.index(name, over) for name, over in target.free}
        node = b.substitute(target.access, ranged) if ranged else target.access
        i, j = self._axes(node, frozenset(free) | others)
        free |= {str(one.data[0]): one.data[1] for one in (i, j) if one.op == "index"}
        place = reached(node, target.leaf, i, j)
        if target.leaf.op == "family" and place.member is None:
            letter = str(target.leaf.data[-1])
            place = replace(place, member=b.index(letter, target.leaf.data[2]))
            free[letter] = target.leaf.data[2]
        return place, tuple(free.items())

    def _axes(self, node: Node, taken: frozenset[str]) -> tuple[Node, Node]:
        """Fresh indices for the rows and columns of an expression."""
        i = position(node.dims[0], fresh(self.letters | taken))
        more = {str(i.data[0])} if i.op == "index" else set()
        return i, position(node.dims[1], fresh(self.letters | taken | more))

    # ---------------------------------------------------------------------------------------------- chain

    def run(self) -> IndexForm:
        leaf = self.place.leaf
        program = list(self.program.items())
        useful = self._on_the_way(leaf, program)
        self.ways = self._count_ways(useful)
        forward = tuple(self._line(name) for name, _ in program if name in useful)
        start = self.head.leaf
        if leaf is start:
            value = self._seed(self.place)
        else:
            place = self._named_place(start)
            self.state.cotangents[start] = Cotangent(place, self._seed(place))
            for name, _ in reversed(program):
                if name in self.state.cotangents or name in self.state.received:
                    self._settle(name)
                    self._through(name, useful)
            value = self._collect(leaf)
        return self._finish(forward, value)

    def _seed(self, place: Place) -> Node:
        """∂of/∂of: the Kronecker deltas of the two places."""
        pairs = [(place.i, self.head.i), (place.j, self.head.j)]
        if place.member is not None and self.head.member is not None:
            pairs.append((place.member, self.head.member))
        return b.product(*(delta(p, q) for p, q in pairs))

    def _on_the_way(self, leaf: Node, program: list[tuple[Node, Definition]]) -> set[Node]:
        """The names between what is differentiated and the variable."""
        depends, start = {leaf}, self.head.leaf
        for name, definition in program:
            body = definition[2] if isinstance(definition, tuple) else definition
            if name is not leaf and any(part in depends for part in walk(body)):
                depends.add(name)
        wanted, todo = set[Node](), [start]
        lookup = dict(program)
        while todo:
            name = todo.pop()
            if name in wanted or name not in depends or name not in lookup or name is leaf:
                continue
            wanted.add(name)
            definition = lookup[name]
            body = definition[2] if isinstance(definition, tuple) else definition
            todo.extend(part for part in walk(body) if part.op in ("symbol", "family"))
        return wanted

    def _count_ways(self, useful: set[Node]) -> dict[Node, int]:
        """Through how many names (blocks counted apart) each variable acts."""
        out: dict[Node, int] = {}
        for name in useful:
            definition = self.program[name]
            body = definition[2] if isinstance(definition, tuple) else definition
            pieces = body.operands if body.op == "concat" else (body,)
            for piece in pieces:
                for leaf in {part for part in walk(piece) if part.op in ("symbol", "family")}:
                    out[leaf] = out.get(leaf, 0) + 1
        return out

    def _line(self, name: Node) -> Line:
        """A line of the forward computation for one entry; blocks are shown as blocks."""
        definition = self.program[name]
        if not isinstance(definition, tuple) and definition.op == "concat":
            return self.words.definition(name, definition)
        place = self._named_place(name)
        return self.words.definition(place.node, self.names.written(name, place))

    def _settle(self, name: Node) -> None:
        if name not in self.state.cotangents:
            self.state.cotangents[name] = Cotangent(self._named_place(name), self._collect(name))
        found = self.state.cotangents[name]
        if count_nodes(found.value) > LONG and name.op == "symbol" and name is not self.head.leaf:
            symbol = b.symbol(rf"\delta_{{{name.data[0]}}}", name.dims)
            self.state.own[symbol] = found.value
            self.state.steps.append(self.words.naming(symbol, found.place, found.value))
            found.value, found.symbol = b.entry(symbol, found.place.i, found.place.j), symbol

    def _collect(self, name: Node) -> Node:
        """All that a name receives, added up."""
        parts = self.state.received.get(name, [])
        whole = self.names.tidy(b.add(*parts)) if parts else b.number(0)
        place = self.place if name is self.place.leaf else self._named_place(name)
        whole = apart(whole, place.letters, self.taken)
        if len(parts) > 1:
            self.state.steps.append(self.words.added(place, parts, rows_first(whole, place)))
        return whole

    def _through(self, name: Node, useful: set[Node]) -> None:
        """One step of the chain rule for each variable that a definition uses."""
        if name not in useful:
            return
        definition = self.program[name]
        body = definition[2] if isinstance(definition, tuple) else definition
        leaves = [part for part in walk(body) if part.op in ("symbol", "family")]
        for leaf in leaves:
            if leaf is not self.place.leaf and leaf not in useful:
                continue
            place = self.place if leaf is self.place.leaf else self._named_place(leaf)
            if body.op == "concat" and not isinstance(definition, tuple):
                self._blocks(name, body, place)
                continue
            mine = self._named_place(name, place.letters)
            upstream = self.state.cotangents[name].at(mine.member, mine.i, mine.j)
            self._step(mine, self.names.written(name, mine), upstream, place)

    def _blocks(self, name: Node, body: Node, place: Place) -> None:
        """The chain rule through blocks under or beside each other: each receives its own part."""
        axis, start = int(body.data[0]), Size.of(0)
        found = self.state.cotangents[name]
        for piece in body.operands:
            if not any(part is place.leaf for part in walk(piece)):
                start = start + piece.dims[axis]
                continue
            end = start + piece.dims[axis]
            used = {str(p.data[0]) for p in walk(found.value) if p.op in ("index", "sum")}
            i, j = self._axes(piece, self.head.letters | place.letters | used)
            whole = found.at(None, i if axis else found.place.i, found.place.j if axis else j)
            upstream = shifted(whole, found.place.j if axis else found.place.i, (axis, start, end), j if axis else i)
            mine = Place(block(name, axis, start, end), None, i, j)
            self._step(mine, Writer(self.taken | mine.letters)(piece, i, j), upstream, place)
            start = end

    def _step(self, mine: Place, written: Node, upstream: Node, place: Place) -> None:
        """One step: through one entry of a name to one entry of a variable in it."""
        local = self.names.tidy(partial(written, place, self.taken | mine.letters))
        if local == b.number(0):
            return
        whole = b.product(upstream, local)
        binding = [p for p in (mine.member, mine.i, mine.j) if p is not None and p.op == "index"]
        for letter in binding:
            bare = b.substitute(whole, {letter: bound(letter)})
            whole = summed(bare, str(letter.data[0]), letter.data[1])
        tidy = apart(self.names.tidy(whole), place.letters, self.taken)
        if count_nodes(tidy) > LONGEST:
            raise NoRuleError(str(place.leaf.data[0]), "its index form is too long to be written")
        self.state.received.setdefault(place.leaf, []).append(tidy)
        upstream = apart(upstream, place.letters | mine.letters, self.taken)
        way = mine.node if self.ways.get(place.leaf, 0) > 1 else None
        self.state.steps.extend(self.words.chain(mine, place, (local, upstream), binding, rows_first(tidy, place), way))

    # --------------------------------------------------------------------------------------------- result

    def _finish(self, forward: tuple[Line, ...], value: Node) -> IndexForm:
        i, j = self._axes(self.target.access, frozenset(name for name, _ in self.target.free))
        jacobian = self.of.dims != SCALAR
        if jacobian:
            row = self.head.i if self.head.i.op == "index" else self.head.j
            column = i if i.op == "index" else j
            dims = (self.of.dims[0] * self.of.dims[1], self.target.access.dims[0] * self.target.access.dims[1])
        else:
            row, column, dims = i, j, self.target.access.dims
        closed = derivative(self.problem, self.of, self.target)
        whole = assemble(self._without_ranges(value), row, column, dims)
        line, agrees = None, ""
        if whole is not None:
            whole = self._expanded(whole)
            tidy = naming(self.problem).tidy(whole)
            agrees = self._agreement(tidy, closed)
            forms = [closed] if agrees == SAME_FORM else [tidy, closed] if agrees else [tidy]
            line = self.words.assembled(self.target, (row, column), rows_first(value, self.place), forms, self.layout)
        entry = self.words.result(self.place, rows_first(value, self.place))
        return IndexForm(
            self.target.text, self.of_text, forward, tuple(self.state.steps), entry, line, agrees,
            self._exact(value, jacobian), describe(dims if self.layout == "shape" else dims[::-1]),
        )  # fmt: skip

    def _without_ranges(self, node: Node) -> Node:
        ranged = {b.index(name, over): b.index(name, None) for name, over in self.target.free}
        return b.substitute(node, ranged) if ranged else node

    def _expanded(self, node: Node) -> Node:
        """Without the names that this derivation gave to long cotangents, each in its matrix form."""
        for symbol, value in reversed(list(self.state.own.items())):
            if any(part is symbol for part in walk(node)):
                place = self._named_place(symbol)
                matrix = assemble(value, place.i, place.j, symbol.dims)
                if matrix is None:
                    raise NoRuleError(str(symbol.data[0]), "its matrix form is not found")
                node = b.substitute(node, {symbol: matrix})
        return b.substitute(node, self.logits) if self.logits else node

    def _agreement(self, mine: Node, closed: Node) -> str:
        if same(mine, closed):
            return SAME_FORM
        free = tuple((dict(self.target.free) | dict(self.given_free)).items())
        return EQUAL_VALUES if check.exact(self.problem, self.of, self.target._replace(free=free), mine) else ""

    def _exact(self, value: Node, jacobian: bool) -> str:
        """How forward mode confirms the entry."""
        value = self._expanded(value)
        access = self.place.node
        target = Target(self.target.text, self.place.leaf, access, self.free)
        of = self.head.node if jacobian else self.of
        if self.head_free:
            target = target._replace(free=tuple((dict(self.free) | dict(self.head_free)).items()))
        return check.exact(self.problem, of, target, value)
