"""How long commands take from nothing, in the ratio to importing SymPy: `python -m benchmarks.cold`.

Each command is a process of its own, with a cache of its own that a first run has filled, and compiled modules as an
installed package has them.  Median and least processor time over interleaved rounds.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.deriving import THREADS

ROOT = Path(__file__).resolve().parent.parent
BASE = "python -c 'import sympy'"
CHECK = ("cli.py", "check", "softmax-regression", "--wrt", "W")
RIGHT, SPELT, WRONG, NONE = r"(\hat{y}-y)x^\top", r"-(y-\hat{y}) x^T", r"(y-\hat{y})x^\top", r"(\hat{y}-"

Command = Callable[[], tuple[str, ...]]


def commands() -> dict[str, Command]:
    """What is run, by what it is called; answers are never the same twice where that is said."""
    number = count()

    def anew(answer: str) -> Command:
        return lambda: (*CHECK, answer + r"\," * next(number))

    return {
        BASE: lambda: ("-c", "import sympy"),
        "python -c 'import numpy'": lambda: ("-c", "import numpy"),
        "derive --help": lambda: ("cli.py", "--help"),
        "derive list": lambda: ("cli.py", "list"),
        "derive check, an answer asked before": lambda: (*CHECK, RIGHT),
        "derive check, a new right answer": anew(RIGHT),
        "derive check, another right answer": anew(SPELT),
        "derive check, a new wrong answer": anew(WRONG),
        "derive check, an unreadable answer": anew(NONE),
    }


def seconds(arguments: tuple[str, ...], settings: dict[str, str]) -> float:
    """Processor time of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=settings, stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Run all, and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        settings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        settings |= {"DERIVE_CACHE": f"{folder}/cache", "PYTHONPYCACHEPREFIX": f"{folder}/compiled"}
        settings |= dict.fromkeys(THREADS, "1")
        found: dict[str, list[float]] = {name: [] for name in commands()}
        todo = commands()
        for command in todo.values():
            seconds(command(), settings)
        for _ in range(rounds):
            for name, command in todo.items():
                found[name].append(seconds(command(), settings))
    print("| command | median ms | ratio | ratio of the least |\n| --- | --- | --- | --- |")
    for name, times in found.items():
        ratio, least = median(times) / median(found[BASE]), min(times) / min(found[BASE])
        print(f"| {name} | {1000 * median(times):.0f} | {ratio:.2f} | {least:.2f} |")


if __name__ == "__main__":
    main()
