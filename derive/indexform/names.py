"""The names of a problem at the level of entries: what is ŷ_i − y_i goes by δ_i."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.errors import NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.sweep import naming
from derive.indexform.conditions import settled
from derive.indexform.entries import Writer
from derive.indexform.letters import places, positions
from derive.indexform.partials import Place
from derive.problem.problem import Definition, Problem
from derive.rules.driver import simplify
from derive.rules.fold import fold

OUTPUTS = ("softmax", "norm")


class Names:
    """Writes definitions by entries and calls parts of results by the names of the problem."""

    def __init__(self, problem: Problem, program: dict[Node, Definition], taken: frozenset[str]) -> None:
        self.taken, self.known = taken, naming(problem).known
        self.program = program
        named = {n: d for n, d in program.items() if n is not problem.loss_symbol} | problem.shorthands
        self.plain = {name: d for name, d in named.items() if not isinstance(d, tuple)}
        self.indexed = {name: d for name, d in named.items() if isinstance(d, tuple)}
        self.outputs = tuple(_outputs(program.values()))
        self.plain = {name: d for name, d in self.plain.items() if self._writable(d)}
        self._written: dict[tuple[Node, Node, Node], Node] = {}

    def written(self, name: Node, place: Place) -> Node:
        """One entry of a name by its definition, sums written out."""
        definition = self.program[name]
        if isinstance(definition, tuple):
            assert place.member is not None
            definition = b.substitute(definition[2], {b.index(definition[0], None): place.member})
        return Writer(self.taken | place.letters)(definition, place.i, place.j)

    def _writable(self, definition: Node) -> bool:
        """Whether an entry of a definition can be written, so that it can be recognised."""
        try:
            Writer(self.taken)(definition, b.number(1), b.number(1))
        except NoRuleError:
            return False
        return True

    def tidy(self, node: Node) -> Node:
        """Simplified, and called by its names, until nothing changes."""
        for _ in range(6):
            before = node
            node = simplify(settled(node))
            node = fold(node, dict(self._meanings(node)))
            node = simplify(b.substitute(node, dict(self.known)) if self.known else node)
            if node is before:
                break
        return node

    def _meanings(self, node: Node) -> Iterator[tuple[Node, Node]]:
        """The entries that have a name, at all indices of an expression, with what they stand for."""
        found = places(node)
        for name, meaning in self.plain.items():
            for i, j in positions(name, found):
                yield b.entry(name, i, j), self._entry(meaning, i, j)
        for output in self.outputs:
            for i, j in positions(output, found):
                yield b.entry(output, i, j), self._entry(output, i, j)
        if self.indexed:
            yield from self._members(node)

    def _members(self, node: Node) -> Iterator[tuple[Node, Node]]:
        """The entries of members of families of names."""
        found = places(node)
        indices = [part for part in walk(node) if part.op == "index"]
        indices += [part for part in walk(node) if part.op == "member" and part.operands[0].op == "index_family"]
        for name, (letter, _, meaning) in self.indexed.items():
            for place in dict.fromkeys(indices):
                here = b.substitute(meaning, {b.index(letter, None): place})
                for i, j in positions(name, found):
                    yield b.entry(b.member(name, place), i, j), self._entry(here, i, j)

    def _entry(self, meaning: Node, i: Node, j: Node) -> Node:
        key = (meaning, i, j)
        if key not in self._written:
            used = frozenset(str(p.data[0]) for n in (i, j, meaning) for p in walk(n) if p.op == "index")
            self._written[key] = simplify(Writer(self.taken | used)(meaning, i, j))
        return self._written[key]


def _outputs(definitions: Iterable[Definition]) -> Iterator[Node]:
    """Outputs without a name that derivatives are written with: a softmax, a norm."""
    seen = set[Node]()
    for definition in definitions:
        body = definition[2] if isinstance(definition, tuple) else definition
        for part in walk(body):
            if part in seen:
                continue
            seen.add(part)
            if part.op in OUTPUTS:
                yield part
            elif part.op in ("log_softmax", "log_sum_exp"):
                yield b.apply("softmax", part.operands[0])
