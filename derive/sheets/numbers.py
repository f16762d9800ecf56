"""Numbers as a printed page has them."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(-?)(\d+(?:\.\d+)?)(?:e([-+]\d+))?")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scientific(cell: str) -> str:
    r"""A cell that is a number in the way of programs, as a formula; any other as it stands.

    >>> scientific("8.6e-03"), scientific("1e-05"), scientific("-0.25"), scientific("step 1")
    ('$8.6 \\cdot 10^{-3}$', '$10^{-5}$', '$-0.25$', 'step 1')
    """
    found = _NUMBER.fullmatch(cell)
    if found is None:
        return cell
    sign, digits, exponent = found.groups()
    if exponent is None:
        return f"${sign}{digits}$"
    power = f"10^{{{int(exponent)}}}"
    return f"${sign}{power}$" if digits == "1" else rf"${sign}{digits} \cdot {power}$"


def raised(cell: str) -> str:
    """The same as plain text, which is set more quickly than a formula.

    >>> raised("8.6e-03"), raised("-1e+05"), raised("-0.25"), raised("step 1")
    ('8.6·10⁻³', '−10⁵', '−0.25', 'step 1')
    """
    found = _NUMBER.fullmatch(cell)
    if found is None:
        return cell
    sign, digits, exponent = found.groups()
    minus = "−" if sign else ""
    if exponent is None:
        return minus + digits
    power = f"10{str(int(exponent)).translate(_RAISED)}"
    return minus + (power if digits == "1" else f"{digits}·{power}")
