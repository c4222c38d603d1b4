"""What apply does and meets, as a stream. The journal, the progress bar and the summary are listeners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from policysync.plan.change import Action
from policysync.state.resource import Address


class Outcome(StrEnum):
    """How one change ended."""

    APPLIED = "applied"
    FAILED = "failed"  # it was not done, or not all of it took effect
    UNCHANGED = "unchanged"  # it was already so
    SKIPPED = "skipped"  # something before it failed
    UNKNOWN = "unknown"  # sent, and nobody knows
    WAITING = "waiting"  # for a person, who has to do it by hand and confirm it


class What(StrEnum):
    """What happened."""

    STARTED = "started"  # the whole apply
    WRITING = "writing"
    RETRYING = "retrying"
    ENDED = "ended"  # one change, with its outcome
    FINISHED = "finished"  # the whole apply


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `address`, `action` and `outcome` are None where the event is about the whole apply; `total` and `done` count
    changes. `message` never holds a secret.
    """

    at: datetime
    what: What
    target: str
    address: Address | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    message: str = ""
    done: int = 0
    total: int = 0
    fields: tuple[str, ...] = field(default=())


Listener = Callable[[Event], None]
