from __future__ import annotations

import signal
import threading

import pytest

from policysync.commands.stopping import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_insists_while_the_first_time_is_answered_is_heard(number: signal.Signals) -> None:
    stop, told = threading.Event(), list[str]()

    def say(text: str) -> None:
        told.append(text)
        signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt), interruptible(stop, say):
        signal.raise_signal(number)
    assert stop.is_set()
    assert len(told) == 1
