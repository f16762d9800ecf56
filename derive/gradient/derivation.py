"""A derivation to show: the forward computation, the backward steps and the closed forms, all checked.

Everything here is values and LaTeX text; how it looks on a terminal or a page is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.closed import derivative, shown, sweep_for
from derive.gradient.hessian import Hessian, hessians
from derive.gradient.sweep import Step, Sweep, kinks_of, naming
from derive.numerics import check
from derive.numerics.together import together
from derive.operations.registry import record
from derive.printing.latex import latex
from derive.problem.problem import Problem, Question, Target
from derive.sizes import ONE, SCALAR, describe

MANY = 24
CLOSE = 1e-4
NUMERATOR = (
    "Numerator layout: every derivative is shown transposed, steps included; the rules are in the words of the other."
)


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

    @property
    def confirmed(self) -> bool:
        """Whether both checks confirmed it."""
        return bool(self.exact) and self.numeric_error < CLOSE


@dataclass(frozen=True, slots=True)
class SecondDerivative:
    """A Hessian (`then` is `wrt`) or a mixed second derivative, with its checks.

    `direction` is the name of the direction V where this is the product H[V], since a matrix is among the
    variables; else "".
    """

    wrt: str
    then: str
    latex: str
    shape: str
    direction: str
    exact: str
    numeric_error: float

    @property
    def confirmed(self) -> bool:
        """Whether both checks confirmed it."""
        return bool(self.exact) and self.numeric_error < CLOSE

    @property
    def key(self) -> str:
        """The variable, or "first|second"."""
        return self.wrt if self.wrt == self.then else f"{self.wrt}|{self.then}"


@dataclass(frozen=True, slots=True)
class Derivation:
    """All that `derive show` prints; in numerator layout (`layout`) all of it is transposed."""

    title: str
    source: str
    loss: str
    forward: tuple[Forward, ...]
    steps: tuple[BackwardStep, ...]
    gradients: tuple[Gradient, ...]
    remarks: tuple[str, ...]
    layout: str = "shape"
    hessians: tuple[SecondDerivative, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The object of `derive show --json`.

        A Jacobian's key is "of|wrt", that of a mixed second derivative "first|second".  `directions` names the
        direction of each entry of `hessians` that is a product with one.
        """
        out = asdict(self)
        mixed = len({g.of for g in self.gradients}) > 1
        keys = [f"{g.of}|{g.wrt}" if g.of and mixed else g.wrt for g in self.gradients]
        out["gradients"] = {key: g.latex for key, g in zip(keys, self.gradients, strict=True)}
        out["checks"] = {
            key: {"exact": g.exact, "numeric_error": g.numeric_error}
            for key, g in zip(keys, self.gradients, strict=True)
        }
        out["hessians"] = {h.key: h.latex for h in self.hessians}
        out["directions"] = {h.key: h.direction for h in self.hessians if h.direction}
        out["hessian_checks"] = {h.key: {"exact": h.exact, "numeric_error": h.numeric_error} for h in self.hessians}
        return out


def derivation(
    problem: Problem,
    wrt: str | Sequence[str] | None = None,
    of: str | None = None,
    layout: str | None = None,
    second: bool = False,
) -> Derivation:
    """The derivation of what is asked: some variables, or all questions of the problem, or all its names.

    `layout` overrides that of the problem and its questions; `second` asks for the Hessians of the loss too.
    Raises `AuthorError` for a variable that is none, `NoRuleError` for an operation that has no rule.
    """
    questions = [q._replace(layout=layout or q.layout) for q in asked(problem, wrt, of)]
    whole = [q for q in questions if not q.of]
    layout = "numerator" if all(q.layout == "numerator" for q in questions) else "shape"
    steps = _steps(problem, whole, layout) if whole else ()
    gradients = tuple(_gradients(problem, questions, layout))
    remarks = [f"{kink}: there the formulas hold from each side only." for kink in kinks_of(problem)]
    return Derivation(
        problem.title, problem.source, problem.loss_text, forward(problem), steps, gradients,
        tuple([NUMERATOR] * (layout == "numerator") + remarks), layout,
        tuple(second_derivatives(problem, [q.wrt for q in whole], layout)) if second else (),
    )  # fmt: skip


def closed_forms(problem: Problem) -> dict[str, Node]:
    """The closed form of each question about the loss, by its variable."""
    out: dict[str, Node] = {}
    for question in asked(problem):
        if not question.of:
            out[question.wrt] = derivative(problem, problem.loss_symbol, problem.target(question.wrt))
    return out


def asked(problem: Problem, wrt: str | Sequence[str] | None = None, of: str | None = None) -> list[Question]:
    """The questions about some variables; without any, those of the problem, or about all that it names."""
    if wrt:
        return [_about(problem, one, of or "") for one in dict.fromkeys([wrt] if isinstance(wrt, str) else wrt)]
    if of:
        return [Question(str(leaf.data[0]), of, problem.layout) for leaf in _vectors(problem)]
    if problem.questions:
        return list(problem.questions)
    leaves = [*problem.definitions, *(e.node for e in problem.scope.all() if e.kind in ("value", "family") and e.node)]
    kept = [
        leaf for leaf in dict.fromkeys(leaves) if leaf not in problem.shorthands and leaf is not problem.loss_symbol
    ]
    return [Question(str(leaf.data[0]), "", problem.layout) for leaf in kept]


def _about(problem: Problem, wrt: str, of: str) -> Question:
    same = [q for q in problem.questions if (q.wrt, q.of) == (wrt, of)]
    return same[0] if same else Question(wrt, of, problem.layout)


def _vectors(problem: Problem) -> list[Node]:
    given = [e.node for e in problem.scope.all() if e.kind == "value" and e.node is not None]
    return [node for node in given if ONE in node.dims and node not in problem.meanings]


def forward(problem: Problem) -> tuple[Forward, ...]:
    """The forward computation, line by line."""
    rows = [Forward(str(n.data[0]), problem.texts[n], describe(n.dims)) for n in problem.definitions]
    return (*rows, Forward(str(problem.loss_symbol.data[0]), _right_side(problem), "a number"))


def _right_side(problem: Problem) -> str:
    text, name = problem.loss_text.strip(), str(problem.loss_symbol.data[0])
    rest = text[len(name) :].lstrip() if text.startswith(name) else text
    return rest[1:].lstrip() if rest.startswith("=") else text


def resolved(problem: Problem, question: Question) -> tuple[Node, Target, Node]:
    """What is differentiated, the variable, and the closed form in the layout of the question."""
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
    return of, target, closed


def _gradients(problem: Problem, questions: list[Question], layout: str) -> Iterator[Gradient]:
    found, texts = [resolved(problem, question) for question in questions], dict[Node, str]()
    checks = _together(problem, questions, found) if len(found) > MANY else None
    for question, (of, target, closed) in zip(questions, found, strict=True):
        text = latex(shown(problem, of, target, closed, question.layout), problem.scope, texts)
        exact, error = checks or (
            check.exact(problem, of, target, closed, question.layout),
            check.central(problem, of, target, closed, question.layout),
        )
        remark = f"in {question.layout} layout" if question.layout != layout else ""
        shape = describe(closed.dims)
        yield Gradient(question.wrt, question.of, question.layout, text, shape, exact, error, remark)


def _together(
    problem: Problem, questions: list[Question], found: list[tuple[Node, Target, Node]]
) -> tuple[str, float] | None:
    """The checks of many gradients of the loss at once, so that those of a long program take no longer than it."""
    if any(question.of for question in questions):
        return None
    turned = [question.layout == "numerator" for question in questions]
    forms = [(target, b.transpose(c) if turn else c) for (_, target, c), turn in zip(found, turned, strict=True)]
    checks = together(problem, problem.loss_symbol, forms)
    return checks if checks is not None and checks[1] < CLOSE else None


def second_derivatives(problem: Problem, variables: list[str], layout: str) -> Iterator[SecondDerivative]:
    """The Hessians with respect to some variables, and the mixed second derivatives of each two."""
    for found in hessians(problem, variables, layout):
        yield shown_hessian(found)


def shown_hessian(found: Hessian) -> SecondDerivative:
    """A Hessian as it is shown, with its checks."""
    direction = "" if found.direction is None else str(found.direction.data[0])
    text, shape = latex(found.closed, found.problem.scope), describe(found.closed.dims)
    return SecondDerivative(found.first.text, found.second.text, text, shape, direction, *found.checked())


# ------------------------------------------------------------------------------------------------- steps


def _steps(problem: Problem, questions: list[Question], layout: str) -> tuple[BackwardStep, ...]:
    run = sweep_for(problem, problem.loss_symbol)
    needed = _needed(run, {problem.target(q.wrt).leaf for q in questions})
    return tuple(_step(problem, run, step, layout) for step in run.steps if step.variable in needed)


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


def _step(problem: Problem, run: Sweep, step: Step, layout: str) -> BackwardStep:
    name = str(step.variable.data[0])
    loss = str(problem.loss_symbol.data[0]) if problem.scope.loss_name else r"\mathrm{loss}"
    called, expression = step.symbol, _own_names(step.cotangent, step.variable)
    if layout == "numerator":
        called = b.transpose(called) if called is not None else None
        expression = naming(problem).tidy(b.transpose(expression))
    symbol = latex(called) if called is not None else rf"\frac{{\partial {loss}}}{{\partial {name}}}"
    words = [record(op).words for op in step.through if record(op).words]
    return BackwardStep(
        name, symbol, latex(expression, problem.scope), "; ".join(dict.fromkeys(words)) or "the loss itself",
        ", ".join(step.through), describe(expression.dims), tuple(str(u.data[0]) for u in step.users),
    )  # fmt: skip


def _own_names(node: Node, variable: Node) -> Node:
    """A family's cotangent at the letter that its name varies by."""
    if variable.op != "family":
        return node
    letter = str(variable.data[-1])
    mine = [p for p in walk(node) if p.op == "index" and str(p.data[0]).startswith("@")]
    return b.substitute(node, {place: b.index(letter, None) for place in mine})
