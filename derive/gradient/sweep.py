"""The reverse sweep over a named forward program.

The names are visited from the loss backwards; each receives the sum of what its users pass back, simplified
and called by its textbook name where the problem declares one.  A cotangent that grows long gets a name of
its own, so that the work is linear in the length of the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from derive.errors import NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node, count_nodes, free_indices, walk
from derive.gradient.known_sums import KnownSums, known_sums
from derive.gradient.pullback import member_index, pullback, total_over
from derive.gradient.ties import opened, strict_sides
from derive.operations.registry import record
from derive.problem.problem import Definition, Problem
from derive.rules.driver import simplify
from derive.rules.fold import at_indices, fold
from derive.rules.lift import vectorise
from derive.sizes import ONE, SCALAR, Range

LONG = 40


@dataclass(frozen=True, slots=True)
class Step:
    """One step backwards: the variable, its cotangent before and after tidying, and the rules used.

    `symbol` is the name that the cotangent goes by from here on, if it has one; `through` holds the names
    of the operations between the variable and those that use it.
    """

    variable: Node
    cotangent: Node
    symbol: Node | None
    users: tuple[Node, ...]
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """All cotangents of a program: what each symbol and name receives.

    `own` maps the cotangent names that the sweep introduced to what they stand for.
    """

    cotangents: Mapping[Node, Node]
    own: Mapping[Node, Node]
    steps: tuple[Step, ...]
    _full: dict[Node, Node] = field(default_factory=dict, repr=False, compare=False)

    def expanded(self, node: Node) -> Node:
        """An expression without the names that the sweep introduced."""
        for name, meaning in list(self.own.items())[len(self._full) :]:
            self._full[name] = b.substitute(meaning, self._full)  # it uses only names introduced before it
        return b.substitute(node, self._full)


class _Sweeper:
    """The state of one sweep."""

    def __init__(self, problem: Problem, of: Node, seed: Node) -> None:
        self.program = problem.program
        self.loss_symbol = problem.loss_symbol
        self.naming = naming(problem)
        self.outputs = {meaning: leaf for leaf, meaning in self.naming.forward.items()}
        self.of, self.received = of, dict[Node, list[Node]]()
        self.users: dict[Node, list[Node]] = {}
        self.through: dict[Node, list[str]] = {}
        self.own: dict[Node, Node] = {}
        self.steps: list[Step] = []
        self.done: dict[Node, Node] = {}
        self.received[of] = [seed]

    def run(self) -> Sweep:
        for name, definition in reversed(self.program.items()):
            if name in self.received:
                self._through(name, definition, self._settle(name))
        for leaf in list(self.received):
            if leaf not in self.done:
                self._settle(leaf)
        return Sweep(self.done, self.own, tuple(self.steps))

    def _settle(self, name: Node) -> Node:
        """The cotangent of a name: all that it has received, tidied; returns what stands for it from here."""
        parts = [self.naming.tidy(part) for part in reversed(self.received[name])]
        whole = self.naming.tidy(b.add(*parts)) if len(parts) > 1 else parts[0]
        self.done[name] = whole
        symbol = self._named(name, whole)
        users = tuple(dict.fromkeys(self.users.get(name, ())))
        self.steps.append(Step(name, whole, symbol, users, tuple(dict.fromkeys(self.through.get(name, ())))))
        return whole if symbol is None else symbol

    def _named(self, name: Node, whole: Node) -> Node | None:
        """A name for a long cotangent (an indexed one keeps its formula)."""
        if whole.op == "symbol" or name.op == "family" or name not in self.program:
            return None
        if count_nodes(whole) <= LONG:
            return None
        symbol = b.symbol(rf"\delta_{{{name.data[0]}}}", whole.dims)
        self.own[symbol] = whole
        return symbol

    def _through(self, name: Node, definition: Definition, g: Node) -> None:
        """Pass a name's cotangent back through its definition."""
        if isinstance(definition, tuple):
            letter, over, body = _kept_apart(definition, g)
            at = b.index(letter, None)
            g = b.substitute(g, {member_index(name): at})
            body = prepared(body)
            found = pullback(body, g, self._named_outputs(body, b.member(name, at)))
            parts = {leaf: simplify(total_over(simplify(part), letter, over)) for leaf, part in found.items()}
        else:
            body = prepared(definition)
            parts = dict(pullback(body, g, self._named_outputs(body, name)))
        for leaf, part in parts.items():
            self.received.setdefault(leaf, []).append(part)
            self.users.setdefault(leaf, []).append(name)
            self.through.setdefault(leaf, []).extend(_path(body, leaf))

    def _named_outputs(self, body: Node, name: Node) -> dict[Node, Node]:
        """Outputs that have a name: the definition itself, and parts that are other names."""
        out = dict(self.outputs)
        if name is not self.loss_symbol:
            out[body] = name
        return out


def _kept_apart(definition: tuple[str, Range, Node], g: Node) -> tuple[str, Range, Node]:
    """A definition of a family by a letter that its cotangent does not use as a free index of its own."""
    letter, over, body = definition
    while letter in free_indices(g):
        fresh = f"{letter}'"
        letter, body = fresh, b.substitute(body, {b.index(letter, None): b.index(fresh, None)})
    return letter, over, body


def _path(body: Node, leaf: Node) -> list[str]:
    """The operations between the root of an expression and a leaf, from the outside in."""
    on_path = set[Node]()
    found = list[str]()
    for part in walk(body):
        if part is leaf or any(o in on_path for o in part.operands):
            on_path.add(part)
            if part is not leaf and part.op != "transpose":
                found.insert(0, part.op)
    return found


def prepared(node: Node) -> Node:
    """A definition as it is differentiated: sums over entries as products, fractions as the functions they are."""
    return simplify(vectorise(node))


@dataclass(frozen=True, slots=True)
class Naming:
    """The names that results of a problem may use, with their meanings.

    `forward` holds the plain names of the program, `plain` these, the shorthands and unit vectors, `indexed`
    the families of names with their index, `known` what is a number by a declaration or a definition;
    `written_out` are short numbers in terms of what is given.
    """

    forward: Mapping[Node, Node]
    plain: Mapping[Node, Node]
    indexed: Mapping[Node, tuple[str, Node]]
    known: Mapping[Node, Node]
    written_out: tuple[tuple[Node, Node], ...] = ()
    sums: KnownSums = field(default_factory=KnownSums)
    strict: Mapping[Node, Node] = field(default_factory=dict)

    def tidy(self, node: Node) -> Node:
        """The textbook form: simplified and called by its names, until nothing changes."""
        for _ in range(8):
            before = node
            node = opened(simplify(node), self.strict)
            node = fold(node, {**self.plain, **at_indices(node, self.indexed)}, self.written_out)
            node = simplify(
                b.substitute(self.sums.split(node), dict(self.known)) if self.known else self.sums.split(node)
            )
            if node is before:
                break
        return node


_NAMING: dict[int, tuple[Problem, Naming]] = {}


def naming(problem: Problem) -> Naming:
    """The names of a problem; made once."""
    found = _NAMING.get(id(problem))
    if found is None or found[0] is not problem:
        if len(_NAMING) > 300:
            _NAMING.clear()
        found = _NAMING[id(problem)] = (problem, _naming(problem))
    return found[1]


def _naming(problem: Problem) -> Naming:
    everything = [*problem.definitions.items(), *problem.shorthands.items()]
    units = {leaf: unit for leaf in given_symbols(problem) if (unit := _unit_vector(problem, leaf)) is not None}
    plain = {name: prepared(d) for name, d in everything if not isinstance(d, tuple)}
    indexed = {name: (d[0], prepared(d[2])) for name, d in everything if isinstance(d, tuple)}
    forward = {name: meaning for name, meaning in plain.items() if name in problem.definitions}
    sums = known_sums(plain, LONG)
    bodies = (d[2] if isinstance(d, tuple) else d for d in problem.program.values())
    strict = strict_sides(bodies, problem.meanings)
    known = {**_declared_values(problem, units), **sums.totals}
    return Naming(forward, {**units, **plain}, indexed, known, _written_out(forward), sums, strict)


def _written_out(forward: Mapping[Node, Node]) -> tuple[tuple[Node, Node], ...]:
    """Named numbers that are defined by other named numbers, without these."""
    found, full = list[tuple[Node, Node]](), dict[Node, Node]()
    for name, meaning in forward.items():
        if name.dims != SCALAR or any(part in forward and part not in full for part in walk(meaning)):
            continue
        whole = simplify(b.substitute(meaning, full))
        if count_nodes(whole) <= LONG:
            full[name] = whole
            if whole is not meaning:
                found.append((name, whole))
    return tuple(found)


def _declared_values(problem: Problem, units: Mapping[Node, Node]) -> dict[Node, Node]:
    """Deltas of indices that are declared different, and the entry of a unit vector at its own place."""
    out: dict[Node, Node] = {}
    for name, others in problem.index_rules.items():
        for other in others:
            i, j = problem.reader().index(name), problem.reader().index(other)
            out |= {b.make("index_equal", pair): b.number(0) for pair in ((i, j), (j, i))}
    for leaf, unit in units.items():
        position = (unit if unit.op == "onehot" else unit.operands[0]).operands[0]
        one = b.number(1)
        out[b.entry(leaf, position, one) if unit.op == "onehot" else b.entry(leaf, one, position)] = one
    return out


def given_symbols(problem: Problem) -> list[Node]:
    """The symbols that are given, not defined."""
    found = [e.node for e in problem.scope.all() if e.kind == "value" and e.node is not None]
    meanings = problem.meanings
    return [node for node in found if node not in meanings]


def _unit_vector(problem: Problem, leaf: Node) -> Node | None:
    """What a vector declared as one-hot at a fixed index is."""
    for name in leaf.data[2] if leaf.op == "symbol" else ():
        if str(name).startswith("one-hot at "):
            position = problem.reader().index(str(name).removeprefix("one-hot at "))
            length = leaf.dims[0] if leaf.dims[1] == ONE else leaf.dims[1]
            unit = b.onehot(position, length)
            return unit if leaf.dims[1] == ONE else b.transpose(unit)
    return None


def sweep(problem: Problem, of: Node | None = None) -> Sweep:
    """All cotangents of a scalar: of the loss, unless another name is given.  Raises `NoRuleError`."""
    whole = of or problem.loss_symbol
    if whole.dims != SCALAR:
        raise NoRuleError(str(whole.data[0]), "a sweep starts from a number")
    return _Sweeper(problem, whole, b.number(1)).run()


def sweep_from(problem: Problem, of: Node, seed: Node) -> Sweep:
    """The cotangents when a (vector-valued) name has the cotangent `seed`."""
    return _Sweeper(problem, of, seed).run()


def kinks_of(problem: Problem) -> tuple[str, ...]:
    """What is differentiable only almost everywhere in a problem, in words."""
    found = list[str]()
    for definition in problem.program.values():
        body = definition[2] if isinstance(definition, tuple) else definition
        found += [record(part.op).kink for part in walk(body) if record(part.op).kink]
    return tuple(dict.fromkeys(found))
