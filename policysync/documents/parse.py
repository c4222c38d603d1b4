"""Bytes → plain data, with every refusal at its line and column.

A file is built once without noting places. Only when something is wrong is it built again with them, so that
a good file never pays for its positions.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from gc import disable, enable, isenabled
from typing import Any, NamedTuple

from policysync.documents.places import Places, Refusals, line_and_column
from policysync.errors import InvalidInput, Location, Problem

LOADER = "2"
"""Goes up whenever the same bytes may give another value; old cache entries are then never found."""


class Parsed(NamedTuple):
    """One document of a file: its value, and where the value starts."""

    value: Any
    line: int = 1
    column: int = 1


def parse(content: bytes, file: str) -> tuple[tuple[Parsed, ...], tuple[Problem, ...]]:
    """Return the documents of a file, or none and what is wrong with it. Documents that hold nothing are left out."""
    text = _decode(content, file)
    if isinstance(text, Problem):
        return (), (text,)
    refusals = Refusals(file)
    found = _language(file).build(text, refusals, None)
    if refusals.problems:
        refusals = Refusals(file)
        _language(file).build(text, refusals, [])
        return (), tuple(sorted(refusals.problems))
    return tuple(Parsed(value, line, column) for value, line, column in found if value is not None), ()


def only_one(documents: tuple[Parsed, ...], problems: tuple[Problem, ...], file: str) -> Any:
    """Return the value of the only document of a file; None when the file holds nothing.

    Raises:
        InvalidInput: the file cannot be read, or holds a second document.
    """
    if problems:
        raise InvalidInput(problems)
    if len(documents) > 1:
        where = Location(file, documents[1].line, documents[1].column)
        raise InvalidInput([Problem(where, "", "a second document; want one in this file", "second-document")])
    return documents[0].value if documents else None


def places_of(content: bytes, file: str) -> tuple[Places, ...]:
    """Return the place of every key and value, for each document that `parse` gives back."""
    text = _decode(content, file)
    if isinstance(text, Problem):
        return ()
    noted: list[Places] = []
    found = _language(file).build(text, Refusals(file), noted)
    return tuple(places for places, (value, _, _) in zip(noted, found, strict=False) if value is not None)


def language(file: str) -> str:
    """Return what a file is written in, by its ending: "json" or "yaml"."""
    return "json" if file.endswith(".json") else "yaml"


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep the garbage collector from walking thousands of young documents again and again."""
    was_enabled = isenabled()
    disable()
    try:
        yield
    finally:
        if was_enabled:
            enable()


def _language(file: str) -> Any:
    # Only what is used is imported: with a warm cache that is neither, and PyYAML alone costs 20 ms.
    return importlib.import_module(f"policysync.documents.{language(file)}_text")


def _decode(content: bytes, file: str) -> str | Problem:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = line_and_column(content[: error.start].decode("utf-8-sig", "replace"))
        message = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        return Problem(Location(file, line, column), "", message, "encoding")
