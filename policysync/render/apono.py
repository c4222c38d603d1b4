"""The three kinds of Apono → stacks, modules, values, access entries and requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.kinds.kind import Kind
from policysync.render.apono_eks import entries_template, entry_commands
from policysync.render.apono_helm import helm_values
from policysync.render.apono_terraform import terraform_module
from policysync.render.artefact import Artefact, json_text, yaml_text
from policysync.render.stack import create_stack, quick_create, stack_of
from policysync.state.resource import Resource
from policysync.state.wire import to_wire


def connector(resource: Resource, kind: Kind) -> tuple[Artefact, ...]:
    """Return what a connector is installed with, and an access entry for each of its EKS clusters."""
    return (*_installed(resource, kind), *_entries(resource.spec))


def organization_role(resource: Resource, kind: Kind) -> tuple[Artefact, ...]:
    """Return the stack of the role in the management account."""
    return tuple(_stack(resource, kind))


def integration(resource: Resource, kind: Kind) -> tuple[Artefact, ...]:
    """Return the request that makes an integration."""
    return (Artefact("request.json", json_text(create_request(kind, resource.spec))),)


def create_request(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return method, path and body of the call that makes an integration."""
    call = kind.api["create"]
    return {"method": call["method"], "path": call["path"], "body": to_wire(kind, spec)}


def _installed(resource: Resource, kind: Kind) -> Iterator[Artefact]:
    match resource.spec["install"]["method"]:
        case "terraform-ecs":
            yield Artefact("main.tf.json", json_text(terraform_module(resource.spec)))
        case "helm":
            yield Artefact("values.yaml", yaml_text(helm_values(resource.spec)))
        case _:
            yield from _stack(resource, kind)


def _stack(resource: Resource, kind: Kind) -> Iterator[Artefact]:
    stack = stack_of(kind, resource.spec)
    yield Artefact("create-stack.json", json_text(create_stack(stack)))
    if stack.template_url:
        yield Artefact("quickcreate.txt", quick_create(stack) + "\n")


def _entries(spec: Mapping[str, Any]) -> Iterator[Artefact]:
    clusters = spec.get("eks", {}).get("clusters", ())
    for region in sorted({cluster["region"] for cluster in clusters}):
        names = [cluster["name"] for cluster in clusters if cluster["region"] == region]
        yield Artefact(f"access-entries.{region}.template.json", json_text(entries_template(names, region)))
        yield Artefact(f"access-entries.{region}.commands.json", json_text(entry_commands(names, region)))
