"""What Apono says of connectors and integrations, also when it says little or something odd."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.backends.apono.health import connector_signs, integration_sign
from policysync.backends.port import Level
from policysync.emulator.apono import connector

SPEC = {"connectorId": "eu-1", "aws": {"accountId": "111122223333"}, "install": {}, "minimumVersion": "1.7.8"}
GOOD = connector("eu-1", "111122223333", "us-east-1")


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({}, set()),
        ({"status": "DISCONNECTED"}, {"disconnected"}),
        ({"status": None}, {"unreadable"}),
        ({"version": "1.7.7"}, {"version-below-minimum"}),
        ({"version": None}, {"version-unknown"}),
        ({"version": "newest"}, {"version-unknown"}),
        ({"is_latest_version": False}, {"not-latest"}),
        ({"sessions": None}, {"fewer-sessions"}),
        ({"sessions": [None, {"metadata": None}, {"metadata": {"cloud_provider_metadata": "x"}}]}, set()),
        ({"sessions": connector("eu-1", "999988887777", "us-east-1")["sessions"]}, {"session-of-another-account"}),
    ],
)
def test_a_connector_is_told_by_what_apono_says(changed: dict[str, Any], reasons: set[str]) -> None:
    found = {sign.reason for sign in connector_signs({**GOOD, **changed}, SPEC, "eu-1") if sign.level is not Level.OK}
    assert found == reasons


def test_a_connector_apono_says_nothing_of_is_no_crash() -> None:
    (sign,) = connector_signs({"id": "eu-1"}, SPEC, "eu-1")
    assert sign.level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("said", "level", "reason"),
    [
        ({"status": "Active"}, Level.OK, ""),
        ({"status": "ACTIVE"}, Level.OK, ""),
        ({"status": "Warning"}, Level.WARNING, "integration-warning"),
        ({"status": "Error", "status_message": "Secret db is unreachable."}, Level.ERROR, "secret-unreachable"),
        ({"status": "Disabled"}, Level.ERROR, "integration-disabled"),
        ({"status": None}, Level.UNKNOWN, "unreadable"),
        ({}, Level.UNKNOWN, "unreadable"),
    ],
)
def test_an_integration_is_told_by_its_status(said: dict[str, Any], level: Level, reason: str) -> None:
    sign = integration_sign(said)
    assert (sign.level, sign.reason) == (level, reason)
