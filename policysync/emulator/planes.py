"""The parts of one console that SaaS spreads over several hosts: told apart by path, and by Host if it is known.

Source: reference, platform 1 and 2.4; policies 2.8.
"""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

import orjson

from policysync.emulator.exchange import Answered, Request, Response, answer

Plane = Literal["console", "account", "prov", "front", "supply-chain"]

GATEWAY = Response(415, b"", (("content-type", "application/grpc"),))
"""What a gateway answers to REST."""

_BELOW: tuple[tuple[str, Plane], ...] = (
    ("/v2/build/", "supply-chain"),
    ("/supply_chain/", "supply-chain"),
    ("/v1/envs", "prov"),
    ("/v2/", "account"),
    ("/api/access_mgmt/", "front"),
    ("/api/cspm/", "front"),
)
_HOSTS: tuple[tuple[str, Plane], ...] = (
    ("api.cloudsploit.com", "account"),
    ("supply-chain.cloud.aquasec.com", "supply-chain"),
    ("edge.cloud.aquasec.com", "supply-chain"),
)


def plane_of(path: str) -> Plane:
    """Return which API a path belongs to."""
    return next((plane for start, plane in _BELOW if path.startswith(start)), "console")


def is_gateway(request: Request) -> bool:
    """Return whether the request was sent to the gateway's name."""
    host, _, port = request.headers.get("host", "").rpartition(":")
    return (host if port.isdecimal() else request.headers.get("host", "")).partition(".")[0].endswith("-gw")


def is_elsewhere(request: Request) -> bool:
    """Return whether the Host is a known SaaS host of another API than the path."""
    host = request.headers.get("host", "").partition(":")[0].lower()
    plane = next((plane for end, plane in _HOSTS if host.endswith(end)), None)
    if plane is None and host.startswith("prov") and host.endswith("cloud.aquasec.com"):
        plane = "prov"
    return plane is not None and plane != plane_of(request.path)


def deny(status: int, message: str, *reasons: object) -> Answered:
    """Return the exception that answers with an error of the account API, in the recorded form."""
    body = {"status": status, "id": str(uuid4()), "code": 1, "message": message, "errors": list(reasons)}
    return Answered(answer(status, body))


def unknown_key(name: str) -> dict[str, object]:
    """Return what the account API says of a member it does not know; with 422."""
    return {
        "field": "data",
        "message": "has additional properties",
        "value": f"data.{name}",
        "type": "object",
        "schemaPath": [],
    }


def in_form(plane: Plane, response: Response) -> Response:
    """Return an error in the form of its plane: made by code that knows only the console's form."""
    if plane not in ("account", "prov") or response.status < 400 or b'"errors"' in response.body:
        return response
    said = orjson.loads(response.body)["message"] if response.body else ""
    title = {401: "Unauthorized", 403: "Access denied", 404: "Not found"}.get(response.status, "Invalid request")
    return deny(response.status, title, said).response
