"""Where keys and values stand in a file, and what is refused there."""

from __future__ import annotations

from policysync.errors import Location, Problem

NESTING = 64
"""How deep mappings and lists may stand inside each other."""


class Places:
    """Line and column, from 1, of the keys and values of one document, by pointer."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[int, int]] = {}
        self.values: dict[str, tuple[int, int]] = {}

    def value(self, pointer: str) -> tuple[int, int]:
        """Return the place of a value, or of the nearest value around it that is written in the file."""
        while pointer not in self.values and pointer:
            pointer = pointer.rpartition("/")[0]
        return self.values.get(pointer, (1, 1))

    def key(self, pointer: str) -> tuple[int, int]:
        """Return the place of a key; an element of a list has none, so its own place is given."""
        return self.keys.get(pointer) or self.value(pointer)


class Refusals:
    """Collects what is refused in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(self, line: int, column: int, pointer: str, message: str, code: str) -> None:
        """Note one refusal; line and column count from 1."""
        self.problems.append(Problem(Location(self.file, line, column), pointer, message, code))


class Stop(Exception):
    """Ends the building of a file that was refused for good."""


def line_and_column(before: str) -> tuple[int, int]:
    """Return the line and column, from 1, of the character that follows `before`."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1
