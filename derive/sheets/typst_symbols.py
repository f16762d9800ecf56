"""How LaTeX's signs, letters, fonts and accents are called in Typst."""

from __future__ import annotations

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "varkappa": "ϰ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "omicron": "ο", "pi": "π", "varpi": "ϖ", "rho": "ρ", "varrho": "ϱ", "sigma": "σ",
    "varsigma": "ς", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ", "hbar": "ℏ", "hslash": "ℏ", "imath": "ı", "jmath": "ȷ",
    "partial": "∂",
    "nabla": "∇", "infty": "∞", "emptyset": "∅", "varnothing": "∅", "top": "⊤", "intercal": "⊺", "bot": "⊥",
    "forall": "∀", "exists": "∃", "neg": "¬", "lnot": "¬", "prime": "′", "Re": "ℜ", "Im": "ℑ", "aleph": "ℵ",
    "angle": "∠", "triangle": "△", "square": "□", "Box": "□", "blacksquare": "■", "star": "⋆", "checkmark": "✓",
    "dots": "…", "ldots": "…", "dotsc": "…", "cdots": "⋯", "dotsb": "⋯", "hdots": "…", "vdots": "⋮", "ddots": "⋱",
    "dag": "†", "dagger": "†", "ddagger": "‡", "colon": ":", "|": "‖", "Vert": "‖", "#": "\\#", "%": "%", "&": "\\&",
    "_": "\\_", "$": "\\$", "part": "∂", "diamond": "⋄", "backslash": "\\\\",
}  # fmt: skip
BINARY = {
    "cdot": "⋅", "centerdot": "⋅", "bullet": "∙", "times": "×", "div": "÷", "circ": "∘", "odot": "⊙", "otimes": "⊗",
    "oplus": "⊕", "ominus": "⊖", "oslash": "⊘", "ast": "∗", "pm": "±", "mp": "∓", "cup": "∪", "cap": "∩",
    "setminus": "∖", "wedge": "∧", "land": "∧", "vee": "∨", "lor": "∨", "bigcirc": "◯",
}  # fmt: skip
RELATIONS = {
    "leq": "≤", "le": "≤", "leqslant": "⩽", "geq": "≥", "ge": "≥", "geqslant": "⩾", "lt": "<", "gt": ">", "ll": "≪",
    "gg": "≫", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "∼", "simeq": "≃", "cong": "≅", "equiv": "≡",
    "propto": "∝", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂", "subseteq": "⊆", "supset": "⊃",
    "supseteq": "⊇", "to": "→", "rightarrow": "→", "leftarrow": "←", "gets": "←", "Rightarrow": "⇒",
    "Leftarrow": "⇐", "Leftrightarrow": "⇔", "leftrightarrow": "↔", "longrightarrow": "⟶", "implies": "⟹",
    "Longrightarrow": "⟹", "iff": "⟺", "mapsto": "↦", "perp": "⟂", "parallel": "∥", "coloneqq": "≔",
    "triangleq": "≜", "doteq": "≐", "preceq": "⪯", "succeq": "⪰", "prec": "≺", "succ": "≻",
}  # fmt: skip
NEGATED = {"=": "≠", "∈": "∉", "∋": "∌", "<": "≮", ">": "≯", "≤": "≰", "≥": "≱", "⊂": "⊄", "⊆": "⊈", "≡": "≢", "∼": "≁"}
BIG = {
    "sum": "∑", "prod": "∏", "coprod": "∐", "int": "∫", "iint": "∬", "oint": "∮", "bigcup": "⋃", "bigcap": "⋂",
    "bigodot": "⨀", "bigoplus": "⨁", "bigotimes": "⨂", "bigvee": "⋁", "bigwedge": "⋀",
}  # fmt: skip
OPENING = {
    "(": "\\(", "[": "\\[", "{": "\\{", "lbrace": "\\{", "lbrack": "\\[", "langle": "⟨", "lfloor": "⌊", "lceil": "⌈",
    "lVert": "‖", "lvert": "|", "llbracket": "⟦",
}  # fmt: skip
CLOSING = {
    ")": "\\)", "]": "\\]", "}": "\\}", "rbrace": "\\}", "rbrack": "\\]", "rangle": "⟩", "rfloor": "⌋", "rceil": "⌉",
    "rVert": "‖", "rvert": "|", "rrbracket": "⟧",
}  # fmt: skip
BARS = {"|": "|", "vert": "|", "Vert": "‖", "/": "\\/", "backslash": "\\\\", "mid": "|"}
FUNCTIONS = frozenset(
    """log ln exp sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arg deg det dim gcd hom ker lg lim
    liminf limsup max min sup inf Pr""".split()
)
WITH_LIMITS = frozenset("det gcd lim liminf limsup max min sup inf Pr argmax argmin".split())
FONTS = {
    "mathbf": "upright(bold({}))", "boldsymbol": "bold({})", "bm": "bold({})", "pmb": "bold({})", "symbf": "bold({})",
    "bold": "upright(bold({}))", "mathbb": "bb({})", "mathds": "bb({})", "bb": "bb({})", "mathcal": "cal({})",
    "mathscr": "scr({})", "mathfrak": "frak({})", "mathit": "italic({})", "mathnormal": "italic({})",
    "mathrm": "upright({})", "mathsf": "sans({})", "mathtt": "mono({})", "symup": "upright({})",
}  # fmt: skip
TEXTS = {
    "text": "{}", "textrm": "{}", "textnormal": "{}", "mbox": "{}", "hbox": "{}", "textup": "{}", "tn": "{}",
    "textbf": "bold({})", "textit": "italic({})", "emph": "italic({})", "textsf": "sans({})", "texttt": "mono({})",
}  # fmt: skip
NAMES = {"operatorname": "op({})", "operatorname*": "op({}, limits: #true)", "mathop": "op({}, limits: #true)"}
ACCENTS = {
    "hat": "hat({})", "widehat": "hat({})", "bar": "macron({})", "overline": "overline({})", "tilde": "tilde({})",
    "widetilde": "tilde({})", "dot": "dot({})", "ddot": "dot.double({})", "check": "caron({})", "breve": "breve({})",
    "acute": "acute({})", "grave": "grave({})", "vec": "arrow({})", "overrightarrow": "arrow({})",
    "underline": "underline({})", "mathring": "circle({})",
}  # fmt: skip
# Commands of one argument that change how it is set, or only carry it.
WRAPPERS = {
    "boxed": "#box(stroke: 0.5pt, inset: 3pt, baseline: 3pt)[$display({})$]",
    "phantom": "#hide[${}$]", "mathbin": 'class("binary", {})', "mathrel": 'class("relation", {})',
    "mathord": 'class("normal", {})', "mathopen": 'class("opening", {})', "mathclose": 'class("closing", {})',
    "ensuremath": "{}", "cancel": "cancel({})", "smash": "{}",
}  # fmt: skip
FRACTIONS = {
    "frac": "frac({}, {})", "dfrac": "display(frac({}, {}))", "tfrac": "inline(frac({}, {}))",
    "cfrac": "display(frac({}, {}))", "binom": "binom({}, {})", "dbinom": "display(binom({}, {}))",
    "tbinom": "inline(binom({}, {}))",
}  # fmt: skip
STACKED = {
    "overset": "attach(limits({1}), t: {0})", "stackrel": "attach(limits({1}), t: {0})",
    "underset": "attach(limits({1}), b: {0})",
}  # fmt: skip
SPACES = {
    ",": "thin", ":": "med", ">": "med", ";": "thick", " ": "#h(0.33em)", "quad": "quad", "qquad": "quad quad",
    "!": "#h(-0.1667em)", "enspace": "#h(0.5em)", "thinspace": "thin",
}  # fmt: skip
SIZES = {
    "big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em",
}  # fmt: skip
STYLES = {"displaystyle": "display({})", "textstyle": "inline({})", "scriptstyle": "script({})"}
COLOURS = {
    "black": "black", "gray": "gray", "white": "white", "blue": "blue", "red": "red", "green": "green",
    "orange": "orange", "purple": "purple", "teal": "teal", "cyan": "aqua", "magenta": "fuchsia", "brown": "maroon",
    "violet": "purple", "yellow": "yellow", "lime": "lime", "olive": "olive", "navy": "navy",
}  # fmt: skip
# What has no look of its own here: limits are placed by the operator, sizes are the sheet's.
SILENT = frozenset(
    """limits nolimits displaylimits nonumber notag relax allowbreak strut mathstrut null small normalsize large
    left. right.""".split()
)
MATRICES = {
    "matrix": "#none", "smallmatrix": "#none", "array": "#none", "pmatrix": '"("', "bmatrix": '"["', "Bmatrix": '"{"',
    "vmatrix": '"|"', "Vmatrix": '"‖"',
}  # fmt: skip
ALIGNED = frozenset(
    """aligned align align* split gathered gather gather* alignedat equation equation* multline multline*""".split()
)
CASES = frozenset(("cases", "dcases"))
ESCAPED = {c: f"\\{c}" for c in "#$\"&_^\\~`'@,;.()[]{}/|"} | {"*": "∗", "-": "−", "|": "|", ".": "."}
