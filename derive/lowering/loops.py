"""Loops in lowered source are found, and refused by the name of what they compute."""

from __future__ import annotations

import ast

from derive.errors import EvaluationError
from derive.lowering.source import INNER

_LOOPS = (ast.For, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


def refuse_loops(source: str) -> None:
    """Raise `EvaluationError` where the lowered function loops, and name what it loops for."""
    functions = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
    own = [f for f in functions if f.name == INNER] + functions[-1:]
    for statement in [s for function in own for s in function.body if not _by_blocks(s)]:
        parts: list[tuple[str, ast.AST]] = [("the result", statement)]
        if isinstance(statement, ast.Assign):
            parts = [(ast.unparse(statement.targets[0]), statement.value)]
        elif isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple):
            parts = _results(statement.value) if isinstance(statement.value.elts[-1], ast.Dict) else parts
        for name, part in parts:
            if any(isinstance(n, _LOOPS) for n in ast.walk(part)):
                raise EvaluationError(f"{name} has no form for a batch without a loop over the examples")


def _by_blocks(statement: ast.AST) -> bool:
    """Whether a loop goes through the rows block by block."""
    inside = statement.body[0] if isinstance(statement, ast.For) else None
    called = inside.value.func if isinstance(inside, ast.Assign) and isinstance(inside.value, ast.Call) else None
    return isinstance(called, ast.Name) and called.id == INNER


def _results(result: ast.Tuple) -> list[tuple[str, ast.AST]]:
    loss, gradients = result.elts
    assert isinstance(gradients, ast.Dict)
    named = zip(gradients.keys, gradients.values, strict=True)
    return [("the loss", loss), *((f"the gradient with respect to {_text(key)}", value) for key, value in named)]


def _text(key: ast.expr | None) -> str:
    return str(key.value) if isinstance(key, ast.Constant) else "a variable"
