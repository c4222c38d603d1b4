"""The `options` of a target, as they are written: each known, and of its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policysync.errors import Refused

Form = type | range
"""What an option has to be: a type, or the whole numbers it may be."""

_WORDS: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    list: "a list of texts",
    dict: "a mapping",
}


def check_options(written: Mapping[str, Any], forms: Mapping[str, Form], also: Iterable[str] = ()) -> None:
    """Refuse options that cannot be used.

    Args:
        also: further options there may be, which somebody else reads.

    Raises:
        Refused: one is misspelt, or not of its form.
    """
    check_names(written, {*forms, *also}, "option")
    for name, form in forms.items():
        if name in written and not _fits(written[name], form):
            raise Refused(f"options.{name} is {written[name]!r}; want {_wanted(written[name], form)}")


def check_names(written: Iterable[Any], known: Iterable[str], noun: str) -> None:
    """Refuse names nobody knows; `noun` is what they name.

    Raises:
        Refused: one is misspelt.
    """
    names = sorted(known)
    if unknown := sorted(str(name) for name in written if name not in names):
        raise Refused(f"unknown {noun} {unknown[0]!r}; known are {', '.join(names)}")


def _fits(value: Any, form: Form) -> bool:
    if isinstance(form, range):
        return _fits(value, int) and value in form
    return isinstance(value, form) and (form is bool or not isinstance(value, bool))


def _wanted(value: Any, form: Form) -> str:
    if isinstance(form, range):
        return f"a whole number from {form[0]} to {form[-1]}"
    number = form is str and isinstance(value, int | float) and not isinstance(value, bool)
    return _WORDS[form] + (", a number in quotes" if number else "")
