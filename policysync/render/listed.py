"""Every renderer, by the name a schema's `x-render.by` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from policysync.kinds.kind import Kind
from policysync.render import apono, aqua_cloud_connector, cluster_object, skyhigh
from policysync.render.artefact import Artefact
from policysync.state.resource import Resource

Renderer = Callable[[Resource, Kind], tuple[Artefact, ...]]
"""Takes a desired resource and returns its artefacts in the reviewable form: secrets stand as `<secret>`."""

RENDERERS: Mapping[str, Renderer] = {
    "apono-connector": apono.connector,
    "apono-integration": apono.integration,
    "apono-organization-role": apono.organization_role,
    "aqua-cloud-connector": aqua_cloud_connector.render,
    "cluster-object": cluster_object.render,
    "secure-app-connector": skyhigh.render,
}
