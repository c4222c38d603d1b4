"""Where a cluster is and how one gets in: kubeconfig files, and what a pod finds about its own cluster.

Why no library reads them is in docs/decisions/0022.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from policysync.errors import Refused

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DEFAULT_FILE = Path("~/.kube/config")


@dataclass(frozen=True, slots=True)
class Access:
    """One cluster as one user sees it.

    Attributes:
        server: address without a slash at its end.
        context: what the kubeconfig calls it; empty inside a cluster.
        namespace: where namespaced objects go whose document names none.
        user: the user's members as they stand in the file; credentials are made of them by `credential`.
        ca, cert, key: PEM; empty means the system's authorities, and no certificate of ours.
        server_name: the name the certificate has to be for, where it is not that of the address.
        folder: where relative paths in the file start.
    """

    server: str
    context: str = ""
    namespace: str = "default"
    user: Mapping[str, Any] = field(default_factory=dict, repr=False)
    ca: bytes = b""
    cert: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    verify: bool = True
    server_name: str = ""
    proxy: str = ""
    folder: Path = Path()


def from_files(files: Sequence[Path], context: str = "") -> Access:
    """Return what the kubeconfig files say of a context; of two entries with one name the first counts.

    Args:
        context: empty means the current one.

    Raises:
        Refused: a file is no kubeconfig, or names something it does not have.
    """
    parts = [_read(file) for file in files if file.is_file()]
    if not parts:
        raise Refused(f"no kubeconfig at {' or '.join(map(str, files))}; name one in options.kubeconfig")
    held = {noun: _named(parts, noun) for noun in ("clusters", "contexts", "users")}
    name = context or next((str(c) for part, _ in parts if (c := part.get("current-context"))), "")
    if not name:
        raise Refused(f"{files[0]} has no current context; name one in options.context")
    chosen, _ = _entry(held["contexts"], name, "context", files)
    cluster, folder = _entry(held["clusters"], str(chosen.get("cluster", "")), "cluster", files)
    nobody: _Entry = ({}, folder)
    user, user_folder = _entry(held["users"], str(chosen["user"]), "user", files) if chosen.get("user") else nobody
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("https://", "http://")):
        raise Refused(f"context {name}: its cluster has no server address")
    return Access(
        server=server.rstrip("/"),
        context=name,
        namespace=str(chosen.get("namespace") or "default"),
        user=user,
        ca=_pem(cluster, "certificate-authority", folder),
        cert=_pem(user, "client-certificate", user_folder),
        key=_pem(user, "client-key", user_folder),
        verify=not cluster.get("insecure-skip-tls-verify", False),
        server_name=str(cluster.get("tls-server-name") or ""),
        proxy=str(cluster.get("proxy-url") or ""),
        folder=user_folder,
    )


def inside(environ: Mapping[str, str], account: Path = SERVICE_ACCOUNT) -> Access:
    """Return what a pod finds about its own cluster.

    Raises:
        Refused: this is no pod, or one without a service account.
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise Refused("options.in_cluster is for runs in a pod, and KUBERNETES_SERVICE_HOST is not set here")
    try:
        ca = (account / "ca.crt").read_bytes()
        namespace = (account / "namespace").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Refused(f"the pod has no service account to use: {error}") from error
    user = {"tokenFile": str(account / "token")}
    address = f"[{host}]" if ":" in host else host
    return Access(f"https://{address}:{port}", namespace=namespace or "default", user=user, ca=ca)


def files_of(options: Mapping[str, Any], environ: Mapping[str, str], root: Path) -> list[Path]:
    """Return the kubeconfig files in question: the one a target names, those a variable names, or the usual one.

    Raises:
        Refused: the target names a variable that names no file, or a file as well.
    """
    named, variable = str(options.get("kubeconfig") or ""), str(options.get("kubeconfig_env") or "")
    if named and variable:
        raise Refused("options.kubeconfig and options.kubeconfig_env both name a file; want one of the two")
    if named:
        return [root / Path(named).expanduser()]
    listed = [Path(part) for part in environ.get(variable or "KUBECONFIG", "").split(os.pathsep) if part]
    if variable and not listed:
        raise Refused(f"options.kubeconfig_env: {variable} is not set; it has to name a kubeconfig file")
    return listed or [DEFAULT_FILE.expanduser()]


_Entry = tuple[dict[str, Any], Path]


def _read(file: Path) -> tuple[dict[str, Any], Path]:
    try:
        said = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  safe one
    except (OSError, yaml.YAMLError) as error:
        # What stands in the file is not for messages: the parser would quote the line, and the line may be a token.
        why = error.strerror if isinstance(error, OSError) else "it is not YAML"
        raise Refused(f"{file}: no kubeconfig: {why}") from error
    if not isinstance(said, dict):
        raise Refused(f"{file}: no kubeconfig: want a mapping")
    return said, file.resolve().parent


def _named(parts: Sequence[tuple[dict[str, Any], Path]], noun: str) -> dict[str, _Entry]:
    held: dict[str, _Entry] = {}
    for part, folder in parts:
        listed = part.get(noun)
        for each in listed if isinstance(listed, list) else ():
            about = (each.get(noun[:-1]) or {}) if isinstance(each, dict) else None
            if isinstance(about, dict):
                held.setdefault(str(each.get("name", "")), (about, folder))
    return held


def _entry(held: Mapping[str, _Entry], name: str, noun: str, files: Sequence[Path]) -> _Entry:
    if name not in held:
        known = ", ".join(sorted(held)) or "none"
        raise Refused(f"{' and '.join(map(str, files))}: no {noun} {name!r}; there is {known}")
    return held[name]


def _pem(entry: Mapping[str, Any], member: str, folder: Path) -> bytes:
    inline, path = entry.get(f"{member}-data"), entry.get(member)
    try:
        if inline:
            return base64.b64decode(str(inline), validate=True)
        return (folder / str(path)).read_bytes() if path else b""
    except (OSError, binascii.Error) as error:
        raise Refused(f"kubeconfig: {member} cannot be read: {error}") from error
