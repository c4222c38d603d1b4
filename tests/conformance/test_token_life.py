"""A run outlives its token: every way to sign in, against a console that checks what it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from policysync.backends.connect import connect
from policysync.backends.port import Backend
from policysync.clock import FakeClock
from policysync.documents.project import Limits, Target
from policysync.emulator.embedded import Local
from policysync.emulator.settings import Settings
from policysync.kinds.kind import Kind
from policysync.secret import Secret

MINUTES = 10
SIGN_IN = ("/api/v1/login", "/v2/signin", "/v2/tokens")
METHODS = [{"method": "password"}, {"method": "saas-password"}, {"method": "api-key", "validity": MINUTES}]


class Replaceable:
    """A console in memory that can be replaced by a new one, which knows no token. Notes what was answered."""

    def __init__(self, kinds: Mapping[str, Kind], clock: FakeClock) -> None:
        self._kinds, self._clock = kinds, clock
        self._local = self._new()
        self.answers: list[tuple[str, int]] = []

    def __call__(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        status, received, content = self._local(method, target, headers, body)
        self.answers.append((target.partition("?")[0], status))
        return status, received, content

    def _new(self) -> Local:
        return Local(None, self._kinds, settings=Settings(token_life=MINUTES * 60), clock=self._clock)

    def replace(self) -> None:
        self.close()
        self._local = self._new()

    def close(self) -> None:
        self._local.close()

    @property
    def sign_ins(self) -> int:
        return sum(path in SIGN_IN for path, _ in self.answers)

    @property
    def refusals(self) -> int:
        return sum(status == 401 for _, status in self.answers)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def console(kinds: dict[str, Kind], clock: FakeClock) -> Iterator[Replaceable]:
    made = Replaceable(kinds, clock)
    yield made
    made.close()


@pytest.fixture(params=METHODS, ids=lambda auth: str(auth["method"]))
def backend(
    request: pytest.FixtureRequest, console: Replaceable, kinds: dict[str, Kind], clock: FakeClock
) -> Iterator[Backend]:
    def once(call: Callable[[], Any]) -> Any:
        return call()

    target = Target("dev", "aqua", "embedded:dev", request.param)
    made = connect(target, kinds, secrets=Secret, again=once, limits=Limits(8), local=console, clock=clock)
    yield made
    made.close()


def test_a_token_is_renewed_before_it_expires(
    backend: Backend, console: Replaceable, clock: FakeClock, kinds: dict[str, Kind]
) -> None:
    for _ in range(30):
        list(backend.list(kinds["Label"]))
        clock.sleep(60)
    assert (console.sign_ins, console.refusals) == (4, 0)


def test_a_token_the_console_forgot_is_renewed_once(
    backend: Backend, console: Replaceable, kinds: dict[str, Kind]
) -> None:
    list(backend.list(kinds["Label"]))
    console.replace()
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(lambda: list(backend.list(kinds["Label"]))) for _ in range(8)]
        assert len({tuple(each.result()) for each in found}) == 1
    assert console.sign_ins == 2
    assert console.refusals >= 1
