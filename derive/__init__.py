"""Derives matrix gradients to their textbook form, checks them, and grades LaTeX answers against them.

`from derive import Problem, gradient, jacobian, hessian, grade` is the Python interface; it is loaded when it is
first asked for, so that `import derive` alone costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derive.api import Formula, Problem, Verdict, grade, gradient, hessian, jacobian

__version__ = "0.1.0"
__all__ = ["Formula", "Problem", "Verdict", "__version__", "grade", "gradient", "hessian", "jacobian"]

_LAZY = frozenset(__all__) - {"__version__"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module("derive.api"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """This package; `gradient` in it is the function, also once the folder of that name has been imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _LAZY and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
