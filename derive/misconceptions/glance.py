"""What a formula with another part is worth at the sample points, without reading it as a whole.

The parts of a formula are read and evaluated once.  With one of them changed, only what stands above it is put
together again, from arrays: how parts group follows from their dimensions (see `recipes`).  A glance decides which
formulas are worth reading, never what is said of an answer.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from derive.errors import AnswerError, DeriveError
from derive.expressions import build as b
from derive.expressions.node import Node, free_indices
from derive.latex import syntax as s
from derive.misconceptions import written as w
from derive.misconceptions.level import Level, Names, NewReader, Unit
from derive.misconceptions.places import Place, put_at
from derive.misconceptions.recipes import combined
from derive.misconceptions.seen import MISFIT, UNSURE, Known, MisfitError, Seen, UnsureError, is_number, kept, seen
from derive.numerics.world import World
from derive.operations.registry import record
from derive.reading import functions, several
from derive.reading.named_functions import function_named

PROBLEMS = (MisfitError, UnsureError)
FAILED = (AnswerError, DeriveError, RecursionError)


class Glance:
    """The parts of one answer and of its repairs."""

    def __init__(self, root: s.Syntax, reader: NewReader, world: World, names: Names) -> None:
        self.outside, self.names = Level(reader, world), names
        self.has_sums = any(isinstance(part, s.BigOperator) for part in s.walk(root))

    def whole(self, place: Place, new: s.Syntax) -> Seen:
        """What the formula is worth with something else at a place; raises `MisfitError` or `UnsureError`."""
        here, known = place, self._known(new, self._level(place))
        while here.above is not None:
            level = self._level(here.above)
            try:
                known = self._above(here.above.part, here.slot, known, new if here is place else None, level)
            except UnsureError:
                known = self._anew(place, new, here, here.above, level)
            except (MisfitError, DeriveError):
                known = MISFIT
            here = here.above
        found = seen(known)
        if found.values().ndim > 3 or not isfinite(found.value.sum()):
            raise UnsureError
        return found

    def alone(self, part: s.Syntax, here: Place | None) -> Seen | None:
        """What a part near a place is worth; None where it has no value outside of its place.

        It raises `UnsureError` where that cannot be told.
        """
        try:
            found = self._of(part, self.outside if here is None else self._level(here))
        except MisfitError:
            return None
        found.values()
        return None if found.bound else found

    # -------------------------------------------------------------------------------------- going upwards

    def _above(self, node: s.Syntax, slot: int, known: Known, new: s.Syntax | None, level: Level) -> Seen:
        """What something is worth whose part number `slot` is worth this; `new` is the part if itself is new."""
        if isinstance(node, s.Product):
            return self._product_with(node, slot, known, new, level)
        part = seen(known)
        if isinstance(node, s.Sum):
            return self._sum(node, level, slot, part)
        if w.is_grouping(node):
            return part
        if isinstance(node, s.Frac):
            pair = (self._of(node.above, level), part) if slot else (part, self._of(node.below, level))
            return combined(level.reader, level.world, "frac", (), pair)
        if isinstance(node, s.Scripted) and w.is_turned(node, level.reader):
            return part.turned()
        if isinstance(node, s.BigOperator):
            return self._summed(node, part, level)
        raise UnsureError

    def _product_with(self, node: s.Product, slot: int, known: Known, new: s.Syntax | None, level: Level) -> Seen:
        unit = self._unit_at(node, slot, level)
        if unit.end - unit.start == 1:
            if new is not None and w.may_take(new, node.factors, slot):
                raise UnsureError
            value = seen(known)
        elif new is None and slot == unit.start + 1:
            value = self._applied(node.factors[slot][1], unit.known, seen(known), level)
        else:
            raise UnsureError
        return self._product(node, level, unit, value)

    def _applied(self, argument: s.Syntax, unit: Known, new: Seen, level: Level) -> Seen:
        """A function at another argument of the same shape."""
        node = unit.node if isinstance(unit, Seen) else None
        if not isinstance(unit, Seen) or node is None or len(node.operands) != 1 or not isinstance(argument, s.Group):
            raise UnsureError
        before, entry = self._argument(argument, level), record(node.op)
        if node.operands[0] is not before.node or before.dims != new.dims or entry.evaluate is None:
            raise UnsureError
        return Seen(unit.dims, entry.evaluate(level.world.f, node.data, new.values()), False, new.bound)

    def _argument(self, argument: s.Group, level: Level) -> Seen:
        known = level.arguments.get(id(argument))
        if known is None:
            known = level.arguments[id(argument)] = (argument, self._read(argument, level))
        return known[1]

    def _anew(self, place: Place, new: s.Syntax, here: Place, above: Place, level: Level) -> Known:
        """What is above a place, read with the new part in it."""
        node = above.part
        if level.closed or isinstance(node, s.Relation):
            return UNSURE
        if not isinstance(node, s.Product):
            return self._known(place.put(new, above), level)
        try:
            unit = self._unit_at(node, here.slot, level)
            factors = put_at(node.factors, here.slot, (node.factors[here.slot][0], place.put(new, here)))
            if unit.end - unit.start == 1 and w.may_take(factors[unit.start][1], factors, unit.start):
                return UNSURE
            taken = (("", factors[unit.start][1]), *factors[unit.start + 1 : unit.end])
            items = functions.items(level.new_reader(), taken)
            return self._product(node, level, unit, self._evaluated(items[0][1], level)) if len(items) == 1 else UNSURE
        except FAILED:
            return MISFIT
        except PROBLEMS as problem:
            return kept(problem)

    # ----------------------------------------------------------------------------------------------- sums

    def _level(self, place: Place) -> Level:
        above = place.above
        if above is None or not self.has_sums:
            return self.outside
        level = self._level(above)
        return self._inside(above.part, level) if isinstance(above.part, s.BigOperator) else level

    def _inside(self, node: s.BigOperator, level: Level) -> Level:
        found = level.inside.get(id(node))
        if found is None:
            found = level.inside[id(node)] = self._entered(node, level)
        return found

    def _entered(self, node: s.BigOperator, level: Level) -> Level:
        """Inside of a sum over one letter without conditions; closed for any other."""
        lower = node.lower[0] if len(node.lower) == 1 else None
        letter = lower.sides[0] if isinstance(lower, s.Relation) and lower.signs == ("=",) else lower
        out = Level(level.new_reader, level.world, level.binding)
        out.closed = True
        if level.closed or node.sign != "sum" or not isinstance(letter, s.Name):
            return out
        try:
            summed = level.new_reader().expression(node)
            if summed.op != "sum" or summed.operands[1].op != "number":
                return out
            world = level.world.within(*summed.data)
        except FAILED:
            return out
        (name, over), base, outer = summed.data, letter.base, level.new_reader
        inside = Level(lambda: outer().bind(base, b.index(name, None)), world, (*level.binding, (base, name, over)))
        inside.guessing = level.guessing or node.upper is None
        return inside

    def _summed(self, node: s.BigOperator, body: Seen, level: Level) -> Seen:
        inside = self._inside(node, level)
        if inside.closed:
            raise UnsureError
        f, axes = inside.world.f, inside.world.base + len(level.letters)
        count = len(inside.world.indices[inside.binding[-1][1]])
        value = f.trimmed(f.sum_bound(body.values(), -1 - axes, count), axes)
        return Seen(body.dims, value, False, bool(level.letters))

    # -------------------------------------------------------------------------------------- going downwards

    def _of(self, part: s.Syntax, level: Level) -> Seen:
        return seen(self._known(part, level))

    def _known(self, part: s.Syntax, level: Level) -> Known:
        if level.closed:
            return UNSURE
        known = level.known.get(id(part))
        if known is None:
            try:
                found: Known = self._found(part, level)
            except (*PROBLEMS, DeriveError) as problem:
                found = kept(problem)
            known = level.known[id(part)] = (part, found)
        return known[1]

    def _found(self, part: s.Syntax, level: Level) -> Seen:
        if isinstance(part, s.Sum):
            return self._sum(part, level)
        if isinstance(part, s.Product):
            return self._product(part, level)
        if isinstance(part, s.Group) and w.is_grouping(part):
            return self._of(part.parts[0], level)
        if isinstance(part, s.Frac):
            pair = self._of(part.above, level), self._of(part.below, level)
            return combined(level.reader, level.world, "frac", (), pair)
        if isinstance(part, s.Scripted) and w.is_grouping(part.body) and w.is_turned(part, level.reader):
            return self._of(part.body, level).turned()
        if isinstance(part, s.BigOperator) and part.sign == "sum":
            return self._summed(part, self._of(part.body, self._inside(part, level)), level)
        return self._name(part, level)

    def _name(self, part: s.Syntax, level: Level) -> Seen:
        """A name, perhaps one that was met before; or what has to be read."""
        if isinstance(part, s.Num):
            return self._evaluated(b.number(part.value), level)
        named = self.names.by_syntax.get(id(part))
        if named is not None and not level.letters:
            return self._evaluated(named, level)
        spelling = w.spelling(part)
        if spelling is None:
            return self._read(part, level)
        key = (level.binding, spelling)
        known = self.names.worth.get(key)
        if known is None:
            try:
                known = self._read(part, level)
            except PROBLEMS as problem:
                known = kept(problem)
            self.names.worth[key] = known
        return seen(known)

    def _sum(self, node: s.Sum, level: Level, slot: int = -1, new: Seen | None = None) -> Seen:
        """A sum, with another term number `slot`."""
        out: Seen | None = None
        for k, (sign, term) in enumerate(node.terms):
            one = new if k == slot and new is not None else self._of(term, level)
            if out is None:
                out = one if sign > 0 else one.negative()
            elif out.dims == one.dims and out.value is not None:
                value = out.value + one.values() if sign > 0 else out.value - one.values()
                out = Seen(out.dims, value, out.numeric and one.numeric, out.bound or one.bound)
            else:
                out = combined(level.reader, level.world, "sum", ("", "+" if sign > 0 else "-"), (out, one))
        assert out is not None
        return out

    def _product(self, node: s.Product, level: Level, changed: Unit | None = None, new: Seen | None = None) -> Seen:
        """A product, with another value of one unit."""
        units = self._units(node.factors, level)
        values = [new if unit is changed and new is not None else seen(unit.known) for unit in units]
        return combined(level.reader, level.world, "product", tuple([unit.sign for unit in units]), values)

    def _read(self, part: s.Syntax, level: Level) -> Seen:
        """A part by the reader."""
        try:
            node = level.new_reader().expression(part)
        except FAILED as problem:
            if level.guessing and isinstance(problem, AnswerError) and problem.code in ("index", "shape"):
                raise UnsureError from None  # what an index runs over depends on where else it stands
            raise MisfitError from None
        return self._evaluated(node, level)

    def _evaluated(self, node: Node, level: Level) -> Seen:
        if node.is_open:
            return Seen(node.dims, None, False, False, node)
        try:
            value: Any = level.world.value(node)
        except (DeriveError, RecursionError):
            raise MisfitError from None
        return Seen(node.dims, value, is_number(node), not level.letters.isdisjoint(free_indices(node)), node)

    # --------------------------------------------------------------------------------------------- factors

    def _unit_at(self, node: s.Product, slot: int, level: Level) -> Unit:
        return next(unit for unit in self._units(node.factors, level) if unit.start <= slot < unit.end)

    def _units(self, factors: w.Factors, level: Level) -> list[Unit]:
        known = level.units.get(id(factors))
        if known is None:
            known = level.units[id(factors)] = (factors, self._new_units(factors, level))
        return known[1]

    def _new_units(self, factors: w.Factors, level: Level) -> list[Unit]:
        out: list[Unit] = []
        k = 0
        while k < len(factors):
            (sign, factor), behind = factors[k], w.following(factors, k)
            if k and k == len(factors) - 1 and not sign and w.may_be_note(factor):
                raise UnsureError
            key = (id(factor), id(behind))
            found = level.single.get(key)
            if found is None:
                found = level.single[key] = ((factor, behind), *self._unit(factor, behind, level))
            _, taken, known = found
            if taken == 2 and not w.is_bracket(behind) and w.following(factors, k + 1) is not None:
                raise UnsureError  # an argument without brackets may go on
            out.append(Unit(k, k + taken, sign if k else "", known))
            k += taken
        return out

    def _unit(self, factor: s.Syntax, behind: s.Syntax | None, level: Level) -> tuple[int, Known]:
        """How many factors a unit takes that begins here, and its value."""
        head = w.head_of(factor)
        if behind is not None:
            is_one = isinstance(head, s.One) or (isinstance(head, s.Num) and head.value == 1)
            called = self._is_function(head) or (is_one and w.is_bracket(behind))
            if called or (isinstance(head, s.Name) and w.is_bracket(behind)):
                return self._call(factor, behind, called, level)
        if isinstance(factor, s.Group) and len(factor.parts) == 1 and self._is_function(w.head_of(factor.parts[0])):
            raise UnsureError
        return 1, self._known(factor, level)

    def _call(self, factor: s.Syntax, behind: s.Syntax, called: bool, level: Level) -> tuple[int, Known]:
        """A name before a bracket, or a function before its argument."""
        try:
            items = functions.items(level.new_reader(), (("", factor), ("", behind)))
        except FAILED:
            if not called and w.looks_up(behind):
                raise UnsureError from None
            return (2, MISFIT) if called else (1, self._known(factor, level))
        try:
            return 3 - len(items), self._evaluated(items[0][1], level)
        except PROBLEMS as problem:
            return 3 - len(items), kept(problem)

    def _is_function(self, head: s.Syntax) -> bool:
        if not isinstance(head, s.Name):
            return False
        own = head.base in self.names.functions
        return own or function_named(head.base) is not None or several.takes(head.base)
