"""How an apply ended, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from policysync.apply.events import Outcome
from policysync.errors import Exit
from policysync.plan.change import Blockage, Change

GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED})
"""Outcomes after which live is what git states."""


@dataclass(frozen=True, slots=True)
class Done:
    """How one change ended.

    `fields` are the pointers of what the backend accepted and did not store. `stale` says that live was not what
    the plan was made from, so nothing was sent. `message` never holds a secret.
    """

    change: Change
    outcome: Outcome
    message: str = ""
    fields: tuple[str, ...] = ()
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a whole apply ended; one `Done` for each change, in the order of the plan.

    `blocked` is what git states and nobody could even look at.
    """

    target: str
    outcomes: tuple[Done, ...] = ()
    interrupted: bool = False
    blocked: tuple[Blockage, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """Return how many changes ended this way."""
        return sum(done.outcome is outcome for done in self.outcomes)

    @property
    def waits(self) -> bool:
        """Whether all that is missing waits for a person, or for what does."""
        bad = {done.outcome for done in self.outcomes if done.outcome not in GOOD}
        return Outcome.WAITING in bad and bad <= {Outcome.WAITING, Outcome.SKIPPED} and not self.blocked

    @property
    def status(self) -> Exit:
        """The exit status this apply earns."""
        bad = [done for done in self.outcomes if done.outcome not in GOOD]
        if not bad and not self.blocked:
            return Exit.DONE
        if self.count(Outcome.APPLIED) or self.waits:
            return Exit.PARTLY_APPLIED
        failed = [done for done in bad if done.outcome is not Outcome.SKIPPED]
        return Exit.STALE if failed and all(done.stale for done in failed) else Exit.ERROR
