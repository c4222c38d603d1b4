"""What a machine says is read whatever the menu's layout is, and weighed against what a connector needs."""

from __future__ import annotations

import base64
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policysync.backends.port import Level
from policysync.backends.skyhigh.facts import SERVICES, Machine, machine_of, services_of
from policysync.backends.skyhigh.live import spec_of
from policysync.backends.skyhigh.options import options_of
from policysync.backends.skyhigh.signs import health, key_shape, nearest, preflight
from policysync.errors import Refused

SPEC: dict[str, Any] = {
    "gateway": {"pop": "de"},
    "host": {"hostname": "sac", "cpu": 4, "memoryGiB": 8, "diskGiB": 50, "varGiB": 25},
}
GOOD = Machine(
    "rhel", "9.1", 4, 7.6, 60, 25, "rw,relatime", "sac", "Etc/UTC", gateway_resolves=True,
    reaches={"de.pa-wgcs.skyhigh.cloud": True},
)  # fmt: skip


NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def reasons(machine: Machine, spec: dict[str, Any] | None = None) -> set[str]:
    return {sign.reason for sign in preflight(machine, spec or SPEC, NOW) if sign.level is not Level.OK}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("CWPP Logging: Running;CWPP CONNECTOR up;CWPP update - active;CWPP pop manager = running", 4),
        ("CWPP logging: not running;CWPP connector: inactive;CWPP update: failed;CWPP pop manager: stopped", 0),
        ("CWPP logging (active)\nCWPP connector (exited)", 1),
        ("", 0),
    ],
)
def test_services_are_known_by_name_in_any_layout(text: str, count: int) -> None:
    assert len(services_of(text)) == count


@pytest.mark.parametrize("printed", ["", "Last login: today", "{broken", '{"os": null}', "[1]"])
def test_anything_but_the_probe_is_refused(printed: str) -> None:
    with pytest.raises(Refused):
        machine_of(printed)


def test_what_a_profile_prints_before_the_probe_does_not_count() -> None:
    assert machine_of('Welcome!\n{"os":{"id":"ubuntu","version":"22.04"},"cpu":4}\n').cpu == 4


def test_a_machine_as_it_should_be_has_nothing_to_remark_on() -> None:
    assert reasons(GOOD) == set()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"version": "9.4"}, "os-unsupported"),
        ({"distribution": "debian"}, "os-unsupported"),
        ({"cpu": 2}, "cpu-too-small"),
        ({"memory": 7.4}, "memory-too-small"),
        ({"disk": 40}, "disk-too-small"),
        ({"var": 20}, "var-too-small"),
        ({"cpu": None}, "unreadable"),
        ({"var_options": "rw,noexec"}, "var-noexec"),
        ({"squashfs_disabled": True}, "squashfs-disabled"),
        ({"timezone": "Europe/Berlin"}, "not-utc"),
        ({"hostname": "other"}, "other-hostname"),
        ({"gateway_resolves": False}, "gateway-unresolved"),
        ({"resolves": {"wiki.corp": False}}, "host-unresolved"),
        ({"reaches": {"de.pa-wgcs.skyhigh.cloud": False}}, "gateway-blocked"),
        ({"reaches": {"myshn.net": False}}, "outbound-blocked"),
    ],
)
def test_each_need_has_a_code_of_its_own(changed: dict[str, Any], reason: str) -> None:
    fields = {name: getattr(GOOD, name) for name in Machine.__slots__}
    assert reasons(Machine(**{**fields, **changed})) == {reason}


@pytest.mark.parametrize(("seconds", "found"), [(-301, {"clock-differs"}), (-299, set()), (301, {"clock-differs"})])
def test_a_clock_that_differs_is_told(seconds: int, found: set[str]) -> None:
    there = int((NOW + timedelta(seconds=seconds)).timestamp())
    assert reasons(dataclasses.replace(GOOD, epoch=there)) == found


def test_without_a_proxy_the_machine_itself_knows_the_gateway() -> None:
    without = {**SPEC, "proxy": {"url": "", "noProxy": ["internal.example"]}}
    assert reasons(dataclasses.replace(GOOD, gateway_resolves=False), without) == {
        "gateway-unresolved",
        "no-proxy-without-proxy",
    }
    assert reasons(dataclasses.replace(GOOD, gateway_resolves=False), {**SPEC, "proxy": {"url": "http://p:1"}}) == set()


def test_tunnels_of_others_on_the_machine_do_not_count() -> None:
    stated = {**SPEC, "name": "sac"}
    machine = dataclasses.replace(GOOD, tunnels=4, record={"gateway": "de.pa-wgcs.skyhigh.cloud"})
    assert spec_of(machine, stated)["running"]["tunnels"] == 2


def test_a_larger_machine_that_git_asks_for_is_asked_of_the_machine() -> None:
    assert reasons(GOOD, {**SPEC, "host": {**SPEC["host"], "cpu": 8}}) == {"cpu-too-small"}


def test_the_nearest_gateway_is_named() -> None:
    assert nearest(48.2, 16.4)[0].code == "de"
    far = {
        **SPEC,
        "gateway": {"pop": "sg"},
        "host": {**SPEC["host"], "location": {"latitude": 48.2, "longitude": 16.4}},
    }
    assert "gateway-far" in reasons(GOOD, far)
    assert "gateway-unknown" in reasons(GOOD, {**SPEC, "gateway": {"host": "at.pa-wgcs.skyhigh.cloud"}})


@pytest.mark.parametrize(
    ("tunnels", "running", "connector", "found"),
    [
        (2, SERVICES, "1.0.0.3", set()),
        (1, SERVICES, "1.2", {"tunnel-down"}),
        (0, SERVICES[:3], "1.0.0.2", {"tunnels-down", "service-down", "version-old"}),
        (2, SERVICES, "", {"version-unknown"}),
    ],
)
def test_health(tunnels: int, running: tuple[str, ...], connector: str, found: set[str]) -> None:
    signs = health(Machine(tunnels=tunnels, running=running, connector=connector))
    assert {sign.reason for sign in signs if sign.level is not Level.OK} == found


def test_the_shape_of_a_key_is_never_more_than_a_warning() -> None:
    assert key_shape(base64.b64encode(b'{"id": "x"}').decode()).level is Level.OK
    assert {key_shape(key).level for key in ("", "not base64", base64.b64encode(b"[1]").decode())} == {Level.WARNING}


@pytest.mark.parametrize("written", [{"vai": "ssh"}, {"via": "telnet"}, {"identity_file": 1}, {"connect_seconds": -1}])
def test_options_are_held_to_their_form(written: dict[str, Any], tmp_path: Any) -> None:
    with pytest.raises(Refused):
        options_of(written, tmp_path)


def test_a_record_somebody_else_wrote_is_named_and_an_empty_one_is_none() -> None:
    head = '{"os":{"id":"ubuntu","version":"22.04"},"record":'
    assert machine_of(f"{head}null}}").record == {}
    assert machine_of(head + json.dumps('{"begun": true}') + "}").record == {"begun": True}
    for kept in ("{half", "[1]"):
        with pytest.raises(Refused, match=r"installed\.json on the machine is not what policysync left there"):
            machine_of(head + json.dumps(kept) + "}")
