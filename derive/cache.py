"""A cache on disk: texts by key, safe to share between processes, and never needed.

What is kept depends on nothing but its key, which is made of all that it was computed from and of the engine itself,
so nothing in it can grow stale.  An entry is written to a file of its own and then renamed into its place, so that
no reader sees half of one; one that is damaged, or a folder that cannot be written, is as good as none.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

VARIABLE = "DERIVE_CACHE"
OFF = ("0", "off", "no")
MOST_ENTRIES = 5000
_ENTRY = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\.[0-9]+")
_PACKAGE = Path(__file__).resolve().parent


def folder() -> Path | None:
    """Where entries are kept: `$DERIVE_CACHE`, or `derive` in the user's cache folder; None if it is switched off."""
    named = os.environ.get(VARIABLE, "")
    if named.lower() in OFF:
        return None
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path(os.path.expanduser("~")) / ".cache") / "derive"


@lru_cache(maxsize=1)
def engine() -> str:
    """What the engine is: its files with their sizes and times, so that a change of code changes every key."""
    found = sorted(f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in _files(str(_PACKAGE)))
    return sha256("\n".join(found).encode()).hexdigest()


def _files(top: str) -> Iterator[tuple[str, os.stat_result]]:
    for entry in os.scandir(top):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry.path)
        elif entry.name.endswith(".py"):
            yield entry.path, entry.stat()


def key_of(*parts: Any) -> str:
    """The key of what was computed from some texts (None counts), with this engine."""
    return sha256(json.dumps([engine(), *parts]).encode()).hexdigest()


def read(kind: str, key: str) -> Any:
    """What is kept under a key; None where there is nothing, or nothing whole."""
    path = _path(kind, key)
    if path is None:
        return None
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        return json.loads(text) if digest == _digest(text) else None
    except (OSError, ValueError):
        return None


def write(kind: str, key: str, value: Any) -> None:
    """Keep a value that JSON can hold; where that is not possible nothing happens."""
    path = _path(kind, key)
    if path is None:
        return
    text = json.dumps(value)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _thin_out(path.parent)


def _path(kind: str, key: str) -> Path | None:
    top = folder()
    return None if top is None else top / kind / key


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _thin_out(where: Path) -> None:
    """Leave out the older half once there are too many entries; looked at now and then."""
    if os.getpid() % 16:
        return
    entries = list(os.scandir(where))
    if len(entries) > MOST_ENTRIES:
        for entry in sorted(entries, key=lambda e: e.stat().st_mtime)[: len(entries) // 2]:
            Path(entry.path).unlink(missing_ok=True)


def clear() -> int:
    """Forget everything; the number of entries that there were.  Files that are no entries are left alone."""
    top, count = folder(), 0
    for path in list(top.glob("*/*")) if top is not None and top.is_dir() else ():
        if _ENTRY.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()
                count += 1
    return count
