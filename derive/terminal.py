"""Writing to a terminal: any encoding, any stream, LaTeX as plain text, nothing that could steer it."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

UNWRAPPED, MAX_PRETTY, LONGEST = 2000, 4000, 240


def console(stream: Any = None) -> Console:
    """A console for a stream; what is no terminal gets no colours and lines of any length."""
    found = Console(file=stream, highlight=False)
    return found if found.is_terminal else Console(file=stream, highlight=False, width=UNWRAPPED)


def write(*parts: RenderableType, to: Any = None) -> None:
    """Print to standard output (or `to`), whatever its encoding can hold."""
    stream = to or sys.stdout
    text, encoding = text_of(*parts, stream=stream), stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def text_of(*parts: RenderableType, stream: Any = None) -> str:
    """What is printed to a stream, lines without blanks at their ends."""
    found = console(stream)
    with found.capture() as captured:
        for part in parts:
            found.print(part, soft_wrap=isinstance(part, Text) and part.no_wrap)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().split("\n")[:-1])


def clean(text: str) -> str:
    r"""Text that cannot steer a terminal: control characters and the like are replaced.

    >>> clean("\x1b[2J and\ta tab")
    '�[2J and a tab'
    """
    return "".join(c if c.isprintable() or c == "\n" else " " if c.isspace() else "\ufffd" for c in text)


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


# ------------------------------------------------------------------------------------------------- parts


def heading(text: str) -> Text:
    """A heading with an empty line before it."""
    return Text(f"\n{text}", "bold underline")


def table(rows: Iterable[tuple[Text, ...]]) -> Padding:
    """Rows of aligned columns."""
    grid = Table.grid(padding=(0, 3, 0, 0))
    for row in rows:
        grid.add_row(*row)
    return indented(grid)


def indented(part: RenderableType, by: int = 2) -> Padding:
    """A part moved to the right."""
    return Padding(part, (0, 0, 0, by), expand=False)


def math(latex: str, style: str = "") -> Text:
    """LaTeX as plain text."""
    return Text(readable(latex), style)


def short(text: str) -> str:
    """Text on one line, cut where it is very long."""
    text = clean(text).replace("\n", " ")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
