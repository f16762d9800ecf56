"""Problems without a file: from the options of a command, and from what comes in on standard input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from derive.errors import AnswerError, AuthorError
from derive.problem.builder import problem_from
from derive.problem.files import parse_json, parse_toml
from derive.problem.problem import Problem

STANDARD_INPUT = "standard input"
OPTIONS = {"symbols": "--symbol", "define": "--define", "names": "--name"}
MOST_MISSING = 12
_POWER = re.compile(r"\s*\^\s*(?:\{\s*)?(?:\d+|T|\\top)(?:\s*\})?$")
_OPENING, _CLOSING = "{([", "})]"

Table = dict[str, Any]


def split_equation(text: str) -> tuple[str, str]:
    r"""The two sides of the first `=` outside of all brackets; the second is empty where there is none.

    >>> split_equation(r"P(O=o|C=c) = \hat{y}_o")
    ('P(O=o|C=c)', '\\hat{y}_o')
    """
    depth = 0
    for k, char in enumerate(text):
        depth += (char in _OPENING) - (char in _CLOSING)
        if char == "=" and depth <= 0:
            return text[:k].strip(), text[k + 1 :].strip()
    return text.strip(), ""


def from_options(
    loss: str, symbols: Iterable[str] = (), define: Iterable[str] = (), names: Iterable[str] = ()
) -> Problem:
    """The problem that a loss and equations `NAME = …` describe.

    Raises `AuthorError` that names the option at fault, and what to declare where something is not.
    """
    given = {"symbols": symbols, "define": define, "names": names}
    table: Table = {"loss": loss, **{key: _equations(OPTIONS[key], texts) for key, texts in given.items()}}
    try:
        return problem_from(table)
    except AuthorError as problem:
        raise _in_terms_of_options(table, problem) from None


def given_names(problem: Problem) -> tuple[str, ...]:
    """The symbols that are given and vary: all that a derivative can be with respect to."""
    found = [e.node for e in problem.scope.all() if e.kind in ("value", "family") and e.node is not None]
    return tuple(str(node.data[0]) for node in found if node not in problem.meanings)


def _equations(option: str, texts: Iterable[str]) -> dict[str, str]:
    out: dict[str, str] = {}
    for text in texts:
        name, rest = split_equation(text)
        if not name or not rest:
            what = "SHAPE" if option == OPTIONS["symbols"] else "FORMULA"
            raise AuthorError(f"write NAME = {what}, as in {option} '{_example(option)}'", f"{option} '{text}'")
        if name in out:
            raise AuthorError(f"{name} stands twice", f"{option} '{text}'")
        out[name] = rest
    return out


def _example(option: str) -> str:
    return {"--symbol": "W = C x d", "--define": "z = W x + b"}.get(option, r"\delta = \hat{y} - y")


def _in_terms_of_options(table: Table, problem: AuthorError) -> AuthorError:
    """An error about the keys of a table as one about the options that they came from."""
    key, _, rest = problem.where.partition(".")
    name = rest.strip("'")
    where = f"{OPTIONS[key]} '{name} = {table[key].get(name, '…')}'" if key in OPTIONS else problem.where
    missing = _undeclared(table, key, name)
    if not missing:
        return AuthorError(problem.message, "LOSS" if key == "loss" else where, problem.place)
    options = " ".join(f"--symbol '{one} = SHAPE'" for one in missing)
    are = "is" if len(missing) == 1 else "are"
    message = f"{', '.join(missing)} {are} not declared; add {options}, where SHAPE is scalar, d, C x d or the like"
    return AuthorError(message, "LOSS" if key == "loss" else where, problem.place)


def _undeclared(table: Table, key: str, name: str) -> list[str]:
    """The names in the formula at fault that nothing declares; each found is taken for a number to find the next."""
    text = str(table["loss"] if key == "loss" else table.get(key, {}).get(name, ""))
    if key not in ("loss", "define", "names"):
        return []
    before = dict(list(table["define"].items())[: _position(table, name)]) if key == "define" else table["define"]
    _, formula = split_equation(text) if key == "loss" and split_equation(text)[1] else ("", text)
    found: dict[str, str] = {}
    for _ in range(MOST_MISSING):
        one = _first_undeclared({"loss": "0", "define": before, "symbols": {**table["symbols"], **found}}, formula)
        if not one or one in found:
            break
        found[one] = "scalar"
    return list(found)


def _position(table: Table, name: str) -> int:
    return list(table["define"]).index(name)


def _first_undeclared(table: Table, formula: str) -> str:
    try:
        reader = problem_from(table).reader()
        reader.expression(reader.parse(formula))
    except AnswerError as error:
        if error.code == "unknown-symbol" and error.span is not None:
            start, end = error.span
            in_script = formula[:start].rstrip("{ ").endswith(("_", "^"))
            return "" if in_script else _POWER.sub("", formula[start:end].strip())
    except AuthorError:
        pass
    return ""


def from_text(raw: bytes, where: str = STANDARD_INPUT) -> Problem:
    """The problem in a text of TOML, or of JSON where it starts with `{`."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise AuthorError(f"this is not UTF-8: byte {problem.start + 1} is not understood", where) from None
    parse = parse_json if text.lstrip().startswith("{") else parse_toml
    data = parse(text, where)
    try:
        return problem_from(data)
    except AuthorError as problem:
        raise problem.at(where) from None
