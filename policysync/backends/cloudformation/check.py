"""Preflight and health of a resource that a stack stands for.

Source: reference, connectors 4.7 and 4.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from policysync.backends.apono.target import NAME as VENDOR
from policysync.backends.apono.target import apono
from policysync.backends.cloudformation.described import REVERTED, SUCCEEDED, Described
from policysync.backends.cloudformation.eks import cluster_signs
from policysync.backends.cloudformation.health import drift_signs, service_signs, stack_sign
from policysync.backends.cloudformation.network import network_signs
from policysync.backends.cloudformation.stacks import Stacks
from policysync.backends.cloudformation.template import differences, fitted, source_of, summary
from policysync.backends.means import Means
from policysync.backends.port import Checks, Level, Sign
from policysync.backends.secret_source import named, resolve
from policysync.errors import BackendError, PolicySyncError, Refused
from policysync.kinds.kind import Kind
from policysync.render.stack import Stack, stack_of
from policysync.state.resource import Resource


class Check:
    """Looks at what a document needs, and at what stands for it. Changes nothing."""

    def __init__(self, stacks: Stacks, means: Means) -> None:
        self._stacks = stacks
        self._means = means

    def signs(self, kind: Kind, resource: Resource) -> Iterator[Sign]:
        """Yield everything there is to say of a resource as git states it."""
        stack = stack_of(kind, resource.spec)
        wrong = self._account(stack)
        yield wrong
        if wrong.level is not Level.OK:
            return
        yield from self._preflight(stack, resource)
        health = list(self._health(stack, resource))
        yield from health
        if resource.spec.get("connectorId"):
            vendors = _told("health/api", lambda: self._vendors(resource))
            yield from vendors
            if any(sign.reason == "absent" for sign in health) and any(_is_connected(sign) for sign in vendors):
                message = "a connector with this id is connected, and it has no stack here; choose another connectorId"
                yield Sign("preflight/connector-id", Level.ERROR, "id-in-use", message)

    def _preflight(self, stack: Stack, resource: Resource) -> Iterator[Sign]:
        aws = resource.spec["aws"]
        yield from _told("preflight/template", lambda: self._template(stack))
        yield from _told("preflight/network", lambda: network_signs(self._stacks.account, aws))
        yield from _told("preflight/organization", lambda: self._organization(aws))
        if stack.source:
            yield from self._secret(stack)
        for name, output in stack.outputs.items():
            yield from _told(f"preflight/{name}", partial(self._output, name, output))

    def _health(self, stack: Stack, resource: Resource) -> Iterator[Sign]:
        account = self._stacks.account
        try:
            found = self._stacks.named(stack.name)
        except BackendError as error:
            yield Sign("health/stack", Level.UNKNOWN, "unreadable", str(error))
            return
        yield stack_sign(found, stack.name)
        if found is not None and found.status in SUCCEEDED | REVERTED:
            yield from _told("health/template", lambda: self._moved(stack, found))
            yield from _told("health/drift", lambda: drift_signs(account, found, self._means.clock))
            yield from _told("health/service", lambda: service_signs(account, found))
        role = found.outputs.get("AponoConnectorRoleArn", "") if found else ""
        for cluster in resource.spec.get("eks", {}).get("clusters", ()):
            yield from _told("preflight/eks", partial(cluster_signs, account, cluster["name"], cluster["region"], role))

    def _vendors(self, resource: Resource) -> Iterator[Sign]:
        """Ask the vendor's API how the connector is, where a target of the stage leads there."""
        for peer in self._means.peers:
            if peer.backend == VENDOR:
                try:
                    backend = apono(peer, self._means)
                except PolicySyncError as error:
                    yield Sign("health/api", Level.UNKNOWN, "unreadable", f"{peer.name}: {error}")
                    continue
                try:
                    if isinstance(backend, Checks):
                        yield from backend.check(resource)
                finally:
                    backend.close()

    def _account(self, stack: Stack) -> Sign:
        name = "preflight/account"
        try:
            caller, region = self._stacks.account.caller(), self._stacks.account.region
        except BackendError as error:
            return Sign(name, Level.ERROR, "no-credentials", str(error))
        if stack.account != caller:
            message = f"the credentials belong to account {caller}, and the document says {stack.account}"
            return Sign(name, Level.ERROR, "wrong-account", message)
        if stack.region != region:
            message = f"this target is {region}, and the document says {stack.region}"
            return Sign(name, Level.ERROR, "wrong-region", message)
        return Sign(name, Level.OK, "", f"the credentials belong to account {caller}")

    def _template(self, stack: Stack) -> Iterator[Sign]:
        name = "preflight/template"
        try:
            asked = summary(self._stacks.account, **source_of(stack, self._means.root))
            fitted(stack, asked)
        except Refused as error:
            yield Sign(name, Level.ERROR, "template", str(error))
            return
        yield Sign(name, Level.OK, "", f"the template takes {', '.join(sorted(asked.parameters))}")

    def _moved(self, stack: Stack, found: Described) -> Iterator[Sign]:
        """Say whether another template is at the address by now: nobody but a change of the document takes it."""
        if not stack.template_url:
            return
        there = summary(self._stacks.account, TemplateURL=stack.template_url)
        here = summary(self._stacks.account, StackName=found.id)
        said = "; ".join(differences(here, there))
        if said:
            message = (
                f"another template is at {stack.template_url} than stack {found.name} was made from: {said}; state the"
                " address of a version of it, or keep a copy as templateFile, to have the stack changed"
            )
            yield Sign("health/template", Level.WARNING, "template-moved", message)
        else:
            yield Sign("health/template", Level.OK, "", "the template at its address asks for what the stack's does")

    def _organization(self, aws: Mapping[str, Any]) -> Iterator[Sign]:
        name, wanted = "preflight/organization", aws.get("organizationId")
        if not wanted:
            return
        account = self._stacks.account
        found = account.call("organizations", "describe_organization")["Organization"]["Id"]
        if found != wanted:
            message = f"this account is in organization {found}, and the document says {wanted}"
            yield Sign(name, Level.ERROR, "other-organization", message)
            return
        roots = [root["Id"] for root in account.pages("organizations", "list_roots", "Roots")]
        if aws["organizationUnitId"] not in roots:
            message = f"the root of {wanted} is {', '.join(roots)}, and the document says {aws['organizationUnitId']}"
            yield Sign(name, Level.ERROR, "other-root", message)
            return
        yield Sign(name, Level.OK, "", f"organization {wanted} has the root {aws['organizationUnitId']}")

    def _secret(self, stack: Stack) -> Iterator[Sign]:
        try:
            resolve(stack.source, self._means.secrets)
        except Refused as error:
            yield Sign("preflight/token", Level.ERROR, "token-missing", str(error))
        else:
            yield Sign("preflight/token", Level.OK, "", f"the token is there: {named(stack.source)}")

    def _output(self, name: str, wanted: Any) -> Iterator[Sign]:
        found = self._stacks.output(wanted)
        said = f"{name} is {found}, from {wanted.kind}/{wanted.name}"
        missing = f"{wanted.kind}/{wanted.name} has no stack in the targets of this stage yet, so {name} is not known"
        sign = f"preflight/{name}"
        yield Sign(sign, Level.OK, "", said) if found else Sign(sign, Level.WARNING, "output-missing", missing)


def _is_connected(sign: Sign) -> bool:
    return sign.name == "health/connector" and sign.level is Level.OK


def _told(name: str, look: Callable[[], Iterable[Sign]]) -> list[Sign]:
    """Return the signs, or that nobody can tell from here."""
    try:
        return list(look())
    except BackendError as error:
        return [Sign(name, Level.UNKNOWN, "unreadable", str(error))]
