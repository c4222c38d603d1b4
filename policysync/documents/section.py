"""One mapping of a file, read member by member; what is wrong is noted at its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from policysync.documents.places import Places, Refusals
from policysync.documents.suggest import did_you_mean, one_of
from policysync.errors import Location
from policysync.pointer import escape

NAMES: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a mapping",
    list: "a list",
    type(None): "nothing",
}


def shown(value: Any) -> str:
    """Return a value for a message: short, and mappings and lists by their type only."""
    if isinstance(value, dict | list):
        return NAMES[type(value)]
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


class Section:
    """A mapping at a pointer. Getters return None (or nothing) for what is absent or wrong."""

    def __init__(self, value: Any, pointer: str, places: Callable[[], Places], refusals: Refusals) -> None:
        self.pointer = pointer
        self._places = places
        self._refusals = refusals
        self.value: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict | None):
            self.refuse("", f"{shown(value)} stands here, want a mapping", "type")

    def refuse(self, name: str, message: str, code: str, key: bool = False) -> None:
        """Note a problem with a member, or with the whole section when no name is given."""
        pointer = f"{self.pointer}/{escape(name)}" if name else self.pointer
        places = self._places()
        line, column = places.key(pointer) if key else places.value(pointer)
        self._refusals.add(line, column, pointer, message, code)

    def where(self, name: str = "") -> Location:
        """Return the place of a member, or of the section itself."""
        pointer = f"{self.pointer}/{escape(name)}" if name else self.pointer
        return Location(self._refusals.file, *self._places().value(pointer))

    def only(self, *known: str) -> None:
        """Refuse members with other names."""
        for name in self.value:
            if name not in known:
                hint = did_you_mean(name, known) or f"; want one of {one_of(known)}"
                self.refuse(name, f"unknown key `{name}`{hint}", "unknown-key", key=True)

    def text(self, name: str, required: bool = False) -> str:
        """Return a text member; empty when it is absent or wrong."""
        found = self._typed(name, str, required)
        if found == "" and required:
            self.refuse(name, f"`{name}` is empty", "required")
        return found or ""

    def flag(self, name: str) -> bool:
        """Return a boolean member; false when it is absent or wrong."""
        return bool(self._typed(name, bool, False))

    def number(self, name: str, default: float, least: float) -> float:
        """Return a number not below `least`."""
        value = self.value.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            self.refuse(name, f"{shown(value)} stands here, want a number, at least {least:g}", "type")
            return default
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; one text stands for a list of one."""
        value = self.value.get(name)
        if value is None:
            return ()
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            self.refuse(name, f"{shown(value)} stands here, want a list of texts", "type")
            return ()
        return tuple(listed)

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a mapping member as it is."""
        return self._typed(name, dict, False) or {}

    def section(self, name: str) -> Section:
        """Return a mapping member as a section; an absent one is empty."""
        return Section(self.value.get(name), f"{self.pointer}/{escape(name)}", self._places, self._refusals)

    def sections(self, name: str, required: bool = False) -> Iterator[Section]:
        """Yield the mappings of a list member."""
        for index, item in enumerate(self._typed(name, list, required) or ()):
            yield Section(item, f"{self.pointer}/{escape(name)}/{index}", self._places, self._refusals)

    def _typed(self, name: str, wanted: type, required: bool) -> Any:
        value = self.value.get(name)
        if value is None:
            if required:
                self.refuse("", f"`{name}` is missing; want {NAMES[wanted]}", "required")
            return None
        if not isinstance(value, wanted):
            self.refuse(name, f"{shown(value)} stands here, want {NAMES[wanted]}", "type")
            return None
        return value
