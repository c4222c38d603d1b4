"""Integrations over Apono's API. The calls are those of `x-api`; here is only what names and owners want.

Source: reference, apono-api.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from policysync.backends.answer import decoded
from policysync.backends.apono.health import connector_signs, integration_sign
from policysync.backends.port import Facts, Level, Sign
from policysync.backends.reach import accepted
from policysync.backends.rest import Rest
from policysync.backends.session import Session
from policysync.errors import BackendError, Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Change
from policysync.state.resource import Address, Resource

CONNECTORS = "/api/admin/v3/connectors"
_OWNERS = {"owner": "owner", "ownersMapping": "owners_mapping"}


class Apono(Rest):
    """One tenant. What git calls an integration is found by its displayName, which Apono takes once only."""

    def __init__(self, session: Session, kinds: Mapping[str, Kind], **settings: Any) -> None:
        super().__init__(session, kinds, hosts={}, **settings)
        self._kinds = kinds
        self._expected: dict[Address, Mapping[str, Any]] = {}

    def probe(self) -> Facts:
        """Read a little; see `port.Backend`."""
        self._again(self._looks_like_apono)
        return Facts(version="apono", identity=self._session.base)

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """Remember how git calls what Apono calls by its displayName; see `port.Backend`."""
        self._expected.update({address: spec for address, spec in stated.items() if "displayName" in spec})

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the live resources of a kind; see `port.Backend`."""
        shown = None if names is None else frozenset(self._shown(kind, name) for name in names)
        for resource in super().read(kind, shown):
            yield self._as_git_says(kind, resource)

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the live resources of a kind, as git calls them where it does."""
        names = self._names(kind)
        yield from (names.get(shown, shown) for shown in super().list(kind))

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`."""
        if change.after is not None:
            self._expected[change.address] = change.after.spec
        before = change.before and _as_written(kind, change.before)
        if before and change.after and "secretStore" in change.after.spec:
            before = _without_store(before)
        after = change.after and _called(kind, change.after, change.after.spec["displayName"])
        address = (after or before or change).address
        try:
            super().write(replace(change, address=address, before=before, after=after), kind)
        except Refused:
            if change.before is not None or not self._shows(change, kind):
                raise

    def check(self, resource: Resource) -> Iterator[Sign]:
        """Say how an integration is and its connector, or a connector; see `port.Checks`."""
        spec = resource.spec
        name = spec.get("connectorRef") or spec["connectorId"]
        try:
            yield from connector_signs(self.connector(name), spec if "connectorId" in spec else {}, name)
            if "connectorRef" in spec:
                yield from self._integration(resource)
        except BackendError as error:
            yield Sign("health/api", Level.UNKNOWN, "unreadable", str(error))

    def _integration(self, resource: Resource) -> Iterator[Sign]:
        kind = self._kinds[resource.address.kind]
        live = next(iter(self.read(kind, frozenset({resource.address.name}))), None)
        if live is None:
            yield Sign("health/integration", Level.UNKNOWN, "absent", "it is not there yet")
        else:
            yield integration_sign(live.raw)

    def connector(self, name: str) -> Mapping[str, Any] | None:
        """Return what Apono says of a connector, by its id or else by its name; None when it does not know it.

        That the id is the one a connector was given is likely, and nowhere stated. Source: reference, connectors 4.5.
        """
        found = [*self._again(lambda: [*self._connectors()])]
        by_id = next((connector for connector in found if connector.get("id") == name), None)
        return by_id or next((connector for connector in found if connector.get("name") == name), None)

    def _connectors(self) -> Iterator[Mapping[str, Any]]:
        query, seen = "limit=100", set[str]()
        while query not in seen:
            seen.add(query)
            answer = self._page(query)
            yield from (each for each in answer["items"] if isinstance(each, Mapping))
            pagination = answer.get("pagination")
            token = pagination.get("next_page_token") if isinstance(pagination, Mapping) else None
            if not token:
                return
            query = f"page_token={quote(str(token), safe='')}"
        raise Refused(f"{self._session.base}: pages of connectors come round again; nobody can tell them all")

    def _page(self, query: str) -> Mapping[str, Any]:
        answer = decoded(accepted(self._session.call("GET", f"{CONNECTORS}?{query}"), writes=False))
        if not isinstance(answer, Mapping) or not isinstance(answer.get("items"), list):
            raise Refused(f"{self._session.base} does not answer as Apono does; is the url right?")
        return answer

    def _looks_like_apono(self) -> None:
        self._page("limit=1")

    def _names(self, kind: Kind) -> Mapping[str, str]:
        return {
            spec["displayName"]: address.name for address, spec in self._expected.items() if address.kind == kind.name
        }

    def _shown(self, kind: Kind, name: str) -> str:
        said = self._expected.get(Address(kind.name, name), {})
        return str(said.get("displayName", name))

    def _as_git_says(self, kind: Kind, live: Resource) -> Resource:
        """Return a live resource under its name in git, its owner's source named as git names it.

        Owners are written with a reference and read with an id and a name: the reference may be either.
        """
        name = self._names(kind).get(live.spec["displayName"], live.spec["displayName"])
        stated = self._expected.get(Address(kind.name, name), {})
        spec = copy.deepcopy({**live.spec, kind.key[0]: name})
        for member in ("secretStore", *_OWNERS):
            found = spec.pop(member, None)
            kept = {below: value for below, value in found.items() if value} if isinstance(found, Mapping) else found
            spec |= {member: kept} if kept else {}
        for member, wire in _OWNERS.items():
            source = _source(live.raw.get(wire), stated.get(member))
            if source and isinstance(spec.get(member), dict):
                spec[member]["sourceIntegration"] = source
        return replace(live, address=Address(kind.name, name), spec=dict(sorted(spec.items())))


def _source(live: Any, stated: Any) -> str:
    if not isinstance(live, Mapping):
        return ""
    known = [live.get("source_integration_name"), live.get("source_integration_id")]
    said = stated.get("sourceIntegration") if isinstance(stated, Mapping) else None
    return str(said if said in known else next((each for each in known if each), ""))


def _called(kind: Kind, resource: Resource, name: str) -> Resource:
    """Return a resource under the name Apono knows it by."""
    spec = {**resource.spec, kind.key[0]: name}
    return replace(resource, address=Address(resource.address.kind, name), spec=spec)


def _without_store(before: Resource) -> Resource:
    """Return what is there without its secret store: there is one only, so another one takes its place."""
    spec = {name: value for name, value in before.spec.items() if name != "secretStore"}
    raw = {name: value for name, value in before.raw.items() if name != "secret_store_config"}
    return replace(before, spec=spec, raw=raw)


def _as_written(kind: Kind, live: Resource) -> Resource:
    """Return a live resource with its owners as they are written: what git does not state is sent back as it was."""
    raw = dict(live.raw)
    for wire in _OWNERS.values():
        if isinstance(owner := raw.get(wire), Mapping):
            kept = {name: value for name, value in owner.items() if not name.startswith("source_integration_")}
            source = owner.get("source_integration_id") or owner.get("source_integration_name")
            raw[wire] = {**kept, "source_integration_reference": source} if source else kept
    return replace(_called(kind, live, str(raw["name"])), raw=raw)
