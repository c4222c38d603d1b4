"""`policysync history`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import click

from policysync.apply.ledger import Ledger
from policysync.apply.no_ledger import NoLedger
from policysync.apply.record import Record
from policysync.apply.verify import verify
from policysync.commands.attesting import attested
from policysync.commands.forms import Output, forms_option, write
from policysync.commands.options import stage_option
from policysync.commands.selection import Selection
from policysync.commands.session import open_session
from policysync.errors import Exit, PolicySyncError
from policysync.reports.history import History


@click.command()
@stage_option
@click.option("--target", "targets", multiple=True, help="Only this target of the stage; may be repeated.")
@click.option("--only", multiple=True, metavar="KIND/NAME", help="Only what was done to these; * matches anything.")
@click.option("--limit", type=click.IntRange(1), help="Show at most this many applies.")
@click.option("--verify", "verifying", is_flag=True, help="Prove that the ledger is whole; exit with 1 when it is not.")
@click.option(
    "--attestation",
    "attestations",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Check what `apply --attest` wrote: who signed it, and that the ledger says the same; may be repeated.",
)
@forms_option("history")
def command(
    *,
    stage: str,
    targets: tuple[str, ...],
    only: tuple[str, ...],
    limit: int | None,
    verifying: bool,
    attestations: tuple[Path, ...],
    outputs: Sequence[Output],
) -> int:
    """Show who applied what, when, and how it ended.

    What a change was about in detail is in git: `git diff` of the revisions of two applies.

    With --verify the whole ledger is replayed: every commit follows from the one before it, what was last applied is
    what the outcomes make it, no apply is there twice, signatures hold, and nothing was rewritten since it was read.

    \b
    Example:
      policysync history --stage prod --limit 10
      policysync history --stage prod --only ImageAssurancePolicy/Default
      policysync history --stage prod --verify --format json
      policysync history --stage prod --verify --attestation applied.intoto.jsonl
    """
    session = open_session()
    found = session.project.stage(stage)
    names = [target.name for target in session.targets(found, targets)]
    ledger = session.ledger(found)
    selection = Selection.of((), only, ())
    selection.hold_to(session.kinds)
    history = _history(ledger, names, selection, limit, verifying) if isinstance(ledger, Ledger) else History(stage)
    if attestations:
        if not isinstance(ledger, Ledger):
            raise PolicySyncError("without a ledger there is nothing to hold an attestation to")
        history = replace(history, attested=tuple(attested(session, ledger, attestations)))
    write("history", outputs, history)
    if ledger.notice:
        click.echo(ledger.notice, err=True)
    elif not history.records and not only:
        click.echo(_why_empty(ledger, stage), err=True)
    unproven = bool(history.verified and history.verified.problems) or any(one.problems for one in history.attested)
    return Exit.ERROR if unproven else Exit.DONE


def _history(ledger: Ledger, names: list[str], selection: Selection, limit: int | None, verifying: bool) -> History:
    # First, because reading remembers where the ledger stands.
    verified = verify(ledger) if verifying else None
    broken = verified is not None and bool(verified.problems)
    locks = {name: ledger.lock(name).holder() for name in names}
    return History(
        ledger.stage,
        list(islice(_about(selection, _records(ledger, names, broken)), limit)),
        {} if broken else {name: ledger.unrepaired(name) for name in names},
        {name: str(holder) for name, holder in locks.items() if holder is not None},
        verified,
    )


def _records(ledger: Ledger, names: list[str], broken: bool) -> Iterator[Record]:
    """Yield the applies to these targets; of a ledger that is known to be broken, those that can be read."""
    try:
        yield from (record for record in ledger.history() if record.target in names)
    except PolicySyncError:
        if not broken:
            raise


def _about(selection: Selection, records: Iterable[Record]) -> Iterator[Record]:
    """Yield the applies that did something to what is selected, and of each that alone."""
    for record in records:
        entries = tuple(entry for entry in record.entries if selection.has(entry.address))
        gone, taken = (tuple(filter(selection.has, names)) for names in (record.gone, record.taken))
        if selection.everything:
            yield record
        elif entries or gone or taken:
            yield replace(record, entries=entries, gone=gone, taken=taken)


def _why_empty(ledger: Ledger | NoLedger, stage: str) -> str:
    said = f"nothing was applied to stage {stage} yet, as far as is known here"
    if isinstance(ledger, Ledger) and not ledger.store.shared and ledger.store.run("remote").stdout.strip():
        return f"{said}; every clone keeps a ledger of its own until policysync.yaml says ledger: {{remote: …}}"
    return said
