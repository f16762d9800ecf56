"""What `derive train` is told: a TOML file, every key read, every error with its key and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from derive.errors import AuthorError
from derive.problem.builder import problem_from
from derive.problem.files import parse_toml
from derive.problem.load import by_identifier, load_file
from derive.problem.problem import Problem

INITS = ("zeros", "ones", "normal", "uniform")


@dataclass(frozen=True, slots=True)
class Init:
    """How a parameter starts: all zeros, all ones, or drawn at a scale."""

    kind: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """Where the examples come from.

    `tokens` are columns of as many words each: a row then gives one example for each word, and `word-1`, `word+2`
    are the words before and after.
    """

    file: Path
    tokens: tuple[str, ...] = ()
    lower: bool = False
    held_out: float = 0.0


@dataclass(frozen=True, slots=True)
class Descent:
    """θ ← θ − α ∇J: the rate α of an epoch is rate / (1 + decay · epoch), counted from 0; batch 1 is plain SGD."""

    epochs: int = 10
    batch: int = 16
    rate: float = 0.1
    decay: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The share of examples for which the largest entry of `of` (a number: above ½) is what `against` says."""

    of: str
    against: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """The words whose vectors in the table `of` have the largest cosine with those of some words."""

    of: str
    words: tuple[str, ...]
    count: int = 5


@dataclass(frozen=True, slots=True)
class Config:
    """A training run."""

    path: Path
    problem: Problem
    source: Source
    columns: dict[str, tuple[str, ...]]
    parameters: dict[str, Init]
    constants: dict[str, float]
    sizes: dict[str, int]
    descent: Descent
    accuracy: Accuracy | None = None
    nearest: Nearest | None = None
    title: str = field(default="")


def read_config(path: Path) -> Config:
    """The run that a TOML file describes.  Raises `AuthorError` with the file, the key and the place."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise AuthorError(f"the file cannot be read: {problem}", str(path)) from None
    data = parse_toml(text, str(path))
    try:
        return _config(path, _Table(data, ""))
    except AuthorError as problem:
        raise problem.at(path.name) from None


def _config(path: Path, table: _Table) -> Config:
    table.only("problem data columns parameters constants sizes training accuracy nearest".split())
    accuracy, nearest = table.table("accuracy"), table.table("nearest")
    problem = _problem(table, path.parent)
    return Config(
        path, problem, _source(table.table("data", needed=True), path.parent),
        {name: _names(name, value) for name, value in table.table("columns", needed=True).items()},
        {name: _init(f"parameters.{name}", value) for name, value in table.table("parameters", needed=True).items()},
        table.table("constants").each("a number", float), table.table("sizes").each("a whole number above 0", _size),
        _descent(table.table("training")),
        Accuracy(accuracy.text("of"), accuracy.text("against")) if accuracy.data else None,
        Nearest(nearest.text("of"), nearest.texts("words"), nearest.get("count", "a whole number above 0", _size, 5))
        if nearest.data else None,
        problem.title,
    )  # fmt: skip


def _problem(table: _Table, folder: Path) -> Problem:
    """An id of the catalogue, a file beside the config, or the problem itself."""
    given = table.data.get("problem")
    try:
        if isinstance(given, Mapping):
            return problem_from(given)
        if isinstance(given, str):
            return load_file(folder / given) if given.endswith((".toml", ".json")) else by_identifier(given)
    except AuthorError as problem:
        raise problem.at("problem") from None
    raise AuthorError("an id of the catalogue, a file or a table with loss and symbols is needed", "problem")


def _source(table: _Table, folder: Path) -> Source:
    table.only(["file", "tokens", "lower", "held_out"])
    return Source(
        folder / table.text("file"), table.texts("tokens", ()), table.get("lower", "true or false", _flag, False),
        table.get("held_out", "a share from 0 to below 1", _share, 0.0),
    )  # fmt: skip


def _descent(table: _Table) -> Descent:
    table.only(["epochs", "batch", "rate", "decay", "seed"])
    count = "a whole number above 0"
    return Descent(
        table.get("epochs", count, _size, 10), table.get("batch", count, _size, 16),
        table.get("rate", "a number above 0", _positive, 0.1), table.get("decay", "a number, 0 or more", _decay, 0.0),
        table.get("seed", "a whole number, 0 or more", _seed, 0),
    )  # fmt: skip


def _names(key: str, value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed or not all(isinstance(v, str) for v in listed):
        raise AuthorError("the name of a column, or a list of names, is needed", f"columns.{key}")
    return tuple(listed)


def _init(where: str, value: Any) -> Init:
    """`zeros`, `ones`, `normal 0.1` (the standard deviation), `uniform 0.1` (between -0.1 and 0.1)."""
    words = value.split() if isinstance(value, str) else []
    if words and words[0] in INITS:
        try:
            scale = float(words[1]) if len(words) == 2 else 1.0
        except ValueError:
            scale = -1.0
        if len(words) == 1 or (len(words) == 2 and words[0] in ("normal", "uniform") and scale > 0):
            return Init(words[0], scale)
    raise AuthorError(f"{value!r} should be zeros, ones, 'normal 0.1' or 'uniform 0.1'", where)


# --------------------------------------------------------------------------------------- tables and values


class _Table:
    """A table of the file, whose errors name the key."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, Mapping):
            raise AuthorError("this is to be a table", where)
        self.data, self.where = data, where

    def at(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def only(self, keys: list[str]) -> None:
        """Complain of a key that is not known."""
        for key in self.data:
            if key not in keys:
                near = get_close_matches(key, keys, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(keys)}"
                raise AuthorError(f"unknown key{hint}", self.at(key))

    def table(self, key: str, needed: bool = False) -> _Table:
        if needed and key not in self.data:
            raise AuthorError("the table is missing", self.at(key))
        return _Table(self.data.get(key, {}), self.at(key))

    def items(self) -> list[tuple[str, Any]]:
        return list(self.data.items())

    def get(self, key: str, wanted: str, read: Callable[[Any], Any], default: Any = None) -> Any:
        """A value, read; `wanted` says what it should be."""
        if key not in self.data:
            if default is None:
                raise AuthorError(f"{wanted} is needed", self.at(key))
            return default
        value = self.data[key]
        found = None if isinstance(value, bool) and read is not _flag else read(value)
        if found is None:
            raise AuthorError(f"{value!r} should be {wanted}", self.at(key))
        return found

    def each(self, wanted: str, read: Callable[[Any], Any]) -> dict[str, Any]:
        kept = (lambda v: float(v) if isinstance(v, (int, float)) else None) if read is float else read
        return {key: self.get(key, wanted, kept) for key in self.data}

    def text(self, key: str) -> str:
        return str(self.get(key, "a text", lambda v: v if isinstance(v, str) and v else None))

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        def read(value: Any) -> tuple[str, ...] | None:
            good = isinstance(value, list) and value and all(isinstance(v, str) for v in value)
            return tuple(value) if good else None

        found: tuple[str, ...] = self.get(key, "a list of texts", read, default)
        return found


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _seed(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _share(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1 else None


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 < value < float("inf") else None


def _decay(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 <= value < float("inf") else None
