"""Syntax to expressions: what was written, typed by what is declared.

The reader decides by shapes what a juxtaposition, a dot or a script means.  It builds expressions only
through the constructors, so whatever it returns has a shape.  Lenient readings leave a note.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import count

from derive.errors import AnswerError, ShapeError, Span
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.latex import syntax as s
from derive.latex.parser import Parser
from derive.latex.tokens import tokenize
from derive.operations import products as matrix
from derive.reading import conditions, functions, indices, juxtapose, lists, names, refused, sums
from derive.reading.open_sizes import choose, put, put_size
from derive.reading.scope import Scope
from derive.sizes import ONE, SCALAR, Range, Size, describe

ELEMENTWISE = frozenset((r"\odot", r"\circ"))
PARTIAL = frozenset(("power", "general_power", "log", "arcsin", "arccos"))
LARGEST_POWER, MAX_BITS = 16, 40_000
Derive = Callable[[Node, Node], Node]


class Reader:
    """Reads formulas in a scope.

    `bound` maps letters to index (or argument) expressions; `open_letters` lets unknown letters stand as
    free indices, which are collected in `opened`; `uses` collects the ranges in which an index is used.
    `derive(of, wrt)` gives the value of a derivative inside a formula.  `policy` says what is read leniently:
    nothing (`strict`), what leaves no doubt (`usual`), or also what evidently is meant (`lenient`).
    `preamble` holds definitions of macros.  `joined` are letters that sums bind by a condition such as i < j.
    """

    def __init__(self, scope: Scope, open_letters: bool = False, derive: Derive | None = None) -> None:
        self.scope, self.open_letters, self.derive = scope, open_letters, derive
        self.bound: dict[str, Node] = {}
        self.opened: dict[str, Node] = {}
        self.uses: dict[str, list[Range]] = {}
        self.notes: list[str] = []
        self.taken: set[str] = set()
        self.depth, self.policy, self.preamble = 0, "usual", ""
        self.fresh, self.expansions = count(1), count(1)
        self.joined: dict[str, Span] = {}
        self.partial: list[Node] = []

    # --------------------------------------------------------------------------------------- entry points

    def read(self, text: str) -> Node:
        """The expression that a formula stands for."""
        return self.settle(self.expression(self.parse(text)))

    def index(self, text: str) -> Node:
        """The index expression that a text stands for."""
        return indices.index(self, self.parse(text))

    def parse(self, text: str) -> s.Syntax:
        """The syntax of a formula that is one expression or relation."""
        return Parser(text, tokenize(text, self.preamble), self.scope.words, self.scope.letters).whole()

    def lenient(self, note: str) -> None:
        """Say that a formula is read leniently; where the policy is strict that is an error of shapes."""
        if self.policy == "strict":
            raise ShapeError(f"{note}, which the policy strict does not allow")
        self.notes.append(note)

    def expression(self, node: s.Syntax) -> Node:
        """The expression that a piece of syntax stands for."""
        try:
            return _HANDLERS[type(node)](self, node)
        except ShapeError as problem:
            end = "" if problem.message.endswith("?") else "."
            raise AnswerError("shape", problem.message + end, node.span) from problem
        except RecursionError as problem:
            raise AnswerError("too-long", "The formula is nested too deep.", node.span) from problem

    # ----------------------------------------------------------------------------- sizes left open by 1 and I

    def fresh_size(self) -> Size:
        """The size of a vector of ones or an identity before its neighbours have fixed it."""
        return Size.of(f"?{next(self.fresh)}")

    def fit(self, left: Node, right: Node, pairs: list[tuple[Size, Size]]) -> tuple[Node, Node]:
        """Both operands with open sizes chosen so that the given pairs of sizes agree, where they can."""
        if not (left.is_open or right.is_open):
            return left, right
        for first, second in pairs:
            choice = choose(first, second)
            if choice is not None and first != second:
                left, right = (put_size(x, choice[0], choice[1]) for x in (left, right))
                return self.fit(left, right, [(put(a, *choice), put(c, *choice)) for a, c in pairs])
        return left, right

    def settle(self, node: Node) -> Node:
        """The expression with sizes that nothing has fixed taken as 1."""
        if not node.is_open:
            return node
        for part in list(walk(node)):
            for size in part.dims:
                if size.is_open:
                    settled = put_size(node, next(iter(size.names)), ONE)
                    if settled == node:
                        raise AnswerError("shape", "How long a unit column is here does not follow from its place.")
                    return self.settle(settled)
        return node

    # ----------------------------------------------------------------------------------------- small handlers

    def number(self, node: s.Num) -> Node:
        return b.number(node.value)

    def ones(self, node: s.One) -> Node:
        return b.ones((self.fresh_size(), ONE))

    def words(self, node: s.Words) -> Node:
        refused.refuse(node.text, node.span)
        raise AnswerError("unknown-symbol", f"“{node.text}” is not a declared name.", node.span)

    def sum(self, node: s.Sum) -> Node:
        total: Node | None = None
        for sign, part in node.terms:
            value = self.expression(part)
            value = b.negate(value) if sign < 0 else value
            total = value if total is None else self.plus(total, value, part.span)
        assert total is not None
        return total

    def plus(self, left: Node, right: Node, span: Span) -> Node:
        """A + B, where a column (row) is added to every column (row) of a matrix, a number to every entry."""
        if left.is_open or right.is_open:
            left, right = self.fit(left, right, list(zip(left.dims, right.dims, strict=True)))
        left, right = self.spread(left, right, "added")
        return b.add(left, right)

    def spread(self, left: Node, right: Node, verb: str) -> tuple[Node, Node]:
        """Both operands with the same dimensions, the smaller one repeated."""
        if left.dims == right.dims or SCALAR in (left.dims, right.dims):
            return left, right
        for small, large in ((left, right), (right, left)):
            along = (small.dims == (large.dims[0], ONE), small.dims == (ONE, large.dims[1]))
            if any(along) and ONE not in large.dims:
                wide = b.broadcast(small, large.dims)
                return (wide, large) if small is left else (large, wide)
        raise ShapeError(f"{self.show(left)} and {self.show(right)} cannot be {verb}")

    def show(self, node: Node) -> str:
        """An expression and its dimensions in words, for messages."""
        from derive.printing.latex import latex

        text = latex(node)
        return f"{text if len(text) < 60 else 'this part'} ({describe(node.dims)})"

    def fraction(self, node: s.Frac) -> Node:
        above, below = self.expression(node.above), self.expression(node.below)
        return self.quotient(above, below, node.span)

    def quotient(self, above: Node, below: Node, span: Span) -> Node:
        """A ⊘ B: entry by entry, numbers repeated."""
        above, below = self.fit(above, below, list(zip(above.dims, below.dims, strict=True)))
        if below == b.number(0) or below.op == "zeros":
            raise AnswerError("undefined", "This divides by zero.", span)
        if SCALAR not in (above.dims, below.dims) and above.dims != below.dims:
            if ONE in above.dims or below.dims not in ((above.dims[0], ONE), (ONE, above.dims[1])):
                raise ShapeError(f"{self.show(above)} cannot be divided by {self.show(below)}")
            below = b.broadcast(below, above.dims)
        return b.divide(above, below)

    def root(self, node: s.Root) -> Node:
        body = self.expression(node.body)
        degree = 2 if node.degree is None else _constant(self.expression(node.degree), node.span)
        if not degree:
            raise AnswerError("undefined", "There is no root of degree 0.", node.span)
        return self.kept(b.power(body, Fraction(1) / degree))

    def bars(self, node: s.Bars) -> Node:
        inside = node.body.body if isinstance(node.body, s.Bars) and node.body.sign == "|" == node.sign else None
        if node.sign == "|" and inside is None:
            body = self.expression(node.body)
            square = body.dims[0] == body.dims[1] and body.dims != SCALAR
            return b.make("det", (body,)) if square else b.apply("abs", body)
        return b.make("norm", (self.expression(inside or node.body),))

    def group(self, node: s.Group) -> Node:
        if node.error is not None:
            raise node.error
        refused.refuse(node.opening, node.span)
        if len(node.parts) == 1:
            part = node.parts[0]
            return conditions.condition(self, part) if isinstance(part, s.Relation) else self.expression(part)
        if node.opening == r"\langle" and node.parts:
            values = [self.expression(part) for part in node.parts]
            return b.inner(b.hadamard(*values[:-1]), values[-1])
        if node.opening in ("(", "[") and node.parts:
            return lists.bracket(self, node, False)
        raise AnswerError("unreadable", "A list of several things is not a value here.", node.span)

    def relation(self, node: s.Relation) -> Node:
        for sign in node.signs:
            refused.refuse(sign, node.span)
        raise AnswerError("unreadable", "An equation or inequality is not a value here.", node.span)

    def product(self, node: s.Product) -> Node:
        return juxtapose.product(self, functions.items(self, node.factors))

    def name(self, node: s.Name | s.Scripted) -> Node:
        return functions.single(self, node)

    def cases(self, node: s.Cases) -> Node:
        operands, rest = list[Node](), b.number(1)
        if any(not given for _, given in node.branches[:-1]):
            raise AnswerError("unreadable", "A line of these cases says no condition.", node.span)
        for branch, given in node.branches:
            value = self.expression(branch)
            holds = conditions.conditions(self, given) if given else rest
            operands += [holds, value]
            rest = b.subtract(b.number(1), holds) if holds.dims == SCALAR else b.number(1)
        dims = next((o.dims for o in operands if o.dims != SCALAR), SCALAR)
        return b.make("cases", tuple(b.broadcast(o, dims) for o in operands))

    def matrix(self, node: s.MatrixLiteral) -> Node:
        return lists.matrix(self, node)

    def derivative(self, node: s.Derivative) -> Node:
        """An unexpanded derivative: a declared name, or its value, where the engine can give it."""
        from derive.reading import derivatives

        return derivatives.value(self, node)

    def evaluated(self, node: s.At) -> Node:
        """A value at a point."""
        from derive.reading import derivatives

        return derivatives.at_point(self, node)

    def external(self, node: s.External) -> Node:
        from derive.reading import scalar_fallback

        return scalar_fallback.read(self, node)

    # --------------------------------------------------------------------------------------------- scripts

    def raised(self, value: Node, sup: tuple[str, ...], span: Span) -> Node:
        """A value with one superscript: a transpose, an inverse or a power."""
        if names.is_transpose(self, sup):
            return b.transpose(value)
        if sup in (("-", r"\top"), ("-", "T")):
            return b.transpose(self.raised(value, ("-", "1"), span))
        if sup[0] in ELEMENTWISE and len(sup) > 1:
            exponent = indices.value_of(self, sup[1:], span)
            return self.kept(b.power(value, _constant(exponent, span)))
        exponent = indices.value_of(self, sup, span)
        if exponent.op == "number":
            return self._power(value, exponent.data[0], span)
        if exponent.dims != SCALAR and exponent.dims != value.dims and value.dims != SCALAR:
            raise ShapeError(f"{self.show(exponent)} cannot be an exponent of {self.show(value)}")
        if value == b.constant("e"):
            return b.apply("exp", exponent)
        dims = exponent.dims if value.dims == SCALAR else value.dims
        return self.kept(b.make("general_power", (b.broadcast(value, dims), b.broadcast(exponent, dims))))

    def kept(self, node: Node) -> Node:
        """The same; what has no value everywhere is noted, since √x √x must not become x for negative x."""
        if node.op in PARTIAL and not (node.op == "power" and node.data[0].denominator == 1):
            self.partial.append(node)
        return node

    def _power(self, value: Node, exponent: Fraction, span: Span) -> Node:
        square = value.dims[0] == value.dims[1] and value.dims != SCALAR
        if value.op == "number" and abs(exponent) * _length(value.data[0]) > MAX_BITS:
            raise AnswerError("too-long", "This number is too large.", span)
        if square and (exponent.denominator != 1 or abs(exponent) > LARGEST_POWER):
            message = f"Of a square matrix only whole powers up to {LARGEST_POWER} are read."
            raise AnswerError("unreadable", message, span)
        if square:
            return matrix.matrix_power(value, int(exponent))
        if value == b.constant("e"):
            return b.apply("exp", b.number(exponent))
        if value.op == "number" and exponent < 0 and not value.data[0]:
            raise AnswerError("undefined", "This divides by zero.", span)
        return self.kept(b.power(value, exponent))

    def bind(self, letter: str, node: Node) -> Reader:
        """A reader in which a letter stands for an index or an argument."""
        inner = object.__new__(Reader)
        inner.__dict__.update(self.__dict__, bound={**self.bound, letter: node})
        return inner

    def unused_letter(self, letter: str) -> str:
        """A name for a bound index that no other index has here."""
        taken = {str(n.data[0]) for n in self.bound.values() if n.op == "index"} | self.taken
        while letter in taken or any(e.kind == "index" for e in self.scope.entities.get(letter, [])):
            letter += "'"
        return letter


def _length(value: Fraction) -> int:
    """The bits of a number."""
    return value.numerator.bit_length() + value.denominator.bit_length()


def _constant(node: Node, span: Span) -> Fraction:
    if node.op != "number":
        raise AnswerError("unreadable", "Only a number is understood here.", span)
    value: Fraction = node.data[0]
    return value


_HANDLERS: dict[type, Callable[..., Node]] = {
    s.Num: Reader.number,
    s.One: Reader.ones,
    s.Words: Reader.words,
    s.Sum: Reader.sum,
    s.Frac: Reader.fraction,
    s.Root: Reader.root,
    s.Bars: Reader.bars,
    s.Group: Reader.group,
    s.Relation: Reader.relation,
    s.Product: Reader.product,
    s.Name: Reader.name,
    s.Scripted: Reader.name,
    s.BigOperator: lambda reader, node: sums.big_operator(reader, node),
    s.Cases: Reader.cases,
    s.MatrixLiteral: Reader.matrix,
    s.Derivative: Reader.derivative,
    s.At: Reader.evaluated,
    s.External: Reader.external,
}
