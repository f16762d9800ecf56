"""JSONL: every line that is not blank becomes a question or the reason why it is none; values that JSON can hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from derive.errors import AuthorError
from derive.problem.files import once

MAX_BYTES = 2**21
MAX_NESTING = 64
MAX_DIGITS = 300
BYTE_ORDER_MARK = "\ufeff"

# A string (to the end of the line if nothing closes it), a bracket, a separator, or anything else.
_TOKEN = r"""(?s)"(?:[^"\\]++|\\.)*+"?|[{}\[\]]|[:,]|[^\s"{}\[\]:,]++"""
_LONE_SURROGATE = "[\ud800-\udfff]"


class Line(NamedTuple):
    """One line of input: a question, or None and the error; the id where there is one."""

    number: int
    identifier: Any
    question: Mapping[str, Any] | None
    error: str = ""


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of a JSONL stream that are not blank; a line that is too long is passed over unread."""
    for number, (raw, whole) in enumerate(_raw_lines(stream), 1):
        if number == 1:
            raw = raw.removeprefix(BYTE_ORDER_MARK.encode())
        if not raw.strip():
            continue
        text = raw.decode("utf-8", errors="replace")
        if not whole:
            error = f"This line is longer than {MAX_BYTES} bytes and was not read."
            yield Line(number, identifier_in(text), None, error)
            continue
        try:
            question = parse(raw)
        except ValueError as problem:
            yield Line(number, identifier_in(text), None, str(problem))
        else:
            yield Line(number, question.get("id"), question)


def _raw_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The bytes of each line, at most `MAX_BYTES` of them, and whether that is all of the line."""
    while raw := stream.readline(MAX_BYTES + 1):
        rest, whole = raw, True
        while len(rest) > MAX_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_BYTES + 1)
            whole = False
            raw = raw if raw.strip() else rest
        yield raw, whole


def parse(raw: bytes) -> Mapping[str, Any]:
    """The object that a line holds.  Raises `ValueError` with a message for the author of the line."""
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError as problem:
        raise ValueError(f"This line is not UTF-8: byte {problem.start + 1} is not understood.") from None
    if text.startswith(BYTE_ORDER_MARK):
        raise ValueError("This line starts with a byte order mark, which is allowed at the start of a file only.")
    if text.count("{") + text.count("[") > MAX_NESTING and nesting(text) > MAX_NESTING:
        raise ValueError(f"This line is nested deeper than {MAX_NESTING} levels.")
    found = _decode(text)
    if not isinstance(found, dict):
        raise ValueError("This line is no question: a question is a JSON object {…}.")
    if "\\u" in text and re.search(_LONE_SURROGATE, json.dumps(found, ensure_ascii=False)):
        raise ValueError("This line holds half of a surrogate pair (\\ud800 … \\udfff), which is no character.")
    return found


def _decode(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=once, parse_constant=_no_number, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as problem:
        reason = "something follows the first value" if problem.msg == "Extra data" else problem.msg
        raise ValueError(f"This line is not JSON: {reason} (column {problem.colno}).") from None
    except AuthorError as problem:
        raise ValueError(f"This line is not one question: {problem.message}.") from None


def _no_number(text: str) -> Any:
    raise ValueError(f"This line is not JSON: {text[:20]} is no number that can be read.")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _whole(text: str) -> int:
    return int(text) if len(text) <= MAX_DIGITS else int(_no_number(text))


def nesting(text: str) -> int:
    """How deep the objects and arrays of a line are nested.

    >>> nesting('{"a": ["{{{", []]}')
    3
    """
    depth = deepest = 0
    for match in re.finditer(_TOKEN, text):
        depth += (match[0] in ("{", "[")) - (match[0] in ("}", "]"))
        deepest = max(deepest, depth)
    return deepest


def identifier_in(text: str) -> Any:
    """The id in a line that is not JSON as a whole; None where there is none.

    >>> identifier_in('{"problem": {"id": 1}, "id": "q7", "wrt": }')
    'q7'
    """
    depth, key, colon = 0, "", False
    for match in re.finditer(_TOKEN, text):
        token = match[0]
        if depth == 1 and colon and key == '"id"':
            return _plain(token)
        depth += (token in ("{", "[")) - (token in ("}", "]"))
        key, colon = (key, True) if token == ":" else (token, False)
    return None


def _plain(token: str) -> Any:
    """The text or number that a token of JSON stands for, else None."""
    try:
        return _decode(token)
    except ValueError:
        return None


def plain(value: Any) -> Any:
    """A value as JSON can hold it: NumPy's numbers as Python's, infinity and NaN as text."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return plain(value.item())
