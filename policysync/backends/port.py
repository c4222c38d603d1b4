"""The port: what every backend can do, and the three ways it can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

from policysync.kinds.kind import Kind
from policysync.plan.change import Change
from policysync.state.resource import Address, Resource

T = TypeVar("T")

Again = Callable[[Callable[[], T]], T]
"""Runs a read and runs it again while it is `Unavailable`; apply owns the only one, see `apply.retry`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What `probe` found.

    `identity` is stable for one target and differs between targets; empty when it cannot be known.
    """

    version: str = ""
    identity: str = ""


class Level(StrEnum):
    """How good a sign is. `unknown` is neither good nor bad: nobody can tell from here."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that `policysync check` looked at.

    Attributes:
        name: `preflight/…` for what has to be there before a resource can be, `health/…` for how it is.
        reason: a stable code; empty where the level is ok.
        message: a sentence, with what to do where something is wrong.
    """

    name: str
    level: Level
    reason: str
    message: str


@runtime_checkable
class Checks(Protocol):
    """A backend that can tell more of a resource than what it is set to."""

    def check(self, resource: Resource) -> Iterator[Sign]:
        """Yield what there is to say of a resource as git states it. Changes nothing."""


@runtime_checkable
class ChecksInside(Protocol):
    """A backend whose target can be looked at from inside."""

    def check_inside(self, resource: Resource) -> Iterator[Sign]:
        """Yield what `Checks.check` yields, and what only shows inside: something short-lived is started there.

        Nothing of it stays, also when it is interrupted.
        """


@runtime_checkable
class Rehearses(Protocol):
    """A backend whose target can say what it would do with a change."""

    def rehearse(self, change: Change, kind: Kind) -> None:
        """Send a change as a dry run: all is looked at, and nothing kept.

        Raises:
            Refused: it would be refused.
        """


class Backend(Protocol):
    """A target, ready to be read and written.

    Every method raises only these:
        Refused: the same request will never work.
        Unavailable: it may work later; `retry_after` is in seconds.
        OutcomeUnknown: a write was sent, and all or some of it may have been done.

    A write is Unavailable only when nothing of it was done.
    """

    def probe(self) -> Facts:
        """Sign in and say what is there. Changes nothing."""

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """Hear what git states and what was last applied, before anything is read.

        For backends that find live by it: a stack by its name, a machine by its address. Sends nothing.
        """

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the live resources of `kind`, all pages, in normal form.

        With `names`, only those are yielded, and only those are fetched where the backend can do so.
        The product's own objects (`Kind.exclude`) are left out. One that is there and cannot be read carries a
        `hindrance`; it is never left out, because what is not there is created.

        Raises:
            NotServed: nothing in the target serves the kind.
        """

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the live resources of `kind`, without their bodies where that is cheaper."""

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out `change` and return when the backend said it is done.

        `change.before` must be the live resource as just read: its id addresses the object, and its body
        carries what the schema does not know. Doing it twice is the same as doing it once.
        """

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Forgets(Protocol):
    """A backend where something is left of what never came to be, which counts as absent while git wants it made."""

    def forget(self, unstated: frozenset[Address]) -> None:
        """Hear what was last applied and git does not state any more: what is left of it is live. Sends nothing."""


@runtime_checkable
class Previews(Protocol):
    """A backend that can say more about a change than the difference of two specs."""

    def preview(self, change: Change, kind: Kind) -> tuple[str, ...]:
        """Return sentences about what a change would do inside the target. Changes nothing that lasts.

        A failure is one of the sentences: a plan does not depend on them.
        """
