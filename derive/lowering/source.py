"""The text of a lowered module: imports, the functions it calls, and the function with its docstring."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Sequence

from derive.lowering import runtime
from derive.lowering.arguments import Argument
from derive.lowering.program import Program
from derive.problem.problem import Problem
from derive.sizes import ONE, SCALAR, Size

NAME, INNER = "loss_and_gradients", "of_rows"
HELPERS = tuple(name for name, value in vars(runtime).items() if inspect.isfunction(value))
_SIGNATURE = re.compile(r"def \w+\(")


def plain(text: str) -> str:
    """A text that can stand in a raw docstring: printable ASCII without quotation marks, on one line."""
    kept = "".join(c if " " <= c <= "~" and c != '"' else "'" if c == '"' else " " for c in text)
    return re.sub(r"\s+", " ", kept).strip()[:200]


def module(lines: Iterable[str], docstring: str, inner: Sequence[str] = ()) -> str:
    """The module with the function whose lines `lambdify` has written, after the one for some rows."""
    function = _named(NAME, lines, f'r"""{docstring}"""')
    if inner:
        words = '"""The sums over some rows."""'
        function = "\n\n\n".join([_named(INNER, inner, words), function])
    called = called_by(function)
    texts = [helper(name) for name in HELPERS if name in called]
    uses_math = any("math." in text for text in (function, *texts))
    imports = ["import math\n", "import numpy as np"] if uses_math else ["import numpy as np"]
    return "\n\n\n".join(["\n".join(imports), *texts, function]) + "\n"


def _named(name: str, lines: Iterable[str], docstring: str) -> str:
    head, *body = (line.rstrip("\n") for line in lines)
    return "\n".join([_SIGNATURE.sub(f"def {name}(", head), f"    {docstring}", *body])


def called_by(text: str) -> set[str]:
    """The functions of `runtime` that a text calls, and those that they call."""
    found = {name for name in HELPERS if re.search(rf"(?<![.\w]){name}\(", text)}
    return found.union(*(called_by(_body(name)) for name in found))


def _body(name: str) -> str:
    return helper(name).split("\n", 1)[1]


def helper(name: str) -> str:
    """The text of a function of `runtime`, without its annotations."""
    tree = ast.parse(inspect.getsource(getattr(runtime, name)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in (*node.args.args, node.args.vararg):
                if argument is not None:
                    argument.annotation = None
    return ast.unparse(tree)


def docstring(problem: Problem, arguments: list[Argument], program: Program) -> str:
    """What the arguments and the results are, with their shapes."""
    title = plain(problem.title) or "The loss and its gradients"
    lines = [f"{title}: {plain(str(program.loss.data[0]))} and its gradients.", "", "Arguments:"]
    lines += [f"    {a.name}: {_described(a)}" for a in arguments]
    lines += ["", f"Returns {plain(str(program.loss.data[0]))} and a dictionary of gradients:"]
    lines += [f"    {plain(wrt)}: {_shape(_axes(node.dims))}" for wrt, node in program.gradients.items()]
    return "\n    ".join(lines).replace("\n    \n", "\n\n") + "\n    "


def _described(argument: Argument) -> str:
    name = plain(argument.latex)
    said = f"{name}, " if name != argument.name else ""
    if not argument.real:
        return said + argument.words
    return said + _shape(argument.axes) + (f", {argument.words}" if argument.words else "")


def _axes(dims: tuple[Size, Size]) -> tuple[Size, ...]:
    return () if dims == SCALAR else dims[:1] if dims[1] == ONE else dims


def _shape(axes: tuple[Size, ...]) -> str:
    if not axes:
        return "a number"
    return f"shape ({plain(', '.join(map(str, axes)))}{',' if len(axes) == 1 else ''})"
