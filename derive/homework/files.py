"""The files that were handed in: single ones, folders, zip archives.  Bounded, and never outside of what was given.

An archive is read in memory and never unpacked; an entry whose name leads out of it, a link, or more than the bounds
allow makes the archive unusable, with the entry named.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from derive.errors import AuthorError

FORMATS = {
    ".tex": "tex", ".ltx": "tex", ".latex": "tex", ".md": "markdown", ".markdown": "markdown", ".ipynb": "notebook",
    ".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".tsv": "csv", ".txt": "markdown",
}  # fmt: skip
SUPPORTING = frozenset(".cls .sty .bib .bst .bbl .aux .log .out .toc .gz .fls .fdb_latexmk".split())
MAX_FILE, MAX_TABLE, MAX_TOTAL, MAX_ENTRIES, MAX_DEPTH = 2**20, 2**25, 2**29, 50_000, 2
LARGE = frozenset((".ipynb", ".json", ".jsonl", ".csv", ".tsv"))  # notebooks with pictures, a class in one table
MAX_RATIO = 200
IGNORED = frozenset(("__MACOSX", "Thumbs.db", "desktop.ini"))


@dataclass(frozen=True, slots=True)
class Handed:
    """One file: the path by which it was handed in, its bytes, or the reason why it was not read."""

    path: PurePosixPath
    content: bytes = b""
    error: str = ""


def handed_in(path: Path) -> Iterator[Handed]:
    """The files of what was given: a file, a folder or a zip archive; in the order of their names."""
    if path.is_dir():
        yield from _folder(path)
    elif path.suffix.lower() == ".zip":
        yield from _from_zip(_bytes(path, 2**30), PurePosixPath(), str(path), _Budget(), 1)
    elif path.is_file():
        yield _file(path, PurePosixPath(path.name))
    else:
        raise AuthorError("there is no such file or folder", str(path))


def _bytes(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise AuthorError(f"the file is longer than {most:,} bytes", str(path))
        return path.read_bytes()
    except OSError as problem:
        raise AuthorError(f"the file cannot be read: {problem}", str(path)) from None


def _ignored(path: PurePosixPath) -> bool:
    return any(part.startswith(".") or part in IGNORED for part in path.parts)


def _folder(top: Path) -> Iterator[Handed]:
    for path in sorted(top.rglob("*"), key=lambda p: p.relative_to(top).as_posix()):
        place = PurePosixPath(path.relative_to(top).as_posix())
        if _ignored(place):
            continue
        if any(p.is_symlink() for p in (path, *path.parents) if p != top and top in p.parents):
            yield Handed(place, error="a link, which is not followed")
        elif path.is_file() and path.suffix.lower() == ".zip":
            yield from _inner_zip(_bytes(path, MAX_TOTAL), place, str(path), _Budget(), 1)
        elif path.is_file():
            yield _file(path, place)


def _file(path: Path, place: PurePosixPath) -> Handed:
    if (reason := refused(place)) is not None:
        return Handed(place, error=reason)
    try:
        return Handed(place, _bytes(path, _most(place)))
    except AuthorError as problem:
        return Handed(place, error=problem.message)


def _most(place: PurePosixPath) -> int:
    return MAX_TABLE if place.suffix.lower() in LARGE else MAX_FILE


def refused(place: PurePosixPath) -> str | None:
    """Why a file is not read; None if it is read, "" if nobody expects it to be."""
    suffix = place.suffix.lower()
    if suffix in FORMATS:
        return None
    if suffix in SUPPORTING:
        return ""
    known = ", ".join(sorted({".tex", ".md", ".ipynb", ".json", ".jsonl", ".csv", ".zip"}))
    return f"the format {suffix or 'without a suffix'} is not read; read are {known}"


# ------------------------------------------------------------------------------------------------ archives


@dataclass(slots=True)
class _Budget:
    """What an archive, with those inside it, may still hold."""

    entries: int = MAX_ENTRIES
    size: int = MAX_TOTAL


def _inner_zip(content: bytes, place: PurePosixPath, name: str, budget: _Budget, depth: int) -> Iterator[Handed]:
    """A student's archive: where it cannot be used, that is said of it alone."""
    try:
        yield from list(_from_zip(content, place.with_suffix(""), name, budget, depth))
    except AuthorError as problem:
        yield Handed(place, error=problem.message)


def _from_zip(
    content: bytes, prefix: PurePosixPath, name: str, budget: _Budget, depth: int
) -> Iterator[Handed]:  # fmt: skip
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise AuthorError(f"this is no zip archive that can be read: {problem}", name) from None
    entries = [e for e in archive.infolist() if not e.is_dir()]
    budget.entries -= len(entries)
    if budget.entries < 0:
        raise AuthorError(f"the archive has more than {MAX_ENTRIES:,} files", name)
    for entry in sorted(entries, key=lambda e: e.filename):
        _check(entry, name)
    for entry in sorted(entries, key=lambda e: e.filename):
        place = prefix / PurePosixPath(entry.filename)
        if _ignored(PurePosixPath(entry.filename)):
            continue
        if place.suffix.lower() == ".zip" and depth < MAX_DEPTH:
            inner = _content(archive, entry, MAX_TOTAL, budget, name)
            if isinstance(inner, str):
                yield Handed(place, error=inner)
            else:
                yield from _inner_zip(inner, place, f"{name}: {entry.filename}", budget, depth + 1)
        elif (reason := refused(place)) is not None:
            yield Handed(place, error=reason)
        else:
            found = _content(archive, entry, _most(place), budget, name)
            yield Handed(place, error=found) if isinstance(found, str) else Handed(place, found)


def _check(entry: zipfile.ZipInfo, name: str) -> None:
    """Refuse names that lead out of the archive, and links."""
    raw = entry.filename
    path = PurePosixPath(raw.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\\" in raw or "\0" in raw:
        raise AuthorError(f"the entry {raw[:80]!r} leads out of the archive; nothing of it is read", name)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise AuthorError(f"the entry {raw[:80]!r} is a link; nothing of the archive is read", name)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, budget: _Budget, name: str) -> bytes | str:
    """The bytes of an entry, or why they are not read; what an entry says of its size is not believed."""
    if entry.file_size > most:
        return f"the file is longer than {most:,} bytes"
    if entry.file_size > MAX_RATIO * max(entry.compress_size, 1000):
        return f"the file is compressed more than {MAX_RATIO} times, as no text is"
    try:
        with archive.open(entry) as stream:
            content = stream.read(most + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, zlib.error) as problem:
        return f"the file cannot be read from the archive: {problem}"
    budget.size -= len(content)
    if budget.size < 0:
        raise AuthorError(f"the archive holds more than {MAX_TOTAL:,} bytes", name)
    return content if len(content) <= most else f"the file is longer than {most:,} bytes"


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file and what should be said about its encoding."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if content.startswith(mark):
            return _newlines(content.decode(encoding, "replace")), ""
    try:
        return _newlines(content.decode("utf-8")), ""
    except UnicodeDecodeError as problem:
        note = f"byte {problem.start + 1} is not UTF-8; read as Western European (cp1252)"
        return _newlines(content.decode("cp1252", "replace")), note


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
