"""The console on a port, spoken to over real HTTP."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from policysync.emulator.console import Console
from policysync.emulator.exchange import Request, Response
from policysync.emulator.faults import Fault, FaultPlan
from policysync.emulator.serve import Server
from policysync.emulator.store import Store
from policysync.kinds.load import Kinds

Serve = Callable[..., httpx.Client]


@pytest.fixture
def served(small_kinds: Kinds) -> Iterator[Serve]:
    """Serve a console with faults and return a client that is signed in."""
    opened: list[tuple[Server, Console, httpx.Client]] = []

    def serve(*faults: Fault) -> httpx.Client:
        console = Console(small_kinds, Store(), faults=FaultPlan(faults))
        server = Server(console)
        server.start()
        client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False)
        opened.append((server, console, client))
        login = client.post("/api/v1/login", json={"id": "administrator", "password": "emulator"})
        client.headers["Authorization"] = f"Bearer {login.json()['token']}"
        return client

    yield serve
    for server, console, client in opened:
        client.close()
        server.stop()
        console.close()


def test_an_object_from_create_to_delete(served: Serve) -> None:
    client = served()
    made = client.post("/api/v2/doors", json={"name": "a b/c"})
    assert (made.status_code, made.json()["name"]) == (201, "a b/c")
    assert client.put("/api/v2/doors/a%20b%2Fc", json={"colour": "red"}).status_code == 204
    assert client.get("/api/v2/doors/a%20b%2Fc").json()["colour"] == "red"
    assert client.delete("/api/v2/doors/a%20b%2Fc").status_code == 204
    missing = client.get("/api/v2/doors/a%20b%2Fc")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/json; charset=UTF-8")


def test_a_delete_with_a_body_and_a_query(served: Serve) -> None:
    client = served()
    client.post("/api/v2/notes", json={"comment": "c", "issues": [{"topic": "a"}, {"topic": "b"}]})
    gone = client.request("DELETE", "/api/v2/notes/multiple", json={"issues": [{"topic": "a"}]})
    assert gone.status_code == 204
    page = client.get("/api/v2/notes", params={"pagesize": "1", "order_by": "-name"}).json()
    assert (page["pagesize"], [note["topic"] for note in page["result"]]) == (1, ["b"])


def test_a_large_body(served: Serve) -> None:
    client = served()
    client.post("/api/v2/doors", json={"name": "big", "keys": [f"{number:08}" for number in range(50_000)]})
    assert len(client.get("/api/v2/doors/big").json()["keys"]) == 50_000


def test_no_body_no_length(served: Serve) -> None:
    client = served()
    answer = client.put("/api/v2/doors/Front", json={"colour": "red"})
    assert (answer.content, "content-length" in answer.headers) == (b"", False)


def test_a_dropped_connection_reaches_the_client_as_one(served: Serve) -> None:
    client = served(Fault(method="POST", path="/api/v2/*", drop="after", times=1))
    with pytest.raises(httpx.TransportError):
        client.post("/api/v2/doors", json={"name": "shed"})
    assert client.get("/api/v2/doors/shed").status_code == 200


def test_a_dropped_connection_before_the_work(served: Serve) -> None:
    client = served(Fault(method="POST", path="/api/v2/*", drop="before", times=1))
    with pytest.raises(httpx.TransportError):
        client.post("/api/v2/doors", json={"name": "shed"})
    assert client.get("/api/v2/doors/shed").status_code == 404


def test_a_cut_body_promises_more_than_comes(served: Serve) -> None:
    client = served(Fault(method="GET", truncate=20, times=1))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/api/v2/doors")
    assert client.get("/api/v2/doors").status_code == 200


def test_a_proxy_that_is_down(served: Serve) -> None:
    answer = served(Fault(status=502, retry_after=2)).get("/api/v2/doors")
    assert (answer.status_code, answer.headers["content-type"], answer.headers["retry-after"]) == (
        502,
        "text/html",
        "2",
    )


DOORS = b"/api/v2/doors"


def spoken(client: httpx.Client, raw: bytes, *, ends: bool = False) -> bytes:
    """Send bytes as they are and return all that comes back. With `ends` nothing more will be sent."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=10) as wire:
        wire.sendall(raw.replace(b"BEARER", client.headers["Authorization"].encode()))
        if ends:
            wire.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: wire.recv(1 << 16), b""))


ONCE = b"Host: h\r\nConnection: close\r\nAuthorization: BEARER\r\n"
ODD: Mapping[str, tuple[bytes, int]] = {
    "no HTTP at all": (b"hello world\r\n\r\n", 400),
    "a path that is not ASCII": (b"GET /api/v2/doors/\xc3\xa9 HTTP/1.1\r\n" + ONCE + b"\r\n", 400),
    "no host": (b"GET " + DOORS + b" HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    "a length below zero": (b"POST " + DOORS + b" HTTP/1.1\r\n" + ONCE + b"Content-Length: -1\r\n\r\n", 400),
    "a chunk without a length": (
        b"POST " + DOORS + b" HTTP/1.1\r\n" + ONCE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        400,
    ),
    "a method nobody knows": (b"FOO " + DOORS + b" HTTP/1.1\r\n" + ONCE + b"\r\n", 405),
    "a name that is not UTF-8": (b"GET " + DOORS + b"/%ff%fe HTTP/1.1\r\n" + ONCE + b"\r\n", 404),
    "an empty body": (b"POST " + DOORS + b" HTTP/1.1\r\n" + ONCE + b"Content-Length: 0\r\n\r\n", 400),
}


@pytest.mark.parametrize("what", ODD)
def test_what_cannot_be_answered_is_refused_with_a_message_and_a_code(served: Serve, what: str) -> None:
    raw, status = ODD[what]
    head, _, body = spoken(served(), raw).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == json.loads(body)["code"] == status
    assert json.loads(body)["message"]


TAKEN: Mapping[str, bytes] = {
    "HTTP/1.0": b"GET " + DOORS + b"/Front HTTP/1.0\r\nAuthorization: BEARER\r\n\r\n",
    "the whole address": b"GET http://h" + DOORS + b"/Front?a=b HTTP/1.1\r\n" + ONCE + b"\r\n",
    "a slash at the end": b"GET " + DOORS + b"/Front/ HTTP/1.1\r\n" + ONCE + b"\r\n",
    "a body in chunks": b"PUT /api/v2/doors/Front HTTP/1.1\r\n" + ONCE + b"Transfer-Encoding: chunked\r\n\r\n"
    b'5\r\n{"col\r\n9\r\nour":"red\r\n2\r\n"}\r\n0\r\n\r\n',
    "asking first": b"PUT /api/v2/doors/Front HTTP/1.1\r\n" + ONCE + b"Expect: 100-continue\r\n"
    b'Content-Length: 16\r\n\r\n{"colour":"red"}',
}


@pytest.mark.parametrize("how", TAKEN)
def test_other_ways_to_ask_are_understood(served: Serve, how: str) -> None:
    said = spoken(served(), TAKEN[how])
    assert b" 200 OK" in said or b" 204 No Content" in said


def test_a_client_that_has_said_all_still_gets_its_answers(served: Serve) -> None:
    asked = b"GET " + DOORS + b"/Front HTTP/1.1\r\nHost: h\r\nAuthorization: BEARER\r\n\r\n"
    assert spoken(served(), asked + asked, ends=True).count(b" 200 OK") == 2


def test_a_request_that_never_arrived_whole_is_not_carried_out(served: Serve) -> None:
    client = served()
    head = b"PUT /api/v2/doors/Front HTTP/1.1\r\nHost: h\r\nAuthorization: BEARER\r\nContent-Length: 400\r\n\r\n"
    assert spoken(client, head + b'{"colour":"red"}', ends=True) == b""
    assert client.get("/api/v2/doors/Front").json()["colour"] != "red"


def test_head_is_a_read_without_its_body(served: Serve) -> None:
    client = served()
    assert client.head("/api/v2/doors/Front").status_code == 200
    assert client.head("/api/v2/doors/none").status_code == 404


def test_a_path_says_what_may_be_done_with_it_and_a_stranger_how_to_sign_in(served: Serve) -> None:
    client = served()
    assert client.patch("/api/v2/doors").headers["allow"] == "GET, POST"
    assert client.options("/api/v2/doors/Front").headers["allow"] == "GET, PUT, DELETE"
    client.headers.pop("Authorization")
    assert client.get("/api/v2/doors").headers["www-authenticate"] == 'Basic realm="console"'


def test_a_fault_of_the_console_itself_is_answered_and_shown(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def handle(self, request: Request) -> Response:
            raise RecursionError("too deep")

    server = Server(Broken())
    server.start()
    answer = httpx.get(f"http://127.0.0.1:{server.port}/api/v2/doors", trust_env=False)
    server.stop()
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error", "code": 500})
    assert "too deep" in caplog.text


_PROGRAM = """
import sys
from pathlib import Path
from policysync.emulator.serve import serve
from policysync.kinds.load import Kinds
serve("127.0.0.1", 0, Path(sys.argv[2]), Kinds([Path(sys.argv[1])]), ready=lambda port: print(port, flush=True))
print("closed", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_of_its_own_ends_in_good_order(small_kinds: Kinds, tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(small_kinds.folders[0]), str(tmp_path / "c.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/api")
        assert json.loads(connection.getresponse().read()) == {"authorization_header": "Authorization"}
        connection.close()
        process.send_signal(number)
        said, complained = process.communicate(timeout=60)
    assert (said, complained, process.returncode) == ("closed\n", "", 0)
