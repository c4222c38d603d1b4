"""The calls that give out tokens, and the one that tells where the console of an account is.

Source: reference, policies 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from policysync.clock import Clock
from policysync.emulator.auth import Tokens, knows
from policysync.emulator.exchange import Request, Response, answer, refuse
from policysync.emulator.planes import deny
from policysync.emulator.quirks.account import ACCOUNT
from policysync.emulator.settings import Settings
from policysync.emulator.signing import signer
from policysync.emulator.store import Store

LOGIN = "/api/v1/login"
SIGN_IN = "/v2/signin"
TOKENS = "/v2/tokens"
ENVIRONMENTS = "/v1/envs"
_LONGEST = 1500
_ROOT_USER = 1
_METHODS = ("ANY", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


def login(request: Request, settings: Settings, tokens: Tokens, store: Store) -> Response:
    """Answer `POST /api/v1/login`.

    Raises:
        Answered: 400 for a body that is not an object, 401 for wrong credentials.
    """
    body = _object(request.body)
    if body is None:
        raise refuse(400, "login needs a JSON object with id and password")
    name = str(body.get("id", ""))
    if not knows(name, str(body.get("password", "")), settings, store):
        raise refuse(401, "invalid username or password")
    user = {"id": name, "name": name, "role": "Administrator", "is_super": True}
    return answer(200, {"token": tokens.issue(name, settings.token_life), "user": user})


def sign_in(request: Request, settings: Settings, tokens: Tokens) -> Response:
    """Answer `POST /v2/signin`.

    Raises:
        Answered: 422 for a body that is not an object, 403 for wrong credentials; in the form of the account API.
    """
    body = _object(request.body)
    if body is None:
        raise deny(422, "Invalid request", "the body must be an object")
    right = body.get("email") in (settings.email, settings.user) and body.get("password") == settings.password
    if not right:
        raise deny(403, "Access denied", "Invalid email or password.")
    claims = _claims(request, settings, ["ANY:*"], ["Administrator"])
    token = tokens.issue(settings.user, settings.token_life, claims)
    user = {"id": _ROOT_USER, "email": settings.email, "account_admin": True, "confirmed": True}
    return answer(200, {"status": 200, "code": 0, "data": {"token": token, "user": user}})


def api_token(request: Request, settings: Settings, tokens: Tokens, store: Store, clock: Clock) -> Response:
    """Answer `POST /v2/tokens`.

    Raises:
        Answered: 403 for a key, clock or signature that is not right, 422 for a wish that cannot be granted; in
            the form of the account API.
    """
    key = signer(request, settings, store, clock)
    if key is None:
        raise deny(403, "Access denied", "The API key, the time or the signature is not valid.")
    body = _object(request.body)
    if body is None:
        raise deny(422, "Invalid request", "the body must be an object")
    _check_wish(body)
    roles = body.get("csp_roles") or []
    if settings.strict:
        for role in roles:
            if store.named("Role", role) is None:
                raise deny(403, "Access denied", f"csp role {role} doesn't exist")
    claims = _claims(request, settings, body.get("allowed_endpoints") or ["ANY:*"], roles)
    return answer(200, {"status": 200, "code": 0, "data": tokens.issue(key, body.get("validity", 240) * 60, claims)})


def _check_wish(body: Mapping[str, Any]) -> None:
    validity = body.get("validity", 240)
    if isinstance(validity, bool) or not isinstance(validity, int) or not 1 <= validity <= _LONGEST:
        raise deny(422, "Invalid request", {"field": "data.validity", "message": f"want 1 to {_LONGEST} minutes"})
    for name in ("allowed_endpoints", "csp_roles"):
        given = body.get(name) or []
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise deny(422, "Invalid request", {"field": f"data.{name}", "message": "want a list of names"})
    for endpoint in body.get("allowed_endpoints") or []:
        if endpoint.partition(":")[0].upper() not in _METHODS:
            raise deny(422, "Invalid request", {"field": "data.allowed_endpoints", "message": f"what is {endpoint}?"})


def environments(request: Request, settings: Settings) -> Response:
    """Answer `GET /v1/envs`: the console is where the request came to, unless the settings name another host."""
    urls = _urls(request, settings)
    return answer(200, {"status": 200, "code": 0, "data": {**urls, "account_id": ACCOUNT}})


def _urls(request: Request, settings: Settings) -> dict[str, str]:
    host = settings.console_host or request.headers.get("host", "localhost")
    name, dot, rest = host.partition(".")
    gateway = f"{name}-gw{dot}{rest}" if dot and not name.isdecimal() else host
    return {"ese_url": host, "ese_gw_url": gateway}


def _claims(request: Request, settings: Settings, endpoints: list[str], roles: list[str]) -> dict[str, Any]:
    return {
        "user_id": _ROOT_USER,
        "account_id": ACCOUNT,
        "account_admin": True,
        "email": settings.email,
        "allowed_endpoints": endpoints,
        "csp_enabled": True,
        "csp_roles": roles,
        "csp_metadata": {"urls": _urls(request, settings)},
        "cspm_url": f"https://{request.headers.get('host', 'localhost')}",
        "user_groups_admin": [],
        "user_groups_user": [],
        "audit": False,
    }


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None
