"""Waiting for a stack, and telling what happens meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from policysync.backends.cloudformation.described import Described
from policysync.backends.cloudformation.failures import told
from policysync.backends.cloudformation.stacks import Stacks
from policysync.clock import Clock
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable

FIRST, LONGEST = 0.1, 5.0
"""Seconds between two looks: short at first, because a small change takes no time."""

_log = logging.getLogger(__name__)


class Watch:
    """Follows one operation on one stack."""

    def __init__(self, stacks: Stacks, clock: Clock, seconds: float, token: str) -> None:
        """`token` is the operation's own, by which its events are told from older ones."""
        self._stacks = stacks
        self._clock = clock
        self._seconds = seconds
        self._token = token
        self._seen: set[str] = set()

    def end_of(self, stack_id: str) -> Described | None:
        """Return the stack once nothing is in progress any more; None when it is gone.

        Raises:
            OutcomeUnknown: it takes longer than anybody waits here, or nobody may look any more.
        """
        until, pause = self._clock.monotonic() + self._seconds, FIRST
        while True:
            stack, known = self._look(stack_id)
            if known and (stack is None or not stack.in_progress):
                return stack
            if self._clock.monotonic() >= until:
                status = f" (it is {stack.status})" if stack else ""
                raise OutcomeUnknown(f"{stack_id} is still being changed after {self._seconds / 60:.0f} min{status}")
            self._clock.sleep(pause)
            pause = min(LONGEST, pause * 2)

    def failures(self, stack_id: str) -> list[str]:
        """Return what the operation's events say went wrong, the first thing first."""
        events = [event for event in self._events(stack_id) if event["ResourceStatus"].endswith("_FAILED")]
        said = [
            f"{event['LogicalResourceId']} ({event.get('ResourceType', '')}): {event['ResourceStatusReason']}"
            for event in reversed(events)
            if event.get("ResourceStatusReason")
        ]
        return [told(text) for text in dict.fromkeys(said)]

    def _look(self, stack_id: str) -> tuple[Described | None, bool]:
        # The operation is under way whatever happens to a question about it.
        try:
            stack = self._stacks.named(stack_id)
        except Unavailable as error:
            _log.info("%s", error)
            return None, False
        except Refused as error:
            raise OutcomeUnknown(f"{stack_id} is being changed, and how that ends cannot be seen: {error}") from error
        self._tell(stack_id)
        return stack, True

    def _tell(self, stack_id: str) -> None:
        for event in reversed(self._events(stack_id)):
            if event["EventId"] not in self._seen:
                self._seen.add(event["EventId"])
                why = f": {event['ResourceStatusReason']}" if event.get("ResourceStatusReason") else ""
                _log.info("%s: %s %s%s", event["StackName"], event["LogicalResourceId"], event["ResourceStatus"], why)

    def _events(self, stack_id: str) -> list[Mapping[str, Any]]:
        """Return the events of the operation, newest first; none where they cannot be had: they decide nothing."""
        try:
            return list(self._told(stack_id))
        except BackendError as error:
            _log.info("the events of %s are not known: %s", stack_id, error)
            return []

    def _told(self, stack_id: str) -> Iterator[Mapping[str, Any]]:
        for event in self._stacks.account.pages(
            "cloudformation", "describe_stack_events", "StackEvents", StackName=stack_id
        ):
            if event.get("ClientRequestToken") != self._token:
                return
            yield event
