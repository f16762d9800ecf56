"""Derivations with one law broken: the wrong forms of a gradient that follow from misconceptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from derive.errors import DeriveError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.closed import at_target, probe
from derive.gradient.jacobian import coefficient_of
from derive.gradient.pullback import Law, member_index, pullback, total_over, true_law
from derive.gradient.sweep import naming, prepared
from derive.grading.asked import Asked
from derive.misconceptions.registry import Misconception, Pullback, records
from derive.problem.problem import Definition
from derive.rules.driver import simplify
from derive.sizes import ONE, SCALAR

MOST_DERIVATIONS, LONGEST_PROGRAM = 150, 600
Uses = Callable[[Node, Node], bool]


@dataclass(frozen=True, slots=True)
class Form:
    """A wrong form of what is asked, and the code of the mistake that leads to it."""

    code: str
    node: Node


class Program:
    """The forward computation between what is differentiated and the variable."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        names, problem = naming(asked.problem), asked.problem
        self.bodies: dict[Node, Definition] = {}
        for name, definition in problem.program.items():
            if isinstance(definition, tuple):
                self.bodies[name] = (*definition[:2], names.indexed[name][1]) if name in names.indexed else definition
            else:
                self.bodies[name] = names.plain[name] if name in names.plain else prepared(definition)
        self.live = self._live()

    def _live(self) -> set[Node]:
        """Everything that depends on the variable, at every level of binding."""
        leaves, found = {self.asked.target.leaf}, set[Node]()
        for name, definition in self.bodies.items():
            for part in walk(_body(definition)):
                if part in leaves or any(o in found for o in part.operands):
                    found.add(part)
            if _body(definition) in found:
                leaves.add(name)
        return found | leaves

    @property
    def small(self) -> bool:
        """Whether the program is short enough to be derived many times."""
        return sum(_body(d).count for d in self.bodies.values()) <= LONGEST_PROGRAM

    def operations(self) -> Iterator[Node]:
        """The operations on the way to the variable, from the loss downwards, each once."""
        seen = set[Node]()
        for definition in reversed(self.bodies.values()):
            for part in reversed([p for p in walk(_body(definition)) if p in self.live]):
                if part not in seen and part.operands:
                    seen.add(part)
                    yield part

    def uses(self) -> Iterator[tuple[Node, Node]]:
        """Which definition uses which name or symbol, where several definitions use the same one."""
        users: dict[Node, list[Node]] = {}
        for name, definition in self.bodies.items():
            for part in walk(_body(definition)):
                if part in self.live and part.op in ("symbol", "family"):
                    users.setdefault(part, []).append(name)
        for leaf, found in users.items():
            if len(found) > 1:
                yield from ((name, leaf) for name in found)

    def derive(self, law: Law = true_law, passes: Uses = lambda user, leaf: True) -> Node | None:
        """The derivative that is asked for, by the given laws; None where there is none."""
        asked = self.asked
        scalar = asked.of.dims == SCALAR
        received: dict[Node, list[Node]] = {asked.of: [b.number(1) if scalar else probe(asked.of)]}
        for name, definition in reversed(self.bodies.items()):
            if name not in received:
                continue
            g = b.add(*received[name])
            for leaf, part in self._through(name, definition, g, law):
                if passes(name, leaf):
                    received.setdefault(leaf, []).append(part)
        whole = received.get(asked.target.leaf)
        return None if whole is None else self._asked_part(b.add(*whole))

    def _through(self, name: Node, definition: Definition, g: Node, law: Law) -> Iterator[tuple[Node, Node]]:
        if not isinstance(definition, tuple):
            yield from pullback(definition, g, law=law).items()
            return
        letter, over, body = definition
        fresh = f"{letter}''"
        body = b.substitute(body, {b.index(letter, None): b.index(fresh, None)})
        g = b.substitute(g, {member_index(name): b.index(fresh, None)})
        for leaf, part in pullback(body, g, law=law).items():
            yield leaf, total_over(simplify(part), fresh, over)

    def _asked_part(self, whole: Node) -> Node | None:
        asked = self.asked
        picked = at_target(whole, asked.target)
        if asked.of.dims != SCALAR:
            column = picked if picked.dims[1] == ONE else b.transpose(picked)
            matrix = coefficient_of(simplify(column), probe(asked.of), asked.of.dims)
            if matrix is None:
                return None
            picked = b.transpose(matrix)
        return b.transpose(picked) if asked.layout == "numerator" else picked


def _body(definition: Definition) -> Node:
    return definition[2] if isinstance(definition, tuple) else definition


def broken_derivations(asked: Asked) -> Iterator[Form]:
    """What comes out when one law is broken at one place of the program."""
    if asked.of not in asked.problem.program:
        return
    program = Program(asked)
    if not program.small:
        return
    for count, (code, law, passes) in enumerate(_laws(program)):
        if count >= MOST_DERIVATIONS:
            return
        try:
            found = program.derive(law, passes)
        except (DeriveError, RecursionError):
            continue
        if found is not None:
            yield Form(code, found)


def _laws(program: Program) -> Iterator[tuple[str, Law, Uses]]:
    breaking = [m for m in records() if m.code != "occurrence"]
    for node in program.operations():
        for one in breaking:
            for wrong in one.broken(node, program.live):
                yield one.code, _but_at({node: wrong}), lambda user, leaf: True
    for pair in program.uses():
        yield "occurrence", true_law, lambda user, leaf, cut=pair: (user, leaf) != cut  # type: ignore[misc]
        yield "occurrence", true_law, lambda user, leaf, kept=pair: leaf is not kept[1] or user is kept[0]  # type: ignore[misc]
    for one in breaking:
        everywhere = _everywhere(one, program)
        if len(everywhere) > 1:
            yield one.code, _but_at(everywhere), lambda user, leaf: True


def _everywhere(one: Misconception, program: Program) -> dict[Node, Pullback]:
    """The first way of breaking a law, at every operation to which it applies."""
    found = ((node, next(iter(one.broken(node, program.live)), None)) for node in program.operations())
    return {node: wrong for node, wrong in found if wrong is not None}


def _but_at(wrong: Mapping[Node, Pullback]) -> Law:
    def law(node: Node, g: Node, out: Node) -> tuple[Node | None, ...]:
        return wrong[node](g, out) if node in wrong else true_law(node, g, out)

    return law
