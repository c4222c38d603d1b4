from __future__ import annotations

import gzip
import logging
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.backends.wire import CLOSE, HANG, RESET, WireServer, http

from policysync.backends.connection import Timeouts
from policysync.backends.http import Http
from policysync.backends.tls import Tls
from policysync.clock import FakeClock
from policysync.errors import OutcomeUnknown, Refused, Unavailable

Serves = Callable[..., WireServer]
Sends = Callable[..., Http]


@pytest.fixture
def serving() -> Iterator[Serves]:
    servers: list[WireServer] = []

    def start(*scripts: list[bytes], **settings: Any) -> WireServer:
        servers.append(WireServer(list(scripts), **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sends]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    made: list[Http] = []

    def make(**settings: Any) -> Http:
        made.append(Http(FakeClock(), **{"timeouts": Timeouts(60.0, 60.0), **settings}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of its own making for 127.0.0.1, and the server side that shows it."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=console", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*make, *subject, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def test_the_path_goes_out_as_it_is(serving: Serves, sender: Sends) -> None:
    server = serving([http(201, b'{"a": 1}', "X-Some: Thing")])
    url = f"{server.url}/a%2Fb%25/..%20/%C3%B6?q=%26&r=a+b"
    answer = sender().send("POST", url, {"Authorization": "Bearer x"}, b'{"b": 2}', writes=True)
    assert (answer.status, answer.body, answer.headers["x-some"]) == (201, b'{"a": 1}', "Thing")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a%2Fb%25/..%20/%C3%B6?q=%26&r=a+b HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}".lower().encode() in head.lower()
    assert head.lower().count(b"content-length") == 1
    assert body == b'{"b": 2}'


def test_a_connection_is_kept(serving: Serves, sender: Sends) -> None:
    server = serving([http()] * 3)
    http_ = sender()
    for _ in range(3):
        http_.send("GET", f"{server.url}/", {})
    assert server.connections == 1


def test_a_connection_that_was_closed_while_idle_is_replaced(serving: Serves, sender: Sends) -> None:
    server = serving([http()], [http()])
    sends = sender()
    sends.send("GET", f"{server.url}/", {})
    while not server.ended:
        time.sleep(0.001)
    assert sends.send("POST", f"{server.url}/", {}, b"{}", writes=True).status == 200
    assert server.connections == 2


def test_a_read_on_a_stale_connection_is_sent_once_more(serving: Serves, sender: Sends) -> None:
    server = serving([http(), RESET], [http(200, b"[]")])
    sends = sender()
    sends.send("GET", f"{server.url}/", {})
    assert sends.send("GET", f"{server.url}/", {}).body == b"[]"


def test_a_write_on_a_stale_connection_is_not(serving: Serves, sender: Sends) -> None:
    server = serving([http(), RESET], [http()])
    sends = sender()
    sends.send("GET", f"{server.url}/", {})
    with pytest.raises(OutcomeUnknown, match=r"PUT /x: sent to 127\.0\.0\.1:\d+, but no whole answer came"):
        sends.send("PUT", f"{server.url}/x", {}, b"{}", writes=True)
    assert len(server.requests) == 2


def test_a_read_on_a_new_connection_is_not_sent_again(serving: Serves, sender: Sends) -> None:
    server = serving([CLOSE], [http()])
    with pytest.raises(Unavailable, match="no whole answer"):
        sender().send("GET", f"{server.url}/", {})
    assert server.connections == 1


@pytest.mark.parametrize(
    "piece",
    [
        CLOSE,
        RESET,
        HANG,
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"nonsense\r\n\r\n",
        http(200, b"not gzip at all", "Content-Encoding: gzip"),
    ],
    ids=["closed", "reset", "silent", "short", "chunk cut", "no http", "not gzip"],
)
def test_no_whole_answer(piece: bytes, serving: Serves, sender: Sends) -> None:
    server = serving([piece], [piece])
    sends = sender(timeouts=Timeouts(60.0, 0.3 if piece == HANG else 60.0))
    with pytest.raises(Unavailable, match="GET /x"):
        sends.send("GET", f"{server.url}/x", {})
    if piece != HANG:
        with pytest.raises(OutcomeUnknown, match="PUT /x"):
            sends.send("PUT", f"{server.url}/x", {}, b"{}", writes=True)


def test_a_compressed_answer_is_unpacked(serving: Serves, sender: Sends) -> None:
    server = serving([http(200, gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip")])
    assert sender().send("GET", f"{server.url}/", {}).body == b'{"a": 1}'


def test_a_write_that_was_never_sent_is_unavailable(serving: Serves, sender: Sends) -> None:
    server = serving()
    server.close()
    with pytest.raises(Unavailable, match=r"cannot reach 127\.0\.0\.1"):
        sender().send("POST", f"{server.url}/", {}, b"{}", writes=True)


def test_an_unknown_host_is_unavailable(sender: Sends) -> None:
    with pytest.raises(Unavailable, match=r"cannot reach console\.invalid"):
        sender().send("POST", "http://console.invalid/", {}, b"{}", writes=True)


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example.com"])
def test_a_name_that_cannot_be_looked_up_is_unavailable(host: str, sender: Sends) -> None:
    with pytest.raises(Unavailable, match="cannot reach"):
        sender().send("GET", f"http://{host}/", {})


def test_a_name_in_another_script_goes_out_encoded(
    serving: Serves, sender: Sends, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serving([http()])
    monkeypatch.setenv("http_proxy", proxy.url)
    assert sender().send("GET", "http://bücher.example/", {}).status == 200
    assert b"\r\nHost: xn--bcher-kva.example\r\n" in proxy.requests[0]
    with pytest.raises(Refused, match="is not the name of a host"):
        sender().send("GET", f"http://{'ü' * 70}.example/", {})


def test_a_certificate_is_checked(certificate: tuple[Path, ssl.SSLContext], serving: Serves, sender: Sends) -> None:
    server = serving([http()], tls=certificate[1])
    with pytest.raises(Refused, match=r"certificate that is not trusted.*ca_file"):
        sender().send("GET", f"https://127.0.0.1:{server.port}/", {})


def test_a_private_authority_is_trusted_when_named(
    certificate: tuple[Path, ssl.SSLContext], serving: Serves, sender: Sends
) -> None:
    server = serving([http()], tls=certificate[1])
    sends = sender(tls=Tls(ca_file=str(certificate[0])))
    assert sends.send("GET", f"https://127.0.0.1:{server.port}/", {}).status == 200


def test_a_bundle_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(Refused, match=name):
            _ = Tls(ca_file=str(tmp_path / name)).context


def test_checking_can_be_switched_off_but_not_quietly(
    certificate: tuple[Path, ssl.SSLContext], serving: Serves, sender: Sends, caplog: pytest.LogCaptureFixture
) -> None:
    server = serving([http()], tls=certificate[1])
    with caplog.at_level(logging.WARNING):
        assert sender(tls=Tls(verify=False)).send("GET", f"https://127.0.0.1:{server.port}/", {}).status == 200
    assert "NOT verified" in caplog.text


def test_http_goes_through_the_proxy(serving: Serves, sender: Sends, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serving([http()])
    monkeypatch.setenv("http_proxy", f"http://joe:p%40ss@127.0.0.1:{proxy.port}")
    assert sender().send("GET", "http://console.invalid/a?b", {}).status == 200
    head = proxy.requests[0]
    assert head.startswith(b"GET http://console.invalid:80/a?b HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic am9lOnBAc3M=" in head


def test_https_goes_through_a_tunnel(
    certificate: tuple[Path, ssl.SSLContext], serving: Serves, sender: Sends, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serving([b"HTTP/1.1 200 Connected\r\n\r\n", http(200, b'"in"')], tls=certificate[1], tunnels=True)
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
    answer = sender(tls=Tls(ca_file=str(certificate[0]))).send("GET", "https://127.0.0.1:8443/a", {})
    assert answer.body == b'"in"'
    assert proxy.requests[0].startswith(b"CONNECT 127.0.0.1:8443 ")


def test_a_proxy_that_says_no_is_refused(serving: Serves, sender: Sends, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serving([b"HTTP/1.1 407 Who are you\r\n\r\n"])
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
    with pytest.raises(Refused, match="proxy does not let us through"):
        sender().send("GET", "https://console.invalid/", {})


def test_some_hosts_need_no_proxy(serving: Serves, sender: Sends, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serving([http()])
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "example.com,127.0.0.1")
    assert sender().send("GET", f"{server.url}/", {}).status == 200


@pytest.mark.parametrize(
    ("raised", "reads", "writes"),
    [
        (ConnectionRefusedError("no"), Unavailable, Unavailable),
        (ConnectionResetError("gone"), Unavailable, OutcomeUnknown),
        (TimeoutError("late"), Unavailable, OutcomeUnknown),
    ],
)
def test_a_console_in_process_fails_like_one_on_a_port(
    raised: OSError, reads: type[Exception], writes: type[Exception], sender: Sends
) -> None:
    def broken(*_: Any) -> Any:
        raise raised

    sends = sender(local=broken)
    with pytest.raises(reads):
        sends.send("GET", "http://embedded/", {})
    with pytest.raises(writes):
        sends.send("POST", "http://embedded/", {}, b"{}", writes=True)


def test_requests_keep_to_the_rate() -> None:
    clock = FakeClock()
    sends = Http(clock, rate=10, local=lambda *_: (200, [], b""))
    for _ in range(23):
        sends.send("GET", "http://embedded/", {})
    assert clock.monotonic() == pytest.approx(2.0)
    sends.close()
