from __future__ import annotations

import logging
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.backends.conftest import once
from unit.backends.wire import WireServer, http

from policysync.backends.connect import connect
from policysync.backends.tls import Tls
from policysync.documents.project import Limits, Target
from policysync.errors import Refused
from policysync.secret import Secret

AUTH = {"user": "joe", "password": "${env:PASSWORD}"}


def openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority (ca.pem), a server's certificate for 127.0.0.1 and a client's, both signed by it."""
    folder = tmp_path_factory.mktemp("authority")
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(folder, *new, "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("server", "client"):
        openssl(folder, *new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        sign = ("x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
        openssl(folder, *sign, "-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", "names")
    (folder / "both.pem").write_text((folder / "client.pem").read_text() + (folder / "client.key").read_text())
    openssl(folder, "ec", "-aes256", "-passout", "pass:x", "-in", "client.key", "-out", "locked.key")
    return folder


@pytest.fixture
def server(authority: Path) -> Iterator[WireServer]:
    """A console that speaks to those only who show a certificate of its authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    token, rest = http(200, b'{"token": "token-one"}'), http(200, b'{"result": [], "count": 0}')
    made = WireServer([[token, rest, rest]] * 2, tls=context)
    yield made
    made.close()


def probe(server: WireServer, root: Path, **options: object) -> str:
    target = Target("t", "aqua", f"https://127.0.0.1:{server.port}", AUTH, options)
    backend = connect(target, {}, secrets=Secret, again=once, limits=Limits(timeout=60), root=root)
    try:
        return backend.probe().identity
    finally:
        backend.close()


@pytest.mark.parametrize(
    "ours", [{"client_cert": "client.pem", "client_key": "client.key"}, {"client_cert": "both.pem"}]
)
def test_paths_start_at_the_policy_repository(authority: Path, server: WireServer, ours: dict[str, str]) -> None:
    assert probe(server, authority, ca_file="ca.pem", **ours) == f"https://127.0.0.1:{server.port}"
    assert server.connections == 1


def test_another_authority_is_not_trusted(authority: Path, server: WireServer) -> None:
    with pytest.raises(Refused, match="certificate that is not trusted"):
        probe(server, authority, client_cert="both.pem")


def test_our_certificate_is_shown_without_verification_as_well(
    authority: Path, server: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert probe(server, authority, verify=False, client_cert="both.pem")
    assert caplog.text.count("NOT verified") == 1


@pytest.mark.parametrize(
    ("cert", "key"), [("gone.pem", ""), ("client.pem", ""), ("client.pem", "locked.key"), ("client.pem", "server.key")]
)
def test_a_certificate_that_cannot_be_shown_is_refused(authority: Path, cert: str, key: str) -> None:
    tls = Tls(client_cert=str(authority / cert), client_key=str(authority / key) if key else "")
    with pytest.raises(Refused, match=rf"{cert}: no client certificate"):
        _ = tls.context
