"""The reverse sweep: closed forms, Jacobians, names, layouts, indexed names, depth; and what it refuses."""

from __future__ import annotations

import pytest

from derive.errors import AuthorError
from derive.expressions.node import Node, count_nodes
from derive.gradient.closed import closed_form, derivative, sweep_for
from derive.gradient.derivation import derivation
from derive.gradient.hessian import hessian
from derive.grading.asking import ask
from derive.numerics import check
from derive.printing.latex import latex
from derive.problem.builder import problem_from
from derive.problem.load import by_identifier, catalogue
from derive.problem.problem import Problem

IDS = sorted(catalogue())


def gradient(problem: Problem, wrt: str, of: str = "", layout: str = "shape") -> str:
    """The printed closed form, after both checks."""
    asked = ask(problem, wrt, of, layout)
    closed = closed_form(problem, asked.of, asked.target, layout)
    assert closed is not None
    assert check.exact(problem, asked.of, asked.target, closed, layout)
    assert check.central(problem, asked.of, asked.target, closed, layout) < 1e-5
    return latex(closed, problem.scope)


def made(
    loss: str, define: dict[str, str] | None = None, names: dict[str, str] | None = None, **symbols: str
) -> Problem:
    """A problem from its parts."""
    return problem_from({"loss": loss, "symbols": symbols, "define": define or {}, "names": names or {}})


TEXTBOOK = [
    (made(r"\frac{1}{2} \|W x - y\|^2", W="C x d", x="d", y="C"), "W", r"\left(W x - y\right) x^\top"),
    (made(r"a^\top X b", a="n", X="n x m", b="m"), "X", r"a b^\top"),
    (made(r"x^\top A x", x="n", A="n x n"), "x", r"\left(A + A^\top\right) x"),
    (made(r"\operatorname{tr}(A X)", A="n x m", X="m x n"), "X", r"A^\top"),
    (made(r"\sum_{i=1}^{n} x_i^2", x="n"), "x", "2 x"),
    (made(r"\sum_{i=1}^{n} x_i^2", x="n"), "x_i", "2 x_i"),
    (made(r"\log \det X", X="n x n"), "X", r"\left(X^{-1}\right)^\top"),
    (made(r"\log(1 + e^{s})", s="scalar"), "s", r"\sigma(s)"),
    (made(r"\log \sum_{k=1}^{n} e^{z_k}", z="n"), "z", r"\operatorname{softmax}(z)"),
    (made(r"\lVert x \rVert", x="n"), "x", r"\frac{1}{\lVert x \rVert} x"),
    (made(r"(x - y)^2 s", x="scalar", y="scalar", s="scalar"), "x", r"2 s \left(x - y\right)"),
    (made(r"a^\top X X^\top a", a="n", X="n x m"), "X", r"2 a a^\top X"),
    (made(r"-\log p_c", {"p": r"\operatorname{softmax}(W x)"}, W="C x d", x="d", c="index 1..C"), "x",
     r"W^\top p - W_{c\cdot}^\top"),
    (made(r"\|E\|_F^2", {"E": "X - U V"}, X="n x m", U="n x k", V="k x m"), "U", r"-2 E V^\top"),
    (made(r"\max(0, \|a - p\|^2 - \|a - n\|^2 + m)", a="d", p="d", n="d", m="scalar"), "p",
     r"2 \mathbb{1}\{\lVert a - p \rVert^2 - \lVert a - n \rVert^2 + m > 0\} \left(p - a\right)"),
    (made(r"\max(0, 1 - s + s_c)", {"h": r"\tanh(W x)", "h_c": r"\tanh(W x_c)", "s": r"u^\top h", "s_c": r"u^\top h_c"},
          u="m", W="m x d", x="d", x_c="d"), "u", r"\mathbb{1}\{1 - s + s_c > 0\} \left(h_c - h\right)"),
    (made(r"\max(-1, \min(1, x))", x="scalar"), "x", r"\mathbb{1}\{x > -1\} \mathbb{1}\{x < 1\}"),
    (made(r"\begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \leq 0 \end{cases}", x="scalar", **{r"\alpha": "scalar"}), "x",
     r"\begin{cases} 1 & x > 0 \\ \alpha \exp(x) & x \leq 0 \end{cases}"),
    (made(r"-p^\top \log p", {"p": r"\operatorname{softmax}(z)"}, z="n"), "z",
     r"\left(p^\top \log p\right) p - p \circ \log p"),
    (made(r"(x - m)^\top S^{-1} (x - m)", x="n", m="n", S="n x n, positive definite"), "x",
     r"2 S^{-1} \left(x - m\right)"),
    (made(r"\log \det(A X B)", A="n x n", X="n x n", B="n x n"), "X", r"\left(X^{-1}\right)^\top"),
    (made(r"-q^\top \log p", {"q": r"(1 - s) y + \frac{s}{K} \mathbf{1}", "p": r"\operatorname{softmax}(z)"},
          z="K", y="K, one-hot", s="scalar"), "z", "p - q"),
    (made(r"\delta^\top a", {r"\mu": r"\frac{1}{n} \mathbf{1}^\top x", "c": r"x - \mu \mathbf{1}",
                             "s": r"\sqrt{\frac{1}{n} c^\top c + \epsilon}", "a": r"\frac{1}{s} c"},
          x="n", **{r"\delta": "n", r"\epsilon": "scalar, positive"}), "x",
     r"\frac{1}{s} \left(\delta - \frac{1}{n} \left(\mathbf{1}^\top \delta\right) \mathbf{1}"
     r" - \frac{1}{n} \left(\delta^\top a\right) a\right)"),
    (made(r"\frac{x^\top A x}{x^\top x}", x="n", A="n x n, symmetric"), "x",
     r"\frac{2}{x^\top x} \left(A x - \frac{x^\top A x}{x^\top x} x\right)"),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "wrt", "form"), TEXTBOOK, ids=[f"{p.loss_text} by {w}" for p, w, _ in TEXTBOOK])
def test_textbook_form(problem: Problem, wrt: str, form: str) -> None:
    assert gradient(problem, wrt) == form


JACOBIANS = [
    (made(r"u^\top z", {"z": "W x + b"}, W="n x m", x="m", b="n", u="n"), "z", "x", "W"),
    (made(r"u^\top z", {"z": "W x + b"}, W="n x m", x="m", b="n", u="n"), "z", "b", "I"),
    (made(r"u^\top h", {"h": "f(z)"}, u="n", z="n", f="elementwise function"), "h", "z", r"\operatorname{diag}(f'(z))"),
    (made(r"u^\top p", {"p": r"\operatorname{softmax}(z)"}, u="n", z="n"), "p", "z",
     r"\operatorname{diag}(p) - p p^\top"),
    (made(r"u^\top p", {"p": r"\operatorname{softmax}(z)"}, u="n", z="n"), "p_i", "z", None),
    (made(r"z v", {"z": "x W"}, W="n x m", x="1 x n", v="m"), "z", "x", r"W^\top"),
    (made(r"u^\top h", {"h": r"\tanh(W x)"}, u="n", W="n x m", x="m"), "h", "x", r"\operatorname{diag}(1 - h^2) W"),
    (made(r"u^\top y", {"h": r"\tanh(V x)", "y": "W h"}, u="n", W="n x k", V="k x m", x="m"), "y", "x",
     r"W \operatorname{diag}(1 - h^2) V"),
    (made(r"u^\top p", {"p": r"\operatorname{softmax}(W x)"}, u="n", W="n x m", x="m"), "p", "x",
     r"\left(\operatorname{diag}(p) - p p^\top\right) W"),
    (made(r"u^\top y", {"y": r"\frac{x}{\|x\|}"}, u="n", x="n"), "y", "x",
     r"\frac{1}{\lVert x \rVert} \left(I - y y^\top\right)"),
    (made(r"u^\top y", {"m": r"\frac{1}{n} \mathbf{1}^\top x", "y": r"x - m \mathbf{1}"}, u="n", x="n"), "y", "x",
     r"I - \frac{1}{n} \mathbf{1} \mathbf{1}^\top"),
    (made(r"u^\top y", {"y": r"x x^\top v"}, u="n", x="n", v="n"), "y", "x",
     r"x v^\top + \left(x^\top v\right) I"),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "of", "wrt", "form"), JACOBIANS)
def test_jacobian(problem: Problem, of: str, wrt: str, form: str | None) -> None:
    found = gradient(problem, wrt, of)
    assert form is None or found == form


HESSIANS = [
    (made(r"-y \log p - (1 - y) \log(1 - p)", {"p": r"\sigma(w^\top x)"}, w="d", x="d", y="scalar"), "w",
     r"p \left(1 - p\right) x x^\top"),
    (made(r"-\sum_{i=1}^n (y_i \log p_i + (1 - y_i) \log(1 - p_i))", {"p": r"\sigma(X w)"}, X="n x d", w="d", y="n"),
     "w", r"X^\top \operatorname{diag}(p \circ \left(1 - p\right)) X"),
    (made(r"\sum_{i=1}^n \log(1 + \exp(-y_i x_i^\top w))", w="d", X="n x d", x_i="row i of X", y="n, sign"), "w",
     r"X^\top \operatorname{diag}(\sigma(y \circ \left(X w\right)) \circ "
     r"\left(1 - \sigma(y \circ \left(X w\right))\right)) X"),
    (made(r"-y^\top \log p", {"p": r"\operatorname{softmax}(W x)"}, W="K x d", x="d", y="K, one-hot"), "x",
     r"W^\top \left(\operatorname{diag}(p) - p p^\top\right) W"),
    (made(r"\frac{1}{2} \|X w - y\|^2 + \frac{c}{2} \|w\|^2", X="n x d", w="d", y="n", c="scalar"), "w",
     r"X^\top X + c I"),
    (made(r"u^\top h", {"h": r"\tanh(W x)"}, u="n", W="n x m", x="m"), "x",
     r"-2 W^\top \operatorname{diag}(u \circ h \circ \left(1 - h^2\right)) W"),
    (made(r"\|x\|", x="n"), "x", r"\frac{1}{\lVert x \rVert} \left(I - \frac{1}{x^\top x} x x^\top\right)"),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "wrt", "form"), HESSIANS, ids=[p.loss_text for p, _, _ in HESSIANS])
def test_hessian_form(problem: Problem, wrt: str, form: str) -> None:
    assert latex(hessian(problem, wrt).closed, problem.scope) == form


def test_numerator_layout_is_the_transpose() -> None:
    problem = by_identifier("softmax-regression")
    assert gradient(problem, "W", layout="numerator") == r"x \delta^\top"
    assert gradient(problem, "x", layout="numerator") == r"\delta^\top W"


@pytest.mark.parametrize("identifier", IDS)
def test_printed_forms_are_read_back_to_the_same_value(identifier: str) -> None:
    problem = by_identifier(identifier)
    for question in problem.questions:
        asked = ask(problem, question.wrt, question.of, question.layout)
        closed = closed_form(problem, asked.of, asked.target, question.layout)
        assert closed is not None
        text = latex(closed, problem.scope)
        back = _read_back(problem, asked.target.free, text, closed)
        assert check.exact(problem, asked.of, asked.target, back, question.layout)
        assert latex(back, problem.scope) == text or back.op == "number"


def _read_back(problem: Problem, free: tuple[tuple[str, object], ...], text: str, like: Node) -> Node:
    from derive.expressions import build as b

    reader = problem.reader()
    for name, over in free:
        reader.bound[name] = b.index(name, None)
        reader.uses[name] = [over]  # type: ignore[list-item]
    node = reader.expression(reader.parse(text))
    if node == b.number(0):
        return b.zeros(like.dims)
    sizes = list(zip(node.dims, like.dims, strict=True))
    return reader.settle(reader.fit(node, b.zeros(like.dims), sizes)[0])


def deep(layers: int) -> Problem:
    """A tanh network of many layers."""
    define = {"h_{1}": r"\tanh(W_{1} x)"}
    define |= {f"h_{{{k}}}": rf"\tanh(W_{{{k}}} h_{{{k - 1}}})" for k in range(2, layers + 1)}
    symbols = {f"W_{{{k}}}": "d x d" for k in range(1, layers + 1)}
    return problem_from(
        {"loss": rf"u^\top h_{{{layers}}}", "symbols": {"x": "d", "u": "d", **symbols}, "define": define}
    )


def test_work_grows_linearly_with_depth() -> None:
    sizes = []
    for layers in (20, 40):
        run = sweep_for(problem := deep(layers), problem.loss_symbol)
        sizes.append(sum(count_nodes(c) for c in run.cotangents.values()) + sum(map(count_nodes, run.own.values())))
    assert sizes[1] < 2.3 * sizes[0], "all cotangents together are written in linear space"


def test_a_deep_network_is_confirmed() -> None:
    problem = deep(6)
    asked = ask(problem, "W_{1}")
    closed = derivative(problem, asked.of, asked.target)
    assert check.exact(problem, asked.of, asked.target, closed)


def test_a_defined_name_holds_what_it_depends_on_fixed() -> None:
    problem = made("a x", {"a": "x^2"}, x="scalar")
    assert gradient(problem, "a") == "x"
    assert gradient(problem, "x") == "3 a", "2 x^2 + a, where x^2 has the name a"


def test_a_loss_that_writes_a_name_out_depends_on_the_name() -> None:
    problem = made(r"u^\top \tanh(W x)", {"z": "W x", "a": r"\tanh(z)"}, u="n", W="n x d", x="d")
    assert gradient(problem, "a") == "u"


def test_what_the_loss_does_not_use_has_gradient_zero() -> None:
    assert gradient(made("s^2", s="scalar", x="d"), "x") == "0"


def test_the_steps_go_from_the_loss_to_the_variable() -> None:
    steps = derivation(by_identifier("softmax-regression"), "W").steps
    assert [s.name for s in steps] == ["J", r"\hat{y}", "z", "W"]
    assert [s.expression for s in steps] == ["1", r"-\frac{y}{\hat{y}}", r"\delta", r"\delta x^\top"]
    assert all(s.words for s in steps)


def test_kinks_are_said() -> None:
    remarks = derivation(by_identifier("max-margin-window")).remarks
    assert any("max has no derivative" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("wrt", "of", "part"), [("W", "z", "vector"), ("q", "", "q is not a symbol"), ("x + y", "", "not a symbol")]
)
def test_refused(wrt: str, of: str, part: str) -> None:
    problem = made("u^\\top z", {"z": "W x"}, W="n x m", x="m", y="m", u="n")
    with pytest.raises(AuthorError, match=part):
        derivation(problem, wrt, of or None)
