"""Requests to an API server, over a port, and what becomes of its answers."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from systems.kube_standin.cluster import Failure
from systems.kube_standin.server import TOKEN, Asked, StandIn

from policysync.backends.kubernetes.client import Client
from policysync.backends.kubernetes.failures import Conflict, Forbidden, Missing, Outdated
from policysync.backends.kubernetes.target import connect_client
from policysync.backends.means import Means
from policysync.clock import SystemClock
from policysync.documents.project import Limits, Target
from policysync.errors import OutcomeUnknown, Refused, Unavailable
from policysync.secret import Secret

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def server() -> Iterator[StandIn]:
    server = StandIn().start()
    yield server
    server.stop()


def connected(folder: Path, url: str = "", auth: Any = None, **options: Any) -> Client:
    limits = Limits(requests_per_second=1_000_000.0, timeout=60.0)
    means = Means({}, lambda _: Secret(TOKEN), lambda call: call(), limits, None, SystemClock(), folder)
    return connect_client(Target("eu", "kubernetes", url, auth or {}, options), means)


@pytest.fixture
def client(server: StandIn, tmp_path: Path) -> Iterator[Client]:
    server.kubeconfig(tmp_path / "config")
    client = connected(tmp_path, kubeconfig="config")
    yield client
    client.close()


def body(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app": name[0]}},
        "data": data,
    }


def test_objects_come_and_go(client: Client) -> None:
    client.post(MAPS, body("a", x="1"))
    assert client.get(f"{MAPS}/a")["data"] == {"x": "1"}
    client.merge(f"{MAPS}/a", {"data": {"y": "2"}})
    client.put(f"{MAPS}/a", {**client.get(f"{MAPS}/a"), "data": {"z": "3"}})
    assert client.get(f"{MAPS}/a")["data"] == {"z": "3"}
    client.delete(f"{MAPS}/a")
    with pytest.raises(Missing, match="404"):
        client.get(f"{MAPS}/a")


def test_a_list_has_all_pages_and_keeps_to_its_selectors(server: StandIn, client: Client) -> None:
    sort = server.cluster.sort("", "configmaps")
    for number in range(1203):
        server.cluster.write(sort, "default", f"m{number:04}", {"metadata": {"labels": {"odd": str(number % 2)}}}, "x")
    assert sum(1 for _ in client.list(MAPS, names_only=True)) == 1203
    assert sum(1 for _ in client.list(MAPS, labels="odd=1")) == 601
    assert [held["metadata"]["name"] for held in client.list(MAPS, fields="metadata.name=m0007")] == ["m0007"]


def test_a_dry_run_keeps_nothing(client: Client) -> None:
    client.apply(f"{MAPS}/a", body("a", x="1"), dry=True)
    with pytest.raises(Missing):
        client.get(f"{MAPS}/a")


def test_what_pods_say_is_text(server: StandIn, client: Client) -> None:
    server.logs["aqua", "connector-1"] = "connection established with remote server\n"
    server.answers["aqua", "connector-1:8080/proxy/health"] = (200, "fine")
    pod = "/api/v1/namespaces/aqua/pods/connector-1"
    assert client.text(f"{pod}/log").startswith("connection established")
    assert client.text(f"{pod}:8080/proxy/health") == "fine"


def test_rbac_is_asked_without_doing_anything(server: StandIn, client: Client) -> None:
    server.cluster.forbidden |= {("create", "secrets")}
    assert client.may("patch", "secrets", namespace="aqua")
    assert not client.may("create", "secrets", namespace="aqua")


@pytest.mark.parametrize(
    ("code", "reason", "of_read", "of_write"),
    [
        (401, "Unauthorized", Refused, Refused),
        (403, "Forbidden", Forbidden, Forbidden),
        (404, "NotFound", Missing, Missing),
        (409, "AlreadyExists", Refused, Refused),
        (409, "Conflict", Outdated, Outdated),
        (410, "Expired", Unavailable, Unavailable),
        (415, "UnsupportedMediaType", Refused, Refused),
        (422, "Invalid", Refused, Refused),
        (429, "TooManyRequests", Unavailable, Unavailable),
        (500, "InternalError", Unavailable, OutcomeUnknown),
        (503, "ServiceUnavailable", Unavailable, Unavailable),
        (504, "Timeout", Unavailable, OutcomeUnknown),
    ],
)
def test_each_answer_is_one_of_our_failures(
    server: StandIn, client: Client, *, code: int, reason: str, of_read: type[Exception], of_write: type[Exception]
) -> None:
    def fail(_: Asked) -> str | None:
        raise Failure(code, reason, "the reason of the server")

    server.meddle = fail
    with pytest.raises(of_read, match="the reason of the server") as read:
        client.get(f"{MAPS}/a")
    with pytest.raises(of_write, match="the reason of the server") as written:
        client.post(MAPS, body("a"))
    assert (read.type, written.type) == (of_read, of_write)


def test_a_lost_answer_is_unknown_after_a_write_and_nothing_after_a_read(server: StandIn, client: Client) -> None:
    server.meddle = lambda _: "drop"
    with pytest.raises(OutcomeUnknown):
        client.post(MAPS, body("a"))
    with pytest.raises(Unavailable):
        client.get(f"{MAPS}/a")
    server.meddle = lambda _: None
    assert client.get(f"{MAPS}/a")["metadata"]["name"] == "a"


def test_a_conflict_names_every_field_and_who_has_it(server: StandIn, client: Client) -> None:
    sort = server.cluster.sort("", "configmaps")
    server.cluster.write(sort, "default", "a", body("a", x="1"), "kubectl-edit")
    theirs = {"metadata": {"name": "a"}, "data": {"y": "2"}}
    server.cluster.apply(sort, "default", "a", theirs, "flux", force=False, strict=False, dry=False)
    with pytest.raises(Conflict, match=r"\.data\.x belongs to kubectl-edit; \.data\.y belongs to flux") as conflict:
        client.apply(f"{MAPS}/a", body("a", x="9", y="9"))
    assert [(each.manager, each.operation) for each in conflict.value.owned] == [
        ("kubectl-edit", "Update"),
        ("flux", "Apply"),
    ]


def test_a_token_may_come_from_a_reference_and_never_stands_in_the_file(server: StandIn, tmp_path: Path) -> None:
    client = connected(tmp_path, server.url, {"token": "${env:TOKEN}"})
    assert client.get("/version")["gitVersion"]
    client.close()
    with pytest.raises(Refused, match="reference such as"):
        connected(tmp_path, server.url, {"token": TOKEN})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contxt": "eu"}, "unknown option 'contxt'"),
        ({"context": 5}, "options.context is 5; want a text, a number in quotes"),
        ({"wait": True}, "want a whole number"),
        ({"in_cluster": True}, "KUBERNETES_SERVICE_HOST"),
    ],
)
def test_a_target_that_cannot_be_used_says_why(
    tmp_path: Path, options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Refused, match=message):
        connected(tmp_path, **options)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=cluster.test", "-days", "2"]
    names = ["-addext", "subjectAltName=DNS:cluster.test"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    (folder / "both.pem").write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return folder


Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def over_tls(certificate: Path, tmp_path: Path) -> Iterator[Callable[[Edit], Client]]:
    with ExitStack() as stack:
        server = StandIn(certificate / "both.pem").start()
        stack.callback(server.stop)
        ca = base64.b64encode((certificate / "cert.pem").read_bytes()).decode()
        file = server.kubeconfig(tmp_path / "config", ca=ca)

        def connect(edit: Edit) -> Client:
            said = yaml.safe_load(file.read_text(encoding="utf-8"))
            edit(said["clusters"][0]["cluster"])
            file.write_text(yaml.safe_dump(said), encoding="utf-8")
            client = connected(tmp_path, kubeconfig="config")
            stack.callback(client.close)
            return client

        yield connect


def test_a_certificate_is_checked_against_the_authority_and_the_name(over_tls: Callable[[Edit], Client]) -> None:
    named = {"tls-server-name": "cluster.test"}
    assert over_tls(lambda cluster: cluster.update(named)).get("/version")["gitVersion"]
    with pytest.raises(Refused, match="certificate that is not trusted"):
        over_tls(lambda cluster: cluster.pop("tls-server-name")).get("/version")
    with pytest.raises(Refused, match="certificate that is not trusted"):
        over_tls(lambda cluster: [cluster.pop("certificate-authority-data"), cluster.update(named)]).get("/version")


def test_without_checks_a_warning_is_written(
    over_tls: Callable[[Edit], Client], caplog: pytest.LogCaptureFixture
) -> None:
    assert over_tls(lambda cluster: cluster.update({"insecure-skip-tls-verify": True})).get("/version")["gitVersion"]
    assert "NOT verified" in caplog.text


@pytest.mark.parametrize(
    "said",
    [
        *(b"[]", b'"x"', b"null", b"{}"),
        b'{"kind":"ConfigMap","metadata":[]}',
        b'{"kind":"List","metadata":{},"items":5}',
        b'{"kind":"PodList","metadata":{},"items":[{},3]}',
        b'{"kind":"Deployment","metadata":{"name":"a"},"spec":{}}',
    ],
)
def test_what_no_api_server_says_is_a_failure_and_never_an_object(
    server: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(server, "answer", lambda _: (200, "application/json", said))
    with pytest.raises(Unavailable, match="no answer of an API server"):
        client.get(f"{MAPS}/a")
    with pytest.raises(Unavailable, match="no answer of an API server"):
        list(client.list(MAPS))
