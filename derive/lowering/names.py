"""Python identifiers for what a problem declares.

A problem file may call its symbols anything; what stands in generated source is made here and is a plain
ASCII identifier whatever the name was, no keyword and nothing that the source itself uses.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterator

from derive.lowering import runtime

_TOKEN = re.compile(r"\\[A-Za-z]+|[A-Za-z]+|[0-9]+|.", re.DOTALL)
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot", "ddot": "ddot", "check": "check", "breve": "breve", "vec": "vec", "underline": "under",
}  # fmt: skip
_SIGNS = {"*": "star", "'": "prime", "+": "plus", "@": "at", r"\prime": "prime", r"\ast": "star", r"\dagger": "dagger"}
_SILENT = frozenset(
    r"\mathbf \mathrm \mathit \mathsf \mathcal \mathbb \mathfrak \boldsymbol \bm \text \textbf \textit \textrm "
    r"\operatorname \left \right \cdot \mathop \rm \bf \it".split()
)
LONGEST = 40
RESERVED = frozenset(
    (*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *dir(runtime), "np", "math", "dtype", "of_rows")
)


def words_of(latex: str) -> list[str]:
    r"""The words of a name in the order in which they are said.

    >>> words_of(r"\mathbf{c}_{neg_j}"), words_of(r"\hat{y}^{(i)}")
    (['c', 'neg', 'j'], ['y', 'hat', 'i'])
    """
    words = list[str]()
    tokens = iter(_TOKEN.findall(latex[:400]))
    for token in tokens:
        words += _words_of_token(token, tokens)
    return [w for w in words if w]


def _words_of_token(token: str, rest: Iterator[str]) -> list[str]:
    if token in _SIGNS:
        return [_SIGNS[token]]
    if token in _SILENT:
        return []
    if token.startswith("\\") and token[1:] in _ACCENTS:
        return [*_argument(rest), _ACCENTS[token[1:]]]
    if len(token) == 1 and not token.isascii():
        return [_spelt(token)]
    return [re.sub(r"[^A-Za-z0-9]", "", token)]


def _argument(rest: Iterator[str]) -> list[str]:
    """The words of what follows an accent: one token, or a group in braces."""
    words, depth = list[str](), 0
    for token in rest:
        if token.isspace():
            continue
        depth += (token == "{") - (token == "}")
        words += _words_of_token(token, rest)
        if depth <= 0:
            break
    return words


def _spelt(char: str) -> str:
    """A letter that is not ASCII by the last word of its Unicode name: θ is theta."""
    name = unicodedata.name(char, "")
    return re.sub(r"[^a-z]", "", name.split()[-1].lower()) if "LETTER" in name else ""


def identifier(latex: str, letter: str = "") -> str:
    r"""A readable identifier for a name; `letter` is the index that varies in it and is left out.

    >>> identifier(r"\hat{y}"), identifier("W^{[1]}"), identifier("u_k", "k"), identifier("P^*")
    ('y_hat', 'W_1', 'u', 'P_star')
    """
    words = words_of(latex)
    if letter:
        varying = words_of(letter)
        for k in range(len(words) - len(varying), 0, -1):
            if words[k : k + len(varying)] == varying:
                del words[k : k + len(varying)]
                break
    name = re.sub(r"_+", "_", "_".join(words))[:LONGEST].strip("_")
    name = name if name and name[0].isalpha() else f"v_{name}".rstrip("_")
    assert _SAFE.fullmatch(name), name
    return name


class Names:
    """Hands out identifiers that are all different."""

    def __init__(self) -> None:
        self.taken = set[str](RESERVED)
        self.temporaries = 0

    def fresh(self, wanted: str) -> str:
        """The identifier that is wanted, or one like it that is still free."""
        if not _SAFE.fullmatch(wanted):
            raise ValueError(f"{wanted!r} is no identifier")
        name = f"{wanted}_" if wanted in RESERVED else wanted
        number = 2
        while name in self.taken:
            name, number = f"{wanted}_{number}", number + 1
        self.taken.add(name)
        return name

    def temporary(self) -> str:
        """An identifier for a value that has no name of its own."""
        self.temporaries += 1
        return self.fresh(f"t{self.temporaries}")

    def declared(self, latex: str, letter: str = "") -> str:
        """An identifier for a declared name."""
        return self.fresh(identifier(latex, letter))
