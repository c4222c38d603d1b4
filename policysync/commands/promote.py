"""`policysync promote`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from policysync.commands.copying import Rehearsal, rehearse
from policysync.commands.offering import promoter
from policysync.commands.options import format_option, pace_options
from policysync.commands.promoting import Promotion, promotion
from policysync.commands.publishing import Published, Ways, committed_pin, publish
from policysync.commands.session import Session
from policysync.commands.stage_name import StageName
from policysync.documents.pin import Evidence, Judged
from policysync.errors import Exit
from policysync.plan.change import Action
from policysync.promotion.candidate import NothingToPromote
from policysync.promotion.gates.listed import judge
from policysync.reports.outcome import outcome_text
from policysync.reports.promotion import Shown, promotion_json, promotion_text, short
from policysync.reports.text import plan_text


def publishing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how far a pin goes."""
    for option in reversed(
        (
            click.option("--commit", is_flag=True, help="Commit releases/<stage>.yaml, and nothing else."),
            click.option("--push", is_flag=True, help="Push that commit as well."),
            click.option("--pull-request", is_flag=True, help="Push it to a branch of its own, and ask for a review."),
            click.option("--base", default="", help="Into which branch the pull request goes; the checked-out one."),
        )
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--to", required=True, type=StageName(), help="The stage, as policysync.yaml names it; never the first one."
)
@click.option("--revision", help="This revision instead of what the stage before runs.")
@click.option("--only", multiple=True, metavar="KIND/NAME", help="Only this, with what it refers to; may be repeated.")
@publishing_options
@click.option("--check", is_flag=True, help="Only judge the gates.")
@click.option("--rehearse", "rehearsal", is_flag=True, help="Only apply it to a copy of the stage, in memory.")
@pace_options
@format_option
def command(
    *,
    to: str,
    revision: str | None,
    only: Sequence[str],
    commit: bool,
    push: bool,
    pull_request: bool,
    base: str,
    check: bool,
    rehearsal: bool,
    session: Session,
    form: str,
) -> int:
    """Let a revision into the next stage when its gates agree.

    What the stage before runs is written into releases/<stage>.yaml, with what every gate said; an apply of the
    stage then brings it there. Exit status 3 says that a gate refused.

    \b
    Example:
      policysync promote --to nonprod --commit
      policysync promote --to prod --only Label/pci --pull-request
      policysync promote --to prod --check --format json
    """
    if check and rehearsal:
        raise click.UsageError("--check and --rehearse were both given; want one of them")
    ways = Ways(commit, push, pull_request, base)
    moving = _moving(session, to, revision, only, ways)
    if rehearsal:
        return _rehearsed(moving, form)
    if moving.now == moving.pin and not check and ways.asked:
        # What an earlier promotion wrote is judged against what is committed: its evidence may be of another day.
        moving = replace(moving, now=committed_pin(session, moving.stage))
    if moving.now == moving.pin and push and not ways.beside:
        return _pushed(moving, ways)
    if moving.now == moving.pin:
        click.echo(f"{to} follows {short(moving.pin)} already", err=True)
        if form == "json":
            click.echo(json.dumps(promotion_json(Shown(to, moving.before.name, moving.pin, moving.now)), indent=1))
        return Exit.DONE
    shown = _judged(moving)
    if check or not shown.passed:
        _show(shown, form)
        return _refused(shown)
    _release(moving, shown, ways, only, form)
    return Exit.DONE


def _release(moving: Promotion, shown: Shown, ways: Ways, only: Sequence[str], form: str) -> None:
    """Write the pin with its evidence, and bring it as far as was asked."""
    pin = replace(moving.pin, evidence=_evidence(moving, shown))
    shown = replace(shown, pin=pin)
    title = f"release {', '.join(only) or pin.revision[:12]} to {pin.stage}"
    done = publish(moving.session, pin, ways, f"{title}\n\n{promotion_text(shown)}")
    _show(replace(shown, where=_where(done)), form)
    tell(done, pin.stage, prune=any(change.action is Action.DELETE for change in moving.changes.values()))


def _moving(session: Session, to: str, revision: str | None, only: Sequence[str], ways: Ways) -> Promotion:
    try:
        return promotion(session, to, revision, only)
    except NothingToPromote:
        # What an earlier promotion only wrote can still be committed, when it is just this.
        stage = session.project.stage(to)
        before = committed_pin(session, stage) if ways.asked else None
        written = session.pin(stage)
        if before is None or before == written:
            raise
        moving = promotion(session, to, revision, only, committed=before)
        if moving.pin != written:
            raise
        return moving


def _pushed(moving: Promotion, ways: Ways) -> int:
    """Push what was committed before: an earlier push may have been refused."""
    if moving.now:
        tell(publish(moving.session, moving.now, ways, f"release {short(moving.now)}"), moving.stage.name)
    return Exit.DONE


def tell(done: Published, stage: str, *, prune: bool = False) -> None:
    """Say on stderr what became of a pin, and what comes next; with `prune`, that it also deletes."""
    apply = f"`policysync apply --stage {stage}{' --prune' if prune else ''}`"
    if done.pull_request:
        click.echo(f"asked for a review: {done.pull_request}", err=True)
    elif done.branch:
        click.echo(f"pushed {done.file} to {done.branch}", err=True)
    elif done.commit:
        click.echo(f"committed {done.file}; {apply} brings it there", err=True)
    else:
        click.echo(f"wrote {done.file}; commit it, then {apply}", err=True)


def _judged(moving: Promotion) -> Shown:
    case = moving.case()
    return Shown(moving.stage.name, moving.before.name, moving.pin, moving.now, moving.changes, judge(case))


def _evidence(moving: Promotion, shown: Shown) -> Evidence:
    gates = tuple(Judged(name, verdict.passed, verdict.said) for name, verdict in shown.verdicts.items())
    applies = tuple(dict.fromkeys(apply for apply in moving.applies if apply))
    at = moving.session.clock.now().isoformat(timespec="seconds")
    return Evidence(moving.before.name, applies, at, promoter(moving.session), gates)


def _where(done: Published) -> dict[str, str]:
    said = {"file": done.file, "commit": done.commit, "branch": done.branch, "pull_request": done.pull_request}
    return {name: value for name, value in said.items() if value}


def _show(shown: Shown, form: str) -> None:
    click.echo(json.dumps(promotion_json(shown), indent=1) if form == "json" else promotion_text(shown))


def _refused(shown: Shown) -> Exit:
    if shown.passed:
        return Exit.DONE
    names = [name for name, verdict in shown.verdicts.items() if not verdict.passed]
    click.echo(f"not released to {shown.stage}: {', '.join(names)} said no", err=True)
    return Exit.BLOCKED


def _rehearsed(moving: Promotion, form: str) -> int:
    found = rehearse(moving.against)
    if form == "json":
        targets = [_rehearsal_json(one) for one in found]
        click.echo(json.dumps({"format_version": 1, "stage": moving.stage.name, "targets": targets}, indent=1))
    else:
        click.echo("\n\n".join(_rehearsal_text(one) for one in found))
    return Exit.DONE if all(one.went_well for one in found) else Exit.ERROR


def _rehearsal_text(one: Rehearsal) -> str:
    after = f"{len(one.left.changes)} changes are left" if one.left.changes else "a second plan is clean"
    return f"{plan_text(one.plan)}\n\n{outcome_text(one.report)}\nRehearsed on a copy of {one.plan.target}: {after}."


def _rehearsal_json(one: Rehearsal) -> dict[str, Any]:
    return {
        "target": one.plan.target,
        "went_well": one.went_well,
        "changes": [
            {"id": done.change.id, "outcome": done.outcome.value, "message": done.message}
            for done in one.report.outcomes
        ],
        "left": [change.id for change in one.left.changes],
    }
