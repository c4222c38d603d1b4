"""A REST API driven by `x-api`: every kind of a console through the same few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.backends.port import Again
from policysync.backends.reach import Reach
from policysync.backends.reading import Reading
from policysync.backends.session import Session
from policysync.backends.writing import Writing, once_begun
from policysync.clock import Clock, SystemClock
from policysync.kinds.kind import Kind
from policysync.plan.change import Change
from policysync.plan.diff import diff
from policysync.state.resource import Address, Resource

LOOK_AGAIN = 0.5
"""Seconds between two looks whether a write shows."""


class Rest:
    """Reads and writes resources over a session."""

    def __init__(
        self,
        session: Session,
        kinds: Mapping[str, Kind],
        *,
        again: Again[Any],
        hosts: Mapping[str, str],
        parallelism: int = 10,
        edition: str = "",
        clock: Clock | None = None,
    ) -> None:
        """`hosts` maps each `x-api.base` but "console" to its address; `edition` is empty where it is not known."""
        self._session = session
        self._again = again
        self._clock = clock or SystemClock()
        reach = Reach(session, hosts, again, edition)
        self._reading = Reading(reach, parallelism)
        self._writing = Writing(reach, self._reading, kinds)

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """Need no telling; see `port.Backend`."""

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the live resources of a kind; see `port.Backend`."""
        yield from self._reading.read(kind, names)

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the live resources of a kind, from the list alone."""
        yield from self._reading.names(kind)

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`. Where it shows late, wait until it does, or the kind's time is up."""
        self._writing.write(change, kind)
        until = self._clock.monotonic() + kind.eventual
        with once_begun():
            while kind.eventual and not self._shows(change, kind) and self._clock.monotonic() < until:
                self._clock.sleep(LOOK_AGAIN)

    def close(self) -> None:
        """Let go of connections and threads. What is still being read is given up, not waited for."""
        self._session.http.close()
        self._reading.close()

    def _shows(self, change: Change, kind: Kind) -> bool:
        live = next(iter(self.read(kind, frozenset({change.address.name}))), None)
        if change.after is None or live is None:
            return change.after is None and live is None
        return not diff(kind.root, change.after.spec, live.spec, last=change.after.spec)
