"""Carrying plans out, one target after another, and telling how that ended."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from policysync.apply.execute import OnError, execute
from policysync.backends.port import Backend
from policysync.commands.attesting import write_attestation
from policysync.commands.comparing import Comparing, Comparison
from policysync.commands.forms import Output, write
from policysync.commands.guarded import case_of, refuse, seen, with_notice
from policysync.commands.progress import progress
from policysync.commands.stopping import giving_back, interruptible
from policysync.commands.target_order import in_order
from policysync.documents.project import Target
from policysync.errors import Exit, PolicySyncError
from policysync.plan.change import Plan
from policysync.plan.codec import Saved, hold_to, plan_digest
from policysync.plan.guards.case import Consoles
from policysync.reports.outcome import Applied, Ended
from policysync.reports.text import plan_text
from policysync.state.resource import Address, Resource


@dataclass(frozen=True, slots=True)
class Manner:
    """How the command was asked to go about it.

    `occasion` is why it is done outside the usual course; `attest` the file for what is signed about it.
    """

    allowed: frozenset[str]
    on_error: OnError
    yes: bool
    consoles: Consoles
    lock_timeout: float
    confirmed: frozenset[Address] = frozenset()
    occasion: str = ""
    attest: Path | None = None


def apply_targets(
    against: Comparing,
    names: Sequence[str],
    manner: Manner,
    outputs: Sequence[Output],
    plans: Mapping[str, Saved] | None = None,
) -> Exit:
    """Apply to the targets that are named, or all of them, one after another, and write how it ended.

    Raises:
        Blocked: a guard said no.
        StalePlan: a saved plan does not fit any more.
        PartlyApplied: what was done could not be put on record.
    """
    ended: list[Ended] = []
    recorded: list[str] = []
    with giving_back():
        try:
            for target in in_order(against, names):
                with against.session.backend(target) as backend:
                    _apply(against, target, backend, (plans or {}).get(target.name), manner=manner, ended=ended)
                recorded.append(ended[-1].id)
                report = ended[-1].report
                if not (report.status is Exit.DONE or report.waits) and manner.on_error == "stop":
                    break
            else:
                _unheard(manner.confirmed, ended)
        finally:
            # What was done is told also when it could not be put on record, or the next target refuses.
            if ended:
                write("apply", outputs, Applied(against.stage.name, tuple(ended)))
            if recorded and manner.attest is not None:
                write_attestation(against.session, against.stage, against.ledger, recorded, manner.attest)
    return _together([one.report.status for one in ended])


def _unheard(confirmed: frozenset[Address], ended: Sequence[Ended]) -> None:
    """Say which confirmations no plan waited for: a name may be misspelt."""
    asked = {done.change.address for one in ended for done in one.report.outcomes if done.change.steps}
    for address in sorted(confirmed - asked):
        _say(f"--confirm {address}: nothing waits for that; see the plan")


def _apply(
    against: Comparing, target: Target, backend: Backend, saved: Saved | None, *, manner: Manner, ended: list[Ended]
) -> None:
    """Apply to one target, and add to `ended` how that ended, before it is put on record."""
    stop = threading.Event()
    with against.ledger.lock(target.name, stop, timeout=manner.lock_timeout, say=_say) as lock:
        comparison = seen(against, target, backend)
        held = hold_to(comparison.plan, saved) if saved else comparison.plan
        case = case_of(against, comparison, held, manner.consoles)
        refuse(case, manner.allowed, against.stage.forbid_allow)
        plan = with_notice(case)
        if plan.changes and not manner.yes:
            _ask(plan)
        digest = saved.digest if saved else plan_digest(plan, against.salt)
        lifted = sorted(manner.allowed)
        run = against.ledger.begin(plan, digest, allowed=lifted, identity=plan.identity, occasion=manner.occasion)
        session = against.session
        with closing(run.journal(stop)) as journal, progress(len(plan.changes)) as shown, interruptible(stop, _say):
            report = execute(
                plan,
                backend,
                session.kinds,
                retry=session.retry,
                clock=session.clock,
                listeners=(journal, shown, lock),
                parallelism=session.pace.parallelism,
                on_error=manner.on_error,
                stop=stop,
                salt=against.salt,
                confirmed=manner.confirmed,
            )
            ended.append(Ended(report, run.id))
            if journal.problem:
                _say(journal.problem)
            run.finish(report, settled=_settled(comparison, plan), gone=_gone(against, comparison))


def _say(text: str) -> None:
    # An apply does not end in the middle because nobody reads what it says.
    with suppress(OSError):
        click.echo(text, err=True)


def _ask(plan: Plan) -> None:
    click.echo(plan_text(plan, colour=sys.stderr.isatty()), err=True)
    if not sys.stdin.isatty():
        raise PolicySyncError("nobody is there to ask: give --yes, or a plan saved by `policysync plan --out`")
    click.confirm(f"Apply this to {plan.target}?", abort=True, err=True)


def _settled(comparison: Comparison, plan: Plan) -> Iterator[Resource]:
    """Yield what git states and live already agrees with."""
    differing = {change.address for change in (*comparison.plan.changes, *plan.changes)}
    differing |= {blockage.address for blockage in plan.blocked} | {spared.address for spared in plan.spared}
    yield from (resource for resource in comparison.world.desired if resource.address not in differing)


def _gone(against: Comparing, comparison: Comparison) -> Iterator[Address]:
    """Yield what was applied once, or was to be, and neither git nor live has any more."""
    world = comparison.world
    present = {resource.address for resource in (*world.live, *world.desired)}
    undone = against.ledger.unrepaired(comparison.target.name) if against.selection.everything else {}
    yield from (
        address
        for address in {**world.last_applied, **undone}
        if address not in present and address.kind not in world.blocked
    )


def _together(statuses: Sequence[Exit]) -> Exit:
    """Return the status of several targets: partly applied as soon as some were and some were not."""
    seen = set(statuses)
    if len(seen) <= 1:
        return statuses[0] if statuses else Exit.DONE
    return Exit.PARTLY_APPLIED
