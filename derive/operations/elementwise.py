"""Functions that act entry by entry.

Each is declared by its derivative `d(out, x)`; the vector-Jacobian product is `g ∘ d(out, x)`.  The
meaning is given by few primitives (exp, log, sin, …), so that forward-mode differentiation of the meaning
shares nothing with the derivatives declared here.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.operations.registry import define, same_dims
from derive.sizes import ONE, Size

Derivative = Callable[[Node, Node], Node]
LEVEL_FUNCTION = 60
BRANCHING = frozenset(("relu", "abs", "sign", "positive", "maximum", "minimum", "cases"))


def _example(name: str) -> Callable[[], Node]:
    return lambda: b.apply(name, b.symbol("x", (Size.of("n"), ONE), ("positive", "unit interval")))


def one() -> Node:
    """The number 1."""
    return b.number(1)


def function(
    name: str,
    meaning: str,
    evaluate: Callable[[Any, Any], Any],
    derivative: Derivative | None,
    tex: str,
    numpy: str | Callable[[Any, Node], str],
    **more: Any,
) -> None:
    """Register an elementwise function with its derivative, its LaTeX name and its NumPy form."""

    def vjp(g: Node, out: Node, x: Node) -> tuple[Node | None, ...]:
        assert derivative is not None
        return (b.hadamard(g, derivative(out, x)),)

    define(
        name,
        meaning,
        dims=same_dims,
        evaluate=lambda f, data, x: evaluate(f, x),
        vjp=vjp if derivative else None,
        latex=more.pop("latex", None) or (lambda p, n: p.application(tex, n.operands[0])),
        numpy=(lambda p, n: numpy.format(p(n.operands[0]))) if isinstance(numpy, str) else numpy,
        level=more.pop("level", LEVEL_FUNCTION),
        words=more.pop("words", f"the derivative of {name} entry by entry"),
        elementwise=True,
        by_name=True,
        example=_example(name),
        **more,
    )


def _sigmoid(f: Any, x: Any) -> Any:
    return f.inv(f.add(f.const(1), f.exp(f.neg(x))))


def _tanh(f: Any, x: Any) -> Any:
    twice = f.exp(f.mul(f.const(2), x))
    return f.mul(f.add(twice, f.const(-1)), f.inv(f.add(twice, f.const(1))))


def _half_exp(sign: int) -> Callable[[Any, Any], Any]:
    half = Fraction(1, 2)
    return lambda f, x: f.mul(f.const(half), f.add(f.exp(x), f.mul(f.const(sign), f.exp(f.neg(x)))))


def _step(f: Any, x: Any) -> Any:
    return f.positive(x)


function("exp", "eˣ", lambda f, x: f.exp(x), lambda out, x: out, r"\exp", "np.exp({})")
function("log", "the natural logarithm", lambda f, x: f.log(x), lambda out, x: b.power(x, -1), r"\log", "np.log({})")
function(
    "sigmoid", "the logistic function 1/(1 + e⁻ˣ)", _sigmoid,
    lambda out, x: b.hadamard(out, b.subtract(one(), out)), r"\sigma", "sigmoid({})",
    words="σ' = σ(1 − σ), in terms of the output",
)  # fmt: skip
function(
    "tanh", "the hyperbolic tangent", _tanh,
    lambda out, x: b.subtract(one(), b.power(out, 2)), r"\tanh", "np.tanh({})",
    words="tanh' = 1 − tanh², in terms of the output",
)  # fmt: skip
function(
    "relu", "max(0, x), entry by entry", lambda f, x: f.mul(x, _step(f, x)),
    lambda out, x: b.apply("positive", x), r"\operatorname{ReLU}", "np.maximum({}, 0)", role="ReLU routes",
    words="ReLU routes the gradient where its input is positive", kink="ReLU has no derivative at 0",
)  # fmt: skip
function(
    "abs", "the absolute value", lambda f, x: f.mul(x, f.add(_step(f, x), f.neg(_step(f, f.neg(x))))),
    lambda out, x: b.apply("sign", x), "", "np.abs({})",
    latex=lambda p, n: rf"\left|{p(n.operands[0])}\right|", level=100, kink="|x| has no derivative at 0",
)  # fmt: skip
function(
    "sign", "-1, 0 or 1", lambda f, x: f.add(_step(f, x), f.neg(_step(f, f.neg(x)))),
    lambda out, x: b.zeros(x.dims), r"\operatorname{sign}", "np.sign({})", kink="the sign jumps at 0",
)  # fmt: skip
function(
    "positive", "1 where x > 0, else 0", _step,
    lambda out, x: b.zeros(x.dims), "", lambda p, n: p.flag(n, ">"),
    latex=lambda p, n: p.indicator(n), level=100, kink="an indicator jumps",
)  # fmt: skip
function(
    "is_zero", "1 where x = 0, else 0", lambda f, x: f.is_zero(x),
    lambda out, x: b.zeros(x.dims), "", lambda p, n: p.flag(n, "=="),
    latex=lambda p, n: p.indicator(n), level=100, kink="an indicator jumps",
)  # fmt: skip
function(
    "softplus", "log(1 + eˣ)", lambda f, x: f.log(f.add(f.const(1), f.exp(x))),
    lambda out, x: b.apply("sigmoid", x), r"\operatorname{softplus}", "softplus({})",
)  # fmt: skip
function("sin", "the sine", lambda f, x: f.sin(x), lambda out, x: b.apply("cos", x), r"\sin", "np.sin({})")
function("cos", "the cosine", lambda f, x: f.cos(x), lambda out, x: b.negate(b.apply("sin", x)), r"\cos", "np.cos({})")
function(
    "tan", "the tangent", lambda f, x: f.mul(f.sin(x), f.inv(f.cos(x))),
    lambda out, x: b.add(one(), b.power(out, 2)), r"\tan", "np.tan({})",
)  # fmt: skip
function(
    "cot", "the cotangent", lambda f, x: f.mul(f.cos(x), f.inv(f.sin(x))),
    lambda out, x: b.negate(b.add(one(), b.power(out, 2))), r"\cot", "(1 / np.tan({}))",
)  # fmt: skip
function(
    "sec", "the secant", lambda f, x: f.inv(f.cos(x)),
    lambda out, x: b.hadamard(out, b.apply("tan", x)), r"\sec", "(1 / np.cos({}))",
)  # fmt: skip
function(
    "csc", "the cosecant", lambda f, x: f.inv(f.sin(x)),
    lambda out, x: b.negate(b.hadamard(out, b.apply("cot", x))), r"\csc", "(1 / np.sin({}))",
)  # fmt: skip
function("sinh", "the hyperbolic sine", _half_exp(-1), lambda out, x: b.apply("cosh", x), r"\sinh", "np.sinh({})")
function("cosh", "the hyperbolic cosine", _half_exp(1), lambda out, x: b.apply("sinh", x), r"\cosh", "np.cosh({})")
function(
    "arctan", "the inverse tangent", lambda f, x: f.arctan(x),
    lambda out, x: b.power(b.add(one(), b.power(x, 2)), -1), r"\arctan", "np.arctan({})",
)  # fmt: skip
function(
    "arcsin", "the inverse sine", lambda f, x: f.arcsin(x),
    lambda out, x: b.power(b.subtract(one(), b.power(x, 2)), Fraction(-1, 2)), r"\arcsin", "np.arcsin({})",
)  # fmt: skip
function(
    "arccos", "the inverse cosine",
    lambda f, x: f.add(f.mul(f.const(Fraction(1, 2)), f.pi()), f.neg(f.arcsin(x))),
    lambda out, x: b.negate(b.power(b.subtract(one(), b.power(x, 2)), Fraction(-1, 2))),
    r"\arccos", "np.arccos({})",
)  # fmt: skip
function(
    "erf", "the error function", lambda f, x: f.erf(x),
    lambda out, x: b.product(
        b.number(2), b.power(b.constant("pi"), Fraction(-1, 2)), b.apply("exp", b.negate(b.power(x, 2)))
    ), r"\operatorname{erf}", "erf({})",
)  # fmt: skip


def _power(f: Any, data: Any, x: Any) -> Any:
    return f.pow(x, data[0])


def _power_vjp(g: Node, out: Node, x: Node) -> tuple[Node | None, ...]:
    exponent: Fraction = out.data[0]
    return (b.hadamard(b.number(exponent), g, b.power(x, exponent - 1)),)


define(
    "power",
    "a fixed power, entry by entry",
    dims=same_dims,
    evaluate=_power,
    vjp=_power_vjp,
    latex=lambda p, n: p.power(n),
    numpy=lambda p, n: p.power(n),
    level=50,
    words="the power rule entry by entry",
    elementwise=True,
    needs_data=True,
    example=lambda: b.power(b.symbol("x", (Size.of("n"), ONE), ("positive",)), Fraction(5, 2)),
)


def _general_vjp(g: Node, out: Node, x: Node, y: Node) -> tuple[Node | None, ...]:
    down = b.hadamard(g, y, out, b.power(x, -1))
    return down, b.hadamard(g, out, b.apply("log", x))


define(
    "general_power",
    "x raised to y, entry by entry, for positive x",
    dims=same_dims,
    evaluate=lambda f, data, x, y: f.general_pow(x, y),
    vjp=_general_vjp,
    latex=lambda p, n: rf"{p(n.operands[0], 90)}^{{{p(n.operands[1])}}}",
    numpy=lambda p, n: f"np.power({p(n.operands[0])}, {p(n.operands[1])})",
    level=50,
    words="xʸ is e to the power y log x",
    elementwise=True,
    example=lambda: make_general(b.symbol("x", (Size.of("n"), ONE), ("positive",)), b.symbol("y", (Size.of("n"), ONE))),
)


def make_general(x: Node, y: Node) -> Node:
    """X raised to y."""
    return b.make("general_power", (x, y))


def _unspecified_vjp(g: Node, out: Node, x: Node) -> tuple[Node | None, ...]:
    name, order = out.data
    return (b.hadamard(g, b.unspecified(str(name), int(order) + 1, x)),)


define(
    "unspecified",
    "an unspecified differentiable function, or one of its derivatives, entry by entry",
    dims=same_dims,
    evaluate=lambda f, data, x: f.unspecified(data[0], data[1], x),
    vjp=_unspecified_vjp,
    latex=lambda p, n: p.application(p.primed(str(n.data[0]), int(n.data[1])), n.operands[0]),
    numpy=lambda p, n: p.unspecified(n),
    level=LEVEL_FUNCTION,
    words="f' entry by entry",
    elementwise=True,
    needs_data=True,
    example=lambda: b.unspecified("f", 0, b.symbol("x", (Size.of("n"), ONE))),
)


def _may_tie(x: Node) -> bool:
    """Whether an operand may equal another on a whole interval: where it is no number, and has branches or a name."""
    return any(part.op in BRANCHING or part.op in ("symbol", "family") for part in walk(x))


def _extremum(name: str, sign: int, tex: str) -> None:
    def value(f: Any, data: Any, x: Any, y: Any) -> Any:
        difference = f.add(x, f.neg(y))
        if sign < 0:
            difference = f.neg(difference)
        pick = f.positive(difference)
        return f.add(f.mul(pick, x), f.mul(f.add(f.const(1), f.neg(pick)), y))

    def vjp(g: Node, out: Node, x: Node, y: Node) -> tuple[Node | None, ...]:
        first = b.subtract(x, y) if sign > 0 else b.subtract(y, x)
        if sign > 0 and x in (b.number(0), b.zeros(x.dims)) and out.op == "symbol" and y.op != "symbol":
            return None, b.hadamard(g, b.apply("positive", out))
        left, right = b.apply("positive", first), b.apply("positive", b.negate(first))
        if _may_tie(x) and _may_tie(y):
            right = b.subtract(b.ones(x.dims), left)
        return b.hadamard(g, left), b.hadamard(g, right)

    define(
        name,
        f"the {'larger' if sign > 0 else 'smaller'} of two, entry by entry",
        dims=same_dims,
        evaluate=value,
        vjp=vjp,
        latex=lambda p, n: rf"{tex}({p(n.operands[0])}, {p(n.operands[1])})",
        numpy=lambda p, n: f"np.{name}({p(n.operands[0])}, {p(n.operands[1])})",
        role=f"{name[:3]} routes",
        words=f"{name[:3]} routes the gradient to the one that is {'larger' if sign > 0 else 'smaller'}",
        elementwise=True,
        kink=f"{name[:3]} has no derivative where both are equal",
        example=lambda: b.make(name, (b.symbol("x", (Size.of("n"), ONE)), b.symbol("y", (Size.of("n"), ONE)))),
    )


_extremum("maximum", 1, r"\max")
_extremum("minimum", -1, r"\min")


def _cases_value(f: Any, data: Any, *values: Any) -> Any:
    out = None
    for condition, branch in reversed(list(zip(values[::2], values[1::2], strict=True))):
        if out is None:
            out = f.otherwise_undefined(condition, branch)
        else:
            left_over = f.add(f.const(1), f.neg(condition))
            out = f.choose(condition, branch, out, left_over)
    return out


def _cases_vjp(g: Node, out: Node, *operands: Node) -> tuple[Node | None, ...]:
    cotangents: list[Node | None] = []
    taken: list[Node] = []
    for condition, branch in zip(operands[::2], operands[1::2], strict=True):
        others = [b.subtract(b.number(1), c) for c in taken]
        part = b.hadamard(g, condition, *others)
        cotangents += [None, b.total(part) if branch.dims != g.dims else part]
        taken.append(condition)
    return tuple(cotangents)


def _cases_dims(data: Any, *dims: Any) -> Any:
    return next((d for d in dims[1::2] if d != dims[1] and d[0] != ONE), dims[1])


define(
    "cases",
    "the first branch whose condition holds",
    dims=_cases_dims,
    evaluate=_cases_value,
    vjp=_cases_vjp,
    latex=lambda p, n: p.cases(n),
    numpy=lambda p, n: p.cases(n),
    words="each branch on its own side",
    elementwise=True,
    kink="a function given by cases may have no derivative where they meet",
    example=lambda: b.make("cases", _cases_example()),
)


def _cases_example() -> tuple[Node, ...]:
    x = b.symbol("x", (Size.of("n"), ONE))
    return (b.apply("positive", x), x, b.apply("positive", b.negate(x)), b.apply("exp", x))
