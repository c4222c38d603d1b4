"""The backend: reads, writes, previews and checks the stacks of one account and region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.backends.cloudformation.check import Check
from policysync.backends.cloudformation.failures import Taken
from policysync.backends.cloudformation.options import Options
from policysync.backends.cloudformation.preview import Preview
from policysync.backends.cloudformation.reading import Reading
from policysync.backends.cloudformation.stacks import Stacks
from policysync.backends.cloudformation.writing import Writing
from policysync.backends.means import Means
from policysync.backends.port import Facts, Sign
from policysync.kinds.kind import Kind
from policysync.plan.change import Change
from policysync.plan.diff import diff
from policysync.state.resource import Address, Resource


class CloudFormation:
    """One account and region."""

    def __init__(self, stacks: Stacks, options: Options, means: Means) -> None:
        self._stacks = stacks
        self._again = means.again
        self._kinds = means.kinds
        self._check = Check(stacks, means)
        self._reading = Reading(stacks, means.secrets, means.root)
        self._writing = Writing(stacks, means, options.minutes)
        self._preview = Preview(stacks, self._writing, means, change_sets=options.change_sets)

    def probe(self) -> Facts:
        """Say whose credentials these are; see `port.Backend`."""
        caller = self._again(self._stacks.account.caller)
        return Facts(version="cloudformation", identity=f"{caller}/{self._stacks.account.region}")

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """Remember what git states: a stack is found by its name; see `port.Backend`."""
        self._reading.expected.update(stated)

    def forget(self, unstated: frozenset[Address]) -> None:
        """Hear what git does not state any more; see `port.Forgets`."""
        self._reading.unstated = unstated

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the live resources of a kind; see `port.Backend`."""
        yield from self._again(lambda: list(self._reading.read(kind, names)))

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the resources of a kind that stacks here stand for."""
        found = self._again(lambda: [stack.of for stack in self._stacks.ours(kind.name)])
        yield from sorted(Address.parse(resource).name for resource in found)

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change and wait for its end; see `port.Backend`."""
        if change.after is not None:
            self._reading.expected[change.address] = change.after.spec
        try:
            self._writing.write(change, kind)
        except Taken:
            # Whoever asks twice for what is there has got what was asked for.
            if change.before is not None or change.after is None or not self._is_there(kind, change.after):
                raise

    def _is_there(self, kind: Kind, after: Resource) -> bool:
        live = next(iter(self._reading.read(kind, frozenset({after.address.name}))), None)
        if live is None or live.hindrance is not None:
            return False
        return not diff(kind.root, after.spec, live.spec, last=after.spec)

    def preview(self, change: Change, kind: Kind) -> tuple[str, ...]:
        """Return what a change would do inside its stack; see `port.Previews`."""
        return self._preview.of(change, kind)

    def check(self, resource: Resource) -> Iterator[Sign]:
        """Say whether a resource can be made, and how it is; see `port.Checks`."""
        yield from self._check.signs(self._kinds[resource.address.kind], resource)

    def close(self) -> None:
        """Let go of connections."""
        self._stacks.close()
