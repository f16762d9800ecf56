"""A problem for one example as a problem for a batch of them.

What is given for each example becomes a family with one member for each example, what follows from it a family
of definitions, and the loss the mean or the sum over the examples; terms that no example enters stay outside.
The result is a problem like any other: its gradients are derived and checked as for any, and lowered to
matrix products.

A family that belongs to an example (the K sampled words of each) is passed flat, the members of one example after
those of another, with the number of the example that each member belongs to: lists of unequal lengths are allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction

from derive.errors import AuthorError, EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node, free_indices, walk
from derive.gradient.closed import derivative
from derive.lowering import kernels as k
from derive.lowering.faithful import refuse_changes
from derive.lowering.grouped import Groups, taken_in_turn
from derive.lowering.loops import refuse_loops
from derive.lowering.lower import Lowered, lower
from derive.numerics import check
from derive.printing.latex import latex
from derive.problem.declare import pattern
from derive.problem.problem import Definition, Problem
from derive.reading.scope import Entity, Scope
from derive.sizes import SCALAR, Range, Size

LETTERS, SIZES = "i s q r t a e g m p".split(), "n N B m M".split()
CLOSE = 1e-4


@dataclass(frozen=True, slots=True)
class Batched:
    """A batch: its problem, the new name of each name that varies with the example, and the size of the batch.

    `owners` maps the name of each family that was given for each example to the name of the indices that say
    which example (from 1) a member belongs to.
    """

    problem: Problem
    names: dict[str, str]
    size: str
    owners: dict[str, str]

    def gradients(self, wrt: Iterable[str]) -> dict[str, Node]:
        """The closed forms with respect to some variables, confirmed.

        Raises `EvaluationError` where one of the two checks fails, `NoRuleError` where a rule is missing.
        """
        return {name: self._gradient(name) for name in wrt}

    def parameters(self) -> tuple[str, ...]:
        """The numbers, vectors and matrices that all examples share; all that are given, if they share none."""
        found = [e.node for e in self.problem.scope.all() if e.kind in ("value", "family") and e.node is not None]
        given = [str(n.data[0]) for n in found if n not in self.problem.meanings]
        return tuple([name for name in given if name not in self.names.values()] or given)

    def _gradient(self, wrt: str) -> Node:
        problem, target = self.problem, self.problem.target(wrt)
        closed = derivative(problem, problem.loss_symbol, target)
        exact = check.exact(problem, problem.loss_symbol, target, closed)
        if not exact or not check.central(problem, problem.loss_symbol, target, closed) < CLOSE:
            raise EvaluationError(f"the gradient with respect to {wrt} could not be confirmed for a batch")
        return closed

    def lowered(self, wrt: Iterable[str] | None = None, values: Iterable[str] = ()) -> Lowered:
        """One function for the loss and the gradients (of all parameters, if `wrt` is left out), without loops.

        The gradient with respect to a family has all its members along the first axis, rows as 1-D arrays.
        `values` are names in `problem` whose values, one for each example, are returned beside the gradients.
        Raises `EvaluationError` that names what has no form without a loop.
        """
        gradients = self.gradients(self.parameters() if wrt is None else wrt)
        named = {name: self.problem.target(name).access for name in values}
        problem, whole = taken_in_turn(self.problem, gradients | named)
        refuse_changes(self.problem, problem, gradients | named, whole)
        found = lower(problem, whole)
        refuse_loops(found.source)
        return found


def batched(problem: Problem, over: Iterable[str], size: str = "", reduce: str = "mean") -> Batched:
    """The problem of a batch: the names in `over` are given for each of `size` examples.

    `reduce` is mean or sum.  Raises `AuthorError` for a name that cannot vary with the example: one that is not
    given, a matrix, a function, or a family whose members are not only summed over.
    """
    if reduce not in ("mean", "sum"):
        raise AuthorError("a batch is reduced by mean or sum", "reduce")
    return _Batcher(problem, tuple(dict.fromkeys(over)), size).whole(reduce)


def source_of(problem: Problem, over: str | None = None, summed: bool = False) -> str:
    """The source of the lowered function: of the problem, or of a batch in which the names `x,y` are each example's."""
    from derive.gradient.derivation import closed_forms

    if over is None:
        if summed:
            raise AuthorError("only a batch is summed: say what is given for each example", "--batch")
        return lower(problem, closed_forms(problem)).source
    try:
        return batched(problem, names_in(over), reduce="sum" if summed else "mean").lowered().source
    except AuthorError as error:
        raise error.found("--batch" if error.where == "over" else error.where) from None


def names_in(text: str) -> list[str]:
    r"""Names with commas between them.

    >>> names_in(r"x_{i,j}, \hat{y}")
    ['x_{i,j}', '\\hat{y}']
    """
    names, depth = [""], 0
    for char in text:
        depth += (char in "{(") - (char in "})")
        if char == "," and not depth:
            names.append("")
        else:
            names[-1] += char
    return [name.strip() for name in names if name.strip()]


class _Batcher:
    """Builds the problem of a batch, entity by entity and definition by definition."""

    def __init__(self, problem: Problem, over: tuple[str, ...], size: str) -> None:
        self.problem, self.over = problem, over
        keys = [e.key for e in problem.scope.all()]
        used = _index_names(problem) | {c for key in keys for c in key if c.isalpha()}
        self.letter = next((c for c in LETTERS if c not in used), "") or _refuse("no letter is free for the examples")
        self.size = self._size(size)
        self.range = Range(Size.of(1), Size.of(self.size))
        self.index = b.index(self.letter, None)
        self.each: dict[Node, Node] = {}
        self.inlined: dict[Node, tuple[str, Node]] = {}
        self.names: dict[str, str] = {}
        self.scope = Scope({}, {*problem.scope.sizes, self.size}, set(problem.scope.words), set(problem.scope.letters))
        self.groups = Groups(self.letter, self.range, used | {self.letter})

    def _size(self, size: str) -> str:
        taken = self.problem.scope.sizes
        if size in taken:
            _refuse(f"{size} is a size of the problem already", "size")
        return size or next((s for s in SIZES if s not in taken), "") or _refuse("no size is free; name one", "size")

    # ------------------------------------------------------------------------------------------ the parts

    def whole(self, reduce: str) -> Batched:
        """The batch."""
        self._entities()
        definitions = self._definitions(self.problem.definitions)
        loss = self._loss(reduce)
        shorthands = self._definitions(self.problem.shorthands)
        old = self.problem
        self.scope.loss_name = old.scope.loss_name
        for entity in old.scope.all():
            if entity.node is old.loss_symbol:
                self.scope.add(entity)
        for entity in self.groups.entities():
            self.scope.add(entity)
        self.scope.sizes |= self.groups.sizes
        owners = {name: self.groups.owner_key(node) for name, node in self.groups.named.items()}
        texts = {n: latex(d[2] if isinstance(d, tuple) else d, self.scope) for n, d in definitions.items()}
        texts[old.loss_symbol] = f"{old.loss_symbol.data[0]} = {latex(loss, self.scope)}"
        rules = {name: others for name, others in old.index_rules.items() if not {name, *others} & set(self.over)}
        new = replace(
            old, scope=self.scope, loss=loss, definitions=definitions, shorthands=shorthands, texts=texts,
            loss_text=texts[old.loss_symbol], index_rules=rules, questions=(),
        )  # fmt: skip
        return Batched(new, self.names, self.size, owners)

    def _entities(self) -> None:
        left = dict.fromkeys(self.over)
        keys = {_plain(name): name for name in self.over}
        if not self.over:
            _refuse("name what is given for each example")
        for entity in self.problem.scope.all():
            if entity.node is not None and entity.node in self.problem.meanings:
                continue
            name = keys.get(_plain(entity.key))
            if name is None:
                self._shared(entity)
            else:
                left.pop(name, None)
                self._example(entity, name)
        for name in left:
            near = get_close_matches(name, [e.key for e in self.scope.all()], n=1)
            _refuse(f"{name} is not given by the problem" + (f"; did you mean {near[0]}?" if near else ""))

    def _shared(self, entity: Entity) -> None:
        """What all examples have in common, unless it follows an index of theirs."""
        for text in entity.node.data[2] if entity.kind == "value" and entity.node is not None else ():
            place = str(text).removeprefix("one-hot at ")
            if place != text and _plain(place) in map(_plain, self.over):
                _refuse(f"{entity.key} follows {place}: it is to be given for each example too")
        if entity.kind != "macro":
            self.scope.add(entity)

    def _example(self, entity: Entity, name: str) -> None:
        """One of the names that vary with the example."""
        node = entity.node
        if node is None or entity.kind not in ("value", "family", "index", "index family"):
            _refuse(f"{name} is a {entity.kind}; only what is given can vary with the example")
        assert node is not None
        if entity.kind in ("family", "index family"):
            flat = self.groups.flat(name, entity, node)
            self.names[name] = str(flat.data[0])
            return
        if k.rank(node.dims) > 1:
            _refuse(f"{name} is a matrix: of an example only numbers, vectors and indices are stacked")
        key = with_letter(entity.key, self.letter)
        if entity.kind == "index":
            family = b.index_family(key, values_of(entity), self.range, self.letter)
            self.scope.add(Entity("index family", key, pattern(key), family, (self.letter,), self.range))
        else:
            kept = ["one-hot" if p.startswith("one-hot at ") else p for p in node.data[2]]
            family = self._family(key, node, kept)
        self.each[node] = b.member(family, self.index)
        self.names[name] = key

    def _family(self, key: str, node: Node, properties: Iterable[str]) -> Node:
        family = b.family(key, node.dims, self.range, properties, self.letter)
        self.scope.add(Entity("family", key, pattern(key), family, (self.letter,), self.range))
        return family

    # -------------------------------------------------------------------------------------------- formulas

    def _definitions(self, table: Mapping[Node, Definition]) -> dict[Node, Definition]:
        out: dict[Node, Definition] = {}
        entities = {e.node: e for e in self.problem.scope.all() if e.node is not None}
        for name, definition in table.items():
            letter, body = (definition[0], definition[2]) if isinstance(definition, tuple) else ("", definition)
            new = self._opened(body) if letter else self._at_example(body)
            if self.letter not in free_indices(new) and not self.groups.used_in(new):
                out[name] = (*definition[:2], new) if isinstance(definition, tuple) else new
                self.scope.add(entities[name])
            elif letter:
                self.inlined[name] = (letter, new)
            elif k.rank(name.dims) > 1:
                self.each[name] = new
            else:
                key = with_letter(str(name.data[0]), self.letter)
                family = self._family(key, name, name.data[2])
                out[family] = (self.letter, self.range, new)
                self.each[name] = b.member(family, self.index)
                self.names[str(name.data[0])] = key
        return out

    def _at_example(self, node: Node) -> Node:
        """An expression for example i."""
        return self.groups(self._opened(node))

    def _opened(self, node: Node) -> Node:
        """An expression for example i, in which the families of an example are as they were."""
        for name, (letter, body) in reversed(self.inlined.items()):
            places = [p for p in walk(node) if p.op == "member" and p.operands[0] is name]
            node = b.substitute(node, {p: b.substitute(body, {b.index(letter, None): p.operands[1]}) for p in places})
        return b.substitute(node, self.each)

    def _loss(self, reduce: str) -> Node:
        inside, outside = list[Node](), list[Node]()
        for term in self._terms(self.problem.loss):
            new = self._at_example(term)
            (inside if self.letter in free_indices(new) else outside).append(new)
        if not inside:
            _refuse(f"the loss does not depend on {', '.join(self.over)}")
        whole = [b.sum_over(term, self.letter, self.range) for term in inside]
        count = b.size_number(Size.of(self.size))
        if reduce == "sum":
            return b.add(*whole, *(b.product(count, term) for term in outside))
        return b.add(*(b.product(b.power(count, -1), term) for term in whole), *outside)

    def _terms(self, node: Node) -> Iterator[Node]:
        """The terms of the loss; a name is opened where only some of its terms depend on the example."""
        factor, rest = b.split_number(node)
        meaning = self.problem.definitions.get(rest)
        if rest.op == "add":
            for part in rest.operands:
                yield from self._terms(b.scale(factor, part))
        elif isinstance(meaning, Node) and meaning.dims == SCALAR and meaning.op == "add" and self._mixed(meaning):
            yield from self._terms(b.scale(Fraction(factor), meaning))
        else:
            yield node

    def _mixed(self, node: Node) -> bool:
        return any(self.letter not in free_indices(self._at_example(t)) for t in self._terms(node))


# ------------------------------------------------------------------------------------------------------ names


def with_letter(key: str, letter: str) -> str:
    r"""The name of the members of a family.

    >>> with_letter(r"\hat{y}", "i"), with_letter("P^*", "i"), with_letter("z^{[1]}_h", "i")
    ('\\hat{y}^{(i)}', 'P^*_i', 'z^{[1](i)}_h')
    """
    if "^" not in key:
        return f"{key}^{{({letter})}}"
    if "_" not in key:
        return f"{key}_{letter}"
    head, _, tail = key.partition("^")
    if tail.startswith("{"):
        inside, _, rest = tail[1:].partition("}")
        return f"{head}^{{{inside}({letter})}}{rest}"
    return f"{head}^{{{tail[:1]}({letter})}}{tail[1:]}"


def values_of(entity: Entity) -> Range:
    """What an index, or a member of a family of indices, can be."""
    found = entity.node.data[1] if entity.node is not None else None
    found = found or entity.over
    assert isinstance(found, Range)
    return found


def _plain(name: str) -> str:
    return "".join(name.split()).replace("{", "").replace("}", "")


def _index_names(problem: Problem) -> set[str]:
    bodies = [d[2] if isinstance(d, tuple) else d for d in problem.meanings.values()]
    inside = {str(n.data[0]) for body in bodies for n in walk(body) if n.op in ("index", "sum")}
    slots = {slot for e in problem.scope.all() for slot in e.slots}
    return inside | slots | set(problem.scope.sizes)


def _refuse(message: str, where: str = "over") -> str:
    raise AuthorError(message, where)
