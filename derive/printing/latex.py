"""Expressions to LaTeX, as a textbook has them; the reader reads back what is printed here.

Binding strength: a sum binds weakest, then ∘, then the matrix product; functions have their argument in
brackets.  A name that carries a superscript is bracketed before it gets another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from derive.errors import AuthorError
from derive.expressions import build as b
from derive.expressions.node import Node, landings
from derive.operations.registry import record
from derive.printing import places
from derive.printing.conditions import INDICATORS, complemented, relation
from derive.printing.extrema import is_extreme, over_entries
from derive.printing.shorter import complements_last, in_order, squared, unshadowed
from derive.printing.subscripts import braced, fill_key
from derive.sizes import ONE, SCALAR, Range, Size

if TYPE_CHECKING:
    from derive.reading.scope import Scope

ADD, HADAMARD, SUM, PRODUCT, POWER, FUNCTION, TRANSPOSE, ATOM = 10, 20, 25, 30, 50, 60, 80, 100
VARYING = frozenset(("number", "power", "hadamard", "product", "total", "ones", "add", "log"))
MOST_PRINTED, LONGEST_KEPT = 1_000_000, 400
POWERED = {"tanh": r"\tanh", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "sec": r"\sec", "csc": r"\csc"}


def latex(node: Node, scope: Scope | None = None, texts: dict[Node, str] | None = None) -> str:
    """The LaTeX of an expression; with a scope, declared columns and rows are called by their names.

    `texts` is a memory for expressions that share parts.  Raises `AuthorError` for more than a million symbols.
    """
    if node.count > MOST_PRINTED:
        raise AuthorError(f"this formula has {node.count} symbols: too many to print; ask for a name nearer the end")
    node, printer = unshadowed(node), Printer(scope, texts)
    for part in landings(node, printer.texts):
        printer(part)
    return printer(node)


class Printer:
    """Prints expressions by the `latex` fields of their operations' records.

    Short texts that depend on nothing but the node are kept with it, since answers share most of their parts.
    """

    def __init__(self, scope: Scope | None = None, texts: dict[Node, str] | None = None) -> None:
        self.lines, self.texts = {}, {} if texts is None else texts
        for entity in scope.all() if scope is not None else ():
            if entity.kind == "part":
                self.lines[entity.node, entity.orientation] = (entity.key, entity.slots[0])
        self.keeps = type(self) is Printer and not self.lines

    def __call__(self, node: Node, level: int = 0) -> str:
        """The text of a node, in brackets where it binds weaker than `level`."""
        text = node.text if self.keeps else None
        if text is None:
            text = self.texts.get(node) or self._written(node)
        return rf"\left({text}\right)" if level and self.level(node) < level else text

    def _written(self, node: Node) -> str:
        printer = record(node.op).latex
        assert printer is not None
        text = printer(self, node)
        if self.keeps and len(text) <= LONGEST_KEPT:
            node.text = text
        else:
            self.texts[node] = text
        return text

    def level(self, node: Node) -> int:
        """How strongly the printed form of a node binds."""
        if node.op not in VARYING:
            return record(node.op).level
        if node.op == "number":
            return ADD if node.data[0] < 0 else ATOM
        if node.op in ("power", "hadamard", "product") and self._is_fraction(node):
            return PRODUCT
        if node.op == "total" or (node.op == "ones" and ONE not in node.dims):
            return PRODUCT
        if self._is_negation(node):
            return ATOM
        if squared(node) is not None:
            return POWER
        if node.op == "hadamard" or self._scaled_hadamard(node):
            return HADAMARD
        if node.op == "log" and self._is_bare(node.operands[0]):
            return PRODUCT + 1
        return record(node.op).level

    def _is_negation(self, node: Node) -> bool:
        """Whether a sum is the indicator of an inequality that does not hold."""
        inside = complemented(node)
        return inside is not None and inside.op == "positive"

    def _is_bare(self, argument: Node) -> bool:
        """Whether a logarithm needs no brackets; after `\\log 5` a product would be read on."""
        return record(argument.op).level == ATOM and argument.op not in ("abs", "number")

    def _scaled_hadamard(self, node: Node) -> bool:
        """A number times A ∘ B, which is printed without brackets."""
        parts = node.operands
        return node.op == "product" and len(parts) == 2 and parts[0].op == "number" and parts[1].op == "hadamard"

    def _is_fraction(self, node: Node) -> bool:
        factors = node.operands if node.op in ("hadamard", "product") else (node,)
        return any(b.base_and_exponent(f)[1] < 0 for f in factors)

    # ----------------------------------------------------------------------------------------- leaves

    def number(self, value: b.Number) -> str:
        sign = "-" if value < 0 else ""
        value = b.magnitude(value)
        if value.denominator == 1:
            return f"{sign}{value.numerator}"
        return rf"{sign}\frac{{{value.numerator}}}{{{value.denominator}}}"

    def name(self, key: str) -> str:
        return str(key)

    def size(self, size: Size) -> str:
        return str(size)

    def ones(self, node: Node) -> str:
        if node.dims[1] == ONE:
            return r"\mathbf{1}"
        return r"\mathbf{1}^\top" if node.dims[0] == ONE else r"\mathbf{1} \mathbf{1}^\top"

    def indicator(self, node: Node) -> str:
        return rf"\mathbb{{1}}\{{{relation(node, self)}\}}"

    # ------------------------------------------------------------------------------------------- sums

    def sum_of_terms(self, node: Node) -> str:
        if self._is_negation(node):
            return self.indicator(node)
        terms = list(node.operands)
        lead = next((k for k, t in enumerate(terms) if not self._negative(t)), None)
        if lead and self._negative(terms[0]):
            terms.insert(0, terms.pop(lead))
        out = self._term(terms[0])
        for term in terms[1:]:
            text = self._term(term)
            out += f" - {text[1:].lstrip()}" if text.startswith("-") else f" + {text}"
        return out

    def _negative(self, node: Node) -> bool:
        return b.factor_of(node) < 0

    def _term(self, node: Node) -> str:
        if node.op in ("number", "ones", "zeros") or (node.op == "product" and node.operands[-1].op == "ones"):
            value, rest = b.split_number(node)
            if rest.op in ("number", "ones"):
                return self.number(value)
        return self(node, HADAMARD)

    def big_sum(self, node: Node) -> str:
        name, over = node.data
        body, condition = node.operands
        text = self(body, HADAMARD)
        if body.op == "add":
            text = self(body, PRODUCT)
        lower = self.limits(str(name), over)
        if condition.op != "number":
            lower = lower[:-1] + f", {self.condition(condition)}}}" if lower.endswith("}") else lower
            if "^" in lower:
                start, _, upper = lower.partition("}^")
                lower = rf"{start}, {self.condition(condition)}}}^{upper.rsplit(',', 1)[0]}}}"
        return rf"\sum{lower} {text}"

    def limits(self, name: str, over: Range) -> str:
        if not over.excluded:
            return f"_{{{name}={over.lo}}}^{{{over.hi}}}"
        excluded = "".join(rf", {name} \neq {e}" for e in over.excluded)
        return rf"_{{{over.lo} \leq {name} \leq {over.hi}{excluded}}}"

    def condition(self, node: Node) -> str:
        if node.op in INDICATORS or complemented(node) is not None:
            return relation(node, self)
        return f"{self(node)} = 1"

    # --------------------------------------------------------------------------------------- products

    def product(self, node: Node) -> str:
        value, scalars, chain = Fraction(1), list[Node](), list[Node]()
        for factor in node.operands:
            if factor.op == "number":
                value = factor.data[0]
            else:
                (scalars if factor.dims == SCALAR else chain).append(factor)
        scalars = in_order(scalars)
        sign = "-" if value < 0 else ""
        last = [s for s in scalars if s.op == "sum"]
        if self._scaled_hadamard(node) and not self._is_fraction(chain[0]):
            return sign + " ".join([self.number(abs(value))] * (abs(value) != 1) + [self(chain[0])])
        plain = [s for s in scalars if s.op != "sum"]
        front = self._front(abs(value), plain, bool(chain or last)) if plain or abs(value) != 1 else ""
        rest = [*last[:-1], *chain, *last[-1:]]
        square = squared(b.product(*chain)) if node.dims == SCALAR and len(chain) == 2 else None
        parts = [self(f, PRODUCT) for f in rest] if square is None else [rf"\lVert {self(square)} \rVert^2"]
        if rest and rest[-1].op == "sum":
            parts[-1] = self(rest[-1])
        return sign + " ".join(([front] if front else []) + parts)

    def _front(self, value: Fraction, scalars: Sequence[Node], more: bool) -> str:
        """The number and the scalar factors, as a fraction where some stand below."""
        above = [s for s in scalars if b.base_and_exponent(s)[1] > 0]
        below = [b.power(s, -1) for s in scalars if b.base_and_exponent(s)[1] < 0]
        sizes = all(s.op == "size" for s in below) and any(self.level(s) <= PRODUCT for s in above)
        beside = bool(below) and (sizes or (more and any(self.level(s) <= ADD for s in above)))
        apart = len(above) > 1 or (more and (beside or not below))
        tops = ([self.number(Fraction(value.numerator))] if value.numerator != 1 else []) + [
            self(s, PRODUCT + 1 if apart and s.op in ("product", "total") else PRODUCT) for s in above
        ]
        if not below and value.denominator == 1:
            return " ".join(tops)
        bottoms = ([str(value.denominator)] if value.denominator != 1 else []) + [self(s, PRODUCT) for s in below]
        if beside:
            return " ".join(
                [self._front(value, [s for s in scalars if s not in above], False), *tops[value.numerator != 1 :]]
            )
        if not below and above:
            small = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
            return " ".join([small, *tops[value.numerator != 1 :]])
        top = " ".join(tops) or "1"
        if len(above) == 1 and len(tops) == 1:
            top = self(above[0])
        bottom = self(below[0]) if len(below) == 1 and len(bottoms) == 1 else " ".join(bottoms)
        return rf"\frac{{{top}}}{{{bottom}}}"

    def hadamard(self, node: Node) -> str:
        above = complements_last([f for f in node.operands if b.base_and_exponent(f)[1] > 0])
        below = [b.power(f, -1) for f in node.operands if b.base_and_exponent(f)[1] < 0]
        top = r" \circ ".join(self(f, PRODUCT + 1) for f in above) if len(above) != 1 else self(above[0])
        bottom = r" \circ ".join(self(f, PRODUCT + 1) for f in below) if len(below) != 1 else self(below[0])
        return top if not below else rf"\frac{{{top or '1'}}}{{{bottom}}}"

    def power(self, node: Node) -> str:
        base, exponent = node.operands[0], Fraction(node.data[0])
        if base.op == "transpose":
            return rf"\left({self(b.power(base.operands[0], exponent))}\right)^\top"
        if exponent < 0:
            return rf"\frac{{1}}{{{self(b.power(base, -exponent))}}}"
        # The power of a square matrix without a sign would be read as a matrix product.
        sign = r"\circ " if node.dims[0] == node.dims[1] != ONE else ""
        square = squared(base)
        if square is not None and exponent.denominator == 1:
            return rf"\lVert {self(square)} \rVert^{braced(str(2 * exponent))[1:]}"
        if exponent.denominator == 2:
            root = rf"\sqrt{{{self(base)}}}"
            return root if exponent == Fraction(1, 2) else rf"{root}^{{{sign}{exponent.numerator}}}"
        sign = "" if base.op in POWERED else sign
        shown = str(exponent) if len(sign + str(exponent)) == 1 else f"{{{sign}{exponent}}}"
        if base.op in POWERED:
            return rf"{POWERED[base.op]}^{shown}({self(base.operands[0])})"
        return f"{self._scripted(base)}^{shown}"

    def _scripted(self, node: Node) -> str:
        """A node that is to carry a superscript."""
        text = self(node, TRANSPOSE + 1)
        if text.startswith(r"\left("):
            return text
        plain = node.op in ("symbol", "member") and "^" not in text
        entry = node.op in ("entry", "row", "column") and "^" not in text
        if (
            plain
            or entry
            or node.op in ("abs", "norm")
            or node.op in ("number", "size", "constant", "index", "eye", "ones", "onehot")
        ):
            return text
        return text if record(node.op).level == FUNCTION and "(" in text else rf"\left({text}\right)"

    def transpose(self, node: Node) -> str:
        line = self._named_line(node)
        return line if line is not None else rf"{self._scripted(node.operands[0])}^\top"

    def _named_line(self, node: Node) -> str | None:
        """A declared row, which is called by its name and is a column."""
        inner = node.operands[0]
        if inner.op == "row" and (inner.operands[0], "row") in self.lines:
            key, slot = self.lines[inner.operands[0], "row"]
            return fill_key(key, slot, self(inner.operands[1]))
        return None

    def total(self, node: Node) -> str:
        body = node.operands[0]
        if body.dims[1] == ONE:
            return rf"\mathbf{{1}}^\top {self(body, PRODUCT)}"
        if body.dims[0] == ONE:
            return rf"{self(body, PRODUCT)} \mathbf{{1}}"
        return rf"\mathbf{{1}}^\top {self(body, PRODUCT)} \mathbf{{1}}"

    # --------------------------------------------------------------------------------- functions, parts

    def application(self, tex: str, argument: Node) -> str:
        if tex == r"\log" and self._is_bare(argument):
            return rf"\log {self(argument)}"
        return f"{tex}({self(argument)})"

    def primed(self, name: str, order: int) -> str:
        marks = "'" * order
        return f"{name}{marks}" if "^" not in name or not order else rf"({name}){marks}"

    over_entries, is_extreme = over_entries, is_extreme

    def cases(self, node: Node) -> str:
        rows = []
        for condition, branch in zip(node.operands[::2], node.operands[1::2], strict=True):
            rows.append(f"{self(branch)} & {self.condition(condition)}")
        between = r" \\ "
        return rf"\begin{{cases}} {between.join(rows)} \end{{cases}}"

    _indexed = places.indexed
    entry, line, member, block, concat = places.entry, places.line, places.member, places.block, places.concat


Node.to_latex = staticmethod(latex)
