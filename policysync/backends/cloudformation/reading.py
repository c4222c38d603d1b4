"""Live stacks → resources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from policysync.backends.cloudformation.described import (
    EMPTY,
    FINGERPRINT,
    REVIEW,
    STUCK,
    Described,
    free_tags,
)
from policysync.backends.cloudformation.failures import Absent
from policysync.backends.cloudformation.fingerprint import seen_as
from policysync.backends.cloudformation.stacks import Stacks
from policysync.backends.cloudformation.template import Summary, same_text, summary, text_of
from policysync.backends.means import Secrets
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING, resolve
from policysync.render.stack import Stack, known_parameters, put, stack_name, stack_of, values_of
from policysync.state.normalize import live_spec
from policysync.state.resource import Address, Hindrance, Resource

Specs = Mapping[Address, Mapping[str, Any]]

_REPAIRS = {
    "DELETE_FAILED": "delete-stack",
    "UPDATE_FAILED": "rollback-stack",
    "UPDATE_ROLLBACK_FAILED": "continue-update-rollback",
}
"""What gets a stack out of a state that wants a person."""


class Reading:
    """Reads the stacks of one account and region beside what git states."""

    def __init__(self, stacks: Stacks, secrets: Secrets, root: Path) -> None:
        self._stacks = stacks
        self._secrets = secrets
        self._root = root
        self.expected: dict[Address, Mapping[str, Any]] = {}
        self.unstated: frozenset[Address] = frozenset()
        """What was applied once, and git does not state any more."""

    def read(self, kind: Kind, names: frozenset[str] | None) -> Iterator[Resource]:
        """Yield the live resources of a kind; see `port.Backend`."""
        # Listing every stack of an account takes long, and one that is found by its name need not be looked for.
        marks = cache(lambda: {stack.of: stack for stack in self._stacks.ours(kind.name)})
        wanted = {Address(kind.name, name) for name in names or ()}
        if names is None:
            wanted = {address for address in self.expected if address.kind == kind.name}
            wanted |= {Address.parse(resource) for resource in marks()}
        for address in sorted(wanted):
            found = self.one(kind, address, marks)
            if found is not None:
                yield found

    def one(self, kind: Kind, address: Address, marks: Callable[[], Mapping[str, Described]]) -> Resource | None:
        """Return a live resource; None where nothing stands for it. `marks` gives the stacks by what they stand for."""
        stated = self.expected.get(address, {})
        hindrance = self._elsewhere(kind, stated)
        if hindrance is not None:
            return Resource(address, {}, hindrance=hindrance)
        stack = self._found(stack_name(kind, stated) if stated else "") or marks().get(str(address))
        if stack is None:
            return None
        if stack.is_ours and stack.of in ("", str(address)) and stack.status in {*EMPTY, REVIEW}:
            return self._remains(kind, stack, address) if address in self.unstated else None
        hindrance = hindrance_of(stack, address)
        if hindrance is not None:
            return Resource(address, {}, id=stack.id, raw=_raw(stack), hindrance=hindrance)
        try:
            asked = summary(self._stacks.account, StackName=stack.id)
            body = self._said(kind, address, stack, asked)
        except Absent:
            # Somebody deleted it since it was found.
            return None
        rotated = self._secret(kind, stated, stack, body)
        return Resource(address, live_spec(kind, body), id=stack.id, raw=_raw(stack), rotated=rotated)

    def _remains(self, kind: Kind, stack: Described, address: Address) -> Resource:
        """Return what is left of a stack that never came to be, for it to be deleted: nobody makes it anew."""
        body = {**self.expected.get(address, {}), kind.key[0]: address.name}
        return Resource(address, live_spec(kind, body), id=stack.id, raw=_raw(stack))

    def _found(self, name: str) -> Described | None:
        stack = self._stacks.named(name) if name else None
        if stack is not None and stack.in_progress and stack.name in self._stacks.pending:
            # It is this run that is changing it, and nobody heard how that ended.
            self._stacks.pending[stack.name]()
            stack = self._stacks.named(name)
        return stack

    def _elsewhere(self, kind: Kind, stated: Mapping[str, Any]) -> Hindrance | None:
        """Return why this is the wrong account or region for what git states: not finding it would mean nothing."""
        if not stated:
            return None
        stack, account = stack_of(kind, stated), self._stacks.account
        if stack.account and stack.account != account.caller():
            message = f"it belongs to account {stack.account}, and the credentials to {account.caller()}; sign in there"
            return Hindrance("blocked", "wrong-account", message)
        if stack.region and stack.region != account.region:
            message = f"it belongs into {stack.region}, and this target is {account.region}; want a target for it"
            return Hindrance("blocked", "wrong-region", message)
        return None

    def _said(self, kind: Kind, address: Address, stack: Described, asked: Summary) -> dict[str, Any]:
        """Return the spec of a live stack. What no stack shows is as stated, or left out."""
        table, stated = kind.api["stack"], self.expected.get(address, {})
        wanted = stack_of(kind, stated) if stated else None
        body = values_of(kind, stack.parameters)
        body[kind.key[0]] = address.name
        for pointer, value in (
            (table["account"], stack.account),
            (table["region"], stack.region),
            (table["name"], stack.name),
            (table["tags"], free_tags(stack.tags)),
            *((pointer, usual) for pointer, usual in table.get("assumed", {}).items()),
        ):
            kept = resolve(stated, pointer) if pointer in table.get("assumed", {}) else MISSING
            put(body, pointer, value if kept is MISSING else kept)
        if "further" in table:
            put(body, table["further"], _further(kind, stack, asked, resolve(stated, table["further"])))
        if wanted is not None:
            self._template(table, wanted, stack, body)
            self._resolved(table, wanted, stack, body)
        return body

    def _secret(self, kind: Kind, stated: Mapping[str, Any], stack: Described, body: dict[str, Any]) -> tuple[str, ...]:
        """Say where the secret is kept; return that place when the stack has the value it had before.

        Only whoever sends a secret writes its fingerprint: when the two differ, it is the secret that moved.
        """
        source = stack_of(kind, stated).source if stated else {}
        if not source:
            return ()
        place = kind.api["stack"]["secret"]["from"]
        said = {name: value for name, value in source.items() if value}
        seen = seen_as(source, stack.tags.get(FINGERPRINT, ""), self._secrets)
        put(body, place, seen)
        return (place,) if seen != said else ()

    def _template(self, table: Mapping[str, Any], wanted: Stack, stack: Described, body: dict[str, Any]) -> None:
        if not wanted.template_file:
            return
        live = self._stacks.account.call("cloudformation", "get_template", StackName=stack.id)["TemplateBody"]
        same = same_text(live, text_of(wanted.template_file, self._root))
        put(body, table["template-file"], wanted.template_file if same else f"{wanted.template_file} (another text)")

    def _resolved(self, table: Mapping[str, Any], wanted: Stack, stack: Described, body: dict[str, Any]) -> None:
        """Say where a value comes from that another stack gave, when it is still what that one gives."""
        for name, output in wanted.outputs.items():
            live = stack.parameters.get(name, "")
            expected = self._stacks.output_if_known(output)
            same = not expected or expected == live
            put(body, table["resolved"][name]["output"], output.key if same else f"{live} (another value)")


def hindrance_of(stack: Described, address: Address) -> Hindrance | None:
    """Return why a stack can be neither compared nor changed at the moment; None when it can."""
    if stack.of and stack.of != str(address):
        message = f"stack {stack.name} is that of {stack.of}; choose another name for the stack"
        return Hindrance("blocked", "another-resources-stack", message)
    if stack.in_progress or stack.status == REVIEW:
        message = f"stack {stack.name} is {stack.status}: somebody is changing it; look again when that has ended"
        return Hindrance("unreadable", "stack-in-progress", message)
    if stack.status in EMPTY:
        whose = "it is deleted and made anew: plan again" if stack.is_ours else "it is not ours: who made it deletes it"
        message = f"stack {stack.name} is {stack.status} and can only be deleted; {whose}"
        return Hindrance("blocked", "stack-never-made", message)
    if stack.status in STUCK:
        why = f" ({stack.reason})" if stack.reason else ""
        message = f"stack {stack.name} is {stack.status}{why}; {_remedy(stack)}"
        return Hindrance("blocked", "stack-needs-repair", message)
    return None


def _remedy(stack: Described) -> str:
    command = _REPAIRS.get(stack.status)
    if command is None:
        return "its events say what stopped it; mend that first"
    return f"mend what its events say stopped it, then `aws cloudformation {command} --stack-name {stack.name}`"


def _further(kind: Kind, stack: Described, asked: Summary, stated: Any) -> dict[str, str]:
    """Return the parameters no field stands for: those git states, and those that are not at their default."""
    named = stated if isinstance(stated, Mapping) else {}
    known = known_parameters(kind)
    found = {}
    for name, value in stack.parameters.items():
        parameter = asked.parameters.get(name)
        usual = parameter is not None and (parameter.hidden or value == (parameter.default or ""))
        if name not in known and (name in named or not usual):
            found[name] = value
    return found


def _raw(stack: Described) -> dict[str, Any]:
    return {"name": stack.name, "id": stack.id, "status": stack.status, "outputs": dict(stack.outputs)}
