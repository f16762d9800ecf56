"""Printing sums, products, powers and comparisons with Python's operators."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.text import ADD, ATOM, FACTOR, POW, Code, bound, joined, number, quotient
from derive.sizes import SCALAR

FLAGS = ("positive", "is_zero")


class Arithmetic:
    """The part of the printer that knows about operators."""

    dtype: Any
    weak: Any
    floating: Any
    compiled: bool
    _axes: set[int] | None
    _bare: bool

    def __call__(self, node: Node, level: int = 0) -> Code:
        raise NotImplementedError

    def number(self, value: Any) -> Code:
        return number(value)

    def sum_of_terms(self, node: Node) -> Code:
        return joined([self(o) for o in node.operands])

    def shifted(self, node: Node) -> Code:
        """x - max x."""
        x, peak = node.operands
        return Code(f"{self(x, ADD)} - {self(peak, FACTOR)}", ADD)

    def peak(self, node: Node) -> Code:
        """The entry at a position; one of each row."""
        x, top = node.operands
        return Code(f"{self(x, ATOM)}[{self(top)}]" if node.dims == SCALAR else f"at({self(x)}, {self(top)})")

    def into(self, node: Node) -> Code:
        """A NumPy function that writes over one of its operands."""
        function, place = node.data[0], int(node.data[1]) if len(node.data) > 2 else 0
        operands = list(node.operands)
        inside = ", ".join(self._factor(o, operands) for o in operands)
        return Code(f"np.{function}({inside}, out={self(operands[place])})")

    def pair(self, node: Node) -> Code:
        """A product that is one value."""
        return self._factors(list(node.operands))

    def product(self, node: Node) -> Code:
        """Numbers times at most one matrix or vector, with what is divided by below."""
        factors: list[Node] = []
        for o in node.operands:
            flat = o.op == "hadamard" or (o.op == "product" and node.op == "scaled")
            factors.extend(o.operands if flat else (o,))
        return self._factors(factors)

    hadamard = product

    def _factors(self, factors: list[Node]) -> Code:
        value, above, below = Fraction(1), list[str](), list[str]()
        for factor in factors:
            base, exponent = b.base_and_exponent(factor)
            if factor.op == "number":
                value *= factor.data[0]
            elif exponent < 0:
                below.append(self(b.power(base, -exponent)))
            else:
                above.append(self._factor(factor, factors))
        coefficient = abs(value)
        if coefficient.denominator in (1, 2, 4, 8, 16, 32):
            above[:0] = [number(coefficient)] if coefficient != 1 else []
        else:
            above[:0] = [number(Fraction(coefficient.numerator))] if coefficient.numerator != 1 else []
            below.insert(0, number(Fraction(coefficient.denominator)))
        return quotient(value < 0, above, below)

    def _factor(self, factor: Node, factors: list[Node]) -> Code:
        """A factor; a comparison stands as it is where something else gives it a dtype."""
        outer = self._bare
        self._bare = factor.op in FLAGS and any(self.floating(o) for o in factors)
        text = self(factor)
        self._bare = outer
        return text

    def flag(self, node: Node, relation: str) -> Code:
        """1 where x > 0 (or x = 0), else 0."""
        bare, self._bare = self._bare, False
        test = f"{self(node.operands[0])} {relation} 0"
        if node.dims == SCALAR:
            return Code(f"(1.0 if {test} else 0.0)") if self.compiled else Code(f"float({test})")
        return Code(f"({test})") if bare else Code(f"({test}).astype({self.dtype})")

    def power(self, node: Node) -> Code:
        base, exponent = node.operands[0], node.data[0]
        if exponent < 0:
            return quotient(False, [], [self(b.power(base, -exponent))])
        if exponent.denominator != 1 and base.op not in ("size", "number"):
            half = exponent == Fraction(1, 2)
            root = f"np.sqrt({self(base)})" if half else f"np.power({self(base)}, {number(exponent)})"
            return Code(f"float({root})" if self.weak(base) else root)
        if exponent == 1:
            return self(base)
        return Code(f"{self(base, POW + 1)}**{bound(number(exponent), ATOM)}", POW)

    def matmul(self, node: Node) -> Code:
        """A C by the method, which costs less than the operator where the arrays are small."""
        left, right = node.operands
        return Code(f"{self(left, ATOM)}.dot({self(right)})")

    def outer(self, node: Node) -> Code:
        left, right = (self(o, ATOM) for o in node.operands)
        return Code(f"{left}[:, np.newaxis].dot({right}[np.newaxis])")

    def row_sums(self, node: Node) -> Code:
        """A 1; for A ∘ B the inner products of the rows."""
        inside = node.operands[0]
        if k.dots_rows(node):
            return Code(f"{'row_dots' if self.compiled else 'np.vecdot'}({', '.join(map(self, inside.operands))})")
        return Code(f"row_sums({self(inside)})")

    def column_sums(self, node: Node) -> Code:
        """1ᵀ A; a few columns for each of many rows are summed as a product."""
        inside = node.operands[0]
        few = k.rank(inside.dims) == 2 and inside.op == "symbol"
        return Code(f"column_sums({self(inside)})" if few else f"{self(inside, ATOM)}.sum(axis=0)")

    def transpose(self, node: Node) -> Code:
        inside = node.operands[0]
        return self(inside) if k.rank(node.dims) < 2 else Code(f"{self(inside, ATOM)}.T")

    def broadcast(self, node: Node) -> Code:
        """A repeated number or vector, as it broadcasts."""
        self._axes = None
        inside = self(node.operands[0])
        self._axes = {"fill": set[int](), "rows": {1}, "columns": {0}}[node.op]
        return Code(f"{bound(inside, ATOM)}[:, np.newaxis]") if node.op == "columns" else inside
