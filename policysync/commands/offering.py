"""What a stage runs, what a release says, and which applies brought it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from policysync.apply.ledger import Ledger
from policysync.apply.no_ledger import NoLedger
from policysync.apply.record import Record, State
from policysync.commands.embedded_target import EMBEDDED, is_embedded
from policysync.commands.session import Session
from policysync.documents.desired import desired_state
from policysync.documents.git import git
from policysync.documents.pin import Pin, file_of, short_release
from policysync.documents.project import Stage, Target
from policysync.documents.revision import resolve
from policysync.documents.source import Released
from policysync.errors import Blocked, PolicySyncError
from policysync.state.resource import Address, Resource


def running(session: Session, stage: Stage, to: str) -> Pin:
    """Return what a stage runs, by its ledger, as a pin of another stage.

    Raises:
        Blocked: nothing, or its targets differ, or it is nothing that git has.
    """
    ledger = ledger_of(session, stage)
    newest = {target.name: next(iter(history_of(ledger, target)), None) for target in stage.targets}
    todo = f"`policysync apply --stage {stage.name}` first"
    without = [name for name, record in newest.items() if record is None or not record.revision]
    if without and ledger.notice:
        raise Blocked(ledger.notice)
    if without or not newest:
        named = ", ".join(without) or stage.name
        raise Blocked(f"nothing that is committed was applied to {named} yet; commit what there is, and {todo}")
    dirty = [name for name, record in newest.items() if record and record.dirty]
    if dirty:
        raise Blocked(f"{', '.join(dirty)} has changes that are not committed; commit them, and {todo}")
    revisions = {record.revision for record in newest.values() if record}
    if len(revisions) > 1:
        said = ", ".join(f"{name} has {short_release(record.revision)}" for name, record in newest.items() if record)
        raise Blocked(f"the targets of {stage.name} differ: {said}; {todo}, or name a --revision")
    (revision,) = revisions
    pin = session.pin(stage)
    if pin and pin.id == revision:
        return Pin(to, pin.revision, pin.resources)
    if "+" in revision:
        raise Blocked(f"{stage.name} runs {revision}, and {file_of(stage.name)} names something else by now; {todo}")
    return Pin(to, resolve(session.project.root, revision))


def desired_at(session: Session, stage: Stage, pin: Pin) -> tuple[Resource, ...]:
    """Return what a release says of a stage; secrets stay references.

    Raises:
        Blocked: its documents are not valid for the stage.
    """
    source = Released(session.project.root, pin, in_tree=False)
    found = desired_state(source, session.project, stage, session.kinds)
    if found.errors:
        lines = "\n".join(f"  {problem}" for problem in found.errors)
        raise Blocked(f"{pin.id[:12]} is not valid for {stage.name}:\n{lines}")
    return found.resources


def ledger_of(session: Session, stage: Stage) -> Ledger:
    """Return the ledger of a stage.

    Raises:
        PolicySyncError: this is no git repository.
    """
    ledger = session.ledger(stage)
    if isinstance(ledger, NoLedger):
        raise PolicySyncError("promotion needs a git repository: it moves revisions, and the ledger is kept there")
    return ledger


def history_of(ledger: Ledger, target: Target) -> list[Record]:
    """Return the applies to a target, the newest first; of a real one none that went to an embedded console."""
    return [
        record
        for record in ledger.history()
        if record.target == target.name
        and record.state is not State.ADOPTED
        and (is_embedded(target) or not record.identity.startswith(EMBEDDED))
    ]


def covering(session: Session, pin: Pin) -> Callable[[str, Address], bool]:
    """Return what says whether a recorded revision holds a resource as a pin has it, or newer."""

    @lru_cache(maxsize=4096)
    def contains(newer: str, older: str) -> bool:
        if newer == older:
            return True
        done = git(session.project.root, "merge-base", "--is-ancestor", older, newer, "--", missing=b"no")
        return done != b"no"

    def covers(recorded: str, address: Address) -> bool:
        return recorded == pin.id or (bool(recorded) and contains(recorded.partition("+")[0], pin.revision_of(address)))

    return covers


def promoter(session: Session) -> str:
    """Return who promotes, as git knows them."""
    return str(ledger_of(session, session.project.stages[0]).store.author())
