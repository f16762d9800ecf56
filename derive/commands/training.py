"""`derive train`: what is trained, printed and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.progress import track
from rich.text import Text

from derive.errors import AuthorError
from derive.plaintext import clean, readable
from derive.terminal import console, heading, table, write
from derive.training.config import read_config
from derive.training.descent import Epoch, descend
from derive.training.model import Model, model_of
from derive.training.outcome import accuracy, curve, nearest, save_result, write_losses

WIDEST = len("parameters")


def train(config: str, save: str | None, csv: str | None) -> None:
    """Train as a config says; print what comes out of it, and write it to files."""
    path = Path(config)
    told = read_config(path)
    try:
        model = model_of(told)
        write(*_about(model))
        epochs = list(_shown(model))
        write(*_outcome(model, epochs))
    except AuthorError as problem:
        raise problem.at(path.name) from None
    files = [Path(save or path.with_suffix(".npz").name)]
    save_result(model, epochs, files[0])
    if csv is not None:
        files.append(Path(csv))
        write_losses(epochs, files[1])
    write(table([_row("saved", ", ".join(map(str, files)))]))


def _row(name: str, value: str) -> tuple[Text, ...]:
    return Text(clean(name).ljust(WIDEST), "cyan"), Text(clean(value))


def _about(model: Model) -> Iterator[RenderableType]:
    told = model.config.descent
    shapes = [f"{readable(name)} {' × '.join(map(str, v.shape)) or 'a number'}" for name, v in model.parameters.items()]
    examples = f"{len(model.training)}" + (f", {len(model.held_out)} held out" if len(model.held_out) else "")
    decay = f", decay {told.decay:g}" if told.decay else ""
    yield heading(clean(model.config.title or model.config.path.name))
    yield table([
        _row("examples", examples), _row("parameters", "; ".join(shapes)),
        _row("gradients", "confirmed by two independent checks"),
        _row("descent", f"{told.epochs} epochs, batches of {told.batch}, rate {told.rate:g}{decay}, seed {told.seed}"),
    ])  # fmt: skip


def _shown(model: Model) -> Iterable[Epoch]:
    """The epochs of the training, with a progress bar on a terminal."""
    screen = console()
    if not screen.is_terminal:
        return list(descend(model))
    return list(track(descend(model), "  training", model.config.descent.epochs, console=screen, transient=True))


def _outcome(model: Model, epochs: list[Epoch]) -> Iterator[RenderableType]:
    losses = [epoch.loss for epoch in epochs]
    rows = [_row("loss", f"{losses[0]:.3f}  {curve(losses)}  {losses[-1]:.3f}")]
    if epochs[-1].held_out is not None:
        held_out = [epoch.held_out for epoch in epochs if epoch.held_out is not None]
        rows.append(_row("held out", f"{held_out[0]:.3f}  {curve(held_out)}  {held_out[-1]:.3f}"))
    if (asked := model.config.accuracy) is not None:
        parts = {"training": model.training, "held out": model.held_out}
        found = [f"{name} {100 * accuracy(model, asked, some):.1f} %" for name, some in parts.items() if len(some)]
        rows.append(_row("accuracy", ", ".join(found)))
    yield table(rows)
    if (words := model.config.nearest) is not None:
        yield heading("Nearest words")
        near = nearest(model, words)
        yield table([_row(word, ", ".join(f"{w} {c:.2f}" for w, c in found)) for word, found in near.items()])
