"""An answer as people write it: words cut off, the left-hand side found, the chain taken apart."""

from __future__ import annotations

from dataclasses import dataclass

from derive.errors import AnswerError, Span
from derive.latex import syntax as s
from derive.latex.parser import ENDS, RELATIONS, TRANSPARENT, Parser
from derive.latex.tokens import Token, tokenize
from derive.reading.reader import Reader

SEPARATORS = frozenset(("=", r"\to", r"\Rightarrow", r"\approx"))
TRAILING = frozenset((".", ",", ";", r"\in", r"\quad", ":", "?", "!"))


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a chain: its text, and its syntax or the error that kept it from being read."""

    text: str
    span: Span
    syntax: s.Syntax | None
    error: AnswerError | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """An answer taken apart: what stands before the first `=` if it names the derivative, and the members."""

    left: s.Syntax | None
    members: tuple[Member, ...]


def take_apart(reader: Reader, text: str) -> Written:
    """The members of an answer.  Raises `AnswerError` where there is none."""
    tokens = _without_tail(_without_frame(tokenize(text)))
    parts = [inner for part in _split(tokens) for inner in _split(_without_tail(part))]
    members = [m for part in parts if (m := _member(reader, text, part)) is not None]
    if not members:
        raise AnswerError("empty", "There is no answer here.", (0, len(text)))
    left = None
    if len(members) > 1 and names_the_derivative(reader, members[0]):
        left, members = members[0].syntax, members[1:]
    return Written(left, tuple(members))


def names_the_derivative(reader: Reader, member: Member) -> bool:
    """Whether a member only says what is computed: ∂J/∂W, ∇J, dW, or a name that nothing declares."""
    node = member.syntax
    if node is not None and (_only_derivatives(node) or _is_name(node)):
        return True
    if node is None or member.error is not None:
        return member.error is not None and not any(t in member.text for t in ("+", r"\sum"))
    if isinstance(node, s.Product) and all(_is_namelike(f) for _, f in node.factors):
        return _undeclared(reader, node)
    return _is_namelike(node) and _undeclared(reader, node)


def _only_derivatives(node: s.Syntax) -> bool:
    """A derivative, perhaps with what it depends on (`\\nabla J(\\theta)`), or a product of derivatives."""
    if isinstance(node, s.Sum) and len(node.terms) == 1:
        node = node.terms[0][1]
    factors = [f for _, f in node.factors] if isinstance(node, s.Product) else [node]
    if len(factors) == 2 and isinstance(factors[1], s.Group):
        factors = factors[:1]
    return all(isinstance(f, s.Derivative) for f in factors)


def _is_name(node: s.Syntax) -> bool:
    """A name alone, as in `\\delta = \\hat{y} - y`: it is what the derivative is called."""
    return isinstance(node.body if isinstance(node, s.Scripted) else node, s.Name)


def _is_namelike(node: s.Syntax) -> bool:
    base = node.body if isinstance(node, s.Scripted) else node
    return isinstance(base, (s.Name, s.Words, s.Group)) or isinstance(node, s.Derivative)


def _undeclared(reader: Reader, node: s.Syntax) -> bool:
    try:
        reader.expression(node)
    except AnswerError as problem:
        return problem.code in ("unknown-symbol", "unreadable", "unexpanded")
    return False


def _without_frame(tokens: list[Token]) -> list[Token]:
    """The tokens without aligned environments and their alignment marks."""
    out: list[Token] = []
    k, depth = 0, 0
    while k < len(tokens):
        text = tokens[k].text
        if text in (r"\begin", r"\end") and k + 1 < len(tokens):
            close = next((j for j in range(k, len(tokens)) if tokens[j].text == "}"), len(tokens) - 1)
            name = "".join(t.text for t in tokens[k + 2 : close])
            if name in TRANSPARENT:
                k = close + 1
                continue
            depth += 1 if text == r"\begin" else -1
        if text == r"\substack" and not depth:
            close = _group_end(tokens, k + 1)
            out.extend(tokens[k : close + 1])
            k = close + 1
            continue
        if not depth and text == r"\\":
            k = _after_spacing(tokens, k + 1)
            continue
        if not (not depth and text == "&"):
            out.append(tokens[k])
        k += 1
    return out


def _group_end(tokens: list[Token], k: int) -> int:
    """The token that closes the brace at `k` (or the last one)."""
    depth = 0
    for j in range(k, len(tokens)):
        depth += (tokens[j].text == "{") - (tokens[j].text == "}")
        if not depth:
            return j
    return len(tokens) - 1


def _after_spacing(tokens: list[Token], k: int) -> int:
    """The position after an optional `[4pt]` behind a line break."""
    if k < len(tokens) and tokens[k].text == "[":
        close = next((j for j in range(k, min(k + 6, len(tokens))) if tokens[j].text == "]"), None)
        if close is not None and any(t.kind == "number" for t in tokens[k:close]):
            return close + 1
    return k


def _split(tokens: list[Token]) -> list[list[Token]]:
    """The parts between top-level equality signs; braces around the whole of it are no level."""
    while tokens and tokens[0].text == "{" and _group_end(tokens, 0) == len(tokens) - 1:
        tokens = _without_tail(tokens[1:-1])
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        text = token.text
        if text in ("{", "(", "[", r"\{", r"\begin"):
            depth += 1
        elif text in ("}", ")", "]", r"\}", r"\end"):
            depth = max(0, depth - 1)
        if text in SEPARATORS and not depth:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _member(reader: Reader, text: str, tokens: list[Token]) -> Member | None:
    tokens = _without_tail(tokens)
    if not tokens:
        return None
    span = (tokens[0].start, tokens[-1].end)
    piece = text[span[0] : span[1]]
    parser = Parser(text, tokens, reader.scope.words, reader.scope.letters)
    try:
        syntax = parser.expression()
        if parser.at < parser.end:
            _check_rest(parser)
    except AnswerError as problem:
        return Member(piece, span, None, problem)
    return Member(piece, span, syntax)


def _without_tail(tokens: list[Token]) -> list[Token]:
    end = len(tokens)
    while end and tokens[end - 1].text in TRAILING:
        end -= 1
    return tokens[:end]


def _check_rest(parser: Parser) -> None:
    """What may stand behind a formula: words, a remark after a comma, the space it lies in."""
    text = parser.peek()
    if parser.kind() == "text" or text in (",", ";", r"\in", r"\text", "."):
        return
    if text == r"\overset" or text in RELATIONS - {"<", ">", r"\leq", r"\geq", r"\neq"}:
        return
    stray = parser.peek()
    closing = stray in (")", "]", r"\}", "}")
    message = f"There is a closing {stray} that nothing opens." if closing else f"{stray} is not understood here."
    raise AnswerError("unbalanced" if closing else "unreadable", message, _span(parser))


def _span(parser: Parser) -> Span:
    token = parser.tokens[parser.at]
    return token.start, token.end


__all__ = ["ENDS", "Member", "Written", "take_apart"]
