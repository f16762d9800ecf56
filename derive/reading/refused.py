"""What is written on slides and cannot be derived: each with its reason, and the next step where there is one."""

from __future__ import annotations

from derive.errors import AnswerError, Span

STEPS = "its value jumps, so its derivative is 0 or does not exist"
ORDER = "it is defined by an order of entries, not by a formula"
SPECIAL = "this special function is not among the operations"
DECOMPOSED = "its derivative needs a decomposition of the matrix"
RANDOM = "a draw at random has no derivative; write the drawn value as a symbol (z = \\mu + \\sigma \\epsilon)"
DISCRETE = "it is about whole numbers"
REFUSED: dict[str, str] = {
    **dict.fromkeys(("argmax", "argmin", r"\arg", r"\argmax", r"\argmin", "arg"), STEPS),
    **dict.fromkeys(("floor", "ceil", "round", r"\lfloor", r"\lceil"), STEPS),
    **dict.fromkeys(("sort", "argsort", "topk", "median", "quantile"), ORDER),
    **dict.fromkeys(("digamma", "lgamma", "gammaln", "Beta"), SPECIAL),
    **dict.fromkeys(("eig", "svd", "eigenvalues", "pinv", "cholesky", "chol"), DECOMPOSED),
    **dict.fromkeys(("sample", "draw", "rand", "randn", "uniform", "dropout", "Dropout", "Bernoulli"), RANDOM),
    **dict.fromkeys(("mod", r"\bmod", r"\mod", r"\pmod", "gcd", r"\gcd", "lcm", "rank", "!"), DISCRETE),
    **dict.fromkeys(("LeakyReLU", "leakyrelu", "leaky", "PReLU"), r"its slope is not given; write \max(\alpha z, z)"),
    **dict.fromkeys(("sup", r"\sup", "inf", r"\inf", r"\limsup", r"\liminf"), "a supremum is no formula; write \\max"),
    **dict.fromkeys((r"\Pr", "Pr", r"\Prob"), "a probability of an event is no formula; write what it is equal to"),
    r"\sim": RANDOM,
}


CALLED = {"arg": "argmax", "lfloor": "floor", "lceil": "ceil", "bmod": "mod", "pmod": "mod", "sim": "a draw"}


def refuse(name: str, span: Span) -> None:
    """Raise `AnswerError` if a name that nothing declares is known to have no derivative."""
    reason = REFUSED.get(name) or REFUSED.get(name.lstrip("\\"))
    if reason is not None:
        plain = name.lstrip("\\")
        raise AnswerError("unreadable", f"{CALLED.get(plain, plain)} is not derived: {reason}.", span)
