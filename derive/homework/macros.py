r"""The macros that a student defines, and those of them that an answer uses.

Only what is used goes with an answer: a template may bring hundreds, and equal answers are then equal in all.
"""

from __future__ import annotations

import re
from itertools import islice

_DEFINING = re.compile(
    r"\\(?:(?:re|provide)?newcommand|providecommand|def|DeclareMathOperator)\*?(?![A-Za-z])\s*\{?\s*(\\(?:[A-Za-z]+|[^A-Za-z\s]))"
)
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|[^A-Za-z\s])")
_PARAMETERS = re.compile(r"\s*\}?\s*(?:\[[^\]\n]*\]\s*|#\d\s*)*")
LONGEST, MOST = 2000, 1000


def macros_of(text: str) -> dict[str, str]:
    r"""The definitions in a text by the name they define; the last one counts.

    >>> macros_of(r"\newcommand{\x}[1]{\vec{#1}} \def\y{z} \DeclareMathOperator{\sm}{softmax}")["\\x"]
    '\\newcommand{\\x}[1]{\\vec{#1}}'
    """
    out: dict[str, str] = {}
    for found in islice(_DEFINING.finditer(text), MOST):
        end = _end_of(text, found.end())
        if end:
            out[found[1]] = text[found.start() : end]
    return out


def _end_of(text: str, at: int) -> int:
    """The position behind the body of a definition; 0 where it is never closed or very long."""
    behind = _PARAMETERS.match(text, at)
    at = behind.end() if behind else at
    if text[at : at + 1] != "{":
        return 0
    depth, k = 0, at
    while k < min(len(text), at + LONGEST):
        if text[k] == "\\":
            k += 2
            continue
        depth += (text[k] == "{") - (text[k] == "}")
        k += 1
        if not depth:
            return k
    return 0


def used_by(answer: str, macros: dict[str, str]) -> str:
    r"""The definitions that an answer needs, those that they need included, in their order."""
    needed: set[str] = set()
    todo = [answer]
    while todo:
        for name in _COMMAND.findall(todo.pop()):
            if name in macros and name not in needed:
                needed.add(name)
                todo.append(macros[name])
    return "\n".join(definition for name, definition in macros.items() if name in needed)
