"""Time against depth: tanh networks of many layers, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from derive.gradient.closed import derivative
from derive.gradient.sweep import sweep
from derive.lowering.lower import lower
from derive.numerics.together import together
from derive.printing.latex import latex
from derive.problem.builder import problem_from

DEPTHS = (10, 20, 50, 100, 200)
SCALAR_DEPTHS = (1, 2, 3, 4)


def network(depth: int) -> dict[str, Any]:
    r"""h_l = \tanh(W_l h_{l-1} + b_l) with sizes of their own; the names differ from depth to depth."""
    h, weight, bias = f"h^{{[{depth}]}}", f"W^{{[{depth}]}}", f"b^{{[{depth}]}}"
    symbols = {f"{h}_{{0}}": "n_{0}", "t": f"n_{{{depth}}}"}
    define = {}
    for k in range(1, depth + 1):
        symbols |= {f"{weight}_{{{k}}}": f"n_{{{k}}} x n_{{{k - 1}}}", f"{bias}_{{{k}}}": f"n_{{{k}}}"}
        define[f"{h}_{{{k}}}"] = rf"\tanh({weight}_{{{k}}} {h}_{{{k - 1}}} + {bias}_{{{k}}})"
    return {"loss": rf"J = \frac{{1}}{{2}} \|{h}_{{{depth}}} - t\|^2", "symbols": symbols, "define": define}


def stages(depth: int) -> dict[str, float]:
    """Seconds for each stage of one network, and the number of characters of all closed forms."""
    out: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = work()
        out[name] = time.perf_counter() - started
        return result

    data = network(depth)
    problem = timed("read", lambda: problem_from(data))
    timed("all cotangents, named", lambda: sweep(problem))
    wanted = [name for name in data["symbols"] if name != "t"]
    targets = [problem.target(name) for name in wanted]
    closed = timed("all closed forms", lambda: [derivative(problem, problem.loss_symbol, t) for t in targets])
    checks = timed(
        "all confirmed", lambda: together(problem, problem.loss_symbol, list(zip(targets, closed, strict=True)))
    )
    if checks is None:
        raise RuntimeError(f"the gradients of {depth} layers were not confirmed")
    timed("lowered to NumPy", lambda: lower(problem, dict(zip(wanted, closed, strict=True))))
    texts = dict[Any, str]()
    printed = timed("printed in full", lambda: [latex(one, problem.scope, texts) for one in closed])
    return {**out, "characters": sum(map(len, printed))}


def scalars(depth: int, width: int = 2) -> float:
    """Seconds that `sympy.diff` takes for all weights of the same network of that width, written out in entries."""
    weights = [
        np.array(sp.symbols(f"w{k}_:{width * width}")).reshape(width, width) for k in range(depth)
    ]  # fmt: skip
    value = np.array(sp.symbols(f"x:{width}"))
    started = time.perf_counter()
    for weight in weights:
        value = np.frompyfunc(sp.tanh, 1, 1)(weight @ value)
    loss = (value**2).sum() / 2
    for weight in weights:
        for entry in weight.ravel():
            sp.diff(loss, entry)
    return time.perf_counter() - started


def slope(seconds: Mapping[int, float]) -> float:
    """The exponent p of the power law t = c · depth^p that fits best."""
    depths = np.log(list(seconds))
    return float(np.polyfit(depths, np.log(list(seconds.values())), 1)[0])


def measured(depths: Iterable[int] = DEPTHS, scalar_depths: Iterable[int] = SCALAR_DEPTHS) -> dict[str, Any]:
    """All measurements of one round."""
    stages(5)
    return {
        "stages": {depth: stages(depth) for depth in depths},
        "scalars": {depth: scalars(depth) for depth in scalar_depths},
    }
