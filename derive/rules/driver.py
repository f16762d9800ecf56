"""Rules and the driver that applies them.

A rule is a function from an expression to an equal one, or None where it does not apply; its docstring is
the law.  The driver goes bottom-up and starts again where a rule has fired, until nothing applies.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from derive.expressions.build import rebuild
from derive.expressions.node import Node, landings
from derive.rules.align import aligned

Rewrite = Callable[[Node], Node | None]
MAX_STEPS, MOST_REMEMBERED = 2_000, 100_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A law with the operations at whose head it may apply and an example (before, after)."""

    name: str
    law: str
    heads: tuple[str, ...]
    rewrite: Rewrite
    example: Callable[[], tuple[Node, Node]]


_RULES: dict[str, Rule] = {}


def rule(*heads: str, example: Callable[[], tuple[Node, Node]]) -> Callable[[Rewrite], Rewrite]:
    """Register a rule for the operations named."""

    def register(rewrite: Rewrite) -> Rewrite:
        name = rewrite.__name__
        if name in _RULES:
            raise ValueError(f"the rule {name} is defined twice")
        _RULES[name] = Rule(name, (rewrite.__doc__ or "").strip(), heads, rewrite, example)
        return rewrite

    return register


def rules() -> Mapping[str, Rule]:
    """All rules by name."""
    package = importlib.import_module("derive.rules")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"derive.rules.{module.name}")
    return _RULES


def _by_head() -> dict[str, list[Rule]]:
    out: dict[str, list[Rule]] = {}
    for one in rules().values():
        for head in one.heads:
            out.setdefault(head, []).append(one)
    return out


_HEADS: dict[str, list[Rule]] = {}
_DONE: dict[Node, Node] = {}


def simplify(root: Node) -> Node:
    """The form of an expression to which no rule applies any more."""
    if not _HEADS:
        _HEADS.update(_by_head())
    if len(_DONE) > MOST_REMEMBERED:
        _DONE.clear()
    out, before = _DONE.get(root), root
    while out is None:
        whole = aligned(before)
        for part in landings(whole, _DONE):
            _visit(part)
        found = _visit(whole)
        if found is before or aligned(found) is found:
            out = _DONE[root] = found
        before = found
    return out


def _visit(node: Node) -> Node:
    """The rules applied bottom-up, and again where one has fired; what is known already is remembered."""
    if node in _DONE:
        return _DONE[node]
    current, steps = node, 0
    while True:
        for part in landings(current, _DONE) if current is not node else ():
            _visit(part)
        parts = tuple(_visit(o) for o in current.operands)
        out = current if parts == current.operands else rebuild(current, parts)
        changed = out if (out.op, out.operands) != (current.op, parts) else _once(out)
        if changed is None:
            _DONE[node] = _DONE[out] = out
            return out
        steps += 1
        if steps > MAX_STEPS:
            raise RuntimeError(f"the rules do not come to an end at {out.op}")
        current = changed


def _once(node: Node) -> Node | None:
    """What the first rule that applies makes of a node; None where none does."""
    for one in _HEADS.get(node.op, ()):
        changed = one.rewrite(node)
        if changed is not None and changed != node:
            return changed
    return None
