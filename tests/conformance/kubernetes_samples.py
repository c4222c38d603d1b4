"""One object of every kind that a cluster serves, and what a change of it looks like."""

from __future__ import annotations

from typing import Any

from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds
from policysync.render.crds import definition

Spec = dict[str, Any]

WEB = {"namespaceSelector": {"matchNames": ["web"]}}
_RULES = {"processExecution": [{"executables": ["/bin/sh"], "action": "audit"}]}
_OPERATED = {"infra": {"requirements": True}, "common": {"imagePullSecret": "aqua-registry"}}
_DEPLOY = {"replicas": 1, "resources": {"limits": {"cpu": "500m", "memory": "0.5Gi"}}}
_CONTROLS = [{"id": "1.1", "name": "no root", "severity": "HIGH", "checks": [{"id": "AVD-KSV-0012"}]}]
_REPORT = {"id": "own-1.0", "title": "Own", "version": "1.0", "platform": "k8s", "type": "own", "controls": _CONTROLS}

SAMPLES: dict[str, tuple[str, Spec, Spec]] = {
    "AquaCsp": ("aqua/csp", {**_OPERATED, "gateway": _DEPLOY, "server": _DEPLOY}, {"runAsNonRoot": True}),
    "AquaDatabase": ("aqua/db", {**_OPERATED, "deploy": _DEPLOY, "diskSize": 10}, {"diskSize": 20}),
    "AquaEnforcer": (
        "aqua/nodes",
        {**_OPERATED, "deploy": _DEPLOY, "gateway": {"host": "gw.aqua", "port": 8443}},
        {"deploy": {"replicas": 1, "resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}},
    ),
    "AquaGateway": ("aqua/gateway", {**_OPERATED, "deploy": _DEPLOY}, {"mtls": True}),
    "AquaKubeEnforcer": ("aqua/kube", {"config": {"cluster_name": "eu"}}, {"validatingWebhookTimeout": 5}),
    "AquaLightning": (
        "aqua/lightning",
        {
            "common": _OPERATED["common"],
            "global": {"cluster_name": "eu"},
            "kubeEnforcer": {"infra": _OPERATED["infra"]},
            "enforcer": {"infra": _OPERATED["infra"], "deploy": _DEPLOY},
        },
        {"global": {"cluster_name": "us"}},
    ),
    "AquaScanner": ("aqua/scan", {**_OPERATED, "deploy": _DEPLOY, "login": {"host": "aqua"}}, {"runAsNonRoot": True}),
    "AquaServer": ("aqua/server", {**_OPERATED, "deploy": _DEPLOY}, {"configMapData": {"AQUA_X": "1"}}),
    "AquaStarboard": ("aqua/reports", {"config": {}, "deploy": _DEPLOY}, {"logDevMode": True}),
    "ClusterComplianceReport": ("own-1.0", {"compliance": _REPORT, "reportType": "summary"}, {"cron": "30 2 * * 1"}),
    "CompliancePolicy": (
        "default-namespace-compliance",
        {
            "namespaceSelector": {"matchNames": ["default"]},
            "schedule": "0 * * * *",
            "complianceConfig": {"open-cis-benchmark-v1.0.0": True, "open-cis-benchmark-v1.1.0": True},
        },
        {"complianceConfig": {"open-cis-benchmark-v1.0.0": True}},
    ),
    "RuntimePolicy": ("no-shells", {**WEB, "rules": _RULES}, {"mode": "enforce"}),
    "VulnerabilityPolicy": (
        "nightly",
        {**WEB, "schedule": "30 2 * * *", "minSeverity": "HIGH"},
        {"minSeverity": "LOW"},
    ),
}

NAMESPACED = frozenset(name for name in SAMPLES if "/" in SAMPLES[name][0])


def kinds_of_clusters() -> dict[str, Kind]:
    """Return the kinds that a cluster serves."""
    return {name: kind for name, kind in load_kinds().items() if kind.backends == ("kubernetes",)}


def definitions() -> list[dict[str, Any]]:
    """Return what has to be installed before a cluster serves them."""
    return [definition(kind, namespaced=name in NAMESPACED) for name, kind in kinds_of_clusters().items()]
