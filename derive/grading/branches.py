"""Branches in expressions: which signs choose them, which signs are certain, and how a sign depends on a variable.

Nothing is evaluated here.  `normal` brings indicators to a form in which equal ones are the same node, so that
1[ReLU(z) > 0] and 1[2 z > 0] are both 1[z > 0].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from derive.expressions import build as b
from derive.expressions.leaves import properties_of
from derive.expressions.node import Node, heads_of, walk
from derive.sizes import Range

SIGNED = frozenset(("positive", "relu", "abs", "sign"))
OF_BRANCHES = frozenset(("abs", "maximum", "minimum"))
CHOOSING = frozenset(("maximum", "minimum"))
COMPARING = frozenset(("index_equal", "index_less"))
DISCRETE = ("one-hot", "binary", "sign", "integer")
ABOVE_ZERO = frozenset(("exp", "softmax", "sigmoid", "softplus", "size", "constant", "cosh"))
LIKE_ITS_OPERAND = frozenset(("entry", "row", "column", "transpose", "member", "block", "diagonal"))
PIECEWISE = frozenset(("add", "relu", "abs", "maximum", "minimum", "cases", "total", "concat", "diag"))
BRANCHES = heads_of(*SIGNED, *CHOOSING, "is_zero")
CHOICES = BRANCHES | heads_of(*COMPARING)
MOST_KNOWN = 10_000
Meanings = Mapping[Node, Any]


class Test(NamedTuple):
    """What chooses a branch: the sign of an operand, or whether it is zero; `bound` are the sums it stands in."""

    operand: Node
    kind: str
    bound: tuple[tuple[str, Range], ...] = ()

    def instances(self, sizes: Mapping[str, int]) -> list[Node]:
        """The operand for every value of the bound indices."""
        found = [self.operand]
        for name, over in self.bound:
            values = [b.number(v) for v in over.values(sizes)]
            found = [_at(node, name, v) for node in found[:200] for v in values]
        return found[:200]


def _at(node: Node, name: str, value: Node) -> Node:
    mapping = {part: value for part in walk(node) if part.op == "index" and part.data[0] == name}
    return b.substitute(node, mapping)


def tests(node: Node) -> list[Test]:
    """Everything in an expression that chooses a branch."""
    if not node.heads & CHOICES:
        return []
    return list(dict.fromkeys(_tests(node, (), set())))


def _tests(node: Node, bound: tuple[tuple[str, Range], ...], seen: set[Any]) -> Iterator[Test]:
    if (node, bound) in seen:
        return
    seen.add((node, bound))
    if node.op in SIGNED:
        yield _test(node.operands[0], "sign", bound)
    elif node.op == "is_zero":
        yield _test(node.operands[0], "zero", bound)
    elif node.op in CHOOSING:
        yield _test(b.subtract(*node.operands), "sign", bound)
    elif node.op in COMPARING:
        first, second = node.operands
        yield _test(b.subtract(first, second), "zero" if node.op == "index_equal" else "sign", bound)
    elif node.op == "sum":
        bound = (*bound, (str(node.data[0]), node.data[1]))
    for part in node.operands:
        yield from _tests(part, bound, seen)


def _test(operand: Node, kind: str, bound: tuple[tuple[str, Range], ...]) -> Test:
    names = {part.data[0] for part in walk(operand) if part.op == "index"}
    return Test(operand, kind, tuple(pair for pair in bound if pair[0] in names))


def of_program(meanings: Meanings, root: Node) -> list[Test]:
    """The tests that an expression and everything defined that it uses contain."""
    return list(dict.fromkeys([*tests(root), *of_names(meanings, named(meanings, root))]))


def of_names(meanings: Meanings, names: Iterable[Node]) -> list[Test]:
    """The tests in what names stand for, and in the names that these use."""
    found: list[Test] = []
    for name in _all_used(meanings, names):
        definition = meanings[name]
        if isinstance(definition, tuple):
            letter, over, body = definition
            found += [Test(t.operand, t.kind, (*t.bound, (letter, over))) for t in tests(body)]
        else:
            found += tests(definition)
    return list(dict.fromkeys(found))


def named(meanings: Meanings, root: Node) -> tuple[Node, ...]:
    """The defined names that stand in an expression."""
    return tuple(part for part in walk(root) if part in meanings)


def used(meanings: Meanings, root: Node) -> list[Node]:
    """The defined names that an expression needs, directly or not."""
    return _all_used(meanings, named(meanings, root))


def _all_used(meanings: Meanings, names: Iterable[Node]) -> list[Node]:
    found = dict.fromkeys(names)
    todo = list(found)
    while todo:
        for part in named(meanings, body_of(meanings, todo.pop())):
            if part not in found:
                found[part] = None
                todo.append(part)
    return list(found)


def body_of(meanings: Meanings, name: Node) -> Node:
    """What a name stands for."""
    definition = meanings[name]
    return definition[2] if isinstance(definition, tuple) else definition  # type: ignore[no-any-return]


def leaves(meanings: Meanings, root: Node) -> set[Node]:
    """The given quantities that an expression depends on."""
    bodies = [root, *(body_of(meanings, name) for name in used(meanings, root))]
    return {n for body in bodies for n in walk(body) if n.op in ("symbol", "family") and n not in meanings}


def is_discrete(meanings: Meanings, node: Node) -> bool:
    """Whether an expression takes only few values: labels, integers, indices and sizes are all that it uses."""
    return all(any(p.startswith(DISCRETE) for p in properties_of(leaf)) for leaf in leaves(meanings, node))


class Branches:
    """What is known of the signs in a program, from what it declares; names are gone through in their order."""

    def __init__(self, meanings: Meanings) -> None:
        self.meanings = meanings
        self._start()

    def _start(self) -> None:
        """Begin with what the names say."""
        self._signs: dict[Node, int] = {}
        self._normal: dict[Node, Node] = {}
        for name in self.meanings:
            self.sign(name)

    # ------------------------------------------------------------------------------------- certain signs

    def sign(self, node: Node) -> int:
        """1 or -1 where all entries have this sign for all values allowed; 0 where that is not known."""
        known = self._signs
        for part in walk(node, known):
            known[part] = self._sign(part, known)
        return known[node]

    def _sign(self, node: Node, known: dict[Node, int]) -> int:
        if node.op == "number":
            return int(node.data[0] > 0) - int(node.data[0] < 0)
        if node.op in ABOVE_ZERO or node.op == "ones":
            return 1
        if node in self.meanings:
            return self.sign(body_of(self.meanings, node))
        if node.op in ("symbol", "family"):
            return int(bool({"positive", "unit interval"} & properties_of(node)))
        inner = [known[o] for o in node.operands]
        if node.op in LIKE_ITS_OPERAND:
            return inner[0]
        if node.op == "power":
            return max(inner[0], 0)
        return of_all(node.op, inner) if node.op in ("add", "product", "hadamard", "total") else 0

    # ------------------------------------------------------------------------------------------ one form

    def normal(self, root: Node) -> Node:
        """An expression that is equal almost everywhere, with its indicators in one form."""
        if not root.heads & BRANCHES:
            return root
        if len(self._normal) + len(self._signs) > MOST_KNOWN:
            self._start()
        known = self._normal
        for node in walk(root, known):
            operands = tuple(known[o] for o in node.operands)
            known[node] = self._branch(node if operands == node.operands else b.rebuild(node, operands))
        return known[root]

    def _branch(self, node: Node) -> Node:
        if node.op == "is_zero":
            return self._zero(node)
        if node.op in CHOOSING:
            first, second = node.operands
            known = self.sign(b.subtract(first, second)) * (1 if node.op == "maximum" else -1)
            return node if not known else first if known > 0 else second
        if node.op not in SIGNED:
            return node
        operand = node.operands[0]
        known = self.sign(operand)
        if known:
            return _of_known_sign(node.op, operand, known)
        if node.op != "positive":
            return node
        core = self._core(operand)
        if core is None:
            return b.zeros(node.dims)
        return self._apart(core) or b.apply("positive", core)

    def _apart(self, core: Node) -> Node | None:
        """1[a > |u|] as 1[a > u] 1[a > -u], and so for extrema; None where the sum has no such term."""
        for term in core.operands if core.op == "add" else (core,):
            factor, inner = b.split_number(term)
            if inner.op not in OF_BRANCHES or inner.dims != core.dims:
                continue
            u, *others = inner.operands
            values = (u, *others) if others else (u, b.negate(u))
            rest = b.subtract(core, term)
            holds = [self._branch(b.apply("positive", b.add(rest, b.scale(factor, v)))) for v in values]
            if (inner.op == "minimum") != (factor < 0):
                return b.hadamard(*holds)
            one = b.ones(core.dims)
            return b.subtract(one, b.hadamard(*(b.subtract(one, h) for h in holds)))
        return None

    def _core(self, operand: Node) -> Node | None:
        """What an expression's being positive comes down to; None if it never is."""
        turned, inner = self._opened(operand)
        if inner.op == "relu":
            return None if turned < 0 else self._core(inner.operands[0])
        if inner.op in ("product", "hadamard"):
            signs = [self.sign(o) for o in inner.operands]
            rest = [o for o, s in zip(inner.operands, signs, strict=True) if not s]
            if len(rest) == 1 and rest[0].dims == inner.dims and len(signs) > 1:
                certain = of_all(inner.op, [s for s in signs if s])
                return self._core(b.scale(turned * certain, rest[0]))
        return inner if turned > 0 else b.negate(inner)

    def _opened(self, node: Node) -> tuple[int, Node]:
        """The sign in front of an expression and the rest of it; a name of a ReLU replaced by what it names."""
        factor, rest = b.split_number(node)
        body = body_of(self.meanings, rest) if rest in self.meanings and rest.op == "symbol" else rest
        return (-1 if factor < 0 else 1), (body if body.op == "relu" else rest)

    def _zero(self, node: Node) -> Node:
        operand = node.operands[0]
        if self.sign(operand):
            return b.zeros(node.dims)
        inner = self._opened(operand)[1]
        if inner.op == "relu":
            return b.subtract(b.ones(node.dims), self._branch(b.apply("positive", inner.operands[0])))
        return node

    # ----------------------------------------------------------------------------- dependence on a variable

    def degrees(self, leaf: Node, roots: list[Node]) -> list[float]:
        """The degree in `leaf` of expressions that are polynomials in it piece by piece; infinite if they are not."""
        known: dict[Node, float] = {leaf: 1}
        for name in self.meanings:
            if name is not leaf:
                known[name] = self._degree(body_of(self.meanings, name), known)
        return [self._degree(root, known) for root in roots]

    def _degree(self, root: Node, known: dict[Node, float]) -> float:
        for node in walk(root):
            if node not in known:
                known[node] = degree_of(node.op, [known[o] for o in node.operands])
        return known[root]


def of_all(op: str, signs: list[int]) -> int:
    """The sign of a sum or product of expressions of known signs."""
    if 0 in signs:
        return 0
    if op in ("add", "total"):
        return signs[0] if len(set(signs)) == 1 else 0
    return -1 if signs.count(-1) % 2 else 1


def degree_of(op: str, parts: list[float]) -> float:
    """The degree of an operation's value, by those of its operands."""
    if not any(parts) or op in ("positive", "sign", "is_zero"):
        return 0
    if op in ("product", "hadamard"):
        return sum(parts)
    if op == "sum":
        return parts[0]
    if op in PIECEWISE or op in LIKE_ITS_OPERAND:
        return max(parts)
    return float("inf")


def _of_known_sign(op: str, operand: Node, known: int) -> Node:
    if op == "abs":
        return operand if known > 0 else b.negate(operand)
    if op == "sign":
        return b.scale(known, b.ones(operand.dims))
    if known < 0:
        return b.zeros(operand.dims)
    return operand if op == "relu" else b.ones(operand.dims)
