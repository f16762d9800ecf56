"""What the tests share: the root of the project, the commands run in-process, the case files beside the project."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

from derive.launch import commands

os.environ["DERIVE_CACHE"] = "off"  # what one run of the tests finds is nothing to another

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT.parent / "shared" / "cases"
Run = Callable[..., Result]

settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", settings.get_profile("usual"), derandomize=True)
settings.load_profile("repeatable" if os.environ.get("CI") else "usual")


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `derive` with the given arguments; whatever it does not expect is raised here."""
    for name in ("FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments: str, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(commands(), arguments, input=stdin, prog_name="derive")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture(scope="session")
def case_folder() -> Path:
    return CASES


@pytest.fixture(scope="session")
def cases() -> Callable[[str], list[dict[str, Any]]]:
    """The rows of a case file; the test is skipped where the files do not lie beside the project."""

    def rows(name: str) -> list[dict[str, Any]]:
        path = CASES / name
        if not path.is_file():
            pytest.skip(f"the case file {name} does not lie in ../shared/cases")
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]

    return rows
