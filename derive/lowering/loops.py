"""Loops in lowered source are found, and refused by the name of what they compute."""

from __future__ import annotations

import ast

from derive.errors import EvaluationError

_LOOPS = (ast.For, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


def refuse_loops(source: str) -> None:
    """Raise `EvaluationError` where the lowered function loops, and name what it loops for."""
    function = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)][-1]
    for statement in function.body:
        parts: list[tuple[str, ast.AST]] = [("the result", statement)]
        if isinstance(statement, ast.Assign):
            parts = [(ast.unparse(statement.targets[0]), statement.value)]
        elif isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple):
            parts = _results(statement.value)
        for name, part in parts:
            if any(isinstance(n, _LOOPS) for n in ast.walk(part)):
                raise EvaluationError(f"{name} has no form for a batch without a loop over the examples")


def _results(result: ast.Tuple) -> list[tuple[str, ast.AST]]:
    loss, gradients = result.elts
    assert isinstance(gradients, ast.Dict)
    named = zip(gradients.keys, gradients.values, strict=True)
    return [("the loss", loss), *((f"the gradient with respect to {_text(key)}", value) for key, value in named)]


def _text(key: ast.expr | None) -> str:
    return str(key.value) if isinstance(key, ast.Constant) else "a variable"
