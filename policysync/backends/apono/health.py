"""What Apono says of a connector and of an integration, as signs.

Source: reference, connectors 4.5 and 4.7, apono-api.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policysync.backends.port import Level, Sign

_CONNECTOR, _INTEGRATION = "health/connector", "health/integration"
_WITH_GROUPS = "1.7.8"
_LEVELS = {"Active": Level.OK, "Initializing": Level.WARNING, "Refreshing": Level.WARNING, "Warning": Level.WARNING}
_UNREACHABLE = (
    (re.compile(r"^Connector (.+) is unreachable\.?$"), "connector-unreachable"),
    (re.compile(r"^Integration (.+) is unreachable\.?$"), "integration-unreachable"),
    (re.compile(r"^Secret (.+) is unreachable\.?$"), "secret-unreachable"),
)
"""Messages the vendor documents. Source: reference, apono-api, unreachable_reasons."""


def connector_signs(found: Mapping[str, Any] | None, spec: Mapping[str, Any], name: str) -> Iterator[Sign]:
    """Yield how a connector is. `spec` is what git says of it, empty where only its name is known."""
    if found is None:
        message = (
            f"Apono has never seen connector {name}: it shows when its process first connects, within five minutes"
        )
        yield Sign(_CONNECTOR, Level.UNKNOWN, "never-connected", message)
        return
    status = str(found.get("status") or "")
    if not status:
        yield Sign(_CONNECTOR, Level.UNKNOWN, "unreadable", f"Apono does not say how connector {name} is")
        return
    if status.upper() != "CONNECTED":
        seen = found.get("last_connected") or "never"
        message = f"connector {name} is {status}, last seen {seen}; is its service running, can it dial out?"
        yield Sign(_CONNECTOR, Level.ERROR, "disconnected", message)
        return
    yield Sign(_CONNECTOR, Level.OK, "", f"connector {name} is connected, version {found.get('version') or 'unknown'}")
    yield from _version(found, spec)
    yield from _sessions(found, spec)


def integration_sign(live: Mapping[str, Any]) -> Sign:
    """Return how an integration is."""
    status = str(live.get("status") or "").capitalize()
    if not status:
        return Sign(_INTEGRATION, Level.UNKNOWN, "unreadable", "Apono does not say how it is")
    message = str(live.get("status_message") or live.get("message") or "")
    reason = next((code for pattern, code in _UNREACHABLE if pattern.match(message)), f"integration-{status.lower()}")
    level = _LEVELS.get(status, Level.ERROR)
    return Sign(
        _INTEGRATION,
        level,
        "" if level is Level.OK else reason,
        f"it is {status}: {message}" if message else f"it is {status}",
    )


def _version(found: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[Sign]:
    wanted = spec.get("minimumVersion") or (_WITH_GROUPS if spec.get("eks", {}).get("groups") else "")
    version = str(found.get("version") or "")
    if not _numbers(version):
        yield Sign("health/version", Level.UNKNOWN, "version-unknown", "Apono does not say which version it has")
    elif wanted and _numbers(version) < _numbers(wanted):
        message = f"version {version} is older than {wanted}; move the module, or take the vendor's newest template"
        yield Sign("health/version", Level.ERROR, "version-below-minimum", message)
    elif not found.get("is_latest_version", True):
        yield Sign("health/version", Level.WARNING, "not-latest", f"version {version} is not the newest")
    else:
        yield Sign("health/version", Level.OK, "", f"version {version} will do")


def _sessions(found: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[Sign]:
    if not spec:
        return
    sessions = [each for each in found.get("sessions") or () if isinstance(each, Mapping)]
    accounts = {str(account) for each in sessions if (account := _account(each))}
    others = sorted(accounts - {spec["aws"]["accountId"]})
    wanted = spec["install"].get("terraform", {}).get("numberOfInstances", 1)
    if others:
        message = f"sessions come from account {', '.join(others)}: another connector uses this id"
        yield Sign("health/sessions", Level.ERROR, "session-of-another-account", message)
    elif len(sessions) < wanted:
        message = f"{len(sessions)} of {wanted} instances are connected"
        yield Sign("health/sessions", Level.WARNING, "fewer-sessions", message)
    else:
        yield Sign("health/sessions", Level.OK, "", f"{len(sessions)} instances are connected")


def _account(session: Mapping[str, Any]) -> Any:
    """Return the AWS account a session comes from; None where nothing says so."""
    metadata = session.get("metadata")
    cloud = metadata.get("cloud_provider_metadata") if isinstance(metadata, Mapping) else None
    return cloud.get("aws_account_id") if isinstance(cloud, Mapping) else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
