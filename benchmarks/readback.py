"""Reading a sheet back: each formula on it, read by the project's own reader, has the value that it claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from derive.errors import DeriveError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.closed import derivative_value
from derive.indexform.logits import with_logits
from derive.numerics.fields import Floating
from derive.numerics.sampling import Sample, sample, world
from derive.problem.problem import Problem, leaf_of
from derive.reading.derivatives import with_free_indices_kept
from derive.reading.reader import Reader
from derive.reading.scope import Entity, take_key_apart
from derive.sheets.blocks import Block, Equation, Equations, Heading, Paragraph, Part, Step, Table, formulas, pieces
from derive.sizes import Dims, Range

SEED, POINTS, CLOSE = 5, 8, 1e-6
THROUGH = re.compile(r"\\Big\|_\{.*\}$")
LOCAL = "the local Jacobian"
SHAPES = re.compile(r"\\mathbb\{R\}|\\times|\\leq|\\dots")
LETTERS = re.compile(r"\w+(?:, \w+)+")


# What is printed and not read: each with its reason.
LIMITS = {
    re.compile(r"I_\{[^}]*:[^}]*\}"): "a part of an identity, whose size nothing fixes",
    re.compile(r"_\{(?:\w+, ?)?\d*[a-z]\+[a-z]\}"): "an entry at a place that is moved by a size",
    re.compile(r"\\delta_\{\w+\}.*AnswerError", re.DOTALL): "a name that the index form gives to a long cotangent",
}


@dataclass(frozen=True, slots=True)
class Report:
    """How many formulas have the value that they claim, how many are only parsed, what is wrong, known limits."""

    equal: int
    parsed: int
    wrong: tuple[str, ...]
    limits: tuple[str, ...] = ()


def read_back(problem: Problem, part: Part, numerator: bool = False) -> Report:
    """Read every formula of a sheet and compare what stands on both sides of each equals sign."""
    wrong, equal, parsed, problem = list[str](), 0, 0, _with_logits(problem)
    for block in part.blocks:
        rows = block.rows if isinstance(block, (Equations, Step)) else ()
        for row in rows:
            for text, problem_found in _compared(problem, row, numerator):
                equal += not problem_found
                wrong += [f"{row.left} = {text}: {problem_found}"] if problem_found else []
        wrong += [f"{text}: LaTeX outside of a formula" for text in _plain(block) if "\\" in text]
        if isinstance(block, Paragraph) and block.kind == "mistake":
            continue  # general laws, and what does not hold
        said = set(formulas(block)) - {text for row in rows for text in (row.left, *row.members)}
        said -= {text for row in rows for case in row.cases for text in case}
        for text in sorted(said):
            parsed += 1
            wrong += _unreadable(problem, text)
    limits = tuple(text for text in wrong if any(limit.search(text) for limit in LIMITS))
    return Report(equal, parsed, tuple(text for text in wrong if text not in limits), limits)


def _with_logits(problem: Problem) -> Problem:
    """The problem with the names that the index form gives to what stands inside a softmax."""
    program, own = with_logits(problem)
    if not own:
        return problem
    scope, loss = problem.scope.child(), problem.loss_symbol
    for name in own:
        key = str(name.data[0])
        scope.add(Entity("value", key, take_key_apart(key), name))
    definitions = {name: body for name, body in program.items() if name is not loss}
    body = program[loss]
    assert isinstance(body, Node)
    return replace(problem, scope=scope, definitions=definitions, loss=body)


def _plain(block: Block) -> Iterator[str]:
    """The pieces of a block's text that are no formulas."""
    texts: tuple[str, ...] = ()
    if isinstance(block, (Heading, Paragraph)):
        texts = (block.text,)
    elif isinstance(block, (Equations, Step)):
        texts = tuple(row.note for row in block.rows)
        texts += (block.title, block.words) if isinstance(block, Step) else ()
    elif isinstance(block, Table):
        texts = (*block.head, *(cell for row in block.rows for cell in row))
    yield from (piece for text in texts for is_formula, piece in pieces(text) if not is_formula)


def _unreadable(problem: Problem, text: str) -> Iterator[str]:
    if SHAPES.search(text):
        return
    for piece in text.split(", ") if LETTERS.fullmatch(text) else (text,):
        try:
            problem.reader().parse(THROUGH.sub("", piece))
        except DeriveError as error:
            yield f"{text}: {error}"


@dataclass(slots=True)
class _Values:
    """Formulas of one equation at the same sample points."""

    problem: Problem
    letters: dict[str, list[Range]]
    drawn: Sample | None = None

    def reader(self, derive: Any) -> Reader:
        reader = self.problem.reader(derive)
        reader.open_letters, reader.uses = True, self.letters
        return reader

    def of(self, node: Node) -> Any:
        if self.drawn is None:
            self.drawn = self._drawn()
        with np.errstate(all="ignore"):
            value = world(self.problem, Floating(), self.drawn).value(node)
        return np.broadcast_to(value, (POINTS, *value.shape[-2:]))

    def _drawn(self) -> Sample:
        """Points with a value for each index that stays free, within all ranges in which it is used."""
        drawn = sample(self.problem, None, SEED, POINTS).scaled(0.5)
        rng = np.random.default_rng(SEED)
        for name, ranges in sorted(self.letters.items()):
            if name not in drawn.indices and ranges:
                values = set.intersection(*(set(r.values(drawn.sizes)) for r in ranges))
                drawn.indices[name] = rng.choice(sorted(values), size=POINTS)
        return drawn


def _compared(problem: Problem, row: Equation, numerator: bool) -> Iterator[tuple[str, str]]:
    """Each member and case of an equation with what is wrong with it, or "" where nothing is.

    A derivative of a name is its local one, other names held fixed, where that is what makes both sides equal;
    else it goes through everything.
    """
    several = [list(_read_row(_Values(problem, {}), row, numerator, local)) for local in (True, False)]
    yield from min(several, key=lambda found: sum(bool(wrong) for _, wrong in found))


def _read_row(values: _Values, row: Equation, numerator: bool, local: bool) -> Iterator[tuple[str, str]]:
    try:
        left = None if THROUGH.search(row.left) else _read(values, row.left, local)
        members = [(text, _read(values, text, local, left)) for text in row.members]
        cases = [(c, _indicator(values, c, local), v, _read(values, v, local, left)) for c, v in row.cases]
        first = members[0][1] if left is None and members else left
        if first is None:
            return
        wanted = values.of(first)
        turned = numerator or row.note.startswith(LOCAL)
        for text, node in members:
            yield text, _difference(wanted, values.of(node), turned)
        for condition, holds, text, node in cases:
            mask = values.of(holds)[:, 0, 0] == 1
            yield f"{text} if {condition}", _difference(wanted, values.of(node), turned, mask)
    except DeriveError as error:
        yield " = ".join(row.members), f"{type(error).__name__}: {error}"


def _indicator(values: _Values, condition: str, local: bool) -> Node:
    return _read(values, rf"\mathbb{{1}}\{{{condition}\}}", local)


def _read(values: _Values, text: str, local: bool, like: Node | None = None) -> Node:
    def derive(of: Node, wrt: Node) -> Node:
        leaf = leaf_of(of)
        inner = local and leaf is not None and leaf is not values.problem.loss_symbol
        problem = _alone(values.problem, leaf) if inner and leaf is not None else values.problem
        return with_free_indices_kept(lambda x, y: derivative_value(problem, x, y), of, wrt)

    reader = values.reader(derive)
    node = reader.expression(reader.parse(text))
    if like is not None:
        fitted = [reader.fit(node, b.zeros(d), list(zip(node.dims, d, strict=True)))[0] for d in _both(like.dims)]
        node = next((one for one in fitted if one.dims in _both(like.dims)), node)
        node = b.zeros(like.dims) if node == b.number(0) else node
    return reader.settle(node)


def _both(dims: Dims) -> tuple[Dims, Dims]:
    return dims, (dims[1], dims[0])


def _alone(problem: Problem, leaf: Node) -> Problem:
    """The problem with one definition, so that everything else is held fixed."""
    kept = {node: body for node, body in problem.definitions.items() if node is leaf}
    return replace(problem, definitions=kept, shorthands={})


def _difference(wanted: Any, seen: Any, numerator: bool, mask: Any = True) -> str:
    if numerator and seen.shape != wanted.shape:
        seen = np.swapaxes(seen, -1, -2)
    if seen.shape != wanted.shape:
        return f"its shape is {seen.shape[1:]}, not {wanted.shape[1:]}"
    finite = np.isfinite(wanted).all(axis=(-2, -1)) & np.isfinite(seen).all(axis=(-2, -1))
    if not finite.any():
        return "it is finite nowhere"
    here = finite & mask
    error = np.abs(wanted - seen)[here] / np.maximum(np.abs(wanted)[here], 1)
    return f"it differs by {error.max():.1e}" if error.size and error.max() > CLOSE else ""
