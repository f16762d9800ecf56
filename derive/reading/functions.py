"""Functions in a formula: which letters are functions, what their argument is, and their derivatives."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from derive.errors import AnswerError, Span
from derive.expressions import build as b
from derive.expressions.node import Node, walk
from derive.latex import syntax as s
from derive.operations.registry import record
from derive.reading import indices, lists, names, norms, ones, several, shape_notes, undeclared
from derive.reading.match import Match, scripts_of
from derive.reading.named_functions import function_named, is_function
from derive.sizes import ONE, SCALAR

if TYPE_CHECKING:
    from derive.reading.juxtapose import Item
    from derive.reading.reader import Reader

Factor = tuple[str, s.Syntax]
HALF = Fraction(1, 2)


def items(reader: Reader, factors: tuple[Factor, ...]) -> list[Item]:
    """The factors of a product with functions applied to their arguments."""
    out: list[Item] = []
    k = 0
    while k < len(factors):
        sign, node = factors[k]
        if k and k == len(factors) - 1 and not sign and _only_notes_its_shape(reader, node, out):
            break
        k, value = _factor(reader, factors, k)
        out.append((sign, value, node.span))
    return out


def single(reader: Reader, node: s.Syntax) -> Node:
    """The value of something that stands alone."""
    return _factor(reader, (("", node),), 0)[1]


def _only_notes_its_shape(reader: Reader, node: s.Syntax, before: list[Item]) -> bool:
    from derive.reading.juxtapose import product

    noted = shape_notes.in_bracket(reader, node)
    return noted is not None and product(reader, before).dims == noted


def _factor(reader: Reader, factors: tuple[Factor, ...], k: int) -> tuple[int, Node]:
    """The value of factor number k and the number of the next one."""
    node = factors[k][1]
    if isinstance(node, s.Name):
        return _named(reader, factors, k, _following(factors, k))
    if isinstance(node, s.Scripted):
        return _scripted(reader, factors, k, node)
    if isinstance(node, s.Group):
        unwrapped = _bracketed_function(reader, node, node)
        if unwrapped is not None:
            return _factor(reader, (*factors[:k], (factors[k][0], unwrapped), *factors[k + 1 :]), k)
    elif isinstance(node, s.One) or (isinstance(node, s.Num) and node.value == 1):
        out = ones.value(reader, node, node, _following(factors, k))
        if out is not None:
            return k + out[0], out[1]
    return k + 1, reader.expression(node)


def _following(factors: tuple[Factor, ...], k: int) -> s.Syntax | None:
    """What stands behind factor number k without a sign between."""
    return factors[k + 1][1] if k + 1 < len(factors) and factors[k + 1][0] == "" else None


def _scripted(reader: Reader, factors: tuple[Factor, ...], k: int, node: s.Scripted) -> tuple[int, Node]:
    """A factor with scripts."""
    head = node.body
    bare, note = shape_notes.without_note(node)
    if note is not None and not isinstance(head, s.One):
        k, value = _factor(reader, (*factors[:k], (factors[k][0], bare), *factors[k + 1 :]), k)
        return k, shape_notes.checked(reader, value, note)
    if isinstance(head, s.Name):
        return _named(reader, factors, k, _following(factors, k))
    if isinstance(head, s.One) or (isinstance(head, s.Num) and head.value == 1):
        out = ones.value(reader, node, head, _following(factors, k))
        if out is not None:
            return k + out[0], out[1]
    if isinstance(head, s.Group):
        unwrapped = _bracketed_function(reader, node, head)
        if unwrapped is not None:
            return _factor(reader, (*factors[:k], (factors[k][0], unwrapped), *factors[k + 1 :]), k)
        return k + 1, _bracketed(reader, node, head)
    if isinstance(head, s.Bars) and norms.single_bars(node):
        body = reader.expression(head.body)
        head = head if body.dims == SCALAR else replace(head, sign=r"\|")
    return k + 1, scripted_value(reader, reader.expression(head), node)


def _bracketed_function(reader: Reader, node: s.Syntax, head: s.Group) -> s.Syntax | None:
    """The function of `(g^{[l]})'(z)`, taken out of its bracket."""
    if len(head.parts) != 1:
        return None
    inner = head.parts[0]
    base = inner.body if isinstance(inner, s.Scripted) else inner
    if not isinstance(base, s.Name):
        return None
    found = names.resolve(reader, inner, None)
    is_function = (
        found.entity.kind == "function"
        if found
        else function_named(base.base) is not None and base.base not in reader.bound
    )
    if not is_function:
        return None
    if not isinstance(node, s.Scripted):
        return inner
    return s.merge_scripts(inner, node.subs, node.sups, node.primes, node.span)


def scripted_value(reader: Reader, value: Node, node: s.Scripted) -> Node:
    """A value with the scripts of a bracket: first its entries, then transposes and powers."""
    sups = list(scripts_of(node)[1])
    turned = [k for k, sup in enumerate(sups) if names.is_transpose(reader, sup)]
    if value.op == "norm" and node.subs:
        value, node = norms.norm(reader, value, scripts_of(node)[0], node.span), replace(node, subs=())
        if value.op == "power" and value.data == (HALF,) and sups == [("2",)]:
            return value.operands[0]
    found = names.items_of(node.subs, node.span) if node.subs else ()
    if turned and names.is_entry(found) and value.dims != SCALAR:
        value = b.transpose(value)
        del sups[turned[0]]
    if found:
        value = names.part(reader, value, found, node.span)
    for sup in sups:
        value = norms.raised(reader, value, sup, node.span)
    return names.prime(reader, value, node.primes, node.span)


def _bracketed(reader: Reader, node: s.Scripted, head: s.Group) -> Node:
    """A bracket with scripts; a prime on a bracket around a function's value differentiates it."""
    subs, sups = scripts_of(node)
    if subs == ("+",):
        part = several.positive_part(reader.expression(head))
        return scripted_value(reader, part, replace(node, subs=()))
    if subs == ("F",) and head.opening == r"\langle":
        return scripted_value(reader, reader.expression(head), replace(node, subs=()))
    if len(head.parts) > 1 and head.opening in ("(", "["):
        turned = any(names.is_transpose(reader, sup) for sup in sups)
        return scripted_value(reader, lists.bracket(reader, head, turned), node)
    if node.primes == 1 and len(head.parts) == 1:
        inner = reader.expression(head.parts[0])
        if record(inner.op).elementwise and len(inner.operands) == 1 and inner.op not in ("power", "transpose"):
            return scripted_value(reader, slope(inner), _without_primes(node))
    return scripted_value(reader, reader.expression(head), node)


def _without_primes(node: s.Scripted) -> s.Scripted:
    return s.Scripted(node.span, node.body, node.subs, node.sups, 0)


def slope(applied: Node) -> Node:
    """The elementwise derivative of an elementwise function at its argument."""
    rule = record(applied.op).vjp
    assert rule is not None
    out = rule(b.ones(applied.dims), applied, *applied.operands)[0]
    assert out is not None
    return out


# --------------------------------------------------------------------------------------------- named things


def _named(reader: Reader, factors: tuple[Factor, ...], k: int, following: s.Syntax | None) -> tuple[int, Node]:
    node = factors[k][1]
    call, tail = call_of(following)
    found = names.resolve(reader, node, call)
    if found is not None and found.entity.kind == "function":
        return _unspecified(reader, factors, k, found, node)
    if found is not None:
        value = names.value(reader, node, found, call)
        if not found.called and call is not None and _looks_up(reader, value, call):
            value = names.part(reader, value, names.items_of((s.Script(call.tokens, call.span),), call.span), call.span)
            return k + 2, scripted_value(reader, value, tail) if tail is not None else value
        if found.called and tail is not None:
            value = scripted_value(reader, value, tail)
        return k + 1 + found.called, value
    base = node.body if isinstance(node, s.Scripted) else node
    assert isinstance(base, s.Name)
    if isinstance(node, s.Scripted) and (square := undeclared.power_of_square(reader, node)) is not None:
        return k + 1, square
    if base.base not in reader.bound and several.takes(base.base):
        return several.value(reader, node, base.base, following, k)
    if base.base not in reader.bound and is_function(base.base, call):
        return _builtin(reader, factors, k, node, base.base)
    if base.base in ("I", r"\mathbb{I}") and call is not None and ones.is_condition(call):
        return k + 2, ones.indicator(reader, call, tail)
    if base.base == reader.scope.loss_name and call is not None:
        found = names.resolve(reader, node, None)
    return k + 1, undeclared.value(reader, node)


def _looks_up(reader: Reader, value: Node, call: s.Group) -> bool:
    """Whether a bracket behind a matrix or vector holds indices, as in `E[w_t]`."""
    if call.opening != "[" or value.dims == SCALAR or not call.parts:
        return False
    return all(indices.names_an_index(reader, part) for part in call.parts)


def call_of(following: s.Syntax | None) -> tuple[s.Group | None, s.Scripted | None]:
    """The bracket that follows, and its scripts."""
    if following is None:
        return None, None
    if isinstance(following, s.Group):
        return following, None
    if isinstance(following, s.Scripted) and isinstance(following.body, s.Group):
        return following.body, following
    return None, None


def _unspecified(reader: Reader, factors: tuple[Factor, ...], k: int, found: Match, node: s.Syntax) -> tuple[int, Node]:
    """f(z), f'(z), f(z)^T for an unspecified function f."""
    primes = node.primes if isinstance(node, s.Scripted) else 0
    primes += sum(len(sup) for sup in found.sups if set(sup) == {"'"})
    rest = [sup for sup in found.sups if set(sup) != {"'"}]
    following, argument, tail = _argument(reader, factors, k, found.entity.key, node.span)
    out = b.unspecified(found.entity.key, primes, argument)
    for sup in rest:
        out = reader.raised(out, sup, node.span)
    return following, scripted_value(reader, out, tail) if tail is not None else out


def _argument(
    reader: Reader, factors: tuple[Factor, ...], k: int, name: str, span: Span
) -> tuple[int, Node, s.Scripted | None]:
    """A function's argument: the bracket that follows, or the next factor; and the bracket's scripts."""
    if k + 1 >= len(factors) or factors[k + 1][0] != "":
        raise AnswerError("unreadable", f"The function {name} stands here without an argument.", span)
    call, tail = call_of(factors[k + 1][1])
    if call is not None:
        if call.error is not None:
            raise call.error
        if len(call.parts) > 1 and name.lstrip("\\") in ("diag", "Diag"):
            return k + 2, lists.bracket(reader, call, False), tail
        if len(call.parts) != 1:
            raise AnswerError("unreadable", f"{name} takes one argument.", call.span)
        return k + 2, reader.group(s.Group(call.span, call.opening, call.tokens, call.parts)), tail
    end, value = _factor(reader, factors, k + 1)
    values: list[Item] = [("", value, factors[k + 1][1].span)]
    first = factors[k + 1][1]
    while end < len(factors) and factors[end][0] == "" and _goes_on(values[-1][1], first, factors[end][1]):
        at = end
        end, value = _factor(reader, factors, end)
        values.append(("", value, factors[at][1].span))
    from derive.reading.juxtapose import product

    return end, product(reader, values), None


def _goes_on(last: Node, first: s.Syntax, following: s.Syntax) -> bool:
    """Whether an argument without brackets takes one more factor: after a number or a row, a sum after a fraction."""
    if isinstance(following, s.BigOperator):
        return isinstance(first, s.Frac) and all(p.op in ("number", "size", "power", "product") for p in walk(last))
    if isinstance(following, s.Group):
        return False
    return last.op == "number" or (last.dims[0] == ONE and last.dims != SCALAR)


def _builtin(reader: Reader, factors: tuple[Factor, ...], k: int, node: s.Syntax, name: str) -> tuple[int, Node]:
    """A known function with its power, prime or index: `\\tanh^2(z)`, `\\sigma'(z)`, `\\log_2 x`."""
    subs, sups = scripts_of(node) if isinstance(node, s.Scripted) else ((), [])
    primes = node.primes if isinstance(node, s.Scripted) else 0
    power = [sup for sup in sups if sup]
    if subs and not (name.lstrip("\\") in ("softmax", "log", "ln") or subs in (("F",), ("2",))):
        raise AnswerError("unreadable", f"The subscript of {name} is not understood.", node.span)
    following, argument, tail = _argument(reader, factors, k, name, node.span)
    apply = function_named(name)
    assert apply is not None
    out = reader.kept(apply(argument))
    if subs and name.lstrip("\\") in ("log", "ln"):
        from derive.reading.indices import value_of

        base = value_of(reader, subs, node.span)
        out = b.divide(out, b.apply("log", base)) if base != b.constant("e") else out
    for _ in range(primes):
        if not record(out.op).elementwise or len(out.operands) != 1:
            raise AnswerError("unreadable", f"The derivative of {name} is not understood here.", node.span)
        out = slope(out)
    for sup in power:
        if sup == ("-", "1"):
            raise AnswerError("unreadable", f"{name} to the power -1 has two meanings; write 1/{name}.", node.span)
        out = (
            reader.raised(out, sup, node.span)
            if names.is_transpose(reader, sup)
            else _to_the(reader, out, sup, node.span)
        )
    if subs and name.lstrip("\\") == "softmax":
        assert isinstance(node, s.Scripted)
        if argument.dims == SCALAR:
            return following, _softmax_over(reader, argument, subs, node.span)
        out = names.part(reader, out, names.items_of(node.subs, node.span), node.span)
    return following, scripted_value(reader, out, tail) if tail is not None else out


def _softmax_over(reader: Reader, argument: Node, subs: tuple[str, ...], span: Span) -> Node:
    """`\\operatorname{softmax}_i(e_i)`: the exponential over the sum of those for all values of the index."""
    position = indices.index_of(reader, subs, span)
    ranges = reader.uses.get(str(position.data[0]), []) if position.op == "index" else []
    if not ranges:
        raise AnswerError("unreadable", "The softmax of a number needs an index that the number depends on.", span)
    top, other = b.apply("exp", argument), b.index(reader.unused_letter(f"{position.data[0]}'"), None)
    return b.divide(top, b.sum_over(b.substitute(top, {position: other}), str(other.data[0]), ranges[0]))


def _to_the(reader: Reader, out: Node, sup: tuple[str, ...], span: Span) -> Node:
    if out.op == "norm":
        return norms.raised(reader, out, sup, span)
    # tanh²(A) squares each entry, also of a square matrix; tanh(A)² is a matrix product there.
    entrywise = record(out.op).elementwise and out.dims != SCALAR and sup[0] not in (r"\odot", r"\circ")
    return reader.raised(out, (r"\circ", *sup) if entrywise else sup, span)
