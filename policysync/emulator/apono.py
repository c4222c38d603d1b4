"""A tenant of Apono: integrations that come and go, connectors that are just there.

Source: reference, apono-api. What is said there of status codes, paging and reading back differently from writing is
kept; which requests are refused as wrong is ours.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

import orjson

from policysync.clock import Clock, SystemClock
from policysync.emulator.exchange import Answered, Request, Response, answer
from policysync.emulator.faults import FaultPlan, Faults

INTEGRATIONS = "/api/admin/v4/integrations"
CONNECTORS = "/api/admin/v3/connectors"
BEARER = "emulator"
"""What every request has to carry."""

_PAGE = 100
_SERVERS = ("id", "category", "status", "last_sync_time")
_REQUIRED = {"name": str, "integration_config": dict}
_SOURCES = ("owner", "owners_mapping")


class Tenant:
    """Answers as Apono would, from many threads at once. Kept in memory only.

    Attributes:
        connectors: what every connector says of itself; nothing but its own process makes one.
        page: how many elements a page holds at most.
    """

    def __init__(
        self,
        connectors: Iterable[Mapping[str, Any]] = (),
        *,
        token: str = BEARER,
        faults: FaultPlan | None = None,
        clock: Clock | None = None,
        page: int = _PAGE,
    ) -> None:
        self.connectors = [dict(connector) for connector in connectors]
        self.page = page
        self._token = token
        self._clock = clock or SystemClock()
        self._faults = Faults(faults, self._clock) if faults else None
        self._integrations: dict[str, dict[str, Any]] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Return the answer to a request.

        Raises:
            Dropped: a fault breaks the connection.
        """
        return self._faults.around(request, (), self._handle) if self._faults else self._handle(request)

    def close(self) -> None:
        """Nothing to let go of."""

    def _handle(self, request: Request) -> Response:
        try:
            if request.headers.get("authorization") != f"Bearer {self._token}":
                raise _refuse(401, "Unauthorized")
            with self._lock:
                return self._answer(request)
        except Answered as early:
            return early.response

    def _answer(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        collection, _, ident = path.rpartition("/")
        found = self._calls.get((request.method, path))
        if found is not None:
            return found(request, "")
        found = self._calls.get((request.method, f"{collection}/{{id}}"))
        if found is None:
            raise _refuse(404, "NotFound")
        return found(request, ident)

    @property
    def _calls(self) -> Mapping[tuple[str, str], Callable[[Request, str], Response]]:
        return {
            ("GET", CONNECTORS): lambda request, _: self._listed(self.connectors, request, ("status",)),
            ("GET", f"{CONNECTORS}/{{id}}"): lambda _, ident: answer(200, self._connector(ident)),
            ("DELETE", f"{CONNECTORS}/{{id}}"): self._forget,
            ("GET", INTEGRATIONS): lambda request, _: self._listed(
                [_read(each) for each in self._integrations.values()],
                request,
                ("name", "type", "category", "connector_id", "status"),
            ),
            ("POST", INTEGRATIONS): self._create,
            ("GET", f"{INTEGRATIONS}/{{id}}"): lambda _, ident: answer(200, _read(self._integration(ident))),
            ("PUT", f"{INTEGRATIONS}/{{id}}"): self._update,
            ("DELETE", f"{INTEGRATIONS}/{{id}}"): self._delete,
        }

    def _listed(self, items: list[dict[str, Any]], request: Request, filters: tuple[str, ...]) -> Response:
        query = _query(request)
        start = int(query.get("start", "0"))
        size = min(int(query.get("limit", str(_PAGE))), self.page)
        kept = [each for each in items if all(_meets(each.get(n), query[n]) for n in filters if n in query)]
        following = None
        if start + size < len(kept):
            # Later pages are asked for by this alone, so it holds everything the first question said.
            following = base64.urlsafe_b64encode(orjson.dumps({**query, "start": str(start + size)})).decode()
        page = kept[start : start + size]
        return answer(200, {"items": page, "pagination": {"next_page_token": following}})

    def _create(self, request: Request, _ident: str) -> Response:
        body = _body(request)
        if not isinstance(body.get("type"), str):
            raise _refuse(400, "BadRequest", "type is missing")
        self._check(body, "")
        ident = f"int-{next(self._numbers):06}"
        self._integrations[ident] = self._completed(body, ident)
        return answer(200, _read(self._integrations[ident]))

    def _update(self, request: Request, ident: str) -> Response:
        before, body = self._integration(ident), _body(request)
        if body.get("type", before["type"]) != before["type"]:
            raise _refuse(400, "BadRequest", "type cannot change")
        self._check(body, ident)
        self._integrations[ident] = self._completed({**body, "type": before["type"]}, ident)
        return answer(200, _read(self._integrations[ident]))

    def _delete(self, _request: Request, ident: str) -> Response:
        self._integration(ident)
        del self._integrations[ident]
        return Response(204)

    def _forget(self, _request: Request, ident: str) -> Response:
        self.connectors.remove(self._connector(ident))
        return Response(204)

    def _check(self, body: Mapping[str, Any], ident: str) -> None:
        for name, form in _REQUIRED.items():
            if not isinstance(body.get(name), form):
                raise _refuse(400, "BadRequest", f"{name} is missing")
        if not all(isinstance(value, str) for value in body["integration_config"].values()):
            raise _refuse(400, "BadRequest", "integration_config holds something else than text")
        if len(body.get("secret_store_config") or {"": 0}) != 1:
            raise _refuse(400, "BadRequest", "secret_store_config wants exactly one store")
        if any(each["name"] == body["name"] and each["id"] != ident for each in self._integrations.values()):
            raise _refuse(409, "Conflict", f"there is an integration {body['name']!r} already")

    def _completed(self, body: Mapping[str, Any], ident: str) -> dict[str, Any]:
        kept = {name: value for name, value in body.items() if name not in _SERVERS}
        optional = ("connector_id", "secret_store_config", "connected_resource_types", "custom_access_details")
        empty = dict.fromkeys((*optional, *_SOURCES))
        return {**empty, **kept, "id": ident, "category": "RESOURCES", "status": "Active", "last_sync_time": None}

    def _integration(self, ident: str) -> dict[str, Any]:
        if ident not in self._integrations:
            raise _refuse(404, "NotFound")
        return self._integrations[ident]

    def _connector(self, ident: str) -> dict[str, Any]:
        found = next((each for each in self.connectors if each["id"] == ident), None)
        if found is None:
            raise _refuse(404, "NotFound")
        return found


def connector(ident: str, account: str, region: str, version: str = "1.7.8", **members: Any) -> dict[str, Any]:
    """Return a connector as it shows while it is connected, with one session."""
    cloud = {"aws_account_id": account, "region": region}
    metadata = {"connector_version": version, "cloud_provider_metadata": cloud}
    session = {"id": f"{ident}-1", "metadata": metadata, "last_connected_time": "2026-01-01T00:00:00Z"}
    return {
        "id": ident,
        "name": ident,
        "status": "CONNECTED",
        "version": version,
        "last_connected": "2026-01-01T00:00:00Z",
        "is_latest_version": True,
        "cloud_provider_type": "aws",
        "sessions": [session],
        **members,
    }


def _read(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return an integration as it is read: the source of an owner with id and name instead of a reference."""
    shown = dict(stored)
    for member in _SOURCES:
        if isinstance(said := stored.get(member), dict):
            rest = {name: value for name, value in said.items() if name != "source_integration_reference"}
            reference = said.get("source_integration_reference")
            ident = f"id-of-{reference}" if reference and not reference.startswith("id-of-") else reference
            name = reference.removeprefix("id-of-") if reference else None
            shown[member] = {**rest, "source_integration_id": ident, "source_integration_name": name}
    return shown


def _query(request: Request) -> dict[str, str]:
    query = dict(request.query)
    token = query.pop("page_token", "")
    if not token:
        query.pop("start", None)
        return query
    if query:
        raise _refuse(400, "BadRequest", "page_token goes alone")
    try:
        held = orjson.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise _refuse(400, "BadRequest", "page_token is not one of ours") from None
    return {str(name): str(value) for name, value in held.items()}


def _meets(value: Any, wanted: str) -> bool:
    text = "" if value is None else str(value)
    return text.startswith(wanted[:-1]) if wanted.endswith("*") else text == wanted


def _body(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except ValueError:
        raise _refuse(400, "BadRequest", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise _refuse(400, "BadRequest", "the body is no object")
    return body


def _refuse(status: int, code: str, message: str = "") -> Answered:
    said = {"status": str(status), "code": code, **({"message": message} if message else {})}
    return Answered(answer(status, said))
