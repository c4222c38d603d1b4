"""Changes → stacks: created, updated through change sets, deleted. Every operation is waited for."""

from __future__ import annotations

import hashlib
import logging
import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policysync.backends.cloudformation.changesets import ChangeSets
from policysync.backends.cloudformation.described import (
    EMPTY,
    FINGERPRINT,
    MARK,
    REVIEW,
    SUCCEEDED,
    Described,
)
from policysync.backends.cloudformation.reading import hindrance_of
from policysync.backends.cloudformation.stacks import Stacks
from policysync.backends.cloudformation.template import fitted, source_of, summary
from policysync.backends.cloudformation.waiting import Watch
from policysync.backends.fingerprint import fingerprint, matches
from policysync.backends.means import Means
from policysync.backends.secret_source import resolve
from policysync.errors import OutcomeUnknown, Refused, Unavailable
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.render.stack import Stack, stack_of
from policysync.secret import Secret
from policysync.state.resource import Address, Resource

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """An operation on a stack, which is found by `id`; `done` says what it has been once that has worked."""

    name: str
    id: str
    token: str
    done: str


class Writing:
    """Writes the stacks of one account and region."""

    def __init__(self, stacks: Stacks, means: Means, minutes: int) -> None:
        self._stacks = stacks
        self._means = means
        self._seconds = 60.0 * minutes
        self._sets = ChangeSets(stacks.account, means.clock)
        # A stack that was deleted and is made again is another operation than the one before.
        self._run = randomness.token_hex(8)

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`."""
        if change.action is Action.DELETE and change.before:
            self._delete(change.before)
        elif change.after is None:
            raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")
        elif change.before is None:
            self._create(kind, change.after)
        elif change.replace:
            self._replace(kind, change.before, change.after)
        else:
            self._update(kind, change.before, change.after)

    def prepared(self, kind: Kind, after: Resource, live: Described | None) -> dict[str, Any]:
        """Return what CreateStack and CreateChangeSet take alike: template, parameters, capabilities, tags.

        Raises:
            Refused: it belongs to another account, does not fit its template, or lacks a value.
        """
        stack = stack_of(kind, after.spec)
        self._is_here(stack, after.address)
        source = source_of(stack, self._means.root)
        stack = fitted(stack, summary(self._stacks.account, **source))
        parameters = [_given(name, value) for name, value in sorted(stack.parameters.items())]
        parameters += [_given(name, self._output(stack, name)) for name in sorted(stack.outputs)]
        tags = {**stack.tags, MARK: str(after.address)}
        if stack.source:
            parameter, tag = self._secret(stack, live)
            parameters.append(parameter)
            tags |= {FINGERPRINT: tag} if tag else {}
        return {
            "StackName": live.name if live else stack.name,
            **source,
            "Parameters": parameters,
            "Capabilities": list(stack.capabilities),
            "Tags": [{"Key": name, "Value": value} for name, value in sorted(tags.items())],
        }

    def _create(self, kind: Kind, after: Resource) -> None:
        stack = stack_of(kind, after.spec)
        members = self.prepared(kind, after, None)
        left = self._stacks.named(stack.name)
        if (
            left is not None
            and left.of in ("", str(after.address))
            and left.is_ours
            and left.status in {*EMPTY, REVIEW}
        ):
            _log.info("stack %s is %s: it is deleted before it is made again", left.name, left.status)
            self._gone(left.id, left.name)
        token = self._token("create", stack.name)
        members["ClientRequestToken"] = token
        self._run_to_the_end("create_stack", members, Running(stack.name, stack.name, token, "made"))

    def _update(self, kind: Kind, before: Resource, after: Resource) -> None:
        live = self._ours(before, after.address)
        members = self.prepared(kind, after, live)
        token = self._token("update", live.name)
        made = self._sets.make(live.id, members)
        if made is None:
            return
        members = {"ChangeSetName": made.id, "ClientRequestToken": token}
        try:
            self._run_to_the_end("execute_change_set", members, Running(live.name, live.id, token, "changed"))
        finally:
            self._sets.drop(made.id)

    def _replace(self, kind: Kind, before: Resource, after: Resource) -> None:
        self.prepared(kind, after, None)
        self._delete(before)
        try:
            self._create(kind, after)
        except (Refused, Unavailable) as error:
            message = f"{after.address} was deleted to be replaced and could not be created again: {error}"
            raise (OutcomeUnknown if isinstance(error, Unavailable) else Refused)(message) from error

    def _delete(self, before: Resource) -> None:
        live = self._stacks.named(before.id)
        if live is None:
            return
        if not live.is_ours or live.of not in ("", str(before.address)):
            raise Refused(f"stack {live.name} does not carry the mark of {before.address}, so it is not deleted")
        self._here(live)
        if live.in_progress and live.name not in self._stacks.pending:
            raise Refused(str(hindrance_of(live, before.address)))
        self._gone(live.id, live.name)

    def _gone(self, stack_id: str, name: str) -> None:
        token = self._token("delete", stack_id)
        members = {"StackName": stack_id, "ClientRequestToken": token}
        self._run_to_the_end("delete_stack", members, Running(name, stack_id, token, "deleted"))

    def _run_to_the_end(self, operation: str, members: Mapping[str, Any], running: Running) -> None:
        """Send an operation and wait for its end.

        Raises:
            Refused: it was not taken, or came to nothing.
            Unavailable: it was not taken.
            OutcomeUnknown: it may go on.
        """
        watch = Watch(self._stacks, self._means.clock, self._seconds, running.token)
        self._stacks.pending[running.name] = lambda: watch.end_of(running.id)
        try:
            said = self._stacks.account.call("cloudformation", operation, writes=True, **members)
            # Only its id tells a stack from one of the same name that was deleted before.
            stack_id = said.get("StackId", running.id)
            stack = watch.end_of(stack_id)
        except (Refused, Unavailable):
            self._stacks.pending.pop(running.name, None)
            raise
        self._stacks.pending.pop(running.name, None)
        good = stack is None if running.done == "deleted" else stack is not None and stack.status in SUCCEEDED
        if not good:
            status, reason = (stack.status, stack.reason) if stack else ("gone", "")
            why = "; ".join(watch.failures(stack_id)) or reason or "its events say why"
            raise Refused(f"stack {running.name} could not be {running.done}: it is {status}: {why}")

    def _ours(self, before: Resource, address: Address) -> Described:
        live = self._stacks.named(before.id)
        if live is None:
            raise Refused(f"{address} is not there any more; make the plan again")
        hindrance = hindrance_of(live, address)
        if hindrance is not None:
            raise Refused(str(hindrance))
        return live

    def _is_here(self, stack: Stack, address: Address) -> None:
        """Refuse to write with the credentials of another account. Source: reference, connectors 4.6."""
        caller, region = self._stacks.account.caller(), self._stacks.account.region
        if stack.account != caller:
            raise Refused(
                f"{address} belongs to account {stack.account}, and the credentials to {caller}; sign in there"
            )
        if stack.region != region:
            raise Refused(f"{address} belongs into {stack.region}, and this target is {region}; want a target for it")

    def _here(self, live: Described) -> None:
        if live.account != self._stacks.account.caller():
            raise Refused(f"stack {live.name} is in account {live.account}, and the credentials are not; sign in there")

    def _output(self, stack: Stack, name: str) -> str:
        wanted = stack.outputs[name]
        found = self._stacks.output(wanted)
        if not found:
            raise Refused(
                f"{wanted.kind}/{wanted.name} has no stack in the targets of this stage, so {name} is not known; apply"
                " its target first, or state the value"
            )
        return found

    def _secret(self, stack: Stack, live: Described | None) -> tuple[dict[str, Any], str]:
        """Return the parameter that takes the secret, and its fingerprint. One that did not change is not sent."""
        previous = {"ParameterKey": stack.secret, "UsePreviousValue": True}
        tag = live.tags.get(FINGERPRINT, "") if live else ""
        try:
            secret: Secret = resolve(stack.source, self._means.secrets)
        except Refused:
            if live is None or stack.secret not in live.parameters:
                raise
            return previous, tag
        if live is not None and stack.secret in live.parameters and tag and matches(tag, secret):
            return previous, tag
        return _given(stack.secret, secret.reveal()), fingerprint(secret)

    def _token(self, verb: str, name: str) -> str:
        """Return what makes one operation of this run one and the same, however often it is sent."""
        return f"policysync-{hashlib.sha256(f'{self._run} {verb} {name}'.encode()).hexdigest()[:40]}"


def _given(name: str, value: str) -> dict[str, Any]:
    return {"ParameterKey": name, "ParameterValue": value}
