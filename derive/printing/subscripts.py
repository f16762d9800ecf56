"""Names with indices, as text."""

from __future__ import annotations

import re


def braced(subscript: str) -> str:
    """A subscript, in braces where it needs them."""
    return f"_{subscript}" if len(subscript) == 1 else f"_{{{subscript}}}"


_TOKEN = re.compile(r"\\[A-Za-z]+|[A-Za-z]|.", re.DOTALL)


def fill_key(key: str, slot: str, text: str) -> str:
    """A declared key with its varying letter replaced: `u_k` at `w_s` is `u_{w_s}`.

    >>> fill_key("u_k", "k", "w_s"), fill_key("x^{(i)}", "i", "2")
    ('u_{w_s}', 'x^{(2)}')
    """
    out: list[str] = []
    for k, token in enumerate(_TOKEN.findall(key)):
        if token == slot and k:
            before = out[-1] if out else ""
            out.append(f"{{{text}}}" if before in ("_", "^") and len(text) > 1 else text)
        else:
            out.append(token)
    return "".join(out)
