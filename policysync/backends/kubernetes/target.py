"""A kubernetes target → a cluster one can speak to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from policysync.backends.address import host_url
from policysync.backends.connection import Timeouts
from policysync.backends.http import Http
from policysync.backends.kubernetes.backend import Kubernetes
from policysync.backends.kubernetes.certificates import Certificates
from policysync.backends.kubernetes.client import Client
from policysync.backends.kubernetes.credential import Credential, Fixed, credential_of
from policysync.backends.kubernetes.kubeconfig import Access, files_of, from_files, inside
from policysync.backends.means import Means
from policysync.backends.option import Form, check_options
from policysync.documents.project import Target
from policysync.errors import Refused

OPTIONS: Mapping[str, Form] = {
    "kubeconfig": str,
    "kubeconfig_env": str,
    "context": str,
    "namespace": str,
    "in_cluster": bool,
    "proxy": str,
    "ca_file": str,
    "verify": bool,
    "wait": int,
    "by_hand": list,
}
"""Every option of the target, and its form."""


def connect_client(target: Target, means: Means, also: tuple[str, ...] = ()) -> Client:
    """Return the API server of a target. Nothing is sent before it is used.

    Args:
        also: further options the target may have, which somebody else reads.

    Raises:
        Refused: the target cannot be used as it is written.
    """
    options = target.options
    check_options(options, OPTIONS, also)
    access = _access(target, options, means)
    if options.get("namespace"):
        access = replace(access, namespace=str(options["namespace"]))
    tls = Certificates(
        access.verify,
        ca=access.ca,
        cert=access.cert,
        key=access.key,
        server_name=access.server_name,
    )
    proxy = str(options.get("proxy") or access.proxy)
    http = Http(
        means.clock,
        rate=means.limits.requests_per_second,
        tls=tls,
        timeouts=Timeouts(connect=min(10.0, means.limits.timeout), read=means.limits.timeout),
        proxies={"http": proxy, "https": proxy} if proxy else None,
    )
    credential = _token(target, means) if target.auth else credential_of(access, means.clock)
    return Client(http, access.server, credential, means.again, namespace=access.namespace)


def _access(target: Target, options: Mapping[str, Any], means: Means) -> Access:
    if options.get("in_cluster"):
        return inside(os.environ)
    if target.url:
        ca = _ca(options, means.root)
        return Access(host_url(target.url), ca=ca, verify=options.get("verify", True))
    files = files_of(options, os.environ, means.root)
    access = from_files(files, str(options.get("context") or ""))
    return replace(access, verify=access.verify and options.get("verify", True))


def _ca(options: Mapping[str, Any], root: Path) -> bytes:
    if not options.get("ca_file"):
        return b""
    path = root / str(options["ca_file"])
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"options.ca_file: {path} cannot be read: {error.strerror}") from error


def _token(target: Target, means: Means) -> Credential:
    """Return the token that `auth` refers to; with it nothing of a kubeconfig's user is used."""
    unknown = sorted(set(target.auth) - {"method", "token"})
    if unknown:
        raise Refused(f"auth.{unknown[0]} is no member of a kubernetes target's auth; known are method, token")
    if target.auth.get("method", "token") != "token":
        raise Refused(
            f"auth.method {target.auth['method']!r} is not known; want token, or leave auth to the kubeconfig"
        )
    said = target.auth.get("token")
    if not isinstance(said, str) or not said.startswith("${"):
        raise Refused("auth.token has to be a reference such as ${env:NAME}")
    return Fixed(f"Bearer {means.secrets(said).reveal()}")


def kubernetes(target: Target, means: Means, also: tuple[str, ...] = ()) -> Kubernetes:
    """Return the cluster of a target; `also` are further options it may have.

    Raises:
        Refused: the target cannot be used as it is written.
    """
    client = connect_client(target, means, also)
    options = target.options
    return Kubernetes(
        client,
        means.kinds,
        means.clock,
        wait=float(options.get("wait", 60)),
        by_hand=map(str, options.get("by_hand", ())),
    )
