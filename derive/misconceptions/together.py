"""Which mistakes explain an answer together."""

from __future__ import annotations

from derive.misconceptions.registry import rank

ALWAYS_POSSIBLE = frozenset(("term-extra", "factor-extra"))
REPLACED = {
    "term-extra": ("term-wrong", ("term-missing", "occurrence", "product-rule", "quotient-rule", "symmetry")),
    "factor-extra": ("factor-wrong", ("factor-missing",)),
}
WHOLES = frozenset(whole for whole, _ in REPLACED.values())
BESIDE = frozenset(("sign", "factor", "transpose-missing", "transpose", "order", "layout"))


def together(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Mistakes that explain an answer together, the plainest first; none where they would explain anything.

    What is too much in one place and missing in the same one is wrong there.
    """
    found = tuple(sorted(dict.fromkeys(codes), key=rank))
    if len(found) < len(codes):
        return ()
    extra = next((code for code in found if code in ALWAYS_POSSIBLE), None)
    if extra is None or len(found) == 1:
        return found
    other = next(code for code in found if code is not extra)
    whole, missing = REPLACED[extra]
    if other in missing:
        return (whole,)
    if other == "regulariser" and extra == "term-extra":
        return (other,)
    return found if other in BESIDE else ()
