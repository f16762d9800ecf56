"""Products and extrema over all entries, printed over an index: `\\max_{k \\neq y} s_k`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.expressions import build as b
from derive.expressions.node import Node, free_indices
from derive.sizes import ONE, SCALAR, Range

if TYPE_CHECKING:
    from derive.printing.latex import Printer

LETTERS = "ijklmn"


def over_entries(p: Printer, sign: str, x: Node, counted: Node | None = None) -> str:
    """The sign over the entries of x; of those only that `counted` counts."""
    if x.dims == SCALAR:
        return p(x)
    everything = counted is None or counted.op == "ones"
    found = _stacked(x)
    if found is None or not (everything or _same_condition(x, counted)):
        return _by_entry(p, sign, x, None if everything else counted)
    body, name, over, holds = found
    lower = p.limits(name, over)
    if holds.op != "number":
        start, _, upper = lower.partition("}^")
        lower = f"{start.removesuffix('}')}, {p.condition(holds)}}}" + (f"^{upper}" if upper else "")
    return rf"{sign}{lower} {p(body, 30)}"


def _stacked(x: Node) -> tuple[Node, str, Range, Node] | None:
    """The body, index, range and condition of Σ_k s_k e_k."""
    if x.op != "sum":
        return None
    body, holds = x.operands
    name, over = str(x.data[0]), x.data[1]
    parts = body.operands if body.op == "product" else (body,)
    units = [part for part in parts if part.op == "onehot"]
    if len(units) != 1 or name not in free_indices(units[0]):
        return None
    rest = [part for part in parts if part is not units[0]]
    return (b.product(*rest), name, over, holds) if all(part.dims == SCALAR for part in rest) else None


def _same_condition(x: Node, counted: Node | None) -> bool:
    inner = _stacked(counted) if counted is not None else None
    return (
        counted is not None
        and inner is not None
        and inner[0] == b.number(1)
        and x.data == counted.data
        and x.operands[1] == inner[3]
    )


def _by_entry(p: Printer, sign: str, x: Node, counted: Node | None) -> str:
    used = free_indices(x) | (free_indices(counted) if counted is not None else frozenset())
    i = b.index(next(letter for letter in LETTERS if letter not in used), None)
    one = b.number(1)
    entries = [b.entry(v, i, one) if v.dims[1] == ONE else b.entry(v, one, i) for v in (x, counted) if v is not None]
    only = f" : {p(entries[1])} = 1" if counted is not None else ""
    if x.dims[1] == ONE or x.dims[0] == ONE:
        return rf"{sign}_{{{i.data[0]}{only}}} {p(entries[0], 30)}"
    return rf"{sign}({p(x)})"


def is_extreme(p: Printer, sign: str, x: Node, counted: Node) -> str:
    """1 where an entry is the largest: for the whole vector, which is compared with its largest entry."""
    return rf"\mathbb{{1}}\{{{p(x)} = {over_entries(p, sign, x, counted)}\}}"
