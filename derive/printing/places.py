"""Entries, rows, columns, members and blocks as they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from derive.expressions.node import Node
from derive.printing.subscripts import braced, fill_key
from derive.sizes import ONE

if TYPE_CHECKING:
    from derive.printing.latex import Printer

FUNCTION = 60


def indexed(p: Printer, node: Node, subscript: str) -> str:
    """A name with a subscript, put behind the one that it may carry already."""
    text = p(node, FUNCTION)
    own = re.fullmatch(r"([^_]*)_(?:\{([^{}]*)\}|(.))", text)
    if node.op == "symbol" and "_" in text:
        return f"({text}){braced(subscript)}"
    if own is not None:
        before = own[2] or own[3]
        between = "" if len(before) == 1 and not (before + subscript).isdigit() else ", "
        return f"{own[1]}_{{{before}{between}{subscript}}}"
    return f"{text}{braced(subscript)}"


def entry(p: Printer, node: Node) -> str:
    """x_{ij}."""
    x, i, j = node.operands
    if x.dims[1] == ONE:
        return indexed(p, x, p(i))
    if x.dims[0] == ONE:
        return indexed(p, x, p(j))
    first, second = p(i), p(j)
    between = "" if len(first) == len(second) == 1 and not (first + second).isdigit() else ", "
    return indexed(p, x, f"{first}{between}{second}")


def line(p: Printer, node: Node) -> str:
    """A row or column: by its declared name, or with a dot for what runs."""
    x, position = node.operands
    if (x, node.op) in p.lines:
        key, slot = p.lines[x, node.op]
        text = fill_key(key, slot, p(position))
        return text if node.op == "column" else rf"{text}^\top"
    where = p(position)
    return indexed(p, x, rf"{where} \cdot" if node.op == "row" and where.startswith("\\") else
                         rf"{where}\cdot" if node.op == "row" else rf"\cdot {where}")  # fmt: skip


def member(p: Printer, node: Node) -> str:
    """A member of a family: its key with the index put in."""
    family, position = node.operands
    return fill_key(str(family.data[0]), str(family.data[-1]), p(position))


def block(p: Printer, node: Node) -> str:
    """Some rows or columns: z_{1:d}."""
    axis, start, end = node.data
    low, high = str(start + 1), str(end)
    span = f"{low}:{high}".replace(" ", "")
    return indexed(p, node.operands[0], span if axis == 0 else rf"\cdot, {span}")


def concat(p: Printer, node: Node) -> str:
    """Blocks under or beside each other."""
    between = r" \\ " if node.data[0] == 0 else " & "
    return rf"\begin{{bmatrix}} {between.join(p(o) for o in node.operands)} \end{{bmatrix}}"
