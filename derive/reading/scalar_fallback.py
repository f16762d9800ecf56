"""Scalar constructs beyond the grammar (integrals, limits, binomials), read by latex2sympy2.

That reader keeps state between calls and may hang, so it runs in a process of its own with a deadline.
What it returns is rebuilt from our own operations; nothing that it does not return as plain arithmetic is
accepted.  Where the package is not installed (it does not run on Python 3.13 and later), the construct is
unreadable with a message that says so.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fractions import Fraction
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from derive.errors import AnswerError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s

if TYPE_CHECKING:
    from derive.reading.reader import Reader

DEADLINE = 2.5
MAX_TEXT = 400
_LARGE = re.compile(r"\d{5}|\^\s*\{[^{}]*\^|\^\s*\{?\s*\d{3}|!")
_FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "asin", "acos", "atan", "Abs", "sign", "erf"}
_RENAMED = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "Abs": "abs"}

_CHILD = r"""
import json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
except ImportError:
    pass
from latex2sympy2 import latex2sympy
expr = latex2sympy(sys.stdin.read()).doit()
def out(e):
    if e.is_Rational: return ["number", str(e.p), str(e.q)]
    if e.is_Symbol: return ["symbol", e.name]
    name = e.func.__name__
    if name in ("Pi", "Exp1"): return ["constant", name]
    return [name, *map(out, e.args)]
print(json.dumps(out(expr)))
"""


def read(reader: Reader, node: s.External) -> Node:
    """The value of a scalar construct, in our operations."""
    if find_spec("latex2sympy2") is None:
        raise AnswerError(
            "unreadable",
            "Integrals, limits and binomials are read by the package latex2sympy2, which is not installed "
            "(it needs Python 3.12 or older).",
            node.span,
        )
    if _LARGE.search(node.text):
        raise AnswerError("too-long", "Numbers or powers as large as these are not read.", node.span)
    if len(node.text) > MAX_TEXT:
        raise AnswerError("too-long", "This construct is too long.", node.span)
    tree = _ask(node.text.replace(r"\log", r"\ln"))  # that reader takes \log for the logarithm to base 10
    if tree is None:
        raise AnswerError("unreadable", "This construct is not understood.", node.span)
    return _rebuild(reader, json.loads(tree), node)


@lru_cache(maxsize=512)
def _ask(text: str) -> str | None:
    """The tree that the other reader makes of a text, as JSON; None if it fails or takes too long."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _CHILD], input=text, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 and len(done.stdout) < 20_000 else None


def _rebuild(reader: Reader, tree: list[Any], node: s.External) -> Node:
    kind, *rest = tree
    if kind == "number":
        return b.number(Fraction(int(rest[0]), int(rest[1])))
    if kind == "constant":
        return b.constant("pi" if rest[0] == "Pi" else "e")
    if kind == "symbol":
        return reader.read(rest[0])
    parts = [_rebuild(reader, part, node) for part in rest]
    if any(part.dims != b.SCALAR for part in parts):
        raise AnswerError("shape", "Only numbers are understood inside this construct.", node.span)
    if kind == "Add":
        return b.add(*parts)
    if kind == "Mul":
        return b.product(*parts)
    if kind == "Pow":
        exponent = parts[1]
        return b.power(parts[0], exponent.data[0]) if exponent.op == "number" else b.make("general_power", tuple(parts))
    if kind in _FUNCTIONS and len(parts) == 1:
        return b.apply(_RENAMED.get(kind, kind), parts[0])
    raise AnswerError("unreadable", f"{kind} is not understood.", node.span)
