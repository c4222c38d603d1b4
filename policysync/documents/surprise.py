"""Texts that other readers of YAML would take for something else, and what to write instead."""

from __future__ import annotations

import re

from policysync.documents.scalar import is_held

_YES = frozenset({"yes", "on", "y"})
_NO = frozenset({"no", "off", "n"})
_OCTAL = re.compile(r"[-+]?0[0-9_]+\Z")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?\Z")
_SIXTIES = re.compile(r"[0-9]+(?::[0-5]?[0-9])+\Z")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")


def boolean(text: str) -> str:
    """Return why a text is no boolean although it looks like one; nothing when it does not."""
    word = text.lower()
    if word in _YES or word in _NO:
        return f"`{text}` is text in YAML 1.2; write {'true' if word in _YES else 'false'}"
    if word in {"true", "false"}:
        return f'"{text}" is text, want true or false; drop the quotes'
    return ""


def number(text: str) -> str:
    """Return why a text is no number although it looks like one; nothing when it does not."""
    if _OCTAL.match(text):
        digits = text.replace("_", "").lstrip("+-0") or "0"
        return f"`{text}` is text in YAML 1.2, because of its leading zero; write {digits}"
    if "_" in text and _UNDERSCORES.match(text):
        return f"`{text}` is text in YAML 1.2; write {text.replace('_', '')}"
    if _SIXTIES.match(text):
        total = 0
        for part in text.split(":"):
            total = total * 60 + int(part)
        return f"`{text}` is text in YAML 1.2; write {total}"
    if _NUMBER.match(text):
        infinite = float(text) in {float("inf"), float("-inf")}
        if infinite or (text.lstrip("+-").isdecimal() and not is_held(int(text))):
            return f"`{text}` is text, because no number can be that large; write a smaller one"
        return f'"{text}" is text, want a number; drop the quotes'
    return ""
