"""One apply at a time to one target: a ref that only one writer can create, with a holder and an end.

The lock is as wide as the ledger: within one repository, or through the remote the ledger is shared by. A holder
that died is waited for until its lock ends, or `policysync unlock` takes it away; on the same machine, without a
remote, it is seen at once that its process is gone.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from policysync.apply.events import Event
from policysync.apply.gitstore import GitStore, RefMoved
from policysync.apply.holder import Holder, dump, load
from policysync.apply.holding import runs
from policysync.apply.layout import lock_ref
from policysync.clock import Clock
from policysync.errors import Blocked, PolicySyncError

LASTS = timedelta(minutes=15)

LOOKS_AFTER, LOOKS_EVERY = 0.25, 5.0
"""Seconds between two looks at a lock that is waited for: the first ones, doubled each time, and the last ones."""

_FILE = "lock.json"


class Lock:
    """The lock of a target. Use it as a context manager, and as a listener, so that it is renewed in a long apply.

    When somebody takes it away meanwhile, `stop` is set: what is in flight is finished and nothing new is begun.
    Giving it back never fails: what was done under it was done, and it ends by itself.
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
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`timeout` is how many seconds `acquire` waits; `say` hears whom for, and what became of the lock."""
        self.store = store
        self.target = target
        self.ref = lock_ref(target)
        self.clock = clock
        self.stop = stop or threading.Event()
        self.link = link
        self.timeout = timeout
        self.say = say
        self._tip = ""
        self._mine: Holder | None = None
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
                self.say(f"waiting for up to {self.timeout:g} s: {held}")
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
        """Give the lock back, if it is still ours; where that is not possible, say so."""
        tip, self._tip = self._tip, ""
        if not tip:
            return
        try:
            self._take_off(tip)
        except PolicySyncError as error:
            until = f", and ends at {self._mine.until}" if self._mine else ""
            self.say(f"the lock of {self.target} could not be given back{until}: {error}")

    def take_away(self) -> Holder | None:
        """Remove the lock whoever holds it, and return who did."""
        self.store.refresh()
        tip = self._current()
        holder = self._holder(tip)
        if holder is not None:
            self._take_off(tip)
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
            self._give_up("was taken away")
        except PolicySyncError as error:
            # The remote cannot be reached: there is time to try again before somebody else may take over.
            if self.clock.now() - self._renewed >= LASTS * 2 / 3:
                self._give_up(f"cannot be renewed: {error}")

    def _give_up(self, why: str) -> None:
        self.stop.set()
        self.say(f"the lock of {self.target} {why}; what is being written is finished, and nothing new is begun")

    def __enter__(self) -> Self:
        try:
            self.acquire()
        except KeyboardInterrupt:
            self._withdraw()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _withdraw(self) -> None:
        """Give back what was taken while nobody waited for it any more."""
        if self._mine is None:
            return
        with suppress(PolicySyncError):
            self.store.refresh()
            tip = self._current()
            self._tip = tip if self._holder(tip) == self._mine else ""
            self.release()

    def _write(self, tip: str) -> None:
        now, author = self.clock.now(), self.store.author()
        until = (now + LASTS).isoformat()
        self._mine = Holder(str(author), platform.node(), os.getpid(), self._since.isoformat(), until, self.link)
        try:
            self._tip = self._put(tip, self._mine)
        except RefMoved:
            current = self._current()
            if self._holder(current) != self._mine:
                raise
            # The answer to our own push was lost on the way.
            self._tip = current
        self._renewed = now

    def _put(self, tip: str, holder: Holder) -> str:
        now, author = self.clock.now(), self.store.author()
        files = {_FILE: dump(holder)}
        return self.store.commit(self.ref, tip, files, message=f"lock {self.target}\n", author=author, at=now)

    def _take_off(self, tip: str) -> None:
        # When the ref moved the lock had ended, and somebody else took it: theirs now.
        with suppress(RefMoved):
            try:
                self.store.delete(self.ref, tip)
            except RefMoved:
                raise
            except PolicySyncError:
                # Hosts there are that let nobody delete a ref: there it stays, and says that it is over.
                now = self.clock.now().isoformat()
                self._put(tip, Holder(str(self.store.author()), platform.node(), os.getpid(), now, now, self.link))

    def _current(self) -> str:
        return self.store.tips(self.ref).get(self.ref, "")

    def _holder(self, tip: str) -> Holder | None:
        if not tip:
            return None
        holder = load(next(self.store.read([f"{tip}:{_FILE}"]), b""))
        return None if holder.gave_it_back else holder

    def _is_dead(self, holder: Holder) -> bool:
        if holder.ended(self.clock.now()):
            return True
        return not self.store.shared and holder.host == platform.node() and not runs(holder.pid)

    def _held(self, holder: Holder | None) -> str:
        who = f"held by {holder}, until {holder.until}" if holder else "being taken by another run"
        return f"the lock of {self.target} is {who}"
