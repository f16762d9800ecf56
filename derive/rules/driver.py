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
from derive.expressions.node import Node

Rewrite = Callable[[Node], Node | None]
MAX_STEPS = 20_000


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


def simplify(root: Node) -> Node:
    """The form of an expression to which no rule applies any more."""
    if not _HEADS:
        _HEADS.update(_by_head())
    done: dict[Node, Node] = {}
    steps = 0

    def visit(node: Node) -> Node:
        nonlocal steps
        known = done.get(node)
        if known is not None:
            return known
        parts = tuple(visit(o) for o in node.operands)
        out = node if parts == node.operands else rebuild(node, parts)
        if out.op != node.op or out.operands != parts:
            out = visit(out) if out is not node else out
        for one in _HEADS.get(out.op, ()):
            changed = one.rewrite(out)
            if changed is not None and changed != out:
                steps += 1
                if steps > MAX_STEPS:
                    raise RuntimeError(f"the rule {one.name} does not come to an end")
                out = visit(changed)
                break
        done[node] = done[out] = out
        return out

    return visit(root)
