"""Carrying out one change: look, write, look again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from policysync.apply.events import Outcome, What
from policysync.apply.report import Done
from policysync.apply.verdict import after_writing, before_writing, happened
from policysync.backends.port import Again, Backend
from policysync.backends.writing import overlaid
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.secret import told
from policysync.state.resource import Resource

Tell = Callable[[What, Change, str], None]


class Carrier:
    """Carries out changes on one backend. Threads may share it.

    `again` runs a call again while it is Unavailable; `tell` hears what is tried; `stopped` says that nothing new
    may be written.
    """

    def __init__(
        self,
        backend: Backend,
        kinds: Mapping[str, Kind],
        again: Again[None],
        tell: Tell,
        salt: str,
        *,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.backend = backend
        self.kinds = kinds
        self.again = again
        self.tell = tell
        self.salt = salt
        self.stopped = stopped

    def carry_out(self, change: Change) -> Done:
        """Return how a change ended. Whatever the backend does, no failure of it gets out of here."""
        kind = self.kinds[change.address.kind]
        try:
            live = self.read(change, kind)
        except BackendError as error:
            return _failed(change, f"could not be read before the change: {error}")
        early = before_writing(change, kind, live, self.salt)
        if early is not None:
            return early
        self.tell(What.WRITING, change, "")
        # Who hears it may have found that the lock is somebody else's by now.
        if self.stopped():
            return Done(change, Outcome.SKIPPED, "interrupted before it was written")
        return self._written(_Attempts(self, replace(change, before=live), kind), change, kind)

    def read(self, change: Change, kind: Kind) -> Resource | None:
        """Return the live resource a change is about.

        Raises:
            Unavailable: it is there, and cannot be read at the moment.
        """
        live = next(iter(self.backend.read(kind, frozenset({change.address.name}))), None)
        if live is not None and live.hindrance is not None:
            raise Unavailable(str(live.hindrance))
        return live

    def _written(self, attempts: _Attempts, change: Change, kind: Kind) -> Done:
        refusal: BackendError | None = None
        try:
            self.again(attempts)
        except Refused as error:
            if attempts.sent == 1:
                return _failed(change, str(error))
            refusal = error
        except (Unavailable, OutcomeUnknown) as error:
            refusal = error
        try:
            live = self.read(change, kind)
        except BackendError as error:
            if refusal is not None and not attempts.doubted:
                # Every attempt was turned away before any work, so there is nothing to look for.
                return _failed(change, str(refusal))
            return Done(change, Outcome.UNKNOWN, told(f"sent, but could not be read back: {error}"))
        if refusal is not None and not happened(attempts.change, kind, live, self.salt):
            return _failed(change, str(refusal))
        return after_writing(change, kind, live)


class _Attempts:
    """One change, sent until the backend says that it is done; called again, it looks before it sends again.

    `doubted` says that an attempt may have done something, whatever came of the others.
    """

    def __init__(self, carrier: Carrier, change: Change, kind: Kind) -> None:
        self.carrier = carrier
        self.change = change
        self.kind = kind
        self.sent = 0
        self.doubted = False

    def __call__(self) -> None:
        if self.sent:
            live = self.carrier.read(self.change, self.kind)
            if happened(self.change, self.kind, live, self.carrier.salt):
                return
            self.change = _resumed(self.change, live)
        self.sent += 1
        try:
            self.carrier.backend.write(self.change, self.kind)
        except OutcomeUnknown as error:
            self.doubted = True
            self._tell(error)
            raise Unavailable(f"{error}; nobody knows whether it was done", error.retry_after) from error
        except Unavailable as error:
            self._tell(error)
            raise

    def _tell(self, error: BackendError) -> None:
        self.carrier.tell(What.RETRYING, self.change, told(str(error)))


def _resumed(change: Change, live: Resource | None) -> Change:
    """Return what is left to do of a change whose outcome was unknown, now that live is known."""
    if live is None and change.before is not None and change.after is not None:
        # A replacement died between its delete and its create: what git does not state comes back as it was.
        whole = replace(change.after, spec=overlaid(change.before.spec, change.after.spec))
        return replace(change, action=Action.CREATE, before=None, after=whole, replace=False)
    return replace(change, before=live)


def _failed(change: Change, message: str) -> Done:
    return Done(change, Outcome.FAILED, told(message))
