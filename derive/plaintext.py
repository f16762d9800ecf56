"""Text for people: LaTeX with the signs that plain text has, nothing that could steer a terminal."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

MAX_PRETTY, LONGEST = 4000, 240


def printed(text: str, to: Any = None) -> None:
    """Print to standard output (or `to`), whatever its encoding can hold."""
    stream = to or sys.stdout
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def clean(text: str) -> str:
    r"""Text that cannot steer a terminal: control characters and the like are replaced.

    >>> clean("\x1b[2J and\ta tab")
    '�[2J and a tab'
    """
    return "".join(c if c.isprintable() or c == "\n" else " " if c.isspace() else "\ufffd" for c in text)


def counted(count: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "file"), counted(2, "file")
    ('1 file', '2 files')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def short(text: str) -> str:
    """Text on one line, cut where it is very long."""
    text = clean(text).replace("\n", " ")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


# ------------------------------------------------------------------------------------- LaTeX as plain text

_SIGNS = dict(
    zip(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi "
        "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega top odot circ cdot times sum "
        "prod partial nabla neq ne leq le geq ge in infty ell mid dots ldots cdots approx to "
        "lVert rVert lvert rvert".split(),
        "α β γ δ ε ε ζ η θ ι κ λ μ ν ξ π ρ σ τ φ φ χ ψ ω Γ Δ Θ Λ Ξ Π Σ Φ Ψ Ω ᵀ ⊙ ∘ · × ∑ ∏ ∂ ∇ "
        "≠ ≠ ≤ ≤ ≥ ≥ ∈ ∞ ℓ | … … … ≈ → ‖ ‖ | |".split(),
        strict=True,
    )
)
_FUNCTIONS = frozenset("exp log ln max min tanh sin cos tan sinh cosh det arctan arcsin arccos".split())
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "dot": "\u0307", "vec": "\u20d7"}
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _accented(found: re.Match[str]) -> str:
    letter = _SIGNS.get(found[2].lstrip("\\"), found[2])
    return unicodedata.normalize("NFC", letter + _ACCENTS[found[1]]) if len(letter) == 1 else found[0]


def _word(found: re.Match[str]) -> str:
    name = found[1]
    return _SIGNS.get(name, name if name in _FUNCTIONS else found[0])


def _over(found: re.Match[str]) -> str:
    above, below = (f"({part})" if re.search(r"[ /]|frac", part) else part for part in found.groups())
    return f"{above}/{below}"


_FRACTION = r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}"
_REWRITES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"\\(?:left|right)(?![a-zA-Z])", ""),
    (r"\\[,;:! ]|~|\\q?quad(?![a-zA-Z])", " "),
    (r"\\mathb[bf]\{1\}", "𝟙"),
    (r"\\(?:operatorname|mathrm|text|mathbf|boldsymbol|mathbb)\{(\w+)\}", r"\1"),
    (r"\\(hat|tilde|bar|dot|vec)\{(\\?\w+)\}", _accented),
    (r"\^(?:\\top(?![a-zA-Z])|\{\\top\})", "ᵀ"),
    (r"\^(?:(\d)(?!\d)|\{(-?\d+)\})", lambda found: (found[1] or found[2]).translate(_RAISED)),
    (r"_(?:(\d)(?!\d)|\{(\d+)\})", lambda found: (found[1] or found[2]).translate(_LOWERED)),
    (r"([_^])\{(\w+)\}", r"\1\2"),
    (r"\\([a-zA-Z]+)", _word),
    (r"∂ ", "∂"),
    *((_FRACTION, _over),) * 4,
    (r"\\([{}|])", r"\1"),
    (r"  +", " "),
)


def readable(latex: str) -> str:
    r"""LaTeX with the signs that plain text has; whatever has none stays as it is.

    >>> readable(r"W_1^\top \left(\hat{y} - y\right) \circ \sigma'(z) x^{2}")
    "W₁ᵀ (ŷ - y) ∘ σ'(z) x²"
    """
    text = clean(latex).replace("\n", " ")
    if len(text) > MAX_PRETTY:
        return text
    for pattern, replacement in _REWRITES:
        text = re.sub(pattern, replacement, text)
    return text.strip()
