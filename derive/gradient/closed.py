"""Closed forms: the gradient or Jacobian with respect to any variable, in textbook form."""

from __future__ import annotations

from functools import lru_cache

from derive.errors import AuthorError, NoRuleError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.jacobian import coefficient_of
from derive.gradient.pullback import member_index, pullback
from derive.gradient.sweep import Sweep, given_symbols, naming, prepared, sweep, sweep_from
from derive.problem.problem import Problem, Target
from derive.rules.driver import simplify
from derive.sizes import ONE, SCALAR, Size

LONGEST = 5_000


class _Kept:
    """Sweeps of a problem, by what is differentiated."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.sweeps: dict[Node, Sweep] = {}

    def of(self, node: Node) -> Sweep:
        if node not in self.sweeps:
            self.sweeps[node] = _sweep_of(self.problem, node)
        return self.sweeps[node]


_KEPT: dict[int, _Kept] = {}


def sweep_for(problem: Problem, of: Node) -> Sweep:
    """The sweep from `of` (a name, a part of one, or any expression in the problem's names)."""
    kept = _KEPT.get(id(problem))
    if kept is None or kept.problem is not problem:
        if len(_KEPT) > 300:
            _KEPT.clear()
        kept = _KEPT[id(problem)] = _Kept(problem)
    return kept.of(of)


PROBE = "g"


def probe(of: Node) -> Node:
    """The cotangent of a vector whose Jacobian is wanted, as a symbol."""
    return b.symbol(f"?{PROBE}", of.dims)


def _sweep_of(problem: Problem, of: Node) -> Sweep:
    of = _without_shorthands(problem, of)
    if of in problem.program and of.dims == SCALAR:
        return sweep(problem, of)
    seed = b.number(1) if of.dims == SCALAR else probe(of)
    if of.op == "symbol":
        return sweep_from(problem, of, seed)
    return _sweep_of_expression(problem, of, seed)


def _without_shorthands(problem: Problem, node: Node) -> Node:
    """An expression in the names of the forward program, through which a sweep goes."""
    for name, meaning in reversed(list(problem.shorthands.items())):
        if isinstance(meaning, tuple):
            letter, _, body = meaning
            places = [p for p in walk(node) if p.op == "member" and p.operands[0] is name]
            mapping = {p: b.substitute(body, {b.index(letter, None): p.operands[1]}) for p in places}
        else:
            mapping = {name: meaning}
        node = b.substitute(node, mapping) if mapping else node
    return node


def _sweep_of_expression(problem: Problem, of: Node, seed: Node) -> Sweep:
    """A sweep from an expression that has no name: first through it, then through the program."""
    from derive.gradient.sweep import _Sweeper

    sweeper = _Sweeper(problem, of, seed)
    sweeper.received.pop(of)
    for leaf, part in pullback(prepared(of), seed).items():
        sweeper.received[leaf] = [part]
    return sweeper.run()


@lru_cache(maxsize=4096)
def _closed(key: tuple[int, Node, Node, str], problem: _Box, target: Target) -> Node | None:
    _, of, _, layout = key
    try:
        found = _derivative(problem.value, of, target)
    except NoRuleError:
        return None
    if layout == "numerator":
        return naming(problem.value).tidy(b.transpose(found))
    return found


class _Box:
    """Carries a problem through a cache by identity."""

    def __init__(self, value: Problem) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Box) and other.value is self.value


def closed_form(problem: Problem, of: Node, target: Target, layout: str = "shape") -> Node | None:
    """∂of/∂target in textbook form; None where a rule is missing."""
    return _closed((id(problem), of, target.access, layout), _Box(problem), target)


def derivative(problem: Problem, of: Node, target: Target) -> Node:
    """∂of/∂target.  Raises `NoRuleError` where a rule is missing."""
    return _derivative(problem, of, target)


def _derivative(problem: Problem, of: Node, target: Target) -> Node:
    names = naming(problem)
    if of == target.leaf and target.access == target.leaf and of.dims == SCALAR:
        return b.number(1)
    of = b.substitute(of, {b.index(name, None): b.index(name, over) for name, over in target.free})
    run = sweep_for(problem, of)
    whole = run.cotangents.get(target.leaf)
    if whole is None:
        return b.zeros(_dims(of, target))
    expanded = run.expanded(whole)
    if expanded.count <= LONGEST:
        picked = names.tidy(at_target(expanded, target))
    else:
        picked = run.expanded(names.tidy(at_target(whole, target)))
    if not given_symbols(problem):
        picked = simplify(_worked_out(problem, picked))
    if of.dims == SCALAR:
        return picked
    return names.tidy(_jacobian(picked, of, target))


def shown(problem: Problem, of: Node, target: Target, closed: Node, layout: str = "shape") -> Node:
    r"""A closed form as it is printed.

    A very long one (of a program in which names are used more than once, it may double with each) is left in terms
    of derivatives with respect to defined names, as in W^\top \frac{\partial J}{\partial h}.
    """
    run = sweep_for(problem, of)
    if closed.count <= LONGEST or of.dims != SCALAR or not run.own:
        return closed
    loss = of.data[0] if of is not problem.loss_symbol or problem.scope.loss_name else r"\mathrm{loss}"
    called = {
        own: b.symbol(rf"\frac{{\partial {loss}}}{{\partial {step.variable.data[0]}}}", own.dims)
        for step in run.steps
        if (own := step.symbol) is not None
    }
    short = naming(problem).tidy(at_target(b.substitute(run.cotangents[target.leaf], called), target))
    return naming(problem).tidy(b.transpose(short)) if layout == "numerator" else short


def _worked_out(problem: Problem, node: Node) -> Node:
    """The number that an expression is when every name of the problem is one."""
    values: dict[Node, Node] = {}
    for name, definition in problem.program.items():
        if not isinstance(definition, tuple):
            values[name] = simplify(b.substitute(definition, values))
    return b.substitute(node, values)


def _dims(of: Node, target: Target) -> tuple[Size, Size]:
    if of.dims == SCALAR:
        return target.access.dims
    return of.dims[0] * of.dims[1], target.access.dims[0] * target.access.dims[1]


def at_target(whole: Node, target: Target) -> Node:
    """The part of a gradient that is asked for, simplified while the ranges of its free indices are known."""
    ranged = {b.index(name, None): b.index(name, over) for name, over in target.free}
    if not ranged:
        return _part(whole, target)
    part = simplify(_part(whole, Target(target.text, target.leaf, b.substitute(target.access, ranged), target.free)))
    return b.substitute(part, {v: k for k, v in ranged.items()})


def _part(whole: Node, target: Target) -> Node:
    """The part of a leaf's gradient that belongs to the variable: an entry, a row, a member."""
    if target.leaf.op == "family":
        return _reach(target.access, target.leaf, whole)
    if target.access == target.leaf:
        return whole
    return b.substitute(target.access, {target.leaf: whole})


def _reach(access: Node, leaf: Node, whole: Node) -> Node:
    if access.op == "member" and access.operands[0] is leaf:
        return b.substitute(whole, {member_index(leaf): access.operands[1]})
    parts = tuple(_reach(o, leaf, whole) if _uses(o, leaf) else o for o in access.operands)
    return b.rebuild(access, parts)


def _uses(node: Node, leaf: Node) -> bool:
    return any(part is leaf for part in walk(node))


def _jacobian(picked: Node, of: Node, target: Target) -> Node:
    """Factor the probe out of the vector-Jacobian product: rows follow `of`, columns the variable."""
    column = picked if picked.dims[1] == ONE else b.transpose(picked)
    matrix = coefficient_of(column, probe(of), of.dims)
    if matrix is None:
        raise NoRuleError("jacobian", "the cotangent could not be factored out")
    return b.transpose(matrix)


def derivative_value(problem: Problem, of: Node, wrt: Node) -> Node:
    """The value of a derivative that stands unexpanded in an answer.  Raises `AuthorError` if it has none."""
    leaf = wrt
    while leaf.op in ("entry", "row", "column", "member", "transpose"):
        leaf = leaf.operands[0]
    if leaf.op not in ("symbol", "family"):
        raise AuthorError("This derivative is not with respect to a variable.")
    if of.dims != SCALAR and (ONE not in of.dims or ONE not in wrt.dims):
        raise AuthorError("This derivative of a matrix has no form as a matrix.")
    try:
        return _derivative(problem, of, Target("", leaf, wrt, ()))
    except NoRuleError as error:
        raise AuthorError(str(error)) from error
