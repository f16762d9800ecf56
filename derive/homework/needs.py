"""Packages that only homework needs: imported when they are needed, with an error that says how to get them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from derive.errors import AuthorError


def needed(name: str) -> ModuleType:
    """A module of a package of the extra `homework`."""
    try:
        return import_module(name)
    except ModuleNotFoundError as problem:
        package = (problem.name or name).partition(".")[0]
        message = (
            f"reading this needs the package {package}: install derive with its extra, pip install 'derive[homework]'"
        )
        raise AuthorError(message) from None
