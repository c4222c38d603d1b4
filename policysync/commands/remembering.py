"""Telling the ledger what was adopted, so that the first apply may change it."""

from __future__ import annotations

import click

from policysync.commands.adoption import Adoption
from policysync.commands.session import Session
from policysync.errors import PolicySyncError


def remember(session: Session, stage: str, adoption: Adoption) -> None:
    """Write down what live was like where documents were made of it. What cannot be written is said, and no more."""
    written = {document.address for document in adoption.sound.documents}
    ledger = session.ledger(session.project.stage(stage))
    for target in sorted({target for found in adoption.found for target in found.targets}):
        live = [found.live for found in adoption.found if target in found.targets and found.live.address in written]
        try:
            ledger.adopt(target, live)
        except PolicySyncError as error:
            click.echo(
                f"the ledger was not told, so apply to {target} before you change these files: {error}", err=True
            )
