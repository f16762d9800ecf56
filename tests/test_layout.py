"""The shape of the code: imports go one way, functions and files stay small, nothing evaluates text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "derive"

# The order in which data flows; what stands on one line may import each other, everything else only what is above it.
ORDER = (
    ("errors",),
    ("cache",),
    ("sizes",),
    ("expressions", "operations"),
    ("rules",),
    ("latex",),
    ("printing",),
    ("reading",),
    ("problem",),
    ("adhoc",),
    ("numerics",),
    ("gradient",),
    ("indexform",),
    ("lowering",),
    ("training",),
    ("grading", "misconceptions"),
    ("api",),
    ("notation",),
    ("lines", "plaintext"),
    ("verdicts", "terminal"),
    ("graph",),
    ("sheets",),
    ("homework",),
    ("report",),
    ("commands",),
    ("launch", "__main__"),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
MAX_FUNCTION, MAX_FILE = 45, 350
EVALUATING = frozenset(("eval", "exec", "sympify", "parse_expr", "compile", "__import__"))

FILES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*FILES, ROOT / "cli.py"]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def folder(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """The modules of the package that a file imports at run time, inside functions too, with their lines."""
    root = tree(path)
    for_types = {id(n) for block in ast.walk(root) if is_for_types(block) for n in ast.walk(block)}
    for node in ast.walk(root):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "derive":
            yield from ((node.lineno, f"derive.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    own = folder(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own == "__init__":
        return
    assert own in RANK, f"{own} has no place in the order"
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for line, module in imports(path)
        if module.startswith("derive.") and RANK.get(folder(module), len(ORDER)) > RANK[own]
    ]
    assert not wrong


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_functions_and_files_are_small(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines < MAX_FILE, f"{name_of(path)} has {lines} lines"
    functions = [n for n in ast.walk(tree(path)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    long = {f.name: size for f in functions if (size := (f.end_lineno or 0) - f.lineno + 1) >= MAX_FUNCTION}
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_the_commands_catch_everything(path: Path) -> None:
    caught = [n.type for n in ast.walk(tree(path)) if isinstance(n, ast.ExceptHandler)]
    broad = [t for t in caught if t is None or {"Exception", "BaseException"} & set(ast.unparse(t).split())]
    assert len(broad) == (1 if path.name == "cli.py" else 0)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_evaluates_text(path: Path) -> None:
    calls = [n.func for n in ast.walk(tree(path)) if isinstance(n, ast.Call)]
    names = {f.id for f in calls if isinstance(f, ast.Name)} | {f.attr for f in calls if isinstance(f, ast.Attribute)}
    assert not names & (EVALUATING - {"compile"})


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))
