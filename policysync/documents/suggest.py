"""Did you mean …?"""

from __future__ import annotations

import importlib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean `x`?" for the nearest known word, or nothing when none is near."""
    meant = nearest(word, known)
    return f"; did you mean `{meant}`?" if meant else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is spelt most alike, or nothing when none is near."""
    lowered = {name.lower(): name for name in reversed(list(known))}
    # Imported when something is misspelt.
    near = importlib.import_module("difflib").get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[near[0]] if near else ""


def one_of(known: Iterable[str], most: int = 8) -> str:
    """Return the words that are allowed, for a message; many are cut short."""
    words = list(known)
    shown = ", ".join(words[:most])
    return f"{shown}, … ({len(words)} in all)" if len(words) > most else shown
