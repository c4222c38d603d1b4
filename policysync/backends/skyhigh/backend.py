"""Connectors on machines: read by a probe, installed by the vendor's installer.

Source: reference, connectors 3. Nothing changes a connector in place, and nothing uninstalls one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from policysync.backends.means import Means
from policysync.backends.port import Facts, Level, Sign
from policysync.backends.secret_source import resolve
from policysync.backends.skyhigh import install, signs
from policysync.backends.skyhigh.facts import SERVICES, Machine, machine_of
from policysync.backends.skyhigh.live import KEPT, TUNNELS, spec_of
from policysync.backends.skyhigh.remote import Machines, Ran, address_of
from policysync.errors import BackendError, NotServed, Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.render.skyhigh_probe import probe_script, probe_seconds
from policysync.state.normalize import live_spec
from policysync.state.resource import Address, Hindrance, Resource

KIND = "SecureAppConnector"
_KEEP_SECONDS = 60
_REBUILD = "take the connector out in the console (POP Management), rebuild the machine, and apply again"


class Skyhigh:
    """The machines of one target."""

    def __init__(self, machines: Machines, means: Means, *, identity: str) -> None:
        self._machines = machines
        self._means = means
        self._identity = identity
        self._expected: dict[str, Mapping[str, Any]] = {}

    def probe(self) -> Facts:
        """Say what is there; there is no service to ask. See `port.Backend`."""
        return Facts(version="skyhigh", identity=self._identity)

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """Hear where the machines are; see `port.Backend`."""
        self._expected = {address.name: spec for address, spec in stated.items() if address.kind == KIND}

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the connectors that are there; see `port.Backend`."""
        if kind.name != KIND:
            raise NotServed(f"no interface serves {kind.name}", "no-interface")
        wanted = sorted(name for name in self._expected if names is None or name in names)
        if not wanted:
            return
        with ThreadPoolExecutor(min(len(wanted), self._means.limits.parallelism)) as pool:
            for resource in pool.map(lambda name: self._live(kind, name), wanted):
                if resource is not None:
                    yield resource

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the connectors that are there; only those git or the ledger knows can be found."""
        yield from (resource.address.name for resource in self.read(kind))

    def write(self, change: Change, kind: Kind) -> None:
        """Install a connector, record what only git says of one, or let one go; see `port.Backend`."""
        if change.after is None:
            if change.before is None:
                raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")
            self._script(change.before.spec, install.retire_script(), _KEEP_SECONDS)
        elif change.action is Action.CREATE:
            self._install(change.after)
        else:
            self._update(change, change.after, kind)

    def check(self, resource: Resource) -> Iterator[Sign]:
        """Yield what there is to say of a machine and its connector; see `port.Checks`."""
        if resource.address.kind != KIND:
            return
        spec = resource.spec
        try:
            machine = self._settled(spec, network=True)
        except BackendError as error:
            yield Sign("preflight/ssh", Level.ERROR, "host-unreachable", str(error))
            return
        yield Sign("preflight/ssh", Level.OK, "", f"{address_of(spec['host'])} lets us in")
        yield from self._key_sign(spec)
        yield from signs.preflight(machine, spec, self._means.clock.now())
        if machine.installed:
            yield from signs.health(machine)
        else:
            yield Sign("health/installed", Level.UNKNOWN, "not-installed", "no connector is installed yet")

    def close(self) -> None:
        """Nothing to let go of."""

    def _live(self, kind: Kind, name: str) -> Resource | None:
        stated = self._expected[name]
        address = Address(kind.name, name)
        try:
            machine = self._settled(stated)
        except Refused as error:
            return Resource(address, {}, hindrance=Hindrance("unreadable", "host-refused", str(error)))
        except BackendError as error:
            return Resource(address, {}, hindrance=Hindrance("unreadable", "host-unreachable", str(error)))
        # An installation that began and did not end is done again.
        gone = machine.record.get("retired") or machine.record.get("begun")
        if gone or not (machine.installed or machine.record):
            return None
        if "gateway" not in machine.record:
            where = address_of(stated["host"])
            said = f"{where} has a connector that policysync did not install; {_REBUILD}"
            return Resource(address, {}, hindrance=Hindrance("unreadable", "installed-by-others", said))
        return Resource(address, live_spec(kind, spec_of(machine, stated)), id=address_of(stated["host"]))

    def _settled(self, spec: Mapping[str, Any], *, network: bool = False) -> Machine:
        """Return a machine as it is; one whose connector looks ill is looked at twice, for short losses are normal."""
        machine = self._probed(spec, network=network)
        if machine.record and not _is_well(machine):
            self._means.clock.sleep(self._machines.options.settle_seconds)
            machine = self._probed(spec, network=network)
        return machine

    def _probed(self, spec: Mapping[str, Any], *, network: bool = False) -> Machine:
        script = probe_script(spec, network=network)

        def ask() -> Machine:
            ran = self._machines.run(spec["host"], script, seconds=probe_seconds(spec, network=network))
            return machine_of(ran.out)

        found: Machine = self._means.again(ask)
        return found

    def _install(self, after: Resource) -> None:
        spec = after.spec
        key = resolve(spec["provisioningKeyFrom"], self._means.secrets)
        machine = self._probed(spec, network=True)
        found = signs.preflight(machine, spec, self._means.clock.now())
        wrong = [sign for sign in found if sign.level is Level.ERROR]
        if wrong:
            raise Refused("the machine is not ready: " + "; ".join(sign.message for sign in wrong))
        minutes = self._machines.options.install_minutes
        self._script(spec, install.install_script(spec, key), 60 * minutes)

    def _update(self, change: Change, after: Resource, kind: Kind) -> None:
        if change.replace:
            raise Refused(f"nothing changes group, platform, gateway or proxy of an installed connector: {_REBUILD}")
        if change.before is None:
            raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")
        edits = diff(kind.root, after.spec, change.before.spec)
        beyond = sorted({".".join(edit.path) for edit in edits if edit.path[0] not in KEPT})
        if beyond:
            raise Refused(
                f"{', '.join(beyond)} is for the machine, not for policysync: see `policysync check {after.address}`"
            )
        self._script(after.spec, install.record_script(after.spec), _KEEP_SECONDS)

    def _script(self, spec: Mapping[str, Any], script: str, seconds: float) -> None:
        ran: Ran = self._machines.run(spec["host"], script, seconds=seconds, changes=True)
        if ran.status:
            raise Refused(
                f"{address_of(spec['host'])}: failed at {install.step_of(ran.out)} with status {ran.status}; "
                f"what the tools said is in {install.LOG} on the machine"
            )

    def _key_sign(self, spec: Mapping[str, Any]) -> Iterator[Sign]:
        try:
            yield signs.key_shape(resolve(spec["provisioningKeyFrom"], self._means.secrets).reveal().strip())
        except Refused as error:
            yield Sign("preflight/provisioning-key", Level.ERROR, "key-missing", str(error))


def _is_well(machine: Machine) -> bool:
    return machine.tunnels >= TUNNELS and len(machine.running) == len(SERVICES)
