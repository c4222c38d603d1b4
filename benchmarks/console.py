"""A console in a process of its own, with latency; and the least a client can do to read it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from benchmarks.timing import PYTHON, environ
from policysync.emulator.faults import FaultPlan
from policysync.emulator.serve import serve
from policysync.kinds.load import load_kinds

_LIST = "/api/v2/assurance_policy/image"
_PAGE = 200


@contextmanager
def console(seed: Path, latency: float) -> Iterator[int]:
    """Run a console that holds what `seed` says and waits `latency` seconds before each answer; give its port."""
    line = [PYTHON, "-m", "benchmarks.console", str(seed), str(latency)]
    with subprocess.Popen(line, env=environ(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def read_everything(port: int, connections: int) -> float:
    """Return how long a bare pool of threads takes to read every image assurance policy of a console."""
    started = time.perf_counter()
    first = HTTPConnection("127.0.0.1", port)
    body = json.dumps({"id": "administrator", "password": "emulator"})
    token = json.loads(_answer(first, "POST", "/api/v1/login", {}, body))["token"]
    headers = {"Authorization": f"Bearer {token}"}
    names = list(_names(first, headers))
    first.close()
    own = threading.local()

    def fetch(name: str) -> int:
        if not hasattr(own, "connection"):
            own.connection = HTTPConnection("127.0.0.1", port)
        return len(json.loads(_answer(own.connection, "GET", f"{_LIST}/{quote(name, safe='')}", headers)))

    with ThreadPoolExecutor(connections) as pool:
        fields = sum(pool.map(fetch, names))
    assert fields > len(names)
    return time.perf_counter() - started


def _names(connection: HTTPConnection, headers: dict[str, str]) -> Iterator[str]:
    page = 1
    while True:
        answer = json.loads(_answer(connection, "GET", f"{_LIST}?page={page}&pagesize={_PAGE}", headers))
        if not answer["result"]:
            return
        yield from (item["name"] for item in answer["result"])
        page += 1


def _answer(connection: HTTPConnection, method: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    content = response.read()
    assert response.status == 200, content
    return content


def main(seed: str, latency: str) -> None:
    """Serve until terminated; the port is the only line on stdout."""
    serve(
        "127.0.0.1",
        0,
        None,
        load_kinds(),
        seed=Path(seed),
        faults=FaultPlan((), float(latency), 0),
        ready=lambda port: print(port, flush=True),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
