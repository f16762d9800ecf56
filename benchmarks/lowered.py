"""Lowered functions against good hand-written NumPy and against peers: `python -m benchmarks.lowered`.

Loss and gradients of eleven problems, medians over interleaved rounds, on one processor.  Every result is checked
against the hand-written function before anything is timed.  `--rounds` and `--case` choose how much is run.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks import lowered_peers as peers
from benchmarks.lowered_cases import CASES, Case
from derive.lowering.lower import lower

Function = Callable[..., Any]
SLICE = 0.004


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="how often each function is timed")
    parser.add_argument("--case", type=int, nargs="*", help="the numbers of cases, from 1")
    parser.add_argument("--no-peers", action="store_true", help="leave out torch, jax, autograd and numba")
    chosen = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):  # jax takes further threads whatever its flags say
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cases = [CASES[n - 1] for n in chosen.case] if chosen.case else list(CASES)
    names = ["lowered", *(() if chosen.no_peers else peers.PEERS)]
    print("\n".join(table(cases, names, chosen.rounds)))


def table(cases: Sequence[Case], names: Sequence[str], rounds: int) -> Iterator[str]:
    """The lines of the table: for each case the hand-written time and the ratios to it, then geometric means."""
    missing = {n for n in names if n != "lowered" and not peers.installed(n)}
    yield "| case | by hand | " + " | ".join(names) + " |"
    yield "| --- " * (len(names) + 2) + "|"
    ratios: dict[str, list[float]] = {}
    for case in cases:
        seconds, found = measured(case, [n for n in names if n not in missing], rounds)
        for name, ratio in found.items():
            ratios.setdefault(name, []).append(ratio)
        cells = ["not installed" if n in missing else f"{ratios[n][-1]:.2f}" if n in found else "–" for n in names]
        yield f"| {case.name} | {shown(seconds)} | " + " | ".join(cells) + " |"
    means = [f"{geometric_mean(ratios[n]):.2f}" if n in ratios else "–" for n in names]
    yield "| geometric mean | | " + " | ".join(means) + " |"


def measured(case: Case, names: Sequence[str], rounds: int) -> tuple[float, dict[str, float]]:
    """The time by hand in seconds, and the ratios of the others to it; all results are checked first."""
    given = case.draw(np.random.default_rng(0), case.sizes)
    functions: dict[str, Function] = {"by hand": lambda: case.by_hand(*given.values())}
    loss, gradients = functions["by hand"]()
    wanted = [loss, *gradients.values()]
    for name in names:
        ours = lowered_function(case, given) if name == "lowered" else peers.PEERS[name](case, given)
        checked(f"{case.name}: {name}", wanted, ours())
        functions[name] = ours
    return medians(functions, rounds)


def lowered_function(case: Case, given: Mapping[str, Any]) -> Function:
    """The lowered function on the arguments of the hand-written one."""
    problem, gradients = case.built()
    found = lower(problem, gradients)
    arguments = [given[name] for name in found.arguments]
    return lambda: found.function(*arguments)


def checked(what: str, wanted: Sequence[Any], found: tuple[Any, Mapping[str, Any]]) -> None:
    """Raise `AssertionError` where a loss or gradient differs from the hand-written one."""
    loss, gradients = found
    for expected, value in zip(wanted, [loss, *gradients.values()], strict=True):
        np.testing.assert_allclose(np.asarray(value), expected, rtol=1e-7, atol=1e-9, err_msg=what)


def medians(functions: Mapping[str, Function], rounds: int) -> tuple[float, dict[str, float]]:
    """The median time by hand, and for each other function the median of its ratio to it in the same round."""
    repeats = {name: max(1, int(SLICE / max(once(f, 1), 1e-9))) for name, f in functions.items()}
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(once(function, repeats[name]))
    by_hand = np.array(times.pop("by hand"))
    return float(np.median(by_hand)), {name: float(np.median(found / by_hand)) for name, found in times.items()}


def once(function: Function, repeats: int) -> float:
    """The mean time of a call, over some calls in a row."""
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def geometric_mean(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def shown(seconds: float) -> str:
    """A time with a unit that suits it."""
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


if __name__ == "__main__":
    main()
