"""Signing what was applied, and holding what was signed to the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from policysync.apply.attest.ed25519 import Ed25519Signer, Ed25519Verifier
from policysync.apply.attest.envelope import Envelope, Signer, Verifier, opened, sealed
from policysync.apply.attest.ssh import SshSigner, SshVerifier
from policysync.apply.attest.statement import PAYLOAD, disagreements, statement_of
from policysync.apply.ledger import Ledger
from policysync.apply.no_ledger import NoLedger
from policysync.apply.record import Record
from policysync.commands.forms import write_file
from policysync.commands.session import Session
from policysync.documents.pin import Evidence
from policysync.documents.project import Stage
from policysync.errors import PolicySyncError
from policysync.reports.history import Attested
from policysync.state.resource import Address

_NOT_SET = "policysync.yaml does not say how: attest: {sign: ssh, key: PATH, signers: PATH}"


def signer_of(session: Session) -> Signer:
    """Return what signs here.

    Raises:
        PolicySyncError: policysync.yaml does not say, or the key is not to be had.
    """
    settings, root = session.project.attest, session.project.root
    if not settings.sign or not settings.key:
        raise PolicySyncError(f"nothing is signed: {_NOT_SET}")
    if settings.sign == "ssh":
        return SshSigner(root / Path(settings.key).expanduser(), session.environ)
    return Ed25519Signer(session.own_secret(settings.key))


def verifier_of(session: Session) -> Verifier:
    """Return who is trusted here.

    Raises:
        PolicySyncError: policysync.yaml does not say.
    """
    settings, root = session.project.attest, session.project.root
    if not settings.sign or not settings.signers:
        raise PolicySyncError(f"nobody's signature is trusted: {_NOT_SET}")
    file = root / Path(settings.signers).expanduser()
    return SshVerifier(file, session.environ) if settings.sign == "ssh" else Ed25519Verifier(file)


def write_attestation(
    session: Session, stage: Stage, ledger: Ledger | NoLedger, applies: Iterable[str], file: Path
) -> None:
    """Write a signed statement about each of these applies, one a line, as the ledger has them.

    Raises:
        PolicySyncError: the key cannot be used, or the file cannot be written.
    """
    wanted = list(applies)
    found = {record.id: record for record in ledger.history() if record.id in wanted}
    records = [found[apply] for apply in wanted if apply in found]
    if not records:
        click.echo("nothing was applied, so nothing is attested", err=True)
        return
    signer = signer_of(session)
    lines = [sealed(statement_of(record, _release(session, stage, record)), PAYLOAD, signer) for record in records]
    write_file(file, "".join(f"{line}\n" for line in lines))
    click.echo(f"attested in {file}: {', '.join(record.id for record in records)}", err=True)


def attested(session: Session, ledger: Ledger, files: Iterable[Path]) -> Iterator[Attested]:
    """Yield what is signed in files of envelopes, and what is wrong with it.

    Raises:
        PolicySyncError: a file cannot be read, or nobody is trusted.
    """
    verifier = verifier_of(session)
    for file in files:
        try:
            lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise PolicySyncError(f"{file} cannot be read: {error}") from error
        if not lines:
            yield Attested(str(file), problems=("it holds no attestation",))
        for line in lines:
            yield _attested(str(file), line, ledger, verifier)


def _attested(file: str, line: str, ledger: Ledger, verifier: Verifier) -> Attested:
    try:
        envelope = opened(line)
    except PolicySyncError as error:
        return Attested(file, problems=(str(error),))
    signers = tuple(envelope.signers(verifier))
    if not signers:
        # What nobody vouches for is not read any further.
        return Attested(file, problems=("nobody who is trusted signed it as it is",))
    statement = _statement(envelope)
    predicate = statement.get("predicate")
    apply = str(predicate.get("apply", "")) if isinstance(predicate, Mapping) else ""
    record = _record(ledger, apply)
    if envelope.kind != PAYLOAD or record is None:
        said = (
            f"the ledger of {ledger.stage} has no apply {apply}" if envelope.kind == PAYLOAD else "it is something else"
        )
        return Attested(file, apply, signers=signers, problems=(said,))
    return Attested(file, apply, record.target, signers, tuple(disagreements(statement, record)))


def _statement(envelope: Envelope) -> Mapping[str, Any]:
    try:
        found = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, Mapping) else {}


def _record(ledger: Ledger, apply: str) -> Record | None:
    return next((record for record in ledger.history() if record.id == apply), None)


def _release(session: Session, stage: Stage, record: Record) -> dict[str, Any] | None:
    pin = session.pin(stage)
    if pin is None or pin.evidence is None or pin.id != record.revision:
        return None
    return _evidence(pin.evidence, pin.resources)


def _evidence(evidence: Evidence, singles: Mapping[Address, str]) -> dict[str, Any]:
    return {
        "from": evidence.stage,
        "applies": list(evidence.apply),
        "at": evidence.at,
        "by": evidence.by,
        "rollback": evidence.rollback,
        "gates": [{"gate": one.gate, "passed": one.passed, "said": one.said} for one in evidence.gates],
        "resources": {str(address): revision for address, revision in sorted(singles.items())},
    }
