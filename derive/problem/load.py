"""Problems from files: the catalogue, TOML, JSON."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from derive.errors import AuthorError
from derive.problem.builder import problem_from
from derive.problem.files import catalogue, parse_json, parse_toml
from derive.problem.problem import Problem


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
