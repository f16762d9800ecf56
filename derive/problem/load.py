"""Problems from files: the catalogue, TOML, JSON."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from derive.errors import AuthorError
from derive.problem.builder import problem_from
from derive.problem.problem import Problem


@lru_cache(maxsize=1)
def catalogue_folder() -> Path:
    """Where the catalogue lies: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "problems"
    return inside if inside.is_dir() else package.parent / "problems"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Path]:
    """The files of the catalogue by id."""
    found = sorted(catalogue_folder().rglob("*.toml"))
    return {path.stem: path for path in found}


def parse_toml(text: str, where: str) -> Mapping[str, Any]:
    """The keys of a TOML text; an `AuthorError` with line and column where it does not parse."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as problem:
        raise AuthorError(f"this is not TOML: {problem}", where) from None
    except RecursionError:
        raise AuthorError("this TOML is nested too deep", where) from None


def parse_json(text: str, where: str) -> Mapping[str, Any]:
    """The keys of a JSON text; a name that stands twice is an error."""
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
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise AuthorError(f"the key {key} stands twice in one object")
        out[key] = value
    return out


def load_file(path: Path) -> Problem:
    """The problem in a TOML or JSON file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise AuthorError(f"the file cannot be read: {problem}", str(path)) from None
    data = parse_json(text, str(path)) if path.suffix == ".json" else parse_toml(text, str(path))
    try:
        return problem_from(data, path.stem)
    except AuthorError as problem:
        raise problem.at(path.name) from None


@lru_cache(maxsize=256)
def by_identifier(identifier: str) -> Problem:
    """A problem of the catalogue."""
    path = catalogue().get(identifier)
    if path is None:
        import difflib

        near = difflib.get_close_matches(identifier, list(catalogue()), n=1)
        hint = f"; did you mean {near[0]}?" if near else "; `derive list` shows what there is"
        raise AuthorError(f"there is no problem {identifier[:60]!r} in the catalogue{hint}")
    return load_file(path)


def load(name: str) -> Problem:
    """A problem by its id in the catalogue, or from a file."""
    path = Path(name)
    if name in catalogue() or path.suffix not in (".toml", ".json"):
        return by_identifier(name)
    return load_file(path)
