"""Nodes as SymPy expressions, for printers, `lambdify` and whoever goes on with SymPy.

A view is a SymPy tree of the same form: a `MatrixExpr` whose head is called after the operation, with the names,
numbers and ranges of a node in a leaf of its own.
"""

from __future__ import annotations

from typing import Any

from sympy import Atom, Basic, Integer, Symbol
from sympy.matrices.expressions.matexpr import MatrixExpr

from derive.expressions.node import Data, Node, intern_node
from derive.sizes import Size


class Datum(Atom):  # type: ignore[misc]
    """A leaf that carries names, numbers or ranges through a SymPy tree."""

    value: Data

    def __new__(cls, value: Data) -> Datum:
        self: Datum = Basic.__new__(cls)
        self.value = value
        return self

    def _hashable_content(self) -> tuple[Data]:
        return (self.value,)

    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (1, (str(self.value),)), (), Integer(1)

    def __repr__(self) -> str:
        return repr(self.value)

    __str__ = __repr__
    _sympystr = _latex = lambda self, printer: repr(self.value)


class View(MatrixExpr):  # type: ignore[misc]
    """A node as a SymPy expression; rebuilt by SymPy from its arguments, it views the node built from theirs."""

    op: str = ""
    node: Node

    def __new__(cls, *args: Basic) -> View:
        from derive.expressions.build import make

        data = next((a.value for a in args if isinstance(a, Datum)), ())
        return view(make(cls.op, tuple(a.node for a in args if isinstance(a, View)), data))

    @property
    def shape(self) -> tuple[Any, Any]:
        """The dimensions as SymPy expressions."""
        return _size(self.node.dims[0]), _size(self.node.dims[1])

    def _latex(self, printer: Any) -> str:
        return Node.to_latex(self.node)

    def _repr_latex_(self) -> str:
        return self.node._repr_latex_()

    def _sympystr(self, printer: Any) -> str:
        return repr(self.node)

    def __reduce__(self) -> Any:
        return view, (self.node,)


_HEADS: dict[str, type[View]] = {}


def view(node: Node) -> View:
    """The SymPy expression of a node; shared parts stay shared."""
    done: dict[int, View] = {}
    from derive.expressions.node import walk

    for part in walk(node):
        args: tuple[Basic, ...] = tuple(done[id(o)] for o in part.operands)
        if part.data:
            args = (*args, Datum((*part.data,)))
        made: View = Basic.__new__(_head(part.op), *args)
        made.node = part
        done[id(part)] = made
    return done[id(node)]


def _head(op: str) -> type[View]:
    found = _HEADS.get(op)
    if found is None:
        name = "".join(part.capitalize() for part in op.split("_"))
        found = _HEADS[op] = type(name, (View,), {"op": op, "__doc__": f"The operation {op}."})
    return found


def _size(size: Size) -> Any:
    total: Any = Integer(0)
    for monomial, coefficient in size.terms:
        term: Any = Integer(coefficient)
        for name in monomial:
            term = term * Symbol(name, integer=True, positive=True)
        total = total + term
    return total


__all__ = ["Datum", "View", "intern_node", "view"]
