"""`python -m benchmarks.deriving`: time against depth, the whole catalogue, and the comparison with others.

Every round is a process of its own, with one thread for linear algebra, in which everything is measured once; the
tables show medians over the rounds.  `--write` puts them into README.md, `--quick` leaves out the deepest networks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.depth import slope

HERE = Path(__file__).resolve().parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
START, END = "<!-- tables -->\n", "<!-- end of tables -->\n"
Round = dict[str, Any]


def one_round(quick: bool) -> Round:
    """The measurements of a fresh process."""
    command = [sys.executable, "-m", "benchmarks.round", *(["--quick"] if quick else [])]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    done = subprocess.run(command, cwd=HERE.parent, env=environment, stdout=subprocess.PIPE, check=True)
    found: Round = json.loads(done.stdout)
    return found


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def milliseconds(values: Iterable[float]) -> str:
    """The median, in ms."""
    return f"{1000 * median(values):,.1f}"


def depth_table(rounds: list[Round]) -> str:
    """Time against depth, one row a stage, with the exponent of the power law that fits."""
    found = [r["depth"]["stages"] for r in rounds]
    depths, rows = list(found[0]), []
    stages = [name for name in found[0][depths[0]] if name != "characters"]
    for name in stages:
        each = {depth: [one[depth][name] for one in found] for depth in depths}
        power = slope({int(depth): median(values) for depth, values in each.items()})
        rows.append([name, *(milliseconds(values) for values in each.values()), f"{power:.2f}"])
    characters = {depth: found[0][depth]["characters"] for depth in depths}
    power = slope({int(depth): count for depth, count in characters.items()})
    rows.append(["(characters of all closed forms)", *(f"{n:,}" for n in characters.values()), f"{power:.2f}"])
    return table(["ms for a tanh network of … layers", *depths, "exponent"], rows)


def scalar_table(rounds: list[Round]) -> str:
    """The same network by `sympy.diff`, entry by entry."""
    found = [r["depth"]["scalars"] for r in rounds]
    row = [milliseconds(one[depth] for one in found) for depth in found[0]]
    return table(["ms by `sympy.diff` at width 2, … layers", *found[0]], [["all weights, entry by entry", *row]])


def catalogue_table(rounds: list[Round]) -> str:
    """The catalogue by topic."""
    found = [r["catalogue"] for r in rounds]
    counted = ("problems", "questions", "textbook", "confirmed")
    rows = [
        [topic, *(str(one[key]) for key in counted), milliseconds(r[topic]["seconds"] for r in found)]
        for topic, one in found[0].items()
    ]
    totals = [str(sum(one[key] for one in found[0].values())) for key in counted]
    rows.append(["all", *totals, milliseconds(sum(one["seconds"] for one in r.values()) for r in found)])
    header = ["topic", "problems", "questions", "printed as the textbook's answer", "confirmed by both checks", "ms"]
    return table(header, rows)


def losses_table(rounds: list[Round]) -> str:
    """Each engine on each loss."""
    found = [r["losses"] for r in rounds]
    engines = list(next(iter(found[0].values())))
    rows = [[loss, *(_cell([r[loss][engine] for r in found]) for engine in engines)] for loss in found[0]]
    right = [sum(one[engine]["outcome"] == "right" for one in found[0].values()) for engine in engines]
    forms = [sum(bool(one[engine].get("textbook")) for one in found[0].values()) for engine in engines]
    rows.append(["right", *(f"{count} of {len(found[0])}" for count in right)])
    rows.append(["in textbook form", *map(str, forms)])
    return table(["loss", *engines], rows)


def _cell(verdicts: list[dict[str, Any]]) -> str:
    outcomes = list(dict.fromkeys(v["outcome"] for v in verdicts))
    if outcomes not in (["right"], ["wrong"]):
        return " / ".join(outcomes)
    text = "**wrong**" if outcomes == ["wrong"] else "right, textbook" if verdicts[0]["textbook"] else "right"
    return f"{text}, {milliseconds(v['seconds'] for v in verdicts)} ms"


def report(rounds: list[Round]) -> str:
    """All tables."""
    parts = [
        ("Time against depth", depth_table(rounds) + "\n" + scalar_table(rounds)),
        ("The catalogue", catalogue_table(rounds)),
        ("Twelve losses, four engines", losses_table(rounds)),
    ]
    return "\n".join(f"### {title}\n\n{text}" for title, text in parts)


def main(arguments: Sequence[str]) -> None:
    """Run the rounds, print the tables, and store them where that is asked."""
    quick = "--quick" in arguments
    rounds = [one_round(quick) for _ in range(1 if quick else 5)]
    text = report(rounds)
    print(text)
    if "--write" in arguments:
        path = HERE / "README.md"
        before, _, rest = path.read_text(encoding="utf-8").partition(START)
        path.write_text(f"{before}{START}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
