"""Finding stacks: by name, by the mark they carry, and their outputs, also in other accounts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from policysync.backends.cloudformation.account import Account
from policysync.backends.cloudformation.described import GONE, Described, described
from policysync.backends.cloudformation.failures import Absent
from policysync.errors import BackendError, Refused
from policysync.render.stack import Output

_log = logging.getLogger(__name__)


class Stacks:
    """The stacks of one account and region.

    `peers` makes the accounts of the other targets of the stage, when an output is not found here.
    """

    def __init__(self, account: Account, peers: Sequence[Callable[[], Account]] = ()) -> None:
        self.account = account
        self._peers = peers
        self._opened: list[Account] = []
        self.pending: dict[str, Callable[[], object]] = {}
        """What waits for the end of an operation of ours, by the name of its stack."""

    def named(self, name: str) -> Described | None:
        """Return the stack with a name or id; None when there is none, or when it was deleted."""
        try:
            (found,) = self.account.call("cloudformation", "describe_stacks", StackName=name)["Stacks"]
        except Absent:
            return None
        stack = described(found)
        return None if stack.status == GONE else stack

    def ours(self, kind: str = "") -> Iterator[Described]:
        """Yield the stacks that carry our mark and stand for a resource, all or those of a kind."""
        yield from _ours(self.account, kind)

    def output(self, wanted: Output) -> str:
        """Return an output of the stack of another resource; empty when that does not exist yet.

        Raises:
            Refused: the stack is there and has no such output, or an account cannot be read.
        """
        resource = f"{wanted.kind}/{wanted.name}"
        for account in self._accounts():
            stack = next((stack for stack in _ours(account, wanted.kind) if stack.of == resource), None)
            if stack is None:
                continue
            if wanted.key not in stack.outputs:
                known = ", ".join(sorted(stack.outputs)) or "none"
                raise Refused(f"stack {stack.name} of {resource} has no output {wanted.key}; it has {known}")
            return stack.outputs[wanted.key]
        return ""

    def output_if_known(self, wanted: Output) -> str:
        """Return an output; empty also where it cannot be read, which is logged."""
        try:
            return self.output(wanted)
        except BackendError as error:
            _log.warning("the output %s of %s/%s is not known: %s", wanted.key, wanted.kind, wanted.name, error)
            return ""

    def close(self) -> None:
        """Let go of connections."""
        for account in (self.account, *self._opened):
            account.close()

    def _accounts(self) -> Iterator[Account]:
        yield self.account
        for index, peer in enumerate(self._peers):
            if index >= len(self._opened):
                self._opened.append(peer())
            yield self._opened[index]


def _ours(account: Account, kind: str) -> Iterator[Described]:
    for found in account.pages("cloudformation", "describe_stacks", "Stacks"):
        stack = described(found)
        if stack.of and not stack.nested and stack.status != GONE and (not kind or stack.of.startswith(f"{kind}/")):
            yield stack
