"""The console on a port, spoken to over real HTTP."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from policysync.emulator.console import Console
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
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/api")
        assert json.loads(connection.getresponse().read()) == {"authorization_header": "Authorization"}
        connection.close()
        process.send_signal(number)
        said, complained = process.communicate(timeout=20)
    assert (said, complained, process.returncode) == ("closed\n", "", 0)
