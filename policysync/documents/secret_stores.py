"""Secrets in stores that need a library of their own, imported when a reference asks for it and never before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from policysync.errors import PolicySyncError
from policysync.secret import Secret, told


def from_keyring(name: str) -> str:
    """Return the password of SERVICE/USER in this machine's keyring.

    Raises:
        PolicySyncError: it is not there, or the keyring cannot be opened.
    """
    reference = f"${{keyring:{name}}}"
    keyring = _library("keyring", "keyring", reference)
    service, _, user = name.rpartition("/")
    try:
        value = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise PolicySyncError(f"{reference}: the keyring does not open: {_text(error)}") from error
    if not value:
        raise PolicySyncError(f"{reference}: the keyring has no password of {user} for {service}")
    return str(value)


def from_vault(environ: Mapping[str, str], name: str) -> str:
    """Return a field of a secret in Vault or OpenBao; VAULT_ADDR, VAULT_TOKEN and their like say where and as whom.

    PATH is as the HTTP API has it: in a key/value store of version 2 `data` stands after the mount.

    Raises:
        PolicySyncError: it is not there, or may not be read.
    """
    reference = f"${{vault:{name}}}"
    hvac = _library("hvac", "vault", reference)
    requests = import_module("requests")
    path, _, member = name.partition("#")
    client = hvac.Client(
        url=environ.get("VAULT_ADDR"),
        token=environ.get("VAULT_TOKEN"),
        namespace=environ.get("VAULT_NAMESPACE"),
        verify=environ.get("VAULT_CACERT") or True,
        timeout=30,
    )
    _never_shown(client, "token")
    try:
        found = client.read(path.strip("/"))
    except (hvac.exceptions.VaultError, requests.exceptions.RequestException, ValueError) as error:
        raise PolicySyncError(f"{reference}: {client.url} does not give it out: {_text(error)}") from error
    finally:
        client.adapter.close()
    if not isinstance(found, Mapping):
        advice = "in a key/value store of version 2 the path is MOUNT/data/NAME"
        raise PolicySyncError(f"{reference}: there is nothing at this path in {client.url}; {advice}")
    return _member(_unwrapped(found.get("data")), member, reference)


def from_aws(environ: Mapping[str, str], name: str) -> str:
    """Return a secret of AWS Secrets Manager, or a field of it when it is JSON. NAME may be an ARN, or REGION:NAME.

    Credentials, and a region that is not said, are found as every AWS tool finds them.

    Raises:
        PolicySyncError: it is not there, or may not be read.
    """
    reference = f"${{aws-secret:{name}}}"
    boto3 = _library("boto3", "aws", reference)
    failures = import_module("botocore.exceptions")
    secret, _, member = name.partition("#")
    region, secret = _placed(secret, environ.get("AWS_REGION"))
    try:
        session = boto3.session.Session()
        _never_shown(session.get_credentials(), "secret_key", "token")
        client = session.client("secretsmanager", region_name=region)
        text = client.get_secret_value(SecretId=secret).get("SecretString")
    except (failures.BotoCoreError, failures.ClientError) as error:
        raise PolicySyncError(f"{reference}: AWS does not give it out: {_text(error)}") from error
    if not text:
        raise PolicySyncError(f"{reference}: holds bytes and no text, or nothing")
    if not member:
        return str(text)
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise PolicySyncError(f"{reference}: the secret is not JSON, so it has no field {member}") from error
    return _member(fields, member, reference)


def _placed(secret: str, usual: str | None) -> tuple[str | None, str]:
    """Return the region of a secret and what it is called there. A name has no colon, an ARN has six."""
    steps = secret.split(":")
    if steps[0] == "arn" and len(steps) > 3:
        return steps[3], secret
    return (steps[0], steps[1]) if len(steps) == 2 else (usual, secret)


def _library(module: str, extra: str, reference: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise PolicySyncError(f"{reference}: needs more to be installed: pip install 'policysync[{extra}]'") from error


def _unwrapped(data: Any) -> Any:
    """Return the fields of a secret: a key/value store of version 2 puts them one level deeper."""
    if isinstance(data, Mapping) and isinstance(data.get("metadata"), Mapping) and "data" in data:
        return data["data"]
    return data


def _member(fields: Any, name: str, reference: str) -> str:
    value = fields.get(name) if isinstance(fields, Mapping) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise PolicySyncError(f"{reference}: the secret has no field {name}, or no text in it")
    return value


def _never_shown(credentials: Any, *members: str) -> None:
    """Have what a store is asked with known as secret, should the store say it back."""
    for value in (getattr(credentials, member, None) for member in members):
        if value:
            Secret(str(value))


def _text(error: Exception) -> str:
    return told(" ".join(str(error).split()))[:300] or type(error).__name__
