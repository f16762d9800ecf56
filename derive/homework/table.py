"""Tables of a TOML file whose errors name the key and its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from derive.errors import AuthorError

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.-]+|'[^']*'|\"[^\"]*\")\s*=")
_PART = re.compile(r"\.?(\w[\w-]*|'[^']*')|\[\d+\]")


class Table:
    """A table with the path that leads to it, such as `questions[2].rubric`."""

    def __init__(self, data: Any, where: str = "") -> None:
        if not isinstance(data, Mapping):
            raise AuthorError("this is to be a table", where)
        self.data, self.where = data, where

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self.where}.{key}" if self.where else key

    def only(self, keys: Sequence[str]) -> None:
        """Complain of a key that is not known."""
        for key in self.data:
            if key not in keys:
                near = get_close_matches(key, keys, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(keys)}"
                raise AuthorError(f"unknown key; {hint}", self.at(key))

    def read(self, key: str, wanted: str, read: Callable[[Any], Any], default: Any = None) -> Any:
        """A value as `read` gives it; None from it means that it is not what is `wanted`."""
        if key not in self.data:
            if default is None:
                raise AuthorError(f"{wanted} is needed", self.at(key))
            return default
        found = read(self.data[key])
        if found is None:
            raise AuthorError(f"{self.data[key]!r} should be {wanted}", self.at(key))
        return found

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        return str(self.read(key, "a text", lambda v: v if isinstance(v, str) and v.strip() else None, default))

    def one_of(self, key: str, words: Sequence[str], default: str = "") -> str:
        """One of some words."""
        wanted = f"one of {', '.join(words)}"
        return str(self.read(key, wanted, lambda v: v if v in words else None, default))

    def number(self, key: str, wanted: str, least: float, default: float) -> float:
        """A number of at least `least`."""
        return float(self.read(key, wanted, lambda v: v if _is_number(v) and v >= least else None, default))

    def whole(self, key: str, default: int) -> int:
        """A whole number, 0 or more."""
        wanted = "a whole number, 0 or more"
        good = lambda v: v if isinstance(v, int) and not isinstance(v, bool) and v >= 0 else None  # noqa: E731
        return int(self.read(key, wanted, good, default))

    def table(self, key: str) -> Table:
        """A table inside; empty if it is not there."""
        return Table(self.data.get(key, {}), self.at(key))

    def tables(self, key: str) -> list[Table]:
        """The tables of a list `[[key]]`."""
        listed = self.data.get(key, [])
        if not isinstance(listed, list):
            raise AuthorError(f"these are written as [[{key}]]", self.at(key))
        return [Table(one, f"{self.at(key)}[{k}]") for k, one in enumerate(listed)]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")


# ------------------------------------------------------------------------------------------------ places


def located(error: AuthorError, text: str, name: str) -> AuthorError:
    """An error with the file's name, and the line that its key stands on."""
    line = line_of(text, error.where)
    found = error.at(f"{name}:{line}" if line else name)
    if line and not found.place:
        found.place = f"{line:>5} | {text.splitlines()[line - 1].strip()[:100]}"
    return found


def line_of(text: str, where: str) -> int:
    """The line of a key such as `questions[1].points`, or of the nearest table around it; 0 where there is none.

    >>> line_of("title = 'a'\\n[[questions]]\\nid = 'q1'\\n[[questions]]\\npoints = 'x'\\n", "questions[1].points")
    5
    """
    places = _places(text)
    parts = [m[0].lstrip(".") for m in _PART.finditer(where.split(": ")[0])]
    for end in range(len(parts), 0, -1):
        path = "".join(p if p.startswith("[") else f".{p}" for p in parts[:end]).lstrip(".")
        if path in places:
            return places[path]
    return 0


def _places(text: str) -> dict[str, int]:
    """The lines of all keys and headers by their paths."""
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), 1):
        if (header := _HEADER.match(line)) is not None:
            prefix = _path(header[2], counts, header[1] == "[[")
            places[prefix] = number
        elif (key := _KEY.match(line)) is not None:
            places.setdefault(f"{prefix}.{key[1]}".lstrip("."), number)
    return places


def _path(name: str, counts: dict[str, int], listed: bool) -> str:
    """`questions.tests` as `questions[2].tests[0]`, counted."""
    path = ""
    parts = [p.strip() for p in name.split(".")]
    for k, part in enumerate(parts):
        path = f"{path}.{part}".lstrip(".")
        if listed and k == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path
