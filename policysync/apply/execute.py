"""Carrying out a plan: wave after wave, the changes in a wave at once."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal, Protocol

from policysync.apply.carry import Carrier
from policysync.apply.events import Event, Listener, Outcome, What
from policysync.apply.report import GOOD, Done, Report
from policysync.backends.port import Again, Backend
from policysync.clock import Clock
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change, Plan
from policysync.plan.order import references
from policysync.state.resource import Address

OnError = Literal["stop", "continue"]


class Retries(Protocol):
    """What is needed of `apply.retry.Retry`."""

    @property
    def read(self) -> Again[None]:
        """Run a call, and run it again while it is Unavailable."""


def execute(
    plan: Plan,
    backend: Backend,
    kinds: Mapping[str, Kind],
    *,
    retry: Retries,
    clock: Clock,
    listeners: Iterable[Listener] = (),
    parallelism: int = 10,
    on_error: OnError = "stop",
    stop: threading.Event | None = None,
    salt: str = "",
    confirmed: Collection[Address] = (),
) -> Report:
    """Carry out a plan and return how each change ended.

    Args:
        on_error: after a failure "stop" begins nothing new; "continue" skips only what depends on what failed.
        stop: when it is set, what is in flight is finished and the rest is skipped.
        confirmed: what a person has done by hand, of the changes that have `steps`.
        salt: what secrets are compared with; any text will do.
    """
    teller = _Teller(plan, clock, tuple(listeners))
    stop = stop or threading.Event()
    carrier = Carrier(backend, kinds, retry.read, teller.about, salt, stopped=stop.is_set)
    work = _Work(carrier, teller, kinds, stops=on_error == "stop", stop=stop, confirmed=frozenset(confirmed))
    teller.tell(What.STARTED)
    outcomes: list[Done] = []
    with _workers(parallelism, work.halted) as pool:
        for wave in plan.waves:
            outcomes += pool.map(work.one, wave)
            work.remember(outcomes[-len(wave) :])
    teller.tell(What.FINISHED)
    return Report(plan.target, tuple(outcomes), work.stop.is_set(), plan.blocked)


@contextmanager
def _workers(count: int, halted: threading.Event) -> Iterator[ThreadPoolExecutor]:
    """Leave when all that was handed in has ended; at once when the user insists."""
    pool = ThreadPoolExecutor(max(1, count), thread_name_prefix="apply")
    try:
        yield pool
    except BaseException as error:
        halted.set()
        pool.shutdown(wait=not isinstance(error, KeyboardInterrupt), cancel_futures=True)
        raise
    pool.shutdown()


_ENDS = {Outcome.WAITING: "waits for a person", Outcome.SKIPPED: "was skipped"}


class _Work:
    """What one apply knows while it runs."""

    def __init__(
        self,
        carrier: Carrier,
        teller: _Teller,
        kinds: Mapping[str, Kind],
        *,
        stops: bool,
        stop: threading.Event,
        confirmed: frozenset[Address],
    ) -> None:
        self.carrier = carrier
        self.teller = teller
        self.kinds = kinds
        self.stops = stops
        self.stop = stop
        self.confirmed = confirmed
        self.halted = threading.Event()
        self.failed: dict[Address, str] = {}
        self.held: set[Address] = set()

    def one(self, change: Change) -> Done:
        why = self.reason_to_skip(change)
        try:
            done = Done(change, Outcome.SKIPPED, why) if why else self.carried_out(change)
            if self.stops and done.outcome in (Outcome.FAILED, Outcome.UNKNOWN):
                self.halted.set()
            self.teller.ended(done)
        except BaseException:
            # Whoever waits for the first of many may hear of it when the last one is done.
            self.halted.set()
            raise
        return done

    def carried_out(self, change: Change) -> Done:
        if not change.steps:
            return self.carrier.carry_out(change)
        if change.address in self.confirmed:
            return Done(change, Outcome.APPLIED, "done by hand, and confirmed")
        return Done(change, Outcome.WAITING, f"to be done by hand; then `apply --confirm {change.address}`")

    def reason_to_skip(self, change: Change) -> str:
        if self.stop.is_set():
            return "interrupted before it began"
        if self.halted.is_set():
            return "not begun, because another change failed"
        if change.after is not None:
            needs = references(self.kinds[change.address.kind], change.after) & self.failed.keys()
            return f"it refers to {(first := min(needs))}, which {self.failed[first]}" if needs else ""
        return "what refers to it could not be changed" if change.address in self.held else ""

    def remember(self, outcomes: Iterable[Done]) -> None:
        """Note what later waves have to be held back for."""
        for change, outcome in ((done.change, done.outcome) for done in outcomes if done.outcome not in GOOD):
            if change.action is not Action.DELETE:
                self.failed[change.address] = _ENDS.get(outcome, "failed")
            if change.before is not None:
                self.held |= references(self.kinds[change.address.kind], change.before)


class _Teller:
    """Tells the listeners, one event at a time."""

    def __init__(self, plan: Plan, clock: Clock, listeners: tuple[Listener, ...]) -> None:
        self.target = plan.target
        self.total = len(plan.changes)
        self.clock = clock
        self.listeners = listeners
        self._done = 0
        self._lock = threading.Lock()

    def tell(self, what: What) -> None:
        with self._lock:
            self._send(Event(self.clock.now(), what, self.target, done=self._done, total=self.total))

    def about(self, what: What, change: Change, message: str) -> None:
        with self._lock:
            self._send(self._event(what, change, message))

    def ended(self, done: Done) -> None:
        with self._lock:
            self._done += 1
            self._send(self._event(What.ENDED, done.change, done.message, done.outcome, done.fields))

    def _event(
        self, what: What, change: Change, message: str, outcome: Outcome | None = None, fields: tuple[str, ...] = ()
    ) -> Event:
        return Event(
            self.clock.now(),
            what,
            self.target,
            change.address,
            change.action,
            outcome,
            message,
            self._done,
            self.total,
            fields,
        )

    def _send(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)
