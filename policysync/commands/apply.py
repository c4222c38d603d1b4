"""`policysync apply`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from policysync.apply.execute import OnError
from policysync.commands.applying import Manner, apply_targets
from policysync.commands.attesting import signer_of
from policysync.commands.comparing import comparing
from policysync.commands.forms import Output, forms_option
from policysync.commands.guarded import remembered_consoles
from policysync.commands.options import (
    heal_accepted_option,
    pace_options,
    render_only_option,
    selection_options,
    stage_option,
)
from policysync.commands.saved_plan import reviewed
from policysync.commands.selection import Selection
from policysync.commands.session import Session
from policysync.plan.guards.listed import GUARDS
from policysync.state.resource import Address


@click.command()
@stage_option
@click.argument("saved", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[PLAN]")
@selection_options
@click.option("--prune", is_flag=True, help="Also delete what git no longer has and policysync once applied.")
@heal_accepted_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--allow", multiple=True, type=click.Choice(list(GUARDS)), help="Lift one guard; it is recorded.")
@click.option(
    "--confirm", multiple=True, metavar="KIND/NAME", help="A step the plan calls manual has been taken by hand."
)
@click.option(
    "--on-error",
    type=click.Choice(["stop", "continue"]),
    default="stop",
    help="After a failure, start nothing new, or go on with what does not depend on it.",
)
@click.option(
    "--lock-timeout",
    type=click.FloatRange(0),
    default=0,
    metavar="SECONDS",
    help="Wait so long for another apply to the same target; the default refuses at once.",
)
@click.option(
    "--attest",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a signed statement of what was applied; see `attest` in policysync.yaml.",
)
@render_only_option
@pace_options
@forms_option("apply")
def command(
    *,
    stage: str,
    saved: Path | None,
    targets: Sequence[str],
    revision: str | None,
    selection: Selection,
    prune: bool,
    heal_accepted: bool,
    yes: bool,
    allow: Sequence[str],
    confirm: Sequence[str],
    on_error: OnError,
    lock_timeout: float,
    attest: Path | None,
    render_only: Path | None,
    session: Session,
    outputs: Sequence[Output],
) -> int:
    """Make the targets of a stage match git.

    With a plan saved by `plan --out`, exactly that is applied, or nothing when anything it touches moved since.
    Ctrl-C once finishes what is being written, twice stops.

    \b
    Example:
      policysync apply --stage dev
      policysync apply --stage prod plan.json
      policysync apply --stage prod --yes --attest applied.intoto.jsonl
      policysync apply --stage prod --yes --render-only deploy/prod
    """
    if attest is not None:
        # A key that does not sign is noticed before anything is done.
        signer_of(session).sign(b"")
    asked = not selection.everything or bool(revision)
    plans = reviewed(saved, stage, targets, asked=asked) if saved else {}
    one = next(iter(plans.values()), None)
    against = comparing(
        session,
        stage,
        one.revision if one and not one.dirty else revision,
        selection,
        prune=prune or saved is not None,
        heal_accepted=heal_accepted or any(plan.heals_accepted for plan in plans.values()),
        salt=one.salt if one else "",
        render_only=render_only,
    )
    known, confirmed = remembered_consoles(against), _addresses(confirm)
    manner = Manner(frozenset(allow), on_error, yes or bool(saved), known, lock_timeout, confirmed, attest=attest)
    return apply_targets(against, targets or list(plans), manner, outputs, plans)


def _addresses(texts: Sequence[str]) -> frozenset[Address]:
    try:
        return frozenset(Address.parse(text) for text in texts)
    except ValueError as error:
        raise click.UsageError(f"--confirm: {error}") from error
