"""An answer as people write it: words cut off, the left-hand side found, the chain taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from derive.errors import AnswerError, Span
from derive.grading.clauses import SEPARATORS, TRAILING, Clause, covered, lines, without_tail
from derive.latex import syntax as s
from derive.latex.parser import Parser
from derive.latex.tokens import Token, tokenize
from derive.reading.reader import Reader
from derive.reading.scope import Entity, Scope, take_key_apart

MEMBERSHIP = frozenset((r"\in", r"\notin", r"\sim"))
CHANGING = frozenset(
    "times plus minus divided multiplied transpose transposed squared not without up opposite negated".split()
)
OTHER = frozenset(("or", "alternatively"))
BESIDE = frozenset((",", ";", ".", ":", "and"))
WHEN, ELSE = frozenset(("if", "when", "for")), frozenset(("else", "otherwise"))
UNENDING = frozenset((r"\ldots", r"\forall", r"\exists"))
MOST_DEFINITIONS = 12


class Member(NamedTuple):
    """One member of a chain: its text, and its syntax or the error that kept it from being read."""

    text: str
    span: Span
    syntax: s.Syntax | None
    error: AnswerError | None = None


class Written(NamedTuple):
    """An answer taken apart.

    `left` is what stands before the first `=` if it names the derivative; `alternatives` are formulas given
    beside the last member (`hedged`: with "or"); `definitions` are names that the answer itself explains.
    """

    left: s.Syntax | None
    members: tuple[Member, ...]
    alternatives: tuple[Member, ...] = ()
    hedged: bool = False
    definitions: tuple[Entity, ...] = ()


@dataclass(slots=True, eq=False, repr=False)
class _Statement:
    """A chain, in tokens, with what is said behind it."""

    parts: list[list[Token]]
    clauses: list[Clause] = field(default_factory=list)
    remarks: list[Clause] = field(default_factory=list)


def take_apart(reader: Reader, text: str, is_asked: Callable[[s.Syntax], bool] = lambda left: False) -> Written:
    """The members of an answer.  Raises `AnswerError` where there is none."""
    found = _Apart(reader, text)
    everything = found.statements()
    statements = [st for st in everything if any(without_tail(p) for p in st.parts)]
    if not statements:
        only_words = any(clause.opening for st in everything for clause in st.clauses)
        message = "These are words, not a formula." if only_words else "There is no answer here."
        raise AnswerError("words" if only_words else "empty", message, (0, len(text)))
    chosen = found.choose(statements, is_asked)
    members = [found.member(part) for part in chosen.parts if without_tail(part)]
    cases = found.cases(members[-1], chosen) if chosen.clauses else None
    if cases is not None:
        members[-1], chosen = cases, _Statement(chosen.parts, [], chosen.remarks)
    left = None
    if len(members) > 1 and names_the_derivative(reader, members[0]):
        left, members = members[0].syntax, members[1:]
    if len(everything) == 1 and not (chosen.clauses or chosen.remarks or cases):
        return Written(left, tuple(members))
    definitions = [d for st in everything for d in found.definitions(st, st.parts is not chosen.parts)]
    alternatives = found.alternatives(chosen)
    hedged = any(set(clause.opening.split()) & OTHER for clause in (*chosen.clauses, *chosen.remarks))
    return Written(left, tuple(members), tuple(alternatives), hedged, tuple(definitions[:MOST_DEFINITIONS]))


class _Apart:
    """The text of an answer with what is needed to parse parts of it."""

    def __init__(self, reader: Reader, text: str) -> None:
        self.reader, self.text = reader, text

    def statements(self) -> list[_Statement]:
        """The chains of an answer: a line that begins with = goes on with the one before it."""
        out: list[_Statement] = []
        for line in lines(tokenize(self.text, self.reader.preamble), self.reader.scope.letters):
            parts = split(line.main)
            if not line.main and out:
                out[-1].clauses += line.clauses
                out[-1].remarks += line.remarks
                continue
            goes_on = bool(out) and (not without_tail(parts[0]) or not self._begins(parts))
            if goes_on and without_tail(parts[0]) and out[-1].clauses:
                out[-1].clauses.append(Clause(",", line.main))
            elif goes_on:
                out[-1].parts[-1] += parts[0]
                out[-1].parts += parts[1:]
            else:
                out.append(_Statement(parts))
            out[-1].remarks += line.remarks
            self._take_clauses(out, line.clauses)
        return out

    def _take_clauses(self, out: list[_Statement], clauses: list[Clause]) -> None:
        """Clauses belong to the chain before them, but for a whole equation for another derivative."""
        for clause in clauses:
            parts = split(clause.tokens)
            if len(parts) > 1 and (first := self.member(parts[0]).syntax) is not None and _only_derivatives(first):
                out.append(_Statement(parts))
            else:
                out[-1].clauses.append(clause)

    def _begins(self, parts: list[list[Token]]) -> bool:
        """Whether a line begins an equation of its own: a derivative or a name stands before its first =."""
        if len(parts) < 2:
            return False
        first = self.member(parts[0]).syntax
        return first is not None and (_only_derivatives(first) or _is_name(first))

    def choose(self, statements: list[_Statement], is_asked: Callable[[s.Syntax], bool]) -> _Statement:
        """The last equation for what is asked, else for any derivative, else the last."""
        if len(statements) == 1:
            return statements[0]
        firsts = [(st, self.member(st.parts[0]).syntax) for st in statements if len(st.parts) > 1]
        asked = [st for st, first in firsts if first is not None and is_asked(first)]
        derivatives = [st for st, first in firsts if first is not None and _only_derivatives(first)]
        return (asked or derivatives or statements)[-1]

    def member(self, tokens: list[Token]) -> Member:
        """One member, read."""
        tokens = without_tail(tokens)
        while tokens and tokens[0].text in TRAILING:
            tokens = tokens[1:]
        if not tokens:
            return Member("", (0, len(self.text)), None, AnswerError("empty", "There is no formula here."))
        span = (tokens[0].start, tokens[-1].end)
        piece = self.text[span[0] : span[1]]
        parser = self._parser(tokens)
        try:
            syntax = parser.expression()
            if parser.at < parser.end and parser.peek() not in MEMBERSHIP:
                raise _stray(parser)
        except AnswerError as problem:
            return Member(piece, span, None, problem)
        return Member(piece, span, syntax)

    def _parser(self, tokens: list[Token]) -> Parser:
        return Parser(self.text, tokens, self.reader.scope.words, self.reader.scope.letters)

    # --------------------------------------------------------------------------- what is said behind a formula

    def definitions(self, statement: _Statement, whole: bool) -> Iterator[Entity]:
        """Names that an answer explains: `where δ = ŷ - y`; of another equation also what it is an equation for."""
        candidates = [split(clause.tokens) for clause in (*statement.clauses, *statement.remarks)]
        if whole:
            candidates.insert(0, statement.parts)
        for parts in candidates:
            if len(parts) > 1 and (entity := self._definition(parts[0], parts[1])) is not None:
                yield entity

    def _definition(self, name: list[Token], meaning: list[Token]) -> Entity | None:
        first, body = self.member(name).syntax, self.member(meaning).syntax
        if first is None or body is None or not _is_name(first) or isinstance(body, (s.Num, s.Words)):
            return None
        base = first.body if isinstance(first, s.Scripted) else first
        assert isinstance(base, s.Name)
        scope = self.reader.scope
        if base.base in self.reader.bound or any(e.kind.startswith("index") for e in scope.entities.get(base.base, [])):
            return None
        key = self.text[first.span[0] : first.span[1]]
        try:
            pattern = take_key_apart(key)
        except AnswerError:
            return None
        scripts = [x for part in s.walk(body) if isinstance(part, s.Scripted) for x in (*part.subs, *part.sups)]
        mentioned = {t.text for script in scripts for t in script.tokens}
        slots = tuple(t for t in dict.fromkeys(pattern.texts) if len(t) == 1 and t.isalpha() and t in mentioned)
        return Entity("macro", key, pattern, None, slots, None, "", body)

    def cases(self, last: Member, statement: _Statement) -> Member | None:
        """`a if w = o, b otherwise` as a formula by cases; None where it is none."""
        branches: list[tuple[Member, list[Token] | None]] = [(last, None)]
        for clause in statement.clauses:
            words = set(clause.opening.split())
            if words & WHEN and clause.tokens and branches[-1][1] is None:
                branches[-1] = (branches[-1][0], clause.tokens)
            elif words & ELSE and not clause.tokens and branches[-1][1] is None:
                branches[-1] = (branches[-1][0], [])
            elif (words & ELSE or clause.opening in (",", ";", "and")) and branches[-1][1] is not None:
                if clause.tokens:
                    branches.append((self.member(clause.tokens), [] if words & ELSE else None))
            else:
                return None
        if len(branches) < 2 or any(m.syntax is None or tokens is None for m, tokens in branches):
            return None
        parsed = tuple((m.syntax, self._parser(tokens or []).listing()) for m, tokens in branches)
        span = (last.span[0], max(t.end for c in statement.clauses for t in c.tokens))
        return Member(self.text[span[0] : span[1]], span, s.Cases(span, parsed))  # type: ignore[arg-type]

    def alternatives(self, statement: _Statement) -> list[Member]:
        """Formulas that stand beside the answer.  Words that change it make it unreadable, as an error in a member."""
        out: list[Member] = []
        for clause in (*statement.clauses[:1], *statement.remarks):
            if set(clause.opening.replace("(", " ").replace(")", " ").split()) & CHANGING:
                message = f"The words “{clause.opening}” change the formula; write it without words."
                out.append(Member(clause.opening, (0, len(self.text)), None, AnswerError("unreadable", message)))
        hedges = [clause for clause in statement.remarks if set(clause.opening.split()) & OTHER]
        for clause in (*hedges, *statement.clauses):
            other = bool(set(clause.opening.split()) & OTHER)
            if not (other or clause.opening in BESIDE) or any(t.text in UNENDING for t in clause.tokens):
                break
            parts = split(clause.tokens)
            if len(parts) > 1:
                break
            if not without_tail(parts[0]):
                continue
            member = self.member(parts[0])
            garbled = clause.opening in (".", ":") or (member.error is not None and member.error.code == "unbalanced")
            if (member.syntax is not None or garbled) and not isinstance(member.syntax, s.Words):
                out.append(member)
        return out


def split(tokens: list[Token]) -> list[list[Token]]:
    """The parts between equality signs that stand in no bracket."""
    if SEPARATORS.isdisjoint([token.text for token in tokens]):
        return [tokens]
    parts: list[list[Token]] = []
    inside, start = covered(tokens), 0
    for k, token in enumerate(tokens):
        if token.text in SEPARATORS and k not in inside:
            parts.append(tokens[start:k])
            start = k + 1
    return [*parts, tokens[start:]]


def _stray(parser: Parser) -> AnswerError:
    token = parser.tokens[parser.at]
    closing = token.text in (")", "]", r"\}", "}")
    span = (token.start, token.end)
    if closing:
        return AnswerError("unbalanced", f"There is a closing {token.text} that nothing opens.", span)
    return AnswerError("unreadable", f"{token.text} is not understood here.", span)


def explained(reader: Reader, definitions: tuple[Entity, ...]) -> Scope:
    """The scope of a reader with the names that an answer explains, which go before those of the problem."""
    scope = reader.scope.child()
    for entity in definitions:
        same = [e for e in scope.entities.get(entity.pattern.base, []) if e.pattern == entity.pattern]
        if same and not entity.slots and _undeclared(reader, entity.body):
            continue
        scope.entities[entity.pattern.base] = [e for e in scope.entities.get(entity.pattern.base, []) if e not in same]
        scope.add(entity)
    return scope


# ------------------------------------------------------------------------------------------- left-hand sides


def names_the_derivative(reader: Reader, member: Member) -> bool:
    """Whether a member only says what is computed: ∂J/∂W, ∇J, dW, or a name."""
    node = member.syntax
    if node is None:
        return not any(t in member.text for t in ("+", r"\sum"))
    if _only_derivatives(node) or _is_name(node):
        return True
    if isinstance(node, s.Product) and all(_is_namelike(f) for _, f in node.factors):
        return _is_differential(node) or _undeclared(reader, node)
    return _is_namelike(node) and _undeclared(reader, node)


def _only_derivatives(node: s.Syntax) -> bool:
    """A derivative, perhaps with what it depends on (`\\nabla J(\\theta)`), or a product of derivatives."""
    if isinstance(node, s.Sum) and len(node.terms) == 1:
        node = node.terms[0][1]
    factors = list(node.factors) if isinstance(node, s.Product) else [("", node)]
    if len(factors) == 2 and isinstance(factors[1][1], s.Group) and factors[1][0] == "":
        factors = factors[:1]
    return all(isinstance(f, s.Derivative) for _, f in factors)


def variables_left(member: Member) -> list[s.Syntax]:
    """What the derivatives are taken of which a member is made, if it is nothing but derivatives."""
    if member.syntax is None or not _only_derivatives(member.syntax):
        return []
    return [part.wrt for part in s.walk(member.syntax) if isinstance(part, s.Derivative)]


def _is_differential(node: s.Product) -> bool:
    """`dW`, or `dJ/dW`, where `d` may be a size as well."""
    names = [f.base if isinstance(f, s.Name) else "" for _, f in node.factors]
    signs = [sign for sign, _ in node.factors]
    return (len(names) == 2 and names[0] == "d" and not signs[1]) or (
        len(names) == 4 and names[0] == names[2] == "d" and signs == ["", "", "/", ""]
    )


def _is_name(node: s.Syntax) -> bool:
    """A name alone, as in `\\delta = \\hat{y} - y`: it is what the derivative is called."""
    return isinstance(node.body if isinstance(node, s.Scripted) else node, s.Name)


def _is_namelike(node: s.Syntax) -> bool:
    base = node.body if isinstance(node, s.Scripted) else node
    return isinstance(base, (s.Name, s.Words, s.Group)) or isinstance(node, s.Derivative)


def _undeclared(reader: Reader, node: s.Syntax | None) -> bool:
    if node is None:
        return True
    try:
        reader.expression(node)
    except AnswerError as problem:
        return problem.code in ("unknown-symbol", "unreadable", "unexpanded")
    return False
