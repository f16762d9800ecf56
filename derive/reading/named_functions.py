"""The functions that formulas may apply by name."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.operations.registry import known
from derive.operations.vectorize import vec

ELEMENTWISE_NAMES = {
    "exp": "exp", "log": "log", "ln": "log", "tanh": "tanh", "Tanh": "tanh", "sigmoid": "sigmoid", "Sigmoid": "sigmoid",
    r"\sigma": "sigmoid", "expit": "sigmoid", "relu": "relu", "ReLU": "relu", "sign": "sign", "sgn": "sign",
    "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "sinh": "sinh",
    "cosh": "cosh", "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan", "softplus": "softplus", "erf": "erf",
    "abs": "abs", "step": "positive", "heaviside": "positive", "sigm": "sigmoid", "logistic": "sigmoid",
    "GELU": "gelu", "SiLU": "silu", "Swish": "silu", "swish": "silu", "Mish": "mish", "ELU": "elu", "SELU": "selu",
    "Softplus": "softplus", "Sigm": "sigmoid",
}  # fmt: skip
WHOLE_NAMES = {
    "softmax": "softmax", "Softmax": "softmax", "logsoftmax": "log_softmax", "tr": "trace", "Tr": "trace",
    "trace": "trace", "det": "det", "norm": "norm", "logsumexp": "log_sum_exp", "LogSumExp": "log_sum_exp",
    "lse": "log_sum_exp", "LSE": "log_sum_exp",
}  # fmt: skip


def _whole(op: str) -> Callable[[Node], Node]:
    return lambda x: b.make(op, (x,))


def mean(x: Node) -> Node:
    """The mean of all entries."""
    return b.divide(b.total(x), b.total(b.ones(x.dims)))


def variance(x: Node) -> Node:
    """The mean squared distance of the entries from their mean."""
    away = b.subtract(x, b.broadcast(mean(x), x.dims))
    return mean(b.power(away, 2))


FUNCTIONS: dict[str, Callable[[Node], Node]] = {
    **{name: _whole(op) for name, op in ELEMENTWISE_NAMES.items()},
    **{name: _whole(op) for name, op in WHOLE_NAMES.items()},
    "diag": b.diag,
    "vec": vec,
    "Diag": b.diag,
    "sum": b.total,
    "sqrt": lambda x: b.power(x, Fraction(1, 2)),
    "sech": lambda x: b.power(b.apply("cosh", x), -1),
    "csch": lambda x: b.power(b.apply("sinh", x), -1),
    "coth": lambda x: b.divide(b.apply("cosh", x), b.apply("sinh", x)),
    "logsigmoid": lambda x: b.apply("log", b.apply("sigmoid", x)),
    "LogSigmoid": lambda x: b.apply("log", b.apply("sigmoid", x)),
    "mean": mean,
    "avg": mean,
    "Var": variance,
    "var": variance,
    "std": lambda x: b.power(variance(x), Fraction(1, 2)),
    "RMS": lambda x: b.power(mean(b.power(x, 2)), Fraction(1, 2)),
    "rms": lambda x: b.power(mean(b.power(x, 2)), Fraction(1, 2)),
}
FUNCTIONS.update({f"\\{name}": FUNCTIONS[name] for name in list(FUNCTIONS) if not name.startswith("\\")})


def function_named(name: str) -> Callable[[Node], Node] | None:
    """The function that a name stands for: one of the table, or an operation that is applied by its name."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if name in DISTRIBUTIONS:
        return _whole(DISTRIBUTIONS[name])
    operation = known(name)
    return _whole(name) if operation is not None and operation.by_name else None


# Letters that are functions only where nothing declares them.
DISTRIBUTIONS = {r"\Phi": "normal_cdf", r"\phi": "normal_pdf", r"\varphi": "normal_pdf"}


def is_function(name: str, call: object) -> bool:
    """Whether a name that nothing declares is a function; a letter such as \\Phi only before a bracket."""
    return function_named(name) is not None and (name not in DISTRIBUTIONS or call is not None)
