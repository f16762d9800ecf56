"""Writing to a terminal, with colours where it has them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from derive.plaintext import printed, readable

UNWRAPPED = 2000


def console(stream: Any = None) -> Console:
    """A console for a stream; what is no terminal gets no colours and lines of any length."""
    found = Console(file=stream, highlight=False)
    return found if found.is_terminal else Console(file=stream, highlight=False, width=UNWRAPPED)


def write(*parts: RenderableType, to: Any = None) -> None:
    """Print to standard output (or `to`)."""
    stream = to or sys.stdout
    printed(text_of(*parts, stream=stream), stream)


def text_of(*parts: RenderableType, stream: Any = None) -> str:
    """What is printed to a stream, lines without blanks at their ends."""
    found = console(stream)
    with found.capture() as captured:
        for part in parts:
            found.print(part, soft_wrap=isinstance(part, Text) and part.no_wrap)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().split("\n")[:-1])


# ------------------------------------------------------------------------------------------------- parts


def heading(text: str) -> Text:
    """A heading with an empty line before it."""
    return Text(f"\n{text}", "bold underline")


def table(rows: Iterable[tuple[Text, ...]]) -> Padding:
    """Rows of aligned columns."""
    grid = Table.grid(padding=(0, 3, 0, 0))
    for row in rows:
        grid.add_row(*row)
    return indented(grid)


def indented(part: RenderableType, by: int = 2) -> Padding:
    """A part moved to the right."""
    return Padding(part, (0, 0, 0, by), expand=False)


def math(latex: str, style: str = "") -> Text:
    """LaTeX as plain text."""
    return Text(readable(latex), style)
