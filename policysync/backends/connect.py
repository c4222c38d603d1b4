"""From a target of policysync.yaml to a backend that is ready to be read and written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from policysync.backends.aqua import (
    EMBEDDED,
    EMBEDDED_PASSWORD,
    EMBEDDED_USER,
    Aqua,
    Password,
    announced_header,
    console_url,
)
from policysync.backends.connection import Timeouts
from policysync.backends.http import Http, Local
from policysync.backends.memory import Memory
from policysync.backends.port import Again, Backend
from policysync.backends.session import Method, Session
from policysync.backends.tls import Tls
from policysync.clock import Clock, SystemClock
from policysync.documents.project import Limits, Target
from policysync.errors import PolicySyncError, Refused
from policysync.kinds.kind import Kind
from policysync.secret import Secret

Secrets = Callable[[str], Secret]
"""Returns what a reference such as `${env:NAME}` stands for."""

_log = logging.getLogger(__name__)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OPTIONS = frozenset({"verify", "ca_file", "hosts"})


@dataclass(frozen=True, slots=True)
class Means:
    """What a factory makes a backend from, besides the target."""

    kinds: Mapping[str, Kind]
    secrets: Secrets
    again: Again[Any]
    limits: Limits
    local: Local | None
    clock: Clock


def connect(
    target: Target,
    kinds: Mapping[str, Kind],
    *,
    secrets: Secrets,
    again: Again[Any],
    limits: Limits,
    local: Local | None = None,
    clock: Clock | None = None,
) -> Backend:
    """Return the backend of a target. Nothing is sent before it is used.

    Args:
        again: runs a read again while it is Unavailable.
        local: answers in process; needed by targets with `url: embedded:NAME`.

    Raises:
        PolicySyncError: the target cannot be used as it is written; names the target.
    """
    factory = BACKENDS.get(target.backend)
    if factory is None:
        known = ", ".join(sorted(BACKENDS))
        raise PolicySyncError(f"target {target.name}: backend {target.backend!r} is not served here; known are {known}")
    try:
        return factory(target, Means(kinds, secrets, again, limits, local, clock or SystemClock()))
    except Refused as error:
        raise Refused(f"target {target.name}: {error}") from error


def _aqua(target: Target, means: Means) -> Backend:
    unknown = sorted(set(target.options) - _OPTIONS)
    if unknown:
        raise Refused(f"unknown option {unknown[0]!r}; known are {', '.join(sorted(_OPTIONS))}")
    embedded = target.url.startswith(EMBEDDED)
    if embedded and means.local is None:
        raise Refused(f"{target.url} needs an embedded console, and none was given")
    local = means.local
    base = target.url if embedded else console_url(target.url)
    http = Http(
        means.clock,
        # The limit spares a shared console; one in this process has nobody else to serve.
        rate=None if local else means.limits.requests_per_second,
        local=local,
        tls=Tls(bool(target.options.get("verify", True)), str(target.options.get("ca_file", ""))),
        timeouts=Timeouts(connect=min(10.0, means.limits.timeout), read=means.limits.timeout),
    )
    if base.startswith("http://") and urlsplit(base).hostname not in _LOOPBACK and local is None:
        _log.warning("target %s: %s is not encrypted: credentials travel in the clear", target.name, base)
    method = _method(target, means.secrets, embedded=embedded)
    host = "http://embedded" if embedded else base
    header = str(target.auth.get("header", ""))
    session = Session(http, host, method, means.clock, header=header, announced=announced_header)
    hosts = {name: _url(url) for name, url in dict(target.options.get("hosts", {})).items()}
    if local is not None:
        hosts.setdefault("supply-chain", session.base)
    return Aqua(
        session, means.kinds, identity=base, again=means.again, hosts=hosts, parallelism=means.limits.parallelism
    )


def _method(target: Target, secrets: Secrets, *, embedded: bool) -> Method:
    auth = dict(target.auth)
    name = auth.get("method", "password")
    if name not in METHODS:
        raise Refused(f"auth.method {name!r} is not known; want {' or '.join(sorted(METHODS))}")
    if embedded:
        auth = {"user": EMBEDDED_USER, "password": Secret(EMBEDDED_PASSWORD), **auth}
    return METHODS[name](auth, secrets)


def _password(auth: Mapping[str, Any], secrets: Secrets) -> Method:
    return Password(_value(auth, "user", secrets).reveal(), _secret(auth, "password", secrets))


def _value(auth: Mapping[str, Any], name: str, secrets: Secrets) -> Secret:
    """Return a member of `auth`, which may be a reference or stand there as it is."""
    value = auth.get(name)
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str) or not value:
        raise Refused(f"auth.{name} is missing; want a reference such as ${{env:NAME}}")
    return secrets(value) if value.startswith("${") else Secret(value)


def _secret(auth: Mapping[str, Any], name: str, secrets: Secrets) -> Secret:
    value = auth.get(name)
    if isinstance(value, str) and value and not value.startswith("${"):
        raise Refused(f"auth.{name} stands in the file itself; want a reference such as ${{env:NAME}}")
    return _value(auth, name, secrets)


def _url(text: Any) -> str:
    """Return the address of a further host; unlike a console's it may have a path."""
    written = str(text).rstrip("/")
    path = urlsplit(written if "://" in written else f"https://{written}").path
    return console_url(written) + path


def _memory(target: Target, means: Means) -> Backend:
    return Memory(means.kinds, identity=f"memory:{target.name}")


METHODS: Mapping[str, Callable[[Mapping[str, Any], Secrets], Method]] = {"password": _password}
BACKENDS: Mapping[str, Callable[[Target, Means], Backend]] = {"aqua": _aqua, "memory": _memory}
