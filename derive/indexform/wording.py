"""The lines of an index form as LaTeX and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.indexform.letters import bound
from derive.indexform.partials import Place
from derive.printing.latex import Printer
from derive.printing.shorter import unshadowed
from derive.problem.problem import Problem, Target
from derive.rules.driver import simplify
from derive.rules.parts import properties, scalars_of
from derive.sizes import ONE, Size

LONG_TEXT = 240


@dataclass(frozen=True, slots=True)
class Line:
    """left = members[0] = members[1] = …, with words on why, and the cases of a result that has some."""

    left: str
    members: tuple[str, ...]
    words: str = ""
    cases: tuple[tuple[str, str], ...] = ()


class IndexPrinter(Printer):
    """Prints a Kronecker delta as δ_ij, unless the problem calls something else δ."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.scope)
        self.kronecker = r"\delta" not in problem.scope.entities

    def indicator(self, node: Node) -> str:
        if node.op != "index_equal" or not self.kronecker:
            return super().indicator(node)
        first, second = (self(o) for o in node.operands)
        between = "" if len(first) == len(second) == 1 and not (first + second).isdigit() else ", "
        return rf"\delta_{{{first}{between}{second}}}"

    def entry(self, node: Node) -> str:
        """Entry k of the block after place s is entry s + k of the whole."""
        x, i, j = node.operands
        if x.op != "block":
            return super().entry(node)
        axis, start, _ = x.data
        if start == Size.of(0):
            return self(b.entry(x.operands[0], i, j))
        whole, place = x.operands[0], (i, j)
        texts = [f"{start} + {self(p)}".replace(" ", "") if k == axis else self(p) for k, p in enumerate(place)]
        kept = [text for text, size in zip(texts, whole.dims, strict=True) if size != ONE]
        return self._indexed(whole, ", ".join(kept))

    def condition(self, node: Node) -> str:
        plain, self.kronecker = self.kronecker, False
        text = super().condition(node)
        self.kronecker = plain
        return text


class Wording:
    """Turns the steps of one derivation into lines."""

    def __init__(self, problem: Problem, of: Node, head: Place) -> None:
        self._printer, self.head = IndexPrinter(problem), head.letters
        self.around = self.head
        named = of is not problem.loss_symbol or bool(problem.scope.loss_name)
        self.of = self.print(head.node) if named else ""
        self.whole = self.print(of) if named else ""

    def print(self, node: Node, level: int = 0) -> str:
        """A formula; no sum in it is over a letter that stands for something else around it."""
        return self._printer(unshadowed(node, self.around), level)

    def derivative(self, below: Node, above: str | None = None) -> str:
        """∂of/∂below."""
        return rf"\frac{{\partial {self.of if above is None else above}}}{{\partial {self.print(below)}}}"

    def definition(self, name: Node, written: Node) -> Line:
        """A line of the forward computation, for one entry where it has several."""
        return Line(self.print(name), (self.print(written),))

    def chain(
        self,
        mine: Place,
        place: Place,
        factors: tuple[Node, Node],
        binding: Sequence[Node],
        tidy: Node,
        way: Node | None,
    ) -> tuple[Line, ...]:
        """The local derivative of one entry by another, and the sum over all entries that it changes.

        `factors` are this local derivative and what comes from the loss; `way` is the entry that the variable acts
        through where there are several.
        """
        local, upstream = factors
        self.around = self.head | mine.letters | place.letters
        inner = Line(self.derivative(place.node, self.print(mine.node)), (self.print(local),),
                     self._which(mine, place, local, binding), self._cases(local, mine, place))  # fmt: skip
        if self.print(mine.node) == self.of:
            direct = rf"{inner.left}\Big|_{{{self.of}}}"
            return (inner if way is None else replace(inner, left=direct, words=f"the part in ${self.of}$ itself"),)
        outer = rf"{self.derivative(mine.node)} {inner.left}"
        product = b.product(upstream, local)
        members = [self._sum(binding, outer), self._sum(binding, self._factors(upstream, local)), self.print(tidy)]
        if b.number(1) in (local, upstream) or product is tidy:
            members.pop(1)
        kept = [m for m in dict.fromkeys(members) if len(m) < LONG_TEXT or m == members[-1]]
        left = self.derivative(place.node)
        if way is None:
            return inner, Line(left, tuple(kept), "", self._kinds(tidy))
        through = rf"{left}\Big|_{{{self.print(way)}}}"
        return inner, Line(through, tuple(kept), f"the part that goes through ${self.print(way)}$")

    def _factors(self, upstream: Node, local: Node) -> str:
        """The two factors, in brackets where they are sums."""
        return " ".join(self.print(f, 30) if f.op == "add" else rf"\left({self.print(f)}\right)"
                        if f.op == "sum" or self.print(f).startswith("-") else self.print(f, 25)
                        for f in (upstream, local))  # fmt: skip

    def _sum(self, binding: Sequence[Node], text: str) -> str:
        """Σ over the letters of an entry, in front of a text."""
        signs = [rf"\sum_{{{p.data[0]}={p.data[1].lo}}}^{{{p.data[1].hi}}}" for p in binding]
        return " ".join((*signs, text))

    def _which(self, mine: Place, place: Place, local: Node, binding: Sequence[Node]) -> str:
        """Which entries of a name contain the variable."""
        if not binding:
            return ""
        deltas = [f for f in scalars_of(local) if f.op == "index_equal"]
        settled = {p: q for d in deltas for p, q in (d.operands, d.operands[::-1]) if p in binding}
        name, variable = f"${self.print(mine.node)}$", f"${self.print(place.node)}$"
        if settled:
            places = " and ".join(f"${self.print(p)} = {self.print(q)}$" for p, q in settled.items())
            return f"of all {name} only the one with {places} contains {variable}"
        return f"every {name} contains {variable}" if not self._deltas(local) else f"{name} has two cases"

    def _deltas(self, node: Node) -> list[Node]:
        return [p for p in walk(node) if p.op == "index_equal" and all(o.op == "index" for o in p.operands)]

    def _cases(self, local: Node, mine: Place, place: Place) -> tuple[tuple[str, str], ...]:
        """What a derivative is where two indices are equal and where they are not."""
        for delta in self._deltas(local):
            apart = simplify(b.substitute(local, {delta: b.number(0)}))
            if apart == b.number(0):
                continue
            first, second = delta.operands
            if first not in (mine.i, mine.j):
                first, second = second, first
            together = b.substitute(b.substitute(local, {delta: b.number(1)}), {first: second, bound(first): second})
            one, other = self.print(first), self.print(second)
            return ((f"{one} = {other}", self.print(simplify(together))), (rf"{one} \neq {other}", self.print(apart)))
        return ()

    def _kinds(self, result: Node) -> tuple[tuple[str, str], ...]:
        """A result at the right class and at the others, where an entry of a one-hot vector is a term of a sum."""
        for part in (b.split_number(term)[1] for term in (result.operands if result.op == "add" else ())):
            if part.op == "index_equal" and part in self._deltas(part):
                place = Place(part, None, *part.operands)
                return self._cases(result, place, place)
            if part.op != "entry" or not any(str(p).startswith("one-hot") for p in properties(part.operands[0])):
                continue
            off = simplify(b.substitute(result, {part: b.number(0)}))
            on = simplify(b.substitute(result, {part: b.number(1)}))
            text = self.print(part)
            return ((f"{text} = 1", self.print(on)), (f"{text} = 0", self.print(off)))
        return ()

    def added(self, place: Place, parts: Sequence[Node], whole: Node) -> Line:
        """What a variable receives on all ways, added up."""
        texts = [self.print(p) for p in parts]
        total = " + ".join(rf"\left({t}\right)" if t.startswith("-") else t for t in texts)
        members = dict.fromkeys(([total] if len(total) < LONG_TEXT else []) + [self.print(whole)])
        return Line(self.derivative(place.node), tuple(members), "the sum over all ways", self._kinds(whole))

    def naming(self, symbol: Node, place: Place, value: Node) -> Line:
        """A name for a cotangent that has become long."""
        entry = b.entry(symbol, place.i, place.j)
        return Line(self.print(entry), (self.derivative(place.node), self.print(value)), "a name for what is long")

    def result(self, place: Place, value: Node) -> Line:
        """One entry of the derivative."""
        return Line(self.derivative(place.node), (self.print(value),), "", self._kinds(value))

    def assembled(
        self, target: Target, axes: tuple[Node, Node], value: Node, forms: Sequence[Node], layout: str
    ) -> Line:
        """The matrix whose entries these are."""
        row, column = axes if layout == "shape" else axes[::-1]
        where = [self.print(p) for p in (row, column) if p.op == "index"]
        words = f"${self.print(value)}$ is entry ${', '.join(where)}$" if where else ""
        left = rf"\frac{{\partial {self.whole}}}{{\partial {target.text}}}"
        return Line(left, tuple(self.print(b.transpose(f) if layout == "numerator" else f) for f in forms), words)
