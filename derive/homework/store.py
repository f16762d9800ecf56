"""What is graded already: verdicts by their keys, in an SQLite file that outlives a killed run.

A key is made of the engine, of all that is asked and of the answer, so that a verdict is used again exactly where
nothing that it depends on has changed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from derive import cache
from derive.errors import AuthorError

SCHEMA = """
create table if not exists verdicts (key text primary key, verdict text not null, seconds real) without rowid;
create table if not exists files (name text primary key) without rowid;
create table if not exists answers (student text, question text, variant integer, key text, place text, answer text,
    points real, out_of real, primary key (student, question)) without rowid;
"""
PENDING, PATIENCE = 64, 1.0


@lru_cache(maxsize=1)
def _engine() -> str:
    return cache.engine()


def key_of(*parts: str) -> str:
    """The key of a verdict: of the engine, of what is asked, of the answer."""
    return sha256(json.dumps([_engine(), *parts]).encode("utf-8", "surrogatepass")).hexdigest()


class Store:
    """The file of one homework's results; use it in a `with` statement."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.base = sqlite3.connect(path, timeout=60)
            self.base.execute("pragma journal_mode = wal")
            self.base.execute("pragma synchronous = normal")
            self.base.executescript(SCHEMA)
        except sqlite3.DatabaseError as problem:
            message = f"this is no results file that can be used ({problem}); name another folder by --out"
            raise AuthorError(message, str(path)) from None
        self.pending, self.since = 0, monotonic()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.base.commit()
        self.base.close()

    def known(self, keys: Iterable[str], seconds: float) -> dict[str, dict[str, Any]]:
        """The verdicts of some keys; one that ran out of less time than there is now counts as none."""
        wanted, out = list(keys), dict[str, dict[str, Any]]()
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            query = f"select key, verdict, seconds from verdicts where key in ({marks})"
            for key, verdict, limit in self.base.execute(query, part):
                if limit is None or limit >= seconds:
                    out[key] = json.loads(verdict)
        return out

    def keep(self, key: str, verdict: Mapping[str, Any], seconds: float | None = None) -> None:
        """Keep a verdict; `seconds` is the bound that it ran into."""
        row = (key, json.dumps(verdict, ensure_ascii=False, sort_keys=True), seconds)
        self.base.execute("insert or replace into verdicts values (?, ?, ?)", row)
        self.pending += 1
        if self.pending >= PENDING or monotonic() - self.since > PATIENCE:
            self.commit()

    def commit(self) -> None:
        """Write what is pending."""
        self.base.commit()
        self.pending, self.since = 0, monotonic()

    def answers(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """The answers as they are marked, for whoever looks into the file."""
        with self.base:
            self.base.execute("delete from answers")
            self.base.executemany("insert into answers values (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def written(self, names: Iterable[str]) -> list[str]:
        """Note the files that are written now; those of an earlier run that are not among them."""
        now = set(names)
        with self.base:
            before = {name for (name,) in self.base.execute("select name from files")}
            self.base.executemany("insert or ignore into files values (?)", [(name,) for name in sorted(now)])
        return sorted(before - now)

    def forget(self, names: Iterable[str]) -> None:
        """Files that are gone."""
        with self.base:
            self.base.executemany("delete from files where name = ?", [(name,) for name in names])
