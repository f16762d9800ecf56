"""Writing a sheet in the format that its name ends in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from derive.errors import AuthorError
from derive.problem.problem import Problem
from derive.sheets.blocks import Sheet
from derive.sheets.content import Wanted

Problems = Mapping[str, Problem]
ENDINGS = (".pdf", ".html", ".tex", ".md", ".ipynb")


def ending_of(name: str) -> str:
    """The ending of a file's name.  Raises `AuthorError` for one that no sheet has."""
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        raise AuthorError(
            f"a sheet ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, not {ending or 'nothing'}", name
        )
    return ending


def written(sheet: Sheet, ending: str, problems: Problems, wanted: Wanted) -> bytes:
    """A sheet as the bytes of a file.  Raises `AuthorError` for what cannot be set, or an extra that is missing."""
    return WRITERS[ending](sheet, problems, wanted)


def _pdf(sheet: Sheet, problems: Problems, wanted: Wanted) -> bytes:
    from derive.sheets.typst import pdf

    return pdf(sheet)


def _html(sheet: Sheet, problems: Problems, wanted: Wanted) -> bytes:
    from derive.sheets.html import html

    return html(sheet).encode()


def _tex(sheet: Sheet, problems: Problems, wanted: Wanted) -> bytes:
    from derive.sheets.tex import tex

    return tex(sheet).encode()


def _markdown(sheet: Sheet, problems: Problems, wanted: Wanted) -> bytes:
    from derive.sheets.markdown import markdown

    return markdown(sheet).encode()


def _notebook(sheet: Sheet, problems: Problems, wanted: Wanted) -> bytes:
    from derive.sheets.notebook import notebook

    return notebook(sheet, problems, wanted).encode()


WRITERS: dict[str, Callable[[Sheet, Problems, Wanted], bytes]] = {
    ".pdf": _pdf,
    ".html": _html,
    ".tex": _tex,
    ".md": _markdown,
    ".ipynb": _notebook,
}
