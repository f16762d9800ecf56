"""Activations of deep networks, and the normal distribution that GELU is made of."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.operations.elementwise import function, one

HALF = Fraction(1, 2)
SELU_SCALE, SELU_ALPHA = Fraction("1.0507009873554805"), Fraction("1.6732632423543772")  # Klambauer et al. 2017


def _half_square(f: Any, x: Any) -> Any:
    return f.mul(f.const(HALF), f.mul(x, x))


def _normal_cdf(f: Any, x: Any) -> Any:
    root = f.inv(f.sqrt(f.const(2)))
    return f.mul(f.const(HALF), f.add(f.const(1), f.erf(f.mul(x, root))))


def _normal_pdf(f: Any, x: Any) -> Any:
    return f.mul(f.inv(f.sqrt(f.mul(f.const(2), f.pi()))), f.exp(f.neg(_half_square(f, x))))


def _sigmoid(f: Any, x: Any) -> Any:
    return f.inv(f.add(f.const(1), f.exp(f.neg(x))))


def _exponential_unit(f: Any, x: Any, alpha: Fraction = Fraction(1)) -> Any:
    """X where it is positive, α (eˣ − 1) elsewhere."""
    right = f.positive(x)
    left = f.add(f.const(1), f.neg(right))
    below = f.mul(f.const(alpha), f.add(f.exp(x), f.const(-1)))
    return f.add(f.mul(right, x), f.mul(left, below))


def _slope_of_unit(x: Node, alpha: Fraction = Fraction(1)) -> Node:
    right = b.apply("positive", x)
    left = b.subtract(b.ones(x.dims), right)
    return b.add(right, b.hadamard(left, b.scale(alpha, b.apply("exp", x))))


def _mish(f: Any, x: Any) -> Any:
    square = f.mul(t := f.add(f.const(1), f.exp(x)), t)
    return f.mul(x, f.mul(f.add(square, f.const(-1)), f.inv(f.add(square, f.const(1)))))


def _slope_of_mish(out: Node, x: Node) -> Node:
    bent = b.apply("tanh", b.apply("softplus", x))
    return b.add(bent, b.hadamard(x, b.subtract(one(), b.power(bent, 2)), b.apply("sigmoid", x)))


function(
    "normal_pdf", "the density of the standard normal distribution", _normal_pdf,
    lambda out, x: b.negate(b.hadamard(x, out)), r"\phi", "(np.exp(-({0}) ** 2 / 2) / math.sqrt(2 * math.pi))",
    words="φ'(x) = −x φ(x)",
)  # fmt: skip
function(
    "normal_cdf", "the distribution function of the standard normal distribution", _normal_cdf,
    lambda out, x: b.apply("normal_pdf", x), r"\Phi", "normal_cdf({})", words="Φ' = φ",
)  # fmt: skip
function(
    "gelu", "x Φ(x), entry by entry (Hendrycks and Gimpel 2016)", lambda f, x: f.mul(x, _normal_cdf(f, x)),
    lambda out, x: b.add(b.apply("normal_cdf", x), b.hadamard(x, b.apply("normal_pdf", x))),
    r"\operatorname{GELU}", "({0} * normal_cdf({0}))", words="GELU'(x) = Φ(x) + x φ(x)",
)  # fmt: skip
function(
    "silu", "x σ(x), entry by entry (Elfwing et al. 2018)", lambda f, x: f.mul(x, _sigmoid(f, x)),
    lambda out, x: b.hadamard(
        b.apply("sigmoid", x), b.add(one(), b.hadamard(x, b.subtract(one(), b.apply("sigmoid", x))))
    ),
    r"\operatorname{SiLU}", "({0} * sigmoid({0}))", words="SiLU'(x) = σ(x) (1 + x (1 − σ(x)))",
)  # fmt: skip
function(
    "mish", "x tanh(softplus(x)), entry by entry (Misra 2019)", _mish, _slope_of_mish,
    r"\operatorname{mish}", "({0} * np.tanh(softplus({0})))",
)  # fmt: skip
function(
    "elu", "x where positive, else eˣ − 1", _exponential_unit, lambda out, x: _slope_of_unit(x),
    r"\operatorname{ELU}", "np.where({0} > 0, {0}, np.expm1(np.minimum({0}, 0)))",
    words="ELU' is 1 on the right and eˣ on the left",
)  # fmt: skip
function(
    "selu", "the scaled exponential linear unit (Klambauer et al. 2017)",
    lambda f, x: f.mul(f.const(SELU_SCALE), _exponential_unit(f, x, SELU_ALPHA)),
    lambda out, x: b.scale(SELU_SCALE, _slope_of_unit(x, SELU_ALPHA)),
    r"\operatorname{SELU}",
    f"({float(SELU_SCALE)} * np.where({{0}} > 0, {{0}}, {float(SELU_ALPHA)} * np.expm1(np.minimum({{0}}, 0))))",
    kink="SELU has no derivative at 0",
)  # fmt: skip
