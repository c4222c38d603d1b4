from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from unit.apply.world import Faulty, plan_of, resource, retry_of

from policysync.apply.events import Event, Outcome, What
from policysync.apply.execute import execute
from policysync.apply.report import Report
from policysync.backends.memory import Memory
from policysync.clock import FakeClock
from policysync.errors import Exit, OutcomeUnknown, Refused, Unavailable
from policysync.kinds.load import Kinds
from policysync.plan.change import Action, Change, Plan
from policysync.secret import WITHHELD, Secret
from policysync.state.resource import Address, Resource

Write = Callable[[], None]


@pytest.fixture
def run(kinds: Kinds, clock: FakeClock) -> Callable[..., Report]:
    def run(plan: Plan, backend: Memory | Faulty, **how: object) -> Report:
        return execute(plan, backend, kinds, retry=retry_of(clock), clock=clock, **how)  # type: ignore[arg-type]  # passed through

    return run


def outcomes(report: Report) -> list[str]:
    return [f"{done.change.id} {done.outcome}" for done in report.outcomes]


def test_carries_out_creates_updates_and_deletes(kinds: Kinds, run: Callable[..., Report]) -> None:
    old, gone = resource(kinds, "Policy", "web", level=1), resource(kinds, "Policy", "old")
    memory = Memory(kinds, [old, gone])
    desired = [resource(kinds, "Scope", "eu"), resource(kinds, "Policy", "web", level=2, scopes=["eu"])]
    last = {old.address: old.spec, gone.address: gone.spec}
    report = run(plan_of(kinds, memory, desired, last, prune=True), memory)
    assert outcomes(report) == [
        "delete:Policy/old applied",
        "create:Scope/eu applied",
        "update:Policy/web applied",
    ]
    assert report.status is Exit.DONE
    assert plan_of(kinds, memory, desired).changes == ()


def test_fields_git_does_not_state_keep_their_value(kinds: Kinds, run: Callable[..., Report]) -> None:
    memory = Memory(kinds, [resource(kinds, "Policy", "web", level=1, tags=["kept"])])
    run(plan_of(kinds, memory, [resource(kinds, "Policy", "web", level=2)]), memory)
    assert memory.resources[0].spec["tags"] == ["kept"]


def test_an_empty_plan_is_done(run: Callable[..., Report], kinds: Kinds) -> None:
    report = run(Plan("dev", "console"), Memory(kinds))
    assert (report.outcomes, report.status) == ((), Exit.DONE)


def test_events_count_up_to_the_end(kinds: Kinds, run: Callable[..., Report]) -> None:
    heard: list[Event] = []
    memory = Memory(kinds)
    desired = [resource(kinds, "Policy", f"p{n}") for n in range(30)]
    run(plan_of(kinds, memory, desired), memory, listeners=[heard.append])
    assert [heard[0].what, heard[-1].what] == [What.STARTED, What.FINISHED]
    assert [event.done for event in heard if event.what is What.ENDED] == list(range(1, 31))
    assert {event.total for event in heard} == {30}


def test_no_more_than_the_given_number_at_once(kinds: Kinds, run: Callable[..., Report]) -> None:
    here, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=60)

    def on_write(change: Change, write: Write) -> None:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        both.wait()
        write()
        with lock:
            here -= 1

    backend = Faulty(Memory(kinds), on_write)
    run(plan_of(kinds, backend, [resource(kinds, "Policy", f"p{n}") for n in range(6)]), backend, parallelism=2)
    assert most == 2


class TestRecheck:
    """Live is looked at again right before each write."""

    def test_an_update_of_what_moved_is_stale(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        memory = Memory(kinds, [resource(kinds, "Policy", "web", level=1)])
        plan = plan_of(kinds, memory, [resource(kinds, "Policy", "web", level=2)])
        moved = Memory(kinds, [resource(kinds, "Policy", "web", level=1, tags=["by hand"])])
        report = run(plan, moved)
        assert report.outcomes[0].stale
        assert report.status is Exit.STALE
        assert "was changed since the plan was made; plan again" in report.outcomes[0].message
        assert moved.resources[0].spec["level"] == 1

    def test_an_update_of_what_is_gone_is_stale(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        memory = Memory(kinds, [resource(kinds, "Policy", "web", level=1)])
        report = run(plan_of(kinds, memory, [resource(kinds, "Policy", "web", level=2)]), Memory(kinds))
        assert "was deleted since" in report.outcomes[0].message

    def test_what_somebody_made_so_already_is_unchanged(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        memory = Memory(kinds, [resource(kinds, "Policy", "web", level=1)])
        plan = plan_of(kinds, memory, [resource(kinds, "Policy", "web", level=2)])
        report = run(plan, Memory(kinds, [resource(kinds, "Policy", "web", level=2, tags=["by hand"])]))
        assert report.outcomes[0].outcome is Outcome.UNCHANGED
        assert report.status is Exit.DONE

    @pytest.mark.parametrize(("level", "outcome"), [(2, Outcome.UNCHANGED), (3, Outcome.FAILED)])
    def test_a_create_of_what_exists(
        self, kinds: Kinds, run: Callable[..., Report], level: int, outcome: Outcome
    ) -> None:
        plan = plan_of(kinds, Memory(kinds), [resource(kinds, "Policy", "web", level=2)])
        report = run(plan, Memory(kinds, [resource(kinds, "Policy", "web", level=level)]))
        assert report.outcomes[0].outcome is outcome

    def test_a_create_with_a_secret_cannot_be_taken_for_equal(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        plan = plan_of(kinds, Memory(kinds), [resource(kinds, "Policy", "web", password=Secret("canary-1"))])
        report = run(plan, Memory(kinds, [resource(kinds, "Policy", "web")]))
        assert report.outcomes[0].stale

    def test_a_delete_of_what_is_gone_is_unchanged(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        old = resource(kinds, "Policy", "old")
        plan = plan_of(kinds, Memory(kinds, [old]), [], {old.address: old.spec}, prune=True)
        assert run(plan, Memory(kinds)).outcomes[0].outcome is Outcome.UNCHANGED

    def test_a_delete_of_what_moved_is_stale(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        old = resource(kinds, "Policy", "old")
        plan = plan_of(kinds, Memory(kinds, [old]), [], {old.address: old.spec}, prune=True)
        moved = Memory(kinds, [resource(kinds, "Policy", "old", level=9)])
        assert run(plan, moved).status is Exit.STALE
        assert len(moved.resources) == 1

    def test_a_read_that_fails_fails_the_change(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        backend = Faulty(Memory(kinds))
        plan = plan_of(kinds, backend, [resource(kinds, "Policy", "web")])

        def broken(kind: str) -> None:
            raise Unavailable("503")

        backend.on_read = broken
        assert outcomes(run(plan, backend)) == ["create:Policy/web failed"]
        assert backend.written == []


class TestSending:
    """Trying again, without doing anything twice."""

    @pytest.mark.parametrize(
        "case", list(product(Action, [Unavailable("503", retry_after=7), OutcomeUnknown("reset")], [False, True]))
    )
    def test_a_lost_answer(
        self,
        kinds: Kinds,
        run: Callable[..., Report],
        clock: FakeClock,
        case: tuple[Action, Exception, bool],
    ) -> None:
        action, fault, after_doing_it = case
        backend = faulty_once(kinds, action, fault, after_doing_it)
        desired = [] if action is Action.DELETE else [resource(kinds, "Policy", "web", level=2)]
        last: dict[Address, dict[str, str]] = {Address("Policy", "web"): {}} if action is Action.DELETE else {}
        heard: list[Event] = []
        plan = plan_of(kinds, backend, desired, last, prune=True)
        report = run(plan, backend, listeners=[heard.append])
        assert [change.action for change in plan.changes] == [action]
        assert report.outcomes[0].outcome is Outcome.APPLIED
        assert len(backend.written) == (1 if after_doing_it else 2)
        assert [event.what for event in heard].count(What.RETRYING) == 1
        if isinstance(fault, Unavailable):
            assert clock.monotonic() == 7

    def test_it_gives_up_in_the_end(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        def down(change: Change, write: Write) -> None:
            raise Unavailable("503 from the console")

        backend = Faulty(Memory(kinds), down)
        report = run(plan_of(kinds, backend, [resource(kinds, "Policy", "web")]), backend)
        assert report.outcomes[0].outcome is Outcome.FAILED
        assert report.outcomes[0].message == "503 from the console"
        assert len(backend.written) == 4

    def test_a_refusal_is_not_tried_again(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        def refuse(change: Change, write: Write) -> None:
            raise Refused("400: the secret hunter22 is too short")

        Secret("hunter22")
        backend = Faulty(Memory(kinds), refuse)
        report = run(plan_of(kinds, backend, [resource(kinds, "Policy", "web")]), backend)
        assert len(backend.written) == 1
        assert report.outcomes[0].message == WITHHELD
        assert report.status is Exit.ERROR

    def test_a_refusal_of_what_an_earlier_attempt_did_is_no_failure(
        self, kinds: Kinds, run: Callable[..., Report]
    ) -> None:
        """The first request arrives late: after it was looked for, before the second."""
        late: list[Write] = []

        def on_write(change: Change, write: Write) -> None:
            if not late:
                late.append(write)
                raise OutcomeUnknown("timeout")
            late[0]()
            raise Refused("409: exists")

        backend = Faulty(Memory(kinds), on_write)
        report = run(plan_of(kinds, backend, [resource(kinds, "Policy", "web")]), backend)
        assert outcomes(report) == ["create:Policy/web applied"]

    def test_a_replacement_that_died_half_way_is_created_as_it_was(
        self, kinds: Kinds, run: Callable[..., Report]
    ) -> None:
        memory = Memory(kinds, [resource(kinds, "Policy", "web", level=1, tags=["kept"])])

        def on_write(change: Change, write: Write) -> None:
            if change.replace:
                memory.write(replace(change, action=Action.DELETE, after=None), kinds["Policy"])
                raise OutcomeUnknown("reset")
            write()

        backend = Faulty(memory, on_write)
        plan = plan_of(kinds, backend, [resource(kinds, "Policy", "web", level=2)])
        whole = replace(plan, waves=((replace(plan.changes[0], replace=True),),))
        assert outcomes(run(whole, backend)) == ["update:Policy/web applied"]
        assert memory.resources[0].spec["tags"] == ["kept"]
        assert memory.resources[0].spec["level"] == 2

    def test_an_update_of_a_secret_alone_is_sent_again(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        """Nothing that can be read says whether it was done."""
        faults = [OutcomeUnknown("reset")]

        def on_write(change: Change, write: Write) -> None:
            if faults:
                raise faults.pop()

        backend = Faulty(Memory(kinds, [resource(kinds, "Policy", "web")]), on_write)
        desired = [resource(kinds, "Policy", "web", password=Secret("canary-2"))]
        assert outcomes(run(plan_of(kinds, backend, desired), backend)) == ["update:Policy/web applied"]
        assert len(backend.written) == 2

    def test_nobody_knows_when_it_cannot_be_read_back(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        backend = Faulty(Memory(kinds))

        def broken(kind: str) -> None:
            raise Unavailable("503")

        def on_write(change: Change, write: Write) -> None:
            write()
            backend.on_read = broken

        backend.on_write = on_write
        report = run(plan_of(kinds, backend, [resource(kinds, "Policy", "web")]), backend)
        assert outcomes(report) == ["create:Policy/web unknown"]

    @pytest.mark.parametrize(
        ("fault", "outcome"),
        [(Unavailable("429", retry_after=3600), "failed"), (OutcomeUnknown("reset", retry_after=3600), "unknown")],
        ids=["turned away", "begun"],
    )
    def test_a_console_that_wants_to_be_left_alone_for_longer_than_anybody_waits(
        self, kinds: Kinds, run: Callable[..., Report], fault: Exception, outcome: str
    ) -> None:
        """What was turned away before any work failed, though nobody can look whether it did."""
        backend = Faulty(Memory(kinds))

        def away(kind: str) -> None:
            raise Unavailable("429", retry_after=3600)

        def on_write(change: Change, write: Write) -> None:
            backend.on_read = away
            raise fault

        backend.on_write = on_write
        report = run(plan_of(kinds, backend, [resource(kinds, "Policy", "web")]), backend)
        assert outcomes(report) == [f"create:Policy/web {outcome}"]


def faulty_once(kinds: Kinds, action: Action, fault: Exception, after_doing_it: bool) -> Faulty:
    faults = [fault]

    def on_write(change: Change, write: Write) -> None:
        if after_doing_it or not faults:
            write()
        if faults:
            raise faults.pop()

    there = [] if action is Action.CREATE else [resource(kinds, "Policy", "web", level=1)]
    return Faulty(Memory(kinds, there), on_write)


class TestReadingBack:
    """A success status proves nothing."""

    def forgets(self, kinds: Kinds, *names: str) -> Faulty:
        memory = Memory(kinds)

        def on_write(change: Change, write: Write) -> None:
            assert change.after is not None
            spec = {name: value for name, value in change.after.spec.items() if name not in names}
            memory.write(replace(change, after=replace(change.after, spec=spec)), kinds[change.address.kind])

        return Faulty(memory, on_write)

    def test_names_what_was_not_stored(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        backend = self.forgets(kinds, "level", "rules")
        desired = [resource(kinds, "Policy", "web", level=2, rules=[{"path": "/etc", "deny": True}], tags=["a"])]
        done = run(plan_of(kinds, backend, desired), backend).outcomes[0]
        assert done.outcome is Outcome.FAILED
        assert done.fields == ("/level", "/rules/path=~1etc")
        assert done.message == "accepted, but not stored: /level, /rules/path=~1etc"

    def test_says_when_the_console_may_not_know_the_field(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        backend = self.forgets(kinds, "newer")
        done = run(plan_of(kinds, backend, [resource(kinds, "Policy", "web", newer="x")]), backend).outcomes[0]
        assert done.message == "accepted, but not stored: /newer; this console version may not have it"

    def test_what_can_only_be_written_is_not_missed(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        backend = self.forgets(kinds, "password")
        desired = [resource(kinds, "Policy", "web", password=Secret("canary-3"))]
        assert run(plan_of(kinds, backend, desired), backend).status is Exit.DONE

    @pytest.mark.parametrize("action", [Action.CREATE, Action.DELETE])
    def test_a_write_that_did_nothing(self, kinds: Kinds, run: Callable[..., Report], action: Action) -> None:
        old = resource(kinds, "Policy", "web")
        desired = [old] if action is Action.CREATE else []
        memory = Memory(kinds, [] if action is Action.CREATE else [old])
        backend = Faulty(memory, lambda change, write: None)
        report = run(plan_of(kinds, backend, desired, {old.address: old.spec}, prune=True), backend)
        assert report.outcomes[0].outcome is Outcome.FAILED
        assert "accepted, but Policy/web is" in report.outcomes[0].message


class TestStopping:
    """What is not begun after a failure or an interrupt."""

    def refuses(self, kinds: Kinds, *names: str, there: tuple[Resource, ...] = ()) -> Faulty:
        def on_write(change: Change, write: Write) -> None:
            if change.address.name in names:
                raise Refused("no")
            write()

        return Faulty(Memory(kinds, there), on_write)

    def test_stop_begins_nothing_new(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        backend = self.refuses(kinds, "p1")
        desired = [resource(kinds, "Policy", f"p{n}") for n in range(4)]
        report = run(plan_of(kinds, backend, desired), backend, parallelism=1)
        assert [done.outcome.value for done in report.outcomes] == ["applied", "failed", "skipped", "skipped"]
        assert report.status is Exit.PARTLY_APPLIED

    def test_continue_skips_only_what_depends_on_it(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        backend = self.refuses(kinds, "eu")
        desired = [
            resource(kinds, "Scope", "eu"),
            resource(kinds, "Scope", "us"),
            resource(kinds, "Policy", "a", scopes=["eu"]),
            resource(kinds, "Policy", "b", scopes=["us"]),
        ]
        report = run(plan_of(kinds, backend, desired), backend, on_error="continue", parallelism=1)
        assert dict(line.split(" ") for line in outcomes(report)) == {
            "create:Scope/eu": "failed",
            "create:Scope/us": "applied",
            "create:Policy/a": "skipped",
            "create:Policy/b": "applied",
        }
        assert "it refers to Scope/eu, which failed" in [done.message for done in report.outcomes]

    def test_what_is_still_referred_to_is_not_deleted(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        eu, web = resource(kinds, "Scope", "eu"), resource(kinds, "Policy", "web", scopes=["eu"])
        backend = self.refuses(kinds, "web", there=(eu, web))
        last = {eu.address: eu.spec, web.address: web.spec}
        plan = plan_of(kinds, backend, [resource(kinds, "Policy", "web", scopes=[])], last, prune=True)
        report = run(plan, backend, on_error="continue")
        assert outcomes(report) == ["update:Policy/web failed", "delete:Scope/eu skipped"]
        assert len(backend.memory.resources) == 2

    def test_an_interrupt_finishes_what_is_in_flight(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        stop = threading.Event()

        def on_write(change: Change, write: Write) -> None:
            stop.set()
            write()

        backend = Faulty(Memory(kinds), on_write)
        desired = [resource(kinds, "Policy", f"p{n}") for n in range(3)]
        report = run(plan_of(kinds, backend, desired), backend, parallelism=1, stop=stop)
        assert [done.outcome.value for done in report.outcomes] == ["applied", "skipped", "skipped"]
        assert report.interrupted
        assert report.status is Exit.PARTLY_APPLIED

    def test_a_bug_gets_out_and_stops_the_rest(self, kinds: Kinds, run: Callable[..., Report]) -> None:
        def on_write(change: Change, write: Write) -> None:
            raise ZeroDivisionError

        backend = Faulty(Memory(kinds), on_write)
        plan = plan_of(kinds, backend, [resource(kinds, "Policy", f"p{n}") for n in range(50)])
        with pytest.raises(ZeroDivisionError):
            run(plan, backend, parallelism=1)
        assert len(backend.written) == 1
