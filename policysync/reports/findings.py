"""What machines that show findings beside code are told: the one view of `github`, `sarif` and `junit`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from policysync.errors import Location

ERROR, WARNING, NOTE = "error", "warning", "note"
LEVELS = (ERROR, WARNING, NOTE)


class Mark(NamedTuple):
    """One finding.

    Attributes:
        level: one of LEVELS.
        code: stable name of the rule.
        message: one sentence.
        where: relative to the git repository; line 0 means the file as a whole.
        about: what it is about inside that file or target: a JSON pointer or `Kind/name`.
    """

    level: str
    code: str
    message: str
    where: Location
    about: str = ""


class Case(NamedTuple):
    """One thing that was looked at. It `failed` when somebody has to act before the work can go on."""

    suite: str
    name: str
    file: str = ""
    marks: tuple[Mark, ...] = ()
    failed: bool = False
    text: str = ""


class Findings(NamedTuple):
    """Everything that was looked at by one command, and what was found. `scope` tells one run from another."""

    command: str
    summary: str
    cases: tuple[Case, ...]
    scope: str = ""

    def marks(self) -> Iterator[Mark]:
        """Yield every finding, worst first, otherwise in the order of the cases."""
        for level in LEVELS:
            for case in self.cases:
                yield from (mark for mark in case.marks if mark.level == level)


class Reported(Protocol):
    """A view that can be told as findings."""

    def findings(self) -> Findings:
        """Return everything that was looked at, and what was found."""


def moved(where: Location, folder: str) -> Location:
    """Return a place relative to the policy root as one relative to the repository that holds it in `folder`."""
    return Location(f"{folder}/{where.file}", where.line, where.column) if folder else where
