from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest

from policysync.documents.secrets import resolver
from policysync.errors import PolicySyncError


class Store(ThreadingHTTPServer):
    """Answers requests by a table: `GET /path` or an AWS target → status and JSON. What it was asked is noted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.table: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(f"GET {self.path}", None)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(self.headers.get("X-Amz-Target", ""), body)

    def _answer(self, what: str, body: Any) -> None:
        self.server.asked.append((what, {n.lower(): v for n, v in self.headers.items()}, body))
        status, said = self.server.table.get(what, (404, {"errors": []}))
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def store() -> Iterator[Store]:
    server = Store()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def resolve(reference: str, **environ: str) -> str:
    return resolver(environ, Path())(reference).reveal()


# Vault


@pytest.mark.parametrize(
    ("answer", "secret"),
    [
        ({"data": {"data": {"password": "hunter2222"}, "metadata": {"version": 2}}}, "hunter2222"),
        ({"data": {"password": "hunter2222"}}, "hunter2222"),
        ({"data": {"password": 12345}}, "12345"),
    ],
    ids=["version 2", "version 1", "a number"],
)
def test_a_field_of_a_vault_secret(store: Store, answer: Any, secret: str) -> None:
    store.table["GET /v1/secret/data/aqua"] = (200, answer)
    environ = {"VAULT_ADDR": store.url, "VAULT_TOKEN": "s.token-0001", "VAULT_NAMESPACE": "team"}
    assert resolve("${vault:/secret/data/aqua#password}", **environ) == secret
    headers = store.asked[0][1]
    assert (headers["x-vault-token"], headers["x-vault-namespace"]) == ("s.token-0001", "team")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, {"errors": []}), "nothing at this path in http://127.*MOUNT/data/NAME"),
        ((403, {"errors": ["permission denied"]}), "does not give it out: permission denied"),
        ((503, {"errors": ["Vault is sealed"]}), "does not give it out: Vault is sealed"),
        ((200, {"data": {"data": {"user": "joe"}, "metadata": {}}}), "has no field password"),
        ((200, {"data": {"data": None, "metadata": {}}}), "has no field password"),
        ((200, {"data": {"password": {"a": 1}}}), "has no field password, or no text in it"),
    ],
)
def test_a_vault_that_gives_nothing(store: Store, answer: tuple[int, Any], message: str) -> None:
    store.table["GET /v1/secret/data/aqua"] = answer
    with pytest.raises(PolicySyncError, match=rf"\$\{{vault:secret/data/aqua#password\}}: .*{message}"):
        resolve("${vault:secret/data/aqua#password}", VAULT_ADDR=store.url, VAULT_TOKEN="s.token-0001")


def test_a_vault_that_is_not_there() -> None:
    with pytest.raises(PolicySyncError, match=r"http://127\.0\.0\.1:1 does not give it out"):
        resolve("${vault:secret/x#password}", VAULT_ADDR="http://127.0.0.1:1", VAULT_TOKEN="s.token-0001")


# AWS


@pytest.fixture
def aws(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Secrets Manager, where every AWS tool of this process finds it."""
    for name, value in {
        "AWS_ENDPOINT_URL": store.url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example-key-0001",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return store


GET = "secretsmanager.GetSecretValue"
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:aqua-AbCdEf"


@pytest.mark.parametrize(
    ("reference", "secret", "region", "asked"),
    [
        ("${aws-secret:prod/aqua}", '{"password": "hunter2222"}', "us-west-2", "prod/aqua"),
        ("${aws-secret:prod/aqua#password}", "hunter2222", "us-west-2", "prod/aqua"),
        ("${aws-secret:eu-north-1:prod/aqua#password}", "hunter2222", "eu-north-1", "prod/aqua"),
        (f"${{aws-secret:{ARN}#password}}", "hunter2222", "eu-central-1", ARN),
    ],
)
def test_a_secret_of_aws(aws: Store, reference: str, secret: str, region: str, asked: str) -> None:
    aws.table[GET] = (200, {"Name": "aqua", "SecretString": '{"password": "hunter2222"}'})
    assert resolve(reference, AWS_REGION="us-west-2") == secret
    _, headers, body = aws.asked[0]
    assert body == {"SecretId": asked}
    assert f"/{region}/secretsmanager/" in headers["authorization"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((400, {"__type": "ResourceNotFoundException", "message": "can't find it"}), "does not give it out: .*find it"),
        ((400, {"__type": "AccessDeniedException", "message": "not authorized"}), "does not give it out"),
        ((200, {"SecretBinary": "aGk="}), "holds bytes and no text"),
        ((200, {"SecretString": "plain"}), "is not JSON, so it has no field password"),
        ((200, {"SecretString": "[1]"}), "has no field password"),
    ],
)
def test_a_secret_aws_does_not_give(aws: Store, answer: tuple[int, Any], message: str) -> None:
    aws.table[GET] = answer
    with pytest.raises(PolicySyncError, match=rf"\$\{{aws-secret:aqua#password\}}: .*{message}"):
        resolve("${aws-secret:aqua#password}", AWS_REGION="us-west-2")


def test_aws_without_a_region_is_told(aws: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(PolicySyncError, match="does not give it out: You must specify a region"):
        resolve("${aws-secret:aqua}")


# Keyring


class InMemory(keyring.backend.KeyringBackend):
    priority = 1
    locked = False

    def set_password(self, service: str, username: str, password: str) -> None:
        setattr(self, f"{service}/{username}", password)

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("it is locked")
        return getattr(self, f"{service}/{username}", None)


@pytest.fixture
def ring() -> Iterator[InMemory]:
    before, ours = keyring.get_keyring(), InMemory()  # type: ignore[no-untyped-call]  # the library's
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def test_a_password_in_the_keyring(ring: InMemory) -> None:
    ring.set_password("https://aqua.example.com", "joe", "hunter2222")
    assert resolve("${keyring:https://aqua.example.com/joe}") == "hunter2222"


def test_a_keyring_that_gives_nothing(ring: InMemory) -> None:
    with pytest.raises(PolicySyncError, match=r"keyring has no password of joe for aqua"):
        resolve("${keyring:aqua/joe}")
    ring.locked = True
    with pytest.raises(PolicySyncError, match="the keyring does not open: it is locked"):
        resolve("${keyring:aqua/joe}")


@pytest.mark.parametrize(
    ("reference", "module", "extra"),
    [
        ("${keyring:aqua/joe}", "keyring", "keyring"),
        ("${vault:secret/x#y}", "hvac", "vault"),
        ("${aws-secret:x}", "boto3", "aws"),
    ],
)
def test_what_is_not_installed_is_named(
    reference: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PolicySyncError, match=rf"needs more to be installed: pip install 'policysync\[{extra}\]'"):
        resolve(reference)
