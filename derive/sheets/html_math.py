"""Formulas as MathML: what `latex2mathml` makes of them, put right where browsers or readers would stumble.

The converter is lenient: a command that it does not know becomes a letter, a script after a matrix takes a part of the
matrix.  Here both are errors that name the formula.  The LaTeX source stays in the markup as an annotation.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from derive.errors import AuthorError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CACHED = 20_000
SYNONYMS = {
    r"\bb": r"\mathbb",
    r"\mathds": r"\mathbb",
    r"\symbf": r"\mathbf",
    r"\symup": r"\mathrm",
    r"\bold": r"\mathbf",
    r"\bm": r"\boldsymbol",
    r"\tn": r"\text",
    r"\uline": r"\underline",
    r"\vectorsym": r"\vec",
    r"\framebox": r"\boxed",
    r"\ensuremath": "",
    r"\part": r"\partial",
    r"\hdots": r"\ldots",
    r"\dag": r"\dagger",
    r"\sb": "_",
    r"\sp": "^",
}
WITHOUT_MEANING = frozenset(
    r"""\allowbreak \bfseries \bigskip \boldmath \centering \displaylimits \hfill \hline \ignorespaces \itshape
    \linebreak \medskip \newline \noindent \nolimits \nonumber \normalfont \notag \null \par \qed \qedsymbol \relax
    \smallskip""".split()
)
_COMMAND = re.compile(r"\\[A-Za-z]+")
_MATRIX = re.compile(r"\\(begin|end)\{([a-zA-Z]+\*?)\}")
ARITY = {"mfrac": 2, "msup": 2, "msub": 2, "mover": 2, "munder": 2, "mroot": 2, "msubsup": 3, "munderover": 3}
LETTERS_NOT_SIGNS = frozenset("∂∇⊤∞…⋯⋮⋱*∗†ℓ")
BIG = frozenset(("∑", "∏", "max", "min", "argmax", "argmin", "sup", "inf", "lim"))
UNDER_OVER = {"msub": "munder", "msubsup": "munderover", "msup": "mover"}
TALL = frozenset(("mfrac", "mtable", "msqrt", "mroot", "munder", "munderover"))
OPENING, CLOSING, BARS = frozenset("([{⟨⌊⌈"), frozenset(")]}⟩⌋⌉!"), frozenset("|‖∥∣")
SIGNS, APPLIED, NARROW = frozenset("+−-±"), "\u2061", "0.12em"
# The first letters (capital, small, digit) of the mathematical alphabets; what is set apart there has its own sign.
ALPHABETS = {
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
    "script": (0x1D49C, 0x1D4B6, 0),
    "fraktur": (0x1D504, 0x1D51E, 0),
    "sans-serif": (0x1D5A0, 0x1D5BA, 0x1D7E2),
    "monospace": (0x1D670, 0x1D68A, 0x1D7F6),
    "bold-italic": (0x1D468, 0x1D482, 0x1D7CE),
}
GREEK = {"bold": (0x1D6A8, 0x1D6C2), "bold-italic": (0x1D71C, 0x1D736)}
APART = {
    ("double-struck", letter): sign for letter, sign in zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)
} | {("script", letter): sign for letter, sign in zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)
} | {("fraktur", letter): sign for letter, sign in zip("CHIRZ", "ℭℌℑℜℨ", strict=True)}  # fmt: skip
COLOURS = {"blue": "value", "red": "slope"}


@lru_cache(maxsize=CACHED)
def mathml(latex: str, large: bool = False, continued: bool = False) -> str:
    """A formula as a `<math>` element; `large` sets it as a displayed one, `continued` where a sum goes on.

    Raises `AuthorError` for what cannot be converted, with the formula as its place.
    """
    try:
        from latex2mathml import converter, exceptions
    except ModuleNotFoundError:
        raise AuthorError("an HTML sheet needs latex2mathml: pip install 'derive[html]'") from None
    own = (kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception))
    refused: tuple[type[Exception], ...] = (*own, IndexError, KeyError, ValueError, StopIteration, RuntimeError)
    try:
        root = converter.convert_to_element(_prepared(latex))
    except refused as error:
        raise AuthorError(f"this formula cannot be shown as MathML ({type(error).__name__})", latex) from None
    row = root[0]
    _repair(row, latex)
    if continued and len(row) and row[0].text and row[0].text in SIGNS:
        row[0].set("form", "infix")
    body = ElementTree.tostring(row, encoding="unicode")
    style = ' displaystyle="true"' if large else ""
    source = escape(_without_colours(latex), quote=False)
    return (
        f"<math{style}><semantics>{body}"
        f'<annotation encoding="application/x-tex">{source}</annotation></semantics></math>'
    )


# ------------------------------------------------------------------------------------------------------ before


def _prepared(latex: str) -> str:
    """The formula in commands that the converter knows, matrices in braces so that scripts take the whole."""

    def known(found: re.Match[str]) -> str:
        return " " if found[0] in WITHOUT_MEANING else SYNONYMS.get(found[0], found[0])

    out = _COMMAND.sub(known, latex)
    return _MATRIX.sub(lambda m: "{" + m[0] if m[1] == "begin" else m[0] + "}", out)


def _without_colours(latex: str) -> str:
    return re.sub(r"\\textcolor\{[a-z]+\}", "", latex)


# ------------------------------------------------------------------------------------------------------- after


def _repair(e: Element, latex: str) -> None:
    """Put an element and all below it right."""
    for child in e:
        _repair(child, latex)
    text = e.text = unescape(e.text or "")
    if "\\" in text or (text == "&" and e.tag == "mi") or e.get("linebreak"):
        raise AuthorError(f"{text.strip() or 'a line break'} cannot be shown as MathML", latex)
    if e.tag in ARITY and len(e) != ARITY[e.tag]:
        raise AuthorError(f"a script or fraction with {len(e)} parts cannot be shown as MathML", latex)
    _alphabet(e)
    if e.tag == "mo":
        _sign(e)
    elif e.tag in UNDER_OVER and e[0].text in BIG:
        e.tag = UNDER_OVER[e.tag]
        if e[0].tag != "mo":
            e[0].tag = "mo"
        e[0].set("movablelimits", "true")
    elif e.tag == "mtd" and (side := e.attrib.pop("columnalign", "")):
        e.set("style", f"text-align: {side}")
    elif e.tag == "mstyle" and (colour := e.attrib.pop("mathcolor", "")):
        e.set("class", COLOURS.get(colour, ""))
    elif e.tag in ("mrow", "mtd", "msqrt", "mstyle", "mphantom", "menclose"):
        _merge_upright(e)
    if len(e) > 1 and e.tag in ("mrow", "mtd", "msqrt", "mstyle"):
        _evaluated(e)
        _low(e)
        _unary(e)
        _functions(e)
        _fractions(e)


def _alphabet(e: Element) -> None:
    """Browsers know no `mathvariant` but `normal`: letters of other alphabets become their own characters."""
    variant = e.get("mathvariant", "")
    if variant in ALPHABETS and e.text:
        e.text = "".join(_letter(variant, char) for char in e.text)
        del e.attrib["mathvariant"]


def _letter(variant: str, char: str) -> str:
    capital, small, digit = ALPHABETS[variant]
    if (variant, char) in APART:
        return APART[variant, char]
    if "A" <= char <= "Z":
        return chr(capital + ord(char) - ord("A"))
    if "a" <= char <= "z":
        return chr(small + ord(char) - ord("a"))
    if "0" <= char <= "9" and digit:
        return chr(digit + ord(char) - ord("0"))
    if variant in GREEK and "Α" <= char <= "Ω":
        return chr(GREEK[variant][0] + ord(char) - ord("Α"))
    if variant in GREEK and "α" <= char <= "ω":
        return chr(GREEK[variant][1] + ord(char) - ord("α"))
    return char


def _sign(e: Element) -> None:
    """A sign: letters and names are identifiers, bars stand close."""
    text = e.text or ""
    if text in LETTERS_NOT_SIGNS or (len(text) > 1 and text.isalpha() and text not in BIG):
        e.tag = "mi"
        if text in LETTERS_NOT_SIGNS:
            e.set("mathvariant", "normal")
        e.attrib.pop("movablelimits", None)
    elif text in BARS:
        e.set("lspace", "0")
        e.set("rspace", "0")
        if e.get("minsize"):  # the bar of \Big| is as tall as what stands before it
            e.set("form", "postfix")
            e.set("stretchy", "true")
            e.attrib.pop("maxsize", None)


def _merge_upright(e: Element) -> None:
    r"""The letters of `\mathrm{true}` are one word."""
    if len(e) > 1 and all(c.tag == "mi" and c.get("mathvariant") == "normal" and (c.text or "").isalpha() for c in e):
        e[0].text = "".join(c.text or "" for c in e)
        del e[0].attrib["mathvariant"]
        for child in list(e)[1:]:
            e.remove(child)


def _evaluated(e: Element) -> None:
    r"""The bar of `\Big|_{z}` is as tall as what it stands behind: it takes that into its own row."""
    for bar in [child for child in e if child.tag == "msub" and child[0].get("minsize")]:
        k = list(e).index(bar)
        if k:
            row = ElementTree.Element("mrow")
            before = e[k - 1]
            e.remove(before)
            row.extend((before, bar[0]))
            bar[0] = row


def _low(e: Element) -> None:
    r"""Brackets of `\left \right` around what is not tall keep their size, as in TeX."""
    fences = [child for child in e if child.get("fence") == "true" and child.text]
    if fences and e[0].text not in ("{", None) and not any(part.tag in TALL for part in e.iter()):
        for fence in fences:
            fence.set("stretchy", "false")


def _unary(e: Element) -> None:
    """A sign after an operator or an opening bracket is a prefix, also where it is not the first in its row."""
    bars = 0
    for k, child in enumerate(e):
        if child.tag == "mo" and child.text in SIGNS:
            before = e[k - 1] if k else None
            opens = before is not None and before.text in BARS and bars % 2 == 1
            operator = before is not None and before.tag == "mo" and before.text not in CLOSING | BARS
            if before is None or opens or operator:
                child.set("form", "prefix")
        bars += child.tag == "mo" and child.text in BARS


def _functions(e: Element) -> None:
    """The space around names of functions, as in `2 log x`, and the invisible sign of their application."""
    children = list(e)
    for k in range(len(children) - 1, -1, -1):
        if children[k].tag == "mo" and children[k].text in BIG - {"∑", "∏"}:
            children[k].tag = "mi"
            children[k].attrib.pop("movablelimits", None)
        if not _is_function(children[k]):
            continue
        after = children[k + 1] if k + 1 < len(children) else None
        if after is not None and not _binds(after):
            if not _opens(after):
                e.insert(k + 1, _space())
            if children[k].tag != "munder":
                e.insert(k + 1, _applied())
        if k and not _binds(children[k - 1]) and not _opens(children[k - 1]):
            e.insert(k, _space())


def _fractions(e: Element) -> None:
    """The small space that TeX leaves around fractions, where no operator leaves one."""
    for k in range(len(e) - 1, 0, -1):
        if "mfrac" in (e[k - 1].tag, e[k].tag) and not {"mo", "mspace"} & {e[k - 1].tag, e[k].tag}:
            e.insert(k, _space(NARROW))


def _is_function(e: Element) -> bool:
    while e.tag in ("msup", "msub", "msubsup", "munder", "munderover"):
        e = e[0]
    text = e.text or ""
    return (e.tag == "mi" or text in BIG) and len(text) > 1 and text.isalpha()


def _binds(e: Element) -> bool:
    """Whether an element is an operator, which has its own space."""
    return e.tag == "mspace" or (e.tag == "mo" and e.text not in OPENING | CLOSING | BARS)


def _opens(e: Element) -> bool:
    """Whether an element begins with an opening bracket."""
    while e.tag in ("mrow", "msup", "msub", "msubsup") and len(e):
        e = e[0]
    return e.tag == "mo" and (e.text in OPENING or e.get("form") == "prefix")


def _space(width: str = "0.167em") -> Element:
    return ElementTree.Element("mspace", {"width": width})


def _applied() -> Element:
    out = ElementTree.Element("mo")
    out.text = APPLIED
    return out


# ------------------------------------------------------------------------------------------------ where to break

_PIECE = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)
UNBROKEN, UNARY_AFTER = 48, frozenset(("=", "+", "-", r"\cdot", r"\times", r"\circ"))


def terms(latex: str) -> list[str]:
    r"""A long formula in pieces that may stand on lines of their own: the terms of its outermost sum.

    >>> terms("a - b")
    ['a - b']
    >>> terms(r"\\alpha_1 \\beta_1 \\gamma_1 \\left(x - y\\right) + \\alpha_2 \\beta_2 \\gamma_2")
    ['\\\\alpha_1 \\\\beta_1 \\\\gamma_1 \\\\left(x - y\\\\right) ', '+ \\\\alpha_2 \\\\beta_2 \\\\gamma_2']
    """
    if len(latex) <= UNBROKEN:
        return [latex]
    out, depth, before = [""], 0, ""
    for token in _PIECE.findall(latex):
        if token in ("{", "(", "[", r"\{", r"\left", r"\begin"):
            depth += 1
        elif token in ("}", ")", "]", r"\}", r"\right", r"\end"):
            depth -= 1
        if (
            token in ("+", "-")
            and not depth
            and before
            and before not in ("=", "+", "-", r"\cdot", r"\times", r"\circ")
        ):
            out.append("")
        out[-1] += token
        before = token if token.strip() else before
    return out
