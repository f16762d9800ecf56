"""Stochastic gradient descent: θ ← θ − α ∇J, on mini-batches in a random order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.errors import AuthorError
from derive.training.model import Model


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the examples: the rate, the mean loss while it went on, the loss on what is held out after it."""

    number: int
    rate: float
    loss: float
    held_out: float | None


def descend(model: Model) -> Iterator[Epoch]:
    """Train a model, epoch by epoch; everything random follows from the seed.

    The rate of epoch t = 0, 1, … is rate / (1 + decay t) (Bottou, Stochastic gradient descent tricks, 2012).
    Raises `AuthorError` where the loss is no longer finite.
    """
    told = model.config.descent
    rng = np.random.default_rng([told.seed, 2])
    for number in range(told.epochs):
        rate = told.rate / (1 + told.decay * number)
        order, total = rng.permutation(model.training), 0.0
        for start in range(0, len(order), told.batch):
            chosen = order[start : start + told.batch]
            loss, gradients = model.loss_and_gradients(chosen)
            if not np.isfinite(loss):
                raise AuthorError(f"the loss is {loss} in epoch {number + 1}: lower the rate", "training.rate")
            total += loss * len(chosen)
            _move(model.parameters, gradients, rate)
        held_out = model.measured(model.held_out)[0] if len(model.held_out) else None
        yield Epoch(number + 1, rate, total / len(order), held_out)


def _move(parameters: dict[str, Any], gradients: dict[str, Any], rate: float) -> None:
    """θ ← θ − α ∇J."""
    for name, gradient in gradients.items():
        parameters[name] = parameters[name] - rate * gradient
