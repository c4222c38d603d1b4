"""One apply at a time to one target: a ref that only one writer can create, with a holder and an end.

The lock is as wide as the ledger: within one repository, or through the remote the ledger is shared by. A holder
that died is waited for until its lock ends, or `policysync unlock` takes it away; on the same machine, without a
remote, it is seen at once that its process is gone.
"""

from __future__ import annotations

import json
import os
import platform
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from policysync.apply.events import Event
from policysync.apply.gitstore import GitStore, RefMoved
from policysync.apply.holding import runs
from policysync.apply.layout import lock_ref
from policysync.clock import Clock
from policysync.errors import Blocked, PolicySyncError

LASTS = timedelta(minutes=15)

LOOKS_AFTER, LOOKS_EVERY = 0.25, 5.0
"""Seconds between two looks at a lock that is waited for: the first ones, doubled each time, and the last ones."""

_FILE = "lock.json"

_FOR_EVER = "9999-12-31T23:59:59+00:00"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, since when and until when. Times are ISO 8601, in UTC; `link` is the pipeline run's page."""

    by: str
    host: str
    pid: int
    since: str
    until: str
    link: str = ""

    def __str__(self) -> str:
        return f"{self.by} on {self.host} since {self.since}{f' ({self.link})' if self.link else ''}"


class Lock:
    """The lock of a target. Use it as a context manager, and as a listener, so that it is renewed in a long apply.

    When somebody takes it away meanwhile, `stop` is set: what is in flight is finished and nothing new is begun.
    """

    def __init__(
        self,
        store: GitStore,
        target: str,
        clock: Clock,
        stop: threading.Event | None = None,
        *,
        link: str = "",
        timeout: float = 0.0,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`timeout` is how many seconds `acquire` waits; `waiting` hears once whom for."""
        self.store = store
        self.target = target
        self.ref = lock_ref(target)
        self.clock = clock
        self.stop = stop or threading.Event()
        self.link = link
        self.timeout = timeout
        self.waiting = waiting
        self._tip = ""
        self._since = clock.now()
        self._renewed = clock.now()

    def holder(self) -> Holder | None:
        """Return who holds it, or None."""
        return self._holder(self._current())

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            Blocked: somebody holds it, and did not give it back in time.
        """
        until = self.clock.monotonic() + self.timeout
        told, wait = False, LOOKS_AFTER
        while (held := self._try()) is not None:
            left = until - self.clock.monotonic()
            if left <= 0 or self.stop.is_set():
                raise Blocked(f"{held}; wait with --lock-timeout, or take it away with `policysync unlock`")
            if not told:
                self.waiting(f"waiting for up to {self.timeout:g} s: {held}")
                told = True
            self.clock.sleep(min(wait, left))
            wait = min(wait * 2, LOOKS_EVERY)

    def _try(self) -> str | None:
        """Take the lock and return None, or a sentence about who has it."""
        self.store.refresh()
        tip = self._current()
        holder = self._holder(tip)
        if holder is not None and not self._is_dead(holder):
            return self._held(holder)
        self._since = self.clock.now()
        try:
            self._write(tip)
        except RefMoved:
            return self._held(self.holder())
        return None

    def release(self) -> None:
        """Give the lock back, if it is still ours."""
        tip, self._tip = self._tip, ""
        if tip:
            self._delete(tip)

    def take_away(self) -> Holder | None:
        """Remove the lock whoever holds it, and return who did."""
        self.store.refresh()
        tip = self._current()
        holder = self._holder(tip)
        if tip:
            self._delete(tip)
        return holder

    def __call__(self, event: Event) -> None:
        """Renew the lock when a third of its time is over."""
        del event
        if not self._tip or self.stop.is_set() or self.clock.now() - self._renewed < LASTS / 3:
            return
        try:
            self._write(self._tip)
        except RefMoved:
            self._tip = ""
            self.stop.set()
        except PolicySyncError:
            # The remote cannot be reached: there is time to try again before somebody else may take over.
            if self.clock.now() - self._renewed >= LASTS * 2 / 3:
                self.stop.set()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _write(self, tip: str) -> None:
        now, author = self.clock.now(), self.store.author()
        until = (now + LASTS).isoformat()
        holder = Holder(str(author), platform.node(), os.getpid(), self._since.isoformat(), until, self.link)
        files = {_FILE: json.dumps(asdict(holder), indent=1).encode()}
        try:
            self._tip = self.store.commit(self.ref, tip, files, message=f"lock {self.target}\n", author=author, at=now)
        except RefMoved:
            current = self._current()
            if self._holder(current) != holder:
                raise
            # The answer to our own push was lost on the way.
            self._tip = current
        self._renewed = now

    def _delete(self, tip: str) -> None:
        try:
            self.store.delete(self.ref, tip)
        except RefMoved:
            # It ended, and somebody else took it: theirs now.
            return

    def _current(self) -> str:
        return self.store.tips(self.ref).get(self.ref, "")

    def _holder(self, tip: str) -> Holder | None:
        return _holder_in(next(self.store.read([f"{tip}:{_FILE}"]), b"")) if tip else None

    def _is_dead(self, holder: Holder) -> bool:
        if datetime.fromisoformat(holder.until) <= self.clock.now():
            return True
        return not self.store.shared and holder.host == platform.node() and not runs(holder.pid)

    def _held(self, holder: Holder | None) -> str:
        who = f"held by {holder}, until {holder.until}" if holder else "being taken by another run"
        return f"the lock of {self.target} is {who}"


def _holder_in(text: bytes) -> Holder:
    """Return who a lock says holds it; a lock nobody can read is held by somebody, for ever."""
    try:
        said = json.loads(text)
        link = said.get("link", "")
        holder = Holder(said["by"], said["host"], int(said["pid"]), said["since"], said["until"], link)
        if datetime.fromisoformat(holder.until).tzinfo is not None and all(
            isinstance(v, str) for v in (holder.by, link)
        ):
            return holder
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        pass
    return Holder(
        "somebody who wrote it in a form not known here", "a machine not known", 0, "a time not known", _FOR_EVER
    )
