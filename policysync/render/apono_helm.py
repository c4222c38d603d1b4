"""A connector → values of the vendor's Helm chart.

Source: reference, connectors 4.4 and apono-terraform-modules; the figures are the defaults of the vendor's module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.render.artefact import PLACEHOLDER

_USUAL = "v1.7.8"


def helm_values(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values, the token as `<secret>`; without it where a Secret of the cluster is to give it."""
    token = {} if spec["tokenFrom"].get("kubernetesSecret") else {"token": PLACEHOLDER}
    return {
        "apono": {**token, "connectorId": spec["connectorId"], "url": "api.apono.io"},
        "image": {
            "registry": "registry.apono.io",
            "name": "apono-connector",
            "tag": spec["install"].get("helm", {}).get("imageTag", _USUAL),
        },
        "serviceAccount": {"manageClusterRoles": spec["permissions"] == "Full-Access (Manage IAM)"},
        "resources": {
            "limits": {"cpu": "1000m", "memory": "2G"},
            "requests": {"cpu": "500m", "memory": "1G"},
        },
    }
