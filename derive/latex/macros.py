r"""Macros of an author, expanded within bounds: \newcommand, \renewcommand, \def, \DeclareMathOperator and the like.

    \newcommand{\inner}[2]{#1^\top #2} \inner{u}{v}

is read as `u^\top v`.  A macro that goes on without end is an error, and what a definition may do is only
to stand for other text.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.errors import AnswerError
from derive.latex.tokens import DEFINING, Token

MAX_EXPANSIONS, MAX_TOKENS, MAX_MACROS = 1_000, 4_000, 200


@dataclass(frozen=True, slots=True)
class Macro:
    """What a macro stands for: tokens with `#1` … for its arguments; the first may have a default."""

    body: tuple[Token, ...]
    arguments: int = 0
    default: tuple[Token, ...] | None = None


def expand(tokens: list[Token]) -> list[Token]:
    """The tokens with all definitions taken out and all macros put in.  Raises `AnswerError` beyond the bounds."""
    macros: dict[str, Macro] = {}
    rest: list[Token] = []
    at = 0
    while at < len(tokens):
        if tokens[at].text.rstrip("*") in DEFINING:
            at = _define(tokens, at, macros)
            if len(macros) > MAX_MACROS:
                raise _error(tokens[at - 1], f"More than {MAX_MACROS} macros are not read.")
        else:
            rest.append(tokens[at])
            at += 1
    return _put_in(rest, macros) if macros else rest


def definitions(preamble: list[Token]) -> list[Token]:
    """Only the definitions of a preamble."""
    out: list[Token] = []
    at, unused = 0, dict[str, Macro]()
    while at < len(preamble):
        after = _define(preamble, at, unused) if preamble[at].text.rstrip("*") in DEFINING else at + 1
        out += preamble[at:after] if after > at + 1 else []
        at = after
    return out


def _error(token: Token, message: str) -> AnswerError:
    return AnswerError("unreadable", message, (token.start, token.end))


def _define(tokens: list[Token], at: int, macros: dict[str, Macro]) -> int:
    """Read one definition; returns the position behind it."""
    command = tokens[at]
    name, at = _name(tokens, at + 1, command)
    if command.text.startswith(r"\DeclareMathOperator"):
        body, at = _group(tokens, at, command)
        operator = [command._replace(kind="command", text=r"\operatorname"), *_braced(body, command)]
        macros[name] = Macro(tuple(operator))
        return at
    count, default = 0, None
    while at < len(tokens) and tokens[at].text == "#":
        count, at = count + 1, at + 2
    for number in range(2):
        if at < len(tokens) and tokens[at].text == "[" and command.text != r"\def":
            inside, at = _option(tokens, at, command)
            count, default = (int(inside[0].text), None) if number == 0 and _digit(inside) else (count, tuple(inside))
    body, at = _group(tokens, at, command)
    if count > 9:
        raise _error(command, "A macro takes at most nine arguments.")
    macros[name] = Macro(tuple(body), count, default)
    return at


def _digit(inside: list[Token]) -> bool:
    return len(inside) == 1 and inside[0].text.isdigit()


def _name(tokens: list[Token], at: int, command: Token) -> tuple[str, int]:
    braced = at < len(tokens) and tokens[at].text == "{"
    at += braced
    if at >= len(tokens) or tokens[at].kind != "command" or tokens[at].text in DEFINING:
        raise _error(command, f"{command.text} needs the name of a macro, such as \\inner.")
    return tokens[at].text, at + 1 + braced


def _group(tokens: list[Token], at: int, command: Token) -> tuple[list[Token], int]:
    """The tokens between braces (or the one token that stands for them), and the position behind."""
    if at >= len(tokens):
        raise _error(command, f"{command.text} ends before it is complete.")
    if tokens[at].text != "{":
        return [tokens[at]], at + 1
    depth = 0
    for k in range(at, len(tokens)):
        depth += (tokens[k].text == "{") - (tokens[k].text == "}")
        if not depth:
            return tokens[at + 1 : k], k + 1
    raise _error(command, f"The braces of {command.text} are never closed.")


def _option(tokens: list[Token], at: int, command: Token) -> tuple[list[Token], int]:
    for k in range(at, len(tokens)):
        if tokens[k].text == "]":
            return tokens[at + 1 : k], k + 1
    raise _error(command, f"The bracket of {command.text} is never closed.")


def _braced(body: list[Token], like: Token) -> list[Token]:
    return [like._replace(kind="sign", text="{"), *body, like._replace(kind="sign", text="}")]


def _put_in(tokens: list[Token], macros: dict[str, Macro]) -> list[Token]:
    """Expand from the left until no macro is left."""
    todo, out, steps = tokens[::-1], list[Token](), 0
    while todo:
        token = todo.pop()
        macro = macros.get(token.text) if token.kind == "command" else None
        if macro is None:
            out.append(token)
            continue
        steps += 1
        given = _arguments(todo, macro, token)
        todo.extend(reversed(_body(macro, given, token)))
        if steps > MAX_EXPANSIONS or len(todo) + len(out) > MAX_TOKENS:
            raise AnswerError("too-long", f"The macro {token.text} expands without end.", (token.start, token.end))
    return out


def _arguments(todo: list[Token], macro: Macro, call: Token) -> list[list[Token]]:
    """The arguments that follow a macro; taken off the tokens that are still to come (which stand reversed)."""
    given: list[list[Token]] = []
    if macro.default is not None:
        optional = bool(todo) and todo[-1].text == "["
        given.append(_until(todo, "]") if optional else list(macro.default))
    while len(given) < macro.arguments:
        if not todo:
            raise _error(call, f"{call.text} takes {macro.arguments} arguments.")
        first = todo.pop()
        given.append(_until_closed(todo, call) if first.text == "{" else [first])
    return given


def _until(todo: list[Token], closing: str) -> list[Token]:
    todo.pop()
    out: list[Token] = []
    while todo and todo[-1].text != closing:
        out.append(todo.pop())
    if todo:
        todo.pop()
    return out


def _until_closed(todo: list[Token], call: Token) -> list[Token]:
    out, depth = list[Token](), 1
    while todo:
        token = todo.pop()
        depth += (token.text == "{") - (token.text == "}")
        if not depth:
            return out
        out.append(token)
    raise _error(call, f"An argument of {call.text} is never closed.")


def _body(macro: Macro, given: list[list[Token]], call: Token) -> list[Token]:
    """The body with its arguments; its own tokens take the place of the call, and touch where they touched."""
    out: list[Token] = []
    for k, token in enumerate(macro.body):
        before = macro.body[k - 1] if k else None
        if before is not None and before.text == "#" and token.kind == "number":
            number = int(token.text[0])
            if not 1 <= number <= len(given):
                raise _error(call, f"{call.text} has no argument #{number}.")
            out += given[number - 1]
            out += [_placed(token._replace(text=token.text[1:]), None, call)] if len(token.text) > 1 else []
        elif token.text != "#":
            out.append(_placed(token, macro.body[k + 1] if k + 1 < len(macro.body) else None, call))
    return out


def _placed(token: Token, following: Token | None, call: Token) -> Token:
    touches = following is not None and following.start == token.end
    return token._replace(start=call.start, end=call.start if touches else call.end)
