"""The signs and words that have a place in the grammar, and which brackets belong together."""

from __future__ import annotations

from derive.latex.tokens import Token

MAX_DEPTH, MAX_DIGITS = 60, 300
FUNCTION_WORDS = frozenset(
    """exp log ln tanh sin cos tan cot sec csc sinh cosh arcsin arccos arctan max min softmax sigmoid diag relu ReLU
    tr trace sign sgn det Tanh Softmax Sigmoid softplus erf Diag logsoftmax sqrt vec expit abs norm mean sum
    Tr lse logsumexp LogSumExp LSE sech csch coth step heaviside sigm logistic""".split()
)
ACCENTS = frozenset((r"\hat", r"\bar", r"\tilde", r"\dot", r"\ddot", r"\check", r"\breve", r"\acute"))
CLOSING = {
    "(": ")", "[": "]", r"\{": r"\}", "{": "}", r"\langle": r"\rangle", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil",
}  # fmt: skip
CLOSERS, BARS = frozenset(CLOSING.values()), frozenset(("|", r"\|"))
BRACKETS = CLOSERS | BARS | CLOSING.keys()
OPENERS = frozenset(CLOSING) - {"{"}
TIMES = frozenset((r"\cdot", r"\times", "*", r"\odot", r"\circ", r"\otimes", "/", r"\oslash", r"\div"))
RELATIONS = frozenset(
    ("=", "<", ">", r"\leq", r"\geq", r"\neq", r"\in", r"\to", r"\Rightarrow", r"\notin", r"\sim", r"\approx")
)
ENDS = frozenset(
    ("}", ")", "]", r"\}", r"\rangle", ",", ";", "&", r"\\", ":", r"\wedge", r"\&", r"\rfloor", r"\rceil", "?")
)
SUMS = frozenset(("+", "-", r"\pm"))
STOPS = ENDS | RELATIONS | SUMS
EXTREMA = {r"\max": "max", r"\min": "min", "max": "max", "min": "min"}
PRESCRIPT, EVALUATED = "{}^", r"\evaluated"
SCRIPTS = frozenset(("'", "_", "^", "{", "|", EVALUATED))
BIG = {r"\sum": "sum", r"\prod": "prod", r"\Sigma": "sum"}
ENVIRONMENTS = {
    **dict.fromkeys(("cases", "dcases", "rcases"), "cases"),
    **dict.fromkeys("array bmatrix pmatrix matrix smallmatrix vmatrix Bmatrix".split(), "matrix"),
}
TRANSPARENT = frozenset(
    """aligned align align* split gathered equation equation* gather gather* alignedat multline multline* eqnarray
    eqnarray* flalign flalign*""".split()
)
REMARKS = frozenset(
    """let setting define denote put when if where for since because with otherwise else assuming given note here using
    the and or thus hence then which that this every each from while unless except provided also only elementwise column
    row vector matrix scalar shape""".split()
)
LONG_WORD = 4
MIXED = frozenset((")", "]"))
OPEN_ENDED = TIMES | RELATIONS | {"+", "-", "_", "^", "(", "{"}
TRAILING = frozenset((".", ",", ";", ":"))
STACKS = frozenset((r"\substack", r"\begin"))
FOREIGN = frozenset((r"\int", r"\lim", r"\binom", r"\iint", r"\oint", r"\dbinom", r"\tbinom"))


def is_identifier(token: Token) -> bool:
    """Whether a text token is a name (`\\text{diag}`) rather than words."""
    return token.text.isalpha() and (token.text in FUNCTION_WORDS or len(token.text) <= 1)


def join_bars(tokens: list[Token]) -> list[Token]:
    """`||v||` is the norm bar twice; in `|s||t|` a bar ends and another begins."""
    opened: list[tuple[int, str]] = []
    doubled: set[int] = set()
    k = 0
    while k < len(tokens):
        text, kind = tokens[k].text, tokens[k].kind
        after_operand = kind == "closing" or (kind != "opening" and k > 0 and _may_close(tokens, k))
        top = opened[-1][1] if opened else ""
        pair = text == "|" and k + 1 < len(tokens) and tokens[k + 1].text == "|" and tokens[k + 1].kind == kind
        if pair and not (top == "|" and after_operand):
            if top == "||" and after_operand:
                doubled |= {opened.pop()[0], k}
            else:
                opened.append((k, "||"))
            k += 1
        elif text == "|" and top == "|" and after_operand:
            opened.pop()
        elif text == "|" or text in CLOSING:
            opened.append((k, text))
        elif text in CLOSERS:
            while opened and opened.pop()[1].startswith("|"):
                pass
        k += 1
    out = [t._replace(text=r"\|", end=tokens[k + 1].end) if k in doubled else t for k, t in enumerate(tokens)]
    return [t for k, t in enumerate(out) if k - 1 not in doubled]


def match_brackets(tokens: list[Token]) -> dict[int, int]:
    """Each bracket's partner, by token number; bars pair up at equal depth."""
    out: dict[int, int] = {}
    stack: list[tuple[int, str]] = []
    for k, token in enumerate(tokens):
        text = token.text
        if text not in BRACKETS:
            continue
        if text in BARS:
            pending = bool(stack) and stack[-1][1] == text
            if pending and token.kind != "opening" and (token.kind == "closing" or _may_close(tokens, k)):
                out[stack[-1][0]], out[k] = k, stack[-1][0]
                stack.pop()
            elif token.kind == "opening" or (token.kind != "closing" and not pending and _may_open(tokens, k)):
                stack.append((k, text))
        elif text in CLOSING:
            stack.append((k, text))
        else:
            while stack and stack[-1][1] in BARS:
                stack.pop()
            expected = CLOSING[stack[-1][1]] if stack else ""
            if expected == text or (expected in MIXED and text in MIXED):
                out[stack[-1][0]], out[k] = k, stack[-1][0]
                stack.pop()
    return out


def _may_open(tokens: list[Token], k: int) -> bool:
    return k + 1 < len(tokens) and tokens[k + 1].text not in ENDS and tokens[k + 1].text not in RELATIONS


def _may_close(tokens: list[Token], k: int) -> bool:
    if k >= 2 and tokens[k - 1].text in ("*", "+") and tokens[k - 2].text in ("^", "_"):
        return True
    return tokens[k - 1].text not in OPEN_ENDED
