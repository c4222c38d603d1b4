"""A target → the environment in which Helm finds the same cluster as we do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from policysync.backends.kubernetes.kubeconfig import files_of
from policysync.backends.means import Means
from policysync.documents.project import Target


def helm_environ(target: Target, means: Means) -> dict[str, str]:
    """Return the environment of a Helm process. A token travels in it: other users cannot read it, unlike arguments."""
    # Releases are read from Secrets, so that is where they are kept.
    environ = {n: value for n, value in os.environ.items() if not n.startswith("HELM_KUBE") and n != "HELM_DRIVER"}
    options = target.options
    if options.get("proxy"):
        environ["HTTPS_PROXY"] = environ["HTTP_PROXY"] = str(options["proxy"])
    if options.get("in_cluster"):
        environ.pop("KUBECONFIG", None)
    elif target.url:
        environ |= {"KUBECONFIG": os.devnull, **_by_address(target, means)}
    else:
        files = files_of(options, os.environ, means.root)
        environ["KUBECONFIG"] = os.pathsep.join(map(str, files))
        if options.get("context"):
            environ["HELM_KUBECONTEXT"] = str(options["context"])
    return environ


def _by_address(target: Target, means: Means) -> Mapping[str, str]:
    said = {"HELM_KUBEAPISERVER": target.url}
    token = target.auth.get("token")
    if isinstance(token, str):
        said["HELM_KUBETOKEN"] = means.secrets(token).reveal()
    if target.options.get("ca_file"):
        said["HELM_KUBECAFILE"] = str(means.root / Path(str(target.options["ca_file"])))
    if target.options.get("verify") is False:
        said["HELM_KUBEINSECURE_SKIP_TLS_VERIFY"] = "true"
    return said
