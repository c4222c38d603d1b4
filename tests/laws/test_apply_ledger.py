"""Law of the ledger: it is the fold of what happened, whoever died in between."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.apply.world import git

from policysync.apply.events import Event, Outcome, What
from policysync.apply.ledger import Ledger
from policysync.apply.report import GOOD, Done, Report
from policysync.clock import FakeClock
from policysync.plan.change import Action, Change, Plan
from policysync.state.resource import Address, Resource

Changes = list[tuple[str, int | None, Outcome]]

CHANGE = st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 3)), st.sampled_from(Outcome))
"""A name, a level to apply (None deletes), and how it ends."""

APPLY = st.tuples(
    st.sampled_from(["eu", "us"]),
    st.lists(CHANGE, max_size=3, unique_by=lambda change: change[0]),
    st.sampled_from(["ends", "dies", "dies elsewhere"]),
)


def plan_of(target: str, changes: Changes) -> Plan:
    wave = tuple(_change(name, level) for name, level, _ in changes)
    return Plan("dev", target, waves=(wave,) if wave else ())


def _change(name: str, level: int | None) -> Change:
    resource = Resource(Address("Policy", name), {"level": level or 0})
    if level is None:
        return Change(Action.DELETE, resource.address, resource, None)
    return Change(Action.UPDATE, resource.address, resource, resource)


@settings(max_examples=25, deadline=None)
@given(st.lists(APPLY, max_size=6))
def test_last_applied_is_the_fold_of_the_outcomes(
    applies: list[tuple[str, list[tuple[str, int | None, Outcome]], str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, clock = Path(folder), FakeClock()
        git(root, "init", "-q")
        model: dict[str, dict[Address, dict[str, int]]] = {"eu": {}, "us": {}}
        for target, changes, how in applies:
            clock.sleep(60)
            plan = plan_of(target, changes)
            run = Ledger(root, "dev", clock).begin(plan, "d")
            outcomes = [outcome for _, _, outcome in changes]
            if how == "ends":
                run.finish(Report(target, tuple(map(Done, plan.changes, outcomes))))
            else:
                with run.journal() as journal:
                    for change, outcome in zip(plan.changes, outcomes, strict=True):
                        journal(Event(clock.now(), What.ENDED, target, change.address, change.action, outcome))
                if how == "dies elsewhere":
                    journal.file.unlink()
                    continue
            for name, level, outcome in changes:
                if outcome in GOOD:
                    model[target].pop(Address("Policy", name), None)
                    if level is not None:
                        model[target][Address("Policy", name)] = {"level": level}
        ledger = Ledger(root, "dev", clock)
        assert {target: ledger.last_applied(target) for target in model} == model
        assert len(list(ledger.history())) == sum(bool(changes) for _, changes, _ in applies)
