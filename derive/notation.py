r"""The notation that is understood, as a document for students, made from the reader's own tables.

Each row of `ROWS` shows spellings that all mean the same; a test reads every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.latex.cleaning import FONTS
from derive.latex.grammar import ACCENTS, ENVIRONMENTS, TRANSPARENT
from derive.latex.tokens import UNICODE
from derive.reading.match import TRANSPOSES
from derive.reading.named_functions import FUNCTIONS
from derive.reading.several import SEVERAL

PROBLEM = {
    "loss": r"J = -y^\top \log \hat{y} + \sum_{k=1}^{K} \sigma(u_k^\top x) + \frac{\lambda}{2} \lVert W \rVert_F^2",
    "symbols": {
        "W": "n x m", "x": "m", "b": "n", "y": "n, one-hot at o", "o": "index 1..n", "u_k": "m, k = 1..K",
        r"\lambda": "scalar, positive", "s": "scalar", "A": "n x n", "B": "n x n", "v": "n",
        "f": "elementwise function", "W_i": "row i of W",
    },
    "define": {"z": "W x + b", r"\hat{y}": r"\operatorname{softmax}(z)", "h^{(1)}": r"\tanh(z)"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """Spellings with one meaning; the first is the plainest."""

    topic: str
    meaning: str
    spellings: tuple[str, ...]


ROWS = (
    Row("Products", "matrix product", (r"W x", r"W \cdot x", r"W \times x", r"W * x", r"W\,x")),
    Row("Products", "outer product", (r"v x^\top", r"v \cdot x^T", r"v \otimes x")),
    Row("Products", "inner product", (r"x^\top u_k", r"x \cdot u_k", r"u_k^T x", r"\sum_{j=1}^{m} x_j u_{kj}")),
    Row("Products", "entry by entry", (r"v \odot b", r"v \circ b", r"\operatorname{diag}(v) b")),
    Row("Products", "quotient entry by entry", (r"\frac{v}{b}", r"v \oslash b", r"v / b")),
    Row("Transposes", "transpose", (r"W^\top v", r"W^T v", r"W^{\mathrm T} v", r"W^{\intercal} v", r"W^t v", r"W' v")),
    Row("Transposes", "in front", (r"v^\top z", r"{}^t v z")),
    Row("Transposes", "with a subscript", (r"u_k^\top x", r"u^\top_k x", r"{u_k}^T x")),
    Row("Transposes", "with a layer index", (r"(h^{(1)})^\top v", r"h^{(1)T} v", r"{h^{(1)}}^\top v")),
    Row("Names", "hats", (r"\hat{y}", r"\hat y", r"\hat{\mathbf{y}}", r"\widehat{y}", r"\boldsymbol{\hat{y}}", "ŷ")),
    Row("Names", "hats with a subscript", (r"\hat{y}_o", r"\hat{y_o}", r"\hat y_o", r"(\hat{y})_o")),
    Row("Names", "fonts, sizes and colours", ("x", r"\mathbf{x}", r"\boldsymbol x", r"\bm{x}", r"\textcolor{red}{x}")),
    Row("Names", "unicode letters and signs", (r"\lambda \cdot v", "λ · v", "λ v")),
    Row("Entries", "entry of a vector", (r"z_j", r"(W x + b)_j", r"(z)_{j}")),
    Row("Entries", "entry of a matrix", (r"W_{ij}", r"W_{i,j}", r"(W)_{ij}", r"w_{ij}")),
    Row("Entries", "row of a matrix", (r"W_{i\cdot} x", r"W_{i:} x", r"W_i^\top x", r"(W x)_i")),
    Row("Entries", "column of a matrix", (r"W_{\cdot j}", r"W_{:j}", r"W_{:,j}")),
    Row("Entries", "unit columns", (r"W_{\cdot 1}", r"W \mathbf{e}_1")),
    Row("Entries", "entries from … to …", (r"x_{1:m}", "x")),
    Row("Functions", "logistic function",
        (r"\sigma(s)", r"\operatorname{sigmoid}(s)", r"\frac{1}{1 + e^{-s}}", "sigmoid(s)")),
    Row("Functions", "exponential", (r"\exp(s)", r"e^s", r"e^{s}", "exp(s)")),
    Row("Functions", "logarithm", (r"\log s", r"\ln(s)", r"\log(s)", "log(s)")),
    Row("Functions", "softmax",
        (r"\operatorname{softmax}(z)", r"\text{softmax}(z)", r"\mathrm{softmax}(z)", "softmax(z)")),
    Row("Functions", "powers of functions", (r"\tanh^2(z)", r"(\tanh(z))^2", r"\tanh(z)^2", r"\tanh^{2} z")),
    Row("Functions", "derivative of a function",
        (r"\sigma'(z)", r"\sigma^{\prime}(z)", r"\sigma(z) \odot (1 - \sigma(z))")),
    Row("Functions", "unspecified functions", (r"f'(z)", r"f^{\prime}(z)", r"(f)'(z)")),
    Row("Functions", "rectifier", (r"\max(0, z)", r"\operatorname{ReLU}(z)", r"\max\{0, z\}", "relu(z)")),
    Row("Functions", "norms", (r"\lVert v \rVert^2", r"\|v\|_2^2", r"||v||^2", r"v^\top v")),
    Row("Functions", "norms with an index", (r"\sum_i |v_i|", r"\lVert v \rVert_1", r"|v|_1")),
    Row("Functions", "largest size", (r"\lVert v \rVert_\infty", r"\max_i |v_i|")),
    Row("Functions", "normal distribution", (r"\Phi(s)", r"\frac{1}{2}(1 + \operatorname{erf}(s / \sqrt{2}))")),
    Row("Functions", "trace, determinant, inverse", (r"\operatorname{tr}(A B)", r"\text{tr}(AB)", "tr(AB)")),
    Row("Sums", "limits", (r"\sum_{k=1}^{K} u_k", r"\sum_{k=1}^K {u_k}", r"\sum_k u_k", r"\sum\limits_{k} u_k")),
    Row("Sums", "conditions",
        (r"\sum_{k \neq 2} u_k", r"\sum_{k=1, k \neq 2}^{K} u_k", r"\sum_{k} u_k \mathbb{1}[k \neq 2]")),
    Row("Sums", "pairs",
        (r"\sum_{i=1}^{n} \sum_{j=i+1}^{n} A_{ij}", r"\sum_{1 \leq i < j \leq n} A_{ij}")),
    Row("Sums", "means", (r"\frac{1}{K} \sum_{k=1}^{K} u_k", r"\mathbb{E}_k[u_k]")),
    Row("Sums", "of all entries", (r"\mathbf{1}^\top v", r"\sum_i v_i", r"\operatorname{sum}(v)")),
    Row("Products and extrema", "over an index", (r"\max_{i} v_i", r"\max(v)", r"\max_{1 \leq i \leq n} v_i")),
    Row("Products and extrema", "with a condition", (r"\prod_{i \neq 1} e^{v_i}", r"\exp(\sum_{i \neq 1} v_i)")),
    Row("Products and extrema", "bounds",
        (r"\operatorname{clip}(v, -1, 1)", r"\max(-1, \min(v, 1))", r"\operatorname{clamp}(v, -1, 1)")),
    Row("Products and extrema", "positive part", (r"\max(0, v)", r"[v]_+", r"(v)_+")),
    Row("Lists", "under each other", (r"\begin{pmatrix} v \\ x \end{pmatrix}", r"[v; x]", r"[v, x]")),
    Row("Lists", "with dots",
        (r"v", r"\begin{pmatrix} v_1 \\ \vdots \\ v_n \end{pmatrix}", r"(v_1, \dots, v_n)^\top")),
    Row("Lists", "diagonal",
        (r"\operatorname{diag}(v)", r"\begin{pmatrix} v_1 & & 0 \\ & \ddots & \\ 0 & & v_n \end{pmatrix}")),
    Row("Indicators", "of an inequality", (r"\mathbb{1}[z > 0]", r"\mathbf{1}\{z > 0\}", r"1(z > 0)", r"[z > 0]")),
    Row("Indicators", "of equal indices", (r"\delta_{ij}", r"\mathbb{1}[i = j]", r"[i = j]", r"\mathbf{1}_{i = j}")),
    Row("Indicators", "cases",
        (r"\begin{cases} s & s > 0 \\ 0 & \text{otherwise} \end{cases}", r"s\, \mathbb{1}[s > 0]")),
    Row("Constants", "vector of ones", (r"\mathbf{1} - v", r"1 - v", r"\mathbf{1}_n - v", r"\bm 1 - v")),
    Row("Constants", "identity", (r"A + I", r"A + \mathbf{I}", r"A + I_n")),
    Row("Constants", "fractions without braces", (r"\frac12 s", r"\frac{1}{2} s", r"\tfrac12 s", r"s/2", "0.5 s")),
)  # fmt: skip


def document() -> str:
    """The document, in Markdown."""
    parts = [_HEAD]
    for topic in dict.fromkeys(row.topic for row in ROWS):
        parts.append(f"## {topic}\n\n| means | is written |\n| --- | --- |")
        for row in ROWS:
            if row.topic == topic:
                spellings = ", ".join(f"`{text}`".replace("|", r"\|") for text in row.spellings)
                parts[-1] += f"\n| {row.meaning} | {spellings} |"
    return "\n\n".join([*parts, _tables(), _TAIL])


def _tables() -> str:
    """What the reader's tables hold."""
    words = sorted(
        {name for name in (*FUNCTIONS, *SEVERAL) if not name.startswith("\\")}, key=lambda name: (name.lower(), name)
    )
    lists = (
        ("Functions, with or without a backslash or `\\operatorname`", words),
        ("Superscripts that transpose", sorted(t for t in TRANSPOSES if "{" not in t)),
        ("Accents that belong to a name", sorted(ACCENTS)),
        ("Fonts that change nothing", sorted(f for f in FONTS if f.startswith((r"\math", r"\text", r"\b")))),
        ("Environments with a meaning", sorted(ENVIRONMENTS)),
        ("Environments that only align", sorted(TRANSPARENT)),
        ("Unicode signs", sorted(UNICODE)),
    )
    texts = (f"{head}: {' '.join(f'`{word}`' for word in items if word.strip())}" for head, items in lists)
    return "\n\n".join(["## Lists", *texts])


_HEAD = """# What the reader understands

An answer is a right-hand side, an equation with its left-hand side in front, or a chain `a = b = c`, also over the
lines of an `aligned`. Everything is read with the shapes that the problem declares. The spellings of one row below
all mean the same; here `W` is n × m, `x` is in R^m, `b` and `v` in R^n, `z = W x + b`, `\\hat{y}` its softmax, `u_k`
a family of vectors in R^m, `s` and `\\lambda` are numbers."""

_TAIL = """## What is not understood

- two columns side by side (`a b`): write `a^\\top b` or `a \\odot b`; with `--policy lenient` equal shapes are
  multiplied entry by entry;
- names that the problem does not declare, unless the answer explains them ("where …");
- `\\let`, `\\write` and the like; macros by `\\newcommand`, `\\def` and `\\DeclareMathOperator` are expanded;
- formulas of more than 20 000 characters or nested more than 60 deep."""


if __name__ == "__main__":
    print(document())
