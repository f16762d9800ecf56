"""Tables of data: columns of texts from a file with a header, or of arrays from an .npz file."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from derive.errors import AuthorError
from derive.training.config import Source

EDGE = "<edge>"
_MOVED = re.compile(r"^(.+?)([+-]\d+)$")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal lengths, and for each example the row of the file that it is from (the header is row 1)."""

    columns: dict[str, Any]
    rows: Any
    source: Source

    @property
    def count(self) -> int:
        """The number of examples."""
        return len(self.rows)

    def column(self, name: str, where: str) -> Any:
        """A column: a list of texts, or an array whose first axis is the examples."""
        if name in self.columns:
            return self.columns[name]
        moved = _MOVED.match(name)
        if moved is not None and moved[1] in self.source.tokens:
            return list(self._moved(moved[1], int(moved[2])))
        known = ", ".join(self.columns)
        raise AuthorError(f"there is no column {name} in {self.source.file.name}; there are {known}", where)

    def _moved(self, name: str, by: int) -> Iterator[str]:
        """The words before or after, within the row."""
        words = self.columns[name]
        for k in range(self.count):
            inside = 0 <= k + by < self.count and self.rows[k + by] == self.rows[k]
            yield words[k + by] if inside else EDGE


def read_table(source: Source) -> Table:
    """The table in a .tsv, .csv or .npz file."""
    if source.file.suffix == ".npz":
        return _arrays(source)
    if source.file.suffix not in (".tsv", ".csv"):
        raise AuthorError(f"{source.file.name} should be a .tsv, .csv or .npz file", "data.file")
    try:
        with source.file.open(encoding="utf-8", newline="") as lines:
            dialect = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if source.file.suffix == ".tsv" else {}
            listed = list(csv.reader(lines, strict=True, **dialect))  # type: ignore[arg-type]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise AuthorError(f"the file cannot be read: {problem}", "data.file") from None
    header, *rows = listed or [[]]
    numbered = [(number, row) for number, row in enumerate(rows, 2) if row]
    if not header or not numbered:
        raise AuthorError(
            f"{source.file.name} has no rows: a header and one row for each example are needed", "data.file"
        )
    for number, row in numbered:
        if len(row) != len(header):
            place = f"{source.file.name}: row {number}"
            raise AuthorError(f"{len(row)} cells, but the header has {len(header)}", place)
    columns = {name: [_text(row[k], source) for _, row in numbered] for k, name in enumerate(header)}
    table = Table(columns, np.array([number for number, _ in numbered]), source)
    return _by_word(table) if source.tokens else table


def _text(cell: str, source: Source) -> str:
    return cell.strip().lower() if source.lower else cell.strip()


def _by_word(table: Table) -> Table:
    """One example for each word of the columns `tokens`."""
    split = {name: [cell.split() for cell in table.column(name, "data.tokens")] for name in table.source.tokens}
    counts = [len(words) for words in split[table.source.tokens[0]]]
    for name, words in list(split.items())[1:]:
        for number, mine, wanted in zip(table.rows, map(len, words), counts, strict=True):
            if mine != wanted:
                place = f"{table.source.file.name}: row {number}"
                raise AuthorError(f"{mine} words in {name}, but {wanted} in {table.source.tokens[0]}", place)
    columns = {
        name: list(chain.from_iterable(split[name]))
        if name in split
        else [cell for cell, count in zip(cells, counts, strict=True) for _ in range(count)]
        for name, cells in table.columns.items()
    }
    return Table(columns, np.repeat(table.rows, counts), table.source)


def _arrays(source: Source) -> Table:
    try:
        with np.load(source.file, allow_pickle=False) as stored:
            columns = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise AuthorError(f"the file cannot be read: {problem}", "data.file") from None
    counts = {name: len(array) if array.ndim else 0 for name, array in columns.items()}
    if not counts or len(set(counts.values())) > 1 or 0 in counts.values():
        raise AuthorError(f"the first axes of {source.file.name} differ or are empty: {counts}", "data.file")
    return Table(columns, np.arange(1, min(counts.values()) + 1), source)
