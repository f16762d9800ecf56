"""Losses built in SymPy, as problems.

What SymPy builds is taken apart class by class and built anew by our own constructors, which check shapes; SymPy's
own matrix calculus, simplification and parsing of text are not used.  SymPy counts entries from 0, formulas count
them from 1: `x[i, 0]` becomes x_{i+1}, and the index of a sum is moved by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from derive.api.sympy_nodes import Converter, key_of
from derive.errors import AuthorError
from derive.expressions import build as b
from derive.printing.latex import latex
from derive.problem.declare import declare, pattern
from derive.problem.problem import Problem
from derive.reading.scope import Entity, Scope
from derive.sizes import SCALAR

MAX_NODES = 20_000
LOSS = "loss"


def problem_from_sympy(
    loss: Any, name: str = LOSS, symbols: Mapping[str, str] | None = None, title: str = "", source: str = ""
) -> tuple[Problem, dict[str, str]]:
    """The problem whose loss is a SymPy expression, and the names of SymPy's symbols as the problem spells them.

    `symbols` may declare properties, in the words of a problem's `[symbols]`: {"y": "C, one-hot"}.
    Raises `AuthorError` for what is not supported, by its name, and `ShapeError` for shapes that do not fit.
    """
    if sum(1 for _, _ in zip(sp.preorder_traversal(loss), range(MAX_NODES + 1), strict=False)) > MAX_NODES:
        raise AuthorError(f"an expression of more than {MAX_NODES} nodes is too large", LOSS)
    scope, declared = Scope(), _declared(symbols or {})
    converter = Converter(loss, {key: e.node.data[2] for key, e in declared.items() if e.node is not None})
    node = converter(loss)
    if node.dims != SCALAR:
        raise AuthorError(f"the loss is {' x '.join(map(str, node.dims))}; a loss is a number", LOSS)
    if name in converter.leaves:
        raise AuthorError(f"the loss is called {name}, and so is a symbol in it; give the loss another name", "name")
    for key, leaf in converter.leaves.items():
        mine = declared.pop(key, None)
        if mine is not None and mine.node is not leaf:
            raise AuthorError(f"SymPy has {key} as {' x '.join(map(str, leaf.dims))}", f"symbols.'{key}'")
        scope.add(Entity("value", key, pattern(key), leaf))
    for key in declared:
        raise AuthorError("the loss has no such symbol", f"symbols.'{key}'")
    for key in converter.functions:
        scope.add(Entity("function", key, pattern(key)))
    scope.add_size_names(converter.sizes)
    text = latex(node, scope)
    symbol = b.symbol(name, SCALAR)
    if name != LOSS:
        scope.add(Entity("value", name, pattern(name), symbol))
        scope.loss_name = pattern(name).base
    return Problem(title, source, text, scope, node, symbol, {}, {}, {symbol: text}), converter.spelt


def _declared(symbols: Mapping[str, str]) -> dict[str, Entity]:
    out: dict[str, Entity] = {}
    for given, text in symbols.items():
        key = key_of(given)
        try:
            out[key] = declare(Scope(), key, text)
        except AuthorError as problem:
            raise problem.at(f"symbols.'{given}'") from None
        if out[key].kind != "value":
            raise AuthorError("beside a loss of SymPy only shapes with properties are declared", f"symbols.'{given}'")
    return out
