"""A model to train: a problem lowered for batches, its data as arrays, its parameters with their first values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from derive.errors import AuthorError, EvaluationError
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.batch import Batched, batched
from derive.lowering.lower import Lowered
from derive.problem.problem import Problem
from derive.reading.scope import Entity
from derive.sizes import ONE, SCALAR, Size, describe
from derive.training.config import Config, Init
from derive.training.encode import Column, Encoder, Vocabularies
from derive.training.table import read_table

CHUNK = 256


@dataclass(slots=True)
class Model:
    """Everything that a run needs; `parameters` are by their names in the problem and change while it is trained."""

    config: Config
    batch: Batched
    columns: list[Column]
    words: Vocabularies
    sizes: dict[str, int]
    constants: dict[str, float]
    parameters: dict[str, Any]
    training: Any
    held_out: Any
    step: Lowered
    measure: Lowered

    def loss_and_gradients(self, chosen: Any) -> tuple[float, dict[str, Any]]:
        """The mean loss over some examples, and its gradients."""
        with np.errstate(all="ignore"):
            loss, gradients = self.step.function(*self._arguments(self.step, chosen))
        return float(loss), gradients

    def measured(self, chosen: Any) -> tuple[float, dict[str, Any]]:
        """The mean loss over some examples, and the values that accuracy is measured by, one for each example."""
        losses, values = list[float](), dict[str, list[Any]]()
        for part in np.split(chosen, range(CHUNK, len(chosen), CHUNK)):
            with np.errstate(all="ignore"):
                loss, found = self.measure.function(*self._arguments(self.measure, part))
            losses.append(float(loss) * len(part) / len(chosen))
            for name, value in found.items():
                values.setdefault(name, []).append(value)
        return sum(losses), {name: np.concatenate(parts) for name, parts in values.items()}

    def _arguments(self, lowered: Lowered, chosen: Any) -> list[Any]:
        given: dict[str, Any] = {**self.sizes, **self.constants, **self.parameters}
        for column in self.columns:
            given |= column.at(chosen)
        return [given[argument.latex] for argument in lowered.described]

    def called(self, name: str) -> str:
        """What a name that varies with the example is called in the batch."""
        return next(new for old, new in self.batch.names.items() if _plain(old) == _plain(name))

    def column(self, symbol: str) -> Any:
        """The values of one symbol for all examples."""
        return next(c.values for c in self.columns if c.name == self.called(symbol))


def model_of(config: Config) -> Model:
    """The model that a config describes, its gradients confirmed.  Raises `AuthorError` with the key at fault."""
    symbols = _Symbols(config)
    table = read_table(config.source)
    batch = _batched(config.problem, symbols)
    encoder = Encoder(table, batch, symbols.entities)
    found = [encoder.column(name, columns) for name, columns in symbols.columns.items()]
    columns, sizes = encoder.finished(found, config.sizes)
    values = list(_watched(config, batch, symbols))
    try:
        step, measure = batch.lowered(symbols.parameters), batch.lowered((), values)
    except EvaluationError as problem:
        raise AuthorError(str(problem), "problem") from None
    rng = np.random.default_rng([config.descent.seed, 0])
    parameters = {
        name: _drawn(symbols.node(name), init, sizes, rng) for name, init in sorted(symbols.parameters.items())
    }
    _needed(step, measure, parameters, columns, sizes, symbols)
    training, held_out = _split(table.rows, config)
    return Model(
        config, batch, columns, encoder.words, sizes, symbols.constants, parameters, training, held_out, step, measure
    )


class _Symbols:
    """What becomes of each symbol that the problem gives: a column, a parameter or a constant."""

    def __init__(self, config: Config) -> None:
        problem = config.problem
        self.entities = {e.key: e for e in problem.scope.all() if _is_given(e, problem)}
        self.columns = {self._called(name, "columns"): v for name, v in config.columns.items()}
        self.parameters = {self._called(name, "parameters"): v for name, v in config.parameters.items()}
        self.constants = {self._called(name, "constants"): v for name, v in config.constants.items()}
        places: dict[str, Collection[str]] = {
            "columns": self.columns,
            "parameters": self.parameters,
            "constants": self.constants,
        }
        for key, entity in self.entities.items():
            mine = [place for place, names in places.items() if key in names]
            if len(mine) != 1:
                where = f"{mine[1]}.{key}" if mine else "columns"
                self._refuse(key, entity, mine, where)
        for name in self.parameters:
            if self.entities[name].kind not in ("value", "family"):
                raise AuthorError(f"{name} is an index: it cannot be trained", f"parameters.{name}")
        for name in self.constants:
            node = self.entities[name].node
            if self.entities[name].kind != "value" or node is None or node.dims != SCALAR:
                raise AuthorError(f"{name} is no number", f"constants.{name}")

    def _refuse(self, key: str, entity: Entity, places: list[str], where: str) -> None:
        if entity.kind == "function":
            raise AuthorError(f"{key} is any function: write the one that is meant into the problem", "problem")
        if places:
            raise AuthorError(f"{key} stands in {places[0]} already", where)
        raise AuthorError(
            f"{key} is given by the problem: name its column, or put it under parameters or constants", where
        )

    def _called(self, name: str, table: str) -> str:
        """The key of the symbol that a name means."""
        same = [key for key in self.entities if _plain(key) == _plain(name)]
        if same:
            return same[0]
        near = get_close_matches(name, list(self.entities), n=1)
        known = f"did you mean {near[0]}?" if near else f"it gives {', '.join(self.entities)}"
        raise AuthorError(f"the problem gives no {name}; {known}", f"{table}.{name}")

    def node(self, name: str) -> Node:
        node = self.entities[name].node
        assert node is not None
        return node


def _is_given(entity: Entity, problem: Problem) -> bool:
    if entity.kind in ("macro", "part"):
        return False
    return entity.node is None or entity.node not in problem.meanings


def _plain(name: str) -> str:
    return "".join(name.split()).replace("{", "").replace("}", "")


def _batched(problem: Problem, symbols: _Symbols) -> Batched:
    try:
        return batched(problem, symbols.columns)
    except AuthorError as error:
        raise AuthorError(error.message, "columns" if error.where == "over" else error.where) from None


def _watched(config: Config, batch: Batched, symbols: _Symbols) -> Iterator[str]:
    """The defined name that accuracy is measured by, as it is called in the batch."""
    if config.accuracy is None:
        return
    of, against = config.accuracy.of, config.accuracy.against
    definitions = {str(node.data[0]): node for node in config.problem.definitions if str(node.data[0]) in batch.names}
    name = next((name for name in definitions if _plain(name) == _plain(of)), "")
    if not name:
        raise AuthorError(
            f"{of} is not defined for each example; {', '.join(definitions) or 'nothing'} is", "accuracy.of"
        )
    column = next((key for key in symbols.columns if _plain(key) == _plain(against)), "")
    if not column or column in batch.owners:
        raise AuthorError(f"{against} is no number, vector or index of columns", "accuracy.against")
    number = symbols.entities[column].kind == "value" and symbols.node(column).dims == SCALAR
    if (definitions[name].dims == SCALAR) != number:
        raise AuthorError(f"{name} is {describe(definitions[name].dims)}, which says nothing of {column}", "accuracy")
    yield batch.names[name]


def _needed(
    step: Lowered, measure: Lowered, parameters: dict[str, Any], columns: list[Column], sizes: dict[str, int],
    symbols: _Symbols,
) -> None:  # fmt: skip
    """Complain of a size that the functions need and nobody tells."""
    known = {*parameters, *symbols.constants, *sizes, *(name for c in columns for name in (c.name, c.owners))}
    for argument in (*step.described, *measure.described):
        if argument.latex not in known:
            raise AuthorError(f"{argument.latex} has no value", f"sizes.{argument.latex}")


def _drawn(node: Node, init: Init, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    """The first value of a parameter."""
    axes: tuple[Size, ...] = () if node.dims == SCALAR else node.dims[:1] if node.dims[1] == ONE else node.dims
    if node.op == "family":
        axes = (k.count_of(node.data[2]), *axes)
    for name in sorted({name for size in axes for name in size.names}):
        if name not in sizes:
            raise AuthorError(f"the size {name} of {node.data[0]} follows from no column: give it", f"sizes.{name}")
    shape = tuple(size.value(sizes) for size in axes)
    if init.kind == "normal":
        return init.scale * rng.standard_normal(shape)
    if init.kind == "uniform":
        return rng.uniform(-init.scale, init.scale, shape)
    return (np.zeros if init.kind == "zeros" else np.ones)(shape)


def _split(rows: Any, config: Config) -> tuple[Any, Any]:
    """Examples for training and held out; all examples from one row of the file stay together."""
    kinds = np.unique(rows)
    rng = np.random.default_rng([config.descent.seed, 1])
    count = round(config.source.held_out * len(kinds))
    if config.source.held_out and not 0 < count < len(kinds):
        raise AuthorError(f"{count} of {len(kinds)} rows would be held out", "data.held_out")
    apart = np.isin(rows, rng.permutation(kinds)[:count])
    return np.flatnonzero(~apart), np.flatnonzero(apart)
