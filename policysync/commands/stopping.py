"""Being told to stop: Ctrl-C, a pipeline that is cancelled, a terminal that goes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]


def giving_back() -> AbstractContextManager[None]:
    """Let every way of being told to stop end the block as Ctrl-C does, so that what was taken is given back."""
    return _handled(_stops(), signal.default_int_handler)


@contextmanager
def interruptible(stop: threading.Event, say: Callable[[str], None]) -> Iterator[None]:
    """Let the first time only set `stop`; the second one ends the block."""

    def interrupted(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say("finishing what is being written; interrupt again to stop at once")

    with _handled([signal.SIGINT, *_stops()], interrupted):
        yield


def _stops() -> list[int]:
    """Return the signals besides Ctrl-C that mean it; one that is ignored (`nohup`) stays so."""
    known = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def _handled(numbers: Iterable[int], handler: Handler) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
