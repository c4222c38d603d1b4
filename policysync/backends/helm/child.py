"""The Helm engine of the Python package helm-python-sdk, as a process of its own.

Takes one request as JSON on stdin (see `engine.Engine`) and the cluster from the variables Helm itself reads. Goes
through with it, prints what it yields, and ends with 1 and a sentence on stderr when Helm said no.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import helm_python as helm
import yaml

from policysync.render.aqua_helm import chart_arguments


def main() -> int:
    """Carry out the request on stdin."""
    request = json.loads(sys.stdin.read())
    try:
        sys.stdout.write(_VERBS[request["verb"]](request))
    except (helm.HelmError, yaml.YAMLError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _upgrade(request: Mapping[str, Any]) -> str:
    chart, release = request["chart"], request["release"]
    options = {
        "namespace": request["namespace"],
        "timeout": request["wait"] or None,
        # Helm 4 watches; the older way to wait asks, which every API server answers.
        "wait": "legacy" if request["wait"] else None,
        "chart_version": None if chart["local"] else chart["version"],
    }
    place, *repository = chart_arguments(chart["name"], chart["version"], chart["repository"], chart["local"])
    options["chart_repo_url"] = chart["repository"] if "--repo" in repository else None
    with _config(request["namespace"]) as config:
        status = _status(config, release)
        if status == "uninstalled":
            # Somebody kept the history of what is gone, and Helm makes nothing new of it.
            config.uninstall(release, ignore_not_found=True)
        if status in ("", "uninstalled"):
            config.install(place, release, request["values"], **options)
        else:
            config.upgrade(place, release, request["values"], max_history=request["history"], **options)
    return ""


def _status(config: helm.Config, release: str) -> str:
    """Return the word Helm has for the newest revision, empty where there is none."""
    try:
        return str(config.status(release)["status"])
    except helm.HelmNotFoundError:
        return ""


def _uninstall(request: Mapping[str, Any]) -> str:
    wait = {"wait": "legacy", "timeout": request["wait"]} if request["wait"] else {}
    with _config(request["namespace"]) as config:
        config.uninstall(request["release"], ignore_not_found=True, **wait)
    return ""


def _render(request: Mapping[str, Any]) -> str:
    chart = request["chart"]
    if not chart["local"]:
        sys.stderr.write("rendering needs a chart on disk; name it in chart.localPath\n")
        raise SystemExit(1)
    with helm.Chart.load(chart["local"]) as loaded:
        rendered = loaded.render(request["values"], name=request["release"], namespace=request["namespace"])
    # The program does not let pass what is no YAML, and neither would an install.
    list(yaml.safe_load_all("\n---\n".join(rendered.values())))
    return "\n---\n".join(text for file, text in sorted(rendered.items()) if file.endswith((".yaml", ".yml")))


def _config(namespace: str) -> helm.Config:
    said = {name: os.environ.get(f"HELM_KUBE{name.upper()}") or None for name in ("context", "apiserver", "token")}
    return helm.Config(
        kubeconfig_path=os.environ.get("KUBECONFIG") or None,
        kube_context=said["context"],
        kube_apiserver=said["apiserver"],
        kube_token=said["token"],
        kube_ca_file=os.environ.get("HELM_KUBECAFILE") or None,
        kube_insecure_skip_tls_verify=os.environ.get("HELM_KUBEINSECURE_SKIP_TLS_VERIFY") == "true",
        namespace=namespace,
    )


_VERBS = {"upgrade": _upgrade, "uninstall": _uninstall, "render": _render}

if __name__ == "__main__":
    sys.exit(main())
