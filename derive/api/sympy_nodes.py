"""SymPy's expressions, class by class, as ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from string import ascii_letters
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions import diagonal as sd
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.matexpr import MatrixElement

from derive.api.sympy_sums import Bound, summed
from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.expressions.sympy_view import View
from derive.operations.elementwise import make_general
from derive.operations.products import matrix_power
from derive.problem.declare import pattern
from derive.sizes import ONE, SCALAR, Dims, Range, Size

MAX_DEPTH, LARGEST_SIZE = 150, 400
FUNCTIONS = {
    sp.exp: "exp", sp.log: "log", sp.tanh: "tanh", sp.sin: "sin", sp.cos: "cos", sp.tan: "tan", sp.cot: "cot",
    sp.sec: "sec", sp.csc: "csc", sp.sinh: "sinh", sp.cosh: "cosh", sp.atan: "arctan", sp.asin: "arcsin",
    sp.acos: "arccos", sp.Abs: "abs", sp.sign: "sign", sp.erf: "erf", sp.Heaviside: "positive",
}  # fmt: skip
CONSTANTS = {sp.pi: "pi", sp.E: "e"}
PROPERTIES = {"positive": "is_positive", "nonnegative": "is_nonnegative", "integer": "is_integer"}
LETTERS = "ijklpqrst"


def key_of(name: str) -> str:
    r"""The name of a SymPy symbol as formulas spell it.

    >>> key_of("alpha"), key_of("W1"), key_of("yhat")
    ('\\alpha', 'W_{1}', '\\hat{y}')
    """
    key = sp.latex(sp.Symbol(name))
    try:
        pattern(key)
    except AuthorError as problem:
        raise AuthorError(f"the symbol {name!r} cannot stand in a formula: {problem.message}", name) from None
    return str(key)


def size_of(e: Any) -> Size:
    """A size: a number, a symbol, sums and products of these."""
    if isinstance(e, sp.Integer):
        return Size.of(int(e))
    if isinstance(e, sp.Symbol):
        return Size.of(e.name)
    if isinstance(e, sp.Add):
        return sum((size_of(a) for a in e.args[1:]), size_of(e.args[0]))
    if isinstance(e, sp.Mul):
        out = ONE
        for a in e.args:
            out = out * size_of(a)
        return out
    raise AuthorError(f"{e} is no size: sizes are integers, symbols, sums and products of these")


def _dims(rows: Any, columns: Any) -> Dims:
    out = size_of(rows), size_of(columns)
    for one in out:
        if one.number is not None and not 1 <= one.number <= LARGEST_SIZE:
            raise AuthorError(f"the size {one} is not between 1 and {LARGEST_SIZE}")
    return out


class Converter:
    """Converts one expression; `leaves`, `functions` and `sizes` are what it uses, `spelt` how names are spelt."""

    def __init__(self, root: Any, properties: Mapping[str, tuple[str, ...]]) -> None:
        self.properties = properties
        self.leaves: dict[str, Node] = {}
        self.functions: dict[str, None] = {}
        self.spelt: dict[str, str] = {}
        self.size_symbols = _size_symbols(root)
        self.sizes = {s.name for s in self.size_symbols}
        self.free = {s.name for s in root.free_symbols}
        self.origin: dict[str, Any] = {}
        self.bound: dict[Any, Node] = {}
        self.depth = 0

    def __call__(self, e: Any) -> Node:
        if isinstance(e, View):
            raise AuthorError(f"{e} was made by derive; differentiate the problem that it belongs to instead")
        if self.depth > MAX_DEPTH:
            raise AuthorError(f"the expression is nested more than {MAX_DEPTH} deep; give its parts names in a Problem")
        if e in self.bound:
            return self.bound[e]
        rule = next((r for kinds, r in RULES if isinstance(e, kinds)), None)
        if rule is None:
            raise AuthorError(f"{type(e).__name__} is not supported in a loss built in SymPy: {str(e)[:80]}")
        self.depth += 1
        try:
            return rule(self, e)
        finally:
            self.depth -= 1

    def all(self, es: Any) -> list[Node]:
        """Several expressions."""
        return [self(e) for e in es]

    # ---------------------------------------------------------------------------------------------- leaves

    def symbol(self, e: Any) -> Node:
        if e.name in self.sizes:
            if e not in self.size_symbols:
                raise AuthorError(f"two different symbols are called {e.name}; one is a size: rename the other")
            return b.size_number(Size.of(e.name))
        known = [name for name, fact in PROPERTIES.items() if getattr(e, fact)]
        if "positive" in known and "nonnegative" in known:
            known.remove("nonnegative")
        return self._leaf(e, SCALAR, known)

    def matrix_symbol(self, e: Any) -> Node:
        return self._leaf(e, _dims(*e.shape), [])

    def _leaf(self, e: Any, dims: Dims, properties: list[str]) -> Node:
        key = key_of(e.name)
        if self.origin.setdefault(key, e) != e:
            raise AuthorError(f"two different symbols are called {e.name}; give one of them another name")
        leaf = b.symbol(key, dims, self.properties.get(key, properties))
        self.leaves[key], self.spelt[e.name] = leaf, key
        return leaf

    def function(self, e: Any) -> Node:
        if len(e.args) != 1:
            raise AuthorError(f"{e.func} has {len(e.args)} arguments; an unspecified function has one")
        key = key_of(e.func.__name__)
        self.functions[key] = None
        return b.unspecified(key, 0, self(e.args[0]))

    # --------------------------------------------------------------------------------------------- entries

    def element(self, e: Any) -> Node:
        whole, i, j = e.args
        node = self(whole)
        if node.dims == SCALAR:
            return node
        return b.entry(node, *(self._position(p, size) for p, size in zip((i, j), node.dims, strict=True)))

    def _position(self, e: Any, size: Size) -> Node:
        """A position counted from 0 as one counted from 1."""
        loose = [s for s in e.free_symbols if s not in self.bound and s.name not in self.sizes]
        if loose:
            raise AuthorError(f"the index {loose[0]} is bound by no Sum; sum over it or write a number")
        return b.number(1) if size == ONE else b.add(self(e), b.number(1))

    def sum(self, e: Any) -> Node:
        body, limits = e.args[0], e.args[1:]
        before = dict(self.bound)
        letters: Bound = []
        for letter, *ends in limits:
            if len(ends) != 2 or any(s.name not in self.sizes for end in ends for s in end.free_symbols):
                raise AuthorError(f"the limits of {letter} in {e} are to be sizes, such as 0 and n - 1")
            over = Range(size_of(ends[0]) + 1, size_of(ends[1]) + 1)
            letters.append((name := self._letter(letter), over))
            self.bound[letter] = b.add(b.index(name, None), b.number(-1))
        out = summed(self(body), letters)
        self.bound = before
        return out

    def _letter(self, letter: sp.Symbol) -> str:
        """A letter for a bound index that nothing else is called by."""
        taken = {str(n.data[0]) for part in self.bound.values() for n in part.operands if n.op == "index"}
        taken |= self.sizes | self.free | {"e"}
        wanted: str = str(letter.name).strip("_")[:1]
        found: list[str] = [n for n in (wanted, *LETTERS, *ascii_letters) if n.isalpha() and n not in taken]
        if not found:
            raise AuthorError(f"no letter is left for the index {letter}")
        return found[0]

    # ------------------------------------------------------------------------------------------- operations

    def multiply(self, e: Any) -> Node:
        parts = self.all(e.args)
        return b.product(*parts) if all(p.dims == SCALAR for p in parts) else b.hadamard(*parts)

    def power(self, e: Any) -> Node:
        base, exponent = e.args
        if base is sp.E:
            return b.apply("exp", self(exponent))
        if isinstance(exponent, sp.Rational):
            return b.power(self(base), Fraction(int(exponent.p), int(exponent.q)))
        return make_general(*_alike(self(base), self(exponent)))

    def matrix_power(self, e: Any) -> Node:
        base, exponent = e.args
        if not isinstance(exponent, sp.Integer) or abs(int(exponent)) > 16:
            raise AuthorError(f"a matrix power has a small integer as exponent, not {exponent}")
        return matrix_power(self(base), int(exponent))

    def named(self, e: Any) -> Node:
        return b.apply(FUNCTIONS[e.func], self(e.args[0]))

    def extremum(self, e: Any) -> Node:
        name = "maximum" if isinstance(e, sp.Max) else "minimum"
        out, *rest = sorted(self.all(e.args), key=lambda node: node.op != "number")
        for part in rest:
            out = b.make(name, _alike(out, part))
        return out

    def entrywise(self, e: Any) -> Node:
        """`X.applyfunc(f)`: the body of f with X for its argument."""
        function, inside = e.function, self(e.expr)
        variable = sp.Dummy()
        body = function(variable)
        self.bound[variable] = inside
        out = self(body)
        del self.bound[variable]
        return b.broadcast(out, inside.dims)

    def piecewise(self, e: Any) -> Node:
        parts = [part for value, condition in e.args for part in (self.condition(condition), self(value))]
        return b.make("cases", _alike(*parts))

    def condition(self, e: Any) -> Node:
        """A condition as 1 or 0."""
        if e is sp.true:
            return b.number(1)
        if not isinstance(e, (sp.Gt, sp.Lt, sp.Ge, sp.Le, sp.Eq, sp.Ne)):
            raise AuthorError(f"the condition {e} is not supported: conditions compare two numbers")
        left, right = self.all(e.args)
        if isinstance(e, (sp.Eq, sp.Ne)):
            equal = b.apply("is_zero", b.subtract(left, right))
            return equal if isinstance(e, sp.Eq) else b.subtract(b.number(1), equal)
        if isinstance(e, (sp.Lt, sp.Ge)):
            left, right = right, left
        holds = b.apply("positive", b.subtract(left, right))
        return holds if isinstance(e, (sp.Gt, sp.Lt)) else b.subtract(b.number(1), holds)


def _alike(*parts: Node) -> tuple[Node, ...]:
    """Parts with numbers repeated to the shape of the others."""
    dims = next((p.dims for p in parts if p.dims != SCALAR), SCALAR)
    return tuple(b.broadcast(p, dims) for p in parts)


def _size_symbols(root: Any) -> set[Any]:
    """The symbols that stand for sizes: in the shapes of matrices and the limits of sums."""
    out: set[Any] = set()
    for part in sp.preorder_traversal(root):
        if isinstance(part, sp.MatrixExpr):
            shape = [size for size in part.shape if isinstance(size, sp.Basic)]
            out |= {s for size in shape for s in size.free_symbols if isinstance(s, sp.Symbol)}
        elif isinstance(part, sp.Sum):
            out |= {s for limit in part.limits for end in limit[1:] for s in end.free_symbols}
    return out - {limit[0] for part in root.atoms(sp.Sum) for limit in part.limits}


Rule = Callable[[Converter, Any], Node]
RULES: tuple[tuple[Any, Rule], ...] = (
    (sp.Rational, lambda c, e: b.number(Fraction(int(e.p), int(e.q)))),
    (sp.Float, lambda c, e: b.number(Fraction(str(e)))),
    (tuple(type(k) for k in CONSTANTS), lambda c, e: b.constant(CONSTANTS[e])),
    (sp.Symbol, Converter.symbol),
    (sp.MatrixSymbol, Converter.matrix_symbol),
    (MatrixElement, Converter.element),
    (sp.Identity, lambda c, e: b.eye(size_of(e.shape[0]))),
    (sp.ZeroMatrix, lambda c, e: b.zeros(_dims(*e.shape))),
    (sp.OneMatrix, lambda c, e: b.ones(_dims(*e.shape))),
    ((sp.Add, sp.MatAdd), lambda c, e: b.add(*c.all(e.args))),
    (sp.MatMul, lambda c, e: b.product(*c.all(e.args))),
    (sp.Mul, Converter.multiply),
    (sp.Pow, Converter.power),
    (sp.Inverse, lambda c, e: b.make("inverse", (c(e.arg),))),
    (sp.MatPow, Converter.matrix_power),
    (sp.Transpose, lambda c, e: b.transpose(c(e.arg))),
    (sp.HadamardProduct, lambda c, e: b.hadamard(*c.all(e.args))),
    (sp.HadamardPower, Converter.power),
    (sp.Trace, lambda c, e: b.make("trace", (c(e.arg),))),
    (sp.Determinant, lambda c, e: b.make("det", (c(e.arg),))),
    (DotProduct, lambda c, e: b.inner(*c.all(e.args))),
    (sd.DiagMatrix, lambda c, e: b.diag(c(e.args[0]))),
    (sd.DiagonalOf, lambda c, e: b.diag(c(e.args[0]))),
    (sd.DiagonalMatrix, lambda c, e: b.diag(b.diag(c(e.args[0])))),
    (sp.Sum, Converter.sum),
    ((sp.Max, sp.Min), Converter.extremum),
    (sp.Piecewise, Converter.piecewise),
    (AppliedUndef, Converter.function),
    (tuple(FUNCTIONS), Converter.named),
    (ElementwiseApplyFunction, Converter.entrywise),
)
