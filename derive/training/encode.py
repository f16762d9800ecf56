"""Columns as the arrays that a problem's symbols stand for.

What a column means follows from the declaration of its symbol: an index counts the different values of the column,
a family of indices those of its words, a one-hot vector has a place for each value, numbers and vectors are numbers.
Values of one range, such as 1..V, are counted together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from derive.errors import AuthorError
from derive.expressions.node import Node
from derive.lowering.batch import Batched, values_of
from derive.reading.scope import Entity
from derive.sizes import ONE, SCALAR, Dims, Range, Size
from derive.training.table import Table


@dataclass(slots=True)
class Vocabularies:
    """The values that an index counts from 1, by the size of its range."""

    places: dict[Size, dict[str, int]] = field(default_factory=dict)

    def place(self, size: Size, value: str) -> int:
        """The place of a value, which is given when it is first met."""
        known = self.places.setdefault(size, {})
        return known.setdefault(value, len(known) + 1)

    def words(self, size: Size) -> list[str]:
        """The values in order."""
        return list(self.places.get(size, {}))


@dataclass(frozen=True, slots=True)
class Column:
    """What is given for one symbol: an array over the examples, or (`owners`) one array for each of them."""

    name: str
    values: Any
    owners: str = ""

    def at(self, chosen: Any) -> dict[str, Any]:
        """What a lowered function is given for some examples, by name."""
        if not self.owners:
            return {self.name: self.values[chosen]}
        lists = [self.values[k] for k in chosen]
        owners = np.repeat(np.arange(1, len(lists) + 1), [len(values) for values in lists])
        return {self.name: np.concatenate(lists), self.owners: owners}


class Encoder:
    """Reads the columns of a table for the symbols of a problem."""

    def __init__(self, table: Table, batch: Batched, entities: dict[str, Entity]) -> None:
        self.table, self.batch, self.entities = table, batch, entities
        self.words, self.sizes = Vocabularies(), dict[str, int]()

    def column(self, symbol: str, names: tuple[str, ...]) -> Column:
        """The arrays for one symbol."""
        where, entity = f"columns.{symbol}", self.entities[symbol]
        cells = [self.table.column(name, where) for name in names]
        values = self._arrays(cells, entity, where) if isinstance(cells[0], np.ndarray) else None
        if values is None:
            values = self._texts(cells, names, entity, where)
        name = self.batch.names[symbol]
        if not isinstance(values, list) or symbol in self.batch.owners:
            return Column(name, values, self.batch.owners.get(symbol, ""))
        raise AuthorError("the column holds lists, but the symbol is no family", where)

    # ------------------------------------------------------------------------------------------- texts

    def _texts(self, cells: list[Any], names: tuple[str, ...], entity: Entity, where: str) -> Any:
        node = entity.node
        assert node is not None
        if entity.kind == "family":
            raise AuthorError("a family of numbers or vectors is read from an .npz file", where)
        if entity.kind == "index family":
            lists = [" ".join(row).split() for row in zip(*cells, strict=True)]
            for number, row in zip(self.table.rows, lists, strict=True):
                if not row:
                    raise AuthorError("there are no words", self._place(number, names[0]))
            return [np.array([self._index(values_of(entity), word, where) for word in row]) for row in lists]
        if entity.kind == "index" or "one-hot" in _properties(node):
            if len(cells) > 1:
                raise AuthorError("one column is needed", where)
            over = values_of(entity) if entity.kind == "index" else Range(ONE, _length(node.dims))
            places = np.array([self._index(over, cell, where) for cell in cells[0]])
            return places if entity.kind == "index" else _Later(places, over.hi, node.dims[1] != ONE)
        numbers = self._numbers(cells, names)
        if node.dims == SCALAR:
            if numbers.shape[1] > 1:
                raise AuthorError(f"the symbol is a number, but the column holds {numbers.shape[1]}", where)
            return numbers[:, 0]
        self._known(_length(node.dims), numbers.shape[1], where)
        return numbers if node.dims[1] == ONE else numbers[:, np.newaxis]

    def _index(self, over: Range, value: str, where: str) -> int:
        if over.lo != ONE or over.excluded:
            raise AuthorError(f"the index runs over {over}; values are counted from 1", where)
        return self.words.place(over.hi, value)

    def _numbers(self, cells: list[Any], names: tuple[str, ...]) -> Any:
        rows = list[list[float]]()
        for number, row in zip(self.table.rows, zip(*cells, strict=True), strict=True):
            rows.append([])
            for name, cell in zip(names, row, strict=True):
                for word in cell.replace(",", " ").split():
                    rows[-1].append(_number(word, self._place(number, name)))
            if len(rows[-1]) != len(rows[0]) or not rows[-1]:
                raise AuthorError(f"{len(rows[-1])} numbers, but {len(rows[0])} before", self._place(number, names[0]))
        return np.array(rows)

    def _place(self, number: int, name: str) -> str:
        return f"{self.table.source.file.name}: row {number}, column {name}"

    # ------------------------------------------------------------------------------------------- arrays

    def _arrays(self, cells: list[Any], entity: Entity, where: str) -> Any:
        (array, *more), node = cells, entity.node
        assert node is not None
        if more or array.dtype.kind not in "fiub":
            raise AuthorError("one array of numbers is needed", where)
        family, index = entity.kind.endswith("family"), entity.kind.startswith("index")
        axes = () if index or node.dims == SCALAR else node.dims[:1] if node.dims[1] == ONE else node.dims
        if array.ndim != 1 + family + len(axes) or (index and array.dtype.kind not in "iu"):
            kind = "whole numbers" if index else "numbers"
            raise AuthorError(
                f"an array of {kind} with {1 + family + len(axes)} axes is needed, not {array.shape}", where
            )
        for size, length in zip(axes, array.shape[1 + family :], strict=True):
            self._known(size, length, where)
        if index:
            places = self._positions(array, values_of(entity), where)
            return list(places) if family else places
        return list(array.astype(float)) if family else array.astype(float)

    def _positions(self, array: Any, over: Range, where: str) -> Any:
        if array.min() < 1:
            raise AuthorError("indices count from 1", where)
        known = self.words.places.setdefault(over.hi, {})
        for value in range(len(known) + 1, int(array.max()) + 1):
            known[str(value)] = value
        return array

    # ------------------------------------------------------------------------------------------- sizes

    def _known(self, size: Size, length: int, where: str) -> None:
        """A size that follows from the length of an axis."""
        terms = dict(size.terms)
        constant = terms.pop((), 0)
        for monomial, factor in terms.items():
            value, rest = divmod(length - constant, factor)
            fits = len(terms) == len(monomial) == 1 and rest == 0 and value > 0
            if fits and self.sizes.setdefault(monomial[0], value) == value:
                return
        if not terms and constant == length:
            return
        known = ", ".join(f"{name} = {value}" for name, value in self.sizes.items())
        raise AuthorError(f"{length} numbers for each example are not {size}" + (f" ({known})" if known else ""), where)

    def finished(self, columns: Sequence[Column], sizes: dict[str, int]) -> tuple[list[Column], dict[str, int]]:
        """The columns with all one-hot vectors written out, and the sizes that follow from the data or are given."""
        known = {**self.sizes, **sizes}
        for size in self.words.places:
            count = len(self.words.places[size])
            if size.number is None and len(size.terms) == 1 and size.terms[0][0][1:] == () and size.terms[0][1] == 1:
                known[size.terms[0][0][0]] = max(count, sizes.get(size.terms[0][0][0], 0))
            elif size.number is not None and count > size.number:
                raise AuthorError(f"{count} different values, but the range ends at {size}", "columns")
        for name, value in self.sizes.items():
            if known[name] != value:
                raise AuthorError(f"{name} is {value} by the data", f"sizes.{name}")
        out = [
            Column(c.name, c.values.written(known), c.owners) if isinstance(c.values, _Later) else c for c in columns
        ]
        return out, known


@dataclass(frozen=True, slots=True)
class _Later:
    """One-hot vectors whose length is known when all values are."""

    places: Any
    size: Size
    row: bool

    def written(self, sizes: dict[str, int]) -> Any:
        length = self.size.value(sizes)
        found = (np.arange(1, length + 1) == self.places[:, np.newaxis]).astype(float)
        return found[:, np.newaxis] if self.row else found


def _properties(node: Node) -> tuple[str, ...]:
    return tuple("one-hot" if p.startswith("one-hot at ") else p for p in node.data[2]) if node.op == "symbol" else ()


def _length(dims: Dims) -> Size:
    return dims[0] if dims[1] == ONE else dims[1]


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise AuthorError(f"{text!r} is not a number", where) from None
    if not np.isfinite(value):
        raise AuthorError(f"{text!r} is not a finite number", where)
    return value
