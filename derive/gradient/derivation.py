"""A derivation to show: the forward computation, the backward steps and the closed forms, all checked.

Everything here is values and LaTeX text; how it looks on a terminal or a page is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.closed import derivative, sweep_for
from derive.gradient.sweep import Step, Sweep, kinks_of, naming
from derive.numerics import check
from derive.operations.registry import record
from derive.printing.latex import latex
from derive.problem.problem import Problem, Question, Target
from derive.sizes import ONE, SCALAR, describe


@dataclass(frozen=True, slots=True)
class Forward:
    """One line of the forward computation."""

    name: str
    definition: str
    shape: str


@dataclass(frozen=True, slots=True)
class BackwardStep:
    """One step backwards: what a variable receives, from whom, and by which rules."""

    name: str
    cotangent: str
    expression: str
    words: str
    rule: str
    shape: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gradient:
    """A closed form with the checks that confirmed it.

    `exact` says how the exact check confirmed it ("" if it did not), `numeric_error` is the largest relative
    error against central differences.
    """

    wrt: str
    of: str
    layout: str
    latex: str
    shape: str
    exact: str
    numeric_error: float
    remark: str


@dataclass(frozen=True, slots=True)
class Derivation:
    """All that `derive show` prints."""

    title: str
    source: str
    loss: str
    forward: tuple[Forward, ...]
    steps: tuple[BackwardStep, ...]
    gradients: tuple[Gradient, ...]
    remarks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The object of `derive show --json`; a Jacobian's key is "of|wrt"."""
        out = asdict(self)
        mixed = len({g.of for g in self.gradients}) > 1
        keys = [f"{g.of}|{g.wrt}" if g.of and mixed else g.wrt for g in self.gradients]
        out["gradients"] = {key: g.latex for key, g in zip(keys, self.gradients, strict=True)}
        out["checks"] = {
            key: {"exact": g.exact, "numeric_error": g.numeric_error}
            for key, g in zip(keys, self.gradients, strict=True)
        }
        return out


def derivation(problem: Problem, wrt: str | None = None, of: str | None = None) -> Derivation:
    """The derivation of what is asked: one variable, or all questions of the problem, or all its names.

    Raises `AuthorError` for a variable that is none, `NoRuleError` for an operation that has no rule.
    """
    questions = _questions(problem, wrt, of)
    whole = [q for q in questions if not q.of]
    steps = _steps(problem, whole) if whole else ()
    gradients = tuple(_gradient(problem, q) for q in questions)
    remarks = tuple(f"{kink}: there the formulas hold from each side only." for kink in kinks_of(problem))
    return Derivation(problem.title, problem.source, problem.loss_text, _forward(problem), steps, gradients, remarks)


def closed_forms(problem: Problem) -> dict[str, Node]:
    """The closed form of each question about the loss, by its variable."""
    out: dict[str, Node] = {}
    for question in _questions(problem, None, None):
        if not question.of:
            out[question.wrt] = derivative(problem, problem.loss_symbol, problem.target(question.wrt))
    return out


def _questions(problem: Problem, wrt: str | None, of: str | None) -> list[Question]:
    if wrt is not None:
        same = [q for q in problem.questions if (q.wrt, q.of) == (wrt, of or "")]
        return same[:1] or [Question(wrt, of or "", problem.layout)]
    if of:
        return [Question(str(leaf.data[0]), of, problem.layout) for leaf in _vectors(problem)]
    if problem.questions:
        return list(problem.questions)
    leaves = [*problem.definitions, *(e.node for e in problem.scope.all() if e.kind in ("value", "family") and e.node)]
    kept = [
        leaf for leaf in dict.fromkeys(leaves) if leaf not in problem.shorthands and leaf is not problem.loss_symbol
    ]
    return [Question(str(leaf.data[0]), "", problem.layout) for leaf in kept]


def _vectors(problem: Problem) -> list[Node]:
    given = [e.node for e in problem.scope.all() if e.kind == "value" and e.node is not None]
    return [node for node in given if ONE in node.dims and node not in problem.meanings]


def _forward(problem: Problem) -> tuple[Forward, ...]:
    rows = [Forward(str(n.data[0]), problem.texts[n], describe(n.dims)) for n in problem.definitions]
    return (*rows, Forward(str(problem.loss_symbol.data[0]), _right_side(problem), "a number"))


def _right_side(problem: Problem) -> str:
    text, name = problem.loss_text.strip(), str(problem.loss_symbol.data[0])
    rest = text[len(name) :].lstrip() if text.startswith(name) else text
    return rest[1:].lstrip() if rest.startswith("=") else text


def _gradient(problem: Problem, question: Question) -> Gradient:
    of = problem.target(question.of).access if question.of else problem.loss_symbol
    target = problem.target(question.wrt)
    if question.of:
        free = dict(target.free) | dict(problem.target(question.of).free)
        target = Target(target.text, target.leaf, target.access, tuple(free.items()))
    if of.dims != SCALAR and (ONE not in of.dims or ONE not in target.access.dims):
        raise AuthorError("a Jacobian is of a vector with respect to a vector", "of")
    closed = derivative(problem, of, target)
    if question.layout == "numerator":
        closed = naming(problem).tidy(b.transpose(closed))
    return Gradient(
        question.wrt, question.of, question.layout, latex(closed, problem.scope), describe(closed.dims),
        check.exact(problem, of, target, closed, question.layout),
        check.central(problem, of, target, closed, question.layout),
        "numerator layout: transposed throughout" if question.layout == "numerator" else "",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- steps


def _steps(problem: Problem, questions: list[Question]) -> tuple[BackwardStep, ...]:
    run = sweep_for(problem, problem.loss_symbol)
    needed = _needed(run, {problem.target(q.wrt).leaf for q in questions})
    return tuple(_step(problem, run, step) for step in run.steps if step.variable in needed)


def _needed(run: Sweep, wanted: set[Node]) -> set[Node]:
    """The variables on the way from the loss to those that are asked for."""
    users = {step.variable: step.users for step in run.steps}
    needed, todo = set[Node](), list(wanted)
    while todo:
        variable = todo.pop()
        if variable not in needed:
            needed.add(variable)
            todo.extend(users.get(variable, ()))
    return needed


def _step(problem: Problem, run: Sweep, step: Step) -> BackwardStep:
    name = str(step.variable.data[0])
    loss = str(problem.loss_symbol.data[0]) if problem.scope.loss_name else ""
    symbol = latex(step.symbol) if step.symbol is not None else rf"\frac{{\partial {loss}}}{{\partial {name}}}"
    expression = _own_names(step.cotangent, step.variable)
    words = [record(op).words for op in step.through if record(op).words]
    return BackwardStep(
        name, symbol, latex(expression, problem.scope), "; ".join(dict.fromkeys(words)) or "the loss itself",
        ", ".join(step.through), describe(step.variable.dims), tuple(str(u.data[0]) for u in step.users),
    )  # fmt: skip


def _own_names(node: Node, variable: Node) -> Node:
    """A family's cotangent at the letter that its name varies by."""
    if variable.op != "family":
        return node
    letter = str(variable.data[-1])
    mine = [p for p in walk(node) if p.op == "index" and str(p.data[0]).startswith("@")]
    return b.substitute(node, {place: b.index(letter, None) for place in mine})
