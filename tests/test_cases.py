"""The case files that lie beside the project: statements of lectures, answers of real people, hostile input.

They are read at test time and nothing of them is copied here; where they are absent, these tests are skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from derive.grading.grade import grade

Rows = Callable[[str], list[dict[str, Any]]]
QUESTION = ("id", "problem", "wrt", "of", "layout", "answer")
ACCEPTED = frozenset(("correct", "layout"))
OPEN = frozenset(("undecided", "unreadable"))
VERDICTS = ACCEPTED | OPEN | {"incorrect"}
EVERY = 7  # of the large files, one row in so many is graded
HOSTILE_SECONDS = 1.0  # a line, on average


def verdict(row: Mapping[str, Any]) -> dict[str, Any]:
    return grade({key: row[key] for key in QUESTION if key in row}).as_dict()


def allowed(row: Mapping[str, Any]) -> list[str]:
    return list(row.get("accept", [row["expect"]]))


def graded(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    return [(row, verdict(row)["verdict"]) for row in rows]


def false_accepts(found: list[tuple[dict[str, Any], str]]) -> list[str]:
    return [f"{row['id']}: {got}" for row, got in found if got in ACCEPTED and got not in allowed(row)]


def share_right(found: list[tuple[dict[str, Any], str]]) -> float:
    return sum(got in allowed(row) for row, got in found) / len(found)


def test_every_statement_of_the_lectures(cases: Rows) -> None:
    found = graded(cases("seeds.jsonl"))
    assert [f"{row['id']}: {got}, not {row['expect']}" for row, got in found if got not in allowed(row)] == []


def test_real_answers(cases: Rows) -> None:
    """No wrong answer is accepted; at least 85 % of the verdicts are right."""
    found = graded([row for row in cases("real.jsonl") if row["certainty"] == "checked"])
    assert false_accepts(found) == []
    assert share_right(found) >= 0.85, Counter(got for row, got in found if got not in allowed(row))


def test_chains(cases: Rows) -> None:
    """Judged member by member: no wrong member is accepted, no member that cannot be evaluated is called wrong."""
    wrong = []
    for row in cases("chains.jsonl"):
        found = verdict(row)
        steps = [step["verdict"] for step in found.get("steps", [found])]
        if len(steps) != len(row["expect_steps"]):
            wrong.append(f"{row['id']}: {len(steps)} members, not {len(row['expect_steps'])}")
            continue
        pairs = zip(steps, row["expect_steps"], strict=True)
        wrong += [f"{row['id']}: {got}, not {right}" for got, right in pairs if contradicts(got, right)]
        if found["verdict"] in ACCEPTED and found["verdict"] not in allowed(row):
            wrong.append(f"{row['id']}: the whole is {found['verdict']}")
    assert wrong == []


def contradicts(got: str, right: str) -> bool:
    if right == "unexpanded":
        return got == "incorrect"
    return got in ACCEPTED and got != right


def test_a_sample_of_the_catalogue_answers(cases: Rows) -> None:
    found = graded(cases("catalogue.jsonl")[::EVERY])
    assert false_accepts(found) == []
    assert share_right(found) >= 0.85, Counter(got for row, got in found if got not in allowed(row))


def test_pairs_from_other_systems(cases: Rows) -> None:
    assert false_accepts(graded(cases("external.jsonl"))) == []


# ---------------------------------------------------------------------------------------------- hostile input


@pytest.fixture(scope="module")
def hostile(
    cases: Rows, case_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, Any]]]:
    """The expanded hostile lines, and what is allowed for each that is not blank."""
    cases("hostile.jsonl")
    work = tmp_path_factory.mktemp("hostile")
    script = [
        sys.executable,
        str(case_folder / "expand_hostile.py"),
        str(case_folder / "hostile.jsonl"),
        "lines",
        "keys",
    ]
    subprocess.run(script, cwd=work, check=True)
    keys = json.loads((work / "keys").read_text(encoding="utf-8"))
    lines = (work / "lines").read_bytes().split(b"\n")
    return work, [key for key, line in zip(keys, lines, strict=False) if line.strip()]


def test_hostile_lines_through_the_command(hostile: tuple[Path, list[dict[str, Any]]], root: Path) -> None:
    """One process: every line that is not blank is answered in order and in time; nothing is executed."""
    work, keys = hostile
    command = [sys.executable, str(root / "cli.py"), "grade", "lines", "--json"]
    start = time.monotonic()
    done = subprocess.run(command, cwd=work, capture_output=True, check=False, timeout=HOSTILE_SECONDS * len(keys))
    assert time.monotonic() - start < HOSTILE_SECONDS * len(keys)
    assert done.returncode in (0, 1, 3)
    assert b"Traceback" not in done.stderr + done.stdout
    found = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert len(found) == len(keys)
    assert [problem for key, got in zip(keys, found, strict=True) if (problem := objection(key, got))] == []
    assert not [path for path in (work, root, Path.cwd()) if (path / "CANARY_PWNED").exists()]


def objection(key: Mapping[str, Any], got: Mapping[str, Any]) -> str:
    """What is wrong with the answer to a hostile line; empty if nothing is."""
    verdict = got["verdict"]
    if verdict not in VERDICTS or got["code"] == "internal":
        return f"{key['id']}: {got['verdict']} {got['code']} {got['evidence']}"
    reported = verdict == "unreadable" and {"reported", "ignored"} & set(key["allow"])
    if verdict in key["allow"] or reported:
        return ""
    return f"{key['id']} ({key['kind']}): {verdict}, allowed are {key['allow']}"


def test_the_report_on_hostile_lines_is_plain_text(hostile: tuple[Path, list[dict[str, Any]]], root: Path) -> None:
    work, keys = hostile
    command = [sys.executable, str(root / "cli.py"), "grade", "lines"]
    done = subprocess.run(command, cwd=work, capture_output=True, check=False, timeout=HOSTILE_SECONDS * len(keys))
    text = done.stdout.decode("utf-8")
    assert all(character.isprintable() or character == "\n" for character in text)
    assert f"{len(keys)} answers:" in text
