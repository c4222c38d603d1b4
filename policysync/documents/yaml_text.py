"""YAML → plain data, built from libyaml's events.

Refused, each at its place: duplicate keys, keys that are not scalars, `<<`, tags other than `!!str`, nesting past a
limit, aliases past a budget, an alias inside its own anchor.
"""

from __future__ import annotations

import re
from sys import intern
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamStartEvent,
)

from policysync.documents.places import NESTING, Places, Refusals, Stop, line_and_column
from policysync.documents.scalar import plain
from policysync.pointer import escape

ALIASED = 10_000
"""How many values a document may repeat through aliases."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"
_OPEN: Any = object()  # an anchor whose value is still being built
_BREAKS = re.compile("[\x85\u2028\u2029]")


def build(text: str, refusals: Refusals, noted: list[Places] | None) -> list[tuple[Any, int, int]]:
    """Return each document with the line and column of its value; note all places when a list is given."""
    if _refuse_breaks(text, refusals):
        return []
    try:
        return _Builder(_LOADER(text), refusals, noted).documents()
    except Stop:
        pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        refusals.add(*at, "", _reworded(error, text, *at), "syntax")
    except yaml.reader.ReaderError as error:
        at = line_and_column(text[: text.find(chr(error.character))])
        refusals.add(*at, "", f"character U+{error.character:04X} is not allowed in YAML", "syntax")
    return []


def _refuse_breaks(text: str, refusals: Refusals) -> bool:
    # libyaml follows YAML 1.1 here and folds these as line breaks, which YAML 1.2 does not.
    if text.isascii():
        return False
    for found in _BREAKS.finditer(text):
        code = f"{ord(found.group()):04X}"
        message = f'character U+{code} is a line break to some parsers; write "\\u{code}" inside double quotes'
        refusals.add(*line_and_column(text[: found.start()]), "", message, "syntax")
    return bool(refusals.problems)


def _reworded(error: yaml.MarkedYAMLError, text: str, line: int, column: int) -> str:
    rows = text.splitlines()
    found = rows[line - 1][column - 1 : column] if line <= len(rows) else ""
    if found == "\t":
        return "a tab cannot indent YAML; use spaces"
    if found in {"@", "`", "%"}:
        return f"`{found}` cannot start a value; put the value in quotes"
    context = f"{error.context}: " if error.context else ""
    return f"not YAML: {context}{error.problem or 'cannot be read'}"


class _Builder:
    """One file; `next` yields its events."""

    def __init__(self, loader: Any, refusals: Refusals, noted: list[Places] | None) -> None:
        self.next = loader.get_event
        self.refusals = refusals
        self.noted = noted
        self.places: Places | None = None
        self.anchors: dict[str, Any] = {}
        self.sizes: dict[str, int] = {}
        self.nodes = 0
        self.aliased = 0

    def documents(self) -> list[tuple[Any, int, int]]:
        found = []
        while True:
            event = self.next()
            kind = event.__class__
            if kind is DocumentStartEvent:
                self.start()
                event = self.next()
                mark = event.start_mark
                found.append((self.node(event, "", 0), mark.line + 1, mark.column + 1))
            elif kind is not StreamStartEvent and kind is not DocumentEndEvent:
                return found

    def start(self) -> None:
        self.anchors, self.sizes, self.aliased = {}, {}, 0
        if self.noted is not None:
            self.places = Places()
            self.noted.append(self.places)

    def node(self, event: Any, at: str, depth: int) -> Any:
        """Return the value that starts with `event`."""
        if self.places:
            self.places.values[at] = (event.start_mark.line + 1, event.start_mark.column + 1)
        if event.__class__ is AliasEvent:
            return self.alias(event, at)
        if event.tag is not None and (event.tag != _TEXT or event.__class__ is not ScalarEvent):
            self.refuse(event, at, f"tag {event.tag!r} is refused; write plain data", "tag")
        anchor = event.anchor
        if anchor is not None:
            self.anchors[anchor] = _OPEN
            before = self.nodes
        value = self.content(event, at, depth)
        if anchor is not None:
            self.anchors[anchor] = value
            self.sizes[anchor] = self.nodes - before
        return value

    def content(self, event: Any, at: str, depth: int) -> Any:
        self.nodes += 1
        if event.__class__ is ScalarEvent:
            return plain(event.value) if event.implicit[0] else event.value
        if depth >= NESTING:
            self.refuse(event, at, f"nested deeper than {NESTING} levels", "nesting")
            raise Stop
        if event.__class__ is MappingStartEvent:
            return self.mapping(at, depth + 1)
        return self.sequence(at, depth + 1)

    def mapping(self, at: str, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        take, places = self.next, self.places
        event = take()
        while event.__class__ is not MappingEndEvent:
            key = self.key(event, at, result, depth)
            below = f"{at}/{escape(key)}" if places is not None else ""
            if places is not None and key not in result:
                places.keys[below] = (event.start_mark.line + 1, event.start_mark.column + 1)
            event = take()
            if places is None and event.__class__ is ScalarEvent and event.tag is None and event.anchor is None:
                self.nodes += 1
                result[key] = plain(event.value) if event.implicit[0] else event.value
            else:
                result[key] = self.node(event, below, depth)
            event = take()
        return result

    def key(self, event: Any, at: str, result: dict[str, Any], depth: int) -> str:
        if event.__class__ is not ScalarEvent:
            self.refuse(event, at, "a key has to be plain text", "key")
            if event.__class__ is not AliasEvent:
                self.content(event, at, depth)
            return ""
        # The same few names stand in every file, and thousands of files are held at once.
        key = intern(event.value)
        if key in result:
            self.refuse(event, f"{at}/{escape(key)}", f"key `{key}` stands here twice; keep one", "duplicate-key")
        elif key == "<<" and event.implicit[0]:
            self.refuse(event, f"{at}/<<", "merge key `<<` is refused; write the members out", "merge-key")
        if event.tag is not None and event.tag != _TEXT:
            self.refuse(event, at, f"tag {event.tag!r} is refused; write plain data", "tag")
        if event.anchor is not None:
            self.anchors[event.anchor], self.sizes[event.anchor] = key, 1
        return key

    def sequence(self, at: str, depth: int) -> list[Any]:
        result: list[Any] = []
        event = self.next()
        while event.__class__ is not SequenceEndEvent:
            result.append(self.node(event, f"{at}/{len(result)}", depth))
            event = self.next()
        return result

    def alias(self, event: Any, at: str) -> Any:
        name = event.anchor
        if name not in self.anchors:
            self.refuse(event, at, f"alias `*{name}` names no anchor above it", "alias")
            return None
        if self.anchors[name] is _OPEN:
            self.refuse(event, at, f"alias `*{name}` stands inside its own anchor", "alias")
            return None
        self.aliased += self.sizes[name]
        self.nodes += self.sizes[name]
        if self.aliased > ALIASED:
            self.refuse(event, at, f"aliases repeat more than {ALIASED} values; write them out", "alias-budget")
            raise Stop
        return self.anchors[name]

    def refuse(self, event: Any, at: str, message: str, code: str) -> None:
        self.refusals.add(event.start_mark.line + 1, event.start_mark.column + 1, at, message, code)
