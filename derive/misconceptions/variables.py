"""One thing for another: labels, variables, indices; what is right in a special case only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from derive.expressions import build as b
from derive.expressions.node import Node
from derive.latex import syntax as s
from derive.misconceptions.factors import Found
from derive.misconceptions.places import mapped
from derive.misconceptions.registry import Example, misconception
from derive.misconceptions.repairs import Around
from derive.sizes import SCALAR


def _exchange_labels(part: s.Syntax, around: Around) -> Found:
    value = around.value(part) if isinstance(part, (s.Name, s.Scripted)) else None
    for one, two in around.labels:
        for here, other in ((one, two), (two, one)):
            if value is here.node:
                yield other.syntax, part.span
        if part is around.root and (new := _exchanged(part, one.syntax, two.syntax)) is not part:
            yield new, part.span


def _exchanged(root: s.Syntax, one: s.Syntax, two: s.Syntax) -> s.Syntax:
    """A formula with two names exchanged everywhere."""
    return mapped(root, lambda part: two if _same(part, one) else one if _same(part, two) else part)


def _same(part: s.Syntax, name: s.Syntax) -> bool:
    """Whether a piece of syntax is a name, wherever it stands."""
    if isinstance(part, s.Name) and isinstance(name, s.Name):
        return part.base == name.base
    return False


misconception(
    "label-swap",
    law=r"$\partial J/\partial z = \hat{y} - y$ for softmax with cross-entropy",
    hint="Which of the two is the label and which the prediction? Check where each of them stands.",
    explanation="The label and the prediction were exchanged, or one stands for the other.",
    examples=(Example("cross-entropy-probabilities", "p", r"- p \oslash y"),),
    repairs=_exchange_labels,
)


def _other_positions(node: Node) -> Iterator[Node]:
    if node.op == "entry":
        x, i, j = node.operands
        if i != j and x.dims[0] != b.ONE and x.dims[1] != b.ONE:
            yield b.entry(x, j, i)


def _repair_indices(part: s.Syntax, around: Around) -> Found:
    if isinstance(part, s.Scripted):
        for k, sub in enumerate(part.subs):
            letters = [n for n, t in enumerate(sub.tokens) if t.text in around.letters]
            for n in letters:
                for other in around.letters:
                    if other != sub.tokens[n].text:
                        yield _renamed(part, k, {n: other}), sub.span
            if len(letters) > 1:
                first, last = letters[0], letters[-1]
                yield _renamed(part, k, {first: sub.tokens[last].text, last: sub.tokens[first].text}), sub.span
    if part is around.root or isinstance(part, (s.Group, s.Sum, s.BigOperator)):
        for one, two in permutations(around.letters, 2):
            for change in ({one: two}, {one: two, two: one}):
                for deep in (False, True):
                    if (new := _relettered(part, change, deep)) is not part:
                        yield new, part.span


def _renamed(part: s.Scripted, k: int, changes: dict[int, str]) -> s.Syntax:
    sub = part.subs[k]
    tokens = tuple(t._replace(text=changes[n]) if n in changes else t for n, t in enumerate(sub.tokens))
    return replace(part, subs=(*part.subs[:k], s.Script(tokens, sub.span), *part.subs[k + 1 :]))


def _relettered(root: s.Syntax, other: dict[str, str], deep: bool) -> s.Syntax:
    """A formula with other index letters in its subscripts, inside of sums too or only outside of them."""

    def renamed(script: s.Script) -> s.Script:
        return s.Script(tuple([t._replace(text=other.get(t.text, t.text)) for t in script.tokens]), script.span)

    def change(part: s.Syntax) -> s.Syntax:
        if not isinstance(part, s.Scripted) or not any(t.text in other for sub in part.subs for t in sub.tokens):
            return part
        return replace(part, subs=tuple([renamed(sub) for sub in part.subs]))

    return mapped(root, change, lambda part: deep or part is root or not isinstance(part, s.BigOperator))


misconception(
    "index",
    law="an index that is summed over stands nowhere else; the free ones are those of the variable",
    hint="Check the indices one by one: which are the variable's, which are summed over, and which is the row?",
    explanation="An index is wrong: rows for columns, one letter for another, or a summed one for a free one.",
    examples=(Example("softmax-regression", "W_{ij}", r"(\hat{y}_j - y_j) x_i"),),
    slips=_other_positions,
    repairs=_repair_indices,
)


def _other_names(part: s.Syntax, around: Around) -> Found:
    value, dims = around.value(part), around.dims(part)
    if dims is None or (value is not None and value.op == "number"):
        return
    for other in around.names:
        alike = other.node.dims in (dims, dims[::-1]) or (around.loose and other.node.dims != SCALAR)
        if other.node is not value and alike:
            yield other.syntax, part.span


misconception(
    "wrong-variable",
    law="$z = W x$: the derivative by $W$ uses $x$, the one by $x$ uses $W$",
    hint="Which variable do you differentiate with respect to? A part of your answer belongs to another derivative.",
    explanation="The answer is the derivative with respect to another variable, or one quantity stands where another "
    "belongs.",
    examples=(
        Example("softmax-regression", "W", r"(\hat{y} - y) b^\top"),
        Example("softmax-regression", "b", r"W^\top (\hat{y} - y)"),
    ),
    repairs=_other_names,
    parts=(s.Name, s.Scripted),
)
misconception(
    "positive-formula",
    law="the observed word and the sampled ones stand in different terms of the loss",
    hint="In which term of the loss does this vector stand: in that of the observed word or in one of the others?",
    explanation="The formula for the observed (positive) vector was given for a negative one, or the other way round.",
    examples=(Example("negative-sampling", "u_k", r"(\sigma(u_o^\top v_c) - 1) v_c"),),
)
misconception(
    "special-case",
    law="the derivative holds for all values that the problem allows",
    hint="Your formula is right in a special case only. Which assumption about the labels, the indices or the "
    "sizes did you use?",
    explanation="Equal to the derivative only for one-hot labels, for labels that sum to 1, for different indices or "
    "for equal ones.",
    examples=(Example("skip-gram-window-counts", "v_c", r"U (\hat{y} (c^\top c) - c)"),),
)
