"""Expressions as NumPy source.

Vectors are 1-D arrays, rows and columns alike; a matrix is 2-D, a number is a Python or NumPy scalar.  How an
operation is written stands in its record (`numpy=`) or kernel; here is what these ask for.  Where NumPy
broadcasts, a repeated vector or number is written once; elsewhere it is written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from sympy import Symbol
from sympy.printing.numpy import NumPyPrinter

from derive.errors import EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.lowering import kernels as k
from derive.lowering.arithmetic import FLAGS, Arithmetic
from derive.lowering.indexing import Indexing
from derive.lowering.names import Names
from derive.lowering.text import ADD, ATOM, MUL, TERM, Code, bound, joined, number, quotient
from derive.operations.registry import record
from derive.sizes import ONE, SCALAR, Dims

BROADCAST = ("fill", "rows", "columns")
# What is written with Python's own operators, so that Python numbers stay Python numbers.
NATIVE = frozenset(
    ("number", "constant", "size", "symbol", "index", "member", "add", "product", "power", "sum", "cases", "transpose",
     "index_equal", "index_less", "measured", "common_dtype", "one_dtype", "text", "parts", "onto", *FLAGS)
)  # fmt: skip
# What of a number is a Python number, however it is computed: calls of `math`.
NUMBERS = {
    "sigmoid": "number_sigmoid", "softplus": "number_softplus", "tanh_slope": "number_tanh_slope",
    "log1p": "math.log1p", "tanh": "math.tanh",
}  # fmt: skip
MIXED = {"xlogy": "number_xlogy", "ratio": "number_ratio"}
# What compiled functions call by name, where numba does not know NumPy's form or is slower with it.
CALLS = {
    "top": "top_of", "others": "sum_of_others", "error": "softmax_error", "outer": "outer", "matmul": "dot",
    "vdot": "vdot", "row_sums": "row_sums", "column_sums": "column_sums", "exp": "exp", "tanh": "tanh",
    "softmax": "softmax", "log_softmax": "log_softmax", "log_sum_exp_rows": "log_sum_exp_rows",
}  # fmt: skip
BY_ROWS = frozenset(("top", "others", "error", "softmax", "log_softmax"))


class NodePrinter(Arithmetic, Indexing, NumPyPrinter):  # type: ignore[misc]
    """Prints the nodes of one program.

    `called` maps symbols and families to their source; `functions` the unspecified functions; `given` are the
    arguments; `soft` are names whose values are Python numbers.  `sizes_used` and `dtype_used` tell afterwards
    what the source needs.
    """

    def __init__(
        self, names: Names, called: dict[Node, str], functions: Mapping[str, str], given: frozenset[Node]
    ) -> None:
        super().__init__({"fully_qualified_modules": False})
        self.names, self.called, self.functions, self.given = names, called, functions, given
        self.soft = set[Node]()
        self.indices: dict[str, str] = {}
        self.size_names: dict[str, str] = {}
        self.sizes_used: dict[str, None] = {}
        self.dtype_used = False
        self._axes: set[int] | None = None
        self._bare = False
        self._weak: dict[Node, bool] = {}
        self.compiled = False

    def doprint(self, expr: Any, assign_to: Any = None) -> str:
        """The source of a node or of a name."""
        return str(self(expr)) if isinstance(expr, Node) else str(self._print(expr))

    def _print_Symbol(self, expr: Symbol) -> str:  # noqa: N802
        return str(expr.name)

    def __call__(self, node: Node, level: int = 0) -> Code:
        """The source of an expression; inside an elementwise operation it may broadcast."""
        text, axes = self._piece(node)
        if self._axes is not None:
            self._axes |= axes
        elif axes != _axes(node.dims):
            text = self._written_out(node, text, axes)
        return bound(text, level)

    def _piece(self, node: Node) -> tuple[Code, set[int]]:
        outer, spread = self._axes, k.elementwise(node) or node.op in BROADCAST
        self._axes = set() if spread else None
        text = self._text(node)
        axes = self._axes if spread and self._axes is not None else _axes(node.dims)
        self._axes = outer
        return text, axes

    def _text(self, node: Node) -> Code:
        if node.dims == SCALAR and (name := NUMBERS.get(node.op) or MIXED.get(node.op)):
            return Code(f"{name}({', '.join(self(o) for o in node.operands)})")
        if self.compiled and (called := self._called(node)) is not None:
            return called
        form = k.KERNELS[node.op].numpy if node.op in k.KERNELS else record(node.op).numpy
        if form is None:
            raise EvaluationError(f"{node.op} has no NumPy form")
        text = form(self, node)
        if node.op not in NATIVE and self.weak(node):
            return Code(f"float({text})")
        return text if isinstance(text, Code) else Code(text)

    def _called(self, node: Node) -> Code | None:
        """What a compiled function writes as a call."""
        first = node.operands[0].dims if node.operands else SCALAR
        if node.op in CALLS and first != SCALAR and not k.dots_rows(node):
            rows = "_rows" if node.op in BY_ROWS and k.rank(first) == 2 else ""
            if node.op == "matmul" and (sides := k.sides(node)):
                lefts, rights = (", ".join(map(self, side)) for side in sides)
                return Code(f"outers(({lefts}), ({rights}))")
            rows = "_matrices" if node.op == "matmul" and all(k.rank(o.dims) == 2 for o in node.operands) else rows
            return Code(f"{CALLS[node.op]}{rows}({', '.join(self(o) for o in node.operands)})")
        return None

    def _written_out(self, node: Node, text: Code, axes: set[int]) -> Code:
        if text in ("0", "1"):
            return Code(f"np.{'ones' if text == '1' else 'zeros'}({self.shape(node.dims)}, dtype={self.dtype})")
        if self.compiled:
            return Code(f"filled({self.shape(node.dims)}, {text})")
        if self.floating(node) and axes == {1} and k.rank(node.dims) == 2:
            return Code(f"{bound(text, ATOM)}[np.newaxis].repeat({self.size(node.dims[0])}, axis=0)")
        dtype = "" if self.floating(node) else f", dtype={self.dtype}"
        return Code(f"np.full({self.shape(node.dims)}, {text}{dtype})")

    # ---------------------------------------------------------------------------------- kinds of values

    def weak(self, node: Node) -> bool:
        """Whether a number is a Python number, which takes on the dtype of what it meets."""
        if node.dims != SCALAR or node.op == "result":
            return False
        if node not in self._weak:
            if node.op in NUMBERS:
                self._weak[node] = True
            elif node.op in ("symbol", "family"):
                self._weak[node] = node in self.soft
            elif node.op in ("entry", "matmul", "total", "vdot", "peak"):
                self._weak[node] = False
            else:
                inside = node.operands[:1] if node.op == "sum" else node.operands
                self._weak[node] = node.op in FLAGS or all(self.weak(o) for o in inside)
        return self._weak[node]

    def floating(self, node: Node) -> bool:
        """Whether a value has the dtype of the arguments, and gives it to what it is multiplied with."""
        if node.op in FLAGS or node.op in ("ones", "zeros"):
            return False
        if node.op in ("product", "hadamard", "scaled", *BROADCAST):
            return any(self.floating(o) for o in node.operands)
        return not self.weak(node)

    # ---------------------------------------------------------------------------------------- functions

    def softmax(self, node: Node) -> Code:
        return self._by_rows("softmax", node)

    def log_softmax(self, node: Node) -> Code:
        return self._by_rows("log_softmax", node)

    def _by_rows(self, name: str, node: Node) -> Code:
        x = self(node.operands[0])
        return Code(f"{name}(np.array([{x}]))[0]" if node.dims == SCALAR else f"{name}({x})")

    def extremum(self, node: Node, sign: int) -> Code:
        """The largest or smallest of the entries that count."""
        x, counted = node.operands
        name = "max" if sign > 0 else "min"
        if x.dims == SCALAR:
            return self(x)
        if counted.op == "ones":
            return Code(f"{self(x, ATOM)}.{name}()")
        return Code(f"{self(x, ATOM)}.{name}(where={self(counted, TERM)} > 0, initial={'-' * (sign > 0)}np.inf)")

    def is_extreme(self, node: Node, sign: int) -> Code:
        """1 at the place of the largest or smallest of the entries that count."""
        x, counted = node.operands
        if x.dims == SCALAR:
            return Code("1")
        among = (
            self(x, TERM)
            if counted.op == "ones"
            else f"np.where({self(counted, TERM)} > 0, {self(x)}, {'-' * (sign > 0)}np.inf)"
        )
        found = f"({among}).{'max' if sign > 0 else 'min'}()"
        return Code(f"(({among}) == {found}).astype({self.dtype})")

    def log_sum_exp(self, node: Node) -> Code:
        x = node.operands[0]
        if x.dims == SCALAR:
            return self(x)
        return Code(f"log_sum_exp({self(x)})" if k.rank(x.dims) == 1 else f"log_sum_exp({self(x, ATOM)}.ravel())")

    def unspecified(self, node: Node) -> Code:
        name, order = str(node.data[0]), int(node.data[1])
        return Code(f"{self.functions[derivative(name, order)]}({self(node.operands[0])})")

    def cases(self, node: Node) -> Code:
        """The first branch whose condition holds: a conditional expression, or np.where."""
        pairs = list(zip(node.operands[::2], node.operands[1::2], strict=True))
        mixed = node.dims == SCALAR and not self.weak(node)
        out = f"{self.dtype}.type(np.nan)" if mixed else "np.nan"
        for condition, branch in reversed(pairs):
            text = Code(f"{self.dtype}.type({self(branch)})") if mixed and self.weak(branch) else self(branch, TERM)
            if condition == b.number(1):
                out = text
            elif node.dims == SCALAR:
                out = f"({text} if {self.condition(condition)} else {out})"
            else:
                out = f"np.where({self.condition(condition)}, {text}, {out})"
        return Code(out)

    def condition(self, node: Node) -> str:
        """A condition as Python tests it."""
        relations = {"positive": "> 0", "is_zero": "== 0"}
        if node.op in relations:
            return f"{self(node.operands[0])} {relations[node.op]}"
        if node.op in ("index_equal", "index_less"):
            i, j = (self.integer(o, ADD) for o in node.operands)
            return f"{i} {'==' if node.op == 'index_equal' else '<'} {j}"
        if node.op == "product" and node.dims == SCALAR:
            return " and ".join(f"({self.condition(o)})" for o in node.operands)
        return f"{self(node)} > 0"

    # ------------------------------------------------------------------------------- sizes, dtype, results

    @property
    def dtype(self) -> str:
        if self.compiled:
            return "np.float64"
        self.dtype_used = True
        return "dtype"

    def size(self, size: Any, level: int = 0) -> Code:
        """A size as a number: the names of sizes are assigned at the start of the function."""
        if not size.terms:
            return Code("0")
        by_degree = sorted(size.terms, key=lambda term: -len(term[0]))
        terms = [self._monomial(names, coefficient) for names, coefficient in by_degree]
        return bound(joined(terms), level) if len(terms) > 1 else bound(terms[0], level)

    def _monomial(self, names: Iterable[str], coefficient: int) -> Code:
        above = [str(abs(coefficient))] if abs(coefficient) != 1 or not names else []
        for name in names:
            self.sizes_used[name] = None
            above.append(self.size_names[name])
        return quotient(coefficient < 0, above, [])

    def shape(self, dims: Dims) -> str:
        """Dimensions as the shape of an array."""
        sizes = [self.size(s) for s in dims if s != ONE]
        return str(sizes[0]) if len(sizes) == 1 else f"({', '.join(sizes)})"

    def full(self, node: Node, function: str) -> Code:
        return Code("0" if node.dims == SCALAR else f"{function}({self.shape(node.dims)}, dtype={self.dtype})")

    def returned(self, node: Node) -> Code:
        """A result, in the shape of its variable and not sharing memory with an argument."""
        text = self(node)
        if node.dims == SCALAR:
            return Code(f"{self.dtype}.type({text})") if self.weak(node) and not self.compiled else text
        if k.rank(node.dims) == 1 and node.dims[0] == ONE:
            text = Code(f"{bound(text, ATOM)}[np.newaxis]")
        base = node
        while base.op in ("transpose", "row", "column", "block"):
            base = base.operands[0]
        return Code(f"{text}.copy()") if base in self.given else text

    def measured(self, node: Node) -> Code:
        """A size by the shape of an argument."""
        argument, axis, coefficient, constant = node.data[:-1]
        text = Code(f"{argument}.shape[{axis}]")
        if constant:
            text = joined([text, number(Fraction(-int(constant)))])
        return text if coefficient == 1 else Code(f"{bound(text, MUL)} // {coefficient}", MUL)

    def common_dtype(self, node: Node) -> Code:
        names = [str(name) for name in node.data[:-1]]
        return Code(f"np.result_type({', '.join(names)})" if names else "np.dtype(float)")


def _axes(dims: Dims) -> set[int]:
    return {axis for axis, size in enumerate(dims) if size != ONE}


def derivative(name: str, order: int) -> str:
    """The key of a derivative of an unspecified function."""
    return name + "'" * order
