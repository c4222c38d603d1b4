"""Objects of a cluster ↔ resources in normal form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policysync.backends.kubernetes.client import MANAGER
from policysync.backends.kubernetes.discovery import Served
from policysync.errors import Refused
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.render.cluster_object import OWNER_LABEL
from policysync.state.normalize import live_spec, new_spec
from policysync.state.resource import Address, Hindrance, Resource
from policysync.state.wire import plain

OWNED = f"{OWNER_LABEL}={MANAGER}"
"""The selector of what the product made."""

_SERVERS = frozenset({"apiVersion", "kind", "metadata", "status"})


class Naming:
    """What objects are called in git: `name`, or `namespace/name` where the kind has namespaces.

    A document that names no namespace means the target's own, and keeps its short name. `spaces` are the namespaces
    that git mentions, with the target's own.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.spaces = [namespace]
        self._short: set[tuple[str, str]] = set()

    def expect(self, addresses: Iterable[Address]) -> None:
        """Hear what git calls its objects."""
        heard = tuple(addresses)
        self._short = {(a.kind, a.name) for a in heard if "/" not in a.name}
        self.spaces = sorted({self.namespace, *(a.name.rpartition("/")[0] or self.namespace for a in heard)})

    def place(self, served: Served, name: str) -> tuple[str, str]:
        """Return the namespace and the name of an object.

        Raises:
            Refused: it has a namespace, and its kind has none.
        """
        namespace, _, rest = name.rpartition("/")
        if not served.namespaced:
            if namespace:
                raise Refused(f"{served.kind}/{name}: the kind is cluster-wide here; take metadata.namespace out")
            return "", name
        return namespace or self.namespace, rest

    def called(self, served: Served, kind: Kind, held: Mapping[str, Any]) -> str:
        """Return what git calls an object, or would."""
        about = held.get("metadata") or {}
        name, namespace = str(about.get("name", "")), str(about.get("namespace", ""))
        if not served.namespaced:
            return name
        if namespace == self.namespace and (kind.name, name) in self._short:
            return name
        return f"{namespace}/{name}"


def resource_of(served: Served, kind: Kind, held: Mapping[str, Any], name: str) -> Resource:
    """Return the live resource that an object is."""
    about = held.get("metadata") or {}
    mark = {kind.api["mark"]: (about.get("labels") or {}).get(OWNER_LABEL)} if "mark" in kind.api else {}
    spec = live_spec(kind, {**_content(served, held), **mark, kind.key[0]: name})
    going = about.get("deletionTimestamp")
    hindrance = None
    if going:
        waits = f"; it waits for {', '.join(about['finalizers'])}" if about.get("finalizers") else ""
        hindrance = Hindrance("blocked", "being-deleted", f"it is being deleted since {going}{waits}")
    return Resource(Address(kind.name, name), spec, id=str(about.get("uid", "")), raw=held, hindrance=hindrance)


def unreadable(kind: Kind, name: str, why: str) -> Resource:
    """Return a resource of which nobody knows whether it is there."""
    return Resource(Address(kind.name, name), {}, hindrance=Hindrance("unreadable", "forbidden", why))


def body_of(served: Served, namespace: str, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as it is applied; what the server makes is left to it."""
    metadata: dict[str, Any] = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata["labels"] = {OWNER_LABEL: MANAGER}
    body = {"apiVersion": served.api_version, "kind": served.kind, "metadata": metadata}
    return {**body, served.content: dict(content)} if served.content else {**content, **body}


def created(kind: Kind, after: Resource) -> dict[str, Any]:
    """Return the content of a new object: what git states, initial values and defaults, and no empty shells."""
    whole = plain(_lean(new_spec(kind, after.spec), after.spec))
    return _sent(kind, whole)


def stated(kind: Kind, after: Resource, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what git states laid over what is to be kept. Maps with free names are stated whole."""
    whole = _laid(kind.root, plain(after.spec), kept)
    return _sent(kind, whole)


def _sent(kind: Kind, whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a spec that stand in the object's content: the others are its name and its label."""
    return {name: value for name, value in whole.items() if name not in (*kind.key, kind.api.get("mark"))}


def _laid(field: Field, spec: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for name, value in spec.items():
        below = field.properties.get(name)
        under = base.get(name)
        nested = below is not None and below.properties and isinstance(value, Mapping) and isinstance(under, Mapping)
        result[name] = _laid(below, value, under) if nested and below and isinstance(under, Mapping) else value
    return result


def _lean(value: Any, said: Any) -> Any:
    """Leave out members without content that git does not state."""
    if not isinstance(value, Mapping):
        return value
    told = said if isinstance(said, Mapping) else {}
    lean = {name: _lean(below, told.get(name)) for name, below in value.items()}
    return {name: below for name, below in lean.items() if below not in ({}, []) or name in told}


def _content(served: Served, held: Mapping[str, Any]) -> Mapping[str, Any]:
    if served.content:
        found = held.get(served.content)
        return found if isinstance(found, Mapping) else {}
    return {name: value for name, value in held.items() if name not in _SERVERS}
