"""Change sets: made, waited for, read, dropped."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from policysync.backends.cloudformation.account import Account
from policysync.backends.cloudformation.failures import NO_CHANGES, Unchanged, told
from policysync.clock import Clock
from policysync.errors import BackendError, Refused, Unavailable

_SECONDS = 120.0
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that can be executed; `changes` are its elements as described, resources only."""

    id: str
    changes: tuple[Mapping[str, Any], ...]


class ChangeSets:
    """The change sets of one account and region."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self._account = account
        self._clock = clock

    def make(self, stack_id: str, members: Mapping[str, Any]) -> ChangeSet | None:
        """Make a change set for a stack; None when nothing would change. Nothing is carried out.

        Raises:
            Refused, Unavailable, OutcomeUnknown: as `Account.call`; a set that came to nothing is dropped.
        """
        name = f"policysync-{secrets.token_hex(8)}"
        try:
            made = self._account.call(
                "cloudformation",
                "create_change_set",
                **{**members, "StackName": stack_id},
                ChangeSetName=name,
                ChangeSetType="UPDATE",
                ClientToken=name,
            )
        except Unchanged:
            return None
        try:
            said = self._ready(made["Id"])
        except BaseException:
            self.drop(made["Id"])
            raise
        if said["Status"] == "FAILED":
            self.drop(made["Id"])
            reason = said.get("StatusReason", "")
            if NO_CHANGES.search(reason):
                return None
            raise Refused(told(f"the change set for {stack_id} failed: {reason}"))
        return ChangeSet(made["Id"], self._changes(made["Id"]))

    def drop(self, change_set: str) -> None:
        """Delete a change set; one that stays does no harm."""
        with suppress(BackendError):
            self._account.call("cloudformation", "delete_change_set", ChangeSetName=change_set)

    def _ready(self, change_set: str) -> Mapping[str, Any]:
        until = self._clock.monotonic() + _SECONDS
        while True:
            said = self._account.call("cloudformation", "describe_change_set", ChangeSetName=change_set)
            if said["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return said
            if self._clock.monotonic() >= until:
                raise Unavailable(f"a change set is still {said['Status']} after {_SECONDS:.0f} s")
            self._clock.sleep(_PAUSE)

    def _changes(self, change_set: str) -> tuple[Mapping[str, Any], ...]:
        pages = self._account.pages("cloudformation", "describe_change_set", "Changes", ChangeSetName=change_set)
        return tuple(change["ResourceChange"] for change in pages if change.get("Type", "Resource") == "Resource")
