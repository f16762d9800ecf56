"""The rule of one step backwards: what a variable receives from one name that uses it, before anything is put in.

For z = W x + b this is ∂J/∂x = Wᵀ ∂J/∂z and, as the local Jacobian, ∂z/∂x = W.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.gradient.jacobian import coefficient_of
from derive.gradient.pullback import pullback
from derive.gradient.sweep import naming, prepared
from derive.printing.latex import latex
from derive.problem.problem import Problem
from derive.sizes import ONE, SCALAR, describe


@dataclass(frozen=True, slots=True)
class LocalRule:
    r"""How a variable's cotangent follows from that of a name: `product` in terms of \partial J/\partial name.

    `jacobian` is ∂name/∂variable, "" where one of them is a matrix; `shape` is that of the Jacobian.
    """

    variable: str
    user: str
    product: str
    jacobian: str
    shape: str


def local_rule(problem: Problem, variable: Node, user: Node) -> LocalRule | None:
    """The rule between two names of the forward computation; None for families, whose members are many.

    Raises `NoRuleError` for an operation that has no rule.
    """
    definition = problem.program.get(user)
    if definition is None or isinstance(definition, tuple) or variable.op != "symbol":
        return None
    loss = str(problem.loss_symbol.data[0])
    upstream = b.symbol(rf"\frac{{\partial {loss}}}{{\partial {user.data[0]}}}", user.dims)
    names, body = naming(problem), prepared(definition)
    outputs = {meaning: leaf for leaf, meaning in names.forward.items() if leaf is not user} | {body: user}
    seed = b.number(1) if user is problem.loss_symbol else upstream
    found = pullback(body, seed, outputs).get(variable)
    if found is None:
        return None
    product = latex(names.tidy(found), problem.scope)
    matrix = None if user is problem.loss_symbol else _jacobian(problem, body, outputs, variable, user)
    shape = describe(matrix.dims) if matrix is not None else ""
    return LocalRule(
        str(variable.data[0]), str(user.data[0]), product, latex(matrix, problem.scope) if matrix else "", shape
    )


def _jacobian(problem: Problem, body: Node, outputs: dict[Node, Node], variable: Node, user: Node) -> Node | None:
    """∂user/∂variable through this definition alone; None where a matrix takes part."""
    if ONE not in variable.dims or ONE not in user.dims:
        return None
    probe = b.symbol("?g", user.dims)
    received = pullback(body, probe, outputs)[variable]
    names = naming(problem)
    if user.dims == SCALAR:
        slope = names.tidy(b.substitute(received, {probe: b.number(1)}))
        return slope if variable.dims == SCALAR else names.tidy(b.transpose(slope))
    picked = names.tidy(received)
    matrix = coefficient_of(picked if picked.dims[1] == ONE else b.transpose(picked), probe, user.dims)
    if matrix is None or any(part.op == "block" for part in walk(matrix)):
        return None  # that it selects a block is plainer from the product
    return names.tidy(b.transpose(matrix))
