"""What a plan says of a change beside the difference: the workloads it can stop, and what has to be there first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policysync.backends.kubernetes.client import Client
from policysync.backends.kubernetes.objects import stated
from policysync.backends.kubernetes.workloads import matched
from policysync.errors import BackendError
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.state.resource import Resource
from policysync.state.wire import plain

_SHOWN = 10


def previewed(client: Client, change: Change, kind: Kind) -> Iterator[str]:
    """Yield sentences about a change; see `port.Previews`."""
    if change.after is None or change.action is Action.DELETE:
        return
    if change.action is Action.CREATE and (why := not_ours_to_make(kind, change.after)):
        yield why
    stops = kind.api.get("stops", {})
    spec: dict[str, Any] = stated(kind, change.after, plain(change.before.spec) if change.before else {})
    if stops and all(spec.get(name) == value for name, value in stops.items()):
        yield f"{change.address}: {_stopped(client, spec)}"


def not_ours_to_make(kind: Kind, after: Resource) -> str:
    """Return why an object cannot be made of what git states; nothing where it can."""
    lacks = [name for name, field in kind.root.properties.items() if field.required_on and name not in after.spec]
    if not lacks:
        return ""
    names = " and ".join(f"`{name}`" for name in lacks)
    return f"{after.address} is not there, and git states no {names} to make it of: install it first, or state {names}"


def _stopped(client: Client, spec: dict[str, Any]) -> str:
    try:
        found = matched(client, spec)
    except BackendError as error:
        return f"it can stop workloads, and the cluster does not say which: {error}"
    if not found:
        return "it can stop workloads, and matches none that is there now"
    shown = ", ".join(map(str, found[:_SHOWN]))
    more = f" (showing {_SHOWN} of {len(found)})" if len(found) > _SHOWN else ""
    return f"it can stop {len(found)} workload{'' if len(found) == 1 else 's'}: {shown}{more}"
