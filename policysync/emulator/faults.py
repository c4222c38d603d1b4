"""What can go wrong between a client and its console, on demand and repeatably."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

import orjson

from policysync.clock import Clock
from policysync.emulator.exchange import JSON, Request, Response

_SIGN_IN = ("/api/v1/login", "/v2/signin", "/v2/tokens", "/v1/envs")
_TEXT = ("content-type", "text/plain; charset=utf-8")
_HTML = ("content-type", "text/html")

# Reference, policies 2.1, 2.8 and 3.1: what proxies, gateways and overloaded consoles really answer.
_USUAL: Mapping[int, Response] = {
    401: Response(401, b'{"message":"Unauthorized","code":401}', (JSON,)),
    403: Response(403, b'{"message":"Forbidden","code":403}', (JSON,)),
    404: Response(404),
    415: Response(415, b"", (("content-type", "application/grpc"),)),
    429: Response(429, b"Too Many Requests\n", (_TEXT,)),
    500: Response(500, b'{"message":"ERROR: could not serialize access (SQLSTATE 40001)","code":500}', (JSON,)),
    502: Response(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", (_HTML,)),
    503: Response(503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", (_HTML,)),
    504: Response(504, b"<html><body><h1>504 Gateway Time-out</h1></body></html>", (_HTML,)),
}


class Dropped(ConnectionResetError):
    """The connection breaks and no answer comes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule: which calls it meets, and what happens to them.

    Attributes:
        method, path, kind: what it meets; globs for the first two. Signing in is met only where `path` says so.
        after: how many matching calls pass first.
        times: how many it meets then; None is all of them.
        probability: of meeting one of those, 0..1.
        delay: seconds before the answer.
        status, body, headers: the answer given instead; no body gives the usual one for that status.
        retry_after: the header of that name.
        empty: the answer loses its body.
        truncate: the connection breaks after so many bytes of the body.
        drop: the connection breaks before or after the work is done.
        worked: the work is done although `status` says otherwise.
        forget: members of the request that are lost on the way; it succeeds all the same.
    """

    method: str = "*"
    path: str = "*"
    kind: str = ""
    after: int = 0
    times: int | None = None
    probability: float = 1.0
    delay: float = 0.0
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    empty: bool = False
    truncate: int | None = None
    drop: Literal["", "before", "after"] = ""
    worked: bool = False
    forget: tuple[str, ...] = ()

    def meets(self, request: Request, kinds: Collection[str]) -> bool:
        if request.path in _SIGN_IN and self.path != request.path:
            return False
        right_call = fnmatchcase(request.method, self.method.upper()) and fnmatchcase(request.path, self.path)
        return right_call and (not self.kind or self.kind in kinds)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What one faults file says. `latency` is added to every answer; `seed` makes chance repeatable."""

    rules: tuple[Fault, ...] = ()
    latency: float = 0.0
    seed: int = 0


class Faults:
    """A fault plan while it runs; it counts the calls each rule has met."""

    def __init__(self, plan: FaultPlan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._met = [0] * len(plan.rules)
        self._chance = random.Random(plan.seed)  # noqa: S311  repeatable on purpose
        self._lock = threading.Lock()

    def around(self, request: Request, kinds: Collection[str], work: Callable[[Request], Response]) -> Response:
        """Return the answer to a request as the client sees it.

        Raises:
            Dropped: it sees none.
        """
        struck = self._struck(request, kinds)
        delay = self._plan.latency + sum(fault.delay for fault in struck)
        if delay:
            self._clock.sleep(delay)
        if any(fault.drop == "before" for fault in struck):
            raise Dropped("connection dropped before the request was carried out")
        instead = next((fault for fault in struck if fault.status is not None), None)
        forgotten = frozenset(name for fault in struck for name in fault.forget)
        reached = replace(request, body=_without(request.body, forgotten)) if forgotten else request
        response = work(reached) if instead is None or instead.worked else Response(0)
        for fault in struck:
            response = _changed(response, fault)
        if any(fault.drop == "after" for fault in struck):
            raise Dropped("connection dropped after the request was carried out")
        return response

    def _struck(self, request: Request, kinds: Collection[str]) -> list[Fault]:
        """Return the rules that strike this call. Of several that answer, the first one does."""
        struck = []
        with self._lock:
            for index, fault in enumerate(self._plan.rules):
                if fault.meets(request, kinds):
                    self._met[index] += 1
                    turn = self._met[index] - fault.after
                    in_time = turn > 0 and (fault.times is None or turn <= fault.times)
                    if in_time and self._chance.random() < fault.probability:
                        struck.append(fault)
        return struck


def _without(raw: bytes, names: Collection[str]) -> bytes:
    """Return a body without some members, at whatever depth its objects stand."""
    try:
        return orjson.dumps(_pruned(orjson.loads(raw), names))
    except orjson.JSONDecodeError:
        return raw


def _pruned(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(inner, names) for name, inner in value.items() if name not in names}
    return [_pruned(item, names) for item in value] if isinstance(value, list) else value


def _changed(response: Response, fault: Fault) -> Response:
    if fault.status is not None and response.status in (0, *range(200, 300)):
        response = _instead(fault.status, fault.body)
    if fault.empty:
        response = replace(response, body=b"")
    extra = tuple((name.lower(), value) for name, value in fault.headers.items())
    if fault.retry_after is not None:
        extra += (("retry-after", f"{fault.retry_after:g}"),)
    cut = response.cut if fault.truncate is None else fault.truncate
    return replace(response, headers=response.headers + extra, cut=cut)


def _instead(status: int, body: Any) -> Response:
    if body is None:
        return _USUAL.get(status, Response(status))
    if isinstance(body, str):
        return Response(status, body.encode(), (_HTML if body.lstrip().startswith("<") else _TEXT,))
    return Response(status, orjson.dumps(body), (JSON,))
