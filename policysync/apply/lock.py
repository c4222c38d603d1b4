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
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from policysync.apply.events import Event
from policysync.apply.gitstore import GitStore, RefMoved
from policysync.apply.layout import lock_ref
from policysync.clock import Clock
from policysync.errors import Blocked

LASTS = timedelta(minutes=15)

_FILE = "lock.json"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, since when and until when. Times are ISO 8601, in UTC."""

    by: str
    host: str
    pid: int
    since: str
    until: str

    def __str__(self) -> str:
        return f"{self.by} on {self.host} since {self.since}"


class Lock:
    """The lock of a target. Use it as a context manager, and as a listener, so that it is renewed in a long apply.

    When somebody takes it away meanwhile, `stop` is set: what is in flight is finished and nothing new is begun.
    """

    def __init__(self, store: GitStore, target: str, clock: Clock, stop: threading.Event | None = None) -> None:
        self.store = store
        self.target = target
        self.ref = lock_ref(target)
        self.clock = clock
        self.stop = stop or threading.Event()
        self._tip = ""
        self._since = clock.now()
        self._renewed = clock.now()

    def holder(self) -> Holder | None:
        """Return who holds it, or None."""
        return self._holder(self._current())

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            Blocked: somebody holds it.
        """
        self.store.refresh()
        tip = self._current()
        holder = self._holder(tip)
        if holder is not None and not self._is_dead(holder):
            raise self._held(holder)
        self._since = self.clock.now()
        try:
            self._write(tip)
        except RefMoved as error:
            raise self._held(self.holder()) from error

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

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _write(self, tip: str) -> None:
        now, author = self.clock.now(), self.store.author()
        until = (now + LASTS).isoformat()
        holder = Holder(str(author), platform.node(), os.getpid(), self._since.isoformat(), until)
        files = {_FILE: json.dumps(asdict(holder), indent=1).encode()}
        self._tip = self.store.commit(self.ref, tip, files, message=f"lock {self.target}\n", author=author, at=now)
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
        kept = next(self.store.read([f"{tip}:{_FILE}"]), None) if tip else None
        return Holder(**json.loads(kept)) if kept else None

    def _is_dead(self, holder: Holder) -> bool:
        if datetime.fromisoformat(holder.until) <= self.clock.now():
            return True
        return not self.store.shared and holder.host == platform.node() and not _runs(holder.pid)

    def _held(self, holder: Holder | None) -> Blocked:
        who = f"held by {holder}, until {holder.until}" if holder else "being taken by another run"
        return Blocked(f"the lock of {self.target} is {who}; wait, or take it away with `policysync unlock`")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
