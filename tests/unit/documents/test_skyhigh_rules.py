"""The rules of Skyhigh's kinds: what a document may not say, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from policysync.documents.project import load_project
from policysync.documents.validate import validate
from policysync.documents.verdict import open_engine, verdict
from policysync.documents.worktree import WorkTree
from policysync.kinds.load import load_kinds
from policysync.pointer import join

KINDS = load_kinds()
ENGINES = [open_engine(name) for name in ("rust", "python")]
HOST = {"hostname": "sac-eu-01", "os": {"distribution": "rhel", "version": "9.1"}}
CONNECTOR: dict[str, Any] = {
    "name": "sac-eu-01",
    "connectorGroup": "eu",
    "host": HOST,
    "gateway": {"pop": "de"},
    "provisioningKeyFrom": {"env": "KEY"},
    "package": {"url": "https://artifacts.corp.example/PoPPackage.tar", "sha256": "0" * 64},
}
APPLICATION = {"protocol": "HTTPS", "host": "wiki.corp.example", "ports": "443", "connectorGroups": ["eu"]}


def host(**members: Any) -> dict[str, Any]:
    return {"host": {**HOST, **members}}


def serving(**members: Any) -> dict[str, Any]:
    return {"applications": [{"name": "wiki", "protocol": "HTTPS", "host": "x.example", "ports": "443", **members}]}


def told(over: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return pointer and code of everything that is wrong with a connector; both engines have to agree."""
    spec = {**CONNECTOR, **over}
    found = [
        {("/".join(f.path), f.code) for f in verdict(engine, KINDS["SecureAppConnector"], spec)} for engine in ENGINES
    ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    "over",
    [
        {},
        host(address="2001:db8::41"),
        host(address="fe80::1%eth0"),
        host(address="bastion_alias"),
        host(address="sac-eu-01.corp.example."),
        {"proxy": {"url": "http://[2001:db8::1]:65535/"}},
        {"proxy": {"url": "https://proxy.corp.example"}},
        {"proxy": {"url": "", "noProxy": ["internal.example"]}},
        {"gateway": {"host": "it.pa-wgcs.skyhigh.cloud"}},
        {"connectorGroup": "EU Rechenzentrum, Süd"},
        serving(host="*.example", ports=" 80 , 90 - 100,65535 "),
    ],
)
def test_what_is_right_is_taken(over: dict[str, Any]) -> None:
    assert told(over) == set()


@pytest.mark.parametrize(
    ("over", "at", "code"),
    [
        (host(os={"distribution": "ubuntu", "version": "24.04"}), "host/os/version", "os-unsupported"),
        (host(cpu=3), "host/cpu", "range"),
        (host(timezone="Europe/Berlin"), "host/timezone", "enum"),
        (host(hostname="a" * 64), "host/hostname", "length"),
        *(
            (host(address=text), "host/address", "address")
            for text in ("-oProxyCommand=x", "a b", "root@h", "h:22", "[::1]")
        ),
        (host(address="h\nx"), "host/address", "address"),
        ({"gateway": {"pop": "de", "host": "de.pa-wgcs.skyhigh.cloud"}}, "gateway", "gateway"),
        ({"provisioningKeyFrom": "eyJhIjoiYiJ9"}, "provisioningKeyFrom", "literal-secret"),
        ({"proxy": {"url": "http://user:password@10.1.1.1:8080"}}, "proxy/url", "proxy-url"),
        ({"proxy": {"url": "http://10.1.1.1:65536"}}, "proxy/url", "proxy-url"),
        ({"proxy": {"url": "http://10.1.1.1:80'$(id)'"}}, "proxy/url", "proxy-url"),
        ({"proxy": {"url": "http://10.1.1.1:80", "noProxy": ["a,b"]}}, "proxy/noProxy/0", "pattern"),
        ({"connectorGroup": "eu\nroot"}, "connectorGroup", "pattern"),
        (serving(ports="70000"), "applications/0/ports", "ports"),
        (serving(ports="0"), "applications/0/ports", "ports"),
        (serving(ports=443), "applications/0/ports", "ports"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(over: dict[str, Any], at: str, code: str) -> None:
    assert told(over) == {(at, code)}


def problems(root: Path, *documents: tuple[str, str, Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return pointer and code of what is wrong with some documents together."""
    (root / "policysync.yaml").write_text("version: 1\nstages: [{name: dev}]\n", encoding="utf-8")
    (root / "policies" / "base").mkdir(parents=True)
    texts = [
        yaml.safe_dump({"apiVersion": "policysync/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)})
        for kind, name, spec in documents
    ]
    (root / "policies" / "base" / "all.yaml").write_text("---\n".join(texts), encoding="utf-8")
    project = load_project(root, {})
    return {(p.pointer, p.code) for p in validate(WorkTree(root), project, project.stages, KINDS).problems}


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"host": "WIKI.corp.example"}, "same-application"),
        ({"host": "*.corp.example"}, "overlapping-application"),
        ({"host": "*.Corp.example", "ports": "22"}, "overlapping-application"),
        ({"host": "*.example.corp"}, ""),
        ({"host": "wiki.corp.example", "ports": "22"}, ""),
    ],
)
def test_hosts_of_applications_do_not_overlap(tmp_path: Path, other: dict[str, str], code: str) -> None:
    found = problems(
        tmp_path,
        ("ConnectorGroup", "eu", {}),
        ("PrivateApplication", "wiki", APPLICATION),
        ("PrivateApplication", "other", {**APPLICATION, **other}),
    )
    assert {said for _, said in found} == ({code} if code else set())


def test_two_machines_are_not_one_in_the_console(tmp_path: Path) -> None:
    second = {**CONNECTOR, "name": "second", "host": {**HOST, "hostname": "SAC-EU-01"}}
    found = problems(tmp_path, ("SecureAppConnector", "sac-eu-01", CONNECTOR), ("SecureAppConnector", "second", second))
    assert found == {(join(("spec", "host", "hostname")), "same-hostname")}
