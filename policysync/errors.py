"""What can go wrong, and the exit status each failure earns.

    PolicySyncError          1
    ├── InvalidInput         1   the files are wrong; carries the Problems
    ├── Blocked              3   a guard or a gate said no
    ├── StalePlan            4   the world moved since the plan was made
    ├── PartlyApplied        5   changes were made, and that is not on record
    └── BackendError         1
        ├── Refused              the same request will never work
        │   └── NotServed        nothing there serves the kind
        ├── Unavailable          it may work later
        └── OutcomeUnknown       sent, no answer: read back first

An author's mistake is not an exception but a `Problem`: all of them are collected and shown at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class Exit(IntEnum):
    """The exit statuses of the command line. Scripts depend on them."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    BLOCKED = 3
    STALE = 4
    PARTLY_APPLIED = 5


class Location(NamedTuple):
    """A place in a file. Line and column count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problem(NamedTuple):
    """One mistake in a file.

    `message` says what is wrong, then what would be right. `code` is stable: ignore rules and tests name it.
    A warning is shown and does not fail the run.
    """

    where: Location
    pointer: str
    message: str
    code: str = "invalid"
    warning: bool = False

    def __str__(self) -> str:
        pointer = f" {self.pointer}:" if self.pointer else ""
        mark = " warning:" if self.warning else ""
        return f"{self.where}:{mark}{pointer} {self.message} [{self.code}]"


class PolicySyncError(Exception):
    """Something that ends a run; `cli` turns it into one message and an exit status."""

    status: Exit = Exit.ERROR


class InvalidInput(PolicySyncError):
    """The files are wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Blocked(PolicySyncError):
    """A guard or a gate said no."""

    status = Exit.BLOCKED


class StalePlan(PolicySyncError):
    """The world moved since the plan was made."""

    status = Exit.STALE


class PartlyApplied(PolicySyncError):
    """Changes were made, and that is not on record: the next apply makes up for it."""

    status = Exit.PARTLY_APPLIED


class BackendError(PolicySyncError):
    """A backend did not do what it was asked."""


class Refused(BackendError):
    """The same request will never work."""


class NotServed(Refused):
    """The target has nothing that serves a kind. `reason` is a stable code such as `engine-not-installed`."""

    def __init__(self, message: str, reason: str = "not-served") -> None:
        self.reason = reason
        super().__init__(message)


class Unavailable(BackendError):
    """It may work later. `retry_after` is in seconds, None when the backend did not say."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class OutcomeUnknown(BackendError):
    """The request was sent, and nobody knows whether all of it was done: read back before sending again.

    `retry_after` is as for `Unavailable`: some of it was done, and the rest was put off.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)
