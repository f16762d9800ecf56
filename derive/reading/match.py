"""Matching what is written against what is declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from derive.latex import syntax as s
from derive.latex.tokens import Token
from derive.reading.scope import Entity, Pattern, normal, written

TRANSPOSES = frozenset(("T", r"\top", "t", "'", r"\intercal", r"\mathsf{T}"))
LINES = frozenset((r"\cdot", ":", "*", r"\bullet", "."))
OPENING, CLOSING = frozenset(("(", "[", "{", r"\{")), frozenset((")", "]", "}", r"\}"))
_UNIT = re.compile(r"^(\\?[A-Za-z]+|\d+)$")


class Match(NamedTuple):
    """A declared thing, what its slots hold, and what of the scripts is left over."""

    entity: Entity
    slots: dict[str, tuple[str, ...]]
    items: tuple[tuple[str, ...], ...]
    sups: tuple[tuple[str, ...], ...]
    called: bool
    score: int


def is_index(texts: tuple[str, ...]) -> bool:
    """Whether token texts are one index expression: `k`, `w_s`, `t+j`, `12`."""
    parts = list(_split(texts[texts[:1] == ("-",) :], ("+", "-")))
    return bool(parts) and all(_is_unit(p) for p in parts)


def is_position(texts: tuple[str, ...]) -> bool:
    """Whether token texts are one index, perhaps with a remark on it: `k`, `w = o`, `w \\neq o`."""
    sides = list(_split(texts, ("=", r"\neq")))
    return len(sides) <= 2 and all(is_index(side) for side in sides)


def _split(texts: tuple[str, ...], marks: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The parts between marks that stand outside braces."""
    part: list[str] = []
    depth = 0
    for text in texts:
        depth += (text == "{") - (text == "}")
        if text in marks and not depth:
            yield tuple(part)
            part = []
        else:
            part.append(text)
    yield tuple(part)


def _is_unit(texts: tuple[str, ...]) -> bool:
    if not texts or not _UNIT.match(texts[0]):
        return False
    if len(texts) == 1:
        return True
    inner = texts[3:-1] if texts[2:3] == ("{",) else texts[2:]
    return texts[1] == "_" and is_index(inner)


def split_items(texts: tuple[str, ...]) -> tuple[tuple[str, ...], ...] | None:
    """The indices in a subscript: between commas, or one after the other; None if it is no list of them."""
    out: list[tuple[str, ...]] = []
    for part in _split(texts, (",",)):
        if not part:
            continue
        if part.count(":") == 1 and part[0] != ":" != part[-1]:
            out.append(part)
            continue
        if (part[0] in LINES and len(part) == 1) or (is_position(part) and not _several_digits(part, texts)):
            out.append(part)
            continue
        more = _units(part)
        if more is None:
            return None
        out.extend(more)
    return tuple(out)


def _several_digits(part: tuple[str, ...], texts: tuple[str, ...]) -> bool:
    return part == texts and len(part) == 1 and part[0].isdigit() and len(part[0]) == 2


def _units(texts: tuple[str, ...]) -> list[tuple[str, ...]] | None:
    """Indices written one after the other: `ij`, `k\\cdot`, `23`, `w_s j`."""
    out: list[tuple[str, ...]] = []
    k = 0
    while k < len(texts):
        text = texts[k]
        if text in LINES:
            out.append((text,))
            k += 1
        elif text.isdigit():
            out.extend((digit,) for digit in text)
            k += 1
        elif _UNIT.match(text):
            end = k + 1
            while end + 1 < len(texts) and texts[end] == "_":
                end = texts.index("}", end) + 1 if texts[end + 1] == "{" else end + 2
            out.append(texts[k:end])
            k = end
        else:
            return None
    return out


def match(entity: Entity, subs: tuple[str, ...], sups: list[tuple[str, ...]], call: s.Group | None) -> Match | None:
    """How an entity fits to scripts and a following bracket; None if it does not."""
    pattern = entity.pattern
    if not entity.slots and not _may_fit(pattern, subs, sups):
        return None
    slots, score, left = dict[str, tuple[str, ...]](), 1, sups
    for wanted in pattern.sups:
        found = _match_sup(wanted, left, entity, slots)
        if found is None:
            return None
        left = found
        score += 2 * len(wanted)
    items: tuple[tuple[str, ...], ...] | None
    if pattern.sub is None:
        items = split_items(subs) if subs else ()
    else:
        best = _match_sub(pattern.sub, subs, entity, slots)
        if best is None:
            return None
        items = best
        score += 2 * len(pattern.sub) - sum(t in entity.slots for t in pattern.sub)
        score += sum(slots.get(t) == (t,) for t in pattern.sub)
    if items is None:
        return None
    called = pattern.call is not None and call is not None
    if called:
        assert call is not None
        if not _match_call(pattern, call, entity, slots):
            return None
        score += 3
    elif pattern.call is not None and (entity.kind != "macro" or entity.slots):
        return None
    return Match(entity, slots, items, tuple(left), called, score - len(items))


def _may_fit(pattern: Pattern, subs: tuple[str, ...], sups: list[tuple[str, ...]]) -> bool:
    """Whether scripts begin as those of a pattern without slots; most of many layers' names are told apart so."""
    wanted = pattern.sub
    if wanted is not None and subs[: len(wanted)] != wanted:
        return False
    return not pattern.sups or any(sup[: len(pattern.sups[0])] == pattern.sups[0] for sup in sups)


def _match_sup(
    wanted: tuple[str, ...], sups: list[tuple[str, ...]], entity: Entity, slots: dict[str, tuple[str, ...]]
) -> list[tuple[str, ...]] | None:
    for k, sup in enumerate(sups):
        for size in range(len(sup), 0, -1):
            if fill(wanted, sup[:size], entity.slots, slots):
                rest = sup[size:]
                if rest and rest[0] == "^":
                    rest = rest[1:]
                if rest and rest[0] not in TRANSPOSES and rest[0] not in ("-", ","):
                    continue
                return [*sups[:k], *([rest] if rest else []), *sups[k + 1 :]]
    return None


def _match_sub(
    wanted: tuple[str, ...], subs: tuple[str, ...], entity: Entity, slots: dict[str, tuple[str, ...]]
) -> tuple[tuple[str, ...], ...] | None:
    """The indices that are left when the pattern's subscript is taken off the front."""
    for size in range(len(subs), 0, -1):
        trial = dict(slots)
        if fill(wanted, subs[:size], entity.slots, trial):
            rest = subs[size:]
            items = split_items(rest[1:] if rest and rest[0] == "," else rest) if rest else ()
            if items is not None and (not rest or rest[0] not in ("+", "-", "_")):
                slots.update(trial)
                return items
    return None


def fill(
    wanted: tuple[str, ...], texts: tuple[str, ...], names: tuple[str, ...], slots: dict[str, tuple[str, ...]]
) -> bool:
    """Whether texts are the pattern with its slots filled by index expressions; fills them."""
    if not wanted:
        return not texts
    if wanted[0] not in names:
        return bool(texts) and texts[0] == wanted[0] and fill(wanted[1:], texts[1:], names, slots)
    name = wanted[0]
    for size in range(1, len(texts) - len(wanted) + 2):
        part = texts[:size]
        if slots.get(name, part) != part or not is_position(part):
            continue
        trial = {**slots, name: part}
        if fill(wanted[1:], texts[size:], names, trial):
            slots.update(trial)
            return True
    return False


def _match_call(pattern: Pattern, call: s.Group, entity: Entity, slots: dict[str, tuple[str, ...]]) -> bool:
    assert pattern.call is not None
    if pattern.call[0] != call.opening:
        return False
    wanted, given = arguments(pattern.call[1:]), arguments(normal(call.tokens))
    if len(wanted) != len(given):
        return False
    for want, has in zip(wanted, given, strict=True):
        if fill(want, has, entity.slots, slots) or (entity.kind == "macro" and is_parameter(want, entity)):
            continue
        return False
    return True


def is_parameter(argument: tuple[str, ...], entity: Entity) -> bool:
    """Whether an argument of a key is a letter for which anything may be put in, as in `h_\\theta(x)`."""
    return len(argument) == 1 and argument[0] not in entity.slots


def arguments(texts: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The parts of a bracket between the commas that stand in no inner bracket."""
    out: list[list[str]] = [[]]
    depth = 0
    for text in texts:
        depth += (text in OPENING) - (text in CLOSING)
        if text in (",", ";") and not depth:
            out.append([])
        else:
            out[-1].append(text)
    return [tuple(part) for part in out]


def scripts_of(node: s.Scripted) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The subscripts as one list of texts with commas between, and the superscripts."""
    if len(node.subs) == 1:
        return normal(node.subs[0].tokens), [written(script.tokens) for script in node.sups]
    subs: list[str] = []
    for script in node.subs:
        subs.extend(([","] if subs else []) + list(normal(script.tokens)))
    return tuple(subs), [written(script.tokens) for script in node.sups]


def as_tokens(texts: tuple[str, ...], span: tuple[int, int]) -> list[Token]:
    """Texts back to tokens at one place, with braces around nested scripts."""
    out: list[Token] = []
    for text in texts:
        if text[0].isdigit() or (text[0] == "." and text[1:].isdigit()):
            kind = "number"
        elif text.startswith("\\"):
            kind = "command"
        else:
            kind = "letter" if text.isalpha() and len(text) == 1 else "text" if text.isalpha() else "sign"
        out.append(Token(kind, text, *span))
    return out
