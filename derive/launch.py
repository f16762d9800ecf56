"""Starting the commands.

The commands stand in `cli.py`: inside the package where it is installed, at the top of the checkout otherwise.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from click import Group

CHECKOUT = Path(__file__).resolve().parent.parent


def main() -> None:
    """The `derive` command."""
    commands()(prog_name="derive")


def commands() -> Group:
    """All commands as one click group."""
    group: Group = _module().commands
    return group


def _module() -> ModuleType:
    if "derive.cli" in sys.modules or find_spec("derive.cli") is not None:
        return importlib.import_module("derive.cli")
    return _from_file(CHECKOUT / "cli.py")


def _from_file(path: Path) -> ModuleType:
    spec = spec_from_file_location("derive.cli", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["derive.cli"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
