"""The files that problems stand in: where the catalogue lies, and the keys of TOML and JSON texts.

What parses is imported when there is something to parse, so that the catalogue's files are found at once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def catalogue_folder() -> Path:
    """Where the catalogue lies: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "problems"
    return inside if inside.is_dir() else package.parent / "problems"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Path]:
    """The files of the catalogue by id."""
    found = sorted(f"{top}/{name}" for top, _, names in os.walk(catalogue_folder()) for name in names)
    return {path.stem: path for path in map(Path, found) if path.suffix == ".toml"}


def parse_toml(text: str, where: str) -> Mapping[str, Any]:
    """The keys of a TOML text; an `AuthorError` with line and column where it does not parse."""
    import tomllib

    from derive.errors import AuthorError

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as problem:
        raise AuthorError(f"this is not TOML: {problem}", where) from None
    except RecursionError:
        raise AuthorError("this TOML is nested too deep", where) from None


def parse_json(text: str, where: str) -> Mapping[str, Any]:
    """The keys of a JSON text; a name that stands twice is an error."""
    from derive.errors import AuthorError

    try:
        return json.loads(text, object_pairs_hook=once)  # type: ignore[no-any-return]
    except AuthorError as problem:
        raise problem.at(where) from None
    except ValueError as problem:
        raise AuthorError(f"this is not JSON: {problem}", where) from None
    except RecursionError:
        raise AuthorError("this JSON is nested too deep", where) from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are all different."""
    from derive.errors import AuthorError

    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise AuthorError(f"the key {key} stands twice in one object")
        out[key] = value
    return out
