"""Constructors: the only way to make expressions.

Each checks the shapes of its operands and applies the laws that hold always and cost nothing: sums and
products are flat, like terms are collected, numbers stand in front, transposes stand at the leaves,
powers of one base are one power.  What is a matter of taste (factoring, textbook order) is not done
here but in `derive.rules`.
"""

from __future__ import annotations

from fractions import Fraction

from derive.errors import ShapeError
from derive.expressions.algebra import (
    add,
    base_and_exponent,
    divide,
    factor_of,
    hadamard,
    known_positive,
    matrices,
    negate,
    power,
    product,
    scale,
    split_number,
    subtract,
)
from derive.expressions.leaves import (
    Number,
    constant,
    eye,
    family,
    index,
    index_family,
    magnitude,
    make,
    number,
    onehot,
    ones,
    size_number,
    symbol,
    zeros,
)
from derive.expressions.node import Node, intern_node
from derive.expressions.structure import (
    apply,
    broadcast,
    column,
    diag,
    entry,
    inner,
    member,
    rebuild,
    row,
    substitute,
    sum_over,
    total,
    transpose,
    unspecified,
)
from derive.sizes import ONE, SCALAR

__all__ = [
    "ONE",
    "SCALAR",
    "Fraction",
    "Node",
    "Number",
    "ShapeError",
    "add",
    "apply",
    "base_and_exponent",
    "broadcast",
    "column",
    "constant",
    "diag",
    "divide",
    "entry",
    "eye",
    "factor_of",
    "family",
    "hadamard",
    "index",
    "index_family",
    "inner",
    "intern_node",
    "known_positive",
    "magnitude",
    "make",
    "matrices",
    "member",
    "negate",
    "number",
    "onehot",
    "ones",
    "power",
    "product",
    "rebuild",
    "row",
    "scale",
    "size_number",
    "split_number",
    "substitute",
    "subtract",
    "sum_over",
    "symbol",
    "total",
    "transpose",
    "unspecified",
    "zeros",
]
