"""Losses as they stand on slides and in papers, in other people's ways of writing: read, derived, confirmed, lowered and graded.

Each is graded with the textbook's answer and with that answer negated and doubled.
"""

from __future__ import annotations

from typing import Any

import pytest

from derive.gradient.closed import derivative
from derive.grading.asking import ask
from derive.grading.grade import grade
from derive.lowering.lower import lower
from derive.numerics import check
from derive.problem.builder import problem_from

# The problem, and its questions: what is differentiated (the loss if empty), by what, and the answer.
SLIDES: dict[str, tuple[dict[str, Any], list[tuple[str, str, str]]]] = {
    "gelu-phi-def": (
        {"loss": r"L = c^\top (z \odot \Phi(z))", "symbols": {"z": "d", "c": "d"}},
        [
            ("", "z", r"c \odot \left(\Phi(z) + z \odot \phi(z)\right)"),
            ("", "z", r"c \odot \Phi(z) + c \odot z \odot \frac{1}{\sqrt{2\pi}} e^{-z^2/2}"),
        ],
    ),
    "gelu-erf": (
        {
            "loss": r"L = \frac{z}{2}\left(1 + \operatorname{erf}\left(\frac{z}{\sqrt{2}}\right)\right)",
            "symbols": {"z": "scalar"},
        },
        [
            (
                "",
                "z",
                r"\frac{1}{2}\left(1 + \operatorname{erf}\left(\frac{z}{\sqrt{2}}\right)\right) + \frac{z}{\sqrt{2\pi}} e^{-z^2/2}",
            )
        ],
    ),
    "gelu-tanh": (
        {
            "loss": r"L = 0.5 z (1 + \tanh(\sqrt{2/\pi}(z + 0.044715 z^3)))",
            "symbols": {"z": "scalar"},
            "names": {"t": r"\tanh(\sqrt{2/\pi}(z + 0.044715 z^3))"},
        },
        [("", "z", r"0.5 (1+t) + 0.5 z (1 - t^2) \sqrt{2/\pi}(1 + 3 \cdot 0.044715 z^2)")],
    ),
    "gelu-fn": (
        {"loss": r"L = \sum_i \operatorname{GELU}(z_i)", "symbols": {"z": "d"}},
        [("", "z", r"\Phi(z) + z \odot \phi(z)")],
    ),
    "silu-name": (
        {"loss": r"L = \operatorname{SiLU}(z)", "symbols": {"z": "scalar"}},
        [("", "z", r"\sigma(z)(1 + z(1-\sigma(z)))")],
    ),
    "swish": (
        {"loss": r"L = z \sigma(\beta z)", "symbols": {"z": "scalar", r"\beta": "scalar"}},
        [
            ("", "z", r"\sigma(\beta z) + \beta z \sigma(\beta z)(1 - \sigma(\beta z))"),
            ("", r"\beta", r"z^2 \sigma(\beta z)(1-\sigma(\beta z))"),
        ],
    ),
    "mish-ln": (
        {
            "loss": r"L = x\tanh\left(\ln(1+e^x)\right)",
            "symbols": {"x": "scalar"},
            "names": {r"\omega": r"\tanh(\ln(1+e^x))"},
        },
        [("", "x", r"\omega + x \operatorname{sech}^2(\ln(1+e^x)) \sigma(x)")],
    ),
    "elu": (
        {
            "loss": r"L = \sum_i f(z_i)",
            "symbols": {"z": "d", r"\alpha": "scalar, positive"},
            "define": {
                "f(u)": r"\begin{cases} u & \text{if } u > 0 \\ \alpha (e^{u} - 1) & \text{if } u \leq 0 \end{cases}"
            },
        },
        [("", "z_j", r"\begin{cases} 1 & z_j > 0 \\ \alpha e^{z_j} & z_j \le 0 \end{cases}")],
    ),
    "elu-name": (
        {"loss": r"L = \operatorname{ELU}(z)", "symbols": {"z": "scalar"}},
        [("", "z", r"\begin{cases} 1 & z > 0 \\ e^{z} & z \le 0 \end{cases}")],
    ),
    "elu-maxmin": (
        {
            "loss": r"L = \max(0,z) + \min(0, \alpha(e^z - 1))",
            "symbols": {"z": "scalar", r"\alpha": "scalar, positive"},
        },
        [("", "z", r"\begin{cases} 1 & z > 0 \\ \alpha e^{z} & \text{otherwise} \end{cases}")],
    ),
    "selu": (
        {
            "loss": r"L = \lambda \begin{cases} z & z > 0 \\ \alpha e^z - \alpha & z \leq 0\end{cases}",
            "symbols": {"z": "scalar", r"\alpha": "scalar, positive", r"\lambda": "scalar, positive"},
        },
        [
            ("", "z", r"\lambda \begin{cases} 1 & z>0 \\ \alpha e^z & z \le 0\end{cases}"),
            ("", r"\alpha", r"\lambda (e^z - 1) \mathbb{1}[z \leq 0]"),
        ],
    ),
    "hardsigmoid": (
        {"loss": r"L = \operatorname{clip}\left(\frac{z}{6} + \frac12, 0, 1\right)", "symbols": {"z": "scalar"}},
        [("", "z", r"\frac16 \mathbb{1}[-3 < z < 3]")],
    ),
    "hardtanh": (
        {"loss": r"L = v^\top \operatorname{clip}(z, -1, 1)", "symbols": {"z": "d", "v": "d"}},
        [("", "z", r"v \odot \mathbb{1}[|z| < 1]")],
    ),
    "hardtanh-cases": (
        {
            "loss": r"L = \begin{cases} -1 & x < -1 \\ x & -1 \le x \le 1 \\ 1 & x > 1 \end{cases}",
            "symbols": {"x": "scalar"},
        },
        [("", "x", r"\begin{cases} 1 & |x| < 1 \\ 0 & \text{else}\end{cases}")],
    ),
    "relu6": ({"loss": r"L = \min(\max(0,x),6)", "symbols": {"x": "scalar"}}, [("", "x", r"\mathbb{1}[0<x<6]")]),
    "clamp": (
        {"loss": r"L = \operatorname{clamp}(x, a, b)", "symbols": {"x": "scalar", "a": "scalar", "b": "scalar"}},
        [("", "x", r"\mathbf{1}[a < x < b]")],
    ),
    "prelu": (
        {"loss": r"L = c^\top\left(\max(0,z) + a \odot \min(0,z)\right)", "symbols": {"z": "d", "a": "d", "c": "d"}},
        [("", "a", r"c \odot \min(0,z)"), ("", "z", r"c \odot (\mathbb{1}[z > 0] + a \odot \mathbb{1}[z<0])")],
    ),
    "softsign": (
        {"loss": r"L = \sum_i \frac{z_i}{1+|z_i|}", "symbols": {"z": "d"}},
        [("", "z_k", r"\frac{1}{(1+|z_k|)^2}"), ("", "z", r"\frac{1}{(1+|z|)^2}")],
    ),
    "maxout": (
        {
            "loss": r"L = \max_k (w_k^\top x)",
            "symbols": {"w_k": "d, k = 1..K", "x": "d"},
            "names": {"m": r"\max_k (w_k^\top x)"},
        },
        [("", "x", r"\sum_k \mathbb{1}[w_k^\top x = m]\, w_k")],
    ),
    "max-entry": ({"loss": r"L = \max_i x_i", "symbols": {"x": "n"}}, [("", "x_j", r"\mathbb{1}[x_j = \max_i x_i]")]),
    "max-vec": ({"loss": r"L = \max(x)", "symbols": {"x": "n"}}, [("", "x_j", r"\mathbb{1}[x_j = \max_i x_i]")]),
    "inf-norm": (
        {"loss": r"L = \|x\|_\infty", "symbols": {"x": "n"}},
        [("", "x_j", r"\operatorname{sign}(x_j) \mathbb{1}[|x_j| = \|x\|_\infty]")],
    ),
    "min-entry": (
        {"loss": r"L = \min_{1 \le i \le n} x_i", "symbols": {"x": "n"}},
        [("", "x_j", r"\mathbb{1}[x_j = \min_i x_i]")],
    ),
    "probit-act": (
        {"loss": r"L = -y\log\Phi(t) - (1-y)\log(1-\Phi(t))", "symbols": {"t": "scalar", "y": "scalar, binary"}},
        [("", "t", r"-\frac{y\phi(t)}{\Phi(t)} + \frac{(1-y)\phi(t)}{1-\Phi(t)}")],
    ),
    "swiglu": (
        {
            "loss": r"L = u^\top h",
            "symbols": {"W_1": "m x n", "W_2": "m x n", "x": "n", "u": "m"},
            "define": {"a": "W_1 x", "b": "W_2 x", "h": r"\operatorname{SiLU}(a) \odot b"},
        },
        [("", "W_2", r"(u \odot \operatorname{SiLU}(a)) x^\top")],
    ),
    "huber-cases": (
        {
            "loss": r"L = \sum_{i=1}^n \ell(r_i)",
            "symbols": {"X": "n x d", "w": "d", "y": "n", r"\delta": "scalar, positive"},
            "define": {
                "r": "Xw - y",
                r"\ell(e)": r"\begin{cases}\frac12 e^2 & |e| \leq \delta \\ \delta(|e| - \frac12\delta) & \text{otherwise}\end{cases}",
            },
            "names": {"x_i": "X_i"},
        },
        [
            (
                "",
                "w",
                r"\sum_{i=1}^n \begin{cases} r_i x_i & |r_i|\leq\delta\\ \delta \operatorname{sign}(r_i) x_i & |r_i| > \delta\end{cases}",
            ),
            ("", "w", r"X^\top \operatorname{clip}(r,-\delta,\delta)"),
        ],
    ),
    "pseudo-huber": (
        {
            "loss": r"L = \delta^2 \left(\sqrt{1 + (a/\delta)^2} - 1\right)",
            "symbols": {"a": "scalar", r"\delta": "scalar, positive"},
        },
        [("", "a", r"\frac{a}{\sqrt{1+(a/\delta)^2}}")],
    ),
    "quantile": (
        {
            "loss": r"L = \frac1N\sum_{i=1}^N \rho_\tau(y_i - w^\top x_i)",
            "symbols": {"x_i": "d, i = 1..N", "y_i": "scalar, i = 1..N", "w": "d", r"\tau": "scalar, unit interval"},
            "define": {r"\rho_\tau(u)": r"u(\tau - \mathbb{1}[u<0])"},
        },
        [("", "w", r"-\frac1N \sum_{i=1}^N (\tau - \mathbb{1}[y_i < w^\top x_i]) x_i")],
    ),
    "quantile-max": (
        {
            "loss": r"L = \max(\tau r, (\tau - 1) r)",
            "symbols": {"y": "scalar", "q": "scalar", r"\tau": "scalar, unit interval"},
            "define": {"r": "y - q"},
        },
        [("", "q", r"-\tau \mathbb{1}[y > q] + (1-\tau) \mathbb{1}[y<q]")],
    ),
    "focal": (
        {
            "loss": r"FL = -\alpha (1-p_t)^\gamma \log p_t",
            "symbols": {"p_t": "scalar, unit interval", r"\alpha": "scalar, positive", r"\gamma": "scalar, positive"},
        },
        [("", "p_t", r"\alpha(1-p_t)^{\gamma-1}\left(\gamma \log p_t - \frac{1-p_t}{p_t}\right)")],
    ),
    "label-smooth": (
        {
            "loss": r"L = -\sum_{k=1}^K \tilde y_k \log p_k",
            "symbols": {"z": "K", "y": "K, one-hot", r"\epsilon": "scalar, unit interval"},
            "define": {"p": r"\mathrm{softmax}(z)", r"\tilde{y}": r"(1-\epsilon) y + \frac{\epsilon}{K} \mathbf{1}"},
        },
        [("", "z", r"p - \tilde y")],
    ),
    "js": (
        {
            "loss": r"J = \frac12 \sum_i p_i\log\frac{p_i}{m_i} + \frac12\sum_i q_i\log\frac{q_i}{m_i}",
            "symbols": {"p": "n, distribution", "q": "n, distribution"},
            "define": {"m": r"\frac12(p+q)"},
        },
        [("", "q", r"\frac12\log\frac{q}{m}")],
    ),
    "bce-logits": (
        {"loss": r"\ell = \max(z,0) - zy + \log(1+e^{-|z|})", "symbols": {"z": "scalar", "y": "scalar, binary"}},
        [("", "z", r"\sigma(z) - y")],
    ),
    "hinge-multi-i": (
        {
            "loss": r"L = \frac1N\sum_i\sum_{j\ne y_i}\max(0, w_j^Tx_i - w_{y_i}^Tx_i + \Delta) + \lambda \sum_k \|w_k\|^2",
            "symbols": {
                "x_i": "d, i = 1..N",
                "w_j": "d, j = 1..C",
                "y_i": "index 1..C, i = 1..N",
                r"\Delta": "scalar, positive",
                r"\lambda": "scalar, positive",
            },
        },
        [
            (
                "",
                "w_j",
                r"\frac1N\sum_i\left(\mathbb 1[j\ne y_i]\mathbb 1[w_j^Tx_i - w_{y_i}^Tx_i + \Delta>0] - \mathbb 1[j=y_i]\sum_{k\ne j}\mathbb 1[w_k^Tx_i - w_{y_i}^Tx_i + \Delta>0]\right)x_i + 2\lambda w_j",
            )
        ],
    ),
    "crammer-singer": (
        {"loss": r"L = \max(0, 1 + \max_{j \neq y} s_j - s_y)", "symbols": {"s": "C", "y": "index 1..C"}},
        [("", "s_y", r"-\mathbb{1}[1 + \max_{j\ne y}s_j - s_y > 0]")],
    ),
    "hinge-sq": (
        {
            "loss": r"L = \frac{\lambda}{2}\|w\|_2^2 + \sum_{i=1}^n \left[1 - y_i w^\top x_i\right]_+^2",
            "symbols": {
                "w": "d",
                "x_i": "d, i = 1..n",
                "y_i": "scalar, sign, i = 1..n",
                r"\lambda": "scalar, positive",
            },
        },
        [("", "w", r"\lambda w - 2\sum_{i=1}^n \left[1 - y_i w^\top x_i\right]_+ y_i x_i")],
    ),
    "svm-primal": (
        {
            "loss": r"J = \frac12 w^\top w + C\sum_{i=1}^m \max\{0, 1 - y^{(i)}(w^\top x^{(i)} + b)\}",
            "symbols": {
                "w": "n",
                "x^{(i)}": "n, i = 1..m",
                "y^{(i)}": "scalar, sign, i = 1..m",
                "b": "scalar",
                "C": "scalar, positive",
            },
        },
        [
            ("", "w", r"w - C\sum_{i: y^{(i)}(w^\top x^{(i)} + b) < 1} y^{(i)}x^{(i)}"),
            ("", "b", r"-C\sum_{i: y^{(i)}(w^\top x^{(i)} + b) < 1} y^{(i)}"),
        ],
    ),
    "mse-mean": (
        {"loss": r"L = \operatorname{mean}((X w - y)^2)", "symbols": {"X": "n x d", "w": "d", "y": "n"}},
        [("", "w", r"\frac{2}{n}X^\top(Xw-y)")],
    ),
    "mse-E": (
        {
            "loss": r"L = \mathbb{E}_i\left[(x_i^\top w - y_i)^2\right]",
            "symbols": {"x_i": "d, i = 1..n", "y_i": "scalar, i = 1..n", "w": "d"},
        },
        [("", "w", r"\frac{2}{n}\sum_i (x_i^\top w-y_i)x_i")],
    ),
    "tversky": (
        {
            "loss": r"L = 1 - \frac{p^\top g}{p^\top g + \alpha p^\top(1-g) + \beta (1-p)^\top g}",
            "symbols": {
                "p": "n, unit interval",
                "g": "n, binary",
                r"\alpha": "scalar, positive",
                r"\beta": "scalar, positive",
            },
            "names": {"D": r"p^\top g + \alpha p^\top(1-g) + \beta (1-p)^\top g"},
        },
        [("", "p", r"-\frac{g}{D} + \frac{p^\top g}{D^2}(g + \alpha(1-g) - \beta g)")],
    ),
    "ce-temp": (
        {
            "loss": r"L = -\log \frac{\exp(z_o/\tau)}{\sum_{j=1}^{C}\exp(z_j/\tau)}",
            "symbols": {"z": "C", "o": "index 1..C", r"\tau": "scalar, positive"},
        },
        [
            ("", "z_j", r"\frac{1}{\tau}\left(\frac{e^{z_j/\tau}}{\sum_k e^{z_k/\tau}} - \delta_{jo}\right)"),
            ("", r"\tau", r"\frac{1}{\tau^2}\left(z_o - \sum_j \frac{e^{z_j/\tau}}{\sum_k e^{z_k/\tau}} z_j\right)"),
        ],
    ),
    "lse2": (
        {
            "loss": r"L = \operatorname{LSE}(Wx) - w_y^\top x",
            "symbols": {"W": "K x d", "x": "d", "y": "index 1..K", "w_k": "row k of W"},
            "names": {"p": r"\operatorname{softmax}(Wx)"},
        },
        [("", "x", r"W^\top p - w_y"), ("", "w_y", "(p_y - 1)x")],
    ),
    "elastic": (
        {
            "loss": r"J = \lVert y - X\beta\rVert^2 + \lambda_1|\beta|_1 + \lambda_2\lVert\beta\rVert^2_2",
            "symbols": {
                "X": "N x d",
                r"\beta": "d",
                "y": "N",
                r"\lambda_1": "scalar, positive",
                r"\lambda_2": "scalar, positive",
            },
        },
        [("", r"\beta", r"-2X^\top(y-X\beta)+\lambda_1\operatorname{sgn}(\beta)+2\lambda_2\beta")],
    ),
    "mc-trk": (
        {"loss": r"f = \operatorname{tr}(A X^3)", "symbols": {"X": "n x n", "A": "n x n"}},
        [("", "X", "(X^2A + XAX + AX^2)^T")],
    ),
    "mc-det": (
        {"loss": r"f = \det(AXB)", "symbols": {"A": "n x n", "X": "n x n", "B": "n x n"}},
        [("", "X", r"\det(AXB)X^{-T}")],
    ),
    "mc-logdet2": ({"loss": r"f = \log\det(X)", "symbols": {"X": "n x n"}}, [("", "X", r"X^{-\top}")]),
    "mc-inner": ({"loss": r"f = \langle A, X\rangle", "symbols": {"A": "m x n", "X": "m x n"}}, [("", "X", "A")]),
    "mc-innerF": (
        {"loss": r"f = \langle A, X B\rangle_F", "symbols": {"A": "m x n", "X": "m x k", "B": "k x n"}},
        [("", "X", "AB^T")],
    ),
    "gauss-nll": (
        {
            "loss": r"\ell = \frac{N}{2}\log|\Sigma| + \frac12\sum_{n=1}^N (x_n-\mu)^\top\Sigma^{-1}(x_n-\mu)",
            "symbols": {r"\Sigma": "d x d, positive definite", r"\mu": "d", "x_n": "d, n = 1..N"},
        },
        [
            ("", r"\mu", r"-\Sigma^{-1}\sum_{n=1}^N (x_n-\mu)"),
            (
                "",
                r"\Sigma",
                r"\frac{N}{2}\Sigma^{-1} - \frac12\Sigma^{-1}\left(\sum_n(x_n-\mu)(x_n-\mu)^\top\right)\Sigma^{-1}",
            ),
        ],
    ),
    "gmm": (
        {
            "loss": r"L = -\sum_{n=1}^N \log \sum_{k=1}^K \pi_k \exp\left(-\frac12\|x_n-\mu_k\|^2\right)",
            "symbols": {"x_n": "d, n = 1..N", r"\mu_k": "d, k = 1..K", r"\pi": "K, distribution"},
        },
        [
            (
                "",
                r"\mu_k",
                r"-\sum_{n=1}^N \frac{\pi_k e^{-\frac12\|x_n-\mu_k\|^2}}{\sum_{j}\pi_j e^{-\frac12\|x_n-\mu_j\|^2}} (x_n-\mu_k)",
            )
        ],
    ),
    "kernel-ridge": (
        {
            "loss": r"J = \|y - K\alpha\|^2+\lambda\alpha^\top K\alpha",
            "symbols": {"K": "n x n, symmetric", r"\alpha": "n", "y": "n", r"\lambda": "scalar, positive"},
        },
        [("", r"\alpha", r"-2K(y-K\alpha)+2\lambda K\alpha")],
    ),
    "tikhonov-D": (
        {"loss": r"J = \sum_{i=1}^{n-1}(x_{i+1}-x_i)^2", "symbols": {"x": "n"}},
        [("", "x_1", "2(x_1-x_2)")],
    ),
    "poly-sum": (
        {
            "loss": r"E = \frac12\sum_{n=1}^N\left(\sum_{j=0}^M w_j x_n^j-t_n\right)^2",
            "symbols": {"w_j": "scalar, j = 0..M", "x_n": "scalar, n = 1..N", "t_n": "scalar, n = 1..N"},
        },
        [("", "w_i", r"\sum_{n=1}^N\left(\sum_{j=0}^M w_j x_n^j-t_n\right)x_n^i")],
    ),
    "french": (
        {"loss": "f = {}^tx A x", "symbols": {"x": "n", "A": "n x n"}},
        [("", "x", "(A + {}^tA)x"), ("", "A", r"x\,{}^t x")],
    ),
    "gp-nll": (
        {
            "loss": r"L = \frac12 y^\top K^{-1}y+\frac12\log|K|",
            "symbols": {"y": "n", "S": "n x n, positive definite", r"\sigma": "scalar, positive"},
            "define": {"K": r"S + \sigma^2 I"},
        },
        [("", r"\sigma", r"\sigma\left(\operatorname{tr}(K^{-1}) - y^\top K^{-1}K^{-1}y\right)")],
    ),
    "sum-lt": ({"loss": r"L = \sum_{i<j}(x_i-x_j)^2", "symbols": {"x": "n"}}, [("", "x_k", r"2\sum_{j}(x_k-x_j)")]),
    "sum-1lt": (
        {"loss": r"L = \sum_{1\le i<j\le n}\log(1+e^{-(s_i-s_j)})", "symbols": {"s": "n"}},
        [("", "s_k", r"-\sum_{j>k}\sigma(s_j-s_k)+\sum_{i<k}\sigma(s_k-s_i)")],
    ),
    "sum-neij": (
        {"loss": r"L = \sum_{i\ne j}A_{ij}x_ix_j", "symbols": {"A": "n x n", "x": "n"}},
        [("", "x_k", r"\sum_{j\ne k}(A_{kj}+A_{jk})x_j")],
    ),
    "sum-pair": (
        {"loss": r"L = \sum_{(i,j)}A_{ij}x_iy_j", "symbols": {"A": "n x m", "x": "n", "y": "m"}},
        [("", "x", "Ay")],
    ),
    "sum-i-jneqi": (
        {
            "loss": r"L = \sum_{i=1}^{N}\sum_{j\neq i}\frac{1}{2}w_{ij}(x_i-x_j)^2",
            "symbols": {"w": "N x N, symmetric", "x": "N"},
        },
        [("", "x_k", r"2\sum_{j\neq k}w_{kj}(x_k-x_j)")],
    ),
    "sum-i-jgti": (
        {"loss": r"L = \sum_{i=1}^{N}\sum_{j=i+1}^{N} x_ix_j", "symbols": {"x": "N"}},
        [("", "x_k", r"\sum_{j\neq k}x_j")],
    ),
    "sum-ltN": (
        {"loss": r"L = \sum_{i=1}^{N}\sum_{j>i} x_ix_j", "symbols": {"x": "N"}},
        [("", "x_k", r"\sum_{j\neq k}x_j")],
    ),
    "prod-i": (
        {"loss": r"L = \prod_{i=1}^n x_i", "symbols": {"x": "n, positive"}},
        [("", "x_k", r"\prod_{i\neq k}x_i"), ("", "x_k", r"\frac{1}{x_k}\prod_i x_i")],
    ),
    "prod-lik": (
        {
            "loss": r"L = -\log\prod_{i=1}^n p_i^{y_i}(1-p_i)^{1-y_i}",
            "symbols": {"p": "n, unit interval", "y": "n, binary"},
        },
        [("", "p_i", r"-\frac{y_i}{p_i}+\frac{1-y_i}{1-p_i}")],
    ),
    "prod-sgn": (
        {
            "loss": r"L = -\log\prod_{n=1}^N \sigma(y_n w^\top x_n)",
            "symbols": {"x_n": "d, n = 1..N", "y_n": "scalar, sign, n = 1..N", "w": "d"},
        },
        [("", "w", r"-\sum_n(1-\sigma(y_nw^\top x_n))y_nx_n")],
    ),
    "prod-neg-ctx": (
        {
            "loss": r"J = -\log\prod_{j=-m, j\ne0}^{m} P_j",
            "symbols": {"u_j": r"d, j = -m..m, j \neq 0", "v": "d"},
            "define": {"P_j": r"\sigma(u_j^\top v)"},
        },
        [("", "v", r"-\sum_{j=-m,j\neq0}^m(1-P_j)u_j")],
    ),
    "sum-omega": (
        {
            "loss": r"L = \sum_{(i,j)\in\Omega}(M_{ij}-u_i^\top v_j)^2",
            "symbols": {"M": "m x n", "u_i": "k, i = 1..m", "v_j": "k, j = 1..n"},
        },
        [("", "u_i", r"-2\sum_j(M_{ij}-u_i^\top v_j)v_j")],
    ),
    "sum-mask": (
        {
            "loss": r"L = \|M\odot(X-UV^\top)\|_F^2",
            "symbols": {"M": "m x n, binary", "X": "m x n", "U": "m x k", "V": "n x k"},
        },
        [("", "U", r"-2(M\odot(X-UV^\top))V"), ("", "V", r"-2(M\circ(X-UV^\top))^\top U")],
    ),
    "mean-bar": (
        {
            "loss": r"L = \frac12\sum_{i=1}^{n}(x_i-\bar x)^2",
            "symbols": {"x": "n"},
            "define": {r"\bar{x}": r"\frac1n\sum_{i=1}^n x_i"},
        },
        [("", "x_j", r"x_j-\bar x")],
    ),
    "var-name": (
        {"loss": r"L = \operatorname{Var}(x)", "symbols": {"x": "n"}},
        [("", "x", r"\frac2n\left(x-\operatorname{mean}(x)\mathbf 1\right)")],
    ),
    "std-name": (
        {"loss": r"L = \operatorname{std}(x)", "symbols": {"x": "n"}},
        [("", "x", r"\frac{1}{nL}(x-\operatorname{mean}(x)\mathbf 1)")],
    ),
    "lp-norm": (
        {"loss": r"L = \|x\|_p^p", "symbols": {"x": "n, positive", "p": "scalar, positive"}},
        [("", "x", r"p\, x^{p-1}")],
    ),
    "l3-norm": ({"loss": r"L = \|x\|_3", "symbols": {"x": "n, positive"}}, [("", "x", r"\frac{x^2}{\|x\|_3^2}")]),
    "sum-nolimits": (
        {"loss": r"L = \sum (y - \hat{y})^2", "symbols": {"y": "n", r"\hat{y}": "n"}},
        [("", r"\hat{y}", r"2(\hat y - y)")],
    ),
    "emb-mean": (
        {
            "loss": r"L = \frac12\left\|\frac1T\sum_{t=1}^T e_{w_t}-y\right\|^2",
            "symbols": {"e_w": "d, w = 1..V", "w_t": "index 1..V, t = 1..T", "y": "d"},
        },
        [("", "e_w", r"\frac1T\sum_{t=1}^T\mathbb 1[w_t=w]\left(\frac1T\sum_{s}e_{w_s}-y\right)")],
    ),
    "emb-gather": (
        {
            "loss": r"L = \frac12\|W E_{:,k} - y\|^2",
            "symbols": {"E": "d x V", "k": "index 1..V", "W": "m x d", "y": "m"},
        },
        [("", "E_{:,k}", r"W^\top(WE_{:,k}-y)")],
    ),
    "emb-rowsum": (
        {
            "loss": r"L = \sum_{t=1}^{T} a^\top E[w_t]",
            "symbols": {"E": "V x d", "w_t": "index 1..V, t = 1..T", "a": "d"},
        },
        [("", r"E_{v\cdot}", r"\sum_t\mathbb{1}[w_t=v]a^\top")],
    ),
    "glove": (
        {
            "loss": r"J = \frac12\sum_{i,j=1}^V f(X_{ij})(w_i^\top\tilde w_j+b_i+\tilde b_j-\log X_{ij})^2",
            "symbols": {
                "X": "V x V, positive",
                "w_i": "d, i = 1..V",
                r"\tilde{w}_j": "d, j = 1..V",
                "b_i": "scalar, i = 1..V",
                r"\tilde{b}_j": "scalar, j = 1..V",
                "f": "elementwise function",
            },
        },
        [
            ("", "w_i", r"\sum_{j}f(X_{ij})(w_i^\top\tilde w_j+b_i+\tilde b_j-\log X_{ij})\tilde w_j"),
            ("", r"\tilde{b}_j", r"\sum_if(X_{ij})(w_i^\top\tilde w_j+b_i+\tilde b_j-\log X_{ij})"),
        ],
    ),
    "glove-cases": (
        {
            "loss": r"J = \sum_{i=1}^{V}\sum_{j=1}^{V} f(X_{ij})(w_i^\top\tilde w_j - \log X_{ij})^2",
            "symbols": {
                "X": "V x V, positive",
                "w_i": "d, i = 1..V",
                r"\tilde{w}_j": "d, j = 1..V",
                r"\alpha": "scalar, positive",
                r"x_{\max}": "scalar, positive",
            },
            "define": {
                "f(x)": r"\begin{cases}(x/x_{\max})^\alpha & \text{if } x<x_{\max}\\ 1 & \text{otherwise}\end{cases}"
            },
        },
        [("", "w_i", r"2\sum_{j}f(X_{ij})(w_i^\top\tilde w_j-\log X_{ij})\tilde w_j")],
    ),
    "sgns": (
        {
            "loss": r"J = -\log\sigma(u_o^\top v_c)-\sum_{s=1}^K\log\sigma(-u_{w_s}^\top v_c)",
            "symbols": {"u_w": "d, w = 1..V", "v_c": "d", "o": "index 1..V", "w_s": "index 1..V, s = 1..K"},
        },
        [("", "v_c", r"(\sigma(u_o^\top v_c)-1)u_o+\sum_s\sigma(u_{w_s}^\top v_c)u_{w_s}")],
    ),
    "fasttext": (
        {
            "loss": r"J = \log(1+e^{-s_{pos}})+\log(1+e^{s_{neg}})",
            "symbols": {"z_g": "d, g = 1..G", "v": "d", "n": "d"},
            "define": {"s_{pos}": r"\sum_{g=1}^G z_g^\top v", "s_{neg}": r"\sum_{g=1}^G z_g^\top n"},
        },
        [("", "z_g", r"-\sigma(-s_{pos})v+\sigma(s_{neg})n")],
    ),
    "moe": (
        {
            "loss": r"L = \frac12\left\|\sum_{k=1}^K g_kE_kx-y\right\|^2",
            "symbols": {"E_k": "m x n, k = 1..K", "G": "K x n", "x": "n", "y": "m"},
            "define": {"g": r"\operatorname{softmax}(Gx)"},
        },
        [("", "E_k", r"g_k\left(\sum_jg_jE_jx-y\right)x^\top")],
    ),
    "column-vdots": (
        {
            "loss": r"L = w^\top\begin{pmatrix}x_1\\ \vdots\\ x_n\end{pmatrix}",
            "symbols": {"w": "n", "x_i": "scalar, i = 1..n"},
        },
        [("", "w", r"\begin{pmatrix}x_1\\x_2\\ \vdots\\ x_n\end{pmatrix}")],
    ),
    "column-vdots2": (
        {"loss": r"L = \sum_{i=1}^n x_i^2", "symbols": {"x": "n"}},
        [
            ("", "x", r"\begin{bmatrix}2x_1\\ \vdots\\ 2x_n\end{bmatrix}"),
            ("", "x", r"(2x_1,\dots,2x_n)^\top"),
            ("", "x", r"2\,[x_1,\ldots,x_n]^T"),
        ],
    ),
    "jac-ddots": (
        {"loss": r"L = \sum_i \sigma(z_i)", "symbols": {"z": "n"}, "define": {"s": r"\sigma(z)"}},
        [
            ("s", "z", r"\begin{pmatrix}s_1(1-s_1) & & 0\\ & \ddots & \\ 0 & & s_n(1-s_n)\end{pmatrix}"),
            (
                "s",
                "z",
                r"\begin{bmatrix}\sigma'(z_1)&\cdots&0\\ \vdots&\ddots&\vdots\\0&\cdots&\sigma'(z_n)\end{bmatrix}",
            ),
        ],
    ),
    "eval-at": (
        {"loss": "L = f(z)", "symbols": {"z": "scalar", "f": "elementwise function"}},
        [("", "z", "f'(z)"), ("", "z", r"\left.\frac{\partial f(u)}{\partial u}\right|_{u=z}")],
    ),
    "ln-sums": (
        {
            "loss": r"L = \sum_i c_i\hat x_i",
            "symbols": {"x": "d", "c": "d"},
            "define": {
                r"\mu": r"\frac1d\sum_{i=1}^dx_i",
                r"\sigma": r"\sqrt{\frac1d\sum_{i=1}^d(x_i-\mu)^2}",
                r"\hat{x}": r"\frac{x-\mu}{\sigma}",
            },
        },
        [("", "x", r"\frac{1}{\sigma}\left(c-\frac1d\mathbf 1\mathbf 1^\top c-\frac1d\hat x\hat x^\top c\right)")],
    ),
    "ln-eps": (
        {
            "loss": r"L = c^\top y",
            "symbols": {"x": "d", "c": "d", r"\gamma": "d", r"\beta": "d", r"\epsilon": "scalar, positive"},
            "define": {
                r"\mu": r"\frac1d\sum_{i=1}^d x_i",
                r"\sigma^2": r"\frac1d\sum_{i=1}^d(x_i-\mu)^2",
                r"\hat{x}": r"\frac{x-\mu}{\sqrt{\sigma^2+\epsilon}}",
                "y": r"\gamma\odot\hat x+\beta",
            },
            "names": {"g": r"\gamma\odot c"},
        },
        [
            ("", r"\gamma", r"c\odot\hat x"),
            ("", r"\beta", "c"),
            (
                "",
                "x",
                r"\frac{1}{\sqrt{\sigma^2+\epsilon}}\left(g-\frac1d\mathbf 1\mathbf 1^\top g-\frac1d\hat x\hat x^\top g\right)",
            ),
        ],
    ),
    "bn-index": (
        {
            "loss": r"L = \sum_{i=1}^m g_iy_i",
            "symbols": {"x": "m", "g": "m", r"\gamma": "scalar", r"\beta": "scalar", r"\epsilon": "scalar, positive"},
            "define": {
                r"\mu_B": r"\frac1m\sum_{i=1}^mx_i",
                r"\sigma_B^2": r"\frac1m\sum_{i=1}^m(x_i-\mu_B)^2",
                r"\hat{x}_i": r"\frac{x_i-\mu_B}{\sqrt{\sigma_B^2+\epsilon}}",
                "y_i": r"\gamma\hat x_i+\beta",
            },
        },
        [
            ("", r"\gamma", r"\sum_ig_i\hat x_i"),
            ("", r"\beta", r"\sum_{i=1}^mg_i"),
            ("", r"\sigma_B^2", r"-\frac12\gamma\sum_ig_i(x_i-\mu_B)(\sigma_B^2+\epsilon)^{-3/2}"),
            (
                "",
                "x_i",
                r"\frac{\gamma}{\sqrt{\sigma_B^2+\epsilon}}\left(g_i-\frac1m\sum_jg_j-\frac{\hat x_i}{m}\sum_jg_j\hat x_j\right)",
            ),
        ],
    ),
    "rms": (
        {
            "loss": r"L = c^\top\left(\frac{x}{\operatorname{RMS}(x)}\odot g\right)",
            "symbols": {"x": "d", "c": "d", "g": "d"},
            "define": {r"\operatorname{RMS}(x)": r"\sqrt{\frac1d\sum_{i=1}^dx_i^2}"},
        },
        [("", "g", r"c\odot\frac{x}{\operatorname{RMS}(x)}")],
    ),
    "l2n": (
        {"loss": r"L = c^\top\frac{x}{\|x\|_2}", "symbols": {"x": "d", "c": "d"}},
        [("", "x", r"\frac{1}{\|x\|}\left(I-\frac{xx^\top}{\|x\|^2}\right)c")],
    ),
    "attn": (
        {
            "loss": r"L = \operatorname{tr}(G^\top O)",
            "symbols": {"Q": "n x d", "K": "m x d", "V": "m x p", "G": "n x p"},
            "define": {"A": r"\operatorname{softmax}\left(\frac{QK^\top}{\sqrt d}\right)", "O": "AV"},
        },
        [
            ("", "V", r"A^\top G"),
            ("", "Q", r"\frac{1}{\sqrt d}\left(A\odot(GV^\top-((A\odot GV^\top)\mathbf 1)\mathbf 1^\top)\right)K"),
        ],
    ),
    "attn-mh": (
        {
            "loss": r"L = \frac12\|[H_1,H_2]W_O-Y\|_F^2",
            "symbols": {
                "X": "n x d",
                "W_O": "2 p x d",
                "A_1": "n x n",
                "A_2": "n x n",
                "V_1": "d x p",
                "V_2": "d x p",
                "Y": "n x d",
            },
            "define": {"H_1": "A_1XV_1", "H_2": "A_2XV_2"},
        },
        [("", "W_O", r"[H_1,H_2]^\top([H_1,H_2]W_O-Y)")],
    ),
    "attn-mh-concat": (
        {
            "loss": r"L = \frac12\|\operatorname{Concat}(H_1,H_2)W_O-Y\|_F^2",
            "symbols": {
                "X": "n x d",
                "W_O": "2 p x d",
                "A_1": "n x n",
                "A_2": "n x n",
                "V_1": "d x p",
                "V_2": "d x p",
                "Y": "n x d",
            },
            "define": {"H_1": "A_1XV_1", "H_2": "A_2XV_2"},
        },
        [("", "W_O", r"\operatorname{Concat}(H_1,H_2)^\top(\operatorname{Concat}(H_1,H_2)W_O-Y)")],
    ),
    "attn-softmax-i": (
        {
            "loss": r"L = g^\top\sum_{i=1}^n\alpha_ih_i",
            "symbols": {"g": "d", "q": "d", "h_i": "d, i = 1..n"},
            "define": {"e_i": r"q^\top h_i", r"\alpha_i": r"\operatorname{softmax}_i(e_i)"},
        },
        [("", "q", r"\sum_i\alpha_i(g^\top h_i-L)h_i")],
    ),
    "attn-softmax-e": (
        {
            "loss": r"L = g^\top\sum_{i=1}^n\alpha_ih_i",
            "symbols": {"g": "d", "q": "d", "h_i": "d, i = 1..n"},
            "define": {
                "e": r"\begin{pmatrix}q^\top h_1\\ \vdots\\ q^\top h_n\end{pmatrix}",
                r"\alpha": r"\operatorname{softmax}(e)",
            },
        },
        [("", "q", r"\sum_i\alpha_i(g^\top h_i-L)h_i")],
    ),
    "attn-rowsum": (
        {
            "loss": r"L = \sum_{i=1}^n\sum_{j=1}^nS_{ij}A_{ij}",
            "symbols": {"S": "n x n", "Z": "n x n"},
            "define": {"A_{ij}": r"\frac{\exp(Z_{ij})}{\sum_{k=1}^n\exp(Z_{ik})}"},
        },
        [("", "Z_{ij}", r"A_{ij}(S_{ij}-\sum_kA_{ik}S_{ik})")],
    ),
    "causal": (
        {"loss": r"L = \sum_{i=1}^n\sum_{j\le i}a_{ij}v_j", "symbols": {"a": "n x n", "v": "n"}},
        [("", "v_k", r"\sum_{i\ge k}a_{ik}")],
    ),
    "concat-oplus": ({"loss": r"L = w^\top[x;y]", "symbols": {"w": "n + m", "x": "n", "y": "m"}}, [("", "w", "[x;y]")]),
    "conv1d": (
        {
            "loss": r"L = \sum_{i=1}^{n}g_i y_i",
            "symbols": {"w": "k", "x": "n + k", "g": "n"},
            "define": {"y_i": r"\sum_{j=1}^{k}w_jx_{i+j}"},
        },
        [("", "w_j", r"\sum_{i=1}^ng_ix_{i+j}")],
    ),
    "conv-2d": (
        {
            "loss": r"L = \sum_{i=1}^{H}\sum_{j=1}^{W}G_{ij}\sum_{m=1}^{K}\sum_{n=1}^{K}X_{i+m,j+n}F_{mn}",
            "symbols": {"X": "H + K x W + K", "F": "K x K", "G": "H x W"},
        },
        [("", "F_{mn}", r"\sum_{i=1}^{H}\sum_{j=1}^{W}G_{ij}X_{i+m,j+n}")],
    ),
    "triplet-plus": (
        {
            "loss": r"L = \left[d(a,p)-d(a,n)+m\right]_+",
            "symbols": {"a": "k", "p": "k", "n": "k", "m": "scalar, positive"},
            "define": {"d(u,v)": r"\|u-v\|_2"},
        },
        [("", "p", r"\mathbb{1}[\|a-p\|-\|a-n\|+m>0]\frac{p-a}{\|a-p\|}")],
    ),
    "triplet-h": (
        {"loss": r"L = (\|a-p\|^2-\|a-n\|^2+m)_+", "symbols": {"a": "k", "p": "k", "n": "k", "m": "scalar, positive"}},
        [("", "n", r"2(a-n)\mathbb 1(\|a-p\|^2-\|a-n\|^2+m>0)")],
    ),
    "infonce": (
        {
            "loss": r"L = -\log\frac{\exp(q\cdot k_+/\tau)}{\sum_{i=0}^K\exp(q\cdot k_i/\tau)}",
            "symbols": {"q": "d", "k_i": "d, i = 0..K", "k_+": "d", r"\tau": "scalar, positive"},
        },
        [
            (
                "",
                "q",
                r"\frac1\tau\left(\sum_{i=0}^K\frac{\exp(q\cdot k_i/\tau)}{\sum_{j=0}^K\exp(q\cdot k_j/\tau)}k_i-k_+\right)",
            )
        ],
    ),
    "bt": (
        {"loss": r"L = -\sum_{(w,l)}\log\sigma(r_w-r_l)", "symbols": {"r": "n"}},
        [("", "r_k", r"-\sum_l\sigma(r_l-r_k)+\sum_w\sigma(r_k-r_w)")],
    ),
    "arcface": (
        {
            "loss": r"L = -\log\frac{e^{s\cos(\theta_y+m)}}{e^{s\cos(\theta_y+m)}+\sum_{j\ne y}e^{s\cos\theta_j}}",
            "symbols": {r"\theta": "n", "y": "index 1..n", "s": "scalar, positive", "m": "scalar, positive"},
            "names": {"p": r"\frac{e^{s\cos(\theta_y+m)}}{e^{s\cos(\theta_y+m)}+\sum_{j\ne y}e^{s\cos\theta_j}}"},
        },
        [("", r"\theta_y", r"s(1-p)\sin(\theta_y+m)")],
    ),
    "center-loss": (
        {
            "loss": r"L = \frac12\sum_{i=1}^m\|x_i-c_{y_i}\|_2^2",
            "symbols": {"x_i": "d, i = 1..m", "c_j": "d, j = 1..n", "y_i": "index 1..n, i = 1..m"},
        },
        [("", "c_j", r"\sum_{i=1}^m\mathbb 1(y_i=j)(c_j-x_i)"), ("", "x_i", "x_i-c_{y_i}")],
    ),
    "svdpp2": (
        {
            "loss": r"L = \sum_{u=1}^m\sum_{i=1}^n\omega_{ui}(r_{ui}-\mu-b_u-c_i-p_u^\top q_i)^2",
            "symbols": {
                "r": "m x n",
                r"\omega": "m x n, binary",
                r"\mu": "scalar",
                "b_u": "scalar, u = 1..m",
                "c_i": "scalar, i = 1..n",
                "p_u": "k, u = 1..m",
                "q_i": "k, i = 1..n",
            },
            "names": {"e_{ui}": r"r_{ui}-\mu-b_u-c_i-p_u^\top q_i"},
        },
        [("", "q_i", r"-2\sum_u\omega_{ui}e_{ui}p_u"), ("", "b_u", r"-2\sum_i\omega_{ui}e_{ui}")],
    ),
    "fm": (
        {
            "loss": r"\hat y = w_0+\sum_{i=1}^nw_ix_i+\sum_{i=1}^n\sum_{j=i+1}^n\langle v_i,v_j\rangle x_ix_j",
            "symbols": {"w_0": "scalar", "w": "n", "x": "n", "v_i": "k, i = 1..n"},
        },
        [("", "w", "x"), ("", "v_i", r"x_i\sum_{j\neq i}x_jv_j")],
    ),
    "transe": (
        {
            "loss": r"L = \sum_{n=1}^N\left[\gamma+\|h+r-t\|^2-\|h_n+r-t_n\|^2\right]_+",
            "symbols": {
                "h": "d",
                "r": "d",
                "t": "d",
                "h_n": "d, n = 1..N",
                "t_n": "d, n = 1..N",
                r"\gamma": "scalar, positive",
            },
        },
        [("", "h", r"2\sum_n\mathbb 1[\gamma+\|h+r-t\|^2-\|h_n+r-t_n\|^2>0](h+r-t)")],
    ),
    "distmult-tri": (
        {"loss": r"\phi = \langle h,r,t\rangle", "symbols": {"h": "d", "r": "d", "t": "d"}},
        [("", "r", r"h\odot t")],
    ),
    "crf-mat": (
        {"loss": r"L = \log\sum_{s,t}\exp(a_s+b_t+T_{st})", "symbols": {"a": "K", "b": "K", "T": "K x K"}},
        [("", "T_{ij}", r"\frac{\exp(a_i+b_j+T_{ij})}{\sum_{s,t}\exp(a_s+b_t+T_{st})}")],
    ),
    "reinforce": (
        {
            "loss": r"J = -\sum_{t=1}^TG_t\log\pi_{t}",
            "symbols": {"z_t": "K, t = 1..T", "G_t": "scalar, t = 1..T", "a_t": "index 1..K, t = 1..T"},
            "define": {"p_t": r"\operatorname{softmax}(z_t)", r"\pi_t": "(p_t)_{a_t}"},
        },
        [("", "z_t", r"G_t(p_t-\mathbf e_{a_t})")],
    ),
    "dqn": (
        {
            "loss": r"L = \left(r+\gamma\max_{a}q_a-Q_k\right)^2",
            "symbols": {"r": "scalar", r"\gamma": "scalar", "q": "A", "Q": "A", "k": "index 1..A"},
        },
        [("", "Q_k", r"-2\left(r+\gamma\max_aq_a-Q_k\right)")],
    ),
    "vae-kl": (
        {
            "loss": r"D = -\frac12\sum_{j=1}^J\left(1+\log\sigma_j^2-\mu_j^2-\sigma_j^2\right)",
            "symbols": {r"\mu": "J", r"\sigma": "J, positive"},
        },
        [("", r"\mu", r"\mu"), ("", r"\sigma", r"\sigma-\frac1\sigma"), ("", r"\sigma_j", r"\sigma_j-\sigma_j^{-1}")],
    ),
    "gan": (
        {
            "loss": r"L = -\frac1m\sum_{i=1}^m\left[\log D(x_i)+\log(1-D(g_i))\right]",
            "symbols": {"x_i": "d, i = 1..m", "g_i": "d, i = 1..m", "w": "d"},
            "define": {"D(x)": r"\sigma(w^\top x)"},
        },
        [("", "w", r"-\frac1m\sum_i\left[(1-D(x_i))x_i-D(g_i)g_i\right]")],
    ),
    "flow": (
        {"loss": r"L = \frac12\|z\|^2-\log|\det W|", "symbols": {"W": "d x d", "x": "d"}, "define": {"z": "Wx"}},
        [("", "W", r"zx^\top-W^{-\top}")],
    ),
    "hopfield": (
        {
            "loss": r"E = -\frac12\sum_{i\neq j}w_{ij}s_is_j+\sum_i\theta_is_i",
            "symbols": {"w": "n x n, symmetric", "s": "n", r"\theta": "n"},
        },
        [("", "s_k", r"-\sum_{j\ne k}w_{kj}s_j+\theta_k")],
    ),
    "geo-mean": (
        {"loss": r"L = \left(\prod_{i=1}^nx_i\right)^{1/n}", "symbols": {"x": "n, positive"}},
        [("", "x_k", r"\frac{L}{nx_k}")],
    ),
    "smoothmax": (
        {
            "loss": r"L = \frac1\beta\log\frac1n\sum_{i=1}^ne^{\beta x_i}",
            "symbols": {"x": "n", r"\beta": "scalar, positive"},
        },
        [("", "x_k", r"\frac{e^{\beta x_k}}{\sum_ie^{\beta x_i}}")],
    ),
    "sparsemax-like": (
        {"loss": r"L = \frac12\|[z-\tau]_+\|^2", "symbols": {"z": "n", r"\tau": "scalar"}},
        [("", "z", r"[z-\tau]_+"), ("", r"\tau", r"-\mathbf 1^\top\max(0,z-\tau)")],
    ),
    "relu-plus": (
        {"loss": r"L = c^\top(Wx)_+", "symbols": {"c": "m", "W": "m x n", "x": "n"}},
        [("", "W", r"(c\odot\mathbb 1[Wx>0])x^\top")],
    ),
    "discount": (
        {
            "loss": r"L = \sum_{t=0}^{T}\gamma^tr_t",
            "symbols": {"r_t": "scalar, t = 0..T", r"\gamma": "scalar, positive"},
        },
        [("", "r_t", r"\gamma^t"), ("", r"\gamma", r"\sum_{t=1}^Tt\gamma^{t-1}r_t")],
    ),
    "eps-ins": (
        {
            "loss": r"L = \sum_i\max(0,|y_i-w^\top x_i|-\epsilon)",
            "symbols": {"y_i": "scalar, i = 1..n", "x_i": "d, i = 1..n", "w": "d", r"\epsilon": "scalar, positive"},
        },
        [("", "w", r"-\sum_i\mathbb 1[|y_i-w^\top x_i|>\epsilon]\operatorname{sign}(y_i-w^\top x_i)x_i")],
    ),
    "tukey": (
        {
            "loss": r"L = \begin{cases}\frac{c^2}{6}\left(1-\left[1-(r/c)^2\right]^3\right)&|r|\le c\\ \frac{c^2}{6}&|r|>c\end{cases}",
            "symbols": {"r": "scalar", "c": "scalar, positive"},
        },
        [("", "r", r"\begin{cases}r\left[1-(r/c)^2\right]^2&|r|\le c\\0&|r|>c\end{cases}")],
    ),
    "logit-adj": (
        {
            "loss": r"L = -\log\frac{\pi_ye^{z_y}}{\sum_{k=1}^K\pi_ke^{z_k}}",
            "symbols": {"z": "K", r"\pi": "K, distribution", "y": "index 1..K"},
        },
        [("", "z_k", r"\frac{\pi_ke^{z_k}}{\sum_j\pi_je^{z_j}}-\mathbb 1\{k=y\}")],
    ),
    "mc-vec": (
        {"loss": r"f = \operatorname{vec}(A)^\top\operatorname{vec}(X)", "symbols": {"X": "m x n", "A": "m x n"}},
        [("", "X", "A")],
    ),
    "mc-vecsq": ({"loss": r"f = \|\operatorname{vec}(X)\|_2^2", "symbols": {"X": "m x n"}}, [("", "X", "2X")]),
    "gauss-var-symbol": (
        {
            "loss": r"L = \sum_{i=1}^{n} \frac{(x_i-\mu)^2}{2\sigma^2} + \frac{n}{2}\log\sigma^2",
            "symbols": {"x": "n", r"\mu": "scalar", r"\sigma^2": "scalar, positive"},
        },
        [("", r"\sigma^2", r"\frac{n}{2\sigma^2}-\frac{1}{2\sigma^4}\sum_i(x_i-\mu)^2")],
    ),
    "mc-logdetxx": ({"loss": r"f = \ln|X^TX|", "symbols": {"X": "m x n"}}, [("", "X", "2X(X^TX)^{-1}")]),
    "woodbury-l": (
        {"loss": r"f = \log\det(I + XX^\top)", "symbols": {"X": "m x n"}},
        [("", "X", r"2(I+XX^\top)^{-1}X")],
    ),
    "b1": (
        {
            "loss": r"\mathcal{L}(\boldsymbol{\theta}) = -\frac{1}{N}\sum_{n=1}^{N}\left[ t_n \ln y_n + (1-t_n)\ln(1-y_n) \right]",
            "symbols": {r"\theta": "d", r"\phi_n": "d, n = 1..N", "t_n": "scalar, binary, n = 1..N"},
            "define": {"y_n": r"\sigma(\boldsymbol\theta^{\mathsf T}\boldsymbol\phi_n)"},
        },
        [("", r"\theta", r"\frac{1}{N}\sum_{n=1}^N (y_n - t_n)\boldsymbol\phi_n")],
    ),
    "b2": (
        {
            "loss": r"J(\mathbf{W}) = \tfrac12 \big\lVert \mathbf{Y} - \mathbf{X}\mathbf{W} \big\rVert_{\mathrm F}^2 + \tfrac{\lambda}{2}\lVert\mathbf{W}\rVert_{\mathrm{F}}^{2}",
            "symbols": {"Y": "n x k", "X": "n x d", "W": "d x k", r"\lambda": "scalar, positive"},
        },
        [("", "W", r"\mathbf{X}^{\!\top}(\mathbf{X}\mathbf{W}-\mathbf{Y})+\lambda\mathbf{W}")],
    ),
    "b3": (
        {
            "loss": r"C = -\sum_{\substack{i,j\\ i<j}} w_{ij}\cos(\theta_i-\theta_j)",
            "symbols": {"W": "n x n", r"\theta": "n"},
        },
        [("", r"\theta_k", r"\sum_{j>k}w_{kj}\sin(\theta_k-\theta_j)-\sum_{i<k}w_{ik}\sin(\theta_i-\theta_k)")],
    ),
    "b4": (
        {
            "loss": r"E = \sum_{i=1}^{N}\sum_{\substack{j=1\\ j\neq i}}^{N}\exp\{-\lVert x_i-x_j\rVert^2\}",
            "symbols": {"x_i": "d, i = 1..N"},
        },
        [("", "x_k", r"-4\sum_{j\neq k}\exp\{-\|x_k-x_j\|^2\}(x_k-x_j)")],
    ),
    "b5": (
        {
            "loss": r"J = \frac{1}{2m}\sum_{i=1}^m\left(h_\theta(x^{(i)})-y^{(i)}\right)^2 + \frac{\lambda}{2m}\sum_{j=1}^n\theta_j^2",
            "symbols": {
                r"\theta": "n",
                "x^{(i)}": "n, i = 1..m",
                "y^{(i)}": "scalar, i = 1..m",
                r"\lambda": "scalar, positive",
            },
            "define": {r"h_\theta(x)": r"\theta^\top x"},
        },
        [
            ("", r"\theta_j", r"\frac1m\sum_{i=1}^m(h_\theta(x^{(i)})-y^{(i)})x_j^{(i)}+\frac\lambda m\theta_j"),
            ("", r"\theta", r"\frac{1}{m}\sum_{i=1}^m(h_\theta(x^{(i)})-y^{(i)})x^{(i)}+\frac{\lambda}{m}\theta"),
        ],
    ),
    "b6": (
        {
            "loss": r"\mathcal{L} = -\log \hat{y}_{t}",
            "symbols": {
                "W^{[1]}": "h x d",
                "b^{[1]}": "h",
                "W^{[2]}": "C x h",
                "b^{[2]}": "C",
                "x": "d",
                "t": "index 1..C",
            },
            "define": {
                "z^{[1]}": "W^{[1]}x+b^{[1]}",
                "a^{[1]}": r"\max(0,z^{[1]})",
                "z^{[2]}": "W^{[2]}a^{[1]}+b^{[2]}",
                r"\hat{y}": r"\operatorname{softmax}(z^{[2]})",
            },
        },
        [
            ("", "b^{[2]}", r"\hat{\mathbf{y}}-\mathbf{e}_t"),
            ("", "b^{[1]}", r"(W^{[2]})^\top(\hat{y}-\mathbf e_t)\circ\mathbf 1[z^{[1]}>0]"),
        ],
    ),
    "b8": (
        {
            "loss": r"L = -\sum_{t=1}^{T}\log p_{t,y_t}",
            "symbols": {"z_t": "V, t = 1..T", "y_t": "index 1..V, t = 1..T"},
            "define": {"p_t": r"\operatorname{softmax}(z_t)"},
        },
        [("", "z_t", r"p_t-\mathbf e_{y_t}")],
    ),
    "b9": (
        {
            "loss": r"L = -\frac1T\sum_{t=1}^T y_t^\top\log\hat y_t",
            "symbols": {"W": "V x h", "h_t": "h, t = 1..T", "y_t": "V, one-hot, t = 1..T"},
            "define": {r"\hat{y}_t": r"\operatorname{softmax}(Wh_t)"},
        },
        [("", "W", r"\frac1T\sum_{t}(\hat y_t-y_t)h_t^\top")],
    ),
    "b11": (
        {"loss": r"L = \left\|\frac{x}{\|x\|}-\frac{y}{\|y\|}\right\|^2", "symbols": {"x": "n", "y": "n"}},
        [("", "x", r"\frac{2}{\|x\|}\left(\frac{x^\top y}{\|x\|^2\|y\|}x-\frac{y}{\|y\|}\right)")],
    ),
    "b16": (
        {
            "loss": r"f = \operatorname{tr}\big((X^\top CX)^{-1}A\big)",
            "symbols": {"X": "n x k", "C": "n x n, symmetric", "A": "k x k, symmetric"},
        },
        [("", "X", r"-2CX(X^\top CX)^{-1}A(X^\top CX)^{-1}")],
    ),
    "b19": (
        {"loss": r"f = e^{a^\top x}\,\|x\|^2", "symbols": {"a": "n", "x": "n"}},
        [("", "x", r"e^{a^\top x}(\|x\|^2a+2x)")],
    ),
    "b22": (
        {
            "loss": r"L = \sum_{j=1}^{k}\frac{1}{\lambda_j}\left(u_j^\top x\right)^2",
            "symbols": {"u_j": "n, j = 1..k", r"\lambda_j": "scalar, positive, j = 1..k", "x": "n"},
        },
        [("", "x", r"2\sum_{j=1}^k\frac{u_j^\top x}{\lambda_j}u_j")],
    ),
    "b23": (
        {
            "loss": r"L = \frac{1}{n}\sum_{i\in[n]}(y_i-\langle w,x_i\rangle)_+",
            "symbols": {"x_i": "d, i = 1..n", "y_i": "scalar, i = 1..n", "w": "d"},
        },
        [("", "w", r"-\frac1n\sum_{i}\mathbb 1\{y_i>\langle w,x_i\rangle\}x_i")],
    ),
    "b26": (
        {
            "loss": r"L = -\log\sigma\left(\beta(h_w-h_l)\right)",
            "symbols": {r"\theta": "d", "x_w": "d", "x_l": "d", r"\beta": "scalar, positive"},
            "define": {"h_w": r"\theta^\top x_w", "h_l": r"\theta^\top x_l"},
        },
        [("", r"\theta", r"-\beta\,\sigma(\beta(h_l-h_w))(x_w-x_l)")],
    ),
    "b29": (
        {
            "loss": r"L=\sum_{k=1}^{K} \alpha_k \,\mathrm{KL}_k",
            "symbols": {r"\alpha": "K", "p_k": "n, distribution, k = 1..K", "q": "n, distribution"},
            "define": {r"\mathrm{KL}_k": r"p_k^\top\log\frac{p_k}{q}"},
        },
        [("", "q", r"-\frac{1}{q}\odot\sum_k\alpha_kp_k")],
    ),
    "b31": (
        {
            "loss": r"L = \operatorname{BCE}(\sigma(z),y)",
            "symbols": {"y": "scalar, binary", "z": "scalar"},
            "define": {r"\operatorname{BCE}(p,y)": r"-y\log p-(1-y)\log(1-p)"},
        },
        [("", "z", r"\sigma(z)-y")],
    ),
    "b33": (
        {
            "loss": r"L = \sum_{n,k}z_{nk}\left(\log\pi_k-\frac12(x_n-\mu_k)^\top\Lambda_k(x_n-\mu_k)\right)",
            "symbols": {
                "Z": "N x K, unit interval",
                r"\pi_k": "scalar, positive, k = 1..K",
                "x_n": "D, n = 1..N",
                r"\mu_k": "D, k = 1..K",
                r"\Lambda_k": "D x D, symmetric, k = 1..K",
            },
        },
        [("", r"\mu_k", r"\sum_nz_{nk}\Lambda_k(x_n-\mu_k)"), ("", r"\pi_k", r"\frac{1}{\pi_k}\sum_nz_{nk}")],
    ),
    "b36": (
        {
            "loss": r"\ell = -\sum_{k}n_k\log\theta_k+\lambda\left(\sum_k\theta_k-1\right)",
            "symbols": {
                "n_k": "scalar, positive, k = 1..K",
                r"\theta_k": "scalar, positive, k = 1..K",
                r"\lambda": "scalar",
            },
        },
        [("", r"\theta_k", r"-\frac{n_k}{\theta_k}+\lambda")],
    ),
    "b37": (
        {
            "loss": r"Q = \frac{1}{2}\sum_{i,j}A_{ij}\|x_i-x_j\|^2",
            "symbols": {"A": "n x n, symmetric", "x_i": "d, i = 1..n"},
        },
        [("", "x_i", r"2\sum_jA_{ij}(x_i-x_j)")],
    ),
    "b40": (
        {"loss": r"L = \sum_{t=2}^T\|x_t-Ax_{t-1}\|^2", "symbols": {"x_t": "n, t = 1..T", "A": "n x n"}},
        [("", "A", r"-2\sum_{t=2}^T(x_t-Ax_{t-1})x_{t-1}^\top")],
    ),
    "b42": (
        {"loss": r"L = \log\left(\sum_{j\ne y}e^{s_j}\right)-s_y", "symbols": {"s": "C", "y": "index 1..C"}},
        [("", "s_k", r"\begin{cases}-1&k=y\\ \frac{e^{s_k}}{\sum_{j\neq y}e^{s_j}}&k\neq y\end{cases}")],
    ),
    "b50": (
        {
            "loss": r"L = \frac{1}{2}\sum_{i=1}^{n}\sum_{j=1}^{m}\left(Y_{ij}-\sum_{k=1}^{r}U_{ik}V_{jk}\right)^2",
            "symbols": {"Y": "n x m", "U": "n x r", "V": "m x r"},
        },
        [("", "U_{ik}", r"-\sum_{j}\left(Y_{ij}-\sum_{l}U_{il}V_{jl}\right)V_{jk}"), ("", "U", r"-(Y-UV^\top)V")],
    ),
    "b51": (
        {
            "loss": r"L = -\sum_{i=1}^N\log\left(1-\prod_{j=1}^{M}(1-p_{ij})\right)",
            "symbols": {"P": "N x M, unit interval"},
        },
        [("", "p_{ij}", r"-\frac{\prod_{k\neq j}(1-p_{ik})}{1-\prod_{k}(1-p_{ik})}")],
    ),
    "b52": (
        {
            "loss": r"L = \operatorname{tr}(\Sigma_2^{-1}\Sigma_1)+(\mu_2-\mu_1)^\top\Sigma_2^{-1}(\mu_2-\mu_1)-k+\ln\frac{\det\Sigma_2}{\det\Sigma_1}",
            "symbols": {
                r"\Sigma_1": "k x k, positive definite",
                r"\Sigma_2": "k x k, positive definite",
                r"\mu_1": "k",
                r"\mu_2": "k",
            },
        },
        [("", r"\mu_1", r"2\Sigma_2^{-1}(\mu_1-\mu_2)"), ("", r"\Sigma_1", r"\Sigma_2^{-1}-\Sigma_1^{-1}")],
    ),
    "b56": (
        {
            "loss": r"L = (1-\alpha)\,H(y,p)+\alpha\,H(u,p)",
            "symbols": {"y": "K, one-hot", "u": "K, distribution", "z": "K", r"\alpha": "scalar, unit interval"},
            "define": {"p": r"\operatorname{softmax}(z)", "H(a,b)": r"-\sum_ka_k\log b_k"},
        },
        [("", "z", r"p-(1-\alpha)y-\alpha u")],
    ),
    "b59": (
        {
            "loss": r"L = -\frac{\mu^\top w}{\sqrt{w^\top\Sigma w}}",
            "symbols": {"w": "n", r"\mu": "n", r"\Sigma": "n x n, positive definite"},
        },
        [("", "w", r"-\frac{\mu}{\sqrt{w^\top\Sigma w}}+\frac{\mu^\top w}{(w^\top\Sigma w)^{3/2}}\Sigma w")],
    ),
    "b61": (
        {
            "loss": r"L = \frac{w^{T}S_{B}w}{w^{T}S_{W}w}",
            "symbols": {"w": "n", "S_{B}": "n x n, symmetric", "S_{W}": "n x n, symmetric"},
        },
        [("", "w", r"\frac{2}{w^TS_Ww}(S_Bw-LS_Ww)")],
    ),
    "b65": (
        {
            "loss": r"L = -\log P(y|x)",
            "symbols": {"W": "K x d", "x": "d", "y": "index 1..K"},
            "define": {"P(k|x)": r"\frac{\exp(W_{k\cdot}x)}{\sum_{j=1}^K\exp(W_{j\cdot}x)}"},
        },
        [("", "x", r"\sum_kP(k|x)W_{k\cdot}^\top-W_{y\cdot}^\top")],
    ),
    "b66": (
        {
            "loss": r"L = \frac{1}{N}\sum_{n=1}^{N}\mathrm{CE}_n",
            "symbols": {"W": "K x d", "x_n": "d, n = 1..N", "y_n": "index 1..K, n = 1..N"},
            "define": {"p_n": r"\operatorname{softmax}(Wx_n)", r"\mathrm{CE}_n": r"-\log p_{n,y_n}"},
        },
        [("", r"W_{k\cdot}", r"\frac1N\sum_n(p_{nk}-\mathbb 1[y_n=k])x_n^\top")],
    ),
    "b69": (
        {
            "loss": r"L = \sum_i\left(\log\sum_je^{z_{ij}}-z_{iy_i}\right)",
            "symbols": {"Z": "n x k", "y_i": "index 1..k, i = 1..n"},
        },
        [("", "z_{ij}", r"\frac{e^{z_{ij}}}{\sum_le^{z_{il}}}-\mathbb 1[j=y_i]")],
    ),
}
QUESTIONS = [(name, k) for name, (_, questions) in SLIDES.items() for k in range(len(questions))]


@pytest.mark.parametrize(("name", "k"), QUESTIONS)
def test_a_loss_from_a_slide(name: str, k: int) -> None:
    written, questions = SLIDES[name]
    of, wrt, answer = questions[k]
    problem = problem_from(written)
    asked = ask(problem, wrt, of, None)
    node = derivative(problem, asked.of, asked.target)
    assert check.exact(problem, asked.of, asked.target, node)
    assert check.central(problem, asked.of, asked.target, node) < 1e-5
    verdicts = {
        text: grade({"problem": written, "wrt": wrt, "of": of, "answer": text})
        for text in (answer, rf"-\left({answer}\right)", rf"2 \left({answer}\right)")
    }
    assert [v.verdict for v in verdicts.values()] == ["correct", "incorrect", "incorrect"], verdicts[answer].message


@pytest.mark.parametrize("name", SLIDES)
def test_it_is_lowered(name: str) -> None:
    written, questions = SLIDES[name]
    problem = problem_from(written)
    asked = [ask(problem, wrt, "", None) for of, wrt, _ in questions if not of]
    gradients = {one.target.text: derivative(problem, one.of, one.target) for one in asked}
    assert "def " in lower(problem, gradients).source
