"""Where a cluster is, as kubeconfig files and pods say it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from policysync.backends.kubernetes.kubeconfig import Access, files_of, from_files, inside
from policysync.errors import Refused


def written(path: Path, **changes: Any) -> Path:
    said = {
        "current-context": "eu",
        "clusters": [
            {"name": "c", "cluster": {"server": "https://api.example/", "certificate-authority-data": _b64("CA")}}
        ],
        "users": [{"name": "u", "user": {"token": "t0ken-value"}}],
        "contexts": [
            {"name": "eu", "context": {"cluster": "c", "user": "u", "namespace": "aqua"}},
            {"name": "us", "context": {"cluster": "missing", "user": "u"}},
        ],
        **changes,
    }
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    return path


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_the_current_context_leads_to_a_cluster(tmp_path: Path) -> None:
    access = from_files([written(tmp_path / "config")])
    assert access == Access(
        "https://api.example", "eu", "aqua", {"token": "t0ken-value"}, ca=b"CA", folder=tmp_path.resolve()
    )
    assert "t0ken" not in repr(access)


@pytest.mark.parametrize(
    ("context", "message"),
    [("asia", "no context 'asia'; there is eu, us"), ("us", "no cluster 'missing'; there is c")],
)
def test_what_is_not_there_is_named(tmp_path: Path, context: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        from_files([written(tmp_path / "config")], context)


@pytest.mark.parametrize("broken", [5, "text", {"a": 1}, [5, {"name": "eu", "context": [1]}]])
def test_what_is_no_list_of_entries_holds_none(tmp_path: Path, broken: Any) -> None:
    with pytest.raises(Refused, match="no context 'eu'; there is none"):
        from_files([written(tmp_path / "config", contexts=broken)])


def test_without_a_file_it_is_said_where_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"options\.kubeconfig"):
        from_files([tmp_path / "none"])


def test_a_broken_file_is_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("users: [{token: s3cret-in-here\n", encoding="utf-8")
    with pytest.raises(Refused, match="it is not YAML") as refused:
        from_files([file])
    assert "s3cret" not in str(refused.value)


def test_of_several_files_the_first_that_says_something_counts(tmp_path: Path) -> None:
    first = written(tmp_path / "a", users=[], contexts=[{"name": "eu", "context": {"cluster": "c", "user": "v"}}])
    second = written(tmp_path / "b", users=[{"name": "v", "user": {"tokenFile": "token"}}])
    access = from_files([first, tmp_path / "none", second])
    assert access.user == {"tokenFile": "token"}
    assert access.namespace == "default"


def test_files_come_from_the_option_the_environment_or_the_usual_place(tmp_path: Path) -> None:
    environ = {"KUBECONFIG": "/a::/b", "KUBE_EU": "/eu"}
    assert files_of({"kubeconfig": "clusters/eu.yaml"}, environ, tmp_path) == [tmp_path / "clusters/eu.yaml"]
    assert files_of({"kubeconfig_env": "KUBE_EU"}, environ, tmp_path) == [Path("/eu")]
    assert files_of({}, environ, tmp_path) == [Path("/a"), Path("/b")]
    assert files_of({}, {}, tmp_path) == [Path("~/.kube/config").expanduser()]
    with pytest.raises(Refused, match="KUBE_US is not set"):
        files_of({"kubeconfig_env": "KUBE_US"}, environ, tmp_path)
    with pytest.raises(Refused, match="want one of the two"):
        files_of({"kubeconfig": "a", "kubeconfig_env": "KUBE_EU"}, environ, tmp_path)


def test_a_pod_finds_its_own_cluster(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"CA")
    (tmp_path / "namespace").write_text("aqua\n", encoding="utf-8")
    access = inside({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path)
    assert (access.server, access.namespace, access.ca) == ("https://[fd00::1]:443", "aqua", b"CA")
    assert access.user == {"tokenFile": str(tmp_path / "token")}


def test_what_is_no_pod_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="KUBERNETES_SERVICE_HOST is not set"):
        inside({}, tmp_path)
    with pytest.raises(Refused, match="no service account"):
        inside({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, tmp_path)
