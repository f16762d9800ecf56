"""`derive list`: the catalogue, by topic, as a table or as JSON.

The rows are kept in the cache under the names and times of the files, because reading two hundred files takes
longer than anything else here; neither SymPy nor NumPy is imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from derive import cache
from derive.problem.files import catalogue, parse_toml

Row = dict[str, str]


def show(words: tuple[str, ...], as_json: bool, complain: Callable[[Exception], None]) -> None:
    """Print the problems that have all the words in their id, title, topic, source, loss or definitions."""
    rows = [row for row in _rows(complain) if all(word.lower() in " ".join(row.values()).lower() for word in words)]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for topic in dict.fromkeys(row["topic"] for row in rows):
        mine = [row for row in rows if row["topic"] == topic]
        width = max(len(row["id"]) for row in mine)
        click.echo("\n" + click.style(topic, bold=True) + click.style(f" ({len(mine)})", dim=True))
        for row in mine:
            click.echo("  " + click.style(row["id"].ljust(width), fg="cyan") + f"   {row['title']}")
    end = "`derive show ID` derives the gradients of one" if rows else "no problem has these words"
    click.secho(f"\n{len(rows)} problem{'s' * (len(rows) != 1)}; {end}.", dim=True)


def _rows(complain: Callable[[Exception], None]) -> list[Row]:
    files = sorted(catalogue().items(), key=lambda item: (item[1].parent.name, item[0]))
    stats = [(str(path), (stat := path.stat()).st_size, stat.st_mtime_ns) for _, path in files]
    key = cache.key_of("catalogue", stats)
    known = cache.read("catalogue", key)
    if isinstance(known, list):
        return known
    rows, failed = _read(files, complain)
    if not failed:
        cache.write("catalogue", key, rows)
    return rows


def _read(files: list[tuple[str, Path]], complain: Callable[[Exception], None]) -> tuple[list[Row], bool]:
    """The rows of the files, and whether one of them could not be read."""
    from derive.errors import AuthorError

    rows, failed = list[Row](), False
    for identifier, path in files:
        try:
            keys = parse_toml(path.read_text(encoding="utf-8"), path.name)
        except AuthorError as problem:
            complain(problem)
            failed = True
            continue
        title, source, loss = (str(keys.get(name, "")) for name in ("title", "source", "loss"))
        row = {"id": identifier, "title": title, "topic": path.parent.name, "source": source, "loss": loss}
        rows.append(row | {"define": _steps(keys.get("define", {}))})
    return rows, failed


def _steps(define: object) -> str:
    return ", ".join(f"{name} = {step}" for name, step in define.items()) if isinstance(define, dict) else ""
