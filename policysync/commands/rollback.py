"""`policysync rollback`."""

from __future__ import annotations

from dataclasses import replace

import click

from policysync.apply.ledger import Ledger
from policysync.apply.record import Record
from policysync.commands.applying import Manner, apply_targets
from policysync.commands.comparing import Comparing
from policysync.commands.forms import Output
from policysync.commands.guarded import remembered_consoles
from policysync.commands.offering import desired_at, ledger_of, promoter
from policysync.commands.options import pace_options, stage_option
from policysync.commands.promote import publishing_options, tell
from policysync.commands.publishing import Published, Ways, publish
from policysync.commands.selection import Selection
from policysync.commands.session import Session
from policysync.documents.git import git
from policysync.documents.pin import Evidence, Pin, file_of, read_pin
from policysync.documents.project import Stage
from policysync.documents.revision import resolve
from policysync.documents.source import Released, SourceFile
from policysync.errors import Blocked, Exit, InvalidInput, PolicySyncError
from policysync.plan.between import State, between
from policysync.plan.guards.listed import not_liftable
from policysync.reports.promotion import Shown, promotion_text, short

_GUARD = "not-released"
_EMERGENCY = Manner(frozenset(), "stop", True, {}, 0)
_TRIES = 200
"""Commits of a pin's history that are looked through for a release of single resources."""


@click.command()
@stage_option
@click.option("--to", required=True, metavar="APPLY|REVISION", help="An apply of the stage, or a revision it had.")
@publishing_options
@click.option("--now", is_flag=True, help="For emergencies: apply it at once, without a review; it is recorded.")
@click.option("--prune", is_flag=True, help="With --now: also delete what came since, and git had not then.")
@pace_options
def command(
    *,
    stage: str,
    to: str,
    commit: bool,
    push: bool,
    pull_request: bool,
    base: str,
    now: bool,
    prune: bool,
    session: Session,
) -> int:
    """Go back to what a stage had before.

    The pin of the stage names it again, and is planned, reviewed and applied as any other; no gate is asked, because
    the stage had it already. `policysync history` lists the applies.

    \b
    Example:
      policysync rollback --stage prod --to 20261122T053857Z-6ba45b --commit
      policysync rollback --stage prod --to 4f2a9c1d0e3b --now --commit
    """
    found = session.project.stage(stage)
    ledger = ledger_of(session, found)
    record = _record(session, ledger, to)
    pin = _pin_of(session, found, record)
    if found.first and not now:
        raise PolicySyncError(
            f"{stage} follows the branch that is checked out: `git revert` takes back what is wrong there, and the "
            f"next apply brings it; `--now` applies {short(pin)} at once"
        )
    lifted = () if found.first else (_GUARD,)
    if now and not_liftable(lifted, found.forbid_allow):
        raise Blocked(f"stage {stage} forbids to lift {_GUARD} (`forbid_allow` in policysync.yaml); leave out --now")
    if not found.first:
        done = _pinned(session, pin, record, Ways(commit, push, pull_request, base))
        if done and not now:
            tell(done, stage)
    if not now:
        return Exit.DONE
    known = f"rollback to {record.id} ({short(pin)}) at once, without review"
    return _at_once(session, found, pin, replace(_EMERGENCY, allowed=frozenset(lifted), occasion=known), prune=prune)


def _record(session: Session, ledger: Ledger, to: str) -> Record:
    """Return the apply that is meant: gates are not asked again, so it has to be one that was.

    Raises:
        PolicySyncError: the stage never had it.
    """
    revision = "" if session.source().revision == "" else _revision(session, to)
    dirty = ""
    for record in ledger.history():
        if record.id == to or (record.revision and record.revision in (to, revision)):
            if not record.dirty:
                return record
            dirty = dirty or record.id
    if dirty:
        raise PolicySyncError(f"apply {dirty} had changes that no revision holds; name another one")
    raise PolicySyncError(
        f"{ledger.stage} never had {to}: it is no apply of its ledger, and no revision that was applied there; "
        f"`policysync history --stage {ledger.stage}` lists them, and `policysync promote` brings what is new"
    )


def _revision(session: Session, text: str) -> str:
    try:
        return resolve(session.project.root, text)
    except PolicySyncError:
        return ""


def _pin_of(session: Session, stage: Stage, record: Record) -> Pin:
    """Return the pin that an apply followed; one with single resources is looked for in the history of its file.

    Raises:
        PolicySyncError: it is not there any more.
    """
    if "+" not in record.revision:
        return Pin(stage.name, resolve(session.project.root, record.revision))
    root, path = session.project.root, file_of(stage.name)
    commits = git(root, "log", "--all", f"--max-count={_TRIES}", "--format=%H", "--", path).decode().split()
    for commit in commits:
        content = git(root, "show", f"{commit}:./{path}", missing=b"")
        try:
            pin = read_pin(SourceFile(path, content), lambda _: True)
        except InvalidInput:
            continue
        if pin.id == record.revision:
            return pin
    raise PolicySyncError(f"the release {record.revision} is in no commit of {path}; name a plain revision")


def _pinned(session: Session, pin: Pin, record: Record, ways: Ways) -> Published | None:
    stage = session.project.stage(pin.stage)
    before = _followed(session, stage)
    if before == pin:
        click.echo(f"{stage.name} follows {short(pin)} already", err=True)
        return None
    at = session.clock.now().isoformat(timespec="seconds")
    evidence = Evidence(stage.name, (record.id,), at, promoter(session), rollback=f"to {record.id}")
    old = State(desired_at(session, stage, before) if before else ())
    plan = between(old, State(desired_at(session, stage, pin)), session.kinds)
    changes = {change.address: change for change in plan.changes}
    shown = Shown(stage.name, f"apply {record.id}", pin, before, changes)
    click.echo(promotion_text(shown))
    message = f"roll {stage.name} back to {pin.revision[:12]}\n\n{promotion_text(shown)}"
    return publish(session, replace(pin, evidence=evidence), ways, message)


def _followed(session: Session, stage: Stage) -> Pin | None:
    """Return what a stage follows; a pin that is wrong is no reason not to go back, but the more reason to."""
    try:
        return session.pin(stage)
    except InvalidInput as error:
        click.echo(f"{error.problems[0]}\n{file_of(stage.name)} is written anew", err=True)
        return None


def _at_once(session: Session, stage: Stage, pin: Pin, manner: Manner, *, prune: bool) -> int:
    source = Released(session.project.root, pin, in_tree=False)
    desired, warnings = session.desired(source, stage)
    for warning in warnings:
        click.echo(str(warning), err=True)
    ledger = ledger_of(session, stage)
    against = Comparing(session, stage, source, desired, ledger, Selection(), ledger.salt, prune)
    return apply_targets(against, (), replace(manner, consoles=remembered_consoles(against)), (Output("text"),))
