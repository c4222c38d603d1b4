"""What a change would do to the resources inside a stack, in sentences for a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.backends.cloudformation.changesets import ChangeSets
from policysync.backends.cloudformation.described import Described
from policysync.backends.cloudformation.stacks import Stacks
from policysync.backends.cloudformation.template import fitted, source_of, summary
from policysync.backends.cloudformation.writing import Writing
from policysync.backends.means import Means
from policysync.errors import BackendError
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.pointer import split
from policysync.render.stack import stack_of

_IAM = "AWS::IAM::"
_HOW = {"Add": "is added", "Remove": "is removed", "Import": "is imported", "Dynamic": "may change"}
_REPLACED = {"True": "is replaced", "Conditional": "may be replaced", "False": "changes in place"}


class Preview:
    """Asks CloudFormation what it would do. A change set is made for that, and dropped."""

    def __init__(self, stacks: Stacks, writing: Writing, means: Means, *, change_sets: bool) -> None:
        self._stacks = stacks
        self._writing = writing
        self._sets = ChangeSets(stacks.account, means.clock)
        self._root = means.root
        self._change_sets = change_sets

    def of(self, change: Change, kind: Kind) -> tuple[str, ...]:
        """Return sentences about one change. Where AWS does not answer, that is one of them."""
        try:
            said = tuple(self._said(change, kind))
        except BackendError as error:
            said = (f"what happens inside the stack is not known: {error}",)
        return tuple(f"{change.address}: {text}" for text in said)

    def _said(self, change: Change, kind: Kind) -> Iterator[str]:
        yield from _power(change, kind)
        if change.action is Action.DELETE and change.before:
            yield from self._deleted(change.before.id)
        elif change.after and (change.before is None or change.replace):
            yield from self._made(change, kind)
        elif change.after and change.before and self._change_sets:
            live = self._stacks.named(change.before.id)
            if live is not None:
                yield from self._changed(change, kind, live)

    def _made(self, change: Change, kind: Kind) -> Iterator[str]:
        if change.after is None:
            return
        stack = stack_of(kind, change.after.spec)
        left = self._stacks.named(stack.name)
        if left is not None and change.before is None:
            yield f"stack {left.name} is {left.status}: it never came to be, is deleted first, and then made anew"
        asked = summary(self._stacks.account, **source_of(stack, self._root))
        fitted(stack, asked)
        rights = [name for name in asked.types if name.startswith(_IAM)]
        with_rights = f", among them {', '.join(rights)}" if rights else ""
        yield f"stack {stack.name} is made, with resources of {len(asked.types)} types{with_rights}"

    def _deleted(self, stack_id: str) -> Iterator[str]:
        live = self._stacks.named(stack_id)
        if live is not None and live.protected:
            yield f"stack {live.name} is protected against termination: it cannot be deleted until somebody ends that"
        pages = self._stacks.account.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack_id
        )
        found = sorted(
            f"{each['LogicalResourceId']} ({each['ResourceType']})"
            for each in pages
            if each.get("ResourceStatus") != "DELETE_COMPLETE"
        )
        yield f"the stack goes, and with it {', '.join(found) or 'nothing'}"

    def _changed(self, change: Change, kind: Kind, live: Described) -> Iterator[str]:
        if change.after is None:
            return
        made = self._sets.make(live.id, self._writing.prepared(kind, change.after, live))
        if made is None:
            yield f"stack {live.name}: CloudFormation says that no resource changes"
            return
        self._sets.drop(made.id)
        for resource in made.changes:
            yield f"stack {live.name}: {_resource(resource)}"


def _resource(change: Mapping[str, Any]) -> str:
    how = _HOW.get(change["Action"]) or _REPLACED.get(change.get("Replacement", ""), "changes")
    names = {detail.get("Target", {}).get("Name") for detail in change.get("Details", ())} - {None, ""}
    members = f": {', '.join(sorted(names))}" if names else ""
    rights = " (rights)" if change["ResourceType"].startswith(_IAM) else ""
    return f"{change['LogicalResourceId']} ({change['ResourceType']}) {how}{members}{rights}"


def _power(change: Change, kind: Kind) -> Iterator[str]:
    """Say when a role comes to hold power over a whole account. Source: reference, connectors 4.9."""
    if change.after is None:
        return
    stack = stack_of(kind, change.after.spec)
    at = split(kind.api["stack"]["full-access"]["at"])
    if stack.full_access and (change.before is None or any(edit.path == at for edit in change.edits)):
        yield f"its role can create roles and attach policies in account {stack.account}"
