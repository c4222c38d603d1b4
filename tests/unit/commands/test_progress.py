"""What an apply says while it runs; it does not end because nobody can be told."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from datetime import UTC, datetime

import pytest

from policysync.apply.events import Event, Outcome, What
from policysync.commands.progress import progress
from policysync.plan.change import Action
from policysync.state.resource import Address

ENDED = Event(
    datetime(2026, 1, 1, tzinfo=UTC), What.ENDED, "console", Address("Label", "pci"), Action.CREATE, Outcome.APPLIED
)


class Gone(io.StringIO):
    """A terminal, or a pipe, whose other end is closed after `lasts` writes."""

    def __init__(self, terminal: bool, lasts: int) -> None:
        super().__init__()
        self.terminal = terminal
        self.lasts = lasts

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        self.lasts -= 1
        if self.lasts < 0:
            raise BrokenPipeError
        return super().write(text)


@pytest.mark.parametrize(("terminal", "lasts"), [(False, 0), (True, 0), (True, 3)])
def test_nobody_reads_it(terminal: bool, lasts: int) -> None:
    with redirect_stderr(Gone(terminal, lasts)), progress(2) as told:
        told(ENDED)
        told(ENDED)
