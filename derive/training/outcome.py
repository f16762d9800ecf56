"""What a trained model can do: accuracy, nearest words, a curve of its losses, a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from derive.errors import AuthorError
from derive.lowering.names import identifier
from derive.sizes import Size
from derive.training.config import Accuracy, Nearest
from derive.training.descent import Epoch
from derive.training.model import Model

BARS, WIDTH = "▁▂▃▄▅▆▇█", 40


def accuracy(model: Model, told: Accuracy, chosen: Any) -> float:
    """The share of some examples for which the model says what the data says."""
    said = model.measured(chosen)[1][model.called(told.of)]
    true = model.column(told.against)[chosen]
    return float(np.mean(_choice(said, 0.5) == _choice(true, 0.0)))


def _choice(values: Any, threshold: float) -> Any:
    """The place of the largest entry, a place as it stands, or whether a number lies above a threshold."""
    if values.ndim > 1:
        return values.reshape(len(values), -1).argmax(axis=1) + 1
    return values if values.dtype.kind in "iu" else values > threshold


def nearest(model: Model, told: Nearest) -> dict[str, list[tuple[str, float]]]:
    """For each word the words whose vectors have the largest cosine with its own, the nearest first."""
    size, vectors = _vectors(model, told)
    words = model.words.words(size)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths == 0, 1, lengths)
    out = dict[str, list[tuple[str, float]]]()
    for word in told.words:
        if word not in words:
            raise AuthorError(f"{word} does not occur in the data", "nearest.words")
        cosines = unit[: len(words)] @ unit[words.index(word)]
        order = [k for k in np.argsort(-cosines, kind="stable") if words[k] != word]
        out[word] = [(words[k], float(cosines[k])) for k in order[: told.count]]
    return out


def _vectors(model: Model, told: Nearest) -> tuple[Size, Any]:
    """The vectors of the words of a table, as rows, and the size that counts them."""
    entity = next((e for e in model.config.problem.scope.all() if e.key == told.of), None)
    if entity is None or entity.node is None or told.of not in model.parameters or entity.kind != "value":
        raise AuthorError(f"{told.of} is no parameter", "nearest.of")
    table, known = model.parameters[told.of], model.words.places
    for axis, size in enumerate(entity.node.dims):
        if size in known and table.ndim == 2:
            return size, np.moveaxis(table, axis, 0)
    raise AuthorError(f"no words of the data stand for the rows or columns of {told.of}", "nearest.of")


def curve(values: Sequence[float], width: int = WIDTH) -> str:
    """Numbers as a row of bars, the smallest and the largest as the lowest and the highest one.

    >>> curve([4, 3, 2, 1])
    '█▆▃▁'
    """
    parts = [float(np.mean(part)) for part in np.array_split(np.asarray(values), min(width, len(values)))]
    low, high = min(parts), max(parts)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((part - low) * scale)] for part in parts)


def save_result(model: Model, epochs: Sequence[Epoch], path: Path) -> None:
    """Write the parameters, the words that indices count and the losses to an .npz file."""
    arrays: dict[str, Any] = {model.step.names[name]: value for name, value in model.parameters.items()}
    for size in model.words.places:
        arrays[f"words_{identifier(str(size))}"] = np.array(model.words.words(size))
    arrays["losses"] = np.array([epoch.loss for epoch in epochs])
    try:
        with path.open("wb") as file:
            np.savez(file, **arrays)
    except OSError as problem:
        raise AuthorError(f"the result cannot be written: {problem}", str(path)) from None


def write_losses(epochs: Sequence[Epoch], path: Path) -> None:
    """Write the losses to a CSV file, one epoch a row."""
    rows = [f"{e.number},{e.rate!r},{e.loss!r},{'' if e.held_out is None else repr(e.held_out)}\n" for e in epochs]
    try:
        path.write_text("epoch,rate,loss,held_out_loss\n" + "".join(rows), encoding="utf-8")
    except OSError as problem:
        raise AuthorError(f"the losses cannot be written: {problem}", str(path)) from None
