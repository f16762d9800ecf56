"""What a person is told of a verdict: its head, its reasons, a counterexample, in pieces with their looks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from derive.plaintext import LONGEST, clean, readable, short

Piece = tuple[str, str]
Row = tuple[str, tuple[Piece, ...]]

LOOKS = {
    "correct": ("✓", "green"),
    "layout": ("⇄", "yellow"),
    "incorrect": ("✗", "red"),
    "undecided": ("?", "magenta"),
    "unreadable": ("!", "magenta"),
    "skipped": ("·", "dim"),
}


class Shown(NamedTuple):
    """A verdict in pieces of text, each with its look; `rows` have a label each."""

    head: tuple[Piece, ...]
    place: str
    rows: tuple[Row, ...]


def layout_of(found: Mapping[str, Any], place: str, details: bool) -> Shown:
    """One verdict, laid out; `place` is what the answer is called if it has no id."""
    icon, colour = LOOKS[found["verdict"]]
    code = "" if found["code"] == found["verdict"] else f" ({found['code']})"
    name = place if found["id"] is None else str(found["id"])
    verdict, message = found["verdict"] + code, f"  {clean(found['message'])}"
    head = ((f"{icon} ", colour), (short(name), "bold"), ("  ", ""), (verdict, colour), (message, ""))
    return Shown(head, clean(found["evidence"].get("place", "")), tuple(_facts(found, details)))


def plain(shown: Shown) -> str:
    """The same without looks, as it is written to a file."""
    lines = "".join(text for text, _ in shown.head).split("\n")
    lines += [f"    {line}" for line in shown.place.split("\n")] if shown.place else []
    width = max((len(label) for label, _ in shown.rows), default=0)
    lines += [f"    {label:<{width}}   {''.join(text for text, _ in value)}" for label, value in shown.rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _facts(found: Mapping[str, Any], details: bool) -> Iterator[Row]:
    """The rows under a verdict: how it was read, what each member of a chain is, the counterexample."""
    if found["read_as"] and (details or found["verdict"] != "correct"):
        yield "read as", ((short(readable(found["read_as"])), ""),)
    if "first_wrong" in found and (details or found["first_wrong"] is not None):
        for number, step in enumerate(found["steps"]):
            icon, colour = LOOKS[step["verdict"]]
            yield f"member {number}", ((f"{icon} ", colour), (short(step["text"].strip()), ""))
    if details and "method" in found["evidence"]:
        yield "decided by", ((found["evidence"]["method"], ""),)
    example = found["evidence"].get("counterexample")
    if example:
        sizes = {**example.get("sizes", {}), **example.get("indices", {})}
        yield from _settings(sizes, example.get("values", {}), details)
        yield "your formula gives", ((short(json.dumps(example["answer"])), "red"),)
        yield "the derivative is", ((short(json.dumps(example["derivative"])), "green"),)


def _settings(sizes: Mapping[str, Any], values: Mapping[str, Any], details: bool) -> Iterable[Row]:
    given = [f"{readable(name)} = {json.dumps(value)}" for name, value in values.items()]
    named = ", ".join(f"{readable(name)} = {value}" for name, value in sizes.items())
    if named:
        yield "for", ((clean(named), ""),)
    if details or len("; ".join(given)) < LONGEST // 2:
        for number, text in enumerate(given):
            yield ("" if number or named else "for"), ((short(text), ""),)
