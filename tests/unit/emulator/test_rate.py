"""A limit on requests a second."""

from __future__ import annotations

from unit.emulator.conftest import Open

from policysync.clock import FakeClock
from policysync.emulator.rate import Rate


def test_a_second_holds_so_many(clock: FakeClock) -> None:
    rate = Rate(3, clock)
    assert [rate.refusal() is None for _ in range(4)] == [True, True, True, False]
    clock.sleep(0.34)
    assert [rate.refusal() is None for _ in range(2)] == [True, False]


def test_the_refusal_is_no_json(console: Open) -> None:
    one = console(rate=2)
    assert one.get("/api/v2/doors").status == 200
    refused = one.get("/api/v2/doors")
    assert (refused.status, refused.body, refused.headers["retry-after"]) == (429, b"Too Many Requests\n", "1")
