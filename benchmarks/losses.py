"""Textbook losses, each written for every engine that is compared.

`loss(v, f)` is the loss in array operations: over NumPy arrays it is what central differences are taken of, over
arrays of SymPy symbols it is what `sympy.diff` differentiates.  `matrix(m)` is the same in SymPy's matrix
expressions, `tensor(t, F)` in tensorgrad; None where the language has no such operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

SIZES = {"C": 3, "d": 2, "h": 4, "K": 5}


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss with the variable, the textbook's gradient, and the shapes of what is given (sizes by name)."""

    name: str
    problem: Mapping[str, Any]
    wrt: str
    textbook: str
    shapes: Mapping[str, str]
    loss: Callable[[Any, Any], Any]
    matrix: Callable[[Any], Any] | None = None
    tensor: Callable[[Any, Any], Any] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """The problem as the project reads it."""
        symbols = {
            name: ", ".join(filter(None, (shape.replace(" ", " x ") or "scalar", self.properties.get(name, ""))))
            for name, shape in self.shapes.items()
        }
        return {"symbols": symbols, **self.problem}


def _sigmoid_sp(x: Any) -> Any:
    return 1 / (1 + sp.exp(-x))


def _log_sigmoid_sp(x: Any) -> Any:
    return -sp.log(1 + sp.exp(-x))


def _each(x: Any, function: Callable[[Any], Any]) -> Any:
    """A function of every entry of a SymPy matrix expression."""
    z = sp.Dummy("z")
    return x.applyfunc(sp.Lambda(z, function(z)))


def _ones(size: Any) -> Any:
    return sp.OneMatrix(size, 1)


def _softmax_loss(y: Any, z: Any, f: Any) -> Any:
    return f.log(f.exp(z).sum()) * y.sum() - y @ z


WARM_UP = Loss(
    "inner product", {"loss": r"J = a^\top p"}, "p", "a", {"a": "d", "p": "d"},
    lambda v, f: v["a"] @ v["p"],
    lambda m: m["a"].T * m["p"],
    lambda t, tg: t["a"] @ t["p"],
)  # fmt: skip
LOSSES = (
    Loss(
        "least squares", {"loss": r"J = \frac{1}{2} \|X w - y\|^2"}, "w", r"X^\top \left(X w - y\right)",
        {"X": "K d", "w": "d", "y": "K"},
        lambda v, f: ((v["X"] @ v["w"] - v["y"]) ** 2).sum() / 2,
        lambda m: ((m["X"] * m["w"] - m["y"]).T * (m["X"] * m["w"] - m["y"])) / 2,
        lambda t, tg: tg.frobenius2(t["X"] @ t["w"] - t["y"]) / 2,
    ),
    Loss(
        "quadratic form", {"loss": r"J = x^\top A x"}, "x", r"\left(A + A^\top\right) x",
        {"A": "d d", "x": "d"},
        lambda v, f: v["x"] @ v["A"] @ v["x"],
        lambda m: m["x"].T * m["A"] * m["x"],
        lambda t, tg: (t["A"] @ t["x"]).rename(d_="d") @ t["x"],
    ),
    Loss(
        "trace", {"loss": r"J = \operatorname{tr}(A X B)"}, "X", r"A^\top B^\top",
        {"A": "C K", "X": "K d", "B": "d C"},
        lambda v, f: (v["A"] @ v["X"] @ v["B"]).trace(),
        lambda m: sp.Trace(m["A"] * m["X"] * m["B"]),
        lambda t, tg: t["A"] @ t["X"] @ t["B"],
    ),
    Loss(
        "log-determinant", {"loss": r"J = \log \det(X)"}, "X", r"\left(X^{-1}\right)^\top",
        {"X": "d d"},
        lambda v, f: f.log(v["X"][0, 0] * v["X"][1, 1] - v["X"][0, 1] * v["X"][1, 0]),
        lambda m: sp.log(sp.Determinant(m["X"])),
        lambda t, tg: tg.log(tg.det(t["X"], {"d", "d_"})),
    ),
    Loss(
        "log-sum-exp", {"loss": r"J = \log \sum_i e^{x_i}"}, "x", r"\operatorname{softmax}(x)",
        {"x": "C"},
        lambda v, f: f.log(f.exp(v["x"]).sum()),
        lambda m: _each(_ones(m.size("C")).T * _each(m["x"], sp.exp), sp.log),
        lambda t, tg: tg.log(tg.sum(tg.exp(t["x"]), dim="C")),
    ),
    Loss(
        "factorisation", {"loss": r"J = \frac{1}{2} \|X - U V^\top\|_F^2"}, "U", r"\left(U V^\top - X\right) V",
        {"X": "C K", "U": "C d", "V": "K d"},
        lambda v, f: ((v["X"] - v["U"] @ v["V"].T) ** 2).sum() / 2,
        lambda m: sp.Trace((m["X"] - m["U"] * m["V"].T).T * (m["X"] - m["U"] * m["V"].T)) / 2,
        lambda t, tg: tg.frobenius2(t["X"] - t["U"] @ t["V"]) / 2,
    ),
    Loss(
        "logistic regression",
        {"loss": r"J = -y \log \hat{y} - (1 - y) \log (1 - \hat{y})", "define": {r"\hat{y}": r"\sigma(w^\top x)"}},
        "w", r"\left(\hat{y} - y\right) x", {"w": "d", "x": "d", "y": ""},
        lambda v, f: -v["y"] * f.log(f.sigmoid(v["w"] @ v["x"])) - (1 - v["y"]) * f.log(f.sigmoid(-(v["w"] @ v["x"]))),
        lambda m: (
            -m["y"] * _each(m["w"].T * m["x"], _log_sigmoid_sp)
            - (1 - m["y"]) * _each(-m["w"].T * m["x"], _log_sigmoid_sp)
        ),
        lambda t, tg: (
            -t["y"] * tg.log(tg.sigmoid(t["w"] @ t["x"])) - (1 - t["y"]) * tg.log(tg.sigmoid(-(t["w"] @ t["x"])))
        ),
    ),
    Loss(
        "softmax regression",
        {"loss": r"J = -y^\top \log \hat{y}", "define": {"z": "W x + b", r"\hat{y}": r"\operatorname{softmax}(z)"}},
        "W", r"\left(\hat{y} - y\right) x^\top", {"W": "C d", "x": "d", "b": "C", "y": "C"},
        lambda v, f: _softmax_loss(v["y"], v["W"] @ v["x"] + v["b"], f),
        lambda m: (
            _each(_ones(m.size("C")).T * _each(m["W"] * m["x"] + m["b"], sp.exp), sp.log)
            - m["y"].T * (m["W"] * m["x"] + m["b"])
        ),
        lambda t, tg: -tg.dot(t["y"], tg.log(tg.softmax(t["W"] @ t["x"] + t["b"], dim="C")), dim="C"),
        {"y": "one-hot"},
    ),
    Loss(
        "negative sampling",
        {"loss": r"J = -\log \sigma(u^\top v) - \mathbf{1}^\top \log \sigma(-N v)"},
        "v", r"\left(\sigma(u^\top v) - 1\right) u + N^\top \sigma(N v)", {"u": "d", "v": "d", "N": "K d"},
        lambda v, f: -f.log(f.sigmoid(v["u"] @ v["v"])) - f.log(f.sigmoid(-(v["N"] @ v["v"]))).sum(),
        lambda m: (
            -_each(m["u"].T * m["v"], _log_sigmoid_sp)
            - _ones(m.size("K")).T * _each(-m["N"] * m["v"], _log_sigmoid_sp)
        ),
        lambda t, tg: -tg.log(tg.sigmoid(t["u"] @ t["v"])) - tg.sum(tg.log(tg.sigmoid(-(t["N"] @ t["v"])))),
    ),
    Loss(
        "max-margin", {"loss": r"J = \max(0, 1 - s + s_c)", "define": {"s": r"u^\top x", "s_c": r"u^\top p"}},
        "u", r"\mathbb{1}\{1 - s + s_c > 0\} \left(p - x\right)", {"u": "d", "x": "d", "p": "d"},
        lambda v, f: f.maximum(0, 1 - v["u"] @ v["x"] + v["u"] @ v["p"]),
        lambda m: _each(_ones(1) - m["u"].T * m["x"] + m["u"].T * m["p"], lambda z: sp.Max(0, z)),
        lambda t, tg: tg.relu(1 - t["u"] @ t["x"] + t["u"] @ t["p"]),
    ),
    Loss(
        "tanh layer",
        {"loss": r"J = \frac{1}{2} \|h - y\|^2", "define": {"h": r"\tanh(W x + b)"}},
        "W", r"\left(\left(h - y\right) \circ \left(1 - h^2\right)\right) x^\top",
        {"W": "C d", "x": "d", "b": "C", "y": "C"},
        lambda v, f: ((f.tanh(v["W"] @ v["x"] + v["b"]) - v["y"]) ** 2).sum() / 2,
        lambda m: (
            (_each(m["W"] * m["x"] + m["b"], sp.tanh) - m["y"]).T
            * (_each(m["W"] * m["x"] + m["b"], sp.tanh) - m["y"])
        ) / 2,
        lambda t, tg: tg.frobenius2(tg.tanh(t["W"] @ t["x"] + t["b"]) - t["y"]) / 2,
    ),
    Loss(
        "two-layer network",
        {
            "loss": r"J = -y^\top \log \hat{y}",
            "define": {"a": r"\sigma(W x)", r"\hat{y}": r"\operatorname{softmax}(U a)"},
            "names": {r"\delta": r"U^\top (\hat{y} - y) \circ a \circ (1 - a)"},
        },
        "W", r"\delta x^\top", {"W": "h d", "x": "d", "U": "C h", "y": "C"},
        lambda v, f: _softmax_loss(v["y"], v["U"] @ f.sigmoid(v["W"] @ v["x"]), f),
        lambda m: (
            _each(_ones(m.size("C")).T * _each(m["U"] * _each(m["W"] * m["x"], _sigmoid_sp), sp.exp), sp.log)
            - m["y"].T * m["U"] * _each(m["W"] * m["x"], _sigmoid_sp)
        ),
        lambda t, tg: -tg.dot(t["y"], tg.log(tg.softmax(t["U"] @ tg.sigmoid(t["W"] @ t["x"]), dim="C")), dim="C"),
        {"y": "one-hot"},
    ),
)  # fmt: skip
