"""Printing what stands at an index: entries, rows, members, loops, blocks.

Formulas count from 1, arrays from 0: a position is one less than its index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.names import Names, identifier
from derive.lowering.text import ADD, ATOM, MUL, TERM, Code, bound, joined, number, string
from derive.sizes import ONE, SCALAR, Range, Size


class Indexing:
    """The part of the printer that knows about indices."""

    names: Names
    called: dict[Node, str]
    functions: Mapping[str, str]
    given: frozenset[Node]
    indices: dict[str, str]
    dtype: Any
    size: Any
    weak: Any
    condition: Any
    compiled: bool

    def __call__(self, node: Node, level: int = 0) -> Code:
        raise NotImplementedError

    def text(self, key: str) -> str:
        return string(key)

    def leaf(self, node: Node) -> Code:
        """A symbol or family by its identifier."""
        if node not in self.called:
            raise EvaluationError(f"{node.data[0]} has no value")
        return Code(self.called[node])

    # ---------------------------------------------------------------------------------- index expressions

    def index(self, node: Node) -> Code:
        """An index used as a number."""
        return Code(f"float({self.integer(node)})")

    def index_name(self, name: str) -> str:
        """The identifier of an index, which is made when it is first met."""
        if name not in self.indices:
            self.indices[name] = self.names.fresh(identifier(name))
        return self.indices[name]

    def integer(self, node: Node, level: int = 0) -> Code:
        """An index expression as an integer, or as an array of integers."""
        if node.op == "number":
            return bound(number(node.data[0]), level)
        if node.op == "index":
            return Code(self.index_name(str(node.data[0])))
        if node.op == "index_family":
            return self.leaf(node)
        if node.op == "size":
            return self.size(node.data[0], level)  # type: ignore[no-any-return]
        if node.op == "member" and node.operands[0].op == "index_family":
            return Code(f"{self.leaf(node.operands[0])}[{self._place(node)}]")
        if node.op == "counts":
            return Code(f"np.arange(1, {self.size(node.data[0] + 1)})")
        if node.op in ("add", "product"):
            return bound(self._arithmetic(node), level)
        if node.op in ("index_equal", "index_less"):
            return Code(f"({self.condition(node)})")
        raise EvaluationError(f"{node.op} stands where an index is needed")

    def _arithmetic(self, node: Node) -> Code:
        if node.op == "add":
            return joined([self.integer(o, TERM) for o in node.operands])
        sign, factors = b.split_number(node)
        rest = factors.operands if factors.op == "product" else (factors,)
        texts = [*([number(b.magnitude(sign))] if sign not in (1, -1) else []), *(self.integer(o, MUL) for o in rest)]
        text = " * ".join(texts)
        return Code(f"-{text}", TERM) if sign < 0 else Code(text, MUL)

    def position(self, node: Node) -> Code:
        """Where an index stands in an array."""
        if node.op == "counts":
            return Code(f"np.arange({self.size(node.data[0])})")
        return self.integer(b.add(node, b.number(-1)))

    def _place(self, member: Node) -> Code:
        family, i = member.operands
        return self.position(k.position(i, family.data[2]))

    def compare(self, node: Node, relation: str) -> Code:
        """1 where indices are equal, else 0."""
        return Code(f"(1.0 if {self.condition(node)} else 0.0)" if self.compiled else f"float({self.condition(node)})")

    def compared(self, node: Node) -> Code:
        i, j = (self.integer(o, ADD) for o in node.operands)
        return Code(f"({i} {'==' if node.data[0] == 'index_equal' else '<'} {j}).astype({self.dtype})")

    # ------------------------------------------------------------------------------------ parts of arrays

    def entry(self, node: Node) -> Code:
        x, i, j = node.operands
        where = [self.position(p) for p, size in ((i, x.dims[0]), (j, x.dims[1])) if size != ONE]
        return Code(f"{self(x, ATOM)}[{', '.join(where)}]") if where else self(x)

    def line(self, node: Node) -> Code:
        x, i = node.operands
        before = ":, " if node.op == "column" and k.rank(x.dims) == 2 else ""
        return Code(f"{self(x, ATOM)}[{before}{self.position(i)}]")

    def member(self, node: Node) -> Code:
        family = node.operands[0]
        if family.op == "index_family":
            return self.index(node)
        inside = ", 0" if family in self.given and k.rank(family.dims) == 1 and family.dims[0] == ONE else ""
        return Code(f"{self.leaf(family)}[{self._place(node)}{inside}]")

    def onehot(self, node: Node) -> Code:
        rows = "_rows" if self.compiled and node.op == "onehots" else ""
        return Code(f"one_hot{rows}({self.integer(node.operands[0])}, {self.size(node.data[0])}, {self.dtype})")

    def block(self, node: Node) -> Code:
        axis, start, end = node.data
        x = node.operands[0]
        first = "" if start == Size.of(0) else self.size(start)
        last = "" if end == x.dims[axis] else self.size(end)
        before = ":, " if axis == 1 and k.rank(x.dims) == 2 else ""
        return Code(f"{self(x, ATOM)}[{before}{first}:{last}]")

    def concat(self, node: Node) -> Code:
        axis = node.data[0]
        if k.rank(node.dims) == 2:
            return Code(f"np.concatenate([{', '.join(self._as_matrix(o) for o in node.operands)}], axis={axis})")
        if all(o.dims == SCALAR for o in node.operands):
            return Code(f"np.array([{', '.join(self(o) for o in node.operands)}], dtype={self.dtype})")
        return Code(f"np.concatenate([{', '.join(self._as_vector(o) for o in node.operands)}])")

    def _as_vector(self, node: Node) -> str:
        text = self(node)
        if node.dims != SCALAR:
            return text
        return f"np.array([{text}], dtype={self.dtype})" if self.weak(node) else f"[{text}]"

    def _as_matrix(self, node: Node) -> str:
        text = self(node)
        if k.rank(node.dims) == 2:
            return text
        if node.dims == SCALAR:
            return f"np.array([[{text}]], dtype={self.dtype})"
        return f"{bound(text, ATOM)}[{'np.newaxis' if node.dims[0] == ONE else ':, np.newaxis'}]"

    # -------------------------------------------------------------------------------------------- loops

    def loop(self, name: Any, over: Any) -> str:
        """`for i in range(…)` over the values of an index."""
        letter = self.index_name(str(name))
        end = self.size(over.hi + 1)
        head = f"for {letter} in range({end if over.lo == Size.of(0) else f'{self.size(over.lo)}, {end}'})"
        tests = [f"{letter} != {self.size(e, ADD)}" for e in over.excluded]
        return head + (f" if {' and '.join(tests)}" if tests else "")

    def big_sum(self, node: Node) -> Code:
        name, over = node.data
        body, condition = node.operands
        text = f"{self(body)} {self.loop(name, over)}"
        if condition != b.number(1):
            assert isinstance(over, Range)
            text += f"{' and' if over.excluded else ' if'} {self.condition(condition)}"
        return Code(f"sum({text})")

    def stacked(self, node: Node) -> Code:
        """All members of a definition: an array, or a list where the members are matrices."""
        body = node.operands[0]
        text = f"[{self(body)} {self.loop(*node.data[:2])}]"
        if k.rank(body.dims) == 2:
            return Code(text)
        return Code(f"np.array({text}, dtype={self.dtype})" if self.weak(body) else f"np.array({text})")

    def numbers(self, node: Node) -> Code:
        """The values of an index as numbers."""
        over = node.data[0]
        assert isinstance(over, Range)
        return Code(f"np.arange({self.size(over.lo)}, {self.size(over.hi + 1)}, dtype={self.dtype})")
